"""Which damage a file has suffered, and the pixels of it: by severity, seed and split, and named in the truth.

Every file of severity `bad` or `awful` has one or two kinds. Strengths are drawn from ten equal slices of each kind's
range: training takes the even slices, testing the odd ones, so that no strength is seen in both.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .degrade import add_border, add_stains, even_light, show_through, skewed
from .paper import Severity, Split

_Floats = NDArray[np.float32]
BAD = ("fax", "low_dpi", "dark", "copy", "border", "creases", "rotated")
AWFUL = ("photo", "fax_of_fax", "dpi_100", "toner", "dark_100", "skew", "rotated_photo")
_TOGETHER = {
    "fax": ("border", "rotated"), "low_dpi": ("creases", "rotated", "border"), "dark": ("border", "rotated"),
    "copy": ("border", "creases"), "border": ("creases",), "creases": ("rotated",), "rotated": ("border",),
    "toner": ("skew",), "dpi_100": ("skew",),
}  # fmt: skip
"""What may come with it; papers with everything at once are no mail but noise."""
_LOW = frozenset({"dpi_100", "dark_100"})
_BITS = frozenset({"fax", "fax_of_fax"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to the pages of one file. `strength` and `turn` (quarter turns) hold for all of them."""

    kinds: tuple[str, ...]
    dpi: int
    quality: int
    strength: float
    turn: int = 0

    @property
    def bits(self) -> bool:
        """Whether the pages end in black and white alone."""
        return bool(_BITS & set(self.kinds))


def plan(severity: Severity, *, seed: int, split: Split) -> Plan:
    """The damage of a file; the same for the same arguments."""
    rng = random.Random(f"damage:{severity}:{split}:{seed}")
    strength = (2 * rng.randrange(5) + (split == "test") + rng.random()) / 10
    if severity == "clean":
        return Plan((), 300, 85, strength)
    if severity == "office":
        return Plan((), 200, 60, strength)
    first = rng.choice(BAD if severity == "bad" else AWFUL)
    others = _TOGETHER.get(first, ())
    kinds = (first, rng.choice(others)) if others and rng.random() < 0.35 else (first,)
    turn = rng.choice((1, 2, 3)) if {"rotated", "rotated_photo"} & set(kinds) else 0
    dpi = 100 if _LOW & set(kinds) else 150 if "low_dpi" in kinds else 200
    return Plan(kinds, dpi, 45 if severity == "bad" else 40, strength, turn)


def damage(picture: Picture, done: Plan, *, seed: int, back: Picture | None = None) -> Picture:
    """One page as it arrives (height x width x 3, RGB); black and white where `done.bits`.

    Args:
        picture: the page as drawn at `done.dpi`.
        done: what happens to it.
        seed: of the chances of this page.
        back: what shines through from the other side.
    """
    rng = np.random.default_rng(seed)
    page = picture.astype(np.float32)
    if back is not None and back.shape == picture.shape and not done.bits:
        page = show_through(page, back, 0.05)
    kinds, s = set(done.kinds), done.strength
    if kinds & {"dark", "dark_100"}:
        page = _dark(page, rng, s)
    if "copy" in kinds:
        page = _copied(page, rng, s)
    if "toner" in kinds:
        page = _toner(page, rng, s)
    if "creases" in kinds:
        page = _creases(page, rng, s)
    page = _scanned(page, rng, kinds, s)
    if "border" in kinds:
        page = add_border(page, rng)
    if "fax" in kinds:
        page = _fax(page, rng, s, again=False)
    if "fax_of_fax" in kinds:
        page = _fax(page, rng, s, again=True)
    if kinds & {"photo", "rotated_photo"}:
        page = _photo(page, rng, s)
    if done.turn:
        page = np.ascontiguousarray(np.rot90(page, done.turn))
    return np.clip(page, 0, 255).astype(np.uint8)


def _scanned(page: _Floats, rng: np.random.Generator, kinds: set[str], s: float) -> _Floats:
    """The glass of the scanner: a little blur, skew, uneven light and noise."""
    page = np.asarray(
        cv2.GaussianBlur(page, (0, 0), 0.35 if kinds & (_LOW | {"low_dpi"}) else 0.5), dtype=np.float32
    )
    sign = 1 if rng.random() < 0.5 else -1
    degrees = sign * (4.0 + 4.0 * s) if "skew" in kinds else float(rng.uniform(-1.8, 1.8))
    if not kinds & {"photo", "rotated_photo"}:
        page = skewed(page, degrees)
    page = even_light(page, rng, 0.08)
    noise = rng.standard_normal(page.shape[:2], dtype=np.float32) * (4.0 + 4.0 * s)
    return np.asarray(page + noise[..., None], dtype=np.float32)


def _dark(page: _Floats, rng: np.random.Generator, s: float) -> _Floats:
    """A grey ground, paler ink, coffee and damp."""
    page = add_stains(page, rng)
    ground = 175.0 - 45.0 * s
    page = np.asarray(page * (ground - 25) / 255 + 25, dtype=np.float32)
    grain = cv2.GaussianBlur(rng.standard_normal(page.shape[:2], dtype=np.float32), (0, 0), 1.2) * 9
    return np.asarray(page + grain[..., None], dtype=np.float32)


def _copied(page: _Floats, rng: np.random.Generator, s: float) -> _Floats:
    """A copy of a copy: no colour, hard contrast, strokes grown or worn, specks."""
    grey: _Floats = page.mean(axis=2).astype(np.float32)
    for generation in range(2):
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.7 + 0.25 * s), dtype=np.float32)
        middle = 150.0 + float(rng.uniform(-22, 22)) + 6 * generation
        grey = np.asarray(255.0 / (1.0 + np.exp(-(grey - middle) / (24.0 - 8.0 * s))), dtype=np.float32)
        specks = rng.random(grey.shape, dtype=np.float32) < 0.0004 * (1 + s)
        grey = np.where(specks, np.float32(60), grey).astype(np.float32)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float32)


def _toner(page: _Floats, rng: np.random.Generator, s: float) -> _Floats:
    """A worn cartridge: pale streaks down the page and strokes full of holes."""
    height, wide = page.shape[:2]
    fade = np.zeros(wide, np.float32)
    for _ in range(int(rng.integers(3, 6))):
        at, broad = rng.uniform(0.05, 0.95) * wide, rng.uniform(0.008, 0.02) * wide
        fade += np.exp(-(((np.arange(wide) - at) / broad) ** 2)) * float(rng.uniform(0.35, 0.55 + 0.25 * s))
    clouds = cv2.GaussianBlur(rng.standard_normal((height // 2, wide // 2), dtype=np.float32), (0, 0), 0.9)
    holes = cv2.resize(clouds, (wide, height)) / float(clouds.std()) > 1.45 - 0.4 * s
    lost = np.clip(fade[None, :] + holes * 0.75, 0, 0.92)[..., None]
    return np.asarray(page + (255 - page) * lost, dtype=np.float32)


def _creases(page: _Floats, rng: np.random.Generator, s: float) -> _Floats:
    """Folds of a letter, thrice across and once down: a dark line beside a light one, shadow at one side."""
    height, wide = page.shape[:2]
    shade = np.zeros((height, wide), np.float32)
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)[None, :]
    for part in (1 / 3, 2 / 3):
        at = height * (part + float(rng.uniform(-0.02, 0.02))) + columns * float(rng.uniform(-0.01, 0.01))
        shade += _fold(rows - at, 18 + 30 * s)
    shade += _fold(columns - wide * float(rng.uniform(0.47, 0.53)) - rows * 0.004, 18 + 30 * s)
    return np.asarray(page - shade[..., None] * (page / 255), dtype=np.float32)


def _fold(away: _Floats, deep: float) -> _Floats:
    line = np.exp(-((away / 1.3) ** 2)) * deep * 1.6
    shadow = np.exp(-np.clip(away, 0, None) / 28) * (away > 0) * deep * 0.8
    return np.asarray(line + shadow, dtype=np.float32)


def _fax(page: _Floats, rng: np.random.Generator, s: float, *, again: bool) -> _Floats:
    """Black and white by a threshold, specks, lost lines; `again`: coarse (98 lines an inch), twice over."""
    height, wide = page.shape[:2]
    grey = page.mean(axis=2)
    for turn in range(2 if again else 1):
        if again and turn == 0:
            grey = cv2.resize(grey, (wide, height // 2), interpolation=cv2.INTER_AREA)
        noise = rng.standard_normal(grey.shape, dtype=np.float32) * (10 + 10 * s)
        white = grey + noise > 168 - 14 * s
        flips = rng.random(grey.shape, dtype=np.float32) < 0.0004 + 0.0012 * s
        grey = np.where(white ^ flips, 255, 0).astype(np.float32)
        if again and turn == 0:
            grey = cv2.resize(grey, (wide, height), interpolation=cv2.INTER_LINEAR)
            grey = cv2.GaussianBlur(grey, (0, 0), 0.8)
    for _ in range(int(rng.integers(0, 3))):
        row = int(rng.integers(0, height - 2))
        grey[row : row + 1, :] = 255
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float32)


def _photo(page: _Floats, rng: np.random.Generator, s: float) -> _Floats:
    """A telephone held over the desk: perspective, the desk around the sheet, a shadow, soft at the edge."""
    height, wide = page.shape[:2]
    lean = 0.025 + 0.05 * s
    corners = np.array([(0, 0), (wide, 0), (wide, height), (0, height)], np.float32)
    moves = rng.uniform(0.0, lean, (4, 2)).astype(np.float32) * np.array((wide, height), np.float32)
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], np.float32)
    view = cv2.getPerspectiveTransform(corners, corners + moves * inward)
    desk = np.array((118.0, 96.0, 78.0), np.float32) + float(rng.uniform(-25, 25))
    seen = cv2.warpPerspective(page, view, (wide, height), borderValue=tuple(map(float, desk)))
    x, y = rng.uniform(0.1, 0.9, 2)
    rows, columns = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, wide)[None, :]
    lamp = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 0.9)
    edge = float(rng.uniform(0.25, 0.75))
    hand = 1 / (1 + np.exp(-(columns + 0.35 * rows - edge) * 14))
    light = (0.52 + 0.48 * lamp) * (1 - (0.18 + 0.2 * s) * hand)
    tint = np.array((1.0, 0.97, 0.9), np.float32)
    soft = cv2.GaussianBlur(seen, (0, 0), 0.7 + 0.3 * s)
    return np.asarray(soft * light[..., None] * tint, dtype=np.float32)
