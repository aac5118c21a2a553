"""Closure: of each destroyed item, every kind of thing a station can have made of it, with what became of it; and what
may survive nevertheless (issue 6, item 8; destruction.md section 3).

What stands in rows and goes in the transaction of the keys is counted before it goes; what dies with the key is counted
by its files. Page pictures, thumbnails and a full-text index are never kept by this program; scratch, queue and logs
are looked through by V3. The search book holds register words only, and the register stays (R-127).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...models.certificate import CLOSURE, Check, Derived, ItemOutcome, ListItem, Reservation
from ...models.level import Level
from ...models.tables import Artefact, Clear, Document, PassageSet, Scan
from ...vault.rotation import Recovery
from ..intake.source_file import outside_scope
from ..intake.sources import WORD as SOURCES
from ..learning import station_model
from ..papers.documents import words_of
from ..station.root_events import events, lost
from ..station.roots import roots_found
from ..station.station import Station
from .inventory import document_of
from .parts import Part, parts

_FILES = {"original": "original", "transcript": "text", "judgement": "fields", "model": "models"}
"""Kind of a sealed file -> kind of the closure."""
_NEVER = ("pages", "index", "thumbnails", "features")
_GIVEN_UP = "reservation_medium_written_off"
_LOOKED = ("queue", "scratch", "logs")
PHYSICAL = ("carrier", "medium")
"""Kinds of items that persons destroy, not the station."""
Counts = dict[str, dict[str, int]]
"""Item id -> kind -> how many there were."""


def rows_of(station: Station, session: Session, part: Part) -> Counts:
    """What stands in rows, before it is taken away."""
    counts: Counts = {}
    passages, scans = (_by_document(session, table, part.ids) for table in (PassageSet, Scan))
    for name in part.ids:
        row = part.documents[name]
        tags = scans.get(name, 0) + sum(tag is not None for tag in (row.duplicate_tag, row.paper_tag))
        links = len(words_of(station, session, row).get(SOURCES) or ())
        counts[name] = {"passages": passages.get(name, 0), "tags": tags, "links": links}
    return counts


def _by_document(
    session: Session, table: type[PassageSet] | type[Scan], documents: Sequence[str]
) -> dict[str, int]:
    rows = session.execute(
        select(table.document_id, func.count())
        .where(table.document_id.in_(documents))
        .group_by(table.document_id)
    )
    return {str(document): count for document, count in rows}


def closure_of(
    part: Part, item: ListItem, before: Mapping[str, int], *, left: Sequence[str] = ()
) -> tuple[Derived, ...]:
    """Every kind of `CLOSURE` for one item.

    Args:
        before: what stood in rows. left: kinds of which something is still there.
    """
    found = Counter(
        "copies" if row.copy_id is not None else _FILES.get(row.kind, "original")
        for row in part.all_files(item)
    )
    return tuple(_derived(kind, found.get(kind, 0), before, item, left) for kind in CLOSURE)


def _derived(
    kind: str, files: int, before: Mapping[str, int], item: ListItem, left: Sequence[str]
) -> Derived:
    if kind in left:
        return Derived(kind=kind, count=max(files, before.get(kind, 0)), outcome="left")
    if kind in _NEVER:
        return Derived(kind=kind, count=0, outcome="never_made")
    if kind == "search" and item.kind == "document":
        return Derived(kind=kind, count=1, outcome="register_only")
    if files:
        return Derived(kind=kind, count=files, outcome="crypto_erase")
    rows = before.get(kind, 0)
    return Derived(kind=kind, count=rows, outcome="removed" if rows else "none")


def outside_of(station: Station, session: Session, items: Sequence[ListItem]) -> Iterator[dict[str, Any]]:
    """Each place outside the vault once: a copy that is a line of its own has its places there."""
    lines = {item.id for item in items}
    for part in parts(session, items, files=False):
        papers = [str(item.register_no) for item in part.items]
        left = select(Clear.document_id).where(Clear.document_id.in_(papers), Clear.state != "erased")
        known = set(session.scalars(left.distinct()))
        for item in part.items:
            if item.register_no not in known:
                continue
            copy = item.id if item.kind == "copy" else None
            for place in outside_scope(station, session, str(item.register_no), copy=copy):
                if copy is not None or place["copy"] not in lines:
                    yield {"item": item.id, **place}


def left_of(station: Station, session: Session, item: ListItem, checks: Sequence[Check]) -> list[str]:
    """Kinds of which something is still there: what V3 and V4 found, told by kind where it can be."""
    left = []
    failed = {check.name: check.reason for check in checks if check.result == "fail"}
    if failed.get("V3"):
        left += list(_LOOKED)
    if "V4" not in failed:
        return left
    mine = Artefact.copy_id == item.id if item.kind == "copy" else Artefact.document_id == item.id
    kinds = session.execute(
        select(Artefact.kind, Artefact.copy_id).where(mine, Artefact.state != "destroyed")
    )
    left += ["copies" if copy else _FILES.get(kind, "original") for kind, copy in kinds]
    if item.kind != "document":
        return left
    row = session.get_one(Document, item.id)
    if session.scalars(select(PassageSet.id).where(PassageSet.document_id == item.id)).first() is not None:
        left.append("passages")
    scans = session.scalars(select(Scan.id).where(Scan.document_id == item.id)).first()
    if row.duplicate_tag is not None or row.paper_tag is not None or scans is not None:
        left.append("tags")
    if words_of(station, session, row).get(SOURCES):
        left.append("links")
    slots = list(session.scalars(select(Artefact.key_slot).where(Artefact.document_id == item.id)))
    if station_model.remains(session, slots):
        left.append("models")
    return left


# ---------------------------------------------------------------- what may survive


def expected(station: Station, session: Session, items: Sequence[ListItem]) -> tuple[str, ...]:
    """Codes of the reservations that can be told before: what an approver is to know, and signs that he accepts."""
    if all(item.kind in PHYSICAL for item in items):
        return ()
    codes = []
    found = roots_found(station.settings)
    if any(root.medium is None or not root.medium.claim.proven for root in found):
        codes.append("reservation_root_unproven")
    if media_due(station, items):
        codes.append("reservation_media_due")
    if given_up(session, items):
        codes.append(_GIVEN_UP)
    return tuple(codes)


def given_up(session: Session, items: Sequence[ListItem]) -> tuple[str, ...]:
    """Items that were registered before a root medium was written off that nobody confirmed erased: with it, the
    passphrase, and a copy of the key store of its time, their keys open.
    """
    latest = max((event.at for event in lost(events(session))), default="")
    return (
        tuple(
            item.id
            for item in items
            if item.kind not in PHYSICAL
            and (document := document_of(session, item)) is not None
            and datetime.fromisoformat(document.received_at) <= datetime.fromisoformat(latest)
        )
        if latest
        else ()
    )


def media_due(station: Station, items: Sequence[ListItem]) -> tuple[str, ...]:
    """Items of a level whose medium the policy wants destroyed as well."""
    return tuple(
        item.id
        for item in items
        if item.level
        and station.policy.route(Level.parse(item.level)).electronic == "crypto_erase_plus_media_destroy"
    )


def reservations_of(
    station: Station,
    items: Sequence[ListItem],
    outcomes: Sequence[ItemOutcome],
    checks: Sequence[Check],
    recovery: Recovery,
    outside: Sequence[Mapping[str, object]],
    lost_to: Sequence[str],
) -> tuple[Reservation, ...]:
    """What may survive or was not proved, by code; who accepts it is written down as they sign.

    Args:
        lost_to: as `given_up`.
    """
    found: list[Reservation] = []
    if not recovery.complete:
        found.append(Reservation(code="reservation_mirrors"))
    if any(root.claim is None or not root.claim.proven for root in recovery.roots):
        found.append(Reservation(code="reservation_root_unproven"))
    if any(check.result == "not_applicable" for check in checks):
        found.append(Reservation(code="reservation_check_not_run"))
    if lost_to:
        found.append(Reservation(code=_GIVEN_UP, subjects=tuple(lost_to)))
    if due := media_due(station, items):
        found.append(Reservation(code="reservation_media_due", subjects=due))
    if outside:
        places = tuple(dict.fromkeys(str(place["item"]) for place in outside))
        found.append(Reservation(code="reservation_outside", subjects=places))
    if found:
        found += _unproven(outcomes)
    return tuple(found)


def _unproven(outcomes: Sequence[ItemOutcome]) -> list[Reservation]:
    """Ciphertext that may be left on the medium. By itself it makes no reservation: its key is gone."""
    proven = ("erased_clear", "erased_memory", "absent")
    items = tuple(
        item.id for item in outcomes if any(artefact.grade not in proven for artefact in item.artefacts)
    )
    return [Reservation(code="reservation_file_unproven", subjects=items)] if items else []
