"""Counts that are kept while things move: how many originals and copies stand in a state, by level, holder and day; and
how many movements of a kind there were on a day.

Whatever changes an original, a copy or a document's level through a session of the registry changes the counts in the
same transaction, whoever did it and for what. `recount` counts all rows anew: before the first count of a registry that
has none, and in an audit, which says whether the kept counts agreed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, inspect, select, text
from sqlalchemy.orm import Session

from ...models.tables import Carrier, Copy, Document, Meta, Movement, Tally

_KEY: Final = "tallies.kept"
_FORM: Final = b"2"
"""What is counted; a registry that counted less is counted anew."""
_DAY: Final = 10
"""Letters of a time that say its day."""
_PART: Final = 400
Key = tuple[str, str, str, str, str]
"""Kind, part, name, level, state: as the table's."""

_ADD: Final = text(
    "INSERT INTO tallies (kind, part, name, level_code, state, number) VALUES (:kind, :part, :name, :level, :state,"
    " :number) ON CONFLICT (kind, part, name, level_code, state) DO UPDATE SET number = tallies.number + :number"
)
_COUNTS: Final[Mapping[str, str]] = {
    "holder": """SELECT '{kind}', 'holder', coalesce(t.holder, ''), coalesce(d.level_code, ''), t.{state}, count(*)
        FROM {table} t LEFT JOIN documents d ON d.id = t.document_id GROUP BY 3, 4, 5""",
    "day": """SELECT '{kind}', 'day', substr(m.at, 1, 10), coalesce(d.level_code, ''), t.{state}, count(*)
        FROM movements m JOIN {table} t ON t.id = m.object_id LEFT JOIN documents d ON d.id = t.document_id
        WHERE m.object_kind = '{kind}' AND m.before IS NULL GROUP BY 3, 4, 5""",
}
_TABLES: Final = (("carrier", "carriers", "state"), ("copy", "copies", "status"))
_MOVED: Final = "movement"
_MOVEMENTS: Final = "SELECT act, substr(at, 1, 10), count(*) FROM movements GROUP BY 1, 2"


@dataclass(frozen=True, slots=True)
class _Stand:
    """What counts of an object: its state, its holder, its document."""

    state: str
    holder: str | None
    document: str | None


# ---------------------------------------------------------------- asked


def kept(session: Session) -> bool:
    """Whether this registry's counts were ever begun."""
    row = session.get(Meta, _KEY)
    return row is not None and row.value == _FORM


def counted(
    session: Session, kind: str, *, level: str | None = None, holder: str | None = None,
    since: str | None = None, until: str | None = None,
) -> Counter[str] | None:  # fmt: skip
    """How many objects stand in which state, of a level's code, a holder, or those that entered from one time on and
    before another; None where that is not kept: of a holder within a period.
    """
    wanted = select(Tally.state, func.sum(Tally.number)).where(Tally.kind == kind).group_by(Tally.state)
    if level is not None:
        wanted = wanted.where(Tally.level_code == level)
    if not (since or until):
        wanted = wanted.where(Tally.part == "holder")
        if holder is not None:
            wanted = wanted.where(Tally.name == holder)
        return Counter({state: number for state, number in session.execute(wanted) if number})
    span = _days(since, until)
    if holder is not None or span is None:
        return None
    first, last, edges = span
    wanted = wanted.where(Tally.part == "day")
    wanted = wanted.where(Tally.name >= first) if first else wanted
    wanted = wanted.where(Tally.name < last) if last else wanted
    found = Counter({state: number for state, number in session.execute(wanted) if number})
    for edge in edges:
        found += _entered(session, kind, level, edge)
    return found


def moved(session: Session, *, since: str | None = None, until: str | None = None) -> Counter[str] | None:
    """How many movements there were of each act, from one time on and before another; None where that is not kept."""
    span = _days(since, until) if kept(session) else None
    if span is None:
        return None
    first, last, edges = span
    wanted = select(Tally.state, func.sum(Tally.number)).where(Tally.kind == _MOVED, Tally.part == "day")
    wanted = wanted.where(Tally.name >= first) if first else wanted
    wanted = wanted.where(Tally.name < last) if last else wanted
    found = Counter({act: number for act, number in session.execute(wanted.group_by(Tally.state)) if number})
    for begin, end in edges:
        cut = select(Movement.act, func.count()).where(Movement.at >= begin, Movement.at < end)
        found += Counter(dict(session.execute(cut.group_by(Movement.act)).tuples().all()))
    return found


