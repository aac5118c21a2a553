"""The attack bench's families: which attacks, on which pages, how many cases, what is aimed at.

The rows with an aim are those of the design's table of targets; the others are measured and said, nothing more.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...formats.opened import Picture
from ...samples import leaks
from .marks_pages import PageKind

TEXT: Final[tuple[PageKind, ...]] = (
    "dense", "letter", "table", "blank", "scanned", "ofd", "colour", "overlay",
)  # fmt: skip
SPARSE: Final[tuple[PageKind, ...]] = ("letter", "table", "ofd", "overlay")
How = Callable[[Picture, random.Random], list[Picture]]
"""Pictures of one leak: they are traced together."""
MIXES: Final = (("average", 2), ("average", 4), ("median", 3), ("bands", 3), ("bands", 2), ("average", 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One row of the table.

    Args:
        aim: per cent that must be recovered; None where it is only reported.
        cases: in a full run; a quick one has one or two of each.
        attacks: tried in turn.
        rivals: whether other programs get pictures of this family too.
        glyphs: whether the page as it was is in the ledger.
        mixed: the attacks are `MIXES`; at least one true copy must be named.
        dots: the copy bears dots too.
    """

    name: str
    layer: str
    aim: float | None
    kinds: tuple[PageKind, ...]
    cases: int
    attacks: tuple[How, ...] = ()
    rivals: bool = False
    glyphs: bool = False
    mixed: bool = False
    dots: bool = False


def _each(*attacks: leaks.Attack) -> tuple[How, ...]:
    def one(attack: leaks.Attack) -> How:
        return lambda page, rng: [attack(page, rng)]

    return tuple(one(attack) for attack in attacks)


def _quarters(*attacks: leaks.Attack) -> tuple[How, ...]:
    def one(attack: leaks.Attack) -> How:
        return lambda page, rng: [leaks.crop(attack(page, rng), rng, 0.25)]

    return tuple(one(attack) for attack in attacks)


def _several(page: Picture, rng: random.Random) -> list[Picture]:
    return [leaks.far_photo(page, rng) for _ in range(3)]


_F, _M, _BW = leaks.FAMILIES, leaks.MORE, tuple(leaks.BLACK_AND_WHITE.values())
_PHOTOS = _M["photo"]
_ON_PHOTOS = (_F["plain"][0], _F["plain"][1], *_F["screen"], *_F["print-scan"], _PHOTOS[0])
FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        name="plain", layer="tint", aim=99, kinds=TEXT, cases=112, rivals=True,
        attacks=_each(*_F["plain"], *_M["plain"]),
    ),
    Family(name="crop-25", layer="tint", aim=98, kinds=TEXT, cases=56, rivals=True, attacks=_each(*_F["crop-25"])),
    Family(name="crop-10", layer="tint", aim=95, kinds=TEXT, cases=56, rivals=True, attacks=_each(*_F["crop-10"])),
    Family(name="screen", layer="tint", aim=97, kinds=TEXT, cases=56, rivals=True, attacks=_each(*_F["screen"])),
    Family(
        name="print-scan", layer="tint", aim=95, kinds=TEXT, cases=48, rivals=True, attacks=_each(*_F["print-scan"]),
    ),
    Family(
        name="print-scan, crop-25", layer="tint", aim=95, kinds=TEXT, cases=48, rivals=True,
        attacks=_each(*_F["print-scan, crop-25"]),
    ),
    Family(
        name="photo", layer="tint", aim=90, kinds=TEXT, cases=64, rivals=True, attacks=_each(*_PHOTOS),
    ),
    Family(
        name="bits", layer="glyphs", aim=95, kinds=("dense",), cases=48, rivals=True, glyphs=True, attacks=_each(*_BW),
    ),
    Family(
        name="bits, crop-25", layer="glyphs", aim=90, kinds=("dense",), cases=48, glyphs=True, attacks=_quarters(*_BW),
    ),
    Family(
        name="bits, few glyphs", layer="glyphs", aim=None, kinds=SPARSE, cases=24, glyphs=True, attacks=_each(*_BW),
    ),
    Family(
        name="photo page", layer="tint", aim=90, kinds=("photo",), cases=48, rivals=True, attacks=_each(*_ON_PHOTOS),
    ),
    Family(
        name="photo page, crop-25", layer="tint", aim=None, kinds=("photo",), cases=32, attacks=_each(*_F["crop-25"]),
    ),
    Family(name="mixed", layer="fingerprint", aim=98, kinds=TEXT, cases=48, mixed=True),
    Family(name="estimated", layer="any", aim=None, kinds=TEXT, cases=16, glyphs=True, attacks=_each(leaks.estimated)),
    Family(name="mirror", layer="tint", aim=None, kinds=TEXT, cases=16, attacks=_each(leaks.mirrored)),
    Family(name="fold", layer="tint", aim=None, kinds=TEXT, cases=16, attacks=_each(leaks.folded)),
    Family(name="diffused", layer="tint", aim=None, kinds=TEXT, cases=12, attacks=_each(leaks.diffused)),
    Family(
        name="dots, photocopy", layer="dots", aim=None, kinds=("letter", "blank"), cases=24, dots=True,
        attacks=_each(leaks.photocopy, lambda page, rng: leaks.photocopy(page, rng, share=0.25)),
    ),
    Family(name="three far photos", layer="tint", aim=None, kinds=TEXT, cases=12, attacks=(_several,)),
)  # fmt: skip
BY_NAME: Final = {family.name: family for family in FAMILIES}
EMPTY: Final = "unmarked"
"""The last row of the design's table, which is measured by itself (marks_unmarked.py)."""
