"""An engine that is given its pages on an even, grey background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...formats.opened import Picture
from ..page_flatten import flatten
from .engine import Engine, RawLine


@dataclass(frozen=True, slots=True)
class Flattened:
    """`inner`, reading flattened pages. Whoever measures type still has the page in colour."""

    inner: Engine

    @property
    def name(self) -> str:
        """Of `inner`."""
        return self.inner.name

    @property
    def name_version(self) -> str:
        """Of `inner`."""
        return self.inner.name_version

    @property
    def flat(self) -> bool:
        """No more."""
        return False

    def without(self) -> str | None:
        """Of `inner`."""
        return self.inner.without()

    def missing(self) -> str | None:
        """Of `inner`."""
        return self.inner.missing()

    def available(self) -> bool:
        """Of `inner`."""
        return self.inner.available()

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """As `inner`, of the flattened page."""
        return self.inner.read(_even(picture), seconds=seconds)

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """As `inner`; a strip is too small to tell its background, and is left as it is."""
        return self.inner.read_strip(strip, seconds=seconds)


def _even(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(flatten(picture), cv2.COLOR_GRAY2RGB), dtype=np.uint8)
