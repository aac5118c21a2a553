"""Encrypted files opened by a password that the sender gave; the sealed original stays as it came."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest
from msoffcrypto.format.ooxml import OOXMLFile
from pypdf import PdfReader, PdfWriter

import format_kit as kit
from ingest_kit import counts, holds_words, ingest, letter
from jiyao.common.errors import NotThere, Refused
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.fault import FormatFault
from jiyao.formats.open import open_document
from jiyao.formats.unlock import open_locked, unlock
from jiyao.pipeline.intake.file_passwords import VARIABLE, FilePasswords
from jiyao.pipeline.intake.judgement import load_judgement, open_artefact
from room import Room as CommandRoom
from room_kit import Room

WORD = "口令 Kou-ling 88"
DEFAULT_IN_THE_INDEX = "docx/060_protected_agile.docx"
"""The index names another password; the file is sealed with the one that every reader tries by itself."""


def locked(data: bytes, password: str = WORD) -> bytes:
    """A package encrypted by another program's agile encryption."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()


def locked_pdf(data: bytes, password: str = WORD) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "file-passwords"
    path.write_text(f"别的*.docx:nein\n*.docx:falsch\n*.docx:{WORD}\n密:件.pdf\nx\n", "utf-8")
    path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_the_file_of_passwords(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = FilePasswords.load()
    assert known.of(Path("/in/1.docx")) == ("falsch", WORD)
    assert known.of(Path("/in/别的1.docx")) == ("nein", "falsch", WORD)
    assert known.of(Path("/in/1.pdf")) == ()
    assert WORD not in repr(known)
    lines.chmod(0o644)
    with pytest.raises(Refused):
        FilePasswords.load()
    monkeypatch.setenv(VARIABLE, str(lines) + "x")
    with pytest.raises(NotThere):
        FilePasswords.load()
    monkeypatch.delenv(VARIABLE)
    assert FilePasswords.load().of(Path("1.docx")) == ()


def test_kinds_and_their_faults() -> None:
    # The program that encrypts here writes packages of less than 4 KiB wrongly.
    plain = kit.docx(kit.paragraph("关于样例的通知"), parts={"word/x.bin": random.Random(1).randbytes(6000)})
    for sealed in (locked(plain), locked_pdf(kit.pdf(kit.shown("Hello there")))):
        opened, clear, which = open_locked(sealed, ["x", WORD], limits=DEFAULT_LIMITS)
        assert (which, opened.protection, opened.page_count) == (1, "read", 1)
        assert [item.code for item in opened.findings] == ["opened_with_password"]
        assert open_document(clear, limits=DEFAULT_LIMITS).protection == "none"
        for given, code in (([], "encrypted_file"), (["x"], "wrong_file_password")):
            with pytest.raises(FormatFault) as fault:
                open_locked(sealed, given, limits=DEFAULT_LIMITS)
            assert fault.value.code == code
            assert "x" not in fault.value.detail
    assert unlock(locked(plain), [WORD], limits=DEFAULT_LIMITS)[0] == plain


def test_the_real_ones(shared: Path) -> None:
    root = shared / "data" / "torture"
    with (root / "index.csv").open(encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["password"]]
    assert len(rows) >= 12
    for row in rows:
        data = (root / row["path"]).read_bytes()
        opened, _, which = open_locked(data, ["wrong", row["password"]], limits=DEFAULT_LIMITS)
        assert which == (None if row["path"] == DEFAULT_IN_THE_INDEX else 1), row["path"]
        assert opened.page_count >= 1
        opened.close()


@pytest.mark.req("R-001")
def test_a_batch_with_encrypted_files(tmp_path: Path, lines: Path) -> None:
    place = Room(tmp_path / "room")
    inbox = tmp_path / "in"
    sealed = locked(letter(tmp_path / "made", "1.docx").read_bytes())
    inbox.mkdir()
    (inbox / "密件.docx").write_bytes(sealed)
    (inbox / "无口令.pdf").write_bytes(locked_pdf(kit.pdf(kit.shown("x"))))
    answer = ingest(place, inbox)
    assert counts(answer) == {"received": 2, "pending": 1, "quarantined": 1}
    assert [item["code"] for item in answer["problems"]] == ["encrypted_file"]
    (paper,) = answer["documents"]
    assert paper["title"] == "关于报送样例材料的函"
    assert "opened_with_password" in {item["code"] for item in paper["findings"]}
    with place.station.read() as session:
        assert open_artefact(place.station, session, paper["id"], "original") == sealed
        judgement = load_judgement(place.station, session, paper["id"])
    assert judgement is not None and judgement.passwords == [WORD]
    assert WORD not in repr(judgement) and WORD not in repr(answer)
    assert holds_words(place.home, WORD.encode(), WORD.encode("utf-16-le")) == []
    lines.write_text(f"*:{WORD}\n", "utf-8")
    again = ingest(place, inbox)
    assert counts(again) == {"received": 2, "pending": 1, "duplicate": 1}


@pytest.mark.slow
def test_sheet_and_copy_of_an_encrypted_original(room: CommandRoom, lines: Path) -> None:
    path = room.letter("密.docx", mark="秘密★10年")
    path.write_bytes(locked(path.read_bytes()))
    taken = room.ok("ingest", path, "--jobs", "1", **{VARIABLE: str(lines)})
    document = taken["documents"][0]
    sheet = room.ok("review", "sheet", document["batch"], "--out", room.base / "sheet.pdf")
    assert Path(sheet["file"]).read_bytes().startswith(b"%PDF")
    room.confirm(document["id"])
    (copy,) = room.issue(document["id"], "li.si")
    assert len(PdfReader(copy["file"]).pages) == document["pages"]
    assert not PdfReader(copy["file"]).is_encrypted
