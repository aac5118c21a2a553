"""Source files: where content lies in clear outside the vault, and what became of it (`cleartext_history`)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.limits import DEFAULT_LIMITS
from ...models.tables import Clear
from ...vault.erase import erase_file
from ..persons.actors import Actor
from ..station.station import Station
from .inbox import Unreadable, read_file
from .unpack import Contents, outer_of

CLEAR = "clear"


def consume_source(station: Station, actor: Actor, *, document: str, path: Path, data: bytes) -> bool:
    """Erases a source file that has been sealed, and writes down how surely. A changed file is left alone.

    Returns whether it is gone.
    """
    grade, state = "changed_left", "outstanding"
    if _same(path, data):
        erased = erase_file(path)
        grade, state = erased.grade.value, "erased" if erased.gone else "outstanding"
    with station.write() as session:
        row = _place(station, session, document, path)
        if row is not None:
            row.grade, row.state = grade, state
        station.log(
            session, "source.erase", objects=(document,), person=actor.person, account=actor.user,
            result="done" if state == "erased" else "failed", facts={"grade": grade},
        )  # fmt: skip
    return state == "erased"


def consume_archive(station: Station, actor: Actor, *, path: Path, contents: Contents) -> bool:
    """Erases an archive whose every file is sealed, and writes it down for each document; a changed one is left.

    Returns whether it is gone.
    """
    grade, state = "changed_left", "outstanding"
    try:
        same = hashlib.sha256(read_file(path, DEFAULT_LIMITS.file_bytes)).hexdigest() == contents.sha256
    except Unreadable:
        same = False
    if same:
        erased = erase_file(path)
        grade, state = erased.grade.value, "erased" if erased.gone else "outstanding"
    with station.write() as session:
        for document, labels in contents.documents.items():
            for label in labels:
                row = _place(station, session, document, label)
                if row is not None:
                    row.grade, row.state = grade, state
        station.log(
            session, "source.erase", objects=tuple(sorted(contents.documents)), person=actor.person,
            account=actor.user, result="done" if state == "erased" else "failed", facts={"grade": grade},
        )  # fmt: skip
    return state == "erased"


def remember_place(
    station: Station, session: Session, actor: Actor, *, document: str, path: Path, size: int
) -> bool:
    """Writes down that the document lies in clear at `path`, unless that is known; whether it was new."""
    if _place(station, session, document, path) is not None:
        return False
    session.add(Clear(**place_of(station, session, actor, document=document, path=path, size=size)))
    session.flush()
    return True


def place_of(
    station: Station, session: Session, actor: Actor, *, document: str, path: Path, size: int
) -> dict[str, Any]:
    """The values of the row that says so."""
    return {
        "document_id": document, "kind": "inbox", "at": station.now(), "state": "outstanding",
        "holder": actor.person,
        "sealed": station.seal(session, CLEAR, {"path": str(path.absolute()), "size": size}),
    }  # fmt: skip


def _place(station: Station, session: Session, document: str, path: Path) -> Clear | None:
    """The row that says the document lies at `path`, while it does."""
    known = session.scalars(
        select(Clear)
        .where(Clear.document_id == document, Clear.kind == "inbox", Clear.state == "outstanding")
        .order_by(Clear.id)
    )
    return next((row for row in known if _path(station, session, row) == str(path.absolute())), None)


def outside_scope(
    station: Station, session: Session, document: str, *, copy: str | None = None
) -> list[dict[str, Any]]:
    """Places outside the vault where content lies in clear: what was handed out and not taken back, and every file
    that the station wrote or read and that is still there.

    `clear` names the register's row: a path is a source name, and stays sealed there (`path_of`).
    """
    wanted = select(Clear).where(Clear.document_id == document, Clear.state != "erased").order_by(Clear.id)
    if copy is not None:
        wanted = wanted.where(Clear.copy_id == copy)
    places = []
    for row in session.scalars(wanted):
        path = Path(_path(station, session, row))
        path = outer_of(path) or path
        handed_out = row.kind in ("copy_out", "export", "print") and row.state == "outstanding"
        if not handed_out and not _exists(path):
            continue
        places.append(
            {"kind": row.kind, "at": row.at, "holder": row.holder, "copy": row.copy_id, "clear": row.id}
        )
    return places


def path_of(station: Station, session: Session, clear: int) -> str:
    """Where a place in clear was or is."""
    return _path(station, session, session.get_one(Clear, clear))


def _path(station: Station, session: Session, row: Clear) -> str:
    return str(station.unseal(session, CLEAR, row.sealed)["path"])


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _same(path: Path, data: bytes) -> bool:
    try:
        return (
            path.is_file()
            and not path.is_symlink()
            and (hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest())
        )
    except OSError:
        return False
