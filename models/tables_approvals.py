"""Approvals and the signed words on them. Import these from `tables`, which has all tables."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class Approval(Base):
    """An approval of one act of the policy's matrix; binds the hash of what was approved."""

    __tablename__ = "approvals"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    act: Mapped[str] = mapped_column(String(32), index=True)
    objects: Mapped[str] = mapped_column(Text)
    """Comma-separated document ids."""
    objects_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), index=True)
    """`requested given refused expired used`."""
    needed: Mapped[str] = mapped_column(Text)
    """Roles of which each must give it, comma-separated."""
    requested_by: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[str] = mapped_column(String(32))
    expires: Mapped[str] = mapped_column(String(10))
    recipients: Mapped[str] = mapped_column(Text, default="")
    copies: Mapped[int | None]
    """How many copies may be made under it; None where nothing was said."""
    paper: Mapped[bool] = mapped_column(default=False)
    paper_slot: Mapped[str | None] = mapped_column(String(32))
    paper_path: Mapped[str | None] = mapped_column(Text)
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_approvals_requested", "requested_at", "id"),)


class ApprovalAct(Base):
    """One person's signed word on an approval."""

    __tablename__ = "approval_acts"
    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"), index=True)
    person: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    act: Mapped[str] = mapped_column(String(12))
    """`give`, `refuse`, `enter` (paper), `check` (paper)."""
    at: Mapped[str] = mapped_column(String(32))
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
