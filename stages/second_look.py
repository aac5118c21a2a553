"""A second look: where a key field was read badly, the other engine reads its place, and a contradiction is a doubt.

Pure and keyless. The value is never replaced: on headers and under seals Tesseract is the worse reader (measured), so
all it can do is to point at digits and words of level that two readers see differently. What it cannot read itself
says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from time import monotonic

import cv2
import numpy as np

from ..common.errors import JiyaoError
from ..common.letters import squeezed
from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture
from ..models.fields import FieldEvidence, OfficialFields
from ..models.page import Box, Page, Transcript
from .engines.choose import engines
from .engines.engine import Engine, EngineFault, Quad, RawLine, Together
from .engines.names import FAST
from .engines.recognise import cut_out
from .ocr import choose_dpi
from .page_layers import overlaps
from .page_prepare import look_over
from .page_steps import ALL, Preparation

KEY = frozenset({"mark", "serial", "doc_number", "date"})
"""Fields of one line whose digits or words of level can be compared."""
WEAK = 0.9
"""A field whose evidence scores less is looked at again."""
CLEAR = 0.9
"""A line whose every character was read this well needs no second look merely because a seal lies over it."""
LEAST_CONFIDENCE = 0.5
"""What the other engine reads with less says nothing."""
SECONDS = 4.0
MOST_SECONDS = 15.0
"""For one place, and for all places of a document that one reader looks at."""
MARGIN = 0.2
"""Paper around the line, in its heights."""
LARGER = 2.0
"""The engine that read the page looks at the place at this size when there is no other engine."""

_NUMERALS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_LEVELS = ("绝密", "机密", "秘密", "内部", "核心商密", "普通商密", "商密")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page as it came, seals cleaned, ready for strips to be cut out."""

    page: Page
    picture: Picture


def second_look(
    opened: OpenedDocument,
    transcript: Transcript,
    fields: OfficialFields,
    *,
    engine: str,
    limits: Limits,
    preparation: Preparation = ALL,
) -> OfficialFields:
    """Reads the places of weak key fields again.

    Args:
        opened: the document; page numbers as in `transcript`.
        transcript: what was read of it.
        fields: with their evidence.
        engine: as asked for (`auto`, …); the second reader is another one than read the page, where there is one.
        limits: bound the drawing of pages.
        preparation: as for `ocr`.

    Returns:
        The fields with the same values; evidence that the other reader contradicts has the doubt
        `engines_disagree` and its reading as an alternative.
    """
    del engine
    pages = {page.number: page for page in transcript.pages if page.source == "ocr"}
    weak = [item for item in fields.evidence if _is_weak(item, pages.get(item.page))]
    if not weak:
        return fields
    sheets: dict[int, _Sheet | None] = {}
    strips: list[tuple[FieldEvidence, str, Picture]] = []
    for item in weak:
        if item.page not in sheets:
            sheets[item.page] = _sheet(opened, pages[item.page], limits, preparation)
        sheet = sheets[item.page]
        strip = None if sheet is None else _strip(item, sheet)
        if sheet is not None and strip is not None:
            strips.append((item, sheet.page.engine, strip))
    looked: dict[int, FieldEvidence] = {}
    for first, alike in groupby(strips, key=lambda one: one[1]):
        items, _, pictures = zip(*alike, strict=True)
        for item, seen in zip(items, _seen(pictures, first=first), strict=True):
            looked[id(item)] = _compared(item, seen)
    return replace(fields, evidence=tuple(looked.get(id(item), item) for item in fields.evidence))


def _is_weak(item: FieldEvidence, page: Page | None) -> bool:
    if item.name not in KEY or item.box is None or page is None:
        return False
    if item.score >= WEAK and not item.doubt:
        return False
    lines = [line for line in page.lines if overlaps(line.box, item.box)]
    if len(lines) != 1:
        return False
    return set(item.doubt) != {"covered_by_seal"} or min(lines[0].characters, default=0.0) < CLEAR


def _sheet(opened: OpenedDocument, page: Page, limits: Limits, preparation: Preparation) -> _Sheet | None:
    width, height = opened.size_mm(page.number)
    dpi = choose_dpi(width, height, native=opened.native_dpi(page.number), limits=limits)
    try:
        picture = opened.render(page.number, dpi)
    except FormatFault:  # it was drawn before: the first reading says what is wrong
        return None
    options = replace(preparation, orientation=False)
    over = look_over(picture, dpi=picture.shape[1] / width * 25.4, options=options)
    return _Sheet(page=page, picture=over.picture)


def _strip(item: FieldEvidence, sheet: _Sheet) -> Picture | None:
    if item.box is None:
        return None
    height, width = sheet.picture.shape[:2]
    strip = cut_out(sheet.picture, strip_quad(item.box, sheet.page.direction, width=width, height=height))
    return strip if strip is not None and strip.size else None


def _seen(strips: Sequence[Picture], *, first: str) -> tuple[RawLine | None, ...]:
    """What the other reader than `first` sees on each strip; a reader that breaks down says nothing."""
    reader, larger = _other(first)
    if reader is None:
        return (None,) * len(strips)
    if larger:
        strips = [
            np.asarray(
                cv2.resize(strip, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC), dtype=np.uint8
            )
            for strip in strips
        ]
    seconds = min(MOST_SECONDS, SECONDS * len(strips))
    if isinstance(reader, Together):
        try:
            return reader.read_strips(strips, seconds=seconds)
        except (EngineFault, JiyaoError):
            return (None,) * len(strips)
    deadline = monotonic() + seconds
    return tuple(_one(reader, strip, deadline=deadline) for strip in strips)


