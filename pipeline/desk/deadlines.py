"""What the terms of documents ask for, and by when: one list of clocks, each with its day, role, and what is next.

Worked out anew from the register each time; nothing is written down for it, and nothing happens because of it: a
secrecy period ends by itself (保密法 art. 24), a retention's end is for the archivist (档案法实施条例 art. 24).

    secrecy_ask      the determiner is to be asked whether to extend (policy `ask_determiner`)
    secrecy_end      the last days before it ends by itself
    secrecy_stamp    it has ended: 解密 is to be stamped on the paper
    secrecy_review   it has ended where the policy has a person look (工作秘密)
    condition_review a period without a date is looked at (policy `condition_based`)
    retention_event  whether what the retention's years wait for has happened
    retention_asked  importance or origin, which the archivist has not settled
    retention_end    the retention has ended: to be appraised, then proposed for destruction
    archive          handling has ended: to be filed (000-D§10, 001-A§3, 002-B§2.5, as the unit chose)
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import islice
from math import gcd
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.paging import PAGE, cut
from ...models.level import Family, Level
from ...models.period import next_turn
from ...models.policy.choices import destroy_from
from ...models.tables import (
    AWAITED,
    TERM_OPEN,
    UNFILED,
    Document,
    Event,
    Timer,
)
from ...models.turns import day_of, month_of
from ..levels import level_expiry
from ..levels.periods import parse_period
from ..levels.terms import received_on, retention_term, secrecy_state, secrecy_term, term_in_force
from ..persons import access
from ..persons.actors import Actor
from ..station.station import Station
from . import cycles, lateness, timers
from .handling import archive_by, handling_ended, last_handled

_KEPT = ("registered", "archived")
_MONTH = 27
"""Days after which every day of the month has come."""
_TERMS = frozenset(
    {
        "secrecy_ask", "secrecy_end", "secrecy_stamp", "secrecy_review", "condition_review", "retention_event",
        "retention_asked", "retention_end", "archive",
    }
)  # fmt: skip
_TWO_YEARS = 731
_PART = 400
"""Documents in one question: what every database takes."""
_WAITING = 1000
"""Papers that wait to be filed of which it is asked at once when handling ended."""
_FILING = ("archive", "retention_asked")


def due(
    station: Station, actor: Actor, *, on: date | None = None, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """Every clock of the room that ends by a day (today when none is named), the earliest first.

    Documents outside the actor's sight are left out, as in the register; items carry numbers, never words.
    `limit`: only the earliest so many; `after`: of those behind this one (`next` of the page before: its day, kind and
    number). `calendar_unknown`: years until then whose holidays the policy lacks;
    `holidays_unknown`: holidays before which something falls due, and whose days it lacks.
    """
    until = on or today(station.clock)
    with station.write() as session:
        lateness.open_late(station, session)
    with station.read() as session:
        behind = (*after.split("/", 2),) if after else ()
        among = _known(actor, Timer.document_id)
        known = set(timers.known_until(station, session, until, clocks=_TERMS, among=among))
        items = [
            {"role": None, **timers.due_item(station, timer)}
            for timer in timers.first_until(
                station, session, until, among=among, limit=limit + 1, after=behind
            )
        ]
        items += [one for one in cycles.items(station, session, until) if _place(one) > behind]
        terms = items_until(
            station, session, until, among=access.visible(actor), limit=limit + 1 + len(known), after=behind
        )
        items += [one for one in terms if (one["kind"], one["document"]) not in known]
        items, rest = cut(sorted(items, key=_place), limit, lambda one: "/".join(_place(one)))
    with station.write() as session:
        station.log(
            session, "due.list", person=actor.person, account=actor.user,
            facts={"on": until.isoformat(), "items": len(items)},
        )  # fmt: skip
    now = today(station.clock)
    unknown = station.policy.calendar.unknown_years(min(now, until), max(now, until))
    return {
        "on": until.isoformat(), "items": items, "calendar_unknown": list(unknown),
        "holidays_unknown": list(cycles.unknown(station, until)), **rest,
    }  # fmt: skip


def _place(item: dict[str, Any]) -> tuple[str, ...]:
    """Where it stands in the list."""
    return item["due"], item["kind"], item["id"]


def items_until(
    station: Station,
    session: Session,
    until: date,
    *,
    among: ColumnElement[bool] | None = None,
    limit: int | None = None,
    after: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """What the terms of confirmed documents ask for by a day; with `limit` only the earliest so many behind `after`.

    Only rows that can ask something by then are read, each kind of clock by its own index; a day of a clock is worked
    out from the row alone. With `limit` no more than that is in memory, however far the day is.
    """
    page = _Page(limit)

    def wanted() -> Iterator[dict[str, Any]]:
        for one in _items(station, session, until, among, limit, after, page):
            if date.fromisoformat(one["due"]) <= until and _place(one) > after:
                page.add(one["due"])
                yield one

    return list(wanted()) if limit is None else heapq.nsmallest(limit, wanted(), key=_place)


@dataclass(slots=True)
class _Page:
    """The days of the page so far: what is due later than all of them is not looked for once they are enough."""

    limit: int | None
    _days: list[str] = field(default_factory=list)

    def add(self, day: str) -> None:
        """One more that belongs on it."""
        if self.limit is not None:
            insort(self._days, day)
            del self._days[max(self.limit, 1) :]

    def is_full(self, day: str) -> bool:
        """Whether nothing of this day, or a later one, has a place on it."""
        return self.limit is not None and len(self._days) >= max(self.limit, 1) and day > self._days[-1]


def _items(
    station: Station, session: Session, until: date, among: ColumnElement[bool] | None, limit: int | None,
    after: tuple[str, ...], page: _Page,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    kept = select(Document).where(Document.confirmed.is_(True), Document.status.in_(_KEPT))
    if among is not None:
        kept = kept.where(among)
    yield from _dated(station, session, kept, until, limit, after, page)
    yield from _ending(station, session, kept, until, limit, after, page)
    months = station.policy.periods.condition_review_months
    size = _PART if limit is None else min(limit + 1, _PART)
    for kind, ask in (("condition_review", _undated), ("retention_event", _awaited)):
        asked = partial(ask, station, session, kept, months, size)
        yield from _by_turns(station, until, limit, after, page, kind, asked)
    yield from _to_file(station, session, kept, until, limit, after, page)


def _by_turns(
    station: Station, until: date, limit: int | None, after: tuple[str, ...], page: _Page, kind: str,
    ask: Callable[[date, date], Iterator[dict[str, Any]]],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What comes round again every so many months and has its turn by a day, some days after the others: those of
    later ones are not looked at once enough is due, nor on one day those behind enough of this kind, which come in the
    order of numbers and before other kinds. Nothing of it is due before today.
    """
    first = now = today(station.clock)
    if after and after[0] > now.isoformat():
        first = date.fromisoformat(after[0])
    found, days = 0, 1
    while first <= until and not page.is_full(first.isoformat()):
        last = min(first + timedelta(days=days - 1), until)
        for one in ask(first, last):
            # rows whose day of the month may match are looked at, which may have their turn on another day
            if first.isoformat() <= one["due"] <= last.isoformat():
                found += _place(one) > after and (one["kind"] == kind or first < last)
                yield one
            if limit is not None and found >= limit and first == last:
                return
        if limit is not None and found >= limit:
            break
        first, days = last + timedelta(days=1), min(2 * days, _MONTH - 1)


