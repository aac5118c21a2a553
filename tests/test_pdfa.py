"""What ISO 19005-2 (PDF/A-2b) asks of a file, as far as its bytes can be checked here, and where the text stands.

Each check names its clause. No validator is part of the project; these are the rules that concern what the product
writes: pictures, one font without strokes, metadata. Rules about things that it never writes are checked by their
absence.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pypdf import PdfReader
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, IndirectObject, StreamObject

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.searchable import searchable
from jiyao.stages.searchable_font import advance

A4 = (210.0, 297.0)
NEVER = frozenset(
    {
        "/AA", "/OpenAction", "/AcroForm", "/Perms", "/Requirements", "/OCProperties", "/Collection", "/NeedsRendering",
        "/Names", "/Threads", "/Annots", "/PresSteps", "/SMask", "/Alternates", "/OPI", "/Group", "/PS", "/Ref",
        "/TR", "/TR2", "/HTP", "/Encrypt", "/F", "/FFilter", "/FDecodeParms", "/JS", "/JavaScript", "/EF", "/AF",
        "/ExtGState", "/Interpolate", "/Pattern", "/Shading",
    }
)  # fmt: skip
"""Keys of what PDF/A-2 forbids or restricts and the product has no use for (6.1.6 to 6.11)."""
OPERATORS = frozenset({b"q", b"Q", b"cm", b"Do", b"BT", b"ET", b"Tr", b"Tf", b"Tz", b"Tm", b"Tj"})
INVISIBLE = 3


def page_of(number: int, lines: tuple[Line, ...], *, size: tuple[float, float] = A4) -> Page:
    return Page(
        number=number, width_mm=size[0], height_mm=size[1], lines=lines, source="ocr", engine="e", confidence=1.0
    )  # fmt: skip


def picture(kind: str, mode: str, *, pages: int = 1) -> bytes:
    image = Image.fromarray(np.full((585, 414, 3), (250, 240, 200), np.uint8)).convert(mode)
    out = io.BytesIO()
    more = {"save_all": True, "append_images": [image] * (pages - 1)} if pages > 1 else {}
    image.save(out, kind, dpi=(50, 50), **more)
    return out.getvalue()


def made(data: bytes, *pages: Page) -> bytes:
    opened = open_document(data, limits=DEFAULT_LIMITS)
    try:
        result = searchable(opened, Transcript(pages), source=data, limits=DEFAULT_LIMITS)
    finally:
        opened.close()
    assert result.pdfa
    return result.data


LINES = (
    Line("机密★10年 No.000123", Box(0.1, 0.05, 0.5, 0.08)),
    Line("关于𠮷田镇测试（第1号）的通知 ABC", Box(0.2, 0.2, 0.8, 0.23)),
    Line("骑缝之章", Box(0.92, 0.4, 0.95, 0.6), vertical=True),
)


@pytest.fixture(
    scope="module", params=["JPEG RGB", "JPEG L", "JPEG CMYK", "TIFF 1", "TIFF RGB", "PNG RGBA", "docx"]
)
def pdf(request: pytest.FixtureRequest) -> bytes:
    if request.param == "docx":
        from room import letter_bytes

        data = letter_bytes(
            title="关于样张的函", number="样函〔2026〕7号", mark=None, serial=None, date="2026年3月2日", body="正文。",
            organ="样张省虚构厅",
        )  # fmt: skip
        return made(data, page_of(1, LINES))
    kind, mode = request.param.split()
    count = 2 if kind == "TIFF" else 1
    return made(picture(kind, mode, pages=count), *(page_of(number, LINES) for number in range(1, count + 1)))


def objects(reader: PdfReader) -> Iterator[Any]:
    """Every object that the cross-reference table names, and what stands inside."""

    def inside(item: Any) -> Iterator[Any]:
        yield item
        if isinstance(item, DictionaryObject):
            for value in item.values():
                if not isinstance(value, IndirectObject):
                    yield from inside(value)
        elif isinstance(item, ArrayObject):
            for value in item:
                if not isinstance(value, IndirectObject):
                    yield from inside(value)

    for number in sorted(reader.xref[0]):
        yield from inside(reader.get_object(IndirectObject(number, 0, reader)))


# ---------------------------------------------------------------- 6.1 the file


def test_header_trailer_and_streams(pdf: bytes) -> None:
    assert re.match(rb"%PDF-1\.[0-7]\n%[\x80-\xff]{4,}\n", pdf), "6.1.2"
    assert re.search(rb"%%EOF(?:\r\n|\r|\n)?\Z", pdf), "6.1.3: nothing behind the last mark"
    reader = PdfReader(io.BytesIO(pdf))
    first, second = (item.original_bytes for item in reader.trailer["/ID"])
    assert len(first) == len(second) == 16 and first == second, "6.1.3"
    assert "/Encrypt" not in reader.trailer, "6.1.3"
    assert re.search(rb"\nxref\n0 \d+\n", pdf), "6.1.4"
    found = list(re.finditer(rb"\n(\d+) 0 obj\n", pdf))
    assert len(found) == len(reader.xref[0]) and b"\nendobj\n" in pdf, "6.1.9"
    streams = 0
    for item in objects(reader):
        if isinstance(item, StreamObject):
            streams += 1
            assert not item.keys() & {"/F", "/FFilter", "/FDecodeParms"}, "6.1.7.1"
            assert item.get("/Filter") in (None, "/FlateDecode", "/DCTDecode"), "6.1.7.2: no LZW, no Crypt"
    for match in re.finditer(rb"/Length (\d+)[^>]*>>\nstream\n", pdf):
        end = match.end() + int(match[1])
        assert pdf[end : end + 10] == b"\nendstream", "6.1.7.1"
        streams -= 1
    assert streams == 0, "every stream with its length, between line feeds"


def test_nothing_that_is_forbidden(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    for item in objects(reader):
        if isinstance(item, DictionaryObject):
            assert not NEVER & item.keys(), sorted(NEVER & item.keys())
            assert item.get("/Type") not in ("/Action", "/Annot", "/Filespec", "/ExtGState")
            assert all(len(str(key)) <= 127 for key in item), "6.1.13"
        if isinstance(item, int):
            assert abs(item) < 2**31, "6.1.13"
    for page in reader.pages:
        assert 3 <= float(page.mediabox.width) <= 14400 and 3 <= float(page.mediabox.height) <= 14400, (
            "6.1.13"
        )
        assert "/Resources" in page, "6.2.2: resources of their own"


# ---------------------------------------------------------------- 6.2 graphics and fonts


def test_the_output_intent_speaks_for_every_picture(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    (intent,) = reader.root_object["/OutputIntents"]
    assert intent["/S"] == "/GTS_PDFA1" and intent["/OutputConditionIdentifier"], "6.2.3"
    data = intent["/DestOutputProfile"].get_data()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile
    assert int.from_bytes(data[:4], "big") == len(data) and data[36:40] == b"acsp", "ISO 15076-1, 7.2"
    assert data[12:16] in (b"mntr", b"prtr") and data[8] < 5, "6.2.3: device class and version"
    assert profile.xcolor_space == "RGB " and intent["/DestOutputProfile"]["/N"] == 3
    for page in reader.pages:
        image = page["/Resources"]["/XObject"]["/JyPage"]
        assert image["/ColorSpace"] in ("/DeviceGray", "/DeviceRGB"), "6.2.4.3"
        assert image["/BitsPerComponent"] in (1, 8) and image["/Subtype"] == "/Image", "6.2.8"
        if image["/Filter"] == "/DCTDecode":
            with Image.open(io.BytesIO(image._data)) as shown:
                assert shown.mode == {"/DeviceGray": "L", "/DeviceRGB": "RGB"}[image["/ColorSpace"]]
                assert shown.size == (image["/Width"], image["/Height"])
        else:
            row = (image["/Width"] * image["/BitsPerComponent"] + 7) // 8
            assert len(image.get_data()) == row * image["/Height"]


def test_the_page_uses_known_operators_and_named_resources(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    for page in reader.pages:
        depth = 0
        for operands, operator in ContentStream(page["/Contents"].get_object(), reader).operations:
            assert operator in OPERATORS, "6.2.2"
            depth += (operator == b"q") - (operator == b"Q")
            assert 0 <= depth <= 28, "6.1.13"
            if operator == b"Do":
                assert operands[0] in page["/Resources"]["/XObject"]
            if operator == b"Tf":
                assert operands[0] in page["/Resources"]["/Font"]
            if operator == b"Tr":
                assert operands == [INVISIBLE]
        assert depth == 0


def test_the_font_is_embedded_and_tells_its_widths_and_characters(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    for page in reader.pages:
        (font,) = page["/Resources"]["/Font"].values()
        font = font.get_object()
        (child,) = font["/DescendantFonts"]
        child, descriptor = child.get_object(), child.get_object()["/FontDescriptor"]
        assert (font["/Subtype"], child["/Subtype"]) == ("/Type0", "/CIDFontType2")
        assert font["/Encoding"] == "/Identity-H", "6.2.11.3.3: a predefined CMap"
        assert font["/BaseFont"] == child["/BaseFont"] == descriptor["/FontName"], "6.2.11.2"
        assert child["/CIDSystemInfo"]["/Ordering"] == "Identity", "6.2.11.3.1"
        assert "/CIDSet" not in descriptor, "6.2.11.4.2: optional; one that is not there is not wrong"
        file = descriptor["/FontFile2"]
        assert file["/Length1"] == len(file.get_data()), "6.2.11.4.1"
        program = TTFont(io.BytesIO(file.get_data()))
        assert {"glyf", "head", "hhea", "hmtx", "loca", "maxp"} <= set(program.keys())
        order, advances = program.getGlyphOrder(), program["hmtx"]
        em = program["head"].unitsPerEm
        glyphs = np.frombuffer(child["/CIDToGIDMap"].get_data(), dtype=">u2")
        assert len(glyphs) == 65536 and int(glyphs.max()) < len(order), "6.2.11.3.2"
        widths = _widths(child)
        told = _characters(font["/ToUnicode"].get_data().decode("ascii"))
        used = set(_codes(page, reader))
        assert used
        for code in used:
            glyph = order[glyphs[code]]
            assert glyph != ".notdef", "6.2.11.8"
            assert abs(widths.get(code, child["/DW"]) - advances[glyph][0] * 1000 / em) <= 1, "6.2.11.5"
            assert told[code] and not set(told[code]) & {"\0", "\ufeff", "\ufffe"}, "6.2.11.7.2"
        assert "".join(told[code] for code in _codes(page, reader)).startswith("机密★10年 No.000123")
        assert "𠮷" in {told[code] for code in used}


def _widths(font: DictionaryObject) -> dict[int, int]:
    """The array `W` (ISO 32000-1, 9.7.4.3)."""
    found: dict[int, int] = {}
    items = list(font["/W"])
    while items:
        first = int(items.pop(0))
        second = items.pop(0)
        if isinstance(second, ArrayObject):
            found |= {first + index: int(width) for index, width in enumerate(second)}
        else:
            found |= dict.fromkeys(range(first, int(second) + 1), int(items.pop(0)))
    return found


def _characters(table: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for block in re.findall(r"(\d+) beginbfrange\n(.*?)\nendbfrange", table, re.DOTALL):
        ranges = re.findall(r"<(\w{4})> <(\w{4})> <(\w{4})>", block[1])
        assert len(ranges) == int(block[0]) <= 100
        for low, high, to in ranges:
            assert low[:2] == high[:2], "ISO 32000-1, 9.10.3: a range keeps to its first byte"
            found |= {int(low, 16) + n: chr(int(to, 16) + n) for n in range(int(high, 16) - int(low, 16) + 1)}
    for block in re.findall(r"(\d+) beginbfchar\n(.*?)\nendbfchar", table, re.DOTALL):
        pairs = re.findall(r"<(\w{4})> <(\w+)>", block[1])
        assert len(pairs) == int(block[0]) <= 100
        found |= {int(code, 16): bytes.fromhex(to).decode("utf-16-be") for code, to in pairs}
    return found


def _codes(page: Any, reader: PdfReader) -> Iterator[int]:
    for match in re.finditer(rb"<([0-9A-F]*)> Tj", page["/Contents"].get_object().get_data()):
        assert len(match[1]) % 4 == 0, "6.1.6"
        yield from (int(match[1][at : at + 4], 16) for at in range(0, len(match[1]), 4))


# ---------------------------------------------------------------- 6.6 metadata


def test_metadata_say_what_the_file_is(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    stream = reader.root_object["/Metadata"]
    assert (stream["/Type"], stream["/Subtype"]) == ("/Metadata", "/XML") and "/Filter" not in stream
    packet = stream.get_data().decode("utf-8")
    head = re.match(r"<\?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"\?>", packet)
    assert head and packet.endswith('<?xpacket end="w"?>'), "6.6.2.1: no bytes, no encoding"
    root = ElementTree.fromstring(re.sub(r"<\?xpacket.*?\?>", "", packet))
    space = "{http://www.aiim.org/pdfa/ns/id/}"
    told = {item.tag: item.text for item in root.iter() if item.tag.startswith(space)}
    assert told == {f"{space}part": "2", f"{space}conformance": "B"}, "6.6.4"
    others = {item.tag.partition("}")[0] for item in root.iter()} - {space[:-1]}
    assert others == {"{adobe:ns:meta/", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#"}, (
        "6.6.2.3: no other schema"
    )
    assert not reader.metadata, "6.6.3: no information dictionary that could say something else"


# ---------------------------------------------------------------- where the text stands

needs_tools = pytest.mark.skipif(
    shutil.which("pdftotext") is None or shutil.which("qpdf") is None, reason="poppler-utils or qpdf missing"
)


@needs_tools
def test_qpdf_finds_nothing(pdf: bytes, tmp_path: Path) -> None:
    file = tmp_path / "made.pdf"
    file.write_bytes(pdf)
    told = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=False)
    assert told.returncode == 0 and "WARNING" not in told.stderr + told.stdout


def stands(pdf: bytes, page: int, folder: Path) -> list[tuple[str, Box]]:
    """The words of a page with their boxes as fractions of it."""
    file = folder / "made.pdf"
    file.write_bytes(pdf)
    words = ["pdftotext", "-bbox", "-f", str(page), "-l", str(page), file, "-"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    size = re.search(r'page width="([\d.]+)" height="([\d.]+)"', told)
    assert size
    wide, high = float(size[1]), float(size[2])
    place = r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)<'
    return [
        (word, Box(float(left) / wide, float(top) / high, float(right) / wide, float(bottom) / high))
        for left, top, right, bottom, word in re.findall(place, told)
    ]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = max(0.0, min(one.right, other.right) - max(one.left, other.left))
    down = max(0.0, min(one.bottom, other.bottom) - max(one.top, other.top))
    area = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return across * down / (sum(area) - across * down)


LETTERS = "关于测试的通知省厅局函号年月日ABCDEFGHijklmn0123456789〔〕（）、。𠮷"


@needs_tools
@settings(max_examples=6)
@given(
    rows=st.lists(
        st.tuples(
            st.text(LETTERS, min_size=2, max_size=24), st.floats(0.02, 0.3), st.floats(2, 8), st.floats(0.7, 1.5)
        ),
        min_size=1, max_size=12,
    ),
    size=st.sampled_from([A4, (297.0, 210.0), (420.0, 297.0)]),
)  # fmt: skip
def test_every_line_stands_in_its_box(
    rows: list[tuple[str, float, float, float]],
    size: tuple[float, float],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Type of 2 to 8 mm, narrow and wide."""
    lines = []
    for index, (text, left, high, stretch) in enumerate(rows):
        right = left + sum(map(advance, text)) * high * stretch / size[0]
        top = 0.03 + 0.08 * index
        if right < 0.98:
            lines.append(Line(text, Box(left, top, right, top + high / size[1])))
    image = Image.new("L", (round(size[0] * 4), round(size[1] * 4)), 255)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(101.6, 101.6))
    data = made(out.getvalue(), page_of(1, tuple(lines), size=size))
    found = stands(data, 1, tmp_path_factory.mktemp("stand")) if lines else []
    assert [word for word, _ in found] == [line.text for line in lines]
    for line, (_, box) in zip(lines, found, strict=True):
        assert overlap(line.box, box) >= 0.9, (line, box)


@needs_tools
def test_text_stands_where_a_generated_page_prints_it(tmp_path: Path) -> None:
    document = open_document(render(make_paper(4, "test"), "pdf"), limits=DEFAULT_LIMITS)
    lines, size = document.text_lines(1), document.size_mm(1)
    drawn = document.render(1, 100)
    document.close()
    assert lines
    out = io.BytesIO()
    Image.fromarray(drawn).save(out, "JPEG", dpi=(100, 100))
    upright = tuple(line for line in lines if not line.vertical and " " not in line.text.strip())
    words = dict(stands(made(out.getvalue(), page_of(1, upright, size=size)), 1, tmp_path))
    once = [line for line in upright if sum(line.text in other.text for other in upright) == 1]
    assert len(once) >= 5
    told = [overlap(line.box, words[line.text]) for line in once if line.text in words]
    assert len(told) >= 0.9 * len(once) and min(told) >= 0.8 and sum(told) / len(told) >= 0.9
