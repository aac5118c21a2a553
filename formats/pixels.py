"""Pictures made smaller and pieces of ink told apart, several times quicker than by one call of OpenCV.

OpenCV averages whole squares of pixels much faster than parts of them, and numbers pieces faster with small numbers.
The pieces are those of that call; the smaller picture differs from it where the ratio is no whole number, since it
was averaged twice.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .opened import Picture

_SMALL_NUMBERS = 65_535
_NEARLY = 0.01


def shrink(picture: Picture, size: tuple[int, int]) -> Picture:
    """`picture` (height x width, or x 3) averaged down to `size` (width, height), or up where that is larger.

    First by the largest whole number both ways, then the rest of the way.
    """
    height, width = picture.shape[:2]
    wide, high = size
    # a page whose last row is half a row over is padded rather than averaged crookedly
    times = int(min(width / wide, height / high) + _NEARLY)
    if times > 1:
        right, below = -width % times, -height % times
        if right or below:
            picture = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        whole = (picture.shape[1] // times, picture.shape[0] // times)
        picture = np.asarray(cv2.resize(picture, whole, interpolation=cv2.INTER_AREA), np.uint8)
    if picture.shape[1::-1] == size:
        return picture
    way = cv2.INTER_AREA if picture.shape[1] > wide else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def blobs(mask: NDArray[np.bool_] | NDArray[np.uint8]) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """Connected pieces of ink, corners counting: their numbers (height x width, 0 for paper), and for each number
    left, top, width, height, area in pixels; row 0 is the paper."""
    ink = np.asarray(mask.view(np.uint8), dtype=np.uint8)
    few = np.count_nonzero(ink) < _SMALL_NUMBERS
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        ink, connectivity=8, ltype=cv2.CV_16U if few else cv2.CV_32S
    )
    return np.asarray(labels), np.asarray(stats, np.int32)
