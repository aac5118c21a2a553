"""What a register looks at, and how it turns pages.

Lines are read in the order of an index and continue after a line's key, so that a page costs the same at the front and
at the back of the book. Words of a paper show only where the reader's clearance reaches it; where the paper itself must
not show, its line is left out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...common.errors import UsageFault
from ...common.messages import catalogue, say
from ...models.level import Level
from ...models.tables import CircleMember, Copy, Document, Matter, MatterStep, Movement, Person
from ..desk import matters
from ..papers.documents import level_name, words_of
from ..persons import access, people
from ..persons.actors import Actor
from ..station.station import Station

Cell = str | int | None
_CHUNK = 500
_BLOCK = 100
_KEPT = 5000
"""Papers remembered while lines are made: a paper's lines stand near each other."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `key`: after which the next page goes on."""

    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which lines are wanted. Days are inclusive; `after` is the key of the last line of the page before."""

    since: date | None = None
    until: date | None = None
    department: str | None = None
    after: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and its share of the sheet's width."""

    head: str
    share: float = 2.0


class Sums(Protocol):
    """What is added up while lines go by."""

    def add(self, line: Line) -> None:
        """One more line."""

    def lines(self) -> list[Line]:
        """The sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register. `sums` are lines below a whole print, worked out from its own lines."""

    title: str
    columns: tuple[Column, ...]
    lines: Callable[[Look], Iterator[Line]]
    sums: Callable[[], Sums] | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as registers show it; without words where the reader may not see them."""

    row: Document
    words: dict[str, Any]
    level: str

    @property
    def title(self) -> str:
        """标题."""
        return str(self.words.get("title") or "")

    @property
    def number(self) -> str:
        """发文字号."""
        return str(self.words.get("doc_number") or "")

    @property
    def organ(self) -> str:
        """发文机关."""
        return "、".join(self.words.get("organs") or ())


@dataclass(slots=True, kw_only=True)
class Look:
    """One reading of a register."""

    station: Station
    session: Session
    actor: Actor
    scope: Scope = field(default_factory=Scope)
    levels: dict[str, Level] = field(default_factory=dict)
    """The secrets whose words were shown, and what they are protected as: as many as it takes to know whether they are
    too many at once.
    """
    _names: dict[str, str] = field(default_factory=dict)
    _departments: dict[str, str] = field(default_factory=dict)
    _papers: dict[str, Paper | None] = field(default_factory=dict)
    _members: frozenset[str] | None = None
    _persons: list[Person] = field(default_factory=list)
    """All of them, held so that the session has them at hand: a room knows some hundred."""

    # ------------------------------------------------------------ turning pages

    def pages(
        self,
        wanted: Select[Any],
        *,
        at: InstrumentedAttribute[str],
        key: InstrumentedAttribute[Any],
    ) -> Iterator[Any]:
        """The rows in the order of `at`, then `key`, from where the scope says and within its period.

        Raises:
            UsageFault: `register_key`, there is no line of that key.
        """
        for rows in self.chunks(wanted, at=at, key=key):
            yield from rows

    def merged(
        self,
        wanted: Select[Any],
        column: InstrumentedAttribute[Any],
        values: Sequence[str],
        *,
        at: InstrumentedAttribute[str],
        key: InstrumentedAttribute[Any],
    ) -> Iterator[Any]:
        """As `pages`, of rows with any of these values: each value's rows come off its own stretch of the index, so
        that rare ones are not searched for among all the others.
        """
        streams = [self.pages(wanted.where(column == value), at=at, key=key) for value in values]
        rows = heapq.merge(*streams, key=lambda row: (getattr(row, at.key), getattr(row, key.key)))
        return islice(rows, self.scope.limit)

    def chunks(
        self,
        wanted: Select[Any],
        *,
        at: InstrumentedAttribute[str],
        key: InstrumentedAttribute[Any],
    ) -> Iterator[Sequence[Any]]:
        """As `pages`, some hundred rows at a time; their documents are read with them."""
        first, last = self.period
        if first:
            wanted = wanted.where(at >= first)
        if last:
            wanted = wanted.where(at < last)
        wanted = wanted.order_by(at, key)
        after, left = self._anchor(at, key), self.scope.limit
        while left is None or left > 0:
            here = wanted
            if after is not None:
                # the first condition is the one the index can start from
                here = here.where(at >= after[0], or_(at > after[0], key > after[1]))
            size = _CHUNK if left is None else min(_CHUNK, left)
            rows = self.session.scalars(here.limit(size)).all()
            # held while their lines are made, so that the session has them at hand
            kept = self._documents_of(rows)
            yield rows
            del kept
            if len(rows) < size:
                return
            after = (getattr(rows[-1], at.key), getattr(rows[-1], key.key))
            left = None if left is None else left - len(rows)

    def blocks(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        """These rows some at a time, for what is read beside them; their documents are at hand meanwhile."""
        while block := list(islice(rows, _BLOCK)):
            kept = self._documents_of(block)
            yield block
            del kept

    def _documents_of(self, rows: Sequence[Any]) -> Sequence[Document]:
        documents = sorted({row.document_id for row in rows if getattr(row, "document_id", None)})
        if not documents:
            return []
        return self.session.scalars(select(Document).where(Document.id.in_(documents))).all()

    def _anchor(
        self, at: InstrumentedAttribute[str], key: InstrumentedAttribute[Any]
    ) -> tuple[Any, Any] | None:
        if self.scope.after is None:
            return None
        name: Any = self.scope.after
        if key.type.python_type is int:
            name = int(name) if name.isascii() and name.isdigit() else -1
        found = self.session.execute(select(at, key).where(key == name)).first()
        if found is None:
            raise UsageFault("register_key", key=self.scope.after)
        return found[0], found[1]

    @property
    def period(self) -> tuple[str | None, str | None]:
        """Bounds for times: from the first, before the second."""
        first = self.scope.since.isoformat() if self.scope.since else None
        last = (self.scope.until + timedelta(days=1)).isoformat() if self.scope.until else None
        return first, last

    @property
    def too_many(self) -> bool:
        """Whether more secrets were shown than go without an approval."""
        return len(self.levels) > self.station.policy.reading.bulk_rows

    # ------------------------------------------------------------ persons and departments

    @property
    def members(self) -> frozenset[str] | None:
        """The persons of the scope's department; None where none is asked for.

        Raises:
            UsageFault: `no_department`, nobody is of it.
        """
        if self.scope.department is None:
            return None
        if self._members is None:
            self._know_persons()
            self._members = frozenset(
                person
                for person in self.session.scalars(select(Person.id))
                if people.department_of(self.station, self.session, person) == self.scope.department
            )
            if not self._members:
                raise UsageFault("no_department", department=self.scope.department)
        return self._members

    def of_department(self, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Rows in which one of these persons is of the scope's department; all without a department."""
        if self.members is None:
            return and_(True)
        return or_(*(column.in_(sorted(self.members)) for column in columns))

    def handled_by_department(self) -> ColumnElement[bool]:
        """Documents that somebody of the department had in hand, is to read, or had a step to do with."""
        if self.members is None:
            return and_(True)
        persons = sorted(self.members)
        return or_(
            *(
                select(column).where(column == Document.id, of.in_(persons)).exists()
                for column, of in (
                    (Movement.document_id, Movement.taker),
                    (Copy.document_id, Copy.recipient),
                    (CircleMember.document_id, CircleMember.person_id),
                )
            ),
            select(MatterStep.id)
            .join(Matter, Matter.id == MatterStep.matter_id)
            .where(Matter.document_id == Document.id, MatterStep.person.in_(persons))
            .exists(),
        )

    def name(self, person: str | None) -> str:
        """A person's name; what is no person's id stays as it is."""
        if not person:
            return ""
        self._know_persons()
        if person not in self._names:
            known = self.session.get(Person, person) is not None
            self._names[person] = people.name_of(self.station, self.session, person) if known else person
        return self._names[person]

    def _know_persons(self) -> None:
        if not self._persons:
            self._persons = list(self.session.scalars(select(Person)))

    def department(self, person: str | None) -> str:
        """A person's department."""
        if not person:
            return ""
        self._know_persons()
        if person not in self._departments:
            known = self.session.get(Person, person) is not None
            found = people.department_of(self.station, self.session, person) if known else None
            self._departments[person] = found or ""
        return self._departments[person]

    # ------------------------------------------------------------ papers and their words

    def shown(self, column: Any = Document.id) -> ColumnElement[bool]:
        """Only lines of documents that the reader may know of."""
        return or_(column.is_(None), access.visible(self.actor, column=column))

    def paper(self, document: str | None) -> Paper | None:
        """A document with as much of its words as the reader may see."""
        if document is None:
            return None
        if document not in self._papers:
            if len(self._papers) >= _KEPT:
                self._papers.clear()
            row = self.session.get(Document, document)
            self._papers[document] = self.opened(row) if row is not None else None
        return self._papers[document]

    def opened(self, row: Document) -> Paper:
        """As `paper`, of a row already read."""
        open_ = access.may_see_titles(self.station, self.actor, row)
        words = words_of(self.station, self.session, row) if open_ else {}
        if open_ and not self.too_many:
            policy = self.station.policy
            protected = access.protected_as(policy, row)
            if policy.rank(protected) >= policy.rank(policy.reading.bulk_from):
                self.levels[row.id] = protected
        interim = level_name(row.interim_code)
        level = level_name(row.level_code) or (f"（暂按{interim}管理）" if interim else "")
        return Paper(row, words, level)

    def about(self, document: str | None) -> tuple[str, str, str, str]:
        """收文编号, 标题, 发文字号, 密级 of a document."""
        paper = self.paper(document)
        if paper is None:
            return document or "", "", "", ""
        return paper.row.id, paper.title, paper.number, paper.level

    def note(self, movement: Movement) -> dict[str, Any]:
        """What was written down with a movement, where the reader may see the paper's words."""
        paper = self.paper(movement.document_id)
        if movement.note_sealed is None or (paper is not None and not self._open(paper.row)):
            return {}
        return self.station.unseal(self.session, "movement", movement.note_sealed, bind=movement.object_id)

    def matter_words(self, matter: Matter) -> dict[str, Any]:
        """A matter's words, where the reader may see the paper's."""
        paper = self.paper(matter.document_id)
        if paper is not None and not self._open(paper.row):
            return {}
        return matters.words_of(self.station, self.session, matter)

    def _open(self, row: Document) -> bool:
        return access.may_see_titles(self.station, self.actor, row)


def columns(*names: str | tuple[str, float]) -> tuple[Column, ...]:
    """Columns by heading, with the share of the width where it is not the usual one."""
    return tuple(Column(name) if isinstance(name, str) else Column(*name) for name in names)


def word(words: dict[str, Any], *names: str) -> str:
    """The first of these words that was said, as text."""
    for name in names:
        value = words.get(name)
        if value in (None, "", [], {}):
            continue
        if isinstance(value, list | tuple):
            return "、".join(str(one) for one in value)
        return str(value)
    return ""


def day(text: str | None) -> str:
    """The day of a time."""
    return (text or "")[:10]


def minute(text: str | None) -> str:
    """A time to the minute, without its offset."""
    return (text or "")[:16].replace("T", " ")


def state_word(code: str | None) -> str:
    """A state in Chinese; the code where there is no word for it."""
    name = f"status_{code}"
    return say(name, "zh") if code and name in catalogue() else code or ""