def _undated(
    station: Station, session: Session, kept: Select[Any], months: int, size: int, first: date, last: date
) -> Iterator[dict[str, Any]]:
    """What secrecy terms without an end ask for between two days."""
    wanted = select(Document.id).where(TERM_OPEN, _turns(first, last, months)(Document.secrecy_from))
    for rows in _by_parts(session, kept.where(Document.id.in_(wanted)).order_by(Document.id), size):
        changed = _changed(session, [row.id for row in rows])
        for row in rows:
            yield from _secrecy(station, session, row, changed)


def _awaited(
    station: Station, session: Session, kept: Select[Any], months: int, size: int, first: date, last: date
) -> Iterator[dict[str, Any]]:
    """Whether what retention waits for has happened: what is asked between two days."""
    turn = _turns(first, last, months)
    wanted = select(Document.id).where(
        AWAITED, turn(func.coalesce(Document.signed_date, Document.received_at))
    )
    for rows in _by_parts(session, kept.where(Document.id.in_(wanted)).order_by(Document.id), size):
        for row in rows:
            yield from (one for one in _retention(station, row, None) if one["kind"] == "retention_event")


def _by_parts(session: Session, wanted: Select[Any], size: int) -> Iterator[Sequence[Document]]:
    """These rows, so many in memory at once."""
    return session.scalars(wanted.execution_options(yield_per=size)).partitions()


