"""A whole day of a station with the Chinese ciphers, its root on a token: taken in, read, handed out, destroyed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pypdf
import pytest

from jiyao.common.settings import load
from jiyao.ledger.certificate_der import public_key
from jiyao.vault import sm2
from room import Room
from token_kit import PIN, SoftToken, soft
from tools.sm2_vectors import openssl_says

__all__ = ["soft"]


@pytest.mark.req("R-116", "R-142")
def test_a_day_under_sm_with_a_token(soft: SoftToken, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    uri = soft.uri("jy", f"pin-source=file:{pin}", "jiyao-backups=none")
    room = Room.make(tmp_path / "room", init=("--suite", "sm", "--root", uri, "--single-root"))
    assert load(room.home).root_kind == "pkcs11"
    text = (room.home / "station.json").read_text("utf-8")
    assert PIN not in text and json.loads(text)["suite"] == "sm"
    taken = room.ok(
        "ingest",
        room.letter(),
        room.letter("2.docx", title="关于样张二的函", number="样函〔2026〕8号"),
        "--jobs",
        "1",
    )
    document, other = taken["documents"]
    room.confirm(document["id"], retention="不归档")
    room.confirm(other["id"])
    assert {path.read_bytes()[8] for path in (room.home / "blobs").rglob("*.jyb")} == {2}
    room.ok("documents", "text", document["id"])
    (copy,) = room.issue(other["id"], "reader")
    returned = room.ok("copies", "return", copy["copy"])["copies"]
    assert returned[0]["status"] == "returned"
    batch = room.destroy(document["id"], reason="no_filing_value")
    assert batch["state"] == "certified"
    written = room.ok("certificate", "show", batch["id"], "--out", room.base / "c.pdf")
    verified = room.ok(
        "certificate",
        "verify",
        room.base / "c.pdf",
        "--trust",
        written["ca"],
        "--proof",
        written["proof"],
        user=None,
    )
    assert verified["valid"] and verified["trusted"]
    reader = pypdf.PdfReader(room.base / "c.pdf")
    if sm2.available():
        assert verified["sm2"] == "sm2_checked"
        for name, to in {
            "certificate.json": "data",
            "certificate.sm2": "signature",
            "sm2.cer": "sm2.cer",
        }.items():
            (tmp_path / to).write_bytes(reader.attachments[name][0])
        made = {"key": public_key((tmp_path / "sm2.cer").read_bytes()).hex()}
        made |= {name: (tmp_path / name).read_bytes().hex() for name in ("data", "signature")}
        assert openssl_says(made, tmp_path) in (True, None)
        digest = hashlib.sha256((tmp_path / "sm2.cer").read_bytes()).hexdigest()
        assert digest in "".join(page.extract_text() for page in reader.pages[:2]).replace("\n", "").replace(
            "\0", ""
        )
        assert room.ok("vault", "sm2", user="sysadmin")["certificate_sha256"] == digest
    record = json.loads(next(data[0] for name, data in reader.attachments.items() if name.endswith(".json")))
    assert record["suite"] == "sm"
    assert (record["root"]["kind"], record["root"]["root_class"]) == ("pkcs11", "R5")
    assert record["root"]["erased"] == "claim_destroyed_unproven"
    assert record["root"]["reasons"] == ["token_software"]
    room.refused("documents", "text", document["id"], exit=3, code="no_text")
    assert room.ok("documents", "text", other["id"])
    doctor = room.ok("doctor", user=None)
    checks = {check["name"]: check for check in doctor["checks"]}
    assert "R5" in checks["root"]["detail"] and not checks["root"]["ok"]
    assert checks["suite"]["ok"] and checks["suite"]["detail"].startswith("sm")
    pin.write_text("wrong-pin\n")
    soft.refresh()
    assert room.refused("documents", "text", other["id"], exit=5)["error"]["code"] == "token_pin"
    everything = b"".join(path.read_bytes() for path in room.home.rglob("*") if path.is_file())
    assert PIN.encode() not in everything and b"wrong-pin" not in everything


def test_init_says_each_class(soft: SoftToken, tmp_path: Path) -> None:
    room = Room(base=tmp_path / "room")
    room.base.mkdir()
    room._secrets()
    room.extra["JIYAO_TOKEN_PIN"] = PIN
    value = room.ok(
        "init", "--kdf", "test", "--root", soft.uri("jy"), "--mirror", tmp_path / "file", user=None
    )
    assert value["root"]["kind"] == "pkcs11" and value["root"]["class"] == "R5"
    assert value["root"]["each"][0]["reasons"] == ["token_software"]
    assert (tmp_path / "file" / "root.jyr").is_file()
    soft.take_away("jy")
    soft.refresh()
    checks = {check["name"]: check for check in room.ok("doctor", user=None)["checks"]}
    assert not checks["root"]["ok"] and "不在" in checks["root"]["detail"]


@pytest.mark.parametrize("answer", ["", "wrong"])
def test_a_refused_pin_founds_nothing(soft: SoftToken, tmp_path: Path, answer: str) -> None:
    room = Room(base=tmp_path / "room")
    room.base.mkdir()
    room._secrets()
    room.extra["JIYAO_TOKEN_PIN"] = answer
    room.refused("init", "--kdf", "test", "--root", soft.uri("jy"), "--single-root", user=None, exit=5)
    assert not room.home.exists()
