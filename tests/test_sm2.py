"""The room's SM2 signature (docs/spec/certificate.md, SM2): made by one program, checked by two that know nothing of
it; its key made once, kept sealed, carried along by rotations and restores, and owned up to where it is not there."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from certificate_kit import Case, station
from jiyao.common.errors import Broken, JiyaoError, MissingTool
from jiyao.ledger import certificate_sm2
from jiyao.models.certificate import claims
from jiyao.models.tables import LedgerEntry, Meta
from jiyao.pipeline.persons import actors
from jiyao.pipeline.station import authority, backup, doctor_secrets, rekey, sm2_key
from jiyao.pipeline.station.founding import Plan, found_station
from jiyao.pipeline.station.station import Station
from jiyao.stages import certify as stage
from jiyao.vault import sm2
from room_kit import PASSPHRASE, SECRETS, HandClock
from tools.sm2_vectors import openssl_says, pkeyutl

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "sm2.json").read_text("utf-8")
)["cases"]
LIBRARY = pytest.mark.skipif(not sm2.available(), reason="gmalg is not installed")


def ours(case: dict[str, Any]) -> bool:
    key, data, signature = (bytes.fromhex(case[name]) for name in ("key", "data", "signature"))
    return certificate_sm2.holds(key, data, signature)


def knows_sm2(folder: Path) -> bool:
    return openssl_says(VECTORS[0], folder) is True


@pytest.mark.req("R-116", "R-142")
def test_each_vector_has_its_verdict(tmp_path: Path) -> None:
    for case in VECTORS:
        assert ours(case) is case["holds"], case["name"]
    assert len(VECTORS) > 20
    if not knows_sm2(tmp_path):
        pytest.skip("no openssl here that knows SM2")
    for case in VECTORS:
        said = openssl_says(case, tmp_path)
        # the same key written shorter is right for openssl; here there is one encoding
        assert said is (case["holds"] or case["name"] == "key compressed"), case["name"]
    assert not openssl_says(VECTORS[1], tmp_path, distid="1234567812345679")


@pytest.mark.req("R-116", "R-142")
def test_what_openssl_signs_is_taken_and_what_we_sign_is_taken_by_it(tmp_path: Path) -> None:
    if not knows_sm2(tmp_path):
        pytest.skip("no openssl here that knows SM2")

    def run(*words: str) -> bytes:
        return subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, check=True).stdout

    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "own.pem")
    key = run("pkey", "-in", "own.pem", "-pubout", "-outform", "DER")
    (tmp_path / "data").write_bytes("证明数据".encode() * 999)
    run(
        "pkeyutl", "-sign", "-inkey", "own.pem", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678",
        "-in", "data", "-out", "signature",
    )  # fmt: skip
    data, signature = (tmp_path / "data").read_bytes(), (tmp_path / "signature").read_bytes()
    assert certificate_sm2.holds(key, data, signature)
    assert not certificate_sm2.holds(key, data + b".", signature)
    if not sm2.available():
        return
    room = station().sm2()
    (tmp_path / "signature").write_bytes(sm2.sign(data, room.private))
    (tmp_path / "sm2.cer").write_bytes(room.certificate_der)
    assert pkeyutl(tmp_path, "-certin", "-keyform", "DER", "-inkey", "sm2.cer")
    (tmp_path / "ca.pem").write_bytes(station().ca.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "sm2.pem").write_bytes(
        x509.load_der_x509_certificate(room.certificate_der).public_bytes(Encoding.PEM)
    )
    at = str(int(Case().parts()["signed_at"].timestamp()))
    assert b"OK" in run("verify", "-CAfile", "ca.pem", "-attime", at, "sm2.pem")


def test_the_hash_is_the_same_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library's OpenSSL has no SM3 nothing goes unchecked."""
    samples = [bytes(range(256))[:length] for length in (0, 3, 55, 56, 63, 64, 65, 119, 120, 200)]
    quick = [certificate_sm2.sm3(sample) for sample in samples]
    assert quick == [certificate_sm2.sm3_slow(sample) for sample in samples]

    def refuse() -> None:
        raise UnsupportedAlgorithm("SM3")

    monkeypatch.setattr(certificate_sm2.hashes, "SM3", refuse)
    assert certificate_sm2.sm3(b"abc") == certificate_sm2.sm3_slow(b"abc")
    assert ours(VECTORS[0]) and not ours(VECTORS[2])


