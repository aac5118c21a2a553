"""The searchable PDF: text where it stands, pages as they look, PDF/A where it is made anew."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.searchable import Searchable, searchable
from jiyao.stages.searchable_font import Codes

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None or shutil.which("qpdf") is None, reason="poppler-utils or qpdf missing"
)
LINES = (
    Line("关于测试的通知 ABC 123", Box(0.2, 0.1, 0.8, 0.13)),
    Line(
        "青测〔2024〕7号  签发人：𠮷田", Box(0.1, 0.2, 0.9, 0.23),
        parts=(Box(0.1, 0.2, 0.4, 0.23), Box(0.6, 0.2, 0.9, 0.23)),
    ),
    Line("骑缝之章", Box(0.92, 0.4, 0.95, 0.6), vertical=True),
)  # fmt: skip


def paper(direction: float = 0.0, lines: tuple[Line, ...] = LINES) -> Transcript:
    page = Page(
        number=1, width_mm=210, height_mm=297, lines=lines, source="ocr", engine="e", confidence=1.0,
        direction=direction,
    )  # fmt: skip
    return Transcript((page,))


def picture(kind: str, mode: str = "RGB") -> bytes:
    image = Image.fromarray(np.full((1169, 827, 3), 250, np.uint8)).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, dpi=(100, 100))
    return out.getvalue()


def made(data: bytes, transcript: Transcript) -> Searchable:
    opened = open_document(data, limits=DEFAULT_LIMITS)
    try:
        return searchable(opened, transcript, source=data, limits=DEFAULT_LIMITS)
    finally:
        opened.close()


def words(
    pdf: bytes, tmp_path: Path, *, turned: bool = False
) -> list[tuple[str, float, float, float, float]]:
    """Words with their boxes as fractions of the page."""
    file = tmp_path / "made.pdf"
    file.write_bytes(pdf)
    assert subprocess.run(["qpdf", "--check", file], capture_output=True, check=False).returncode == 0
    told = subprocess.run(
        ["pdftotext", "-bbox", file, "-"], capture_output=True, text=True, check=True
    ).stdout
    size = re.search(r'page width="([\d.]+)" height="([\d.]+)"', told)
    assert size
    wide, high = float(size[1]), float(size[2])
    if turned:  # poppler gives the size of the sheet and the words as they are seen
        wide, high = high, wide
    found = re.findall(r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)<', told)
    return [
        (w[4], float(w[0]) / wide, float(w[1]) / high, float(w[2]) / wide, float(w[3]) / high) for w in found
    ]


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("TIFF", "1"), ("PNG", "RGB")])
def test_words_stand_in_their_boxes(kind: str, mode: str, tmp_path: Path) -> None:
    result = made(picture(kind, mode), paper())
    assert result.pdfa
    assert result.why_not is None
    found = {word: box for word, *box in words(result.data, tmp_path)}
    for text, box in (
        ("青测〔2024〕7号", LINES[1].parts[0]), ("签发人：𠮷田", LINES[1].parts[1]), ("ABC", LINES[0].box),
    ):  # fmt: skip
        left, top, right, bottom = found[text]
        assert box.left - 0.005 <= left < right <= box.right + 0.005
        assert box.top - 0.005 <= top < bottom <= box.bottom + 0.005
    assert found["青测〔2024〕7号"][0] == pytest.approx(0.1, abs=0.005)
    assert found["签发人：𠮷田"][2] == pytest.approx(0.9, abs=0.005)


def test_vertical_text_runs_down(tmp_path: Path) -> None:
    result = made(picture("JPEG"), paper(lines=(LINES[2],)))
    found = words(result.data, tmp_path)
    assert "".join(word for word, *_ in found) == "骑缝之章"
    assert min(box[1] for _, *box in found) == pytest.approx(0.4, abs=0.02)
    assert max(box[3] for _, *box in found) == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("direction", [-4.0, 3.0, 90.0, 180.0, 270.0])
def test_skewed_and_turned_lines_keep_to_their_box(direction: float, tmp_path: Path) -> None:
    box = Box(0.4, 0.3, 0.44, 0.7) if direction in (90.0, 270.0) else Box(0.2, 0.3, 0.8, 0.36)
    line = Line("随着页面倾斜的一行文字", box)
    found = words(made(picture("JPEG"), paper(direction, (line,))).data, tmp_path)
    assert sorted("".join(word for word, *_ in found)) == sorted(line.text)
    for _, left, top, right, bottom in found:
        assert left >= line.box.left - 0.02
        assert right <= line.box.right + 0.02
        assert top >= line.box.top - 0.02
        assert bottom <= line.box.bottom + 0.02


def test_a_jpeg_and_bits_are_put_in_as_they_came() -> None:
    data = picture("JPEG")
    assert data in made(data, paper()).data
    pdf = PdfReader(io.BytesIO(made(picture("TIFF", "1"), paper()).data))
    image = pdf.pages[0]["/Resources"]["/XObject"]["/JyPage"]
    assert (image["/BitsPerComponent"], image["/Filter"]) == (1, "/FlateDecode")


def test_the_rules_of_pdfa_that_can_be_checked_here() -> None:
    data = made(picture("JPEG"), paper()).data
    assert data.startswith(b"%PDF-1.7\n%")
    assert all(byte > 127 for byte in data[10:14])
    pdf = PdfReader(io.BytesIO(data))
    root = pdf.root_object
    assert len(pdf.trailer["/ID"]) == 2
    assert "/Encrypt" not in pdf.trailer
    assert "/Info" not in pdf.trailer or not pdf.metadata
    intent = root["/OutputIntents"][0]
    assert (intent["/S"], intent["/DestOutputProfile"]["/N"]) == ("/GTS_PDFA1", 3)
    assert "/Filter" not in root["/Metadata"]
    assert b"<pdfaid:part>2</pdfaid:part>" in root["/Metadata"].get_data()
    font = pdf.pages[0]["/Resources"]["/Font"]["/JyText"]
    child = font["/DescendantFonts"][0]
    assert font["/Encoding"] == "/Identity-H"
    assert child["/FontDescriptor"]["/FontFile2"].get_data()[:4] == b"\0\1\0\0"
    assert len(child["/CIDToGIDMap"].get_data()) == 131072
    assert not {"/AA", "/OpenAction", "/Names", "/AcroForm"} & set(root)


def test_a_pdf_keeps_its_pages_and_is_not_called_pdfa(tmp_path: Path) -> None:
    source = made(picture("JPEG"), Transcript(())).data
    result = made(source, paper())
    assert (result.pdfa, result.why_not) == (False, "searchable_source_kept")
    assert "青测〔2024〕7号" in [word for word, *_ in words(result.data, tmp_path)]
    assert picture("JPEG") in result.data


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_pdf_page_gets_its_text_where_it_is_seen(turn: int, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter()
    page = writer.add_blank_page(595.28, 841.89)
    page.rotation = turn
    out = io.BytesIO()
    writer.write(out)
    wide, high = (210, 297) if turn % 180 == 0 else (297, 210)
    one = Page(
        number=1, width_mm=wide, height_mm=high, lines=(Line("左上角", Box(0.1, 0.1, 0.3, 0.15)),), source="ocr",
        engine="e", confidence=1.0,
    )  # fmt: skip
    found = words(made(out.getvalue(), Transcript((one,))).data, tmp_path, turned=turn % 180 == 90)
    word, left, top, right, bottom = found[0]
    assert word == "左上角"
    assert (left, top, right, bottom) == pytest.approx((0.1, 0.1, 0.3, 0.15), abs=0.02)


def test_characters_without_a_code_are_left_out() -> None:
    codes = Codes()
    assert codes.encode("a\ud800\uffff𠮷") == "0061D800"
    assert codes.encode("𠮷") == "D800"
    assert b"<D800> <D842DFB7>" in codes.map()