def _one(reader: Engine, strip: Picture, *, deadline: float) -> RawLine | None:
    left = deadline - monotonic()
    if left <= 0:
        return None
    try:
        return reader.read_strip(strip, seconds=min(left, SECONDS))
    except (EngineFault, JiyaoError):
        return None


def _compared(item: FieldEvidence, seen: RawLine | None) -> FieldEvidence:
    if seen is None or seen.confidence < LEAST_CONFIDENCE:
        return item
    other = contradiction(item, seen.text)
    if other is None:
        return item
    doubt = tuple(dict.fromkeys((*item.doubt, "engines_disagree")))
    alternatives = tuple(dict.fromkeys((*item.alternatives, other)))
    return replace(item, doubt=doubt, alternatives=alternatives)


def _other(first: str) -> tuple[Engine | None, bool]:
    """The second reader, and whether it is the first one again, so that it must look closer.

    Pages of the fast lane are looked at again by the exact one, whose recogniser is another network: it costs a tenth
    of starting a program, and errs less than that under seals.
    """
    known = [engine for engine in engines() if engine.available()]
    name = first.split(" ")[0]
    kind = name if name == FAST else name.split("-")[0]
    others = [engine for engine in known if not engine.name.startswith(kind)]
    if others:
        return others[0], False
    return (known[0], True) if known else (None, True)


def strip_quad(box: Box, direction: float, *, width: int, height: int) -> Quad:
    """Corners, in pixels of a page of `width` x `height`, of the level line inside its rectangle `box`.

    `direction`: degrees clockwise in which the line runs on the page.
    """
    angle = np.radians(direction)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    wide, high = (box.right - box.left) * width, (box.bottom - box.top) * height
    cosine, sine = abs(float(along[0])), abs(float(along[1]))
    # The rectangle of a turned line: wide = long * cosine + tall * sine, high = long * sine + tall * cosine.
    apart = cosine**2 - sine**2
    if abs(apart) < 0.3:
        long, tall = wide, high
    else:
        long = max((wide * cosine - high * sine) / apart, 1.0)
        tall = max((high * cosine - wide * sine) / apart, 0.3 * min(wide, high), 1.0)
    middle = np.array([box.centre[0] * width, box.centre[1] * height])
    half_long, half_tall = along * (long / 2 + MARGIN * tall), down * (tall * (0.5 + MARGIN))
    corners = [middle + x * half_long + y * half_tall for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    (a, b), (c, d), (e, f), (g, h) = (corner.tolist() for corner in corners)
    return (a, b), (c, d), (e, f), (g, h)


def contradiction(item: FieldEvidence, seen: str) -> str | None:
    """What `seen` makes of the field, where it can be compared and differs; else None."""
    if item.name == "mark":
        mine, theirs = _level(item.value), _level(seen)
        return item.value.replace(mine, theirs) if mine and theirs and mine != theirs else None
    if item.name == "date":
        return _date(item, seen)
    mine_groups, their_groups = _groups(item.raw), _groups(seen)
    value_groups = _groups(item.value)
    wanted = [
        group for group in mine_groups if int(group) in {int(value) for value in value_groups}
    ] or mine_groups
    if not wanted:
        return None
    windows = [
        their_groups[start : start + len(wanted)] for start in range(len(their_groups) - len(wanted) + 1)
    ]
    if wanted in windows:
        return None
    like = [
        window for window in windows if [len(group) for group in window] == [len(group) for group in wanted]
    ]
    return _with_digits(item.value, wanted, like[0]) if like else None


def _date(item: FieldEvidence, seen: str) -> str | None:
    """Year, month and day are compared one by one: a reader may have lost one of them."""
    mine, theirs = _units(item.raw), _units(seen)
    differing = [
        unit
        for unit in mine
        if unit in theirs and mine[unit] != theirs[unit] and len(mine[unit]) == len(theirs[unit])
    ]
    if not differing:
        return None
    return _with_digits(item.value, [mine[unit] for unit in differing], [theirs[unit] for unit in differing])


def _units(text: str) -> dict[str, str]:
    plain = squeezed(text).translate(_NUMERALS)
    return {unit: digits for digits, unit in re.findall(r"(\d+)([年月日])", plain)}


def _level(text: str) -> str:
    plain = squeezed(text)
    return next((level for level in _LEVELS if level in plain), "")


def _groups(text: str) -> list[str]:
    return re.findall(r"\d+", unicodedata.normalize("NFKC", text).translate(_NUMERALS))


def _with_digits(value: str, mine: list[str], theirs: list[str]) -> str:
    """`value` with the other reader's digits in place of the first one's; leading zeros as `value` has them."""
    for old, new in zip(mine, theirs, strict=True):
        if old == new:
            continue
        found = re.search(rf"(?<!\d)0*{int(old)}(?!\d)", value)
        if found:
            value = value[: found.start()] + str(int(new)).zfill(len(found.group())) + value[found.end() :]
    return value
