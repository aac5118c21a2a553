"""Can a page's own text be trusted to say what the page shows?

Threat model: a text layer may be garbage (a broken ToUnicode map), the output of someone else's OCR,
text hidden under a picture or beyond the edge, or words planted to be read by a machine and by nobody
else. When in doubt the layer is not used: recognition reads what a person would see.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_BROKEN_SHARE = 0.05
_ODD_SCRIPT_SHARE = 0.2
_RARE_SHARE = 0.2
_UNSEEN_SHARE = 0.2
_PICTURE_SHARE = 0.4
_FEW_CHARACTERS = 200
_ENOUGH_HAN = 60
_ENOUGH_HAN_FOR_FREQUENCY = 150
_FREQUENT_SHARE = 0.05
_FREQUENT = frozenset(
    "的一是不了在人有我他这中大来上国和地到以说时要就出会可也你对生能而子那得于着下自之年发"
    "后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
    "本前开但因只从想实日军者意无力与长把机十民第公此已工使情明性知全三又关点正业外将两高间"
    "由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化"
    "老给世位次度门任常先海通教单及各区规部建管设市院务办项通知"
)


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What was seen of one page's text. Counts are characters without white space."""

    text: str
    """The visible text."""
    unseen: int
    """Characters that no reader sees: invisible mode, transparent, outside the page."""
    covered: bool
    """A picture over most of the page is painted after the text."""
    picture_share: float
    """Share of the page that pictures cover (0..1)."""


def unsound(facts: TextFacts) -> str | None:
    """Why the text must not be trusted (one of our own words), or None when it is sound.

    `invisible`, `covered`, `picture_page`, `broken_characters`, `odd_script`, `unlikely_characters`.
    """
    seen = [char for char in facts.text if not char.isspace()]
    total = len(seen) + facts.unseen
    if facts.unseen > total * _UNSEEN_SHARE:
        return "invisible"
    if not seen:
        return None
    if facts.picture_share > _PICTURE_SHARE:
        if facts.covered:
            return "covered"
        if len(seen) < _FEW_CHARACTERS:
            return "picture_page"
    if sum(map(_is_broken, seen)) > len(seen) * _BROKEN_SHARE:
        return "broken_characters"
    if sum(map(_is_odd, seen)) > len(seen) * _ODD_SCRIPT_SHARE:
        return "odd_script"
    return "unlikely_characters" if _is_unlikely([char for char in seen if _is_han(char)]) else None


def _is_broken(char: str) -> bool:
    return char == "\ufffd" or unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs")


def _is_odd(char: str) -> bool:
    """A letter of a script that mail in Chinese, Japanese, Korean, Latin, Greek or Cyrillic does not use."""
    if not char.isalpha():
        return False
    code = ord(char)
    if code < 0x100 or 0x370 <= code < 0x530 or 0x3040 <= code < 0x3400:
        return False
    return not (_is_han(char) or 0xAC00 <= code < 0xD7B0 or 0xFF00 <= code < 0xFFF0)


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or ord(char) >= 0x20000


def _is_unlikely(han: list[str]) -> bool:
    """Well-formed Chinese characters that nobody writes: a shifted character map.

    Level 1 of GB/T 2312-1980 covers more than 99 % of running text; the most frequent characters a quarter.
    """
    if len(han) >= _ENOUGH_HAN:
        rare = sum(not _is_level_one(char) for char in han)
        if rare > len(han) * _RARE_SHARE:
            return True
    if len(han) >= _ENOUGH_HAN_FOR_FREQUENCY:
        return sum(char in _FREQUENT for char in han) < len(han) * _FREQUENT_SHARE
    return False


def _is_level_one(char: str) -> bool:
    try:
        return 0xB0 <= char.encode("gb2312")[0] <= 0xD7
    except UnicodeEncodeError:
        return False
