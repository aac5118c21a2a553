"""The steps of ordinary scanning and faxing; `samples/damage.py` puts them together."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from .paper import Severity

FAX_DPI = 204
_Floats = NDArray[np.float32]


def degrade(picture: Picture, *, seed: int, back: Picture | None = None) -> Picture:
    """The page as an office scanner gives it (200 dpi); the same seed gives the same pixels.

    Args:
        picture: height x width x 3 RGB at the resolution of the severity.
        seed: of all chances.
        back: what shines through from the other side (a page of the same size), if anything.
    """
    rng = np.random.default_rng(seed)
    page = picture.astype(np.float32)
    if back is not None and back.shape == picture.shape:
        page = show_through(page, back, 0.05)
    page = cv2.GaussianBlur(page, (0, 0), 0.45).astype(np.float32)
    page = skewed(page, float(rng.uniform(-2.0, 2.0)))
    page = even_light(page, rng, 0.05)
    page += (rng.standard_normal(page.shape[:2], dtype=np.float32) * 5.0)[..., None]
    return np.clip(page, 0, 255).astype(np.uint8)


def to_bits(picture: Picture, *, severity: Severity, seed: int) -> NDArray[np.bool_]:
    """Black (False) and white (True) as a fax sends it; `bad` loses dots and gains specks."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    white = np.asarray(grey > (150 if severity in ("bad", "awful") else 170))
    if severity == "clean":
        return white
    rng = np.random.default_rng(seed)
    share = 0.004 if severity in ("bad", "awful") else 0.0006
    flips = rng.random(white.shape, dtype=np.float32)
    ink = ~white
    return np.asarray((white & ~(flips < share / 4)) | (ink & (flips > 1 - share * 6)))


def show_through(page: _Floats, back: Picture, share: float) -> _Floats:
    """The other side of thin paper, mirrored and pale."""
    other = cv2.GaussianBlur(np.ascontiguousarray(back[:, ::-1]), (0, 0), 1.6).astype(np.float32)
    return np.asarray(page - (255.0 - other) * share, dtype=np.float32)


def add_stains(page: _Floats, rng: np.random.Generator) -> _Floats:
    """Coffee and damp."""
    height, wide = page.shape[:2]
    mask = np.zeros((height // 4, wide // 4), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        middle = (int(rng.integers(0, wide // 4)), int(rng.integers(0, height // 4)))
        radius = int(rng.integers(wide // 60, wide // 22))
        cv2.ellipse(mask, middle, (radius, int(radius * rng.uniform(0.6, 1.2))), 0.0, 0.0, 360.0, 1.0, -1)
    mask = cv2.resize(cv2.GaussianBlur(mask, (0, 0), 4), (wide, height)).astype(np.float32)
    return np.asarray(
        page * (1 - mask[..., None] * np.array([0.12, 0.2, 0.34], np.float32)), dtype=np.float32
    )


def skewed(page: _Floats, degrees: float) -> _Floats:
    """Turned about the middle; the corners fill with paper."""
    height, wide = page.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(
        page, turn, (wide, height), flags=cv2.INTER_LINEAR, borderValue=(250.0, 250.0, 250.0)
    )
    return np.asarray(turned, dtype=np.float32)


def even_light(page: _Floats, rng: np.random.Generator, depth: float) -> _Floats:
    """Uneven light: a slope across the page."""
    height, wide = page.shape[:2]
    across, down = rng.uniform(-1, 1, 2)
    slope = np.linspace(-across, across, wide)[None, :] + np.linspace(-down, down, height)[:, None]
    shade = 1 - depth * (0.5 + slope / 4)
    return np.asarray(page * shade[..., None].astype(np.float32), dtype=np.float32)


def add_border(page: _Floats, rng: np.random.Generator) -> _Floats:
    """The black edge of a copier whose lid stood open; never wider than 4 mm of the margin."""
    wide = int(rng.integers(8, 22))
    side = int(rng.integers(0, 3))
    if side == 0:
        page[:, :wide] = 30
    elif side == 1:
        page[:, -wide:] = 30
    else:
        page[-wide:, :] = 30
    return page