def _days(since: str | None, until: str | None) -> tuple[str, str, list[tuple[str, str]]] | None:
    """Whole days from one on and before another, and the stretches of days that are cut; None for no times."""
    first, last, edges = since or "", until or "", list[tuple[str, str]]()
    try:
        if len(first) > _DAY:
            first = (date.fromisoformat(first[:_DAY]) + timedelta(days=1)).isoformat()
        if len(last) > _DAY:
            last = date.fromisoformat(last[:_DAY]).isoformat()
    except ValueError:
        return None
    if since and until and first > last:
        return first, first, [(since, until)]
    if since and first != since:
        edges.append((since, first))
    if until and last != until:
        edges.append((last, until))
    return first, last, edges


def _entered(session: Session, kind: str, level: str | None, edge: tuple[str, str]) -> Counter[str]:
    """As `counted`, of what entered within a day, row by row."""
    table, state = (Copy, Copy.status) if kind == "copy" else (Carrier, Carrier.state)
    wanted = (
        select(state, func.count())
        .select_from(Movement)
        .join(table, table.id == Movement.object_id)
        .where(
            Movement.object_kind == kind, Movement.before.is_(None), Movement.at >= edge[0], Movement.at < edge[1]
        )
        .group_by(state)
    )  # fmt: skip
    if level is not None:
        wanted = wanted.join(Document, Document.id == table.document_id).where(Document.level_code == level)
    return Counter(dict(session.execute(wanted).tuples().all()))


def recount(session: Session) -> bool:
    """Counts all rows anew; False where other counts were kept."""
    before = kept(session)
    fresh = Counter[Key]()
    for kind, table, state in _TABLES:
        for statement in _COUNTS.values():
            for *key, number in session.execute(text(statement.format(kind=kind, table=table, state=state))):
                fresh[(key[0], key[1], key[2], key[3], key[4])] = number
    for act, day, number in session.execute(text(_MOVEMENTS)):
        fresh[(_MOVED, "day", day, "", act)] = number
    found = {
        (row.kind, row.part, row.name, row.level_code, row.state): row.number
        for row in session.execute(select(Tally.__table__).where(Tally.number != 0))
    }
    agreed = not before or found == dict(fresh)
    session.execute(delete(Tally))
    _write(session, fresh)
    session.merge(Meta(key=_KEY, value=_FORM))
    return agreed


# ---------------------------------------------------------------- kept


def follow(session: Session, _context: object = None, _instances: object = None) -> None:
    """Before rows are written: the counts are changed by what changes (`before_flush` of a writing session)."""
    changed = [row for row in session.dirty if _moves(row)]
    made = [row for row in session.new if isinstance(row, Carrier | Copy | Movement)]
    gone = [row for row in session.deleted if isinstance(row, Carrier | Copy)]
    if not (changed or made or gone) or not kept(session):
        return
    by = Counter[Key]()
    levels = _Levels(session, [row for row in changed if isinstance(row, Document)])
    things = [row for row in changed if isinstance(row, Carrier | Copy)]
    new = {row.id: row for row in made if isinstance(row, Carrier | Copy)}
    for row in (*things, *gone):
        old = _stood(session, row)
        now = None if row in gone else _stand(row)
        _shift(session, by, _kind(row), row.id, (old, levels.before(old)), (now, levels.now(now)))
    for row in new.values():
        _add(by, _kind(row), ("holder", _stand(row).holder or ""), levels.now(_stand(row)), _stand(row), 1)
    for movement in made:
        if not isinstance(movement, Movement):
            continue
        by[_MOVED, "day", movement.at[:_DAY], "", movement.act] += 1
        if movement.before is None and movement.object_kind in ("carrier", "copy"):
            thing = new.get(movement.object_id) or _known(session, movement)
            if thing is not None:
                stand, day = _stand(thing), ("day", movement.at[:_DAY])
                _add(by, movement.object_kind, day, levels.now(stand), stand, 1)
    handled = {row.id for row in (*things, *gone, *new.values())}
    for kind, name, stand in _of_documents(session, levels.changed):
        if name not in handled:
            _shift(session, by, kind, name, (stand, levels.before(stand)), (stand, levels.now(stand)))
    _write(session, by)


