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
from PIL import Image

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


def phone(page: Picture, rng: random.Random) -> Picture:
    """Photographed with a telephone tilted up to 20 degrees, from 1.5 to 2.5 page heights away, turned a little or by a
    quarter; as `photo` otherwise.
    """
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    towards = rng.uniform(0, 2 * np.pi)
    tilt = np.radians(rng.uniform(0, 20)) * np.array([np.cos(towards), np.sin(towards), 0.0])
    roll = np.radians(rng.uniform(-8, 8) + rng.choice((0, 0, 0, 0, 90, -90)))
    turn = cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0] @ cv2.Rodrigues(tilt)[0]
    flat = np.column_stack([(corners - [width / 2, height / 2]) / height, np.zeros(4)])
    seen = flat @ turn.T + [0, 0, rng.uniform(1.5, 2.5)]
    points = seen[:, :2] / seen[:, 2:]
    low, high = points.min(axis=0), points.max(axis=0)
    rate = rng.uniform(1900, 3000) / float((high - low).max())
    edge = rng.uniform(0.02, 0.1) * rate * float((high - low).max())
    placed = ((points - low) * rate + edge).astype(np.float32)
    size = tuple(int(side) for side in (high - low) * rate + 2 * edge)
    table = tuple(rng.randrange(40, 160) for _ in range(3))
    matrix = cv2.getPerspectiveTransform(corners, placed)
    shot = cv2.warpPerspective(page, matrix, (size[0], size[1]), flags=cv2.INTER_AREA, borderValue=table)
    across = np.linspace(rng.uniform(0.65, 0.95), 1.0, size[0])[None, :, None]
    light = across * np.linspace(1.0, rng.uniform(0.8, 1.0), size[1])[:, None, None]
    warm = np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.85, 1.0)])
    scene = cv2.GaussianBlur(_clip(shot * light * warm), (0, 0), rng.uniform(0.6, 1.3))
    return _jpeg(_noise(np.asarray(scene, np.uint8), rng, rng.uniform(2, 4)), rng.choice((70, 80, 90)))


def megapixels(picture: Picture, millions: float) -> Picture:
    """The same picture with so many million pixels, as a camera gives it."""
    return _sized(picture, (millions * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5)


def screen_photo(page: Picture, rng: random.Random, photographed: Attack = photo) -> Picture:
    """A screen with the page on it, photographed: the screen's grid shows."""
    shown = _sized(page, 0.55)
    lit: NDArray[Any] = cv2.resize(shown, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(
        np.float32
    )
    lit[::3] *= 0.86
    lit[:, ::3] *= 0.9
    return photographed(_sized(_clip(lit), page.shape[0] / lit.shape[0]), rng)


def chat(page: Picture, rng: random.Random) -> Picture:
    """Sent on by a chat program: 1280 or 1440 pixels, strong compression."""
    return _jpeg(_sized(page, rng.choice((1280, 1440)) / max(page.shape[:2])), rng.randrange(40, 75))


def bent_photo(page: Picture, rng: random.Random) -> Picture:
    """A sheet that lies in a curve, as in an open folder, photographed: lines rise and fall, light with them."""
    height, width = page.shape[:2]
    rows, columns = np.indices((height, width), np.float32)
    phase, turns = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.1)
    angle = columns / width * np.float32(2 * np.pi * turns) + np.float32(phase)
    rise = np.float32(rng.uniform(0.006, 0.02) * height)
    squeeze = np.float32(rng.uniform(0.004, 0.012) * width)
    bent = cv2.remap(
        page,
        columns + squeeze * np.cos(angle),
        rows + rise * np.sin(angle),
        cv2.INTER_LINEAR,
        borderValue=_WHITE,
    )
    light = 0.9 + 0.1 * np.cos(angle + np.float32(rng.uniform(-0.6, 0.6)))
    return phone(_clip(bent * light[:, :, None]), rng)


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
            page[top:bottom], turn, (width, bottom - top), flags=cv2.INTER_CUBIC, borderValue=_WHITE
        )
        out[top:bottom] = half
    shadow = 1 - 0.35 * np.exp(-np.square((np.arange(height) - cut) / 9.0))
    return print_scan(_clip(out * shadow[:, None, None]), rng, rate=1.0)


def _identity(page: Picture, _rng: random.Random) -> Picture:
    return page


def _compressed(page: Picture, rng: random.Random) -> Picture:
    return _jpeg(page, rng.randrange(20, 60))


def _scaled(page: Picture, rng: random.Random) -> Picture:
    return _sized(page, rng.uniform(0.45, 1.6))


def _rotated(page: Picture, rng: random.Random) -> Picture:
    return _turned(page, rng.uniform(-180, 180))


def _blurred(page: Picture, rng: random.Random) -> Picture:
    return np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 1.6)), np.uint8)


def _noisy(page: Picture, rng: random.Random) -> Picture:
    return _noise(page, rng, rng.uniform(3, 8))


def _cut_quarter(page: Picture, rng: random.Random) -> Picture:
    return _jpeg(crop(page, rng, 0.25), rng.choice((50, 70, 95)))


def _cut_tenth(page: Picture, rng: random.Random) -> Picture:
    return _jpeg(crop(page, rng, 0.10), rng.choice((50, 70, 95)))


def _screenshot(page: Picture, rng: random.Random) -> Picture:
    return _jpeg(_sized(page, rng.uniform(96, 140) / 200), rng.randrange(60, 95))


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
    return _clip((page.astype(np.float32) - 128) * 1.3 + 128 + rng.uniform(15, 30))


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
    return _compressed(_clip(plane - whole * paper[:, :, None]), rng)


def far_photo(page: Picture, rng: random.Random) -> Picture:
    """Photographed from too far or too dark to say anything alone."""
    seen = photo(page, rng)
    small = _sized(seen, rng.uniform(640, 800) / max(seen.shape[:2]))
    return _jpeg(_noise(small, rng, rng.uniform(3, 6)), rng.randrange(50, 75))


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


FAMILIES: dict[str, tuple[Attack, ...]] = {
    "plain": (_compressed, _scaled, _rotated, _blurred, _gray),
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
