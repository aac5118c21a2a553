"""What happens to a page of a copy once it leaks: cut, scanned, photographed, sent on, mixed. Seeded, in families.

Every attack takes a page picture (RGB, the whole page at 200 dpi) and a generator, and gives what is found later. The
strengths are drawn anew for every seed. All of it is drawn: no paper, no lens.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture

Attack = Callable[[Picture, random.Random], Picture]
_WHITE = (255, 255, 255)


def _jpeg(page: Picture, quality: int) -> Picture:
    data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _sized(page: Picture, rate: float) -> Picture:
    how = cv2.INTER_AREA if rate < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(page, None, fx=rate, fy=rate, interpolation=how), np.uint8)


def _clip(page: NDArray[Any]) -> Picture:
    clipped: Picture = np.clip(page, 0, 255).astype(np.uint8)
    return clipped


def _noise(page: Picture, rng: random.Random, spread: float) -> Picture:
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, spread, page.shape)
    return _clip(page + noise)


def _turned(page: Picture, degrees: float) -> Picture:
    height, width = page.shape[:2]
    cos, sin = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=_WHITE), np.uint8)


def _gray(page: Picture, _rng: random.Random) -> Picture:
    return np.repeat(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)


def crop(page: Picture, rng: random.Random, share: float) -> Picture:
    """A part of the page of this share of its area, from anywhere inside the margins."""
    height, width = page.shape[:2]
    side = share**0.5
    rows, columns = round(height * side), round(width * side)
    top = round(rng.uniform(0.06, max(0.07, 0.94 - side)) * height)
    left = round(rng.uniform(0.06, max(0.07, 0.94 - side)) * width)
    return np.ascontiguousarray(page[top : top + rows, left : left + columns])


def print_scan(page: Picture, rng: random.Random, *, rate: float | None = None) -> Picture:
    """Printed and scanned: dot gain, the printer's and the scanner's tone, grain, a slight turn, 150 to 300 dpi (`rate`
    times 200).
    """
    chosen = rng.choice((0.75, 1.0, 1.5)) if rate is None else rate
    soft = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.6, 1.0)).astype(np.float32)
    tone = soft * rng.uniform(0.93, 0.98) + rng.uniform(2, 9)
    scanned = _sized(_noise(_clip(tone), rng, rng.uniform(2, 4)), chosen)
    scanned = _turned(scanned, rng.uniform(-2, 2))
    return _jpeg(_gray(scanned, rng) if rng.random() < 0.3 else scanned, rng.choice((60, 75, 90)))


def photo(page: Picture, rng: random.Random) -> Picture:
    """Photographed by hand: up to 20 degrees off, uneven light, a bent sheet, a table round it, any size."""
    height, width = page.shape[:2]
    rows, columns = np.indices((height, width), np.float32)
    wave = rng.uniform(0, 8)
    bent = cv2.remap(
        page, columns + wave * np.sin(rows / rng.uniform(250, 500)), rows + wave * np.cos(columns / 300),
        cv2.INTER_LINEAR, borderValue=_WHITE,
    )  # fmt: skip
    reach = rng.uniform(0.02, 0.13)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    margin = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32) * (width * 0.06)
    shifts = [
        [rng.uniform(-reach, reach) * width * 0.5, rng.uniform(-reach, reach) * height * 0.3]
        for _ in range(4)
    ]
    seen = corners + margin + np.array(shifts, np.float32)
    table = tuple(rng.randrange(40, 160) for _ in range(3))
    shot = cv2.warpPerspective(
        bent, cv2.getPerspectiveTransform(corners, seen), (width, height), borderValue=table
    )
    across = np.linspace(rng.uniform(0.65, 0.9), 1.0, width)[None, :, None]
    light = across * np.linspace(1.0, rng.uniform(0.8, 1.0), height)[:, None, None]
    warm = np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.85, 1.0)])
    scene = cv2.GaussianBlur(_clip(shot * light * warm), (0, 0), rng.uniform(0.5, 1.1))
    return _jpeg(
        _sized(_noise(np.asarray(scene, np.uint8), rng, 3), rng.uniform(0.8, 1.4)), rng.choice((70, 85))
    )


def megapixels(picture: Picture, millions: float) -> Picture:
    """The same picture with so many million pixels, as a camera gives it."""
    return _sized(picture, (millions * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5)


def screen_photo(page: Picture, rng: random.Random) -> Picture:
    """A screen with the page on it, photographed: the screen's grid shows."""
    shown = _sized(page, 0.55)
    lit: NDArray[Any] = cv2.resize(shown, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(
        np.float32
    )
    lit[::3] *= 0.86
    lit[:, ::3] *= 0.9
    return photo(_sized(_clip(lit), page.shape[0] / lit.shape[0]), rng)


def chat(page: Picture, rng: random.Random) -> Picture:
    """Sent on by a chat program: 1280 or 1440 pixels, strong compression."""
    return _jpeg(_sized(page, rng.choice((1280, 1440)) / max(page.shape[:2])), rng.randrange(40, 75))


def _bits(page: Picture, rng: random.Random) -> Picture:
    gray = cv2.GaussianBlur(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    return np.repeat(((gray > rng.uniform(140, 200)) * np.uint8(255))[:, :, None], 3, axis=2)


def _cleaned(page: Picture, rng: random.Random) -> Picture:
    return _clip((page.astype(np.float32) - 128) * 1.3 + 128 + rng.uniform(15, 30))


FAMILIES: dict[str, tuple[Attack, ...]] = {
    "plain": (
        lambda page, rng: _jpeg(page, rng.randrange(20, 60)),
        lambda page, rng: _sized(page, rng.uniform(0.45, 1.6)),
        lambda page, rng: _turned(page, rng.uniform(-180, 180)),
        lambda page, rng: _noise(
            np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 1.6)), np.uint8), rng, 5
        ),
        _gray,
    ),
    "crop-25": (lambda page, rng: _jpeg(crop(page, rng, 0.25), rng.choice((50, 70, 95))),),
    "crop-10": (lambda page, rng: _jpeg(crop(page, rng, 0.10), rng.choice((50, 70, 95))),),
    "screen": (
        lambda page, rng: _jpeg(_sized(page, rng.uniform(96, 140) / 200), rng.randrange(60, 95)),
        chat,
    ),
    "print-scan": (print_scan,),
    "print-scan, crop-25": (lambda page, rng: crop(print_scan(page, rng), rng, 0.25),),
    "photo": (photo, lambda page, rng: chat(photo(page, rng), rng), screen_photo),
    "clipped": (_bits, _cleaned),
}
"""Attacks by family. `clipped`: what a tint cannot survive, by design."""


