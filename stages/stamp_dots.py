"""Sets the dots on the pages of a copy whose profile asks for them: in pictures, and over pages that stay text.

Threat model. As of stamp_tint: what cannot be read back is not issued. A page with hardly any clear paper bears few
dots or none; there the tint alone must be read.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..models.copy import CopySpec
from ..watermark.dots import DOT_MM, GRID_MM, LEAST, dots, set_dots
from ..watermark.dots_confirm import confirm
from ..watermark.layout import Sheet
from ..watermark.tint import TintKey

LOOK_DPI = 150
"""At which a page that stays text is drawn, to see where it is clear."""
_POINTS = 72 / 25.4
_UNIT_MM = GRID_MM / 40
"""Unit of the drawing: dots have whole coordinates."""
_QUIET_MM = 2.5
"""Round a barcode."""


@dataclass(frozen=True, slots=True)
class Dotter:
    """The dots of one copy."""

    key: TintKey
    id: int

    @classmethod
    def of(cls, spec: CopySpec) -> Dotter | None:
        """The specification's dots; None where it asks for none."""
        if spec.forensic_id is None or spec.profile != "dots":
            return None
        return cls(TintKey(bytes.fromhex(spec.tint_key)), spec.forensic_id)

    def middles(self, page: Picture, sheet: Sheet) -> NDArray[np.float64]:
        """Where the page, seen with its other marks, has room for dots (mm)."""
        free = [
            (code.left - _QUIET_MM, code.top - _QUIET_MM, code.left + code.width + _QUIET_MM,
             code.top + code.height + _QUIET_MM)
            for code in sheet.codes
        ]  # fmt: skip
        return dots(self.key, self.id, page, width_mm=sheet.width, height_mm=sheet.height, free=free)

    def dotted(self, page: Picture, sheet: Sheet) -> tuple[Picture, int]:
        """The whole page's picture with the dots, and how many there are."""
        middles = self.middles(page, sheet)
        return set_dots(page, middles, width_mm=sheet.width, height_mm=sheet.height), len(middles)

    def reads(self, page: NDArray[np.uint8], sheet: Sheet, count: int) -> bool:
        """Whether a page (gray) with so many dots says the number; of too few dots nothing is asked."""
        if count < LEAST:
            return True
        return confirm(page, self.key, self.id, width_mm=sheet.width, height_mm=sheet.height)

    def squares(self, picture: Picture, sheet: Sheet) -> tuple[bytes, int]:
        """The dots of the page with this picture as a drawing of squares, packed, and how many there are."""
        middles = self.middles(picture, sheet)
        side = round(DOT_MM / _UNIT_MM)
        corners = np.round(middles / _UNIT_MM - side / 2).astype(int)
        high = round(sheet.height / _UNIT_MM)
        lines = ["0 g"]
        lines += [f"{x} {high - y - side} {side} {side} re" for x, y in corners.tolist()]
        lines.append("f")
        return zlib.compress("\n".join(lines).encode(), 9), len(middles)

    @staticmethod
    def entries(sheet: Sheet) -> bytes:
        """Of the form that such a drawing is."""
        unit = f"{_UNIT_MM * _POINTS:.6f}"
        box = f"0 0 {sheet.width / _UNIT_MM:.3f} {sheet.height / _UNIT_MM:.3f}"
        return f"/Type/XObject/Subtype/Form/Matrix[{unit} 0 0 {unit} 0 0]/BBox[{box}]".encode()
