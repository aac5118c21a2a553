"""Measures how far a leak can be traced: pages of copies, attacked in families; the tint, beside the barcode alone.

A wrong number ends the measurement with an error: there may be none.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np

from ...common.limits import DEFAULT_LIMITS
from ...formats.open import open_document
from ...formats.opened import Picture
from ...models.copy import CopySpec
from ...models.level import Level
from ...samples import leaks
from ...samples.make import make_paper
from ...samples.paper import Block
from ...samples.render import render
from ...stages.mark_glyphs import GlyphSet, read_glyphs
from ...stages.stamp import draw_pages
from ...stages.stamp_glyphs import Shifter
from ...watermark import barcode, tint_read
from ...watermark.glyphs import GlyphKey, boxes
from ...watermark.payload import decode, encode, forensic_id, station_tag
from ...watermark.tint import TintKey
from .race import Race, Races, require, seconds

_KEY, _TAG = b"bench mark key of 32 bytes......", station_tag("bench")
_TINT = TintKey(bytes(range(32)))
_GLYPHS = GlyphKey(_TINT.key)
_PER_MM = 200 / 25.4
_DAY = date(2025, 1, 2)
_REGISTER = 200
"""Copies among which mixed ones are looked for."""


def marks(folder: Path, quick: bool, seed: int) -> Races:
    """Shares of pictures traced to the right copy, by family; mixed copies; pages without any mark; seconds a picture.

    Baseline: `zxing-cpp` reading the barcodes of the same pictures.
    """
    del folder
    count = 2 if quick else 8
    pages = [_Page(number, seed) for number in range(count)]
    for family, attacks in leaks.FAMILIES.items():
        pictures = [
            (page, attack(page.picture, random.Random(f"{seed}:{family}:{page.number}:{index}")))  # noqa: S311
            for page in pages
            for index, attack in enumerate(attacks)
        ]
        yield _share(f"marks.{family}", pictures)
    yield Race(
        name="marks.mixed", unit="%", against="", product=lambda: _mixed(pages[: max(2, count // 2)]), baseline=None,
        rounds=1, note="2 to 4 copies averaged, median, in bands: at least one true, none innocent", better="more",
    )  # fmt: skip
    yield Race(
        name="marks.unmarked", unit="%", against="", product=lambda: _unmarked(pages, seed), baseline=None, rounds=1,
        note="answers on pages without a tint", better="less",
    )  # fmt: skip
    for family, attack in leaks.BLACK_AND_WHITE.items():
        for share in (1.0, 0.25):
            yield _glyphs(family, attack, share, pages, seed)
    first = pages[0]
    yield Race(
        name="marks.read", unit="s", against="zxing-cpp alone", rounds=3,
        product=lambda: seconds(lambda: require(tint_read.read(first.picture, _TINT) is not None, "marks")),
        baseline=lambda: seconds(lambda: barcode.read(first.picture, seconds=5.0, thorough=False)),
    )  # fmt: skip


class _Page:
    """A page of a made-up paper as one copy of it shows it."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self._paper = make_paper(seed * 1000 + number, "test")
        self.serial = 7 * number + 1

    @property
    def picture(self) -> Picture:
        """With its marks and tint, 200 dpi."""
        return self.copy(self.serial)

    @property
    def bare(self) -> Picture:
        """As it came, without any mark."""
        opened = open_document(self._source, limits=DEFAULT_LIMITS)
        try:
            return np.asarray(opened.render(1, 200), np.uint8)
        finally:
            opened.close()

    @cache  # noqa: B019 (as many as there are pages)
    def copy(self, serial: int) -> Picture:
        """The first page of the copy with this serial."""
        id = forensic_id(_KEY, serial)
        spec = CopySpec(
            level=Level.COMPANY_CONFIDENTIAL, period=None, number=serial, recipient="样张", document="D", unit="样例",
            issued=self._paper.fields.signed_date or _DAY, barcode=encode(_KEY, _TAG, id), forensic_id=id,
            tint_key=_TINT.key.hex(),
        )  # fmt: skip
        opened = open_document(self._source, limits=DEFAULT_LIMITS)
        try:
            page = draw_pages(opened, spec)[0]
        finally:
            opened.close()
        return np.asarray(cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)

    @cached_property
    def _text(self) -> tuple[Picture, Shifter]:
        """A page with nothing but the paper's words, as many as it holds, and its shifts."""
        words = "".join(block.text for block in self._paper.body if block.text) * 60
        blocks = tuple(Block("para", words[at : at + 180]) for at in range(0, 900, 180))
        opened = open_document(render(replace(self._paper, body=blocks), "pdf"), limits=DEFAULT_LIMITS)
        try:
            fullest = max(
                (
                    np.asarray(opened.render(number, 200), np.uint8)
                    for number in range(1, opened.page_count + 1)
                ),
                key=lambda page: len(boxes(page, _PER_MM)),
            )
        finally:
            opened.close()
        shifter = Shifter(_GLYPHS, forensic_id(_KEY, self.serial))
        return shifter.picture(1, fullest, _PER_MM), shifter

    @property
    def shifted(self) -> Picture:
        """A page of text as this copy shows it, without any other mark."""
        return self._text[0]

    @property
    def before(self) -> GlyphSet:
        """The same as it was, with this copy's number and those of others."""
        others = (forensic_id(_KEY, 90_000 + number) for number in range(_REGISTER - 1))
        return GlyphSet(tuple(self._text[1].carried.values()), (forensic_id(_KEY, self.serial), *others))

    @property
    def _source(self) -> bytes:
        return render(self._paper, "pdf")


