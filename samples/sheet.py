"""A page as things at places, in millimetres from its top left corner; drawn later as PDF or as pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from fontTools.ttLib import TTFont
from PIL import ImageFont

from ..common.errors import MissingTool
from .paper import Split

Face = Literal["serif", "serif-bold", "sans", "sans-bold"]
Ink = Literal["black", "red", "stamp", "blue", "grey", "shade"]

PAPER_W, PAPER_H = 210.0, 297.0
LEFT, RIGHT, TOP, BOTTOM = 28.0, 184.0, 37.0, 262.0
"""The text area 版心 of GB/T 9704-2012 5.2: 156 x 225 mm."""
PITCH = 156.0 / 28
"""One 字: 28 characters a line."""
ROW = 225.0 / 22
"""One 行: 22 lines a page."""
SIZE2, SIZE3, SIZE4, SIZE5 = 7.76, PITCH, 4.94, 4.2
"""Type sizes 2号, 3号, 4号 and small 4号 in mm; 3号 is set solid on the grid."""
INKS: dict[Ink, tuple[int, int, int]] = {"black": (20, 20, 20), "red": (215, 20, 25), "stamp": (205, 92, 92),
    "blue": (38, 62, 168), "grey": (120, 122, 126), "shade": (64, 62, 60),
}  # fmt: skip

_FILES: dict[Face, str] = {
    "serif": "NotoSerifCJK-Regular.ttc",
    "serif-bold": "NotoSerifCJK-Bold.ttc",
    "sans": "NotoSansCJK-Regular.ttc",
    "sans-bold": "NotoSansCJK-Bold.ttc",
}
FontSet = Literal["noto", "ming", "kai"]
_ARPHIC, _WQY = "/usr/share/fonts/truetype/arphic", "/usr/share/fonts/truetype/wqy"
OTHER_FONTS: dict[FontSet, dict[Face, str]] = {
    "ming": {
        "serif": f"{_ARPHIC}/uming.ttc", "serif-bold": f"{_ARPHIC}/uming.ttc",
        "sans": f"{_WQY}/wqy-zenhei.ttc", "sans-bold": f"{_WQY}/wqy-zenhei.ttc",
    },
    "kai": {
        "serif": f"{_ARPHIC}/ukai.ttc", "serif-bold": f"{_ARPHIC}/uming.ttc",
        "sans": f"{_WQY}/wqy-microhei.ttc", "sans-bold": f"{_WQY}/wqy-microhei.ttc",
    },
}  # fmt: skip
"""Debian's fonts-arphic-uming, -ukai, fonts-wqy-zenhei, -microhei; their bold is drawn with an outline."""
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
    ink: Ink = "red"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A framed stamp of the receiving office: middle, size (mm), its lines of words, degrees it stands askew."""

    x: float
    y: float
    wide: float
    high: float
    words: tuple[str, ...]
    askew: float = 0.0
    ink: Ink = "blue"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points (mm): a pen, a staple."""

    points: tuple[tuple[float, float], ...]
    width: float
    ink: Ink = "blue"


@dataclass(frozen=True, slots=True)
class Hole:
    """A round hole; the glass of the scanner behind it is dark."""

    x: float
    y: float
    radius: float = 3.0


@dataclass(slots=True)
class Sheet:
    """One page while it is laid out; `lines` is its text in reading order, without 样张 and page number."""

    number: int
    things: list[Text | Rule | Seal | Stamp | Stroke | Hole] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    """Text without a place in the order: 文件 beside joint letterheads."""
    left_out: list[str] = field(default_factory=list)
    """Words of the receiving stamp, lines with tick boxes."""
    printed_number: str | None = None
    """The page number as printed."""
    size: tuple[float, float] = (PAPER_W, PAPER_H)
    """Width and height in mm."""


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
def pixel_font(face: Face, pixels: int, fonts: FontSet = "noto") -> ImageFont.FreeTypeFont:
    """The face of a set at a size in pixels.

    Raises:
        MissingTool: `samples_font_missing` when the set is not installed (see `fonts_for`).
    """
    if fonts != "noto":
        return ImageFont.truetype(OTHER_FONTS[fonts][face], pixels)
    return ImageFont.truetype(font_path(face), pixels, index=SIMPLIFIED)


def fonts_for(split: Split, seed: int) -> FontSet:
    """The type of a scanned paper: Noto in training, other foundries in testing where they are installed."""
    installed = [
        name for name, files in OTHER_FONTS.items() if all(Path(file).is_file() for file in files.values())
    ]
    return installed[seed % len(installed)] if split == "test" and installed else "noto"


@cache
def drawable(char: str, face: Face, fonts: FontSet) -> bool:
    """Whether the set has the character; Noto stands in where it has not."""
    if fonts == "noto":
        return True
    # UKai sets these in the middle of their square, as Taiwan does
    return not (fonts == "kai" and char in "，。、；：！？") and ord(char) in _characters(
        OTHER_FONTS[fonts][face]
    )


@cache
def _characters(file: str) -> frozenset[int]:
    with TTFont(file, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())


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
