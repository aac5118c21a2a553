"""ZIP archives as folders of a batch: every file in them comes to its end, and no name leads out."""

from __future__ import annotations

import base64
import io
import struct
import time
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import format_kit as kit
from ingest_kit import check_whole, counts, holds_words, ingest, letter
from jiyao.common.limits import DEFAULT_LIMITS, Limits
from jiyao.formats.fault import FormatFault
from jiyao.formats.zip_entries import entries_of, opened_archive, read_entry, safe_label
from jiyao.models.tables import Clear
from jiyao.pipeline.intake import inbox
from jiyao.pipeline.intake.runner import BatchRun, Request
from jiyao.pipeline.intake.source_file import outside_scope, path_of
from jiyao.pipeline.intake.unpack import looks_like_archive, outer_of
from jiyao.stages.unpack import unpack
from room_kit import Room

SYMLINK = 0o120777 << 16


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def gbk(data: bytes, *names: str) -> bytes:
    """The same archive with its UTF-8 marks off and these names in GBK, as Chinese Windows writes them."""
    for name in names:
        raw, utf8 = name.encode("gbk"), name.encode()
        assert len(raw) <= len(utf8)
        data = data.replace(utf8, raw + b" " * 0 + b"_" * (len(utf8) - len(raw)))
    out = bytearray(data)
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(magic)
        while at >= 0:
            (flags,) = struct.unpack_from("<H", out, at + place)
            struct.pack_into("<H", out, at + place, flags & ~0x800)
            at = out.find(magic, at + 4)
    return bytes(out)


def labels(data: bytes) -> list[tuple[str, str | None]]:
    with opened_archive(data) as archive:
        return [(e.label, e.fault) for e in entries_of(archive, len(data), DEFAULT_LIMITS)]


@pytest.mark.req("R-001")
def test_files_in_natural_order_folders_and_leavings_left_out() -> None:
    names = ["10.pdf", "2.pdf", "甲/", "甲/1.pdf", "__MACOSX/._2.pdf", ".DS_Store", "甲\\2.pdf", "Thumbs.db"]
    assert [label for label, _ in labels(zipped(*((name, b"x") for name in names)))] == [
        "2.pdf", "10.pdf", "甲/1.pdf", "甲/2.pdf",
    ]  # fmt: skip


def test_names_of_chinese_windows() -> None:
    data = gbk(zipped(("关于样例的通知.pdf", b"x"), ("附件一.docx", b"y")), "关于样例的通知", "附件一")
    assert {label.replace("_", "") for label, _ in labels(data)} == {"关于样例的通知.pdf", "附件一.docx"}


def test_tricks_are_named_and_doubled_names_kept_apart() -> None:
    link = zipfile.ZipInfo("a.pdf")
    link.external_attr = SYMLINK
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(
            ("../../etc/passwd", b"x"), ("/abs.pdf", b"x"), ("C:\\x.pdf", b"x"), (link, b"/etc/passwd"),
            ("同.pdf", b"1"), ("同.pdf", b"2"), ("空.pdf", b""),
        )  # fmt: skip
    found = dict(labels(data))
    assert found == {
        "__/__/etc/passwd": "archive_entry_path", "abs.pdf": "archive_entry_path",
        "C_/x.pdf": "archive_entry_path", "a.pdf": "archive_entry_link", "同.pdf": None, "(2)/同.pdf": None,
        "空.pdf": "empty_file",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped(), "archive_empty"),
        (zipped(("dir/", b"")), "archive_empty"),
        (zipped(*((f"{n}", b"") for n in range(5001))), "unpack_bomb"),
        (zipped(("big", b"\0" * 3_000_000)), "unpack_bomb"),
    ],
    ids=["empty", "folders", "many", "large"],
)
def test_archives_that_open_to_nothing(data: bytes, code: str) -> None:
    with pytest.raises(FormatFault) as fault, opened_archive(data) as archive:
        entries_of(archive, len(data), Limits(unpacked_bytes=2_000_000))
    assert fault.value.code == code


@settings(max_examples=200)
@given(
    st.text(st.characters(codec="utf-8"), max_size=80),
    st.sampled_from(["", "../", "/", "C:\\", "..\\", "./"]),
)
def test_no_label_leads_out(name: str, before: str) -> None:
    label = safe_label(before + name)
    parts = PurePosixPath(label).parts
    assert parts and not PurePosixPath(label).is_absolute() and ".." not in parts
    assert not any(ord(char) < 32 or char == "\x7f" for char in label)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20, unique=True))
