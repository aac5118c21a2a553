"""A batch's lines in parts of some hundred, each with its rows read in a few questions instead of some for each line.

What a part has read is at hand as long as the part is, and no longer: a batch of ten thousand needs no more memory than
its largest part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.certificate import ListItem
from ...models.tables import Artefact, Copy, Document

_PART = 500
LIVING = ("live", "superseded")


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a batch, and the register's rows of them."""

    items: tuple[ListItem, ...]
    documents: dict[str, Document] = field(default_factory=dict)
    """By id; of a copy or carrier that of its paper."""
    copies: dict[str, Copy] = field(default_factory=dict)
    artefacts: dict[str, list[Artefact]] = field(default_factory=dict)
    """Of a document, by its id: all, also those of its copies; of a copy, by its id: its own. In order of their ids."""

    @property
    def ids(self) -> list[str]:
        """The documents that are lines themselves."""
        return [item.id for item in self.items if item.kind == "document"]

    def all_files(self, item: ListItem) -> list[Artefact]:
        """Every sealed file there ever was of a line; of a document also those of its copies."""
        return self.artefacts.get(item.id, []) if item.kind in ("document", "copy") else []

    def own_files(self, item: ListItem) -> list[Artefact]:
        """Those of the line alone: a document's copies are lines of their own."""
        return [row for row in self.all_files(item) if item.kind == "copy" or row.copy_id is None]

    def files(self, item: ListItem, states: tuple[str, ...] = LIVING) -> list[Artefact]:
        """The sealed files of a line, by state."""
        return [row for row in self.own_files(item) if row.state in states]


def parts(session: Session, items: Sequence[ListItem], *, files: bool = True) -> Iterator[Part]:
    """The lines, part by part. `files`: with their artefacts."""
    for start in range(0, len(items), _PART):
        yield _read(session, tuple(items[start : start + _PART]), files=files)


def lines(
    session: Session, items: Sequence[ListItem], *, files: bool = True
) -> Iterator[tuple[Part, ListItem]]:
    """Each line with the part it is read in."""
    for part in parts(session, items, files=files):
        for item in part.items:
            yield part, item


def _read(session: Session, items: tuple[ListItem, ...], *, files: bool) -> Part:
    papers = list(dict.fromkeys(item.register_no for item in items if item.register_no is not None))
    lines = [item.id for item in items if item.kind == "document"]
    copies = [item.id for item in items if item.kind == "copy"]
    part = Part(
        items,
        {row.id: row for row in session.scalars(select(Document).where(Document.id.in_(papers + lines)))},
        {row.id: row for row in session.scalars(select(Copy).where(Copy.id.in_(copies)))},
    )
    if files:
        wanted = select(Artefact).order_by(Artefact.id)
        for row in session.scalars(wanted.where(Artefact.document_id.in_(lines))):
            part.artefacts.setdefault(str(row.document_id), []).append(row)
        for row in session.scalars(wanted.where(Artefact.copy_id.in_(copies))):
            part.artefacts.setdefault(str(row.copy_id), []).append(row)
    return part
