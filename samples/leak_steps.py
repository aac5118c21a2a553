"""What pictures of pages go through on their way, step by step: cut, turned, compressed, made smaller. Seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture

Attack = Callable[[Picture, random.Random], Picture]
WHITE = (255, 255, 255)


def jpeg(page: Picture, quality: int) -> Picture:
    """Through JPEG."""
    data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def sized(page: Picture, rate: float) -> Picture:
    """Smaller or larger by this rate."""
    how = cv2.INTER_AREA if rate < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(page, None, fx=rate, fy=rate, interpolation=how), np.uint8)


def clipped(page: NDArray[Any]) -> Picture:
    """Values of a picture."""
    clipped: Picture = np.clip(page, 0, 255).astype(np.uint8)
    return clipped


def noisy(page: Picture, rng: random.Random, spread: float) -> Picture:
    """With grain of this spread."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, spread, page.shape)
    return clipped(page + noise)


def turned(page: Picture, degrees: float) -> Picture:
    """Turned about its middle, on a sheet that holds all of it."""
    height, width = page.shape[:2]
    cos, sin = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=WHITE), np.uint8)


def gray(page: Picture, _rng: random.Random) -> Picture:
    """Without colour."""
    return np.repeat(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)


def crop(page: Picture, rng: random.Random, share: float) -> Picture:
    """A part of the page of this share of its area, from anywhere inside the margins."""
    height, width = page.shape[:2]
    side = share**0.5
    rows, columns = round(height * side), round(width * side)
    top = round(rng.uniform(0.06, max(0.07, 0.94 - side)) * height)
    left = round(rng.uniform(0.06, max(0.07, 0.94 - side)) * width)
    return np.ascontiguousarray(page[top : top + rows, left : left + columns])