def photocopy(page: Picture, rng: random.Random, *, dpi: int = 200, share: float = 1.0) -> Picture:
    """Printed with a halftone of 106 lines an inch at 600 dpi, and copied in black and white, no greys: what a tint
    cannot survive. `share` of the page's area.
    """
    gray = cv2.cvtColor(page if share == 1.0 else crop(page, rng, share), cv2.COLOR_RGB2GRAY)
    printed: NDArray[Any] = cv2.resize(gray, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    rows, columns = np.indices(printed.shape, np.float32) * np.float32(2 * np.pi * 106 / 600 * 0.5**0.5)
    screen = (np.cos(columns + rows) + np.cos(columns - rows)) / 4 + 0.5
    ink = np.where(printed > screen * 250 + 2.5, np.float32(240), np.float32(14))
    scale = dpi / 600
    soft = cv2.GaussianBlur(ink, (0, 0), (rng.uniform(1.2, 2.0) ** 2 + (0.45 / scale) ** 2) ** 0.5)
    height, width = soft.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-1.5, 1.5), scale)
    size = round(width * scale), round(height * scale)
    turn[:, 2] += size[0] / 2 - width / 2, size[1] / 2 - height / 2
    seen = cv2.warpAffine(soft, turn, size, flags=cv2.INTER_LINEAR, borderValue=240)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 4, seen.shape)
    return np.repeat(((seen + noise > rng.uniform(120, 185)) * np.uint8(255))[:, :, None], 3, axis=2)


def _despeckled(page: Picture, rng: random.Random) -> Picture:
    bits = np.ascontiguousarray(_bits(print_scan(page, rng), rng)[:, :, 0])
    return np.repeat(cv2.medianBlur(bits, 3)[:, :, None], 3, axis=2)


def _scan_app(page: Picture, rng: random.Random) -> Picture:
    seen = print_scan(page, rng) if rng.random() < 0.5 else photo(page, rng)
    return _jpeg(_cleaned(seen, rng), rng.choice((60, 80)))


BLACK_AND_WHITE: dict[str, Attack] = {
    "1-bit": lambda page, rng: _bits(print_scan(page, rng), rng),
    "photocopy": photocopy,
    "scan-app": _scan_app,
    "despeckled": _despeckled,
}
"""What clips the paper to white: only dark marks are left."""


def mixed(pages: Sequence[Picture], how: str) -> Picture:
    """Copies of the same page mixed into one: `average`, `median`, `bands`."""
    stack: NDArray[Any] = np.stack(pages)
    if how == "average":
        return _clip(stack.mean(axis=0))
    if how == "median":
        return _clip(np.median(stack, axis=0))
    bands = np.array_split(np.arange(stack.shape[1]), 3 * len(pages))
    out: Picture = np.empty_like(stack[0])
    for number, band in enumerate(bands):
        out[band] = stack[number % len(pages)][band]
    return out
