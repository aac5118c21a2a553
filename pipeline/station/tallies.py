"""Counts that are kept while things change: how many originals and copies stand in a state, by level, holder and day of
entry; and how many movements, documents, receipts, matters and clocks there are of a kind, by day. Days also by month,
so that years are few numbers. `counts.py` asks them.

Whatever changes such a row through a session of the registry changes the counts in the same transaction, whoever did it
and for what. `recount` counts all rows anew: when a station is founded, before the first count of a registry that has
none, and in an audit, which says whether the kept counts agreed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, delete, func, inspect, literal_column, select, text
from sqlalchemy.orm import Session

from ...models.tables import Carrier, Copy, Document, Matter, Meta, Movement, Receipt, Tally, Timer

_KEY: Final = "tallies.kept"
_FORM: Final = b"3"
"""What is counted; a registry that counted less is counted anew."""
DAY: Final = 10
"""Letters of a time that say its day."""
MONTH: Final = 7
"""Letters of a time that say its month."""
_PART: Final = 400
Key = tuple[str, str, str, str, str]
"""Kind, part, name, level, state: as the table's."""


def word(values: Sequence[str | None]) -> str:
    """What the columns say, as the count has it."""
    return "/".join(value or "" for value in values)


@dataclass(frozen=True, slots=True)
class Dated:
    """A kind of rows that is counted by the day of a time of theirs, by what these columns say, and by level."""

    kind: str
    table: Any
    at: str
    said: tuple[str, ...] = ()
    level: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: time, level where there is one, and what else is said."""
        return (self.at, *((self.level,) if self.level else ()), *self.said)

    def key(self, values: Sequence[str | None]) -> Key:
        """What a row with these columns counts for, on its day."""
        at, *said = values
        level = said.pop(0) if self.level else ""
        return self.kind, "day", (at or "")[:DAY], level or "", word(said)

    @property
    def time(self) -> Column[str]:
        """The column of the time."""
        return self.column(self.at)

    def column(self, name: str) -> Column[str]:
        """A column by its name."""
        found: Column[str] = self.table.__table__.c[name]
        return found


DATED: Final = {
    one.kind: one
    for one in (
        Dated("movement", Movement, "at", ("act",)),
        Dated("document", Document, "received_at", ("status",), "level_code"),
        Dated("receipt", Receipt, "at"),
        Dated("matter", Matter, "opened_at", ("kind",)),
        Dated("timer", Timer, "due", ("state", "clock")),
    )
}
_BY_TABLE: Final[Mapping[type, Dated]] = {one.table: one for one in DATED.values()}

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


@dataclass(frozen=True, slots=True)
class _Stand:
    """What counts of an object: its state, its holder, its document."""

    state: str
    holder: str | None
    document: str | None


def kept(session: Session) -> bool:
    """Whether this registry's counts were ever begun."""
    row = session.get(Meta, _KEY)
    return row is not None and row.value == _FORM


def recount(session: Session) -> bool:
    """Counts all rows anew; False where other counts were kept."""
    before = kept(session)
    fresh = Counter[Key]()
    for kind, table, state in _TABLES:
        for statement in _COUNTS.values():
            for *key, number in session.execute(text(statement.format(kind=kind, table=table, state=state))):
                _count(fresh, (key[0], key[1], key[2], key[3], key[4]), number)
    for one in DATED.values():
        # not as values: a server takes two of the same for different expressions
        day = func.substr(one.time, literal_column("1"), literal_column(str(DAY)))
        by = (day, *(one.column(name) for name in one.names[1:]))
        for number, *values in session.execute(select(func.count(), *by).group_by(*by)):
            _count(fresh, one.key(values), number)
    found = {
        (row.kind, row.part, row.name, row.level_code, row.state): row.number
        for row in session.execute(select(Tally.__table__).where(Tally.number != 0))
    }
    agreed = not before or found == dict(fresh)
    session.execute(delete(Tally))
    _write(session, fresh)
    session.merge(Meta(key=_KEY, value=_FORM))
    return agreed


def follow(session: Session, _context: object = None, _instances: object = None) -> None:
    """Before rows are written: the counts are changed by what changes (`before_flush` of a writing session)."""
    changed = [row for row in session.dirty if _changes(row, _COUNTED.get(type(row), ()))]
    made = [row for row in session.new if type(row) in _COUNTED]
    gone = [row for row in session.deleted if type(row) in _COUNTED]
    if not (changed or made or gone) or not kept(session):
        return
    by = Counter[Key]()
    _follow_dated(session, by, changed, made, gone)
    _follow_things(session, by, changed, made, gone)
    _write(session, by)


