"""Pages of many kinds as copies of them are issued: what the attack bench attacks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final, Literal

import cv2
import numpy as np

from ...common.limits import DEFAULT_LIMITS
from ...formats.open import open_document
from ...formats.opened import OpenedDocument, Picture
from ...models.copy import CopySpec, MarkProfile
from ...models.incoming import Kind
from ...models.level import Level
from ...models.page import Finding, Line
from ...samples.make import make_paper
from ...samples.paper import Block, Paper
from ...samples.photograph import with_colours, with_photographs
from ...samples.render import render
from ...stages.mark_glyphs import GlyphSet
from ...stages.stamp import draw, draw_pages
from ...stages.stamp_glyphs import Shifter
from ...watermark.glyph_pages import GlyphPage
from ...watermark.payload import encode, forensic_id, station_tag
from ...watermark.tint import TintKey

PageKind = Literal["dense", "letter", "table", "blank", "scanned", "photo", "ofd", "colour", "overlay"]
KINDS: Final[tuple[PageKind, ...]] = (
    "dense", "letter", "table", "photo", "scanned", "ofd", "blank", "colour", "overlay", "dense", "photo",
)  # fmt: skip
"""In turn: some kinds twice, so that the families which ask for them have enough."""
KEY, TAG = b"bench mark key of 32 bytes......", station_tag("bench")
TINT = TintKey(bytes(range(32)))
REGISTER = 400
"""Copies that stand in the register, those of the pages among them."""
SHARED: Final = 200
"""Copies of each document, which share its page as it was."""
_SHARING = 90_000
_DPI: Final = 200
PER_MM: Final = _DPI / 25.4
_DAY = date(2025, 1, 2)
_ISSUED_QUALITY = 85


def id_of(serial: int) -> int:
    """The number of a copy."""
    return forensic_id(KEY, serial)


class Shown:
    """A picture as an opened document of one page, without parsing it once more."""

    signature: Literal["none", "present"] = "none"
    protection: Literal["none", "owner", "read"] = "none"
    active: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    page_count = 1

    def __init__(
        self, picture: Picture, *, kind: Kind = "png", size_mm: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self.kind: Kind = kind
        self._picture, self._size = picture, size_mm

    def size_mm(self, number: int) -> tuple[float, float]:  # noqa: ARG002
        """Width and height of the page."""
        return self._size

    def text_lines(self, number: int) -> tuple[Line, ...] | None:  # noqa: ARG002
        """None: there is nothing but the picture."""
        return None

    def render(self, number: int, dpi: int) -> Picture:  # noqa: ARG002
        """Its own pixels; smaller where the page's size is known and less is asked for."""
        wanted = round(self._size[0] / 25.4 * dpi)
        if not wanted or wanted >= self._picture.shape[1]:
            return self._picture
        rate = wanted / self._picture.shape[1]
        small = cv2.resize(self._picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def native_dpi(self, number: int) -> float | None:  # noqa: ARG002
        """That of the pages made here."""
        return float(_DPI)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class MarkedPage:
    """One page of a made-up paper, and the copies of it."""

    number: int
    seed: int
    kind: PageKind
    profile: MarkProfile = "normal"
    tint: TintKey = TINT
    """Of the station that issued it."""
    _masters: dict[int, GlyphPage | None] = field(default_factory=dict, init=False)
    _copies: dict[int, Picture] = field(default_factory=dict, init=False)
    _carried: dict[int, GlyphPage] = field(default_factory=dict, init=False)

    @property
    def id(self) -> int:
        """Of the copy that leaks."""
        return id_of(self.number)

    @cached_property
    def paper(self) -> Paper:
        """What it says."""
        return _paper(self.kind, self.seed, self.number)

    @cached_property
    def bare(self) -> Picture:
        """Before any mark, 200 dpi."""
        if self.kind == "overlay":
            return first_page(render(self.paper, "pdf"))
        return _bare(self.kind, self.paper, random.Random(f"{self.seed}:bare:{self.number}"))  # noqa: S311

    @property
    def picture(self) -> Picture:
        """The copy that leaks."""
        return self.copy(self.number)

    def copy(self, serial: int) -> Picture:
        """The copy with this serial as it is issued (JPEG, flattened; or drawn from a page that stays text)."""
        if serial not in self._copies:
            self._copies[serial] = self._draw(serial)
        return self._copies[serial]

    @property
    def masters(self) -> GlyphSet | None:
        """The page as it was and the copies that share it; None where no glyph was shifted."""
        if not self._copies:
            _ = self.picture
        if not self._carried:
            return None
        others = (id_of(_SHARING + number) for number in range(SHARED - 1))
        return GlyphSet(tuple(self._carried.values()), (self.id, *others))

    @property
    def glyphs(self) -> int:
        """How many of its glyphs were shifted."""
        return sum(len(page.boxes) for page in self._carried.values())

    def _draw(self, serial: int) -> Picture:
        spec = self._spec(serial)
        shifter = Shifter.of(spec, self._masters)
        if self.kind == "overlay":
            data = render(self.paper, "pdf")
            opened = open_document(data, limits=DEFAULT_LIMITS)
            try:
                marked = draw(opened, replace(spec, flatten=False), source=data, shifter=shifter)
            finally:
                opened.close()
            picture = first_page(marked)
        else:
            height, width = self.bare.shape[:2]
            shown: OpenedDocument = Shown(self.bare, kind="pdf", size_mm=(width / PER_MM, height / PER_MM))
            page = draw_pages(shown, spec, shifter=shifter)[0]
            plain = np.asarray(cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR), np.uint8)
            issued = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, _ISSUED_QUALITY])[1]
            picture = np.asarray(cv2.imdecode(issued, cv2.IMREAD_COLOR_RGB), np.uint8)
        if shifter is not None:
            self._carried = {number: page for number, page in shifter.carried.items() if number == 1}
        return picture

    def _spec(self, serial: int) -> CopySpec:
        id = id_of(serial)
        return CopySpec(
            level=Level.COMPANY_CONFIDENTIAL, period=None, number=1 + serial % 97, recipient="样张",
            document=f"D{self.number}", unit="样例", issued=self.paper.fields.signed_date or _DAY,
            barcode=encode(KEY, TAG, id), forensic_id=id, tint_key=self.tint.key.hex(), profile=self.profile,
        )  # fmt: skip