def _share(name: str, pictures: list[tuple[_Page, Picture]]) -> Race:
    def traced(found: Callable[[Picture], int | None]) -> float:
        right = 0
        for page, picture in pictures:
            id = found(picture)
            require(id in (None, forensic_id(_KEY, page.serial)), "marks")
            right += id is not None
        return 100 * right / len(pictures)

    return Race(
        name=name, unit="%", against="barcodes alone", product=lambda: traced(_by_tint),
        baseline=lambda: traced(_by_barcode), rounds=1, note=f"{len(pictures)} pictures", better="more",
    )  # fmt: skip


def _glyphs(family: str, attack: leaks.Attack, share: float, pages: list[_Page], seed: int) -> Race:
    """Pages full of text, the master of each among those of all; a page with fewer glyphs counts as well."""
    name = f"marks.glyphs.{family}" + ("" if share == 1.0 else ", crop-25")

    def traced() -> float:
        sets, right = [page.before for page in pages], 0
        for page, own in zip(pages, sets, strict=True):
            rng = random.Random(f"{seed}:{name}:{page.number}")  # noqa: S311 (no secret)
            picture = attack(page.shifted, rng)
            picture = picture if share == 1.0 else leaks.crop(picture, rng, share)
            file = cv2.imencode(".png", picture)[1].tobytes()
            suspect = open_document(file, limits=DEFAULT_LIMITS)
            try:
                marks = read_glyphs(suspect, sets, _GLYPHS, copies=_REGISTER * len(sets), end=math.inf)
            finally:
                suspect.close()
            named = {int(mark.value, 16) for mark in marks}
            require(named <= {own.ids[0]}, "marks")
            right += bool(named)
        return 100 * right / len(pages)

    return Race(
        name=name, unit="%", against="", product=traced, baseline=None, rounds=1, better="more",
        note=f"{len(pages)} pages of text, {_REGISTER} copies of each",
    )  # fmt: skip


def _by_tint(picture: Picture) -> int | None:
    reading = tint_read.read(picture, _TINT)
    return reading.id if reading else None


def _by_barcode(picture: Picture) -> int | None:
    texts = {code.text for code in barcode.read(picture, seconds=5.0, thorough=False)}
    ids = {decode(_KEY, _TAG, text).id for text in texts} - {None}
    return ids.pop() if len(ids) == 1 else None


def _mixed(pages: list[_Page]) -> float:
    good, runs = 0, 0
    for page in pages:
        for how, copies in (("average", 2), ("average", 4), ("median", 3), ("bands", 3)):
            serials = [page.serial + number for number in range(copies)]
            picture = leaks.mixed([page.copy(serial) for serial in serials], how)
            known = [forensic_id(_KEY, serial) for serial in (*serials, *range(5000, 5000 + _REGISTER))]
            alone = _by_tint(picture)
            found = {id for id, _ in tint_read.suspects(picture, _TINT, known)} | ({alone} - {None})
            require(found <= set(known[:copies]), "marks")
            good += bool(found)
            runs += 1
    return 100 * good / runs


def _unmarked(pages: list[_Page], seed: int) -> float:
    answers, runs = 0, 0
    for page in pages:
        for family in ("plain", "photo", "print-scan"):
            rng = random.Random(f"{seed}:{family}:{page.number}")  # noqa: S311 (no secret)
            answers += _by_tint(leaks.FAMILIES[family][0](page.bare, rng)) is not None
            runs += 1
    return 100 * answers / runs
