"""What happens to a page of a copy once it leaks: cut, scanned, photographed, sent on, mixed. Seeded, in families.

Every attack takes a page picture (RGB, the whole page at 200 dpi) and a generator, and gives what is found later. The
strengths are drawn anew for every seed. All of it is drawn: no paper, no lens.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..formats.opened import Picture
from .leak_photos import bent_photo, chat, far_photo, megapixels, phone, photo, screen_photo
from .leak_steps import WHITE, Attack, clipped, crop, gray, jpeg, noisy, sized, turned

__all__ = [
    "BLACK_AND_WHITE", "FAMILIES", "MORE", "Attack", "bent_photo", "chat", "crop", "diffused", "estimated",
    "far_photo", "folded", "megapixels", "mirrored", "mixed", "phone", "photo", "photocopy", "print_scan",
    "screen_photo",
]  # fmt: skip


def print_scan(page: Picture, rng: random.Random, *, rate: float | None = None) -> Picture:
    """Printed and scanned: dot gain, the printer's and the scanner's tone, grain, a slight turn, 150 to 300 dpi (`rate`
    times 200).
    """
    chosen = rng.choice((0.75, 1.0, 1.5)) if rate is None else rate
    soft = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.6, 1.0)).astype(np.float32)
    tone = soft * rng.uniform(0.93, 0.98) + rng.uniform(2, 9)
    scanned = sized(noisy(clipped(tone), rng, rng.uniform(2, 4)), chosen)
    scanned = turned(scanned, rng.uniform(-2, 2))
    return jpeg(gray(scanned, rng) if rng.random() < 0.3 else scanned, rng.choice((60, 75, 90)))


def folded(page: Picture, rng: random.Random) -> Picture:
    """Folded once and scanned half open: each half lies its own way, with a shadow between them."""
    height, width = page.shape[:2]
    cut = round(height * rng.uniform(0.42, 0.58))
    out = np.full_like(page, 255)
    for top, bottom in ((0, cut), (cut, height)):
        turn = cv2.getRotationMatrix2D(
            (width / 2, (bottom - top) / 2), rng.uniform(-1.5, 1.5), rng.uniform(0.96, 1.0)
        )
        turn[:, 2] += np.array([rng.uniform(-12, 12), rng.uniform(-6, 6)])
        half = cv2.warpAffine(
            page[top:bottom], turn, (width, bottom - top), flags=cv2.INTER_CUBIC, borderValue=WHITE
        )
        out[top:bottom] = half
    shadow = 1 - 0.35 * np.exp(-np.square((np.arange(height) - cut) / 9.0))
    return print_scan(clipped(out * shadow[:, None, None]), rng, rate=1.0)


def _identity(page: Picture, _rng: random.Random) -> Picture:
    return page


def _compressed(page: Picture, rng: random.Random) -> Picture:
    return jpeg(page, rng.randrange(20, 60))


def _scaled(page: Picture, rng: random.Random) -> Picture:
    return sized(page, rng.uniform(0.45, 1.6))


def _rotated(page: Picture, rng: random.Random) -> Picture:
    return turned(page, rng.uniform(-180, 180))


def _blurred(page: Picture, rng: random.Random) -> Picture:
    return np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 1.6)), np.uint8)


def _noisy(page: Picture, rng: random.Random) -> Picture:
    return noisy(page, rng, rng.uniform(3, 8))


def _cut_quarter(page: Picture, rng: random.Random) -> Picture:
    return jpeg(crop(page, rng, 0.25), rng.choice((50, 70, 95)))


def _cut_tenth(page: Picture, rng: random.Random) -> Picture:
    return jpeg(crop(page, rng, 0.10), rng.choice((50, 70, 95)))


def _screenshot(page: Picture, rng: random.Random) -> Picture:
    return jpeg(sized(page, rng.uniform(96, 140) / 200), rng.randrange(60, 95))


def _scanned_quarter(page: Picture, rng: random.Random) -> Picture:
    return crop(print_scan(page, rng), rng, 0.25)


def _photo_sent(page: Picture, rng: random.Random) -> Picture:
    return chat(photo(page, rng), rng)


def _phone_sent(page: Picture, rng: random.Random) -> Picture:
    return chat(phone(page, rng), rng)


def _screen_phone(page: Picture, rng: random.Random) -> Picture:
    return screen_photo(page, rng, phone)


def _bits(page: Picture, rng: random.Random) -> Picture:
    gray = cv2.GaussianBlur(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    return np.repeat(((gray > rng.uniform(140, 200)) * np.uint8(255))[:, :, None], 3, axis=2)


def _cleaned(page: Picture, rng: random.Random) -> Picture:
    return clipped((page.astype(np.float32) - 128) * 1.3 + 128 + rng.uniform(15, 30))


def diffused(page: Picture, _rng: random.Random) -> Picture:
    """Black and white by error diffusion: single dots keep the greys."""
    bits = np.asarray(Image.fromarray(page).convert("L").convert("1"))
    return np.repeat((bits * np.uint8(255))[:, :, None], 3, axis=2)


def mirrored(page: Picture, rng: random.Random) -> Picture:
    """Seen from behind, or by a camera that mirrors."""
    return _compressed(np.ascontiguousarray(page[:, ::-1]), rng)


def estimated(page: Picture, rng: random.Random) -> Picture:
    """Who knows that a pattern repeats every 40 mm estimates it from his own copy, the mean of what its tiles' clear
    paper has in common, and takes it away. `page`: the whole page at 200 dpi.
    """
    side = 40 / 25.4 * 200
    plane = page.astype(np.float32)
    paper = cv2.erode(
        (cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) > 225).astype(np.uint8), np.ones((9, 9), np.uint8)
    ).astype(np.float32)
    around = np.maximum(cv2.blur(paper, (61, 61)), 1e-3)[:, :, None]
    rest = (plane - cv2.blur(plane * paper[:, :, None], (61, 61)) / around) * paper[:, :, None]
    # tiles of whole pixels at the nearest size: the page is scaled so that 40 mm are 315 pixels
    rate = 315 / side
    size = round(page.shape[1] * rate), round(page.shape[0] * rate)
    even, there = cv2.resize(rest, size), cv2.resize(paper, size)
    rows, columns = -(-size[1] // 315), -(-size[0] // 315)
    total, count = np.zeros((315, 315, 3), np.float32), np.full((315, 315, 1), 1e-3, np.float32)
    for row in range(rows):
        for column in range(columns):
            part = slice(row * 315, (row + 1) * 315), slice(column * 315, (column + 1) * 315)
            tile, seen = even[part], there[part]
            total[: tile.shape[0], : tile.shape[1]] += tile
            count[: tile.shape[0], : tile.shape[1]] += seen[:, :, None]
    pattern = np.tile(total / count, (rows, columns, 1))[: size[1], : size[0]]
    whole = cv2.resize(pattern, (page.shape[1], page.shape[0]))
    return _compressed(clipped(plane - whole * paper[:, :, None]), rng)


def photocopy(page: Picture, rng: random.Random, *, dpi: int = 200, share: float = 1.0) -> Picture:
    """Printed with a halftone of 106 lines an inch at 600 dpi, and copied in black and white, no greys: what a tint
    cannot survive. `share` of the page's area.
    """
    gray = cv2.cvtColor(page if share == 1.0 else crop(page, rng, share), cv2.COLOR_RGB2GRAY)
    printed: NDArray[Any] = cv2.resize(gray, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    turn_of = np.float32(2 * np.pi * 106 / 600 * 0.5**0.5)
    down, right = (np.cos(np.arange(side, dtype=np.float32) * turn_of) for side in printed.shape)
    screen = np.multiply.outer(down, right) / 2 + np.float32(0.5)
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
    return jpeg(_cleaned(seen, rng), rng.choice((60, 80)))


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
        return clipped(stack.mean(axis=0))
    if how == "median":
        return clipped(np.median(stack, axis=0))
    bands = np.array_split(np.arange(stack.shape[1]), 3 * len(pages))
    out: Picture = np.empty_like(stack[0])
    for number, band in enumerate(bands):
        out[band] = stack[number % len(pages)][band]
    return out


FAMILIES: dict[str, tuple[Attack, ...]] = {
    "plain": (_compressed, _scaled, _rotated, _blurred, gray),
    "crop-25": (_cut_quarter,),
    "crop-10": (_cut_tenth,),
    "screen": (_screenshot, chat),
    "print-scan": (print_scan,),
    "print-scan, crop-25": (_scanned_quarter,),
    "photo": (photo, _photo_sent, screen_photo),
    "clipped": (_bits, _cleaned),
}
"""Attacks by family. `clipped`: what a tint cannot survive, by design."""
MORE: dict[str, tuple[Attack, ...]] = {
    "plain": (_identity, _noisy),
    "photo": (phone, _phone_sent, _screen_phone, bent_photo),
}
"""Further attacks of these families, for the bench."""