def _paper(kind: PageKind, seed: int, number: int) -> Paper:
    paper = make_paper(
        seed * 1000 + number, "test", layout="letter" if kind in ("letter", "overlay") else None
    )
    words = "".join(block.text for block in paper.body if block.text)
    match kind:
        case "dense":
            many = words * 20
            return replace(
                paper, body=tuple(Block("para", many[at : at + 180]) for at in range(0, 1600, 180))
            )
        case "table":
            return replace(paper, body=(paper.body[0], Block("table", rows=_rows(words, seed + number))))
        case "blank":
            return replace(paper, body=(Block("para", words[:40]),))
        case _:
            return paper


def _rows(words: str, seed: int) -> tuple[tuple[str, ...], ...]:
    rng = random.Random(f"table:{seed}")  # noqa: S311 (no secret)
    clear = "".join(char for char in words if "\u4e00" <= char <= "\u9fff") * 9

    def some(longest: int) -> str:
        at = rng.randrange(len(clear) - longest)
        return clear[at : at + rng.randrange(2, longest)]

    head = ("序号", "项目", "承办单位", "金额")
    return head, *(
        (str(row), some(9), some(7), f"{rng.randrange(10, 9999)}.{rng.randrange(10, 99)}")
        for row in range(1, rng.randrange(12, 20))
    )


def _bare(kind: PageKind, paper: Paper, rng: random.Random) -> Picture:
    makers: dict[PageKind, Callable[[], bytes]] = {
        "scanned": lambda: render(paper, "scan", rng.choice(("office", "office", "bad")), rng.randrange(1 << 20)),
        "ofd": lambda: render(paper, "ofd"),
    }  # fmt: skip
    page = first_page(makers.get(kind, lambda: render(paper, "pdf"))())
    if kind == "photo":
        return with_photographs(page, rng)
    return with_colours(page, rng) if kind == "colour" else page


def first_page(data: bytes) -> Picture:
    """The first page of a file, 200 dpi."""
    opened = open_document(data, limits=DEFAULT_LIMITS)
    try:
        return np.asarray(opened.render(1, _DPI), np.uint8)
    finally:
        opened.close()
