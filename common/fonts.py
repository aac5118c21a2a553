"""Chinese fonts of the machine: where they are, and whether they can draw every character.

A character without a glyph prints as an empty box, and a rare surname then disappears from a signed paper.
So text is checked before it is drawn: a rare character goes to another font, or nothing is drawn at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from fontTools.ttLib import TTCollection, TTFont

from .errors import MissingTool
from .sfnt import sfnt

Style = Literal["serif", "sans"]
Weight = Literal["regular", "bold"]

_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts"),
    Path("~/.fonts"),
    Path("/Library/Fonts"),
)
# Order is the order of preference; a file name may hold several families (a collection).
_FILES: dict[tuple[Style, Weight], tuple[str, ...]] = {
    ("serif", "regular"): (
        "NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf", "NotoSerifSC-Regular.otf",
        "SourceHanSerifSC-Regular.otf", "uming.ttc",
    ),
    ("serif", "bold"): (
        "NotoSerifCJK-Bold.ttc", "NotoSerifCJKsc-Bold.otf", "NotoSerifSC-Bold.otf",
        "SourceHanSerifSC-Bold.otf",
    ),
    ("sans", "regular"): (
        "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf",
        "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf",
    ),
    ("sans", "bold"): (
        "NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", "NotoSansSC-Bold.otf", "SourceHanSansSC-Bold.otf",
    ),
}  # fmt: skip
# Families inside a collection, simplified Chinese first: the others draw what it lacks.
_REGIONS = (" SC", " TC", " HK", " JP", " KR", "")


@dataclass(frozen=True, slots=True)
class Face:
    """One font: its file, and its place in the file when that is a collection."""

    path: Path
    index: int
    family: str

    def has(self, char: str) -> bool:
        """Whether the font has a glyph for this character."""
        return bool(sfnt(self.path, self.index).glyph(ord(char)))

    def advance(self, char: str) -> float:
        """Width of a character in ems; 1.0 when the font has no glyph for it."""
        font = sfnt(self.path, self.index)
        glyph = font.glyph(ord(char))
        return font.width(glyph) / font.units if glyph else 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text that one font draws."""

    text: str
    face: Face


def faces(style: Style = "serif", weight: Weight = "regular") -> tuple[Face, ...]:
    """Fonts in the order to try: the wished style first, then the other style, then other regions.

    Raises:
        MissingTool: `font_missing` when the machine has no Chinese font.
    """
    other: Style = "sans" if style == "serif" else "serif"
    wanted: list[tuple[Style, Weight]] = [(style, weight), (other, weight)]
    if weight == "bold":
        wanted += [(style, "regular"), (other, "regular")]
    found = [face for key in wanted for name in _FILES[key] for face in _in_file(name)]
    # All simplified faces come before the regional ones, so that letter shapes stay those of the mainland.
    found.sort(key=_region)
    if not found:
        raise MissingTool("font_missing")
    return tuple(found)


def face(style: Style = "serif", weight: Weight = "regular") -> Face:
    """The first of `faces`.

    Raises:
        MissingTool: `font_missing`.
    """
    return faces(style, weight)[0]


def clean(text: str) -> str:
    """The text as one drawable line: control characters are blanks, invisible format characters go."""
    out = []
    for char in text:
        kind = unicodedata.category(char)
        if kind in ("Cc", "Zl", "Zp"):
            out.append(" ")
        elif kind == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF:
            continue
        else:
            out.append(char)
    return "".join(out)


def runs(text: str, among: Sequence[Face]) -> tuple[Run, ...]:
    """The text cut into pieces, each with the first font that has all its glyphs. Call `clean` first.

    Raises:
        MissingTool: `glyph_missing` when no font has a character; names its block, never the character.
    """
    pieces: list[Run] = []
    for char in text:
        fitting = pick(char, among)
        if pieces and pieces[-1].face == fitting:
            pieces[-1] = Run(text=pieces[-1].text + char, face=fitting)
        else:
            pieces.append(Run(text=char, face=fitting))
    return tuple(pieces)


def pick(char: str, among: Sequence[Face]) -> Face:
    """The first font that has the character.

    Raises:
        MissingTool: `glyph_missing`.
    """
    for candidate in among:
        if candidate.has(char):
            return candidate
    raise MissingTool("glyph_missing", block=f"U+{ord(char) >> 8:X}xx")


def _region(found: Face) -> int:
    return next(rank for rank, region in enumerate(_REGIONS) if found.family.endswith(region))


@cache
def _in_file(name: str) -> tuple[Face, ...]:
    for folder in _FOLDERS:
        root = folder.expanduser()
        for path in sorted(root.rglob(name)) if root.is_dir() else ():
            if path.suffix == ".ttc":
                with TTCollection(str(path), lazy=True) as collection:
                    families = [str(font["name"].getDebugName(1) or "") for font in collection.fonts]
            else:
                with TTFont(str(path), lazy=True) as font:
                    families = [str(font["name"].getDebugName(1) or "")]
            listed = [Face(path=path, index=i, family=f) for i, f in enumerate(families) if "Mono" not in f]
            return tuple(sorted(listed, key=_region))
    return ()
