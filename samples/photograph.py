"""Made-up photographs, and pages full of them or of colour: what a tint finds hardest. No picture of anything real."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture


def photograph(width: int, height: int, rng: random.Random) -> Picture:
    """Something like a landscape: rough at every size, in colour, a lighter sky, some edges (RGB)."""
    made = np.random.default_rng(rng.getrandbits(32))
    sizes = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    sizes[0, 0] = 1.0
    steep = rng.uniform(1.3, 1.8)
    planes: list[NDArray[Any]] = []
    for _ in range(3):
        plane = np.fft.irfft2(np.exp(2j * np.pi * made.random(sizes.shape)) / sizes**steep, s=(height, width))
        planes.append(plane / plane.std())
    tone = np.array([rng.uniform(95, 150) for _ in range(3)])
    mixed = np.stack([planes[0] + 0.35 * plane for plane in planes], axis=2) * rng.uniform(28, 48) + tone
    horizon = round(height * rng.uniform(0.2, 0.6))
    sky = np.array([150.0, 185.0, 225.0]) + 0.18 * (mixed[:horizon] - tone)
    mixed[:horizon] = sky + np.linspace(30, 0, horizon)[:, None, None]
    for _ in range(rng.randrange(2, 7)):
        left, top = rng.randrange(width), rng.randrange(height)
        right, bottom = left + rng.randrange(20, width // 2), top + rng.randrange(20, height // 3)
        mixed[top:bottom, left:right] += rng.uniform(-70, 60)
    seen: Picture = np.clip(cv2.GaussianBlur(mixed, (0, 0), 0.7), 0, 255).astype(np.uint8)
    return seen


def with_photographs(page: Picture, rng: random.Random) -> Picture:
    """A page with one or two photographs over most of it; sometimes over all of it."""
    height, width = page.shape[:2]
    out = page.copy()
    if rng.random() < 0.3:
        return photograph(width, height, rng)
    left, right = round(width * rng.uniform(0.05, 0.14)), round(width * rng.uniform(0.86, 0.95))
    top, bottom = round(height * rng.uniform(0.06, 0.2)), round(height * rng.uniform(0.75, 0.94))
    cut = bottom if rng.random() < 0.5 else round((top + bottom) / 2)
    out[top:cut, left:right] = photograph(right - left, cut - top, rng)
    if cut < bottom:
        gap = round(height * 0.02)
        out[cut + gap : bottom, left:right] = photograph(right - left, bottom - cut - gap, rng)
    return out


def with_colours(page: Picture, rng: random.Random) -> Picture:
    """The page with coloured grounds behind its text, and bars of a chart in its lower part."""
    height, width = page.shape[:2]
    ground = np.full(page.shape, 255, np.float32)
    for _ in range(rng.randrange(1, 4)):
        top = round(height * rng.uniform(0.05, 0.7))
        ground[top : top + round(height * rng.uniform(0.05, 0.25))] = [
            rng.uniform(175, 255) for _ in range(3)
        ]
    left, base = round(width * 0.16), round(height * rng.uniform(0.8, 0.93))
    for number in range(rng.randrange(4, 9)):
        place = left + round(number * width * 0.075)
        high = round(height * rng.uniform(0.03, 0.16))
        ground[base - high : base, place : place + round(width * 0.045)] = [
            rng.uniform(40, 230) for _ in range(3)
        ]
    coloured: Picture = (page * (ground / 255)).astype(np.uint8)
    return coloured