@LIBRARY
@pytest.mark.req("R-142")
def test_each_signature_has_a_number_of_its_own_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    key = sm2.make_key()
    public, real = sm2.public_of(key), sm2.secrets.randbits
    first, second = sm2.sign(b"data", key), sm2.sign(b"data", key)
    assert first != second and certificate_sm2.holds(public, b"data", first)
    drawn: list[int] = []

    def draw(bits: int) -> int:
        # out of range, twice: drawn again, not cut to fit
        drawn.append([0, certificate_sm2.N, real(bits)][min(len(drawn), 2)])
        return drawn[-1]

    monkeypatch.setattr(sm2.secrets, "randbits", draw)
    assert certificate_sm2.holds(public, b"data", sm2.sign(b"data", key))
    assert len(drawn) >= 3


@LIBRARY
def test_a_library_that_errs_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for bad in (bytes(32), (certificate_sm2.N - 1).to_bytes(32, "big"), bytes(31), b"\xff" * 32):
        with pytest.raises(Broken, match="signing_key_broken"):
            sm2.sign(b"data", bytearray(bad))

    class Wrong:
        def sign(self, *_: object) -> tuple[int, int]:
            return 1, 1

    monkeypatch.setattr(sm2, "_core", lambda _draw: Wrong())
    assert not sm2.available.__wrapped__()

    def absent(_draw: object) -> None:
        raise MissingTool("sm2_library_missing")

    monkeypatch.setattr(sm2, "_core", absent)
    assert not sm2.available.__wrapped__()


@LIBRARY
@pytest.mark.req("R-116", "R-127")
def test_a_wrong_signature_is_never_issued(monkeypatch: pytest.MonkeyPatch) -> None:
    key, other = station().sm2(), station().sm2()
    parts = Case(items=1, sm2=key).parts()
    for given in (other, None):
        with pytest.raises(ValueError, match="another SM2 key"):
            stage.certify(**{**parts, "sm2": given})
    monkeypatch.setattr(stage, "draw", _page)
    monkeypatch.setattr(stage, "sign", lambda data, _key: sm2.sign(data + b" ", key.private))
    with pytest.raises(Broken, match="certificate_not_valid"):
        stage.certify(**parts)


def test_the_face_says_what_was_made_and_claims_no_approval() -> None:
    for case, claim in (
        (Case(sm2="no_key"), "claim_sm2_no_key"),
        (Case(sm2="no_library"), "claim_sm2_no_library"),
    ):
        record = case.parts()["record"]
        assert claim in claims(record) and "没有 SM2 签名" in record.to_value()["words"]["claim"][claim]
    assert "sm2" not in Case().parts()["record"].to_value()
    if sm2.available():
        record = Case(sm2=station().sm2()).parts()["record"]
        said = record.to_value()["words"]["claim"]["claim_sm2_signed"]
        assert "未经商用密码产品检测认证" in said and "不作合规声明" in said


# ---------------------------------------------------------------- the station's key


def founded(base: Path, suite: str = "sm") -> Station:
    plan = Plan(unit="样例局", kdf="test", suite=suite, single_root=True)
    found_station(base / "home", plan, SECRETS, clock=HandClock())
    return opened(base / "home")


def opened(home: Path) -> Station:
    made = Station.open(home, clock=HandClock())
    made.unlock(PASSPHRASE)
    return made


