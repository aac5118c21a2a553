"""Models that the station made from its own documents. Import these from `tables`, which has all tables."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class LearnedModel(Base):
    """One model made by `learn`. It is derived from every document it was made of: each of them has a row in
    `artefacts` (kind `model`) with this key slot and path, so that it goes with the first of them that is destroyed.
    """

    __tablename__ = "learned_models"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    """`active`, `former` (replaced), `withdrawn`, `out_of_use` (a document of it was destroyed, the key with it)."""
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    approval_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"))
    base_sha256: Mapped[str] = mapped_column(String(64))
    """Of the shipped model that it changes; with another release it is not used."""
    policy: Mapped[str] = mapped_column(String(48))
    tag: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Keyed hash of its bytes; the first eight hex digits stand in the evidence of suggestions."""
    key_slot: Mapped[str] = mapped_column(String(32), index=True)
    path: Mapped[str] = mapped_column(Text)
    documents: Mapped[int]
    figures: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON: measures before and after; counts and shares only."""
    ended_at: Mapped[str | None] = mapped_column(String(32))
    ended_by: Mapped[str | None] = mapped_column(String(64))
    """A person, or the destruction batch."""
