"""A text layer that says something else than the page shows is noticed, and the picture is read (R-023)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.formats.opened import Picture
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.engines.rapid import RapidEngine
from jiyao.stages.extract import extract
from jiyao.stages.ocr import transcribe
from jiyao.stages.text_trust import (
    DPI,
    MOST_KEY_LINES,
    MOST_LINES,
    Difference,
    deciding,
    find_difference,
    says_otherwise,
)

FAST = RapidEngine("fast")
pytestmark = pytest.mark.skipif(not FAST.available(), reason="the tiny models of RapidOCR are not installed")


def differences(data: bytes) -> Iterator[Difference | None]:
    document = open_document(data, limits=DEFAULT_LIMITS)
    try:
        for number in range(1, document.page_count + 1):
            own = document.text_lines(number)
            assert own, [found.detail for found in document.findings]
            yield find_difference(document.render(number, DPI), deciding(own), engine=FAST)
    finally:
        document.close()


def lying(data: bytes) -> bytes:
    """The same drawing, its characters told as their neighbours in the font."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page in writer.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            shapes = font.get_object()
            told = shapes["/ToUnicode"].get_object().get_data().decode("latin-1")
            stream = DecodedStreamObject()
            stream.set_data(_shifted(told).encode("latin-1"))
            shapes[NameObject("/ToUnicode")] = writer._add_object(stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _shifted(table: str) -> str:
    pairs = re.findall(r"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>(?=\s)", table)
    han = [value for _, value in pairs if 0x4E00 <= int(value, 16) < 0x9FFF]
    after = dict(zip(han, han[1:] + han[:1], strict=True))
    return re.sub(
        r"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>(?=\s)",
        lambda pair: f"<{pair[1]}> <{after.get(pair[2], pair[2])}>",
        table,
    )


@pytest.mark.req("R-023")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sound_papers_agree_with_their_picture(seed: int) -> None:
    assert not any(differences(render(make_paper(seed, "test"), "pdf")))


@pytest.mark.req("R-023")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_shifted_character_map_is_noticed(seed: int) -> None:
    first = next(differences(lying(render(make_paper(seed, "test"), "pdf"))))
    assert first is not None and first.likeness < 0.3


def pictured(data: bytes, *, pages: int) -> bytes:
    """The first page again and again, each with a picture in its corner."""
    stamp = io.BytesIO()
    Image.new("RGB", (300, 300), (240, 225, 220)).save(stamp, "PDF", resolution=72)
    (small,) = PdfReader(stamp).pages
    writer = PdfWriter()
    for _ in range(pages):
        page = writer.add_page(PdfReader(io.BytesIO(data)).pages[0])
        page.merge_translated_page(small, 290, 5, over=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def looked_at(data: bytes) -> list[int]:
    """Pages that are drawn to be compared."""
    document = open_document(data, limits=DEFAULT_LIMITS)
    drawn: list[int] = []

    class Seen:
        page_count, text_lines = document.page_count, staticmethod(document.text_lines)
        picture_share = staticmethod(document.picture_share)  # type: ignore[attr-defined]

        def render(self, number: int, dpi: int) -> Picture:
            drawn.append(number)
            return document.render(number, dpi)

    try:
        for number in range(1, document.page_count + 1):
            own = document.text_lines(number)
            assert own and says_otherwise(Seen(), number, own) is None  # type: ignore[arg-type]
    finally:
        document.close()
    return drawn


@pytest.mark.slow
@pytest.mark.req("R-023")
def test_one_further_page_is_looked_at_where_pictures_are() -> None:
    further = set()
    for seed in (1, 2, 3, 4):
        plain = render(make_paper(seed, "test"), "pdf")
        data = pictured(plain, pages=6)
        first, other = looked_at(data)
        assert first == 1 and 2 <= other <= 6
        assert looked_at(data) == [first, other], "the same page in every worker"
        further.add(other)
        assert looked_at(plain) == [1], "nothing more for pages drawn from their text alone"
    assert len(further) > 1


@pytest.mark.req("R-023")
def test_a_lie_on_the_further_page_is_noticed() -> None:
    sound, lie = render(make_paper(1, "test"), "pdf"), lying(render(make_paper(1, "test"), "pdf"))
    (_, other) = looked_at(pictured(sound, pages=4))
    writer = PdfWriter()
    pages, lies = (
        PdfReader(io.BytesIO(pictured(sound, pages=4))),
        PdfReader(io.BytesIO(pictured(lie, pages=1))),
    )
    for number, page in enumerate(pages.pages, start=1):
        writer.add_page(lies.pages[0] if number == other else page)
    out = io.BytesIO()
    writer.write(out)
    document = open_document(out.getvalue(), limits=DEFAULT_LIMITS)
    try:
        own = document.text_lines(other)
        assert own and says_otherwise(document, other, own) is not None
    finally:
        document.close()


def test_a_first_page_with_pictures_has_its_key_lines_compared() -> None:
    document = open_document(render(make_paper(1, "test"), "pdf"), limits=DEFAULT_LIMITS)
    own = document.text_lines(1)
    document.close()
    assert own
    few, more = deciding(own), deciding(own, most=MOST_KEY_LINES)
    assert len(few) == MOST_LINES and set(few[:2]) <= set(more) and len(more) > len(few)
    assert any("号" in line.text for line in more)


@pytest.mark.req("R-023")
def test_what_lies_is_read_from_the_picture() -> None:
    paper = make_paper(2, "test")
    document = open_document(lying(render(paper, "pdf")), limits=DEFAULT_LIMITS)
    read = transcribe(document, engine="rapidocr-fast", first=1, last=1, limits=DEFAULT_LIMITS)
    assert read.pages[0].source == "ocr"
    assert next(found.code for found in read.findings if found.box is not None) == "text_layer_differs"
    assert extract(read).title == paper.fields.title
