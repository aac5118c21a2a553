"""The passage index: keyed fingerprints of registered papers. Import these from `tables`, which has all tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class PassageSet(Base):
    """The passages of one document; erased with it, and its `PassageTag` rows too."""

    __tablename__ = "passage_sets"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), unique=True)
    tags: Mapped[bytes] = mapped_column(LargeBinary)
    """Its tags, eight bytes each, big-endian: what is to be taken away, and how many there are."""
    title_tag: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Keyed hash of the title; None where it is too short to tell."""


class PassageTag(Base):
    """One passage of one document: 64 bits of a keyed hash, signed as databases have it."""

    __tablename__ = "passage_tags"
    tag: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)

    __table_args__ = ({"sqlite_with_rowid": False},)