def test_numbers_in_names_go_by_value(numbers: list[int]) -> None:
    data = zipped(*((f"件{number}.pdf", b"x") for number in numbers))
    assert [label for label, _ in labels(data)] == [f"件{number}.pdf" for number in sorted(numbers)]


@settings(max_examples=150)
@given(st.binary(min_size=1, max_size=4), st.integers(0, 400))
def test_a_broken_archive_ends_in_a_named_fault(change: bytes, at: int) -> None:
    data = zipped(("a.pdf", b"one" * 20), ("b.pdf", b"two" * 20))
    broken = data[: at % len(data)] + change + data[at % len(data) + len(change) :]
    outcome, _ = unpack(broken, first=0, passwords=(), limits=DEFAULT_LIMITS)
    assert getattr(outcome, "code", "ok") in (
        "ok", "damaged_file", "unpack_bomb", "not_an_archive", "archive_empty", "encrypted_file",
    )  # fmt: skip


def test_handfuls_are_bounded_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiyao.stages.unpack.CHUNK", 10)
    data = zipped(*((f"{n}", b"x" * 6) for n in range(5)))
    seen, at = [], 0
    while at is not None:
        outcome, pieces = unpack(data, first=at, passwords=(), limits=DEFAULT_LIMITS)
        assert len(pieces) <= 12
        seen += [entry["label"] for entry in outcome.value["entries"]]  # type: ignore[union-attr]
        at = outcome.value["next"]  # type: ignore[union-attr]
    assert seen == ["0", "1", "2", "3", "4"]


def test_what_is_asked_of_a_worker() -> None:
    assert looks_like_archive(zipped(("a.docx", kit.docx("")), method=zipfile.ZIP_STORED))
    assert not looks_like_archive(kit.docx(kit.paragraph("文")))
    assert not looks_like_archive(b"%PDF-1.4")


# ---------------------------------------------------------------- through the batch


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "room")


@pytest.fixture
def letters(tmp_path: Path) -> list[bytes]:
    return [
        letter(
            tmp_path / "made", f"{n}.docx", title=f"关于第{n}批样例的函", number=f"乌有函〔2026〕{n}号"
        ).read_bytes()
        for n in (1, 2, 3)
    ]


@pytest.mark.req("R-001")
def test_an_archive_in_the_inbox(tmp_path: Path, room: Room, letters: list[bytes]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    one, two, three = letters
    path = folder / "来件.zip"
    path.write_bytes(
        zipped(("乙/2.docx", two), ("1.docx", one), ("内.zip", zipped(("3.docx", three), ("又1.docx", one))),
               ("../外.docx", one), ("坏.pdf", b"%PDF-1.4 nothing"))
    )  # fmt: skip
    answer = ingest(room, folder, consume=True)
    assert counts(answer) == {"received": 6, "pending": 3, "duplicate": 1, "quarantined": 1, "failed": 1}
    assert [item["source_name"] for item in answer["documents"]] == ["1.docx", "2.docx", "3.docx"]
    problems = {item["path"].removeprefix(f"{path}!/"): item["code"] for item in answer["problems"]}
    assert problems == {
        "__/外.docx": "archive_entry_path", "坏.pdf": "damaged_file", "内.zip!/又1.docx": "duplicate",
    }  # fmt: skip
    assert path.exists(), "one file of it is not kept"
    with room.station.read() as session:
        (place,) = outside_scope(room.station, session, answer["documents"][1]["id"])
        assert path_of(room.station, session, place["clear"]) == f"{path}!/乙/2.docx"
    assert holds_words(room.home, "样例材料".encode()) == []
    check_whole(room)


def test_consumed_when_every_file_is_sealed(tmp_path: Path, room: Room, letters: list[bytes]) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("1.docx", letters[0]), ("2.docx", letters[1]), ("坏.pdf", b"%PDF-1.4 nothing")))
    answer = ingest(room, path, consume=True)
    assert counts(answer) == {"received": 3, "pending": 2, "quarantined": 1}
    assert not path.exists()
    with room.station.read() as session:
        assert {row.state for row in session.query(Clear)} == {"erased"}
        assert outside_scope(room.station, session, answer["documents"][0]["id"]) == []
    assert outer_of(path.with_name("a.zip!") / "1.docx") is None


