"""Puts the tint on the pages of a copy, and reads it back before the copy may leave.

Threat model. A copy whose tint cannot be read is a copy that nobody can trace: so every picture page is read again from
its own compressed bytes, at the place where the tint is known to stand, and what does not answer with this copy's
number is not issued. On pages that stay text and lines the tint is an object of its own, which an editor can take away:
what must not lose it is flattened.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from ..common.errors import Refused
from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.layout import Sheet
from ..watermark.tint import (
    CHIP_MM,
    CHIPS,
    GAINS,
    TILE_MM,
    PagePattern,
    Plane,
    Profile,
    TintKey,
    embed,
    print_tone,
    tile_tone,
)
from ..watermark.tint_read import confirm
from .stamp_dots import Dotter
from .stamp_objects import Objects

_POINTS = 72 / 25.4
_FULL = 8.0
"""Tone of a sample of 255 in a PDF's overlay, in levels."""
_REREAD_PER_MM = 4.0
_HALVED = 1.9
"""Of these pixels a mm, so many times as many can be halved."""
_KEPT_TONES = 4
_STRONGEST: Profile = "strong"


@dataclass
class Tinter:
    """The tint of one copy. Patterns are kept for the sizes of page that came last."""

    key: TintKey
    id: int
    profile: Profile = "normal"
    dotter: Dotter | None = None
    _tones: dict[tuple[float, float, Profile], Plane] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, spec: CopySpec) -> Tinter | None:
        """The specification's tint; None where it asks for none."""
        if spec.forensic_id is None:
            return None
        profile: Profile = "strong" if spec.profile == "strong" else "normal"
        return cls(TintKey(bytes.fromhex(spec.tint_key)), spec.forensic_id, profile, Dotter.of(spec))

    def tinted(self, picture: Picture, sheet: Sheet, profile: Profile = "normal") -> Picture:
        """The whole page's picture with the tint."""
        place = (sheet.width, sheet.height, profile)
        with self._lock:
            tone = self._tones.pop(place, None)
            if tone is None:
                tone = PagePattern(self.key, sheet.width, sheet.height).tone(self.id, profile)
            self._tones[place] = tone
            while len(self._tones) > _KEPT_TONES:
                del self._tones[next(iter(self._tones))]
        return embed(picture, tone, width_mm=sheet.width, height_mm=sheet.height)

    def reads(self, picture: NDArray[np.uint8], sheet: Sheet) -> bool:
        """Whether the number can be read from the page's picture (RGB), at the known place."""
        rate = _REREAD_PER_MM * sheet.height / picture.shape[0]
        if rate < 1:
            picture = np.asarray(
                cv2.resize(picture, None, fx=rate, fy=rate, interpolation=cv2.INTER_AREA), np.uint8
            )
        return confirm(picture, self.key, self.id, width_mm=sheet.width, height_mm=sheet.height)

    def overlays(self, objects: Objects, sheets: Sequence[Sheet]) -> dict[Sheet, int]:
        """Adds the tint for pages that stay text and lines: a form for each sheet, to be laid over its pages.

        Two pictures, multiplied: a tile that repeats, and one sample a chip for what does not.
        """
        forms: dict[Sheet, int] = {}
        state = b"/ExtGState<</JyTint<</Type/ExtGState/BM/Multiply>>>>"
        tile = _image(objects, tile_tone(self.key, self.id, self.profile)) if sheets else 0
        side = TILE_MM * _POINTS
        for sheet in sheets:
            width, height = sheet.width * _POINTS, sheet.height * _POINTS
            rows, columns = int(np.ceil(sheet.height / CHIP_MM)), int(np.ceil(sheet.width / CHIP_MM))
            own = _image(objects, print_tone(self.key, self.id, rows, columns, self.profile))
            drawing = ["/JyTint gs"]
            for down in range(-(-rows // CHIPS)):
                for right in range(-(-columns // CHIPS)):
                    left, bottom = right * side, height - (down + 1) * side
                    drawing.append(f"q {side:.4f} 0 0 {side:.4f} {left:.4f} {bottom:.4f} cm /JyTile Do Q")
            across, below = columns * CHIP_MM * _POINTS, rows * CHIP_MM * _POINTS
            drawing.append(f"q {across:.4f} 0 0 {below:.4f} 0 {height - below:.4f} cm /JyPrint Do Q")
            entries = b"/Type/XObject/Subtype/Form/BBox[0 0 %b %b]/Resources<<%b/XObject<<%b>>>>" % (
                f"{width:.3f}".encode(), f"{height:.3f}".encode(), state,
                b"/JyTile %d 0 R/JyPrint %d 0 R" % (tile, own),
            )  # fmt: skip
            forms[sheet] = objects.stream(entries, "\n".join(drawing).encode())
        return forms


def checked(
    tinter: Tinter, bare: Picture, sheet: Sheet, *, number: int, pack: Callable[[Picture], bytes]
) -> bytes:
    """The page with the tint (and dots, where the copy has them) as `pack` makes its bytes, read back from these; a
    page on which the usual tint cannot be read gets the strong one.

    Raises:
        Refused: `tint_not_read_back`, `dots_not_read_back`, naming the page.
    """
    count = 0
    if tinter.dotter is not None:
        bare, count = tinter.dotter.dotted(bare, sheet)
    for profile in dict.fromkeys((tinter.profile, _STRONGEST)):
        data = pack(tinter.tinted(bare, sheet, profile))
        if tinter.reads(_again(data, bare.shape[0] / sheet.height), sheet):
            if tinter.dotter is not None and not tinter.dotter.reads(gray_of(data), sheet, count):
                raise Refused("dots_not_read_back", page=number)
            return data
    raise Refused("tint_not_read_back", page=number)


def _again(data: bytes, per_mm: float) -> Picture:
    """A packed page as it is read again; at half its size where that is enough for the tint."""
    enough = per_mm >= _HALVED * _REREAD_PER_MM
    how = cv2.IMREAD_REDUCED_COLOR_2 if enough else cv2.IMREAD_COLOR
    picture = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), how), np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def gray_of(data: bytes) -> Picture:
    """A packed page as it is read again, gray."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def _image(objects: Objects, tone: Plane) -> int:
    """Adds a picture of one component that takes `tone` levels from what lies beneath, when it is multiplied."""
    samples = np.clip(np.round(tone * (255 / _FULL)), 0, 255).astype(np.uint8)
    full = " ".join(f"{1 - gain * _FULL / 255:.6f}" for gain in GAINS).encode()
    function = b"<</FunctionType 2/Domain[0 1]/C0[1 1 1]/C1[%b]/N 1>>" % full
    entries = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/Interpolate true"
        b"/ColorSpace[/Separation/JiyaoTint/DeviceRGB%b]" % (samples.shape[1], samples.shape[0], function)
    )
    return objects.packed(entries, zlib.compress(samples.tobytes(), 9))
