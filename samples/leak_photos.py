"""Pages photographed: by hand, tilted, from a screen, bent, from too far; and sent on by a chat program.

All of it is drawn: no lens, no screen.
"""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .leak_steps import WHITE, Attack, clipped, jpeg, noisy, sized


def photo(page: Picture, rng: random.Random) -> Picture:
    """Photographed by hand: up to 20 degrees off, uneven light, a bent sheet, a table round it, any size."""
    height, width = page.shape[:2]
    rows, columns = np.indices((height, width), np.float32)
    wave = rng.uniform(0, 8)
    bent = cv2.remap(
        page, columns + wave * np.sin(rows / rng.uniform(250, 500)), rows + wave * np.cos(columns / 300),
        cv2.INTER_LINEAR, borderValue=WHITE,
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
    scene = cv2.GaussianBlur(clipped(shot * light * warm), (0, 0), rng.uniform(0.5, 1.1))
    return jpeg(
        sized(noisy(np.asarray(scene, np.uint8), rng, 3), rng.uniform(0.8, 1.4)), rng.choice((70, 85))
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
    scene = cv2.GaussianBlur(clipped(shot * light * warm), (0, 0), rng.uniform(0.6, 1.3))
    return jpeg(noisy(np.asarray(scene, np.uint8), rng, rng.uniform(2, 4)), rng.choice((70, 80, 90)))


def megapixels(picture: Picture, millions: float) -> Picture:
    """The same picture with so many million pixels, as a camera gives it."""
    return sized(picture, (millions * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5)


def screen_photo(page: Picture, rng: random.Random, photographed: Attack = photo) -> Picture:
    """A screen with the page on it, photographed: the screen's grid shows."""
    shown = sized(page, 0.55)
    lit: NDArray[Any] = cv2.resize(shown, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(
        np.float32
    )
    lit[::3] *= 0.86
    lit[:, ::3] *= 0.9
    return photographed(sized(clipped(lit), page.shape[0] / lit.shape[0]), rng)


def chat(page: Picture, rng: random.Random) -> Picture:
    """Sent on by a chat program: 1280 or 1440 pixels, strong compression."""
    return jpeg(sized(page, rng.choice((1280, 1440)) / max(page.shape[:2])), rng.randrange(40, 75))


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
        borderValue=WHITE,
    )
    light = 0.9 + 0.1 * np.cos(angle + np.float32(rng.uniform(-0.6, 0.6)))
    return phone(clipped(bent * light[:, :, None]), rng)


def far_photo(page: Picture, rng: random.Random) -> Picture:
    """Photographed from too far or too dark to say anything alone."""
    seen = photo(page, rng)
    small = sized(seen, rng.uniform(640, 800) / max(seen.shape[:2]))
    return jpeg(noisy(small, rng, rng.uniform(3, 6)), rng.randrange(50, 75))
