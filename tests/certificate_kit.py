"""Makes stations, persons and certificates for tests; nothing here is a test."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jiyao.common.clock import STATION_ZONE, iso
from jiyao.models.certificate import (
    CLOSURE,
    ArtefactOutcome,
    BackupFact,
    Check,
    ClearTrace,
    Derived,
    DestructionRecord,
    InventoryLine,
    ItemKind,
    ItemOutcome,
    ListItem,
    RequiredSigner,
    Reservation,
    RootFacts,
    SignedStatement,
    Sm2Fact,
    Statement,
    TreeHeadFact,
    Verdict,
    list_digest,
    list_value,
    outcomes_digest,
    title_salt,
)
from jiyao.models.ledger_entry import hash_reason
from jiyao.models.physical import PhysicalFacts
from jiyao.stages.certify import Certified, certify
from jiyao.vault import pki, sm2
from jiyao.vault.cms import certificate_sha256, sign_statement
from jiyao.vault.sm2 import Sm2Credential

AT = datetime(2026, 11, 20, 9, 0, tzinfo=STATION_ZONE)
STORE = "5b0c0b6e-6d9f-4a39-9a53-0a4a8a6f2f11"
UNIT = "样例市虚构局机要室"
CREW = (
    ("propose", "jiyao_clerk", "P01", 0),
    ("count", "jiyao_clerk", "P01", 10),
    ("count", "archivist", "P02", 11),
    ("approve", "leader_in_charge", "P03", 60),
    ("supervise", "destroy_supervisor", "P04", 90),
    ("supervise", "destroy_supervisor", "P05", 91),
    ("execute", "destroy_operator", "P06", 95),
    ("execute", "destroy_operator", "P07", 97),
    ("attest", "destroy_supervisor", "P04", 110),
    ("attest", "destroy_supervisor", "P05", 111),
)
SALT = b"0123456789abcdef"
PLANT = PhysicalFacts(
    route="designated_plant_escorted", methods=("pulp",), place="样例市销毁中心", began=iso(AT),
    ended=iso(AT + timedelta(hours=1)), plant="样例市涉密载体销毁中心", plant_receipt="销字2026-118",
    escorts=("P06", "P07"), way="机要室—环城路—销毁中心", vehicle="样A·00001", seal_no="F0231",
    departed=iso(AT - timedelta(hours=1)), arrived=iso(AT),
)  # fmt: skip
BURNT = PhysicalFacts(
    route="in_house_burn", methods=("burn",), place="机要室焚烧间", began=iso(AT), ended=iso(AT + timedelta(hours=1)),
    performed_by=("P06",),
)  # fmt: skip
CLOSED = tuple(
    Derived(kind=kind, count=int(kind in ("original", "text")), outcome="crypto_erase")
    if kind in ("original", "text", "fields")
    else Derived(kind=kind, count=0, outcome="never_made" if kind in ("pages", "thumbnails") else "none")
    for kind in CLOSURE
)
NAMES = {
    "P01": "张一凡",
    "P02": "李二曲",
    "P03": "王三槐",
    "P04": "赵四光",
    "P05": "钱𠮷五",
    "P06": "孙六如",
    "P07": "周七宝",
}
TITLES = (
    "关于开展虚构事项专项检查工作的通知",
    "关于印发《虚构局档案管理办法（试行）》的通知",
    "虚构局2015年第三次局长办公会议纪要",
)


@dataclass(frozen=True)
class Station:
    ca: pki.Credential
    seal: pki.Credential
    ledger: pki.Credential
    people: dict[str, pki.Credential]
    crl: bytes

    def sm2(self) -> Sm2Credential:
        """A fresh SM2 key of this station."""
        private = sm2.make_key()
        der = pki.issue_sm2_seal(
            self.ca, public=sm2.public_of(private), unit=UNIT, store_uuid=STORE, at=AT - timedelta(days=30)
        )
        return Sm2Credential(private=private, certificate_der=der)


@cache
def station(name: str = "own") -> Station:
    made = AT - timedelta(days=30)
    ca = pki.make_ca(unit=UNIT, store_uuid=STORE, at=made)
    people = {person: pki.issue_person(ca, unit=UNIT, person=person, at=made) for person in NAMES}
    return Station(
        ca=ca,
        seal=pki.issue_seal(ca, unit=UNIT, store_uuid=STORE, at=made),
        ledger=pki.issue_ledger_signer(ca, unit=UNIT, store_uuid=STORE, at=made),
        people=people,
        crl=pki.make_crl(ca, at=made),
    )


@dataclass
class Case:
    """One certificate to be made; tests bend a field before `make`."""

    items: int = 2
    crew: tuple[tuple[str, str, str, int], ...] = CREW
    station: Station = field(default_factory=station)
    record_changes: dict[str, Any] = field(default_factory=dict)
    signed_list_sha256: str | None = None
    drop_statement: int | None = None
    signer_for: dict[int, pki.Credential] = field(default_factory=dict)
    seal: pki.Credential | None = None
    verdict: Verdict = "complete"
    accepts: tuple[str, ...] = ()
    """Codes that both supervisors accept when they attest."""
    physical: PhysicalFacts | None = None
    kind: ItemKind = "document"
    level: str = "内部"
    accepts_by: tuple[str, ...] = ("attest",)
    status: Any = "complete"
    results: dict[str, tuple[Any, str | None]] = field(default_factory=dict)
    """Check -> result and reason, where they are others than usual."""
    sm2: Sm2Credential | str | None = None
    """The room's SM2 key; or why there is none on a station with the Chinese ciphers."""

    def parts(self) -> dict[str, Any]:
        salt = SALT
        listed = [
            ListItem(
                item=n,
                kind=self.kind,
                id=f"D{2026_0000 + n}",
                register_no=f"收〔2016〕{n}号",
                level=self.level,
                pages=3 + n % 5,
                retention="10年",
                retention_until="2026-01-01",
                title_commitment=hash_reason(TITLES[n % 3], title_salt(salt, f"D{2026_0000 + n}")),
            )
            for n in range(1, self.items + 1)
        ]
        items = tuple(
            ItemOutcome(
                item=line.item,
                kind=line.kind,
                id=line.id,
                level=line.level,
                status=self.status,
                slots=(f"{line.item:032x}",) if self.physical is None else (),
                closure=CLOSED,
                artefacts=(
                    ArtefactOutcome(
                        artefact=f"A{line.item}",
                        kind="original",
                        sha256=f"{line.item:064x}",
                        methods=("crypto_erase", "overwrite(1)"),
                        grade="overwritten_unproven",
                    ),
                ),
            )
            for line in listed
        )
        checks = tuple(
            Check(name=f"V{n}", result=result, reason=reason)  # type: ignore[arg-type]
            for n in range(1, 8)
            for result, reason in [
                self.results.get(f"V{n}", ("not_applicable", "no_backup") if n == 6 else ("pass", None))
            ]
        )
        digest = list_digest(listed)
        outcomes = outcomes_digest(items, checks, self.verdict, self.physical)
        done = self.physical.digest() if self.physical is not None else None
        required, signed = [], []
        for index, (act, role, person, minute) in enumerate(self.crew):
            at = AT + timedelta(minutes=minute)
            place = "机要室" if act in ("supervise", "attest") else None
            statement = Statement(
                act=act,
                role=role,
                batch="XH-2026-001",
                list_sha256=self.signed_list_sha256 or digest,
                at=iso(at),
                person=person,
                place=place,
                outcomes_sha256={"attest": outcomes, "execute": done}.get(act),
                accepts=self.accepts if act in self.accepts_by else (),
            ).to_bytes()
            credential = self.signer_for.get(index, self.station.people[person])
            required.append(
                RequiredSigner(
                    act=act,
                    role=role,
                    person=person,
                    at=iso(at),
                    place=place,  # type: ignore[arg-type]
                    certificate_sha256=certificate_sha256(credential.certificate),
                )
            )
            if index != self.drop_statement:
                signed.append(
                    SignedStatement(statement=statement, signature=sign_statement(statement, credential, at))
                )
        issued = AT + timedelta(minutes=115)
        record = DestructionRecord(
            certificate_no="XHZM-2026-001",
            batch="XH-2026-001",
            unit=UNIT,
            store=STORE,
            issued_at=iso(issued),
            reason="retention_expired",
            policy_version="2026.1",
            small_room=False,
            list=list_value(listed),
            list_sha256=digest,
            items=items,
            checks=checks,
            verdict=self.verdict,
            epoch_before=4,
            epoch_after=5,
            root=RootFacts(
                kind="file",
                root_class="R4",
                mirrors=1,
                mirrors_done=1,
                single_root=False,
                kdf="normal",
                erased="erased_clear",
            ),
            backups=(BackupFact(id="B1", at=iso(AT), epoch=4, state="unreadable"),),
            required=tuple(required),
            holds_checked_at=iso(AT + timedelta(minutes=95)),
            started_at=iso(AT + timedelta(minutes=97)),
            finished_at=iso(AT + timedelta(minutes=98)),
            place="机要室",
            cleartext_history=(ClearTrace(item=listed[0].id, kind="inbox", at=iso(AT), state="absent"),),
            outside_scope=(),
            previous_head=TreeHeadFact(size=311, root="ab" * 32, at=iso(AT)),
            suite="sm" if self.sm2 else "aes",
            recovery="mirrors",
            reservations=tuple(
                Reservation(
                    code=code,
                    subjects=(listed[0].id,),
                    accepted_by=tuple(
                        f"{act}:{person}" for act, _, person, _ in self.crew if act in self.accepts_by
                    ),
                )
                for code in self.accepts
            ),
            physical=self.physical,
            **self._second(),
        )
        inventory = [
            InventoryLine(
                item=line.item,
                register_no=line.register_no or "",
                title=TITLES[line.item % 3],
                doc_number=f"虚局发〔2015〕{line.item}号",
                level=self.level,
                secrecy_period="",
                serial=f"{line.item:06}",
                pages=line.pages,
                organ="样例市虚构局",
                signed_date="2015-03-02",
                received_date="2015-03-05",
                carrier="纸质",
                place="3柜2层",
                retention="10年",
                retention_until="2026-01-01",
                kept_years="11",
                reason="retention_expired",
            )
            for line in listed
        ]
        return {
            "record": dataclasses.replace(record, **self.record_changes),
            "inventory": inventory,
            "statements": signed,
            "names": NAMES,
            "fonds": "0123 样例市虚构局",
            "seal": self.seal or self.station.seal,
            "ca": self.station.ca.certificate,
            "crl": self.station.crl,
            "signed_at": issued,
            **({"sm2": self.sm2} if isinstance(self.sm2, Sm2Credential) else {}),
        }

    def _second(self) -> dict[str, Any]:
        if isinstance(self.sm2, Sm2Credential):
            named = hashlib.sha256(self.sm2.certificate_der).hexdigest()
            return {"sm2": Sm2Fact(state="signed", certificate_sha256=named)}
        return {"sm2": Sm2Fact(state="none", reason=self.sm2)} if self.sm2 else {}  # type: ignore[arg-type]

    def make(self) -> Certified:
        return certify(**self.parts())
