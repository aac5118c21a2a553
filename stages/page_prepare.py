"""From the page as it came to the page an engine reads, and the way back for its boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..formats.opened import Picture
from ..formats.pixels import shrink
from ..models.page import Box
from .engines.engine import Point, Quad
from .page_blank import is_blank
from .page_borders import fill_borders, find_borders
from .page_deseal import clean_seals, find_seals
from .page_deseal_black import clean_black_seals, find_black_seals
from .page_deskew import LEAST, Matrix, find_skew, level
from .page_double import find_gutter
from .page_holes import fill_holes, find_holes
from .page_ink import Ink, find_ink
from .page_orient import Turn, find_turn
from .page_steps import ALL, Preparation

SMALL_DPI = 100.0
"""At this resolution everything is found; only what was found is done to the page itself."""
FINE_DPI = 250.0
"""From here on a page may be turned with the cheaper interpolation and no stroke suffers."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page ready to be read.

    `picture`: desealed, turned and straightened. `back`: 3 x 3, from its pixels to those of the page as it
    came, whose width and height in pixels are `size`. `dpi`: the same before and after. `gutter`: where two pages
    meet, in pixels of `picture` from the left. `depth`: how much darker than the paper the ink is, levels of 255.
    """

    picture: Picture
    dpi: float
    size: tuple[int, int]
    back: NDArray[np.float64]
    seals: tuple[Box, ...]
    steps: tuple[str, ...]
    blank: bool
    gutter: float | None = None
    depth: float = 255.0

    @property
    def black(self) -> bool:
        """Whether its seals are black."""
        return any(step.startswith("deseal black") for step in self.steps)

    @property
    def sides(self) -> tuple[Prepared, ...]:
        """The two pages of a double page, left before right; else the page itself."""
        if self.gutter is None:
            return (self,)
        middle = round(self.gutter)
        return self._part(0, middle), self._part(middle, self.picture.shape[1])

    @property
    def sheet(self) -> Quad:
        """Corners of the page as it came, in pixels of `picture`."""
        width, height = self.size
        corners = np.array([[0.0, width, width, 0.0], [0.0, 0.0, height, height], [1.0] * 4])
        x, y, _ = np.linalg.inv(self.back) @ corners
        # of a page that lay otherwise another corner is the upper left one
        first = int(np.argmin(x + y))
        a, b, c, d = ((float(x[i]), float(y[i])) for i in ((first + step) % 4 for step in range(4)))
        return a, b, c, d

    def _part(self, left: int, right: int) -> Prepared:
        shift = np.array([[1.0, 0.0, left], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        part = np.ascontiguousarray(self.picture[:, left:right])
        return replace(self, picture=part, back=self.back @ shift, gutter=None)

    def box(self, quads: Iterable[Quad]) -> Box:
        """The rectangle around `quads` (pixels of `picture`) in fractions of the page as it came."""
        points: list[Point] = [point for quad in quads for point in quad]
        upright = np.array([(x, y, 1.0) for x, y in points]).T
        # The pieces' common rectangle is taken first: on the straightened page it is level.
        left, right, top, bottom = upright[0].min(), upright[0].max(), upright[1].min(), upright[1].max()
        corners = np.array([[left, right, right, left], [top, top, bottom, bottom], [1.0] * 4])
        x, y, _ = self.back @ corners
        width, height = self.size
        return Box(
            left=_fraction(x.min() / width),
            top=_fraction(y.min() / height),
            right=_fraction(x.max() / width),
            bottom=_fraction(y.max() / height),
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """What was found on a page as it came, before it is turned.

    `picture` is that page with borders filled and seals cleaned; `small` the same at `SMALL_DPI` or less, with its
    `ink`. `turn`: None when nobody looked, or without the model.
    """

    picture: Picture
    small: Picture
    ink: Ink
    dpi: float
    seals: tuple[Box, ...]
    steps: tuple[str, ...]
    blank: bool
    turn: Turn | None
    options: Preparation


def look_over(picture: Picture, *, dpi: float, options: Preparation = ALL) -> Overview:
    """Finds borders, seals, ink and which way up the page lies; takes off what can be taken off.

    Args:
        picture: the page as it came, height x width x 3, RGB.
        dpi: its pixels an inch.
        options: the steps to take.
    """
    scale = min(1.0, SMALL_DPI / dpi)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = shrink(picture, size)
    steps = []
    border = find_borders(small, dpi=dpi * scale) if options.borders else None
    if border is not None:
        picture, small = fill_borders(picture, border), fill_borders(small, border)
        steps.append("borders")
    seals = tuple(find_seals(small, dpi=dpi * scale)) if options.deseal else ()
    if seals:
        picture, small = clean_seals(picture, seals), clean_seals(small, seals)
        steps.append(f"deseal {len(seals)}")
    ink = find_ink(small, dpi=dpi * scale)
    holes = tuple(find_holes(ink)) if options.borders else ()
    if holes:
        picture, small = fill_holes(picture, holes), fill_holes(small, holes)
        ink = find_ink(small, dpi=dpi * scale)
        steps.append(f"holes {len(holes)}")
    black = tuple(find_black_seals(ink)) if options.deseal and not seals else ()
    if black:
        picture = clean_black_seals(picture, black, dpi=dpi)
        steps.append(f"deseal black {len(black)}")
        seals = black
    blank = is_blank(ink)
    turn = find_turn(small, _extent(ink)) if options.orientation and not blank else None
    return Overview(
        picture=picture, small=small, ink=ink, dpi=dpi, seals=seals, steps=tuple(steps), blank=blank,
        turn=turn, options=options,
    )  # fmt: skip


def upright(page: Overview, turns: int) -> Prepared:
    """The page turned by `turns` quarters counter-clockwise and straightened, in one pass over its pixels."""
    height, width = page.picture.shape[:2]
    turned = Ink(np.ascontiguousarray(np.rot90(page.ink.mask, turns)), page.ink.dpi, page.ink.depth)
    degrees = find_skew(turned) if page.options.deskew else 0.0
    forth: Matrix = np.asarray(np.linalg.inv(_turn_back(turns, width=width, height=height)), dtype=np.float64)
    size = (height, width) if turns % 2 else (width, height)
    steps = [*page.steps, f"turn {turns * 90}"] if turns else [*page.steps]
    if abs(degrees) < LEAST:
        picture = np.ascontiguousarray(np.rot90(page.picture, turns)) if turns else page.picture
    else:
        straight, size = level(degrees, size)
        forth = np.asarray(straight @ forth, dtype=np.float64)
        picture = _warp(page.picture, forth, size, fine=page.dpi >= FINE_DPI)
        steps.append(f"deskew {degrees:.1f}")
    gutter = (
        find_gutter(_levelled(turned.mask, degrees), dpi=turned.dpi) if page.options.double_pages else None
    )
    if gutter is not None:
        steps.append("double_page")
    return Prepared(
        picture=picture, dpi=page.dpi, size=(width, height),
        back=np.asarray(np.linalg.inv(forth), dtype=np.float64), seals=page.seals,
        steps=tuple(steps), blank=page.blank, gutter=gutter and gutter * size[0], depth=page.ink.depth,
    )  # fmt: skip


def prepare(picture: Picture, *, dpi: float, turns: int | None = 0, options: Preparation = ALL) -> Prepared:
    """Takes borders and seals off, turns by `turns` quarters counter-clockwise, straightens.

    Args:
        picture: the page as it came, height x width x 3, RGB.
        dpi: its pixels an inch.
        turns: 0 to 3; None: as the orientation model says, if it is there.
        options: the steps to take.
    """
    page = look_over(
        picture, dpi=dpi, options=options if turns is None else replace(options, orientation=False)
    )
    if turns is None:
        turns = page.turn.turns[0] if page.turn else 0
    return upright(page, turns)


def _extent(ink: Ink) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the ink; specks count, as they only make the page look fuller."""
    rows, columns = np.flatnonzero(ink.mask.any(axis=1)), np.flatnonzero(ink.mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _warp(picture: Picture, forth: NDArray[np.float64], size: tuple[int, int], *, fine: bool) -> Picture:
    # OpenCV counts pixels at their middles, the matrices here at their corners.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ forth @ half
    warped = cv2.warpAffine(
        picture, matrix[:2], size,
        flags=cv2.INTER_LINEAR if fine else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(255,) * 3,
    )  # fmt: skip
    return np.asarray(warped, dtype=np.uint8)


def _levelled(mask: NDArray[np.bool_], degrees: float) -> NDArray[np.bool_]:
    if abs(degrees) < LEAST:
        return mask
    matrix, size = level(degrees, (mask.shape[1], mask.shape[0]))
    turned = cv2.warpAffine(mask.astype(np.uint8), matrix[:2], size, flags=cv2.INTER_NEAREST)
    return np.asarray(turned > 0)


def _turn_back(turns: int, *, width: int, height: int) -> NDArray[np.float64]:
    """From pixels of `numpy.rot90(page, turns)` to pixels of the page of `width` x `height`."""
    return np.array(
        {
            0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            1: [[0, -1, width], [1, 0, 0], [0, 0, 1]],
            2: [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            3: [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
        }[turns % 4],
        dtype=np.float64,
    )


def _fraction(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
