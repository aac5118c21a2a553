"""A page as things at places, in millimetres from its top left corner; drawn later as PDF or as pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

from ..common.errors import MissingTool

Face = Literal["serif", "serif-bold", "sans", "sans-bold"]
Ink = Literal["black", "red", "stamp"]

PAPER_W, PAPER_H = 210.0, 297.0
LEFT, RIGHT, TOP, BOTTOM = 28.0, 184.0, 37.0, 262.0
"""The text area 版心 of GB/T 9704-2012 5.2: 156 x 225 mm."""
PITCH = 156.0 / 28
"""One 字: 28 characters a line."""
ROW = 225.0 / 22
"""One 行: 22 lines a page."""
SIZE2, SIZE3, SIZE4, SIZE5 = 7.76, PITCH, 4.94, 4.2
"""Type sizes 2号, 3号, 4号 and small 4号 in mm; 3号 is set solid on the grid."""
INKS: dict[Ink, tuple[int, int, int]] = {"black": (20, 20, 20), "red": (215, 20, 25), "stamp": (205, 92, 92)}

_FILES: dict[Face, str] = {
    "serif": "NotoSerifCJK-Regular.ttc",
    "serif-bold": "NotoSerifCJK-Bold.ttc",
    "sans": "NotoSansCJK-Regular.ttc",
    "sans-bold": "NotoSansCJK-Bold.ttc",
}
FONT_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
)
SIMPLIFIED = 2
"""Place of the simplified Chinese face in the Noto CJK collections (JP KR SC TC HK)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text: left edge and baseline, size of the em, extra space after each character (all mm)."""

    x: float
    y: float
    text: str
    size: float
    face: Face = "serif"
    ink: Ink = "black"
    spacing: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line and its width (mm)."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float = 0.35
    ink: Ink = "black"


@dataclass(frozen=True, slots=True)
class Seal:
    """A round seal: middle, diameter (mm), the organ on its arc. Drawn as a picture, as a stamp is."""

    x: float
    y: float
    organ: str
    diameter: float = 42.0


@dataclass(slots=True)
class Sheet:
    """One page while it is laid out; `lines` is its text in reading order, without 样张 and page number."""

    number: int
    things: list[Text | Rule | Seal] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    """Text without a place in the order: 文件 beside joint letterheads."""
    left_out: list[str] = field(default_factory=list)
    """Words of the receiving stamp, lines with tick boxes."""
    printed_number: str | None = None
    """The page number as printed."""


@cache
def font_path(face: Face) -> str:
    """Where the Noto CJK file of a face lies.

    Raises:
        MissingTool: `samples_font_missing` when it is in none of the usual folders.
    """
    for folder in FONT_FOLDERS:
        path = Path(folder) / _FILES[face]
        if path.is_file():
            return str(path)
    raise MissingTool("samples_font_missing", font=_FILES[face])


@cache
def pixel_font(face: Face, pixels: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels."""
    return ImageFont.truetype(font_path(face), pixels, index=SIMPLIFIED)


@cache
def advance(char: str, face: Face) -> float:
    """Width of a character in ems."""
    return pixel_font(face, 1000).getlength(char) / 1000


def width(text: str, size: float, face: Face = "serif", spacing: float = 0.0) -> float:
    """Width of a run in mm."""
    return sum(advance(char, face) for char in text) * size + spacing * max(0, len(text) - 1)


NOT_FIRST = set("，。、；：！？）》〕”’…％%·")
NOT_LAST = set("（《〔“‘")


def wrap(text: str, *, first: float, rest: float, size: float, face: Face = "serif") -> list[str]:
    """Lines no wider than `first` and then `rest` mm; no line begins with a closing mark or splits a number."""
    lines: list[str] = []
    line, room = "", first
    for piece in _pieces(text):
        if line and width(line + piece, size, face) > room + 0.01:
            if piece in NOT_FIRST and width(line + piece, size, face) <= room + size * 0.55:
                line += piece
                continue
            carry = ""
            while line and (line[-1] in NOT_LAST or (piece in NOT_FIRST and not carry)):
                carry = line[-1] + carry
                line = line[:-1]
            lines.append(line)
            line, room = carry, rest
        line += piece
    return [*lines, line] if line else lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for char in text:
        if (
            pieces
            and char.isascii()
            and char.isalnum()
            and pieces[-1][-1].isascii()
            and pieces[-1][-1].isalnum()
        ):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces
