"""Does a page's own text say what the page shows? A few lines are read from the picture and compared.

Threat model: a file is made to be registered as something else than a reader sees: its fonts map the shapes of 机密 to
the characters of 公开, or its text was replaced under the drawing. The text alone looks sound (`formats/soundness.py`
judges that). So the lines that decide most are cut from the drawn page and read by the engine; where they say
something else, the page is read like a scan. A sample: a single changed word in a long line is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ..common.letters import letters
from ..formats.opened import OpenedDocument, Picture
from ..models.page import Line
from .engines.engine import Engine, EngineFault
from .engines.rapid import RapidEngine

DPI = 120
"""Type of 5 mm is then 24 pixels high, half of what the recogniser sees it at: enough to tell, not to transcribe."""
MOST_LINES = 3
"""Lines compared."""
_LEAST_CHARACTERS = 3
_LIKE = 0.3
"""Share of characters that agree in a sound line; under a seal 0.36 was seen, else 0.8 and above. A map that lies about
Han characters leaves digits alone: then a line without them tells."""
_SURE = 0.8
"""Confidence below which what was read from the picture is no testimony."""
_SECONDS = 5.0
_MARGIN = 0.25


@dataclass(frozen=True, slots=True)
class Difference:
    """A line whose picture says something else; `likeness` is 0..1."""

    line: Line
    likeness: float


def says_otherwise(opened: OpenedDocument, number: int, lines: tuple[Line, ...]) -> Difference | None:
    """Whether the picture of page `number` (from 1) says something else than its own text `lines`.

    Only the first page is looked at: it bears the head, and a font that lies lies everywhere.
    The quick engine looks; what it finds different, the exact one confirms. None also when no engine is there that
    reads single lines fast: then the text stands as it is.

    Raises:
        FormatFault: the page cannot be drawn.
    """
    quick, exact = RapidEngine("fast"), RapidEngine()
    if number != 1 or not exact.available():
        return None
    picture = opened.render(number, DPI)
    for engine in (quick, exact) if quick.available() else (exact,):
        found = find_difference(picture, lines, engine=engine)
        if found is None:
            return None
    return found


def find_difference(picture: Picture, lines: tuple[Line, ...], *, engine: Engine) -> Difference | None:
    """The first of the compared lines that differs from the picture; None when all agree or cannot be told.

    Args:
        picture: the page as drawn, height x width x 3, RGB, best at `DPI`.
        lines: the page's own text, with boxes in fractions of the page.
        engine: reads the strips; what it is not sure of counts as agreement.
    """
    for line in _chosen(lines):
        strip = _strip(picture, line)
        if strip is None:
            continue
        try:
            seen = engine.read_strip(strip, seconds=_SECONDS)
        except EngineFault:
            continue
        if seen is None or seen.confidence < _SURE or len(letters(seen.text)) < _LEAST_CHARACTERS:
            continue
        likeness = _likeness(letters(line.text), letters(seen.text))
        if likeness < _LIKE:
            return Difference(line, round(likeness, 2))
    return None


def _chosen(lines: tuple[Line, ...]) -> list[Line]:
    """The lines that decide most: the topmost, the one with most digits above the middle, the largest, the longest."""
    fit = [line for line in lines if not line.vertical and len(letters(line.text)) >= _LEAST_CHARACTERS]
    if not fit:
        return []
    longest = max(fit, key=lambda line: len(line.text))
    upper = [line for line in fit if line.box.top < 0.5] or fit
    wanted: Iterable[Line] = (
        min(fit, key=lambda line: line.box.top),
        max(upper, key=lambda line: sum(character.isdigit() for character in line.text)),
        max(fit, key=lambda line: (line.size_mm or 0.0, len(line.text))),
        longest,
    )
    return list(dict.fromkeys(wanted))[:MOST_LINES]


def _strip(picture: Picture, line: Line) -> Picture | None:
    height, width = picture.shape[:2]
    box = line.box
    extra = _MARGIN * (box.bottom - box.top) * height
    top, bottom = max(0, int(box.top * height - extra)), min(height, int(box.bottom * height + extra) + 1)
    left, right = max(0, int(box.left * width - extra)), min(width, int(box.right * width + extra) + 1)
    strip = picture[top:bottom, left:right]
    return np.ascontiguousarray(strip) if min(strip.shape[:2]) >= 4 else None


def _likeness(told: str, seen: str) -> float:
    """Share of characters that agree place by place, with one gap allowed anywhere.

    Not a longest common subsequence: a character map shifted by one keeps nearly all of that.
    """
    fewest = min(len(told), len(seen))
    ahead = [0, *accumulate(map(str.__eq__, told, seen))]
    back = [0, *accumulate(map(str.__eq__, told[::-1], seen[::-1]))]
    return max(ahead[split] + back[fewest - split] for split in range(fewest + 1)) / max(len(told), len(seen))
