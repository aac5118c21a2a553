"""A text layer that says something else than the page shows is noticed, and the picture is read (R-023)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.engines.rapid import RapidEngine
from jiyao.stages.extract import extract
from jiyao.stages.ocr import transcribe
from jiyao.stages.text_trust import DPI, Difference, find_difference

FAST = RapidEngine("fast")
pytestmark = pytest.mark.skipif(not FAST.available(), reason="the tiny models of RapidOCR are not installed")


def differences(data: bytes) -> Iterator[Difference | None]:
    document = open_document(data, limits=DEFAULT_LIMITS)
    try:
        for number in range(1, document.page_count + 1):
            own = document.text_lines(number)
            assert own, [found.detail for found in document.findings]
            yield find_difference(document.render(number, DPI), own, engine=FAST)
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


@pytest.mark.req("R-023")
def test_what_lies_is_read_from_the_picture() -> None:
    paper = make_paper(2, "test")
    document = open_document(lying(render(paper, "pdf")), limits=DEFAULT_LIMITS)
    read = transcribe(document, engine="rapidocr-fast", first=1, last=1, limits=DEFAULT_LIMITS)
    assert read.pages[0].source == "ocr"
    assert next(found.code for found in read.findings if found.box is not None) == "text_layer_differs"
    assert extract(read).title == paper.fields.title
