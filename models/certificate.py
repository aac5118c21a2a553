"""What a certificate of destruction says: statements of persons, the list, the outcomes, the limits.

Claim language (destruction.md section 3): a certificate may say that the data key was destroyed, that the
copies of the key were destroyed as listed, and that the content was verified unreadable with all remaining
keys. It never speaks of purging or destroying a medium, of compliance with a standard for media, or of
copies outside the station. Titles stand in the JSON as salted commitments only: the list must not become a leak.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..common.canonical import canonical, digest
from ..common.messages import say
from .certificate_words import glossary
from .physical import PhysicalFacts
from .wire import to_plain

TYPE = "jiyao.destruction"
STATEMENT_TYPE = "jiyao.statement"
VERSION = 1

Act = Literal["propose", "count", "approve", "supervise", "execute", "attest"]
ACTS: tuple[Act, ...] = ("propose", "count", "approve", "supervise", "execute", "attest")
Verdict = Literal["complete", "complete_with_reservations", "pending_key_epoch", "pending_media", "failed"]
CheckName = Literal["V1", "V2", "V3", "V4", "V5", "V6", "V7"]
CheckResult = Literal["pass", "fail", "not_applicable", "pending"]
ItemKind = Literal["document", "copy", "carrier", "medium"]
"""`document`, `copy`: what the station holds; `carrier`: an original on paper or disc; `medium`: a storage medium."""
CLOSURE = (
    "original", "pages", "text", "fields", "copies", "index", "passages", "search", "thumbnails", "features", "tags",
    "links", "queue", "scratch", "logs", "models",
)  # fmt: skip
"""Every kind of thing a station can have made of a document (issue 6, item 8; destruction.md section 3)."""
FILE_FACT = "file_sha256"
"""Name of the fact in the ledger entry that names the finished file: a proof of it covers every byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one person signs at one act. Times ISO 8601 with offset."""

    act: Act
    role: str
    """Role code under which the person acts."""
    batch: str
    list_sha256: str
    at: str
    person: str
    """Person id; the signing certificate's UID."""
    place: str | None = None
    text: str = ""
    """The sentence that is signed, Chinese; empty: the standing text of the act."""
    outcomes_sha256: str | None = None
    """Of `outcomes_digest`; an `attest` must have it: whoever attests signs what came out. An `execute` on paper or
    media has the digest of `PhysicalFacts`."""
    accepts: tuple[str, ...] = ()
    """Codes of the reservations that the person accepts by this act; left out of the JSON when there is none."""

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are signed."""
        plain = to_plain(self)
        if not self.accepts:
            del plain["accepts"]
        plain["text"] = self.text or say(f"statement_{self.act}", "zh")
        return canonical({**plain, "type": STATEMENT_TYPE, "version": VERSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement's exact bytes and the person's CMS signature over them."""

    statement: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItem:
    """One line of the list that is counted, approved and executed. Content-free: ids, levels, commitments."""

    item: int
    """Line number from 1."""
    kind: ItemKind
    id: str
    register_no: str | None = None
    copy_no: str | None = None
    level: str | None = None
    pages: int | None = None
    copies: int = 1
    retention: str | None = None
    retention_until: str | None = None
    title_commitment: str | None = None
    """HMAC-SHA256 of the title under a salt kept with the register (`ledger_entry.hash_reason`)."""
    derived: tuple[str, ...] = ()
    """Models made of the document on the station: they go with it. Left out of the JSON when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactOutcome:
    """One artefact of an item: what was done to it and how well that is known to work here."""

    artefact: str
    """Id of the artefact."""
    kind: str
    sha256: str | None
    """Of the ciphertext, hex."""
    methods: tuple[str, ...]
    """Codes of destruction.md section 3: `crypto_erase`, `overwrite(1)`, `delete_only` …"""
    grade: str
    """The eraser's word: `erased_clear`, `overwritten_unproven`, `unlinked_only`, `absent`, `failed` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One kind of `CLOSURE` of an item: how many there were, and what became of them."""

    kind: str
    count: int
    outcome: Literal["crypto_erase", "removed", "none", "never_made", "register_only", "left"]
    """`crypto_erase`: died with the key; `removed`: rows taken away; `none`: made by this station at times, but not of
    this item, or looked for and not found; `never_made`: this station makes none; `left`: still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Something that may survive, or that could not be proved; and who accepted it, by which signed act."""

    code: str
    """Message code: its sentence is printed."""
    subjects: tuple[str, ...] = ()
    """Items it concerns; none: the batch."""
    accepted_by: tuple[str, ...] = ()
    """`act:person` of every statement that accepts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One of V1 … V7 with its result and, unless it passed, the reason (a code)."""

    name: CheckName
    result: CheckResult
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """What became of one line of the list."""

    item: int
    kind: ItemKind
    id: str
    level: str | None
    status: Literal["complete", "pending_key_epoch", "pending_media", "failed"]
    slots: tuple[str, ...]
    """Key-store slots that were emptied."""
    artefacts: tuple[ArtefactOutcome, ...]
    checks: tuple[Check, ...] = ()
    """Where an item's checks differ from the batch's."""
    closure: tuple[Derived, ...] = ()
    """Every kind of `CLOSURE`, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFacts:
    """The root store of the time: kind, class R1 … R5, mirrors, and what must be owned up to."""

    kind: str
    root_class: Literal["R1", "R2", "R3", "R4", "R5"]
    mirrors: int
    mirrors_done: int
    """Mirrors on which the old root was erased."""
    single_root: bool
    kdf: Literal["normal", "test"]
    """`test`: the passphrase is weakly stretched; a certificate says so."""
    erased: str
    """Grade of the erasure of the old root on the weakest of them, a message code."""
    reasons: tuple[str, ...] = ()
    """Why the weakest root is of its class: message codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """A root medium that was written off and never confirmed erased: a copy of a former root may still exist."""

    at: str
    fate: Literal["lost", "destroyed", "retired"]
    """As two persons said; `retired`: it was attached, and overwriting proves nothing on it."""
    epoch: int
    """The last key epoch it can hold."""
    accepted_by: tuple[str, ...]
    """The two persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFact:
    """A backup known to the station, its key epoch, and whether it can still open what was destroyed."""

    id: str
    at: str
    epoch: int
    state: Literal["unreadable", "pending_key_epoch", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTrace:
    """Where content lay in clear, or still does: kind (`inbox`, `export`, `print`, `copy`), id, state."""

    item: str
    kind: str
    id: str | None = None
    at: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHeadFact:
    """The ledger's signed head before the certificate was made; `root` in hex."""

    size: int
    root: str
    at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredSigner:
    """A signature without which the certificate is not complete."""

    act: Act
    role: str
    person: str
    at: str
    certificate_sha256: str
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Fact:
    """The room's second signature, by its SM2 key over `certificate.json`: said in the data that it covers, so that it
    cannot be taken out. Only on a station with the Chinese ciphers (vault.md section 7)."""

    state: Literal["signed", "none"]
    certificate_sha256: str | None = None
    """Of the certificate (DER) of the room's SM2 key, hex."""
    reason: Literal["no_key", "no_library"] | None = None
    """Why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestructionRecord:
    """The whole certificate as data. Sources: vault.md sections 6 and 10; destruction.md 6.3 and 6.5."""

    certificate_no: str
    batch: str
    unit: str
    store: str
    """Store uuid."""
    issued_at: str
    """Equal to the time of the seal."""
    reason: str
    """Reason code of the command line contract."""
    policy_version: str
    small_room: bool
    list: Any
    """The value whose canonical JSON was counted, approved and executed; see `list_value`."""
    list_sha256: str
    items: tuple[ItemOutcome, ...]
    checks: tuple[Check, ...]
    """V1 … V7 for the batch, each exactly once."""
    verdict: Verdict
    epoch_before: int
    epoch_after: int
    root: RootFacts
    backups: tuple[BackupFact, ...]
    required: tuple[RequiredSigner, ...]
    holds_checked_at: str
    started_at: str
    finished_at: str
    place: str | None
    cleartext_history: tuple[ClearTrace, ...]
    outside_scope: tuple[ClearTrace, ...]
    previous_head: TreeHeadFact
    previous_certificate: str | None = None
    """SHA-256 of the file of the certificate before this one, hex."""
    equipment: str | None = None
    """Model, serial and certificate of a device, as entered by the operator; never verified."""
    exceptions: tuple[str, ...] = ()
    suite: str = ""
    """Ciphers of the vault: `aes` or `sm`."""
    recovery: str = ""
    """How the station survives the loss of its machine: `mirrors`, `single`, `token`; each means something for what
    was destroyed (vault.md section 3)."""
    reservations: tuple[Reservation, ...] = ()
    physical: PhysicalFacts | None = None
    """Paper and media: what persons did; None for what the station destroyed itself."""
    approval_first: bool = False
    """Whether the approval came before the count (C-21, by the unit's choice)."""
    redacted: bool = False
    """Whether the policy leaves titles out of the inventory: their commitments are printed instead."""
    written_off: tuple[WrittenOff, ...] = ()
    sm2: Sm2Fact | None = None
    """None with other ciphers, and then left out of the JSON."""

    def to_value(self) -> dict[str, Any]:
        """The JSON value, with type, version, the claims this certificate makes, and the words of its codes."""
        value: dict[str, Any] = to_plain(self)
        if self.sm2 is None:
            del value["sm2"]
        said = claims(self)
        return {
            **value, "claims": list(said), "type": TYPE, "version": VERSION, "words": glossary(self, said),
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """Canonical JSON: `certificate.json`."""
        return canonical(self.to_value())


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryLine:
    """One line of the 销毁清册 (destruction.md 6.2), as printed. From the register; never in the JSON."""

    item: int
    register_no: str = ""
    title: str = ""
    """With `redact_title` of the policy: empty; the commitment is printed in its place."""
    doc_number: str = ""
    level: str = ""
    secrecy_period: str = ""
    serial: str = ""
    copies: int = 1
    pages: int | None = None
    attachments: str = ""
    organ: str = ""
    signed_date: str = ""
    received_date: str = ""
    carrier: str = ""
    carrier_no: str = ""
    place: str = ""
    archived: str = ""
    """归档情况(档号)."""
    retention: str = ""
    retention_until: str = ""
    kept_years: str = ""
    reason: str = ""
    """Reason code; its words are printed."""
    remark: str = ""


def list_value(items: Sequence[ListItem]) -> list[dict[str, Any]]:
    """The list as JSON: what `list_sha256` is the digest of."""
    plain: list[dict[str, Any]] = to_plain(tuple(items))
    return [{name: value for name, value in line.items() if name != "derived" or value} for line in plain]


def list_digest(items: Sequence[ListItem]) -> str:
    """SHA-256 of the canonical list, hex."""
    return digest(list_value(items))


def outcomes_digest(
    items: Sequence[ItemOutcome],
    checks: Sequence[Check],
    verdict: Verdict,
    physical: PhysicalFacts | None = None,
) -> str:
    """SHA-256 over outcomes, checks and verdict, for paper and media with what was done: what supervisors attest."""
    value = {"checks": to_plain(tuple(checks)), "items": to_plain(tuple(items)), "verdict": verdict}
    return digest(value if physical is None else {**value, "physical": to_plain(physical)})


def title_salt(salt: bytes, line: str) -> bytes:
    """The salt of one line's title commitment, from the batch's: 16 bytes. One title can be opened without the rest.

    Args:
        line: the item's id.
    """
    return hmac.new(salt, b"jiyao title salt v1" + line.encode(), hashlib.sha256).digest()[:16]


def claims(record: DestructionRecord) -> tuple[str, ...]:
    """Codes of the sentences this certificate may print, and of those it has to."""
    if record.physical is not None:
        return _physical_claims(record)
    said = ["claim_scope"]
    if record.verdict != "failed":
        said += ["claim_key", "claim_copies"]
        if all(check.result != "fail" for check in record.checks):
            said.append("claim_verified")
    said += ["claim_files", "claim_not_media", "claim_paper", "claim_clock"]
    if record.root.root_class == "R5":
        said.append("claim_root_unproven")
    if record.root.single_root:
        said.append("claim_single_root")
    if record.root.kdf == "test":
        said.append("claim_test_kdf")
    if record.root.mirrors_done < record.root.mirrors:
        said.append("claim_mirrors_pending")
    if record.written_off:
        said.append("claim_medium_written_off")
    if record.small_room:
        said.append("claim_small_room")
    if record.cleartext_history:
        said.append("claim_cleartext")
    if record.outside_scope:
        said.append("claim_outside")
    if record.verdict.startswith("pending"):
        said.append("claim_pending")
    if record.recovery and not record.written_off:
        said.append(f"claim_recovery_{record.recovery}")
    if record.redacted:
        said.append("claim_redacted")
    return (*said, *_sm2_claims(record))


def _sm2_claims(record: DestructionRecord) -> tuple[str, ...]:
    if record.sm2 is None:
        return ()
    return (f"claim_sm2_{record.sm2.reason or record.sm2.state}",)


def _physical_claims(record: DestructionRecord) -> tuple[str, ...]:
    said = ["claim_physical_scope", "claim_physical_witness", "claim_physical_standard", "claim_clock"]
    if record.small_room:
        said.append("claim_small_room")
    if record.redacted:
        said.append("claim_redacted")
    return (*said, *_sm2_claims(record))
