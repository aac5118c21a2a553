"""What one piece of text says: PP-OCRv6's recogniser, read off greedily (CTC)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...formats.opened import Picture
from .engine import Quad
from .likelihood import log_likelihood
from .network import Network, Tensor

HEIGHT = 48
"""Pixels of the strips the network reads."""
NARROWEST = 320
"""Shorter strips are filled up towards this width, as in its training, …"""
ROOM = 48
"""… but with this much at most: without it the last character may be lost, more costs time and changes nothing."""
STRIDE = 8
WIDEST = 48 * 130
"""A strip of more than about 130 characters is pressed together: no line on paper is as long."""
TALL = 1.5
"""A piece so much higher than wide is turned on its side before it is read."""
BLANK = 0
"""Class of the network that stands for no character."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strip says. `characters`: the confidence of each; `gaps`: of the least sure place without one (a
    character that was passed over shows there alone). All 0..1."""

    text: str
    characters: tuple[float, ...]
    gaps: float


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A recogniser ready to run. `keys`: the character of each class, empty for `BLANK`."""

    network: Network
    keys: tuple[str, ...]

    def read(self, strip: Picture) -> Reading:
        """The text on a strip (height x width x 3, RGB)."""
        steps = self._steps(strip)
        classes = steps.argmax(axis=1)
        new = classes != BLANK
        new[1:] &= classes[1:] != classes[:-1]
        places = np.flatnonzero(new)
        sure = steps.max(axis=1)
        text, confidence = [], []
        for number, score in zip(classes[places].tolist(), sure[places].tolist(), strict=True):
            text.append(self.keys[number])
            # A key may be of two code points; each has the confidence of the whole.
            confidence += [min(1.0, float(score))] * len(self.keys[number])
        return Reading(
            text="".join(text),
            characters=tuple(confidence),
            gaps=float(sure[classes == BLANK].min(initial=1.0)),
        )

    def weigh(self, strip: Picture, texts: Sequence[str]) -> tuple[float, ...]:
        """Natural logarithm of each text's likelihood on the strip; minus infinity where a character is unknown."""
        steps = self._steps(strip)
        places = {key: number for number, key in enumerate(self.keys) if number != BLANK}
        return tuple(
            log_likelihood(steps, [places[one] for one in text])
            if all(one in places for one in text) else -math.inf
            for text in texts
        )  # fmt: skip

    def _steps(self, strip: Picture) -> Tensor:
        """Probabilities, steps along the strip x classes."""
        height, width = strip.shape[:2]
        wide = min(WIDEST, max(1, math.ceil(HEIGHT * width / height)))
        resized = cv2.resize(strip, (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
        room = min(max(NARROWEST, wide), wide + ROOM)
        tensor = np.zeros((1, 3, HEIGHT, -(-room // STRIDE) * STRIDE), np.float32)
        tensor[..., :wide] = cv2.dnn.blobFromImage(
            resized, scalefactor=1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True
        )
        steps: Tensor = self.network.run(tensor)[0]
        return steps


def cut_out(picture: Picture, quad: Quad) -> Picture | None:
    """The piece inside `quad` as a level strip; None when nothing is left of it."""
    wide = int(max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2])))
    high = int(max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2])))
    if wide < 1 or high < 1:
        return None
    corners = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float32)
    strip = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(np.array(quad, np.float32), corners),
        (wide, high),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if high >= TALL * wide:
        strip = np.rot90(strip)
    return np.asarray(strip, dtype=np.uint8)
