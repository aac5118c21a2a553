"""The Chinese fonts the room prints with, and the proof that a text can be printed in them.

A character the font does not have must never become an empty box on a paper that names a person: callers
check with `check_glyphs` (or `require_glyphs`) before they draw. Rare names outside the basic plane
(such as U+20BB7) are in Noto CJK; what is not is an error with advice.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError

from .errors import JiyaoError, MissingTool

_FOLDERS = (
    "~/.local/share/fonts",
    "~/.fonts",
    "/usr/local/share/fonts",
    "/usr/share/fonts",
)
_SIMPLIFIED_NAMES = ("CJK SC", "Source Han Sans SC", "Source Han Serif SC")
_WANTED: dict[str, tuple[str, ...]] = {
    "sans": ("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "SourceHanSansSC-Regular.otf"),
    "sans_bold": ("NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", "SourceHanSansSC-Bold.otf"),
    "serif": ("NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf", "SourceHanSerifSC-Regular.otf"),
    "serif_bold": ("NotoSerifCJK-Bold.ttc", "NotoSerifCJKsc-Bold.otf", "SourceHanSerifSC-Bold.otf"),
}


@dataclass(frozen=True, slots=True)
class Font:
    """One face in a font file; `number` is its place in a collection (0 for a plain file)."""

    path: Path
    number: int = 0


@dataclass(frozen=True, slots=True)
class Fonts:
    """The four faces the room draws with: 黑体-like and 宋体-like, regular and bold."""

    sans: Font
    sans_bold: Font
    serif: Font
    serif_bold: Font


class GlyphMissing(JiyaoError):
    """A character of a name cannot be printed in the installed fonts (exit 9)."""

    exit_code = MissingTool.exit_code


@cache
def find_fonts() -> Fonts:
    """The installed Noto (or Source Han) CJK faces, simplified Chinese shapes; serif falls back to sans.

    Raises:
        MissingTool: `font_missing`, when no usable sans face is installed.
    """
    files = _font_files()
    found: dict[str, Font] = {}
    for role, names in _WANTED.items():
        for name in names:
            if name in files:
                found[role] = _simplified(files[name])
                break
    sans = found.get("sans") or found.get("sans_bold")
    if sans is None:
        raise MissingTool("font_missing", package="fonts-noto-cjk")
    bold = found.get("sans_bold", sans)
    return Fonts(
        sans=sans,
        sans_bold=bold,
        serif=found.get("serif", sans),
        serif_bold=found.get("serif_bold", bold),
    )


def check_glyphs(text: str, font: Font) -> tuple[str, ...]:
    """The characters of `text` that `font` has no shape for, each once, in order; blanks never count."""
    known = _characters(font)
    return tuple(dict.fromkeys(char for char in text if not _blank(char) and ord(char) not in known))


def require_glyphs(texts: Iterable[str], font: Font) -> None:
    """Checks all `texts` against `font`.

    Raises:
        GlyphMissing: `glyph_missing` with the code points (not the text) that cannot be printed.
    """
    missing = dict.fromkeys(char for text in texts for char in check_glyphs(text, font))
    if missing:
        raise GlyphMissing("glyph_missing", points=" ".join(f"U+{ord(char):04X}" for char in missing))


def _blank(char: str) -> bool:
    return char.isspace()


def printable(text: str) -> str:
    """`text` in one line for a form: NFC, no control, format or bidirectional characters, blanks folded."""
    kept = (
        char if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp") else " "
        for char in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(kept).split())


def _font_files() -> dict[str, Path]:
    wanted = {name for names in _WANTED.values() for name in names}
    extra = os.environ.get("XDG_DATA_HOME")
    folders = [*((Path(extra) / "fonts",) if extra else ()), *(Path(name).expanduser() for name in _FOLDERS)]
    files: dict[str, Path] = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                if name in wanted:
                    files.setdefault(name, Path(place) / name)
    return files


def _simplified(path: Path) -> Font:
    if path.suffix.lower() != ".ttc":
        return Font(path=path)
    number = 0
    while True:
        try:
            with TTFont(path, fontNumber=number, lazy=True) as face:
                family = str(face["name"].getDebugName(1) or "")
        except TTLibError:
            return Font(path=path)
        if "Mono" not in family and any(name in family for name in _SIMPLIFIED_NAMES):
            return Font(path=path, number=number)
        number += 1


@cache
def _characters(font: Font) -> frozenset[int]:
    with TTFont(font.path, fontNumber=font.number, lazy=True) as face:
        return frozenset(face.getBestCmap() or {})
