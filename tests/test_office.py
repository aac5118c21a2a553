"""Office documents by way of LibreOffice: read where it is installed, named where it is not; what they hide is said."""

from __future__ import annotations

import io
import stat
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ingest_kit import check_whole, counts, ingest
from jiyao.common.limits import DEFAULT_LIMITS, Limits
from jiyao.formats import office_convert
from jiyao.formats.fault import FormatFault
from jiyao.formats.office_convert import converter
from jiyao.formats.office_hidden import look_inside
from jiyao.formats.open import open_document
from jiyao.formats.opened import OpenedDocument
from jiyao.formats.sniff import sniff
from jiyao.pipeline.intake.executor import Job, LocalExecutor
from room_kit import Room

needs_office = pytest.mark.skipif(converter() is None, reason="LibreOffice is not installed")
PATIENT = replace(DEFAULT_LIMITS, seconds_per_document=400.0)
"""LibreOffice starts slowly on a busy machine: how long it takes is told apart from what it gives."""

RTF = (
    rb"{\rtf1\ansi\ansicpg936\deff0{\fonttbl{\f0 SimSun;}}\f0\fs32 "
    rb"\u20113?\u20110?\u26679?\u20363?\u30340?\u36890?\u30693?\par {\v hidden words}{\deleted gone}\par}"
)
ODT_WORDS = "关于报送样例材料的函"


