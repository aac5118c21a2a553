"""台账校验条: the day's signed head on paper, for another room to witness; its QR code is what is compared later.

The code reads `JYHEAD1|store|entries|root|time|SHA-256 of the signature`, all of it printed in letters too: a slip can
be typed in where nothing scans it. It holds no content and no secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..common.messages import say

PREFIX = "JYHEAD1"
_PAGE = (210.0, 297.0)
_LEFT, _RIGHT = 25.0, 185.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSlip:
    """One head as it stands on paper; `root` and `signature_sha256` in hex."""

    origin: str
    size: int
    root: str
    at: str
    signature_sha256: str

    @property
    def code(self) -> str:
        """The text of the QR code."""
        parts = (PREFIX, self.origin, str(self.size), self.root, self.at, self.signature_sha256)
        return "|".join(parts)


def slip_of(*, origin: str, size: int, root: bytes, at: str, signature: bytes) -> CheckpointSlip:
    """The slip of a signed head."""
    digest = hashlib.sha256(signature).hexdigest()
    return CheckpointSlip(origin=origin, size=size, root=root.hex(), at=at, signature_sha256=digest)


def draw_checkpoint_slip(slip: CheckpointSlip, *, unit: str) -> bytes:
    """The slip as a PDF of one A4 page.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    # the drawing libraries load in half a second, and every command on the ledger passes this module
    from ..watermark.barcode import modules
    from ..watermark.pen import Pen

    pen = Pen()
    pen.page(*_PAGE)
    pen.fitted(_LEFT, _RIGHT, 38, say("slip_title", "zh"), 26, align="centre", bold=True, style="serif")
    pen.rule(_LEFT, _RIGHT, 44, 0.5, (150, 30, 30))
    pen.code(75, 54, 60, modules(slip.code))
    y = 128.0
    for name, value in (
        ("unit", unit), ("origin", slip.origin), ("size", str(slip.size)), ("root", slip.root), ("at", slip.at),
        ("signature", slip.signature_sha256),
    ):  # fmt: skip
        pen.text(_LEFT, y, say(f"slip_{name}", "zh"), 12, bold=True)
        for line in pen.wrapped(_grouped(value) if len(value) == 64 else value, 12, _RIGHT - _LEFT - 34):
            pen.text(_LEFT + 32, y, line, 12, style="serif")
            y += 6.4
        y += 3.4
    pen.text(_LEFT, y + 8, say("slip_witness", "zh"), 12, bold=True)
    pen.rule(_LEFT + 52, _RIGHT, y + 10, 0.2, (120, 120, 120))
    pen.rule(_LEFT, _RIGHT, y + 24, 0.2, (120, 120, 120))
    for line in pen.wrapped(say("slip_note", "zh"), 9, _RIGHT - _LEFT):
        y += 5
        pen.text(_LEFT, y + 30, line, 9)
    return pen.output()


def _grouped(text: str) -> str:
    return " ".join(text[at : at + 8] for at in range(0, len(text), 8))
