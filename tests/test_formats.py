"""Formats: content decides, limits are errors, text comes out as a reader sees it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import format_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.common.messages import LANGS, advise, catalogue, say
from jiyao.formats.docx_numbering import spell
from jiyao.formats.fault import FormatFault
from jiyao.formats.image import size_in_mm
from jiyao.formats.lines import Glyph, build_lines
from jiyao.formats.open import open_document
from jiyao.formats.opened import OpenedDocument
from jiyao.formats.sniff import sniff
from jiyao.formats.soundness import TextFacts, unsound

BODY = kit.paragraph("关于做好年度工作的通知") + kit.paragraph("各部门：", size=14)


def opened(data: bytes, **limits: int) -> OpenedDocument:
    return open_document(data, limits=replace(DEFAULT_LIMITS, **limits))


def fault(data: bytes, **limits: int) -> FormatFault:
    with pytest.raises(FormatFault) as caught:
        opened(data, **limits)
    return caught.value


def text_of(document: OpenedDocument) -> list[str]:
    return [
        line.text
        for number in range(1, document.page_count + 1)
        for line in document.text_lines(number) or ()
    ]


# ---------------------------------------------------------------- what a file is


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (kit.pdf(kit.shown("a")), "pdf"),
        (b"junk\n" * 100 + kit.pdf(kit.shown("a")), "pdf"),
        (kit.docx(BODY), "docx"),
        (kit.docx(BODY, main=kit.DOCM_MAIN), "docx"),
        (kit.picture("TIFF"), "tiff"),
        (kit.picture("JPEG"), "jpeg"),
        (kit.picture("PNG"), "png"),
        (kit.picture("BMP"), "bmp"),
        (kit.picture("GIF"), "gif"),
        (kit.picture("WEBP"), "webp"),
        (kit.picture("JPEG2000"), "jp2"),
    ],
)
def test_content_says_what_a_file_is(data: bytes, kind: str) -> None:
    assert sniff(data).kind == kind
    assert opened(data).kind == kind


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ" + b"\0" * 60 + b"%PDF-1.4\n", "exe"),
        (b"<!DOCTYPE html><html></html>", "html"),
        ("机要文件".encode("gb18030"), "text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__substg1.0_".encode("utf-16-le"), "msg"),
        (bytes(range(200)), "unknown"),
    ],
)
def test_other_formats_are_named(data: bytes, name: str) -> None:
    found = fault(data)
    assert (found.code, found.detail, found.verdict) == ("unsupported_format", name, "unsupported")


def test_archives_are_told_apart() -> None:
    def packed(**parts: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, text in parts.items():
                archive.writestr(name.replace("__", "."), text)
        return out.getvalue()

    assert fault(packed(OFD__xml="<x/>")).detail == "OFD document"
    assert fault(packed(a__txt="x")).detail == "zip"
    assert fault(packed(OFD__xml="<x/>")[:-30]).code == "damaged_file"
    encrypted = bytearray(kit.docx(BODY))
    at = encrypted.index(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    assert fault(bytes(encrypted)).code == "encrypted_file"


def test_a_polyglot_is_reported() -> None:
    both = kit.pdf(kit.shown("first")) + kit.docx(BODY)
    assert (sniff(both).kind, sniff(both).also) == ("pdf", ("zip",))
    assert sniff(kit.docx(BODY)).also == ()


def test_empty_and_oversized_files() -> None:
    assert fault(b"").code == "empty_file"
    assert fault(kit.picture("PNG"), file_bytes=10).code == "too_large"


@pytest.mark.parametrize("lang", LANGS)
def test_every_fault_has_words(lang: str) -> None:
    source = "".join(path.read_text("utf-8") for path in Path(sniff.__code__.co_filename).parent.glob("*.py"))
    codes = set(re.findall(r'FormatFault\(\s*"([a-z_]+)"', source)) | set(
        re.findall(r'Finding\("([a-z_]+)"', source)
    )
    assert len(codes) > 12
    for code in codes:
        assert code in catalogue()
        assert say(code, lang, detail="x", page=1) != code  # type: ignore[arg-type]
    assert advise("damaged_file", lang)  # type: ignore[arg-type]


# ---------------------------------------------------------------- PDF


def test_a_rotated_page_reads_upright() -> None:
    turned = opened(kit.pdf("0 1 -1 0 400 100 cm " + kit.shown("Hello world", 0, 0), rotate=90))
    assert text_of(turned) == ["Hello world"]
    width, height = turned.size_mm(1)
    assert width > height
    box = turned.text_lines(1)[0].box  # type: ignore[index]
    picture = turned.render(1, 72)
    ink = np.argwhere(picture.min(axis=2) < 128)
    assert (
        box.top * picture.shape[0] - 2 <= ink[:, 0].min()
        and ink[:, 0].max() <= box.bottom * picture.shape[0] + 2
    )
    assert (
        box.left * picture.shape[1] - 2 <= ink[:, 1].min()
        and ink[:, 1].max() <= box.right * picture.shape[1] + 2
    )


def test_rows_come_in_reading_order_and_wide_gaps_divide() -> None:
    content = kit.shown("second", 72, 600) + kit.shown("first", 72, 700) + kit.shown("right", 400, 700)
    lines = opened(kit.pdf(content)).text_lines(1)
    assert lines is not None
    assert [line.text for line in lines] == ["first", "right", "second"]
    assert lines[0].size_mm == pytest.approx(16 * 25.4 / 72, abs=0.05)


def test_red_is_seen() -> None:
    lines = opened(
        kit.pdf("1 0 0 rg " + kit.shown("red head") + "0 g " + kit.shown("body", y=500))
    ).text_lines(1)
    assert [line.colour for line in lines or ()] == ["red", "black"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (kit.shown("searchable scan", mode=3) + "595 0 0 842 0 0 cm /P1 Do", "invisible"),
        (kit.shown("planted words " * 5) + "595 0 0 842 0 0 cm /P1 Do", "covered"),
        ("q 595 0 0 842 0 0 cm /P1 Do Q " + kit.shown("page 1"), "picture_page"),
        (kit.shown("outside", x=2000) + kit.shown("in"), "invisible"),
        (kit.shown("\\001\\002\\003\\004 ab"), "broken_characters"),
    ],
)
def test_an_unsound_text_layer_is_not_used(content: str, why: str) -> None:
    document = opened(kit.pdf(content, picture=True))
    assert document.text_lines(1) is None
    assert [(found.code, found.page, found.detail) for found in document.findings] == [
        ("text_layer_unsound", 1, why)
    ]


def test_a_little_hidden_text_is_left_out_and_reported() -> None:
    document = opened(
        kit.pdf(kit.shown("what everybody reads here and there") + kit.shown("psst", y=300, mode=3))
    )
    assert text_of(document) == ["what everybody reads here and there"]
    assert [found.code for found in document.findings] == ["hidden_text"]


def test_active_content_is_named_and_not_run() -> None:
    document = opened(kit.pdf(kit.shown("a"), catalog="/OpenAction<</S/JavaScript/JS(app.alert(1))>>"))
    assert document.active == ("javascript",)
    launch = opened(kit.pdf(kit.shown("a"), catalog="/OpenAction<</S/Launch/F(x.exe)>>"))
    assert launch.active == ("launch",)
    assert [found.code for found in launch.findings] == ["active_content"]


def test_pdf_limits() -> None:
    assert fault(kit.pdf("", pages=4), pages=3).code == "too_many_pages"
    with pytest.raises(FormatFault, match="too_large"):
        opened(kit.pdf(kit.shown("x" * 200)), text_chars=100).text_lines(1)
    vast = opened(kit.pdf("", media="0 0 14000 14000"), page_pixels=1_000_000)
    with pytest.raises(FormatFault, match="too_many_pixels"):
        vast.render(1, 300)
    wide = opened(kit.pdf("", media="0 0 2000 2000"), page_pixels=2_000_000)
    assert wide.render(1, 300).size // 3 <= 2_000_000


def test_the_real_notice_reads_as_set(shared: Path) -> None:
    document = opened((shared / "data/official/govdoc-cn/397.pdf").read_bytes())
    lines = document.text_lines(1)
    assert lines is not None
    texts = [line.text for line in lines]
    assert texts[:5] == [
        "发展改革委办公厅", "文件", "税务总局办公厅", "发改办财金规〔2019〕860号",
        "关于加强个人所得税纳税信用建设的通知",
    ]  # fmt: skip
    assert [line.colour for line in lines[:4]] == ["red", "red", "red", "black"]
    assert text_of(document)[-2] == "2019年8月20日"
    assert not any(" " in text for text in text_of(document))
    assert document.findings == ()


# ---------------------------------------------------------------- soundness


def _facts(text: str, **more: object) -> TextFacts:
    return replace(TextFacts(text=text, unseen=0, covered=False, picture_share=0.0), **more)  # type: ignore[arg-type]


def test_garbage_that_looks_like_chinese_is_noticed(shared: Path) -> None:
    good = (shared / "data/official/govdoc-cn/397.txt").read_text("utf-8")
    assert unsound(_facts(good)) is None
    shifted = "".join(chr(ord(char) + 137) if "\u4e00" <= char < "\u9f00" else char for char in good)
    assert unsound(_facts(shifted)) == "unlikely_characters"
    assert unsound(_facts("\ue001\ue002" * 20 + good[:100])) == "broken_characters"
    assert unsound(_facts("ĀāĂăĄą" * 30)) == "odd_script"
    assert unsound(_facts("")) is None


def test_every_official_paper_is_sound(shared: Path) -> None:
    for path in sorted((shared / "data/official/gov/txt").glob("*.txt")):
        assert unsound(_facts(path.read_text("utf-8"))) is None, path.name


# ---------------------------------------------------------------- lines


def _row(
    text: str, *, left: float = 0.0, base: float = 100.0, size: float = 10.0, gap: float = 0.0
) -> list[Glyph]:
    row = []
    for char in text:
        row.append(Glyph(char, left, base - size, left + size, base, base, size))
        left += size + gap
    return row


def test_stretched_chinese_stays_one_word() -> None:
    assert [line.text for line in build_lines(_row("通知书", gap=15), 500, 500)] == ["通知书"]
    assert [line.text for line in build_lines(_row("中国", gap=2), 500, 500)] == ["中国"]


def test_two_columns_are_read_one_after_the_other() -> None:
    glyphs = []
    for index in range(10):
        glyphs += _row("左" * 20, left=20, base=100 + 15 * index)
        glyphs += _row("右" * 20, left=260, base=100 + 15 * index)
    texts = "".join(line.text[0] for line in build_lines(glyphs, 500, 800))
    assert texts == "左" * 10 + "右" * 10


def test_bold_by_double_printing_is_read_once() -> None:
    glyphs = _row("机密") + _row("机密", left=0.4)
    assert [line.text for line in build_lines(glyphs, 500, 500)] == ["机密"]


# ---------------------------------------------------------------- DOCX


def test_the_official_papers_read_letter_by_letter(shared: Path) -> None:
    folder = shared / "data/official/gov"
    papers = sorted((folder / "docx").glob("*.docx"))
    assert len(papers) == 20
    for path in papers:
        got = re.sub(r"\s", "", "".join(text_of(opened(path.read_bytes()))))
        assert got == re.sub(r"\s", "", (folder / "txt" / f"{path.stem}.txt").read_text("utf-8")), path.name


def test_tables_boxes_numbers_breaks_and_hidden_words() -> None:
    table = (
        "<w:tbl><w:tblGrid><w:gridCol w:w='3000'/><w:gridCol w:w='3000'/></w:tblGrid><w:tr>"
        f"<w:tc>{kit.paragraph('姓名')}</w:tc><w:tc>{kit.paragraph('职务')}</w:tc></w:tr></w:tbl>"
    )
    box = (
        "<w:p><w:r><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml'><v:textbox><w:txbxContent>"
        f"{kit.paragraph('机密★10年')}</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>"
    )
    hidden = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r><w:r><w:t>露</w:t></w:r></w:p>"
    changed = "<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:ins><w:r><w:t>新</w:t></w:r></w:ins></w:p>"
    broken = "<w:p><w:r><w:t>前</w:t><w:br w:type='page'/><w:t>后</w:t></w:r></w:p>"
    document = opened(kit.docx(box + table + hidden + changed + broken))
    assert document.page_count == 2
    assert text_of(document) == ["机密★10年", "姓名", "职务", "露", "新", "前", "后"]
    assert {found.code for found in document.findings} == {"hidden_text", "tracked_changes"}


def test_list_labels_are_read() -> None:
    numbering = (
        f"<w:numbering {kit.W}><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='1'/>"
        "<w:numFmt w:val='chineseCounting'/><w:lvlText w:val='%1、'/></w:lvl></w:abstractNum>"
        "<w:num w:numId='3'><w:abstractNumId w:val='0'/></w:num></w:numbering>"
    )
    listed = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/></w:numPr>"
    body = "".join(kit.paragraph(text, properties=listed) for text in ("总则", "职责"))
    document = opened(
        kit.docx(
            body,
            parts={"word/numbering.xml": numbering.encode()},
            types='<Override PartName="/word/numbering.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml"/>',
            relations='<Relationship Id="rId9" Target="numbering.xml" Type='
            '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering"/>',
        )
    )
    assert text_of(document) == ["一、总则", "二、职责"]


@pytest.mark.parametrize(
    ("number", "style", "words"),
    [(10, "chineseCounting", "十"), (21, "chineseCounting", "二十一"), (105, "chineseCounting", "一百〇五"),
     (3, "upperRoman", "III"), (28, "lowerLetter", "bb"), (2, "decimalEnclosedCircle", "②")],
)  # fmt: skip
def test_numbers_are_spelt(number: int, style: str, words: str) -> None:
    assert spell(number, style) == words


def test_macros_are_named_and_the_text_is_read() -> None:
    document = opened(kit.docx(BODY, main=kit.DOCM_MAIN, parts={"word/vbaProject.bin": b"x"}))
    assert document.active == ("macro",)
    assert text_of(document)[0] == "关于做好年度工作的通知"


def test_a_drawn_page_shows_its_lines_where_they_stand() -> None:
    pytest.importorskip("jiyao.common.fonts")
    document = opened(kit.docx(BODY))
    picture = document.render(1, 100)
    for line in document.text_lines(1) or ():
        top, bottom = int(line.box.top * picture.shape[0]), int(line.box.bottom * picture.shape[0]) + 1
        left, right = int(line.box.left * picture.shape[1]), int(line.box.right * picture.shape[1]) + 1
        assert picture[top:bottom, left:right].min() < 100
        assert picture[top:bottom, right + 5 :].min() > 200


def test_a_page_of_pictures_is_left_to_recognition() -> None:
    drawing = (
        "<w:p><w:r><w:drawing><wp:inline xmlns:wp='http://schemas.openxmlformats.org/drawingml/2006/"
        "wordprocessingDrawing'><wp:extent cx='6400800' cy='8229600'/><a:blip xmlns:a="
        "'http://schemas.openxmlformats.org/drawingml/2006/main' xmlns:r='http://schemas.openxmlformats.org/"
        "officeDocument/2006/relationships' r:embed='rId7'/></wp:inline></w:drawing></w:r></w:p>"
    )
    document = opened(
        kit.docx(
            drawing,
            parts={"word/media/a.png": kit.picture("PNG", (200, 200))},
            types='<Default Extension="png" ContentType="image/png"/>',
            relations='<Relationship Id="rId7" Target="media/a.png" Type='
            '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"/>',
        )
    )
    assert document.text_lines(1) is None
    assert [found.code for found in document.findings] == ["text_layer_unsound"]
    assert document.render(1, 50).min() < 50


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (kit.docx("<w:p><w:r><w:t>&b;</w:t></w:r></w:p>", prologue=LAUGHS), "hostile_markup"),
        (kit.docx(BODY, parts={"../../evil.xml": b"<x/>"}), "hostile_markup"),
        (kit.docx(BODY, parts={"WORD/document.xml": b"<x/>"}), "hostile_markup"),
        (kit.docx(BODY, parts={"word/media/big.bin": bytes(40_000_000)}), "unpack_bomb"),
        (kit.docx("<w:p>" * 400 + "</w:p>" * 400), "damaged_file"),
        (kit.docx("<w:p>"), "damaged_file"),
    ],
)
def test_hostile_packages_are_refused(data: bytes, code: str) -> None:
    assert fault(data).code == code


def test_docx_limits() -> None:
    assert fault(kit.docx(BODY), unpacked_bytes=100).code == "unpack_bomb"
    assert fault(kit.docx(BODY), text_chars=5).code == "too_large"
    breaks = "<w:p><w:r>" + "<w:t>x</w:t><w:br w:type='page'/>" * 9 + "</w:r></w:p>"
    assert fault(kit.docx(breaks), pages=3).code == "too_many_pages"


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    picture = opened(kit.picture("JPEG", (60, 40), exif=exif)).render(1, 9999)
    assert picture.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    height, width = picture.shape[:2]
    dark = picture[2 : height // 2 - 2, 2 : width // 2 - 2].max() < 60
    assert dark == (orientation in (1, 5))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_lzw", "tiff_adobe_deflate"])
def test_fax_and_multi_page_tiff(compression: str) -> None:
    mode = "1" if compression.startswith("group") else "RGB"
    pages = [Image.open(io.BytesIO(kit.picture("PNG", (400, 300)))).convert(mode) for _ in range(3)]
    out = io.BytesIO()
    pages[0].save(
        out, "TIFF", save_all=True, append_images=pages[1:], compression=compression, dpi=(200, 200)
    )
    document = opened(out.getvalue())
    assert document.page_count == 3
    assert document.size_mm(3) == pytest.approx((50.8, 38.1))
    picture = document.render(3, 300)
    assert picture.shape == (300, 400, 3) and picture[10, 10].max() == 0 and picture[-10, -10].min() == 255
    assert document.render(2, 100).shape == (150, 200, 3)


def test_transparency_and_depth_come_out_on_white() -> None:
    assert opened(kit.picture("PNG", mode="RGBA")).render(1, 99).max() == 255
    deep = Image.fromarray(np.full((4, 4), 65535, dtype=np.uint16))
    out = io.BytesIO()
    deep.save(out, "PNG")
    assert opened(out.getvalue()).render(1, 99).min() == 255


def test_a_header_that_lies_costs_nothing() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))
    assert fault(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IEND", b"")).code == "too_many_pixels"
    assert fault(kit.picture("PNG", (300, 300)), page_pixels=10_000).code == "too_many_pixels"
    assert fault(kit.picture("JPEG", (200, 200))[:-400]).code == "damaged_file"


def test_endless_passes_and_frames_are_cut() -> None:
    progressive = kit.picture("JPEG", (64, 64), progressive=True)
    scan = progressive.index(b"\xff\xda")
    assert fault(progressive[:scan] + progressive[scan:-2] * 60).code == "unpack_bomb"
    frames = [Image.new("L", (4, 4), shade) for shade in range(0, 250, 25)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert fault(out.getvalue(), pages=5).code == "too_many_pages"


@given(
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    dpi=st.one_of(st.none(), st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True))),
)
def test_a_page_always_has_a_sensible_size(width: int, height: int, dpi: tuple[float, float] | None) -> None:
    across, down = size_in_mm(width, height, dpi)
    assert min(across, down) >= 15.0 or min(across, down) == pytest.approx(210.0)
    assert across > 0 and down > 0
