"""The text of a flattened copy: absent unless the policy asks; then unseen, in its place, under untouched pictures."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from copy_kit import letter
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.pipeline.copies import issuing
from jiyao.stages.searchable import lay_text
from room_kit import Room
from test_printing import approve, paper


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def issued(room: Room, document: str, name: str, **given: Any) -> Path:
    out = room.base / name
    value = issuing.issue(
        room.station, room.as_("clerk", "copies.issue"), document=document, to=("p-reader",),
        sink=issuing.Folder(out), **given,
    )  # fmt: skip
    return Path(value["copies"][0]["file"])


def words(file: Path) -> str:
    told = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)
    return "".join(told.stdout.split())


def pictures(data: bytes | Path) -> list[bytes]:
    return [image.data for page in PdfReader(data).pages for image in page.images]


@pytest.mark.req("R-055", "R-056")
def test_a_flattened_copy_has_text_only_where_the_policy_asks_for_it(room: Room) -> None:
    document = paper(room, "p-reader")
    approve(room, document, 3)
    assert words(issued(room, document, "one")) == ""
    room.station._policy = replace(room.station.policy, text_layer=True)
    assert "正文只为试验而写" in words(issued(room, document, "two"))
    assert issued(room, document, "three", form="png").suffix == ".zip"


@pytest.mark.req("R-056")
def test_the_pictures_stay_and_the_words_stand_on_the_page_as_large_as_it_is(room: Room) -> None:
    document = paper(room, "p-reader")
    approve(room, document, 1)
    flat = issued(room, document, "one")
    size = PdfReader(flat).pages[0].cropbox
    line = Line("只在第二页的字", Box(0.2, 0.5, 0.6, 0.52))
    # Read from a sheet half as large: what holds is the share of the page.
    page = Page(
        number=2, width_mm=105, height_mm=148.5, lines=(line,), source="ocr", engine="e", confidence=1.0
    )
    laid = room.base / "laid.pdf"
    laid.write_bytes(lay_text(flat.read_bytes(), Transcript((page,))))
    assert pictures(laid) == pictures(flat)
    assert subprocess.run(["qpdf", "--check", laid], capture_output=True, check=False).returncode == 0
    told = subprocess.run(
        ["pdftotext", "-bbox", laid, "-"], capture_output=True, text=True, check=True
    ).stdout
    word = next(row for row in told.splitlines() if "只在第二页的字" in row)
    left, top = (float(word.split(f'{name}="')[1].split('"')[0]) for name in ("xMin", "yMin"))
    assert left == pytest.approx(0.2 * float(size.width), abs=2)
    assert top == pytest.approx(0.5 * float(size.height), abs=4)


def test_a_text_of_other_pages_is_not_laid_on() -> None:
    beyond = Page(number=3, width_mm=210, height_mm=297, lines=(), source="ocr", engine="e", confidence=1.0)
    for flat in (letter(2), b"%PDF-1.7 broken"):
        with pytest.raises(ValueError, match="not a flattened copy"):
            lay_text(flat, Transcript((beyond,)))


@pytest.mark.req("R-055")
def test_the_policys_word_is_read() -> None:
    text = default_policy_text()
    assert not parse_policy(text).text_layer
    assert parse_policy(text.replace("text_layer: false", "text_layer: true")).text_layer
    assert not parse_policy(
        "\n".join(line for line in text.splitlines() if "text_layer:" not in line)
    ).text_layer