def _dated(
    station: Station, session: Session, kept: Select[Any], until: date, limit: int | None, after: tuple[str, ...],
    page: _Page,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What secrecy terms with an end ask for: on the last day, and so many days before, whether to extend.

    Both are read by the ends, each from where the page begins, so that a page behind others reads no more than they.
    """
    periods, size = station.policy.periods, _PART if limit is None else min(max(limit, 1), _PART)
    ask = timedelta(days=periods.ask_days)
    no_secrets = [level.code for level in Level if level.family in (Family.INTERNAL, Family.PUBLIC)]
    reviewed = [level.code for level in Level if periods.expiry.get(level.family) == "review"]
    wanted = kept.where(
        Document.level_code.not_in(no_secrets),
        or_(Document.declassified_mark_on.is_(None), Document.level_code.in_(reviewed)),
    ).order_by(Document.secrecy_until)
    ends = wanted.where(Document.secrecy_until <= until.isoformat())
    # what has ended is not extended
    now = today(station.clock).isoformat()
    asks = wanted.where(Document.secrecy_until <= (until + ask).isoformat())
    if after:
        since = date.fromisoformat(after[0])
        ends = ends.where(Document.secrecy_until >= after[0])
        # a term that is shorter than the days before its end is asked about when it begins
        asks = asks.where(
            Document.secrecy_until >= max(now, after[0]),
            or_(
                Document.secrecy_until >= (since + ask).isoformat(),
                Document.secrecy_from >= (since - ask).isoformat(),
            ),
        )
    else:
        asks = asks.where(Document.secrecy_until >= now)
    for asked, query, before in ((False, ends, timedelta()), (True, asks, ask)):
        for rows in _by_parts(session, query, size):
            if page.is_full((date.fromisoformat(rows[0].secrecy_until or "") - before).isoformat()):
                break
            changed = _changed(session, [row.id for row in rows])
            for row in rows:
                for one in _secrecy(station, session, row, changed):
                    if (one["kind"] == "secrecy_ask") is asked:
                        yield one


def _ending(
    station: Station, session: Session, kept: Select[Any], until: date, limit: int | None, after: tuple[str, ...],
    page: _Page,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What the end of retention asks. Rows are read by their ends: nothing is asked before."""
    ends = kept.where(Document.retention_until <= until.isoformat())
    ends = ends.order_by(Document.retention_until, Document.id)
    fresh, seen = ends.where(Document.appraised_at.is_(None)), ends.where(Document.appraised_at.is_not(None))
    if after:
        # of those that nobody appraised the day is the end itself: they are listed as they are read
        day, kind, name = (*after, "", "")[:3]
        behind = Document.retention_until > day
        if kind <= "retention_end":
            later = Document.id > name if kind == "retention_end" else true()
            behind = or_(behind, and_(Document.retention_until == day, later))
        # the first condition is the one the index can start from
        fresh = fresh.where(Document.retention_until >= day, behind)
        # a paper without worth goes with the next year's round at the latest
        seen = seen.where(
            Document.retention_until >= (date.fromisoformat(day) - timedelta(days=_TWO_YEARS)).isoformat()
        )
    for query in (fresh, seen):
        found = 0
        for rows in _by_parts(session, query, _PART if limit is None else min(limit + 1, _PART)):
            if page.is_full(rows[0].retention_until or ""):
                break
            # what later rows ask for when their years end stands behind this
            least = (rows[-1].retention_until or "", "retention_end", rows[-1].id)
            for row in rows:
                for one in _retention(station, row, None):
                    if one["kind"] == "retention_end":
                        found += after < _place(one) <= least
                        yield one
            if limit is not None and found >= limit:
                break


def _to_file(
    station: Station, session: Session, kept: Select[Any], until: date, limit: int | None, after: tuple[str, ...],
    page: _Page,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What is to be filed, and which retention the archivist has to settle by then: the rows themselves are read only
    of those whose turn it is.
    """
    turns = _filing(station, session, kept, until, after[:1], page)
    size, found = _PART if limit is None else min(limit + 1, _PART), 0
    while part := list(islice(turns, size)):
        names = [name for _, name, _ in part]
        rows = {row.id: row for row in session.scalars(kept.where(Document.id.in_(names)))}
        # what is behind these is to be filed later, and a retention is settled after that in the order of kinds
        least = (part[-1][0], "archive", part[-1][1])
        for _, name, ended in part:
            for one in _retention(station, rows[name], ended):
                if one["kind"] in _FILING:
                    found += after < _place(one) <= least
                    yield one
        if limit is not None and found >= limit:
            break


def _filing(
    station: Station, session: Session, kept: Select[Any], until: date, since: tuple[str, ...], page: _Page
) -> Iterator[tuple[str, str, date]]:
    """By when what waits is to be filed, from a day on, its number, and when handling it ended; in this order.

    When handling ended is asked of the papers as they came: it ends no sooner than a paper comes, so that what came
    later is to be filed no sooner than these came.
    """
    last, by = last_handled(station.policy, until), dict[date, str]()

    def turn(day: date) -> str:
        return by.get(day) or by.setdefault(day, archive_by(station.policy, day).isoformat())

    # nothing was handled later than now
    if (turn(today(station.clock) + timedelta(days=1)),) < since:
        return
    waiting = kept.with_only_columns(Document.id, Document.received_at).where(
        UNFILED, Document.received_at < (last + timedelta(days=1)).isoformat()
    )
    asked = waiting.order_by(Document.received_at, Document.id).execution_options(yield_per=_WAITING)
    ahead: list[tuple[str, str, date]] = []
    for rows in session.execute(asked).partitions():
        if page.is_full(turn(date.fromisoformat(rows[0].received_at[:10]))):
            break
        for name, day in handling_ended(session, [row.id for row in rows]).items():
            if day <= last and (turn(day),) >= since:
                heapq.heappush(ahead, (turn(day), name, day))
        settled = turn(date.fromisoformat(rows[-1].received_at[:10]))
        while ahead and ahead[0][0] < settled and not page.is_full(ahead[0][0]):
            yield heapq.heappop(ahead)
    while ahead and not page.is_full(ahead[0][0]):
        yield heapq.heappop(ahead)


def _turns(first: date, last: date, months: int) -> Callable[[Any], ColumnElement[bool]]:
    """Whether what starts on a day and comes round every so many months may have a turn between two days.

    One of their days of the month, or one that a short month lacks, in a month that so many months lead to.
    """
    if (last - first).days >= _MONTH:
        return lambda column: column.is_not(None)
    days = {first + timedelta(days=step) for step in range((last - first).days + 1)}
    numbers = {f"{day.day:02d}" for day in days}
    if any((day + timedelta(days=1)).day == 1 for day in days):
        numbers |= {"29", "30", "31"}
    step = gcd(months, 12)
    start = {f"{month:02d}" for month in range(1, 13) for day in days if (day.month - month) % step == 0}
    return lambda column: and_(day_of(column).in_(sorted(numbers)), month_of(column).in_(sorted(start)))


# ---------------------------------------------------------------- the two terms


def _changed(session: Session, documents: Sequence[str]) -> set[str]:
    """Those of these documents whose secrecy term somebody changed, or decided to let lapse."""
    found: set[str] = set()
    for start in range(0, len(documents), _PART):
        part = documents[start : start + _PART]
        found |= set(
            session.scalars(
                select(Event.document_id).where(
                    Event.document_id.in_(part), Event.what.in_(("term", level_expiry.WHAT))
                )
            )
        )
    return found


def _secrecy(
    station: Station, session: Session, row: Document, changed: Collection[str]
) -> Iterator[dict[str, Any]]:
    level = Level.parse(row.level_code) if row.level_code else None
    if not row.period or level is None or level.family in (Family.INTERNAL, Family.PUBLIC):
        return
    known = row.id not in changed
    term = secrecy_term(row, parse_period(row.period)) if known else term_in_force(station, session, row)
    if term is None:
        return
    now, periods = today(station.clock), station.policy.periods
    ends = term.ends
    match secrecy_state(station, level, term):
        case "open" if term.starts is not None:
            day = next_turn(term.starts, periods.condition_review_months, now)
            yield _item(station, row, "condition_review", day, "determiner", "review_condition")
        case "running" if ends is not None:
            asked = term.ask_by(periods.ask_days)
            lapses = row.id in changed and level_expiry.let_lapse(station, session, row)
            if asked is not None and not lapses:
                yield _item(station, row, "secrecy_ask", asked, "determiner", "decide_extension")
            yield _item(station, row, "secrecy_end", ends, "jiyao_clerk", "ends_by_itself")
        case "ended" if ends is not None and row.declassified_mark_on is None:
            yield _item(station, row, "secrecy_stamp", ends, "jiyao_clerk", "stamp_declassified")
        case "to_review" if ends is not None:
            yield _item(station, row, "secrecy_review", ends, "determiner", "review_level")


def _retention(station: Station, row: Document, finished: date | None) -> Iterator[dict[str, Any]]:
    term = retention_term(row)
    filed_by = archive_by(station.policy, finished) if finished is not None else None
    if row.retention_open and filed_by is not None:
        yield _item(station, row, "retention_asked", filed_by, "archivist", "settle_retention")
    if term is None:
        return
    state = term.state(today(station.clock))
    if row.archived_at is None and filed_by is not None and state != "not_filed":
        yield _item(station, row, "archive", filed_by, "archivist", "archive")
    if term.ends is not None:
        if _is_appraised(row):
            day = destroy_from(term.ends, station.policy.choices)
            yield _item(station, row, "retention_end", day, "archivist", "propose_destruction")
        else:
            yield _item(station, row, "retention_end", term.ends, "archivist", "appraise")
    elif state == "waiting":
        months = station.policy.periods.condition_review_months
        day = next_turn(term.document_day or received_on(row), months, today(station.clock))
        yield _item(station, row, "retention_event", day, "archivist", "ask_whether_happened")


def _is_appraised(row: Document) -> bool:
    return row.appraised_at is not None and row.appraised_at[:10] >= (row.retention_until or "")


def _item(station: Station, row: Document, kind: str, day: date, role: str, action: str) -> dict[str, Any]:
    return {
        "kind": kind, "id": row.id, "document": row.id, "due": day.isoformat(), "due_at": None,
        "days": (day - today(station.clock)) // timedelta(days=1), "holder": None, "role": role,
        "action": action,
    }  # fmt: skip


def _known(actor: Actor, column: Any) -> ColumnElement[bool]:
    return or_(column.is_(None), access.visible(actor, column=column))
