"""A better scan takes the place of a document's pages (`documents rescan`).

The former file stays on record as superseded, under the same key, and goes with the document. The pages are read
anew and review starts anew: what a person had set or confirmed is no longer confirmed. A mark that was read before
still holds when the new scan does not show it. A mark above the station's level ends it: see `above.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused, UsageFault
from ...common.limits import DEFAULT_LIMITS
from ...models.level import Level
from ...models.page import Finding, Transcript
from ...models.tables import Document, Receipt, Scan
from ...models.wire import from_plain
from ...stages.likeness import compare, plain_text
from ..intake import processing
from ..intake.above import KIND, keys_going, open_above, wipe
from ..intake.inbox import Unreadable, read_file
from ..intake.judgement import load_judgement, load_transcript, open_artefact
from ..intake.paper_tag import paper_tag
from ..intake.reading import Part
from ..intake.register_entry import Deposit, enter, remember, tag_of
from ..intake.virus import Scanner
from ..levels.terms import recount
from ..papers.documents import document_json
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from .reread import Desk, marked_above, paper_of
from .stack_edit import check_free

_UNCONFIRMED = ("pending", "pending_second")
_OPEN = (*_UNCONFIRMED, "registered")
_TOO_SHORT = 40
"""Characters of a former reading that say nothing of which paper it was."""
_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_SCANS = frozenset({"pdf", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2"})


def rescan(
    station: Station, actor: Actor, *, document: str, path: Path, pages: str | None = None
) -> dict[str, Any]:
    """Replaces the pages named (`3`, `2-4,7`), or all of them, by those of a new scan.

    Raises:
        NotThere: no such file or document. UsageFault: pages that are not there, or as many as the scan has not.
        Refused: destroyed, archived or void, a hold, copies or a destruction on it, not a scan, could not be read,
            marked above the station's level, no approval to process it electronically.
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
        _check(station, session, row)
        processing.check(station, session, row)
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
    above = marked_above(station, judged)
    if above is not None:
        _refuse(station, actor, document, part, identity, above)
    with acting(station, actor, "documents.rescan", objects=(document,)) as session:
        row = access.get_document(session, document)
        _check(station, session, row)
        marked = judged.level.level if judged.level.basis in processing.READ else None
        processing.check(station, session, row, marked)
        former = row.read_level_code, row.level_code, row.period
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
            row.read_level_code, row.level_code, row.period = former
            row.level_basis = "marked"
            recount(station, session, row)
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


def _refuse(
    station: Station, actor: Actor, document: str, part: Part, identity: str, level: Level
) -> NoReturn:
    """A scan marked above the station's level: nothing of it is kept, an incident opens (R-021).

    The former pages of the same paper go with it while nobody has confirmed what it is. A confirmed document, and one
    of another text, stay as they are: a wrong file, or a word misread, must not undo what persons have decided; the
    incident names them, and while it is open nothing of them is destroyed.
    """
    with station.read() as session:
        row = access.get_document(session, document)
        gone = row.status in _UNCONFIRMED and _is_same(station, session, row, part)
        slots = [row.key_slot] if gone and row.key_slot is not None else []
    with (
        keys_going(station, slots) as rewrite,
        acting(station, actor, "documents.rescan", objects=(document,)) as session,
    ):
        row = access.get_document(session, document)
        if gone:
            _check(station, session, row)
            wipe(station, session, row)
            row.status, row.level_code = "refused", level.code
            session.add(
                Scan(
                    document_id=row.id,
                    kind="rescan",
                    tag=tag_of(station, session, identity),
                    at=station.now(),
                )
            )
            remember(station, session, row, None, "problem", "status", {"code": KIND})
        rewrite(session)
        open_above(station, session, actor, document, level)
        station.log(
            session, "documents.rescan", objects=(document,), person=actor.person, account=actor.user,
            level=level.value, result="denied", rule=KIND, facts={"kept": not gone},
        )  # fmt: skip
    raise Refused(KIND, level=level.value, station=station.level.value, document=document)


def _is_same(station: Station, session: Session, row: Document, part: Part) -> bool:
    """Whether the scan is of the document's own paper, as far as can be told: a bad scan is what is scanned anew."""
    tag = paper_tag(station, session, part.fields)
    if tag is not None and tag == row.paper_tag:
        return True
    old = load_transcript(station, session, row.id)
    if old is None or len(plain_text(old.pages)) < _TOO_SHORT:
        return True
    likeness = compare(old, from_plain(Transcript, json.loads(part.transcript)))
    return likeness.same or likeness.why != "other_text"


def _check(station: Station, session: Session, row: Document) -> None:
    if row.status not in _OPEN:
        raise Refused("not_in_review", document=row.id, status=row.status)
    check_free(station, session, row)


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
