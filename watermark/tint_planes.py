"""What of a picture may be tint: the paper, how much darker than its surroundings each point is, ink left out.

A picture is looked at through several channels: `mix`, the colours weighted as the tint takes them; `luma`, for what
went through gray; `chroma`, blue against red and green; `bits`, for what went through black and white by error
diffusion or halftone: there single dots are the tint, and what hangs together is ink.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .tint import GAINS

Plane = NDArray[Any]
LONGEST = 2000
"""Pixels to which a picture's longer side is brought down."""
_LUMA = (0.299, 0.587, 0.114)
_INK = 0.9
_CLIP = 2.5
_AROUND = 61
"""Pixels over which a point's surroundings are averaged."""
_EDGE = 0.12
"""More than the strongest tint takes from paper."""
_EXTREME, _TWO_TONE = 48, 0.97
"""Levels from black or white within which a point is one of the two; share of such points in a picture of two tones."""
_LIGHTEST, _TONES, _TONED = 95, (0.15, 0.8), 0.25
"""Tones, as parts of the lightest, that are neither paper nor ink; the share of a photograph that they take."""
_WIDE, _PATCH, _DARK = 6.0, 21, 16.0
_DOT_SHARE = 2.5e-6
"""Of the picture's area: what is larger hangs together and is ink."""
_DOTS_LEAST, _DOTS_MOST = 2e-4, 0.2


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, at most 2000 pixels long."""
    rate = rate_of(picture)
    if rate == 1.0:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8)


def rate_of(picture: NDArray[np.uint8]) -> float:
    """By which `shrunk` multiplies its sides."""
    return min(1.0, LONGEST / float(max(picture.shape[:2])))


def residual(picture: NDArray[np.uint8], channel: str) -> tuple[Plane, Plane]:
    """How much darker than its surroundings each point of paper is (in standard deviations, at most 2.5), and where
    there is paper (1) and not ink (0).
    """
    colours: Plane = picture.astype(np.float32)
    plane: Plane
    if channel == "chroma":
        plane = 128 + (colours[:, :, 0] + colours[:, :, 1]) / 2 - colours[:, :, 2]
        plane = 255 - plane
    else:
        gains = GAINS if channel == "mix" else _LUMA
        plane = cv2.transform(colours, np.array([gains], np.float32) / np.float32(sum(gains)))
    luma = cv2.transform(colours, np.array([_LUMA], np.float32))
    paper = cv2.dilate(cv2.GaussianBlur(luma, (0, 0), 1.0), np.ones((15, 15), np.uint8))
    ink = cv2.dilate((luma < paper * _INK).astype(np.uint8), np.ones((3, 3), np.uint8))
    weight = (1 - ink).astype(np.float32)
    for bound in (_EDGE, None):
        share = cv2.blur(weight, (_AROUND, _AROUND))
        level = cv2.blur(plane * weight, (_AROUND, _AROUND)) / np.maximum(share, 1e-3)
        rest = (level - plane) / np.maximum(level, 1.0) * weight
        if bound is not None:  # an edge beside paper is no paper either, and spoils its surroundings
            weight[np.abs(rest) > bound] = 0
    return _evened(rest, weight)


def textured(picture: NDArray[np.uint8]) -> tuple[Plane, Plane] | None:
    """`residual` of a picture that is mostly no paper: nothing is left out, each point is measured by the contrast
    round it; None where there is paper enough.
    """
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    light = float(np.percentile(luma[::8, ::8], _LIGHTEST))
    if np.count_nonzero((luma > _TONES[0] * light) & (luma < _TONES[1] * light)) < _TONED * luma.size:
        return None
    plane: Plane = cv2.transform(
        picture.astype(np.float32), np.array([GAINS], np.float32) / np.float32(sum(GAINS))
    )
    level = cv2.GaussianBlur(plane, (0, 0), _WIDE)
    rest = (level - plane) / np.maximum(level, _DARK)
    rough = np.sqrt(np.maximum(cv2.blur(np.square(rest), (_PATCH, _PATCH)), 0))
    rest /= np.maximum(rough, np.float32(max(1e-4, 0.25 * float(np.median(rough)))))
    return _evened(rest, np.ones_like(rest))


def dotted(picture: NDArray[np.uint8]) -> tuple[Plane, Plane] | None:
    """`residual` of a picture of two tones, in its own pixels, brought down to 2000; None for any other picture, and
    where there are no single dots.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if np.count_nonzero((gray < _EXTREME) | (gray > 255 - _EXTREME)) < _TWO_TONE * gray.size:
        return None
    black = (gray < 128).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > max(4.0, _DOT_SHARE * gray.size)
    large[0] = False
    ink = large[labels]
    dots: Plane = (black.astype(bool) & ~ink).astype(np.float32)
    if not _DOTS_LEAST * gray.size < dots.sum() < _DOTS_MOST * gray.size:
        return None
    weight = 1 - cv2.dilate(ink.astype(np.float32), np.ones((5, 5), np.uint8))
    rate = rate_of(picture)
    if rate < 1.0:
        dots = cv2.resize(dots, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA)
        weight = cv2.resize(weight, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA)
    dots = cv2.GaussianBlur(dots, (0, 0), 1.5) * weight
    share = cv2.blur(weight, (_AROUND, _AROUND))
    level = cv2.blur(dots, (_AROUND, _AROUND)) / np.maximum(share, 1e-3)
    return _evened((dots - level * weight) * (weight > 0.5), weight)


def _evened(rest: Plane, weight: Plane) -> tuple[Plane, Plane]:
    spread = float(np.sqrt(np.square(rest).sum(dtype=np.float64) / max(1.0, float(weight.sum()))))
    if spread < 1e-6:
        return np.zeros_like(rest), weight
    return np.clip(rest, -_CLIP * spread, _CLIP * spread) / np.float32(spread), weight
