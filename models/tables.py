"""The registry's tables. Nothing else defines tables; `migrations/` brings a database to this state.

Clear columns are only what is filtered and sorted by: ids, dates, level codes, states, organ ids.
`*_sealed` columns hold register fields under the registry key, which survives destruction, since the
registers and the destruction inventory must. What dies with a document stands in artefacts under its own key.
Times are ISO 8601 text with offset.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from .lane import LANE_SQL
from .partial_index import rows
from .tables_access import Deputy as Deputy
from .tables_access import Reading as Reading
from .tables_approvals import Approval as Approval
from .tables_approvals import ApprovalAct as ApprovalAct
from .tables_base import Base as Base
from .tables_desk import Matter as Matter
from .tables_desk import MatterItem as MatterItem
from .tables_desk import MatterStep as MatterStep
from .tables_desk import Movement as Movement
from .tables_desk import Tally as Tally
from .tables_desk import Timer as Timer
from .tables_destruction import Backup as Backup
from .tables_destruction import Certificate as Certificate
from .tables_destruction import Destruction as Destruction
from .tables_destruction import DestructionAct as DestructionAct
from .tables_destruction import DestructionItem as DestructionItem
from .tables_destruction import PolicyVersion as PolicyVersion
from .tables_keys import KeyBranch as KeyBranch
from .tables_keys import KeyGroup as KeyGroup
from .tables_keys import KeyPage as KeyPage
from .tables_keys import KeyStoreRow as KeyStoreRow
from .tables_learning import LearnedModel as LearnedModel
from .tables_passages import PassageSet as PassageSet
from .tables_passages import PassageTag as PassageTag
from .tables_search import SearchPage as SearchPage
from .tables_search import SearchSlot as SearchSlot
from .turns import turning

# ---------------------------------------------------------------- station, keys, ledger


class Meta(Base):
    """Facts of the station as a whole: store uuid, formats, passphrase check, station certificates."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerEntry(Base):
    """One leaf of the Merkle log. `leaf` is canonical JSON without any document content."""

    __tablename__ = "ledger_entries"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32), index=True)
    act: Mapped[str] = mapped_column(String(48))
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_ledger_entries_act_seq", "act", "seq", "at"),)


