"""The desk's tables: movements, timers, matters. Import these from `tables`, which has all tables.

Ids, codes, times and states are clear; words that persons write stand sealed under the registry key.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .partial_index import rows
from .tables_base import Base

_ENTERED = text("before IS NULL")


class Movement(Base):
    """One change of holder, place or state of a carrier, copy or batch. Rows are never changed or removed."""

    __tablename__ = "movements"
    id: Mapped[int] = mapped_column(primary_key=True)
    object_kind: Mapped[str] = mapped_column(String(12))
    object_id: Mapped[str] = mapped_column(String(40), index=True)
    document_id: Mapped[str | None] = mapped_column(String(32))
    act: Mapped[str] = mapped_column(String(24))
    before: Mapped[str | None] = mapped_column(String(16))
    """The object's state before; None where it entered the register."""
    after: Mapped[str] = mapped_column(String(16))
    giver: Mapped[str | None] = mapped_column(String(64), index=True)
    taker: Mapped[str | None] = mapped_column(String(64), index=True)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32), index=True)
    place: Mapped[str | None] = mapped_column(String(64))
    approval_id: Mapped[str | None] = mapped_column(String(32))
    matter_id: Mapped[str | None] = mapped_column(String(32), index=True)
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Registry key: what the rule asked to be written down (pages counted, case, bag, precautions, reason)."""

    __table_args__ = (
        Index("ix_movements_document", "document_id", "at", "act"),
        Index("ix_movements_act", "act", "at"),
        Index(
            "ix_movements_entered",
            "object_kind",
            "at",
            "object_id",
            **rows(_ENTERED),
        ),
    )


class Timer(Base):
    """A running clock of the policy: who has to do what with which object, until when."""

    __tablename__ = "timers"
    id: Mapped[int] = mapped_column(primary_key=True)
    clock: Mapped[str] = mapped_column(String(24))
    object_kind: Mapped[str] = mapped_column(String(12))
    object_id: Mapped[str] = mapped_column(String(40), index=True)
    document_id: Mapped[str | None] = mapped_column(String(32), index=True)
    holder: Mapped[str | None] = mapped_column(String(64), index=True)
    started_at: Mapped[str] = mapped_column(String(32))
    due: Mapped[str] = mapped_column(String(32))
    """ISO time with offset: the moment after which it is late."""
    state: Mapped[str] = mapped_column(String(12), default="running")
    """`running`, `met`, `late` (met after its time), `cancelled`."""
    ended_at: Mapped[str | None] = mapped_column(String(32))
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[str | None] = mapped_column(String(32))
    incident_id: Mapped[str | None] = mapped_column(String(32))
    """What was opened because it was late, where its clock says so."""

    __table_args__ = (Index("ix_timers_state_due", "state", "due", "clock"),)


class Matter(Base):
    """A matter 事项: something that takes several acts of several persons, in the order the policy says."""

    __tablename__ = "matters"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[str | None] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(12))
    """`open`, `closed`, `refused`, `cancelled`."""
    step: Mapped[str | None] = mapped_column(String(24))
    """The step that is awaited; None once it has ended."""
    opened_at: Mapped[str] = mapped_column(String(32))
    opened_by: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[str | None] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: the matter's words, as they stand after the last step."""

    __table_args__ = (
        Index("ix_matters_opened", "opened_at", "id"),
        Index("ix_matters_state_opened", "state", "opened_at", "id"),
        Index("ix_matters_kind_opened", "kind", "opened_at", "id"),
        Index("ix_matters_kind_state", "kind", "state", "closed_at"),
    )


class MatterItem(Base):
    """One object, document or person of a matter, in its order: a reader, a carrier on a list, a source."""

    __tablename__ = "matter_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[str] = mapped_column(ForeignKey("matters.id"), index=True)
    seq: Mapped[int]
    object_kind: Mapped[str] = mapped_column(String(12))
    """`carrier`, `copy`, `document`, `person`, `batch`."""
    object_id: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default="open")
    person: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[str | None] = mapped_column(String(32))
    due: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[str] = mapped_column(Text, default="{}")
    """JSON of numbers, ids and codes."""


class MatterStep(Base):
    """One person's signed act in a matter. Rows are never changed or removed."""

    __tablename__ = "matter_steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[str] = mapped_column(ForeignKey("matters.id"), index=True)
    step: Mapped[str] = mapped_column(String(24))
    result: Mapped[str] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    at: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: the words of this step, with the salt of their hash."""
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class Tally(Base):
    """How many rows of a kind stand in a state, kept as they change (`pipeline/station/tallies.py`).

    Twice over or thrice: `part` is `holder` (`name`: who has it, empty for nobody), `day` or `month` (`name`: that in
    which it began). A level is empty where the paper has none, or where levels are not told apart. A count of a million
    rows would take seconds.
    """

    __tablename__ = "tallies"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    part: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    level_code: Mapped[str] = mapped_column(String(2), primary_key=True)
    state: Mapped[str] = mapped_column(String(48), primary_key=True)
    number: Mapped[int]

    # sums run along the key
    __table_args__ = ({"sqlite_with_rowid": False},)
