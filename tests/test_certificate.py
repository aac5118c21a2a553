"""Certificates of destruction: what verifies, and everything that must not."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from fpdf import FPDF
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from certificate_kit import AT, CREW, NAMES, STORE, UNIT, Case, Certified, Station, station
from jiyao.common import fonts
from jiyao.common.errors import Broken, MissingTool, WrongSecret
from jiyao.common.messages import catalogue
from jiyao.ledger import (
    certificate_der,
    certificate_rules,
    certificate_sm2,
    certificate_verifier,
    log,
    verifier,
)
from jiyao.ledger.heads import HeadSigner, LogIdentity
from jiyao.models.certificate import FILE_FACT, ClearTrace, ListItem, claims, list_value
from jiyao.models.ledger_entry import Entry
from jiyao.models.tables import Base
from jiyao.stages import certify as certify_stage
from jiyao.stages.certify_form import Attachment
from jiyao.stages.verify_certificate import CertificateReport, verify
from jiyao.vault import pki
from jiyao.vault.cms import P256_ORDER, sign_statement, verify_statement

FORBIDDEN = ("BMB", "不可恢复", "无法恢复", "已清除介质", "符合国家", "purge", "Purge")


def pem(of: Station) -> bytes:
    return of.ca.certificate.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def good() -> Certified:
    return Case().make()


def printed(pdf: bytes) -> str:
    """All text on the pages."""
    with pypdfium2.PdfDocument(pdf) as opened:
        return "\n".join(page.get_textpage().get_text_bounded() for page in opened).replace("\u3000", "")


def blank(*, attachments: Sequence[Attachment], at: datetime, **_: object) -> bytes:
    """A page without text: what is tested here is the data, not the form."""
    form = FPDF()
    form.add_page()
    for item in attachments:
        form.embed_file(bytes=item.data, basename=item.name, modification_date=at, creation_date=at)
    return bytes(form.output())


def made(monkeypatch: pytest.MonkeyPatch, case: Case) -> CertificateReport:
    """The report on a certificate that the stage itself would refuse to issue."""
    reports: list[CertificateReport] = []

    def keep(pdf: bytes, *, trust_pem: bytes | None = None, proof: bytes | None = None) -> CertificateReport:
        reports.append(verify(pdf, trust_pem=trust_pem, proof=proof))
        return reports[0]

    monkeypatch.setattr(certify_stage, "verify", keep)
    monkeypatch.setattr(certify_stage, "draw", blank)
    with pytest.raises(Broken) as refused:
        case.make()
    assert refused.value.code == "certificate_not_valid"
    assert set(reports[0].reasons) <= set(catalogue())
    return reports[0]


@pytest.mark.req("R-116", "R-117", "R-118", "R-127")
def test_good_certificate(good: Certified) -> None:
    report = good.report
    assert report.valid and report.intact and report.complete and report.trusted is True
    assert report.reasons == () and report.id == "XH-2026-001" and report.items == 2
    assert len(report.statements) == len(CREW) and report.signed_at == "2026-11-20T10:55:00+08:00"
    assert verify(good.pdf).trusted is None and verify(good.pdf).valid


def test_layout_is_deterministic() -> None:
    parts = Case().parts()
    first, second = certify_stage.certify(**parts).pdf, certify_stage.certify(**parts).pdf
    cut = first.index(b"/ByteRange")
    assert len(first) == len(second)
    assert printed(first) == printed(second) and first[: cut // 2] == second[: cut // 2]


def test_every_sampled_flipped_bit_is_noticed(good: Certified) -> None:
    dice = random.Random(7)
    gap = re.search(rb"/ByteRange \[0 (\d+) (\d+)", good.pdf)
    assert gap is not None
    start, end = int(gap[1]), int(gap[2])
    places = {dice.randrange(len(good.pdf)) for _ in range(700)}
    places |= set(range(start - 40, start + 200)) | set(range(end - 40, len(good.pdf)))
    places |= set(range(start, end, 11))
    for place in places:
        bent = bytearray(good.pdf)
        bent[place] ^= 1 << dice.randrange(8)
        report = verify(bytes(bent))
        assert not report.valid and not report.intact and report.reasons, place


def test_every_bit_of_the_seal_value(good: Certified) -> None:
    start = good.pdf.index(b"<3082", good.pdf.rindex(b"/Contents"))
    size = int(good.pdf[start + 5 : start + 9], 16) + 4
    for place in range(start + 1, start + 1 + 2 * size):
        bent = bytearray(good.pdf)
        bent[place] ^= 1 << (place % 4)
        assert not verify(bytes(bent)).valid, place


def test_letter_case_of_the_seal_value(good: Certified) -> None:
    start = good.pdf.index(b"<3082", good.pdf.rindex(b"/Contents"))
    place = next(n for n in range(start + 1, start + 400) if good.pdf[n : n + 1] in b"ABCDEF")
    bent = bytearray(good.pdf)
    bent[place] ^= 0x20
    assert verify(bytes(bent)).reasons == ("cert_encoding",)


def test_larger_s_is_refused(good: Certified) -> None:
    statement = b"{}"
    person = station().people["P01"]
    signed = sign_statement(statement, person, AT)
    # the signature value is the SEQUENCE that reaches to the very end; its numbers may hold the same byte
    start = next(
        at
        for at in range(len(signed) - 76, len(signed))
        if signed[at:].startswith(bytes((0x30, len(signed) - at - 2)))
    )
    tail = signed[start:]
    r, s = decode_dss_signature(tail)
    other = encode_dss_signature(r, P256_ORDER - s)
    with pytest.raises(Broken):
        verify_statement(statement, signed[: -len(tail)] + other)


@pytest.mark.parametrize("added", [b"\n", b"\0", b"% more\n%%EOF\n"])
def test_appended_bytes(good: Certified, added: bytes) -> None:
    assert verify(good.pdf + added).reasons == ("cert_bytes_outside",)


def test_cut_at_every_eof(good: Certified) -> None:
    ends = [found.end() for found in re.finditer(rb"%%EOF\s*", good.pdf)][:-1]
    assert ends
    for end in [*ends, len(good.pdf) - 1, 1000, 1, 0]:
        report = verify(good.pdf[:end], trust_pem=pem(station()))
        assert not report.valid and report.trusted is False


def test_incremental_update_after_the_seal(good: Certified) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(good.pdf), incremental=True)
    writer.add_metadata({"/Title": "other"})
    out = io.BytesIO()
    writer.write(out)
    assert len(out.getvalue()) > len(good.pdf)
    assert not verify(out.getvalue()).valid


def test_foreign_authority_is_not_trusted(good: Certified) -> None:
    report = verify(good.pdf, trust_pem=pem(station("another")))
    assert report.valid and report.trusted is False and report.reasons == ("cert_foreign",)
    assert verify(good.pdf, trust_pem=b"nonsense").trusted is False


def test_revoked_person(monkeypatch: pytest.MonkeyPatch) -> None:
    own = station()
    serial = own.people["P04"].certificate.serial_number
    crl = pki.make_crl(own.ca, at=AT, revoked=[(serial, AT - timedelta(days=1))])
    report = made(monkeypatch, Case(station=dataclasses.replace(own, crl=crl)))
    assert report.valid and report.trusted is False and report.reasons == ("cert_revoked",)


def crew(**changes: tuple[str, str, str, int] | None) -> tuple[tuple[str, str, str, int], ...]:
    """CREW with line n changed (`n5=…`) or left out (`n5=None`)."""
    lines = [changes.get(f"n{number}", line) for number, line in enumerate(CREW)]
    return tuple(line for line in lines if line is not None)


MATRIX: list[tuple[str, dict[str, Any], str]] = [
    ("missing supervisor", {"crew": crew(n5=None, n9=None)}, "cert_statement_missing"),
    ("statement dropped", {"drop_statement": 5}, "cert_statement_missing"),
    ("no approval", {"crew": crew(n3=None)}, "cert_statement_missing"),
    ("no attestation", {"crew": crew(n8=None, n9=None)}, "cert_statement_missing"),
    ("one counter", {"crew": crew(n2=None)}, "cert_statement_missing"),
    (
        "same supervisor twice",
        {"crew": crew(n5=("supervise", "destroy_supervisor", "P04", 91))},
        "cert_same_person",
    ),
    ("approver supervises", {"crew": crew(n3=("approve", "principal", "P04", 60))}, "cert_same_person"),
    (
        "operator supervises",
        {"crew": crew(n6=("execute", "destroy_operator", "P05", 95))},
        "cert_same_person",
    ),
    ("proposer approves", {"crew": crew(n3=("approve", "principal", "P01", 60))}, "cert_same_person"),
    ("counter executes", {"crew": crew(n6=("execute", "destroy_operator", "P02", 95))}, "cert_same_person"),
    ("another attests", {"crew": crew(n9=("attest", "destroy_supervisor", "P02", 111))}, "cert_supervisors"),
    ("wrong role", {"crew": crew(n3=("approve", "jiyao_clerk", "P03", 60))}, "cert_role"),
    ("approved before counting", {"crew": crew(n3=("approve", "principal", "P03", 5))}, "cert_order"),
    ("another list signed", {"signed_list_sha256": "0" * 64}, "cert_statement_list"),
    (
        "changed list",
        {"record_changes": {"list": list_value([ListItem(item=1, kind="document", id="D9")])}},
        "cert_list_digest",
    ),
    (
        "verdict too good",
        {"record_changes": {"outside_scope": (ClearTrace(item="D1", kind="export"),)}},
        "cert_verdict",
    ),
    ("checks missing", {"record_changes": {"checks": ()}}, "cert_checks"),
    (
        "other outcome attested",
        {"record_changes": {"verdict": "complete_with_reservations"}},
        "cert_statement_outcomes",
    ),
]


@pytest.mark.req("R-116", "R-117")
@pytest.mark.parametrize(("name", "bend", "reason"), MATRIX, ids=[row[0] for row in MATRIX])
def test_matrix(monkeypatch: pytest.MonkeyPatch, name: str, bend: dict[str, Any], reason: str) -> None:
    report = made(monkeypatch, Case(items=1, **bend))
    assert report.intact and not report.complete and not report.valid
    assert reason in report.reasons


def test_signed_by_another_person(monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(monkeypatch, Case(items=1, signer_for={5: station().people["P04"]}))
    assert report.reasons == ("statement_foreign",)
    foreign = station("another").people["P05"]
    assert not made(monkeypatch, Case(items=1, signer_for={5: foreign})).valid


def test_sealed_with_a_persons_key(monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(monkeypatch, Case(items=1, seal=station().people["P01"]))
    assert not report.valid and "cert_signature" in report.reasons


def test_small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    both = crew(n6=("execute", "jiyao_clerk", "P01", 95), n7=("execute", "archivist", "P02", 97))
    assert not made(monkeypatch, Case(items=1, crew=both)).valid
    monkeypatch.undo()
    made_small = Case(items=1, crew=both, record_changes={"small_room": True}).make()
    assert made_small.report.valid
    text = printed(made_small.pdf)
    assert "小型机要室" in text


@pytest.mark.req("R-118")
def test_what_is_printed(good: Certified) -> None:
    text = printed(good.pdf)
    for wanted in (
        "钱𠮷五",
        "销毁清册",
        "收〔2016〕1号",
        "虚局发〔2015〕2号",
        "监销人",
        "XHZM-2026-001",
        "V7",
    ):
        assert wanted in "".join(text.split()), wanted
    for word in FORBIDDEN:
        assert word not in text
    value = json.loads(pypdf.PdfReader(io.BytesIO(good.pdf)).attachments["certificate.json"][0])
    assert "虚构事项" not in json.dumps(value, ensure_ascii=False)
    assert value["claims"] == list(claims(Case().parts()["record"]))


def test_claims_never_promise_too_much() -> None:
    for code, texts in catalogue().items():
        if code.startswith(("claim_", "statement_")):
            assert not any(word in "".join(texts["zh"]) for word in FORBIDDEN), code


def test_redacted_title_prints_its_commitment() -> None:
    parts = Case(items=1).parts()
    parts["inventory"] = [dataclasses.replace(parts["inventory"][0], title="")]
    pdf = certify_stage.certify(**parts).pdf
    text = printed(pdf)
    assert "题名摘要" in text and "虚构事项" not in text


def test_rare_glyph_fails_rather_than_prints_a_box() -> None:
    parts = Case(items=1).parts()
    with pytest.raises(MissingTool) as missing:
        certify_stage.certify(**{**parts, "names": {**NAMES, "P01": "\U0003fffd"}})
    assert missing.value.code == "glyph_missing" and "\U0003fffd" not in str(missing.value.facts)


def test_ledger_proof_of_the_file(good: Certified) -> None:
    own = station()
    identity = LogIdentity(origin=STORE, certificate=own.ledger.certificate_der)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        common = {"at": AT, "person": None, "account": None, "role": None, "act": "destroy.certify"}
        log.append(session, Entry(**common, facts={FILE_FACT: good.sha256}))
        log.append(session, Entry(**common, facts={FILE_FACT: "0" * 64}))
        unsigned = json.dumps(log.proof(session, 1, identity)).encode()
        log.sign_head(session, HeadSigner(identity=identity, key=own.ledger.key), AT)
        right, wrong = (json.dumps(log.proof(session, seq, identity)).encode() for seq in (1, 2))
    engine.dispose()
    report = verify(good.pdf, trust_pem=pem(own), proof=right)
    assert report.valid and report.trusted
    assert verify(good.pdf, proof=wrong).reasons == ("cert_proof_other_file",)
    assert verify(good.pdf, proof=unsigned).reasons == ("cert_proof_unsigned",)
    assert verify(good.pdf, proof=b"[]").reasons == ("cert_proof_unreadable",)
    refused = 0
    for place in range(0, len(right), 5):
        bent = bytearray(right)
        bent[place] ^= 1
        # the file itself is looked at above, once
        found = certificate_verifier._Found(values={"store": STORE})
        try:
            certificate_verifier.check_proof(bytes(bent), good.sha256, found, pem(own))
        except certificate_verifier.Bad:
            refused += 1
        else:
            # Words of the envelope that the verdict does not depend on may change; what is proved may not.
            assert json.loads(bytes(bent).decode())["leaf"] == json.loads(right)["leaf"]
    assert refused > len(right) // 10


def test_stand_alone_file_gives_the_same_verdict(good: Certified, tmp_path: Path) -> None:
    script = tmp_path / "verify.py"
    shutil.copy(str(certificate_verifier.__file__), script)
    for module in (certificate_rules, certificate_der, certificate_sm2):
        shutil.copy(str(module.__file__), tmp_path)
    assert "jiyao." not in "\n".join(
        line for line in script.read_text("utf-8").splitlines() if line.startswith(("import", "from"))
    )
    trust, pdf = tmp_path / "ca.pem", tmp_path / "c.pdf"
    trust.write_bytes(pem(station()))
    for data, code in ((good.pdf, 0), (good.pdf[:-9], 7)):
        pdf.write_bytes(data)
        command = [sys.executable, "-I", str(script), str(pdf), "--trust", str(trust), "--at", "2026-11-21"]
        ran = subprocess.run(command, capture_output=True, check=False)
        assert ran.returncode == code, ran.stderr
        report = verify(data, trust_pem=trust.read_bytes())
        told = json.loads(ran.stdout)
        assert set(told.pop("words")) == set(report.reasons), "each reason in words, for who has no catalogue"
        assert told == json.loads(json.dumps(dataclasses.asdict(report)))


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_poppler_agrees(good: Certified, tmp_path: Path) -> None:
    pdf = tmp_path / "c.pdf"
    pdf.write_bytes(good.pdf)
    said = subprocess.run(["pdfsig", "-nocert", str(pdf)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said and "Total document signed" in said
    listed = subprocess.run(
        ["pdfdetach", "-list", str(pdf)], capture_output=True, text=True, check=True
    ).stdout
    assert "certificate.json" in listed and "statement-10.p7s" in listed
    out = tmp_path / "certificate.json"
    subprocess.run(
        ["pdfdetach", "-savefile", out.name, "-o", str(out), str(pdf)], check=True, capture_output=True
    )
    assert json.loads(out.read_text("utf-8"))["batch"] == "XH-2026-001"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_a_statement(tmp_path: Path) -> None:
    own = station()
    (tmp_path / "s").write_bytes(b"{}")
    (tmp_path / "sig").write_bytes(sign_statement(b"{}", own.people["P01"], AT))
    (tmp_path / "ca").write_bytes(pem(own))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in", "sig"]
    at = str(int(AT.timestamp()))
    ran = subprocess.run(
        [*command, "-content", "s", "-CAfile", "ca", "-attime", at, "-out", "o"], cwd=tmp_path, check=False
    )
    assert ran.returncode == 0


def test_statement_signature_bits() -> None:
    own = station()
    signed = sign_statement(b"{}", own.people["P01"], AT)
    found = verify_statement(b"{}", signed, own.ca.certificate)
    assert found.person == "P01" and found.at == AT
    for bit in range(0, len(signed) * 8, 31):
        bent = bytearray(signed)
        bent[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Broken):
            verify_statement(b"{}", bytes(bent))
    with pytest.raises(Broken):
        verify_statement(b"{ }", signed)
    with pytest.raises(Broken) as foreign:
        verify_statement(b"{}", signed, station("another").ca.certificate)
    assert foreign.value.code == "statement_foreign"


def test_keys_are_wrapped_for_their_owner() -> None:
    key = station().people["P01"].key
    wrapped = pki.wrap_key(key, b"k" * 32, owner="P01")
    assert pki.unwrap_key(wrapped, b"k" * 32, owner="P01").private_numbers() == key.private_numbers()
    for secret, owner in ((b"x" * 32, "P01"), (b"k" * 32, "P02")):
        with pytest.raises(WrongSecret):
            pki.unwrap_key(wrapped, secret, owner=owner)
    with pytest.raises(Broken):
        pki.unwrap_key(b"x" + wrapped[1:], b"k" * 32, owner="P01")
    assert pki.key_from_bytes(pki.key_to_bytes(key)).private_numbers() == key.private_numbers()
    with pytest.raises(Broken):
        pki.key_from_bytes(b"")


def test_authority() -> None:
    ca = station().ca.certificate
    constraints = ca.extensions.get_extension_for_class(pki.x509.BasicConstraints).value
    assert constraints.ca and constraints.path_length == 0
    person = pki.issue_person(station().ca, unit=UNIT, person="P77", at=AT).certificate
    assert pki.person_of(person) == "P77" and "张" not in person.subject.rfc4514_string()
    assert pki.issued_by(person, ca, AT) and not pki.issued_by(person, ca, AT - timedelta(days=1))


def test_fonts() -> None:
    among = fonts.faces()
    assert "".join(run.text for run in fonts.runs("张𠮷三㐀", among)) == "张𠮷三㐀"
    assert fonts.clean("a\nb\u200bc\ufe00") == "a bc"


@pytest.mark.slow
def test_a_thousand_items() -> None:
    done = Case(items=1000).make()
    assert done.report.valid and done.report.items == 1000 and len(done.pdf) < 1_500_000


def test_a_persons_certificate_signs_no_head(good: Certified) -> None:
    own = station()
    person = own.people["P01"]
    identity = LogIdentity(origin=STORE, certificate=person.certificate_der)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        entry = Entry(at=AT, person=None, account=None, role=None, act="x", facts={FILE_FACT: good.sha256})
        log.append(session, entry)
        log.sign_head(session, HeadSigner(identity=identity, key=person.key), AT)
        forged = json.dumps(log.proof(session, 1, identity)).encode()
    engine.dispose()
    assert verify(good.pdf, trust_pem=pem(own), proof=forged).reasons == ("cert_proof_unsigned",)
    report = verifier.check_proof(forged.decode(), trust_pem=pem(own))
    assert not report["ok"] and report["reasons"] == ["foreign"]
