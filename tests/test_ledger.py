"""The ledger: appending, proofs, heads, and every way of tampering with its tables."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, select, update
from sqlalchemy.orm import Session

from jiyao.common.clock import STATION_ZONE
from jiyao.common.errors import NotThere
from jiyao.ledger import log, merkle, verifier
from jiyao.ledger.heads import HeadSigner, LogIdentity, TreeHead, genuine
from jiyao.ledger.verify import verify
from jiyao.models.ledger_entry import Entry, hash_reason, new_salt
from jiyao.models.tables import Base, LedgerEntry, LedgerHead, LedgerNode
from jiyao.vault import pki

AT = datetime(2026, 11, 20, 9, 0, tzinfo=STATION_ZONE)
ORIGIN = "5b0c0b6e-6d9f-4a39-9a53-0a4a8a6f2f11"
CA = pki.make_ca(unit="样例", store_uuid=ORIGIN, at=AT)
LEDGER_KEY = pki.issue_ledger_signer(CA, unit="样例", store_uuid=ORIGIN, at=AT)
IDENTITY = LogIdentity(origin=ORIGIN, certificate=LEDGER_KEY.certificate_der)
SIGNER = HeadSigner(identity=IDENTITY, key=LEDGER_KEY.key)
CA_PEM = CA.certificate.public_bytes(Encoding.PEM)


def entry(number: int) -> Entry:
    return Entry(
        at=AT + timedelta(minutes=number),
        person="P01",
        account="zhang",
        role="jiyao_clerk",
        act="ingest",
        objects=(f"D{number}",),
        level="机密",
        rule_or_approval="C-04",
        reason_hash=hash_reason("到期", b"0" * 16),
        facts={"pages": number, "retention": "10年"},
    )


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, tables=[t.__table__ for t in (LedgerEntry, LedgerNode, LedgerHead)])  # type: ignore[misc]
    with Session(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def filled(session: Session) -> Session:
    for number in range(1, 12):
        assert log.append(session, entry(number)) == number
        if number in (4, 9):
            log.sign_head(session, SIGNER, AT + timedelta(minutes=number))
    session.commit()
    return session


def test_empty_log(session: Session) -> None:
    report = verify(session, IDENTITY)
    assert report.ok and report.entries == 0 and report.root == merkle.EMPTY_ROOT
    assert log.newest_at(session) is None


@pytest.mark.req("R-131", "R-141")
def test_append_and_verify(filled: Session) -> None:
    report = verify(filled, IDENTITY)
    assert report.ok and report.entries == 11 and report.heads == 2 and report.unsigned == 2
    assert report.first_bad is None and report.root == log.head(filled).root
    assert log.newest_at(filled) == AT + timedelta(minutes=11)
    again = log.sign_head(filled, SIGNER, AT)
    assert log.sign_head(filled, SIGNER, AT + timedelta(days=1)) == again


def test_rolled_back_act_leaves_no_entry(filled: Session) -> None:
    log.append(filled, entry(12))
    filled.rollback()
    assert log.size(filled) == 11
    assert log.append(filled, entry(12)) == 12
    assert verify(filled, IDENTITY).ok


def test_proofs_and_export_stand_alone(filled: Session, tmp_path: Path) -> None:
    for seq in range(1, 12):
        proof = json.dumps(log.proof(filled, seq, IDENTITY))
        report = verifier.check_proof(proof, origin=ORIGIN, trust_pem=CA_PEM)
        assert report["ok"] is (seq <= 9), report
        assert seq <= 9 or report["reasons"] == ["unsigned"]
    with pytest.raises(NotThere):
        log.proof(filled, 12, IDENTITY)
    for since in (1, 2, 5, 8, 11, 12):
        lines = list(log.export(filled, IDENTITY, since))
        report = verifier.check_export(lines, origin=ORIGIN, trust_pem=CA_PEM)
        assert report["ok"], (since, report)
        assert report["root"] == log.head(filled).root.hex()
    file = tmp_path / "ledger.jsonl"
    file.write_text("".join(line + "\n" for line in log.export(filled, IDENTITY)), "utf-8")
    command = [sys.executable, "-I", str(Path(verifier.__file__)), "ledger", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    file.write_bytes(file.read_bytes().replace(b"D7", b"D8"))
    broken = subprocess.run(command, capture_output=True, check=False)
    assert broken.returncode == 7 and json.loads(broken.stdout)["ok"] is False


def test_export_tampering(filled: Session) -> None:
    lines = list(log.export(filled, IDENTITY))
    head = log.newest_head(filled)
    assert head is not None
    assert not verifier.check_export(lines, origin="another")["ok"]
    assert not verifier.check_export(lines, known=[(4, "00" * 32)])["ok"]
    assert verifier.check_export(lines, known=[(9, head.root.hex())])["ok"]
    for number in range(len(lines)):
        without = lines[:number] + lines[number + 1 :]
        # A dropped head is only seen by whoever kept it; everything else is seen at once.
        assert verifier.check_export(without)["ok"] is ("head" in json.loads(lines[number]))
        for place in range(0, len(lines[number]), 7):
            text = lines[number]
            changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
            report = verifier.check_export([*lines[:number], changed, *lines[number + 1 :]], trust_pem=CA_PEM)
            assert not report["ok"], (number, place)


@pytest.mark.parametrize("seq", [1, 4, 7, 11])
def test_every_flipped_bit_of_an_entry_is_reported_by_number(filled: Session, seq: int) -> None:
    leaf = filled.execute(select(LedgerEntry.leaf).where(LedgerEntry.seq == seq)).scalar_one()
    for bit in range(0, len(leaf) * 8, 41):
        bent = bytearray(leaf)
        bent[bit // 8] ^= 1 << bit % 8
        filled.execute(update(LedgerEntry).where(LedgerEntry.seq == seq).values(leaf=bytes(bent)))
        report = verify(filled, IDENTITY)
        assert not report.ok and report.first_bad is not None
        assert report.first_bad <= seq and report.flaws[0].seq == report.first_bad
        assert any(flaw.seq == seq for flaw in report.flaws)
        filled.rollback()
    for column in ({"at": "2026-01-01T00:00:00+08:00"}, {"act": "x"}, {"person": "P09"}, {"person": None}):
        filled.execute(update(LedgerEntry).where(LedgerEntry.seq == seq).values(**column))
        assert verify(filled, IDENTITY).first_bad == seq
        filled.rollback()


def test_every_flipped_node(filled: Session) -> None:
    nodes = filled.execute(select(LedgerNode.level, LedgerNode.index, LedgerNode.hash)).all()
    for level, index, value in nodes:
        where = (LedgerNode.level == level, LedgerNode.index == index)
        bent = bytes([value[0] ^ 1]) + value[1:]
        filled.execute(update(LedgerNode).where(*where).values(hash=bent))
        assert verify(filled, IDENTITY).first_bad == (index + 1) << level
        filled.rollback()
        filled.execute(delete(LedgerNode).where(*where))
        assert verify(filled, IDENTITY).first_bad == (index + 1) << level
        filled.rollback()
        filled.execute(update(LedgerNode).where(*where).values(level=level + 7))
        assert not verify(filled, IDENTITY).ok
        filled.rollback()


def test_every_flipped_head(filled: Session) -> None:
    head = log.newest_head(filled)
    assert head is not None and head.signature is not None
    changes: list[dict[str, object]] = [{"at": "2027-01-01T00:00:00+08:00"}, {"size": 8}, {"size": 10}]
    for name in ("root", "signature"):
        data = getattr(head, name)
        for place in range(len(data)):
            bent = bytearray(data)
            bent[place] ^= 1 << place % 8
            changes.append({name: bytes(bent)})
    for change in changes:
        filled.execute(update(LedgerHead).where(LedgerHead.size == 9).values(**change))
        report = verify(filled, IDENTITY)
        assert not report.ok and report.flaws[0].part == "head" and report.first_bad in (8, 9, 10)
        filled.rollback()


@pytest.mark.parametrize("lost", [1, 5, 11])
def test_dropped_entry_is_a_gap_or_missing(filled: Session, lost: int) -> None:
    filled.execute(delete(LedgerEntry).where(LedgerEntry.seq == lost))
    assert verify(filled, IDENTITY).first_bad == lost


def test_whole_log_rewritten_or_cut_is_seen_by_a_head(filled: Session) -> None:
    kept = log.newest_head(filled)
    assert kept is not None
    filled.execute(delete(LedgerEntry))
    filled.execute(delete(LedgerNode))
    for number in range(1, 12):
        log.append(filled, entry(number if number != 6 else 60))
    report = verify(filled, IDENTITY)
    assert not report.ok and report.first_bad == 5
    filled.execute(delete(LedgerHead))
    assert verify(filled, IDENTITY).ok
    assert not verify(filled, IDENTITY, known=[kept]).ok
    filled.execute(delete(LedgerEntry))
    filled.execute(delete(LedgerNode))
    log.append(filled, entry(1))
    assert verify(filled, IDENTITY, known=[kept]).first_bad == 2


def test_heads_of_another_log_do_not_count(filled: Session) -> None:
    head = log.newest_head(filled)
    assert head is not None
    assert genuine(head, IDENTITY)
    assert not genuine(head, LogIdentity(origin="another", certificate=IDENTITY.certificate))
    assert not genuine(TreeHead(size=head.size, root=head.root), IDENTITY)
    path = log.consistency(filled, 4, 9)
    first = filled.execute(select(LedgerHead.root).where(LedgerHead.size == 4)).scalar_one()
    assert merkle.consistent(4, first, 9, head.root, path)


@pytest.mark.req("R-131")
@given(st.text(min_size=9, alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)))
@settings(max_examples=30)
def test_no_text_gets_in(text: str) -> None:
    common = {"at": AT, "person": "P01", "account": None, "role": None, "act": "x"}
    with pytest.raises(ValueError):
        Entry(**common, facts={"title": text})
    with pytest.raises(ValueError):
        Entry(**common, reason_hash=text[:60])
    with pytest.raises(ValueError):
        Entry(**common, facts={"score": 0.5})  # type: ignore[dict-item]
    with pytest.raises(ValueError):
        Entry(**{**common, "at": datetime(2026, 1, 1)})
    assert hash_reason(text, new_salt()) != hash_reason(text, new_salt())


def test_vectors() -> None:
    folder = Path(__file__).parent / "vectors" / "ledger"
    listed = json.loads((folder / "index.json").read_text("utf-8"))
    trust = base64.b64decode(listed["ca_pem"])
    for case in listed["cases"]:
        text = (folder / case["file"]).read_text("utf-8")
        if case["what"] == "proof":
            report = verifier.check_proof(text, trust_pem=trust)
        else:
            report = verifier.check_export(text.splitlines(), trust_pem=trust)
        assert report["ok"] is case["ok"] and report["reasons"] == case["reasons"], case