class LedgerNode(Base):
    """Hashes of the Merkle tree (RFC 6962): complete subtrees by level and index, leaves at level 0."""

    __tablename__ = "ledger_nodes"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerHead(Base):
    """Signed tree heads: the station's signature over size, root and time."""

    __tablename__ = "ledger_heads"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[str] = mapped_column(String(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary)


# ---------------------------------------------------------------- people


class Person(Base):
    """A person, with or without an account. Recipients, holders, approvers are persons."""

    __tablename__ = "persons"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: name, department."""
    clearance: Mapped[str] = mapped_column(String(16))
    clearance_until: Mapped[str | None] = mapped_column(String(10))
    """Last day on which it counts, ISO; None: until it is taken back."""
    suspended_at: Mapped[str | None] = mapped_column(String(32))
    """Since when it counts for nothing."""
    created_at: Mapped[str] = mapped_column(String(32))


class Account(Base):
    """A log-in of one person. Roles are comma-separated codes of roles.md."""

    __tablename__ = "accounts"
    user: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    roles: Mapped[str] = mapped_column(Text, default="")
    clearance: Mapped[str] = mapped_column(String(16), default="none")
    status: Mapped[str] = mapped_column(String(16), default="active")
    password_hash: Mapped[str] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[str | None] = mapped_column(String(32))
    certificate: Mapped[bytes | None] = mapped_column(LargeBinary)
    """DER; made when the account first acts."""
    signing_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Private key under a key derived from the password."""
    created_at: Mapped[str] = mapped_column(String(32))


class Delegation(Base):
    """A dated delegation of one role from one account to another."""

    __tablename__ = "delegations"
    id: Mapped[int] = mapped_column(primary_key=True)
    giver: Mapped[str] = mapped_column(ForeignKey("accounts.user"))
    taker: Mapped[str] = mapped_column(ForeignKey("accounts.user"))
    role: Mapped[str] = mapped_column(String(32))
    since: Mapped[str] = mapped_column(String(32))
    until: Mapped[str] = mapped_column(String(32))
    """ISO date, inclusive."""


# ---------------------------------------------------------------- what arrives


class Counter(Base):
    """Numbers that are handed out once and never again (receipts, documents, copies …)."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    last: Mapped[int]


class Receipt(Base):
    """签收: what arrived, before anything of it is read."""

    __tablename__ = "receipts"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[str] = mapped_column(String(32), index=True)
    by: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32), default="")
    seal: Mapped[str] = mapped_column(String(16), default="intact")
    urgency: Mapped[str | None] = mapped_column(String(8))
    level_code: Mapped[str | None] = mapped_column(String(2))
    copies: Mapped[int] = mapped_column(default=1)
    carrier: Mapped[str] = mapped_column(String(16), default="paper")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: from, envelope, title, number, serials."""


class Batch(Base):
    """One run of the main job."""

    __tablename__ = "batches"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: name, source paths."""
    state: Mapped[str] = mapped_column(String(16), default="open")

    __table_args__ = (Index("ix_batches_at", "at", "id"),)


TERM_OPEN = text("coalesce(documents.secrecy_until, '') = '' AND documents.period IS NOT NULL")
"""Rows whose secrecy period has no date. Put so that no other index than theirs can serve: most rows have no date."""
UNFILED = text(
    "(documents.archived_at IS NULL OR documents.retention_open) AND documents.confirmed"
    " AND documents.status IN ('registered', 'archived')"
)
"""Confirmed rows that wait to be filed, or whose retention is not settled."""
AWAITED = text("documents.retention_event IS NOT NULL AND documents.retention_event_on IS NULL")
"""Rows whose retention waits for what has not happened."""
TO_REVIEW = text("documents.status IN ('pending', 'pending_second')")
"""Rows that wait for a person: few among all, which an average over all states does not tell the database."""
_TO_REVIEW = text(str(TO_REVIEW).partition(".")[2])
_PART = text("parent_id IS NOT NULL")
COPY_OUT = text("copies.status IN ('issued', 'recalled')")
"""Copies that are with their holders: few among all that ever were."""
CARRIER_AWAY = text("carriers.state IN ('out', 'lent', 'carried', 'transit', 'missing')")
"""Originals that are not in the room."""
_SENT = text("sent_in IS NOT NULL")
_COPY_OUT, _AWAY = (text(str(one).partition(".")[2]) for one in (COPY_OUT, CARRIER_AWAY))
_TERM_OPEN, _UNFILED, _AWAITED = (
    text(str(one).replace("documents.", "")) for one in (TERM_OPEN, UNFILED, AWAITED)
)


class Document(Base):
    """One registered paper. A row exists from `received` on and is never removed."""

    __tablename__ = "documents"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    year: Mapped[int]
    seq: Mapped[int]
    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), index=True)
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("batches.id"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("documents.id"))
    received_at: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str | None] = mapped_column(String(16))
    pages: Mapped[int] = mapped_column(default=0)
    level_code: Mapped[str | None] = mapped_column(String(2))
    interim_code: Mapped[str | None] = mapped_column(String(2))
    level_basis: Mapped[str] = mapped_column(String(12), default="none")
    period: Mapped[str | None] = mapped_column(String(48))
    secrecy_from: Mapped[str | None] = mapped_column(String(10))
    secrecy_from_rule: Mapped[str | None] = mapped_column(String(8))
    """What the first day is: `signed`, `notified`, `received`."""
    secrecy_until: Mapped[str | None] = mapped_column(String(10), index=True)
    declassified_mark_on: Mapped[str | None] = mapped_column(String(10))
    """When the paper was stamped 解密."""
    notified_date: Mapped[str | None] = mapped_column(String(10))
    """When level and period were notified in writing, for papers without a date of their own."""
    retention: Mapped[str | None] = mapped_column(String(8), index=True)
    retention_until: Mapped[str | None] = mapped_column(String(10))
    retention_event: Mapped[str | None] = mapped_column(String(24))
    """What the years wait for, as the policy names it; None: the document's own year."""
    retention_event_on: Mapped[str | None] = mapped_column(String(10))
    """When it happened."""
    retention_open: Mapped[bool] = mapped_column(default=False)
    """The table asks something that only the archivist can say (importance, origin), and nobody has."""
    signed_date: Mapped[str | None] = mapped_column(String(10))
    urgency: Mapped[str | None] = mapped_column(String(8))
    origin: Mapped[str | None] = mapped_column(String(16))
    important: Mapped[bool | None]
    overlays: Mapped[str] = mapped_column(Text, default="")
    confirmed: Mapped[bool] = mapped_column(default=False)
    must_review: Mapped[bool] = mapped_column(default=True)
    confidence_percent: Mapped[int] = mapped_column(default=0)
    copies_received: Mapped[int] = mapped_column(default=1)
    read_level_code: Mapped[str | None] = mapped_column(String(2))
    """Level of the mark that was read: never lowered except as a misreading."""
    suggested_level_code: Mapped[str | None] = mapped_column(String(2))
    suggested_retention: Mapped[str | None] = mapped_column(String(8))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: title, organ, number, signer, recipients, copied_to, serials, source name, prints."""
    duplicate_tag: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    """Keyed hash of the original's bytes; erased with the document."""
    paper_tag: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    """Keyed hash of number (or title and date) by which other originals and versions are found; erased likewise."""
    key_slot: Mapped[str | None] = mapped_column(String(32))
    appraised_at: Mapped[str | None] = mapped_column(String(32))
    appraised_by: Mapped[str | None] = mapped_column(String(64))
    archived_at: Mapped[str | None] = mapped_column(String(32))
    destroyed_at: Mapped[str | None] = mapped_column(String(32))
    lane: Mapped[int] = mapped_column(Computed(LANE_SQL, persisted=True))
    """Its place in lists: what waits and is urgent first (`lane.py`). Worked out by the database."""
    search_page: Mapped[int | None] = mapped_column(index=True)
    """The page of the search book that has its words; None while they stand in this row alone."""

    __table_args__ = (
        UniqueConstraint("year", "seq"),
        # lists: any of the filters, in the order of lists, so that a page is read off the index
        Index("ix_documents_lane", "lane", "year", "seq"),
        Index("ix_documents_received", "received_at", "id"),
        # without the rows that are part of nothing: the database would take a look-up for a walk through all of them
        Index("ix_documents_parent", "parent_id", **rows(_PART)),
        Index("ix_documents_status_lane", "status", "lane", "year", "seq"),
        Index("ix_documents_level_lane", "level_code", "lane", "year", "seq"),
        Index("ix_documents_level_status", "level_code", "status", "lane", "year", "seq"),
        Index("ix_documents_batch_lane", "batch_id", "lane", "year", "seq"),
        # what falls due: only rows for which the clock is one, by the day and month on which it comes round
        Index(
            "ix_documents_terms_open",
            *turning("secrecy_from"),
            "secrecy_from",
            "secrecy_until",
            "period",
            "id",
            **rows(_TERM_OPEN),
        ),
        # a year's papers end on one day: within it by number, as the list has them
        Index("ix_documents_retention_end", "retention_until", "id"),
        Index("ix_documents_archived", "archived_at"),
        Index("ix_documents_to_review", "id", **rows(_TO_REVIEW)),
        Index("ix_documents_unfiled", "received_at", "id", **rows(_UNFILED)),
        Index(
            "ix_documents_event",
            *turning("coalesce(signed_date, received_at)"),
            "signed_date",
            "received_at",
            "retention_event",
            "retention_event_on",
            "id",
            **rows(_AWAITED),
        ),
    )


class Artefact(Base):
    """Everything the station made of a document or copy: each a sealed file, each listed at destruction.

    `kind`: `original`, `transcript`, `judgement` (fields, evidence), `copy`; `model` for a model made of several
    documents, with one row for each of them on the same slot and file. `copy_id` is set for copies.
    """

    __tablename__ = "artefacts"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    copy_id: Mapped[str | None] = mapped_column(String(40), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    key_slot: Mapped[str] = mapped_column(String(32))
    path: Mapped[str] = mapped_column(Text)
    """Relative to the blob area; a random name."""
    size: Mapped[int]
    cipher_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="live")
    outcome: Mapped[str | None] = mapped_column(String(24))
    """After destruction: what became of the file (`erased`, `unlinked`, `absent`, `failed`)."""


class Scan(Base):
    """A further file of a document: another of its originals, or a better scan. Erased with the document.

    `kind`: `carrier`, `rescan`, `source` (the file that a split or merged document came from).
    """

    __tablename__ = "scans"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    carrier_id: Mapped[str | None] = mapped_column(String(40))
    artefact_id: Mapped[int | None] = mapped_column(ForeignKey("artefacts.id"))
    kind: Mapped[str] = mapped_column(String(12))
    tag: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """Keyed hash of the file's bytes, as `Document.duplicate_tag`."""
    at: Mapped[str] = mapped_column(String(32))


class Carrier(Base):
    """The paper or disc itself, with the issuer's own 来文份号."""

    __tablename__ = "carriers"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), index=True)
    document_id: Mapped[str | None] = mapped_column(ForeignKey("documents.id"), index=True)
    type: Mapped[str] = mapped_column(String(16))
    serial: Mapped[str | None] = mapped_column(String(16))
    holder: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[str | None] = mapped_column(String(64))
    return_due: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(16), default="held")

    __table_args__ = (
        Index("ix_carriers_holder", "holder", "id"),
        Index("ix_carriers_holder_state", "holder", "state"),
        Index("ix_carriers_state", "state", "id"),
        Index("ix_carriers_away", "id", **rows(_AWAY)),
    )


