"""An issued copy (复制件): what is drawn on it, and what was read back from a suspect file.

The marks carry numbers; who holds a copy is the register's business, not the drawing's. The recipient's
name stands here only because it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from .level import Level
from .page import Box
from .period import Period

MarkStyle = Literal["prefixed_no_star", "soe_shangmi", "bare_words"]
"""`公司机密`; the words of central enterprises' business secrets; `机密`, never with a star."""
CopyFormat = Literal["pdf", "png"]
MarkProfile = Literal["normal", "strong", "dots"]
"""How strongly the invisible marks are drawn: the usual tint; twice as strong; the usual tint and small black dots."""
Channel = Literal["forensic", "barcode", "visible", "metadata"]
Layer = Literal["tint", "dots", "glyphs"]
"""What a forensic mark was read from: the tint of the paper, black dots, or the places of the glyphs."""


@dataclass(frozen=True, slots=True)
class FormerMark:
    """A mark that was changed: it shows struck out beside the one that holds (保密法 art. 24)."""

    level: Level
    period: Period | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySpec:
    """Everything that one copy shows, decided before it is drawn."""

    level: Level
    period: Period | None
    number: int
    """复制件编号: counts from 1 within the document; never the issuer's own 份号."""
    recipient: str
    """Name as printed."""
    issued: date
    document: str
    """Document id as in the register."""
    barcode: str
    """Text of the barcode, made by `watermark.payload.encode`."""
    unit: str = ""
    """Name of the unit whose room issues the copy; may be empty."""
    room: str = "机要室"
    due: date | None = None
    """To be returned by (清退期限), where one was set."""
    former: tuple[FormerMark, ...] = ()
    """Marks before the one that holds, the newest last."""
    declassified: date | None = None
    """First day no longer protected, once it has come: the mark is struck out too, and 解密 stands beside it."""
    mark_style: MarkStyle = "prefixed_no_star"
    """How marks of company secrets are worded, by the unit's choice `mark_style_company`."""
    flatten: bool = True
    """Pages become pictures with the marks burnt in (policy: rank 50 and above)."""
    format: CopyFormat = "pdf"
    forensic_id: int | None = None
    """The number that the tint says (48 bits); None: no tint."""
    profile: MarkProfile = "normal"
    """Of the invisible marks, by the policy's list for the level (docs/spec/mark.md)."""
    tint_key: str = field(default="", repr=False)
    """The station's tint key, hex. It goes to the worker that draws, and nowhere else."""
    glyphs: bool = True
    """Glyphs are shifted by the copy's signs, where there is a number to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMark:
    """One mark read from one place of a suspect file; nothing about it has been checked yet."""

    page: int
    """Counts from 1; 0 for what belongs to the file as a whole."""
    channel: Channel
    value: str
    """Barcode text; metadata value; `visible`: document id, a blank, copy number."""
    box: Box | None = None
    coded: bool = True
    """`forensic`: the number itself was read; else only its fingerprint was recognised among the copies there are."""
    score: float = 1.0
    """How sure the reading (not the claim) is, 0..1; `forensic`: the fingerprint's z."""
    layer: Layer = "tint"
    """`forensic`: where it was read."""
    tests: float = 0.0
    """`forensic`: how many places, copies and poses were tried for this reading; 0: as many as its layer ever tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkMatch:
    """One copy's fingerprint in one picture: where on its page the picture lies, and how surely each tile says so."""

    id: int
    z: float
    row: int
    column: int
    """The page's tile (of 40 mm) under the sighting's first one."""
    grid: tuple[tuple[float, ...], ...]
    """z of each tile, rows from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkView:
    """How a page's marks were seen in one page of a suspect file: for the report and for maps of mixed copies."""

    page: int
    channel: str
    """Of the tint: `mix`, `texture`, `luma`, `chroma`, `bits`; or `glyphs`."""
    homography: tuple[float, ...]
    """Nine numbers, row by row: mm from the first tile's corner to the picture's pixels."""
    mirrored: bool
    clarity: float
    """How surely the tint is there at all, in standard deviations."""
    matches: tuple[MarkMatch, ...] = ()
    weak: tuple[tuple[int, float, float], ...] = ()
    """Numbers of copies whose fingerprint shows too weakly to count, z, and the tries that were made."""