def _moves(row: Any) -> bool:
    """Whether something of it changed that is counted by."""
    match row:
        case Document():
            names: tuple[str, ...] = ("level_code",)
        case Copy():
            names = ("status", "holder", "document_id")
        case Carrier():
            names = ("state", "holder", "document_id")
        case _:
            return False
    return any(inspect(row).attrs[name].history.has_changes() for name in names)


class _Levels:
    """Codes of documents' levels, before what is about to be written and after."""

    def __init__(self, session: Session, rows: Iterable[Document]) -> None:
        self._session = session
        self._new = {row.id: row for row in session.new if isinstance(row, Document)}
        self._old = {
            row.id: session.scalar(select(Document.level_code).where(Document.id == row.id)) for row in rows
        }

    @property
    def changed(self) -> list[str]:
        """Documents whose level changes."""
        return sorted(self._old)

    def before(self, stand: _Stand | None) -> str:
        """As the registry has it."""
        if stand is not None and stand.document in self._old:
            return self._old[stand.document] or ""
        return self.now(stand)

    def now(self, stand: _Stand | None) -> str:
        """As it will be."""
        if stand is None or stand.document is None:
            return ""
        row = self._new.get(stand.document) or self._session.get(Document, stand.document)
        return (row.level_code if row is not None else None) or ""


def _kind(row: Carrier | Copy) -> str:
    return "copy" if isinstance(row, Copy) else "carrier"


def _known(session: Session, movement: Movement) -> Carrier | Copy | None:
    if movement.object_kind == "copy":
        return session.get(Copy, movement.object_id)
    return session.get(Carrier, movement.object_id)


def _stand(row: Carrier | Copy) -> _Stand:
    state = row.status if isinstance(row, Copy) else row.state or "held"
    return _Stand(state, row.holder, row.document_id)


def _stood(session: Session, row: Carrier | Copy) -> _Stand | None:
    """As the registry still has it."""
    table, state = (Copy, Copy.status) if isinstance(row, Copy) else (Carrier, Carrier.state)
    found = session.execute(select(state, table.holder, table.document_id).where(table.id == row.id)).first()
    return _Stand(*found) if found is not None else None


def _of_documents(session: Session, documents: list[str]) -> Iterator[tuple[str, str, _Stand]]:
    """What these documents' originals and copies are in the registry."""
    for start in range(0, len(documents), _PART):
        part = documents[start : start + _PART]
        for kind, table, state in (("carrier", Carrier, Carrier.state), ("copy", Copy, Copy.status)):
            rows = session.execute(
                select(table.id, state, table.holder, table.document_id).where(table.document_id.in_(part))
            )
            for name, stands_in, holder, document in rows:
                yield kind, name, _Stand(stands_in, holder, document)


def _shift(
    session: Session, by: Counter[Key], kind: str, name: str, old: tuple[_Stand | None, str],
    new: tuple[_Stand | None, str],
) -> None:  # fmt: skip
    """From one stand to another, in both parts."""
    entered = session.scalars(
        select(Movement.at).where(
            Movement.object_id == name, Movement.object_kind == kind, Movement.before.is_(None)
        )
    ).all()
    for (stand, level), sign in ((old, -1), (new, 1)):
        if stand is not None:
            _add(by, kind, ("holder", stand.holder or ""), level, stand, sign)
            for at in entered:
                _add(by, kind, ("day", at[:_DAY]), level, stand, sign)


def _add(by: Counter[Key], kind: str, part: tuple[str, str], level: str, stand: _Stand, number: int) -> None:
    by[kind, part[0], part[1], level, stand.state] += number


def _write(session: Session, by: Mapping[Key, int]) -> None:
    rows = [
        {**dict(zip(("kind", "part", "name", "level", "state"), key, strict=True)), "number": number}
        for key, number in by.items()
        if number
    ]
    if rows:
        session.connection().execute(_ADD, rows)