class Event(Base):
    """What happened to a document's level, period, retention or fields: suggested, set, accepted, amended.

    Old values stay on record (sealed: a field's value may be content of the register).
    """

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    at: Mapped[str] = mapped_column(String(32))
    person: Mapped[str | None] = mapped_column(String(64))
    """None: the machine."""
    act: Mapped[str] = mapped_column(String(24))
    what: Mapped[str] = mapped_column(String(24))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: old value, new value, reason."""

    __table_args__ = (
        Index("ix_events_document", "document_id", "what", "at"),
        Index("ix_events_what_at", "what", "at"),
    )


# ---------------------------------------------------------------- approvals, circles, copies


class CircleMember(Base):
    """One person in the reading circle 知悉范围 of a document."""

    __tablename__ = "circle_members"
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32))
    until: Mapped[str | None] = mapped_column(String(10))
    """Last day on which the person may know, ISO; None: without end."""

    __table_args__ = (Index("ix_circle_members_person", "person_id", "document_id"),)


class Copy(Base):
    """A numbered, marked copy that the room issued (复制件编号), never the issuer's own 份号."""

    __tablename__ = "copies"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    number: Mapped[int]
    forensic_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), unique=True)
    """48-bit, a keyed permutation of the copy's serial: reveals nothing to outsiders."""
    recipient: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    holder: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    status: Mapped[str] = mapped_column(String(12))
    issued_at: Mapped[str] = mapped_column(String(32))
    issued_by: Mapped[str] = mapped_column(String(64))
    due: Mapped[str | None] = mapped_column(String(10))
    approval_id: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"))
    out: Mapped[bool] = mapped_column(default=False)
    """Written out in clear by `--out`."""
    sent_in: Mapped[str | None] = mapped_column(String(32))
    """The dispatch by which another organ has it: meanwhile `holder` is who sent it and answers for it."""
    replaced_by: Mapped[str | None] = mapped_column(String(40))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: purpose, file written, reason of loss."""

    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        Index("ix_copies_holder", "holder", "document_id", "number"),
        Index("ix_copies_holder_status", "holder", "status"),
        Index("ix_copies_issued", "issued_at", "id"),
        Index("ix_copies_status", "status"),
        Index("ix_copies_sent", "sent_in", "id", **rows(_SENT)),
        Index("ix_copies_out", "due", "id", "status", **rows(_COPY_OUT)),
    )


class Clear(Base):
    """Where content of a document lies or lay in clear: inbox, export, print (`cleartext_history`)."""

    __tablename__ = "clear_places"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    copy_id: Mapped[str | None] = mapped_column(String(40), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    """`inbox`, `copy_out`, `export`, `print`, `sheet`."""
    at: Mapped[str] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(12), default="outstanding")
    """`outstanding`, `returned`, `erased`, `declared`."""
    holder: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(24))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Registry key: path, size."""


class Hold(Base):
    """A hold 冻结 on a document; lifted by two persons."""

    __tablename__ = "holds"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32))
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    lift_first: Mapped[str | None] = mapped_column(String(64))
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_at: Mapped[str | None] = mapped_column(String(32))


class Incident(Base):
    """Something to be followed to its end: above station level, lost copy, broken seal, missing item."""

    __tablename__ = "incidents"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    document_id: Mapped[str | None] = mapped_column(String(32), index=True)
    copy_id: Mapped[str | None] = mapped_column(String(40))
    level_code: Mapped[str | None] = mapped_column(String(2))
    at: Mapped[str] = mapped_column(String(32), index=True)
    by: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="open")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
