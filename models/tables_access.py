"""Who came to know what, and who stands in for whom. Import these from `tables`, which has all tables.

Ids, codes and times are clear; the words of a purpose stand sealed under the registry key.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class Reading(Base):
    """One person came to know a document 知悉: read it, took it out, was handed it. Never changed or removed."""

    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    person_id: Mapped[str] = mapped_column(String(64), index=True)
    act: Mapped[str] = mapped_column(String(16))
    """As in `decision.Use`: `text`, `export`, `issue`, `circulate` …"""
    rule: Mapped[str] = mapped_column(String(48))
    """What let it happen: `staff`, `circle`, `deputy` …, or an approval's id."""
    at: Mapped[str] = mapped_column(String(32))
    purpose_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_readings_document", "document_id", "id"),)


class Deputy(Base):
    """Somebody receives papers for a person who is away, from day to day."""

    __tablename__ = "deputies"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    """Who is away."""
    deputy_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    since: Mapped[str] = mapped_column(String(10))
    until: Mapped[str] = mapped_column(String(10))
    """ISO dates, both inclusive."""
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32))
    ended_at: Mapped[str | None] = mapped_column(String(32))