def test_a_hot_folder_opens_archives(
    tmp_path: Path, room: Room, letters: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0.05)
    hot = tmp_path / "hot"
    hot.mkdir()
    path = hot / "a.zip"
    path.write_bytes(zipped(("1.docx", letters[0]), ("2.docx", letters[1])))
    end = time.monotonic() + 60
    request = Request(jobs=1, consume=True)
    with BatchRun(room.station, room.as_("clerk", "ingest"), request) as run:
        run.process(inbox.watch([hot], lambda: not path.exists() or time.monotonic() > end, quiet=0.2))
        answer = run.answer()
    assert counts(answer) == {"received": 2, "pending": 2}
    assert not path.exists(), "gone while the folder is still watched"


def test_an_archive_that_cannot_be_opened_is_kept_with_its_reason(tmp_path: Path, room: Room) -> None:
    (tmp_path / "空.zip").write_bytes(zipped(("d/", b"")))
    (tmp_path / "坏.zip").write_bytes(b"PK\x03\x04" + b"nothing" * 9)
    answer = ingest(room, tmp_path / "空.zip", tmp_path / "坏.zip", consume=True)
    assert [item["code"] for item in answer["problems"]] == ["archive_empty", "damaged_file"]
    assert counts(answer) == {"received": 2, "quarantined": 2}
    assert (tmp_path / "空.zip").exists()


def test_archives_three_deep_are_refused(tmp_path: Path, room: Room, letters: list[bytes]) -> None:
    inner = zipped(("c.zip", zipped(("1.docx", letters[0]))))
    (tmp_path / "a.zip").write_bytes(zipped(("b.zip", inner), ("2.docx", letters[1])))
    answer = ingest(room, tmp_path / "a.zip")
    assert [item["code"] for item in answer["problems"]] == ["archive_too_deep"]
    assert counts(answer) == {"received": 2, "pending": 1, "failed": 1}


AES = (  # made by another program (WinZip AES-256); password: kouling
    "UEsDBBQAAQhjAFAhdl0AAAAANAAAAFQBAAAKAAsA5a+G5Lu2LnR4dAGZBwACAEFFAwgA3SllAtwRSPHMNP238wCm7FUZmRy4"
    "UQ8Qflt1YgzZHXqKVmAteGptqjbBVlT4YiO6zTU471BLAQIUAxQAAQhjAFAhdl0AAAAANAAAAFQBAAAKAAsAAAAAAAAAAACA"
    "AQAAAADlr4bku7YudHh0AZkHAAIAQUUDCABQSwUGAAAAAAEAAQBDAAAAZwAAAAAA"
)
ZIPCRYPTO = (  # made by Info-ZIP; the same password
    "UEsDBBQACQAIAFEhdl3XwRISJAAAAFQBAAAFABwAZS50eHRVVAkAAzlrAms5awJrdXgLAAEEAAAAAAQAAAAA7+G5uZ58iSp7"
    "FGTAtOMTxN1f1onqH/ExSiMHZiIxUfQv5VWTUEsHCNfBEhIkAAAAVAEAAFBLAQIeAxQACQAIAFEhdl3XwRISJAAAAFQBAAAF"
    "ABgAAAAAAAEAAACkgQAAAABlLnR4dFVUBQADOWsCa3V4CwABBAAAAAAEAAAAAFBLBQYAAAAAAQABAEsAAABzAAAAAAA="
)


@pytest.mark.parametrize("made", [AES, ZIPCRYPTO], ids=["aes", "zipcrypto"])
def test_encrypted_entries(made: str) -> None:
    data = base64.b64decode(made)
    with opened_archive(data) as archive:
        (entry,) = entries_of(archive, len(data), DEFAULT_LIMITS)
        assert read_entry(archive, data, entry, ["wrong", "kouling"]) == b"jiyao test entry\n" * 20
        for passwords, code in (((), "encrypted_file"), (("nein",), "wrong_file_password")):
            with pytest.raises(FormatFault) as fault:
                read_entry(archive, data, entry, passwords)
            assert fault.value.code == code