_COUNTED: Final[Mapping[type, tuple[str, ...]]] = {
    **{one.table: one.names for one in DATED.values()},
    Copy: ("status", "holder", "document_id"),
    Carrier: ("state", "holder", "document_id"),
}
"""Tables whose rows are counted, and by which of their columns."""


def _changes(row: Any, names: Iterable[str]) -> bool:
    """Whether something of it changed that is counted by."""
    return any(inspect(row).attrs[name].history.has_changes() for name in names)


# ---------------------------------------------------------------- rows with a time


def _follow_dated(
    session: Session, by: Counter[Key], changed: Iterable[Any], made: Iterable[Any], gone: Iterable[Any]
) -> None:
    for row in (*made, *changed):
        one = _BY_TABLE.get(type(row))
        if one is not None:
            _count(by, one.key([_now(row, name) for name in one.names]), 1)
    for row in (*changed, *gone):
        one = _BY_TABLE.get(type(row))
        if one is not None:
            _count(by, one.key(_was(session, row, one.names)), -1)


def _now(row: Any, name: str) -> str | None:
    """A column as it will be written: what nobody said is the table's own word for it."""
    value: str | None = getattr(row, name)
    usual = row.__table__.c[name].default
    return str(usual.arg) if value is None and usual is not None else value


def _was(session: Session, row: Any, names: Sequence[str]) -> list[str | None]:
    """Columns as the registry still has them."""
    found = []
    for name in names:
        history = inspect(row).attrs[name].history
        if not (history.deleted or history.unchanged):
            columns = [row.__table__.c[one] for one in names]
            return list(session.execute(select(*columns).where(row.__table__.c.id == row.id)).one())
        found.append((history.deleted or history.unchanged)[0])
    return found


# ---------------------------------------------------------------- originals and copies


def _follow_things(
    session: Session, by: Counter[Key], changed: Iterable[Any], made: Iterable[Any], gone: Iterable[Any]
) -> None:
    levels = _Levels(
        session, [row for row in changed if isinstance(row, Document) and _changes(row, ("level_code",))]
    )
    things = [row for row in changed if isinstance(row, Carrier | Copy)]
    lost = [row for row in gone if isinstance(row, Carrier | Copy)]
    new = {row.id: row for row in made if isinstance(row, Carrier | Copy)}
    for row in (*things, *lost):
        old = _stood(session, row)
        now = None if row in lost else _stand(row)
        _shift(session, by, _kind(row), row.id, (old, levels.before(old)), (now, levels.now(now)))
    for row in new.values():
        _add(by, _kind(row), ("holder", _stand(row).holder or ""), levels.now(_stand(row)), _stand(row), 1)
    for movement in made:
        if not isinstance(movement, Movement):
            continue
        if movement.before is None and movement.object_kind in ("carrier", "copy"):
            thing = new.get(movement.object_id) or _known(session, movement)
            if thing is not None:
                stand, day = _stand(thing), ("day", movement.at[:DAY])
                _add(by, movement.object_kind, day, levels.now(stand), stand, 1)
    handled = {row.id for row in (*things, *lost, *new.values())}
    for kind, name, stand in _of_documents(session, levels.changed):
        if name not in handled:
            _shift(session, by, kind, name, (stand, levels.before(stand)), (stand, levels.now(stand)))


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
    """From one stand to another, in all parts."""
    entered = session.scalars(
        select(Movement.at).where(
            Movement.object_id == name, Movement.object_kind == kind, Movement.before.is_(None)
        )
    ).all()
    for (stand, level), sign in ((old, -1), (new, 1)):
        if stand is not None:
            _add(by, kind, ("holder", stand.holder or ""), level, stand, sign)
            for at in entered:
                _add(by, kind, ("day", at[:DAY]), level, stand, sign)


def _add(by: Counter[Key], kind: str, part: tuple[str, str], level: str, stand: _Stand, number: int) -> None:
    _count(by, (kind, *part, level, stand.state), number)


# ---------------------------------------------------------------- written


def _count(by: Counter[Key], key: Key, number: int) -> None:
    """A day counts for its month too."""
    by[key] += number
    kind, part, name, level, state = key
    if part == "day":
        by[kind, "month", name[:MONTH], level, state] += number


def _write(session: Session, by: Mapping[Key, int]) -> None:
    rows = [
        {**dict(zip(("kind", "part", "name", "level", "state"), key, strict=True)), "number": number}
        for key, number in by.items()
        if number
    ]
    if rows:
        session.connection().execute(_ADD, rows)
