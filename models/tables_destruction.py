"""Destruction, certificates, policies, backups. Import these from `tables`, which has all tables."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class Destruction(Base):
    """A destruction batch; states as in the command line contract."""

    __tablename__ = "destructions"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    phase: Mapped[str | None] = mapped_column(String(12))
    """Inside `executing`: `intent keyed committed erased files_done verified`."""
    reason: Mapped[str] = mapped_column(String(24))
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[str] = mapped_column(String(32))
    list_json: Mapped[bytes] = mapped_column(LargeBinary)
    """Canonical JSON of the items: what is counted, approved and executed."""
    list_sha256: Mapped[str] = mapped_column(String(64))
    approval_expires: Mapped[str | None] = mapped_column(String(10))
    epoch_before: Mapped[int | None]
    epoch_after: Mapped[int | None]
    outcomes: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Canonical JSON: an outcome for each artefact, and V1 … V7."""
    verdict: Mapped[str | None] = mapped_column(String(32))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class DestructionItem(Base):
    """One document or copy in a batch; a document stands in one open batch only."""

    __tablename__ = "destruction_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    destruction_id: Mapped[str] = mapped_column(ForeignKey("destructions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    item_id: Mapped[str] = mapped_column(String(40), index=True)
    level_code: Mapped[str | None] = mapped_column(String(2))
    open: Mapped[bool] = mapped_column(default=True)


class DestructionAct(Base):
    """One person's signed statement about a batch: propose, count, approve, supervise, execute, attest."""

    __tablename__ = "destruction_acts"
    id: Mapped[int] = mapped_column(primary_key=True)
    destruction_id: Mapped[str] = mapped_column(ForeignKey("destructions.id"), index=True)
    act: Mapped[str] = mapped_column(String(12))
    person: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    at: Mapped[str] = mapped_column(String(32))
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    """CMS (DER) by the person's own key over `statement`."""


class Certificate(Base):
    """The sealed certificate and inventory of one destruction."""

    __tablename__ = "certificates"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    destruction_id: Mapped[str] = mapped_column(ForeignKey("destructions.id"), unique=True)
    at: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    ledger_seq: Mapped[int | None]
    pdf_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class PolicyVersion(Base):
    """A policy that was active at some time: `provisional` until a leader signs a version."""

    __tablename__ = "policies"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(48))
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the whole text, the list included: what is signed."""
    state: Mapped[str] = mapped_column(String(16))
    """`provisional`, `proposed`, `active`, `former`."""
    text: Mapped[str] = mapped_column(Text)
    """YAML, without the unit's list of secret matters."""
    items_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Registry key, bound to `sha256`: that list's lines and where they stood."""
    at: Mapped[str] = mapped_column(String(32))
    author: Mapped[str | None] = mapped_column(String(64))
    leader: Mapped[str | None] = mapped_column(String(64))
    author_statement: Mapped[bytes | None] = mapped_column(LargeBinary)
    author_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The author's word (CMS over the canonical statement); with the leader's below a version comes into force."""
    statement: Mapped[bytes | None] = mapped_column(LargeBinary)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)


class Backup(Base):
    """A backup that was made: which key epoch it holds (V5 of the destruction checks)."""

    __tablename__ = "backups"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    epoch: Mapped[int]
    documents: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))


Index("ix_destruction_items_open", DestructionItem.item_id, DestructionItem.open)
