"""A better scan takes the place of a document's pages (`documents rescan`).

The former file stays on record as superseded, under the same key, and goes with the document. The pages are read
anew and review starts anew: what a person had set or confirmed is no longer confirmed. A mark that was read before
still holds when the new scan does not show it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from ..common.errors import NotThere, Refused, UsageFault
from ..common.limits import DEFAULT_LIMITS
from ..models.level import Level
from ..models.page import Finding
from ..models.tables import Document, Receipt, Scan
from . import access
from .actors import Actor, acting
from .documents import document_json
from .inbox import Unreadable, read_file
from .judgement import load_judgement, open_artefact
from .register_entry import Deposit, enter, remember, tag_of
from .reread import Desk, marked_above, paper_of
from .stack_edit import check_free
from .station import Station
from .virus import Scanner

_OPEN = ("pending", "pending_second", "registered")
_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_SCANS = frozenset({"pdf", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2"})


def rescan(
    station: Station, actor: Actor, *, document: str, path: Path, pages: str | None = None
) -> dict[str, Any]:
    """Replaces the pages named (`3`, `2-4,7`), or all of them, by those of a new scan.

    Raises:
        NotThere: no such file or document. UsageFault: pages that are not there, or as many as the scan has not.
        Refused: destroyed, archived or void, a hold, copies or a destruction on it, not a scan, could not be read,
            marked above the station's level.
    """
    try:
        new = read_file(path, DEFAULT_LIMITS.file_bytes)
    except Unreadable as error:
        raise NotThere("scan_not_read", file=str(path), why=error.code) from None
    if (scan := Scanner.find().scan(new)).state == "infected":
        raise Refused("virus_found", detail=scan.signature)
    with acting(station, actor, "documents.rescan", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        _check(session, row)
        judgement = load_judgement(station, session, document)
        old = open_artefact(station, session, document, "original")
        if judgement is None or old is None:
            raise Refused("not_in_review", document=document, status=row.status)
        if pages is not None and (judgement.format not in _SCANS or judgement.password is not None):
            raise Refused("not_a_scan", document=document, format=judgement.format)
        origin = row.origin
    with Desk(station, origin=origin) as desk:
        whole = new
        if pages is not None:
            has, fresh = desk.look(old, document), desk.look(new, document)
            fields = {"sizes": [len(old), len(new)], "picks": _picks(pages, has=has, fresh=fresh)}
            whole = desk.ask("join", fields, old + new)
        ((part, judged),) = desk.read([whole], [document])
    identity = hashlib.sha256(new).hexdigest()
    with acting(station, actor, "documents.rescan", objects=(document,)) as session:
        above = marked_above(station, judged)
        if above is not None:
            raise Refused("above_station_level", level=above.value, station=station.level.value)
        row = access.get_document(session, document)
        _check(session, row)
        former = row.read_level_code, row.level_code, row.period, row.secrecy_until
        paper = paper_of(
            part, judged, path=path, identity=identity, findings=_lost(station, row, judged.level.level)
        )
        deposit = Deposit(station, session)
        enter(
            station, session, actor, paper, receipt=session.get_one(Receipt, row.receipt_id),
            batch=str(row.batch_id), deposit=deposit, again=row,
        )  # fmt: skip
        deposit.close()
        if any(item.code == "mark_lost_in_rescan" for item in paper.findings):
            row.read_level_code, row.level_code, row.period, row.secrecy_until = former
            row.level_basis = "marked"
        row.confirmed, row.must_review = False, True
        row.appraised_at = row.appraised_by = None
        tag = tag_of(station, session, identity)
        session.add(Scan(document_id=row.id, kind="rescan", tag=tag, at=station.now()))
        remember(station, session, row, actor.person, "rescan", "status", {"pages": pages})
        station.log(
            session, "documents.rescan", objects=(document,), person=actor.person, account=actor.user,
            facts={"pages": pages or "all"},
        )  # fmt: skip
        session.flush()
        return document_json(station, session, row, actor=actor)


def _check(session: Any, row: Document) -> None:
    if row.status not in _OPEN:
        raise Refused("not_in_review", document=row.id, status=row.status)
    check_free(session, row)


def _lost(station: Station, row: Document, new: Level | None) -> tuple[Finding, ...]:
    """Whether the new scan shows less than the mark that was read."""
    if row.read_level_code is None:
        return ()
    rank = station.policy.rank
    before = Level.parse(row.read_level_code)
    if new is not None and rank(new) >= rank(before):
        return ()
    return (Finding("mark_lost_in_rescan", page=1, detail=before.value),)


def _picks(pages: str, *, has: int, fresh: int) -> list[tuple[int, int]]:
    """The pages of the document, those named taken from the new scan in turn."""
    named: list[int] = []
    for word in pages.replace("，", ",").split(","):
        found = _RANGE.fullmatch(word.strip())
        if found is None:
            raise UsageFault("bad_pages", pages=pages, last=has)
        first, last = int(found[1]), int(found[2] or found[1])
        named += range(first, last + 1)
    if not named or len(set(named)) != len(named) or not all(1 <= number <= has for number in named):
        raise UsageFault("bad_pages", pages=pages, last=has)
    if len(named) != fresh:
        raise UsageFault("rescan_pages_differ", pages=len(named), scan=fresh)
    taken = {number: place for place, number in enumerate(named, start=1)}
    return [(1, taken[number]) if number in taken else (0, number) for number in range(1, has + 1)]
