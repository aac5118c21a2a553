"""A made-up destruction, as far as its certificate needs one: crew, signed statements, list, outcomes, inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from cryptography import x509

from ...common.clock import SystemClock, iso
from ...models.certificate import (
    Act,
    ArtefactOutcome,
    Check,
    CheckName,
    DestructionRecord,
    InventoryLine,
    ItemOutcome,
    ListItem,
    RequiredSigner,
    RootFacts,
    SignedStatement,
    Statement,
    TreeHeadFact,
    list_digest,
    list_value,
    outcomes_digest,
)
from ...vault import pki
from ...vault.cms import certificate_sha256, sign_statement
from ...vault.pki import Credential

_UNIT, _STORE, _BATCH, _PLACE = "样张市测速局", "00000000-0000-4000-8000-000000000000", "XH-1", "样张销毁室"
_CREW: Final[tuple[tuple[Act, str, str], ...]] = (
    ("propose", "jiyao_clerk", "P1"), ("count", "jiyao_clerk", "P1"), ("count", "archivist", "P2"),
    ("approve", "leader_in_charge", "P3"), ("supervise", "destroy_supervisor", "P4"),
    ("supervise", "destroy_supervisor", "P5"), ("execute", "destroy_operator", "P6"),
    ("execute", "destroy_operator", "P7"), ("attest", "destroy_supervisor", "P4"),
    ("attest", "destroy_supervisor", "P5"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What `stages.certify.certify` is given."""

    record: DestructionRecord
    inventory: tuple[InventoryLine, ...]
    statements: tuple[SignedStatement, ...]
    seal: Credential
    ca: x509.Certificate
    crl: bytes
    signed_at: datetime

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of `certify`."""
        return {
            "record": self.record, "inventory": self.inventory, "statements": self.statements, "names": {},
            "fonds": _UNIT, "seal": self.seal, "ca": self.ca, "crl": self.crl, "signed_at": self.signed_at,
        }  # fmt: skip


def make_case(items: int) -> Case:
    """A complete destruction of `items` documents, a minute ago, with keys of its own."""
    now = SystemClock().now() - timedelta(minutes=1)
    ca = pki.make_ca(unit=_UNIT, store_uuid=_STORE, at=now)
    listed = tuple(_listed(number) for number in range(1, items + 1))
    outcomes = tuple(_outcome(line) for line in listed)
    checks = tuple(Check(name=name, result="pass") for name in get_args(CheckName))
    digest = list_digest(listed)
    required, statements = _acts(ca, now, digest, outcomes_digest(outcomes, checks, "complete"))
    record = DestructionRecord(
        certificate_no="XHZM-1", batch=_BATCH, unit=_UNIT, store=_STORE, issued_at=iso(now),
        reason="retention_expired", policy_version="bench", small_room=False, list=list_value(listed),
        list_sha256=digest, items=outcomes, checks=checks, verdict="complete", epoch_before=1, epoch_after=2,
        root=RootFacts(
            kind="file", root_class="R4", mirrors=1, mirrors_done=1, single_root=False, kdf="test",
            erased="erased_clear",
        ),
        backups=(), required=required, holds_checked_at=iso(now), started_at=iso(now), finished_at=iso(now),
        place=_PLACE, cleartext_history=(), outside_scope=(),
        previous_head=TreeHeadFact(size=1, root="00" * 32, at=iso(now)),
    )  # fmt: skip
    return Case(
        record=record, inventory=tuple(_line(line) for line in listed), statements=statements,
        seal=pki.issue_seal(ca, unit=_UNIT, store_uuid=_STORE, at=now), ca=ca.certificate,
        crl=pki.make_crl(ca, at=now), signed_at=now,
    )  # fmt: skip


def _acts(
    ca: Credential, at: datetime, digest: str, outcomes: str
) -> tuple[tuple[RequiredSigner, ...], tuple[SignedStatement, ...]]:
    people = {
        person: pki.issue_person(ca, unit=_UNIT, person=person, at=at)
        for person in sorted({person for _, _, person in _CREW})
    }
    required, signed = [], []
    for act, role, person in _CREW:
        key = people[person]
        place = _PLACE if act in ("supervise", "attest") else None
        statement = Statement(
            act=act, role=role, batch=_BATCH, list_sha256=digest, at=iso(at), person=person, place=place,
            outcomes_sha256=outcomes if act == "attest" else None,
        ).to_bytes()  # fmt: skip
        signed.append(SignedStatement(statement=statement, signature=sign_statement(statement, key, at)))
        required.append(
            RequiredSigner(
                act=act, role=role, person=person, at=iso(at), place=place,
                certificate_sha256=certificate_sha256(key.certificate),
            )
        )  # fmt: skip
    return tuple(required), tuple(signed)


def _listed(number: int) -> ListItem:
    return ListItem(
        item=number, kind="document", id=f"D{number:06}", register_no=f"收〔2016〕{number}号", level="内部",
        pages=3 + number % 5, retention="10年", retention_until="2026-01-01", title_commitment=f"{number:064x}",
    )  # fmt: skip


def _outcome(line: ListItem) -> ItemOutcome:
    kinds: Sequence[str] = ("original", "text")
    return ItemOutcome(
        item=line.item, kind="document", id=line.id, level=line.level, status="complete",
        slots=(f"{line.item:032x}",),
        artefacts=tuple(
            ArtefactOutcome(
                artefact=f"A{line.item}-{kind}", kind=kind, sha256=f"{line.item:064x}",
                methods=("crypto_erase", "overwrite(1)"), grade="overwritten_unproven",
            )
            for kind in kinds
        ),
    )  # fmt: skip


def _line(line: ListItem) -> InventoryLine:
    return InventoryLine(
        item=line.item, register_no=line.register_no or "", title="关于开展虚构事项专项检查工作的通知",
        doc_number=f"样张发〔2015〕{line.item}号", level="内部", pages=line.pages, organ="样张省虚构厅",
        signed_date="2015-03-02", received_date="2015-03-05", carrier="纸质", retention="10年",
        retention_until="2026-01-01", kept_years="11", reason="retention_expired",
    )  # fmt: skip
