"""Excerpts and compilations 摘录、汇编: by approval only, registered as papers of their own that stay linked to what
they draw on, at the highest level and the longest period among it (001-C§3.5, 1990 marking rules art. 8; R-044, R-081).

The new paper waits for a person like any other; its scan is taken in by its receipt (`ingest --receipt`), and what is
then read never takes its sources away nor its protection below theirs.

Threats: a volume made to get round a level or a circle (level and period inherited, the circle is what all sources
share); a source that its issuer forbade to copy. Not met: what somebody writes down by hand outside the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused, UsageFault
from ...models.level import Family, Level
from ...models.period import Period
from ...models.tables import Carrier, CircleMember, Document
from ..desk import matters, movements
from ..intake import receipt as receipts
from ..intake.register_entry import remember
from ..intake.sources import MADE_OF, WORD
from ..levels.terms import set_period, term_in_force
from ..persons import access, approvals
from ..persons.actors import Actor, acting
from ..station.station import Station
from .documents import document_json, keep_words, words_of

KINDS: Final = tuple(MADE_OF)
"""Acts of the matrix: `compile`, `excerpt`."""
_OPEN_FAMILIES = (Family.INTERNAL, Family.PUBLIC)


def compile_documents(
    station: Station,
    actor: Actor,
    *,
    sources: Sequence[str],
    title: str,
    kind: str = "compile",
    copies: int = 1,
) -> dict[str, Any]:
    """Registers a compilation or an excerpt of confirmed documents, with its paper in the room.

    Args:
        kind: act of the matrix, which is approved for all sources together. copies: made of it.

    Raises:
        Refused: no approval, a source is not confirmed, not to be copied, or out of the actor's sight; the circles of
            the sources share nobody. NotThere: no such document. UsageFault: none or the same source twice.
    """
    if kind not in KINDS:
        raise UsageFault("compile_kind", kind=kind, kinds="、".join(KINDS))
    if not sources or len(set(sources)) != len(sources) or (kind == "compile" and len(sources) < 2):
        raise UsageFault("compile_sources", kind=kind)
    if not title.strip() or copies < 1:
        raise UsageFault("title_needed")
    with acting(station, actor, f"documents.{kind}", objects=tuple(sources)) as session:
        rows = [_source(station, session, actor, document, kind) for document in sources]
        approval = approvals.require(station, session, act=kind, rows=rows, recipients=(actor.person,))
        level, period = inherited(station, session, rows)
        if station.policy.rank(level) > station.policy.rank(station.level):
            raise Refused("above_station_level", level=level.value, station=station.level.value)
        row = _enter(station, session, actor, title=title, level=level, period=period, copies=copies)
        words = {**words_of(station, session, row), WORD: [[one.id, MADE_OF[kind]] for one in rows]}
        keep_words(station, session, row, words)
        _circle(station, session, actor, row, rows)
        remember(
            station, session, row, None, "suggest", "level",
            {"level": level.value, "interim": None, "basis": "derivative", "policy": station.policy.sha256,
             "abstained": False, "rule": "D-1"},
        )  # fmt: skip
        station.log(
            session, f"documents.{kind}", objects=(row.id, *sources), person=actor.person, account=actor.user,
            level=level.value, rule=approval or "", facts={"sources": len(rows), "copies": copies},
        )  # fmt: skip
        return document_json(station, session, row, actor=actor)


def inherited(station: Station, session: Session, rows: Sequence[Document]) -> tuple[Level, Period | None]:
    """The highest level among sources that are still secret, 内部 where none is, and the longest of their periods.

    A period without an end is longer than any; a condition cannot be compared, so it stays where no end is later.
    """
    day = today(station.clock)
    live: list[tuple[Level, Period | None, date | None]] = []
    for row in rows:
        level = access.protected_as(station.policy, row)
        term = term_in_force(station, session, row) if row.period else None
        if level.family in _OPEN_FAMILIES or (term is not None and term.state(day) == "ended"):
            continue
        live.append((level, term.period if term else None, term.ends if term else None))
    if not live:
        return Level.INTERNAL, None
    level = max((one[0] for one in live), key=station.policy.rank)
    endless = [period for _, period, ends in live if period is not None and ends is None]
    forever = next((period for period in endless if period.kind == "forever"), None)
    ends = max((ends for _, _, ends in live if ends is not None), default=None)
    if forever is not None:
        return level, forever
    if endless:
        return level, endless[0]
    if ends is not None and all(period is not None for _, period, _ in live):
        last = ends - timedelta(days=1)
        return level, Period("until", date=f"{last.year}年{last.month}月{last.day}日")
    # a source without a period has its level's greatest
    years = station.policy.max_years(level)
    return level, Period("years", number=years) if years else None


def _source(station: Station, session: Session, actor: Actor, document: str, kind: str) -> Document:
    row = access.get_document(session, document)
    access.check_read(station, session, actor, row)
    if not row.confirmed or row.status not in ("registered", "archived"):
        raise Refused("not_confirmed", document=document)
    matters.check_free(station, session, document, f"documents.{kind}")
    if words_of(station, session, row).get("may_copy") == "no":
        raise Refused("not_to_be_copied", document=document)
    return row


def _enter(
    station: Station, session: Session, actor: Actor, *, title: str, level: Level, period: Period | None,
    copies: int,
) -> Document:  # fmt: skip
    arrival = receipts.Arrival(
        organ=station.settings.unit.removesuffix("机要室"),
        channel="self",
        title=title,
        level=level,
        copies=copies,
    )
    receipt = receipts.new_receipt(station, session, actor, arrival)
    row = receipts.new_document(station, session, receipt=receipt)
    keep_words(
        station, session, row,
        {"title": title.strip(), "organs": [arrival.organ], "doc_number": None, "serials": [], "source_name": None},
    )  # fmt: skip
    row.status, row.origin = "pending", "self"
    row.copies_received = copies
    row.level_code = row.suggested_level_code = level.code
    row.level_basis = "derivative"
    row.signed_date = today(station.clock).isoformat()
    row.must_review = True
    set_period(row, period)
    for number in range(copies):
        carrier = Carrier(
            id=f"{row.id}-Z{number + 1}", receipt_id=receipt.id, document_id=row.id, type="paper", serial=None,
            holder=actor.person, place=None, state="held",
        )  # fmt: skip
        session.add(carrier)
        session.flush()
        movements.enter(station, session, actor, carrier, "receive")
    return row


def _circle(
    station: Station, session: Session, actor: Actor, row: Document, rows: Sequence[Document]
) -> None:
    """Within the scope of every source that has one (派生国家秘密定密管理暂行办法 art. 7)."""
    circles = [set(circle) for one in rows if (circle := access.circle_of(session, one.id))]
    if not circles:
        return
    common = set.intersection(*circles)
    if not common:
        raise Refused("no_common_circle", documents="、".join(one.id for one in rows))
    session.add_all(
        CircleMember(document_id=row.id, person_id=person, by=actor.person, at=station.now())
        for person in sorted(common)
    )
    session.flush()