def signs(own: Station) -> str:
    """Signs something with the room's key; the digest of its certificate, which the authority must have given."""
    with own.read() as session:
        key = sm2_key.credential(own, session)
        certificate = x509.load_der_x509_certificate(key.certificate_der)
        certificate.verify_directly_issued_by(authority.certificate(session, "ca"))
    public = sm2.public_of(key.private)
    assert public in key.certificate_der and certificate_sm2.holds(public, b"x", sm2.sign(b"x", key.private))
    return hashlib.sha256(key.certificate_der).hexdigest()


def command(own: Station, out: Path | None = None) -> dict[str, Any]:
    return sm2_key.command(own, actors.enter(own, user="sysadmin", act="vault.sm2", secrets=SECRETS), out=out)


@LIBRARY
@pytest.mark.req("R-142", "R-146")
def test_the_key_is_made_once_and_carried_along(tmp_path: Path) -> None:
    own = founded(tmp_path)
    digest = signs(own)
    with own.read() as session:
        leaf = session.scalars(select(LedgerEntry.leaf).where(LedgerEntry.act == "init")).one()
        private = sm2_key.credential(own, session).private
    assert json.loads(leaf)["facts"]["sm2_sha256"] == digest
    assert bytes(private) not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    there = command(own, tmp_path / "sm2.pem")
    assert (there["state"], there["certificate_sha256"], there["library"]) == ("there", digest, True)
    pem = x509.load_pem_x509_certificate((tmp_path / "sm2.pem").read_bytes())
    assert hashlib.sha256(pem.public_bytes(Encoding.DER)).hexdigest() == digest
    assert doctor_secrets.sm2(own)[0] and digest in str(doctor_secrets.sm2(own)[1])

    for user in ("sysadmin", "secadmin"):
        rekey.rekey(own, actors.enter(own, user=user, act="vault.rekey", secrets=SECRETS))
    assert signs(opened(own.home)) == digest
    file = tmp_path / "backup"
    backup.create(own, actors.enter(own, user="sysadmin", act="backup", secrets=SECRETS), out=file)
    own.engine.dispose()
    own.home.rename(tmp_path / "old")
    for user in ("sysadmin", "secadmin"):
        backup.restore(own.home, file, user=user, secrets=SECRETS, clock=HandClock())
    assert signs(opened(own.home)) == digest


@LIBRARY
@pytest.mark.req("R-142")
def test_a_station_without_the_key_says_so_and_gets_one_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sm2, "available", lambda: False)
        own = founded(tmp_path)
        with own.read() as session:
            fact = sm2_key.fact(own, session)
        assert fact is not None and (fact.state, fact.reason) == ("none", "no_key")
        with pytest.raises(MissingTool) as caught:
            command(own)
        assert (caught.value.code, caught.value.exit_code) == ("sm2_library_missing", 9)
        assert doctor_secrets.sm2(own) == (False, "doctor_sm2_no_key", "doctor_fix_sm2_no_key")
    made = command(own)
    assert made["state"] == "made" and signs(own) == made["certificate_sha256"]
    monkeypatch.setattr(sm2, "available", lambda: False)
    with own.read() as session:
        fact = sm2_key.fact(own, session)
    assert fact is not None and (fact.state, fact.reason) == ("none", "no_library")
    assert command(own)["state"] == "there", "its certificate can be had all the same"


def test_other_suites_have_none(tmp_path: Path) -> None:
    own = founded(tmp_path, "aes")
    with own.read() as session:
        assert sm2_key.fact(own, session) is None and session.get(Meta, "key.sm2") is None
    with pytest.raises(JiyaoError) as caught:
        command(own)
    assert (caught.value.code, caught.value.exit_code) == ("sm2_other_suite", 4)
    assert doctor_secrets.sm2(own) == (True, "doctor_sm2_unused", "")


def _page(**given: Any) -> bytes:
    from tools.certificate_vectors import _page

    return _page(**given)