def odt(content: str, *, manifest: str = "", parts: dict[str, str] | None = None) -> bytes:
    """A small text document as ODF."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.text"/>'
            f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>{manifest}'
            "</manifest:manifest>",
        )
        package.writestr(
            "content.xml",
            '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
            'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
            'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
            'office:version="1.3"><office:body><office:text>'
            f"{content}</office:text></office:body></office:document-content>",
        )
        for name, data in (parts or {}).items():
            package.writestr(name, data)
    return out.getvalue()


def sheet() -> bytes:
    """A workbook with a hidden sheet, hidden rows, a comment and a link."""
    book = openpyxl.Workbook()
    book.active.append(["样例统计表", "一", "二"])
    book.active.append(["合计", 12, 34])
    book.active.row_dimensions[2].hidden = True
    book.active["A1"].comment = openpyxl.comments.Comment("批注", "某人")
    book.active["B1"].hyperlink = "http://example.invalid/x"
    hidden = book.create_sheet("暗")
    hidden["A1"] = "机密★10年"
    hidden.sheet_state = "veryHidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def words(opened: OpenedDocument) -> str:
    return "".join(line.text for n in range(1, opened.page_count + 1) for line in opened.text_lines(n) or ())


def codes(data: bytes) -> set[str]:
    return {item.code for item in look_inside(data, sniff(data).kind, DEFAULT_LIMITS).findings}


@needs_office
@pytest.mark.req("R-001")
@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (RTF, "rtf", "五份样例的通知"[2:]),
        (odt(f"<text:p>{ODT_WORDS}</text:p>"), "odt", ODT_WORDS),
        (sheet(), "xlsx", "样例统计表"),
    ],
    ids=["rtf", "odt", "xlsx"],
)
def test_words_and_pages(data: bytes, kind: str, text: str) -> None:
    opened = open_document(data, limits=PATIENT)
    assert (opened.kind, opened.page_count) == (kind, 1)
    assert text in words(opened)
    assert opened.render(1, 50).shape[2] == 3
    assert "暗" not in words(opened) and "hidden" not in words(opened) and "合计" not in words(opened)
    opened.close()


@needs_office
def test_the_real_ones(shared: Path) -> None:
    root = shared / "data" / "torture"
    for name, kind, text in (
        ("rtf/612_testRTF.rtf", "rtf", "Test"), ("xlsx/693_testEXCEL.xlsx", "xlsx", "Sample Excel Worksheet"),
        ("docm/023_earch.perl.org_src_tobyink_acme-rundoc-0.001_word-lib_hello_world.docm", "doc", "package Hello"),
        ("pptx/611_testWPSAttachment.pptx", "pptx", "PDF.pdf"),
    ):  # fmt: skip
        opened = open_document((root / name).read_bytes(), limits=PATIENT)
        assert opened.kind == kind and text in words(opened), name
        opened.close()


def test_without_libreoffice_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_convert.shutil, "which", lambda _name: None)
    with pytest.raises(FormatFault) as fault:
        open_document(RTF, limits=DEFAULT_LIMITS)
    assert (fault.value.code, fault.value.detail) == ("unsupported_format", "rtf")


def test_what_originals_hide() -> None:
    assert codes(sheet()) == {
        "hidden_sheets",
        "hidden_rows",
        "comments_inside",
        "hidden_mark",
        "external_links",
    }
    busy = odt(
        '<text:tracked-changes><text:changed-region><text:deletion/></text:changed-region></text:tracked-changes>'
        '<text:section text:display="none"><text:p>绝密★长期</text:p></text:section>'
        '<text:p><text:a xlink:href="http://example.invalid/">x</text:a><office:annotation/></text:p>',
        parts={"Basic/Standard/Module1.xml": "<x/>"},
    )  # fmt: skip
    assert codes(busy) == {
        "tracked_changes", "hidden_text", "hidden_mark", "comments_inside", "external_links", "active_content",
    }  # fmt: skip
    with pytest.raises(FormatFault) as fault:
        look_inside(odt("", manifest="<manifest:encryption-data/>"), "odt", DEFAULT_LIMITS)
    assert fault.value.code == "encrypted_file"
    dangerous = rb"{\rtf1{\*\template http://example.invalid/t.dotm}{\object\objdata 00}{\field{\*\fldinst DDEAUTO c}}}"
    assert look_inside(dangerous, "rtf", DEFAULT_LIMITS).active == ("dde", "embedded_object", "external_data")


@needs_office
@pytest.mark.req("R-022")
def test_no_file_of_the_machine_is_drawn_in(tmp_path: Path) -> None:
    """A link to a local file, as a section and as a picture, stays unread."""
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRETWORDS")
    linked = odt(
        f'<text:section text:name="s"><text:section-source xlink:href="{secret.as_uri()}" xlink:type="simple" '
        'text:filter-name="Text"/><text:p>before</text:p></text:section>'
        f'<text:p><draw:frame svg:width="5cm" svg:height="5cm"><draw:object xlink:href="{secret.as_uri()}"/>'
        "</draw:frame></text:p>"
    )
    opened = open_document(linked, limits=PATIENT)
    assert "TOPSECRET" not in words(opened)
    assert "active_content" in {item.code for item in opened.findings}


@pytest.mark.slow
@needs_office
def test_what_older_kinds_hide() -> None:
    """RTF and the binary kinds are looked into by way of a package that LibreOffice makes."""
    words = {item.code: item.detail for item in open_document(RTF, limits=PATIENT).findings}
    assert words["hidden_text"] == "11" and words["tracked_changes"] == "1"
    marked = RTF.replace(b"hidden words", rb"\u26426?\u23494?\u9733?5\u24180?")
    assert ("hidden_mark", "机密★5年") in {
        (item.code, item.detail) for item in open_document(marked, limits=PATIENT).findings
    }
    old = converted(sheet(), "xlsx", "xls")
    assert old.startswith(b"\xd0\xcf\x11\xe0")
    opened = open_document(old, limits=PATIENT)
    assert opened.kind == "xls"
    assert {"hidden_sheets", "hidden_rows", "comments_inside", "hidden_mark"} <= {
        f.code for f in opened.findings
    }


@needs_office
def test_old_word_and_powerpoint(shared: Path) -> None:
    doc = converted(odt(f"<text:p>{ODT_WORDS}</text:p>"), "odt", "doc")
    opened = open_document(doc, limits=PATIENT)
    assert (opened.kind, words(opened)) == ("doc", ODT_WORDS)
    slides = (shared / "data/torture/pptx/611_testWPSAttachment.pptx").read_bytes()
    old = open_document(converted(slides, "pptx", "ppt"), limits=PATIENT)
    assert (old.kind, "PDF.pdf" in words(old)) == ("ppt", True)
    assert "embedded_object" in old.active


def converted(data: bytes, kind: Any, target: str) -> bytes:
    return office_convert._converted(data, kind, target, target, DEFAULT_LIMITS, 200.0)


@needs_office
def test_no_picture_of_the_machine_is_drawn_in(tmp_path: Path) -> None:
    picture = tmp_path / "red.png"
    Image.new("RGB", (200, 200), "red").save(picture)
    linked = odt(
        '<text:p><draw:frame svg:width="8cm" svg:height="8cm" text:anchor-type="as-char">'
        f'<draw:image xlink:href="{picture.as_uri()}" xlink:type="simple"/></draw:frame></text:p>'
    )
    rtf = (
        rb"{\rtf1 x {\field{\*\fldinst INCLUDEPICTURE \"" + picture.as_uri().encode() + rb"\" }{\fldrslt y}}}"
    )
    for data in (linked, rtf):
        page = open_document(data, limits=PATIENT).render(1, 50).astype(int)
        assert not ((page[..., 0] > 200) & (page[..., 1] < 60)).any()


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(office_convert, "converter", lambda: str(program))


def test_one_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "sleep 77 & sleep 77")
    with pytest.raises(FormatFault) as fault:
        office_convert.to_pdf(RTF, "rtf", Limits(seconds_per_document=0.5))
    assert fault.value.code == "office_timed_out"
    assert not [p for p in psutil.Process().children(recursive=True) if p.name() == "sleep"]


def test_one_that_makes_nothing_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    fake(tmp_path, monkeypatch, "exit 3")
    with pytest.raises(FormatFault) as fault:
        office_convert.to_pdf(RTF, "rtf", DEFAULT_LIMITS)
    assert (fault.value.code, fault.value.detail) == ("office_not_converted", "rtf, 3")
    assert [path.name for path in tmp_path.iterdir()] == ["soffice"]


@needs_office
def test_in_a_worker_under_its_limits(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path / "s", limits=PATIENT) as executor:
        job = Job("read", {"engine": "auto", "split": "none"}, odt(f"<text:p>{ODT_WORDS}</text:p>"))
        reply = executor.submit(job).result(400)
        assert (reply.outcome, reply.value.get("kind")) == ("done", "odt"), reply
        assert list((tmp_path / "s" / "w0").iterdir()) == []


@needs_office
@pytest.mark.req("R-001")
def test_through_the_batch_and_sealed_as_it_came(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    path = tmp_path / "函.odt"
    path.write_bytes(
        odt(
            "".join(
                f"<text:p>{line}</text:p>"
                for line in ("乌有函〔2026〕9号", ODT_WORDS, "样例市虚构局：", "请查收。")
            )
        )
    )
    answer = ingest(room, path)
    assert counts(answer) == {"received": 1, "pending": 1}
    (paper,) = answer["documents"]
    assert (paper["title"], paper["doc_number"]) == (ODT_WORDS, "乌有函〔2026〕9号")
    check_whole(room)


@settings(max_examples=120)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=6))
def test_no_small_change_gets_past_the_look_inside(at: int, change: bytes) -> None:
    for data, kind in ((SHEET, "xlsx"), (RTF, "rtf")):
        place = at % len(data)
        try:
            look_inside(data[:place] + change + data[place + len(change) :], kind, DEFAULT_LIMITS)  # type: ignore[arg-type]
        except FormatFault as fault:
            assert fault.code in ("damaged_file", "encrypted_file", "unpack_bomb", "hostile_markup")


SHEET = sheet()
