"""Draws the things of an OFD page as a picture: paths, text, pictures, clipped and in order (8 to 11).

Shadings and patterns are drawn in one middle colour; what cannot be drawn at all leaves a grey frame and is told.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from ..common import fonts
from ..common.errors import MissingTool
from .ofd_canvas import Canvas, Mask, filled, glyph_mask, stroked, warped
from .ofd_font import Embedded, machine_faces, private
from .ofd_geometry import Matrix, Rect, bounds, common, covered_by
from .ofd_objects import Clip, Image, Path, Text, Thing
from .ofd_path import Point, polylines
from .ofd_picture import decode
from .ofd_resources import Ink

ReadPart = Callable[[str], bytes]
Pixels = NDArray[np.uint8]
_LARGEST_TYPE = 4000
_SLANT = 0.2
_MAX_DASHES = 20_000
_BLANK: tuple[Mask, int, int] = (np.zeros((1, 1), np.uint8), 0, 0)


class Painter:
    """Paints one page. `lost` counts pictures that could not be drawn, `approximate` shadings and patterns."""

    def __init__(
        self, width: float, height: float, scale: float, *, read: ReadPart,
        font_of: Callable[[Text], Embedded | None], max_pixels: int,
    ) -> None:  # fmt: skip
        """`width` x `height` in mm, `scale` in pixels per mm."""
        self.canvas = Canvas(max(1, round(width * scale)), max(1, round(height * scale)))
        self.lost = 0
        self.approximate = 0
        self._grid = Matrix(a=scale, d=scale)
        self._scale = scale
        self._read = read
        self._font_of = font_of
        self._max_pixels = max_pixels
        self._last: tuple[tuple[Clip, ...], Mask | None] = ((), None)
        self._fonts: dict[tuple[int, int], ImageFont.FreeTypeFont] = {}

    def paint(self, things: Sequence[Thing]) -> None:
        """Paints all visible things.

        Raises:
            MissingTool: `font_missing` when text stands there and the machine has no Chinese font.
        """
        for thing in things:
            if not thing.visible:
                continue
            place = thing.matrix.then(self._grid)
            if not place.whole:
                continue
            clip = self._clip(thing)
            if isinstance(thing, Path):
                self._path(thing, place, clip)
            elif isinstance(thing, Text):
                self._text(thing, place, clip)
            else:
                self._image(thing, place, clip)

    def stamp(self, picture: bytes, box: Rect, cut: Rect | None) -> bool:
        """A seal's picture over `box` (mm), its white clear; only the part inside `cut` (mm). False when undrawn."""
        wide, high = box.width * self._scale, box.height * self._scale
        found = decode(picture, wide=wide, high=high, max_pixels=self._max_pixels)
        if found is None:
            self.lost += 1
            self._frame(box, None, full=False)
            return False
        place = Matrix(a=wide, d=high, e=box.x * self._scale, f=box.y * self._scale)
        self._lay(np.asarray(found, dtype=np.uint8), place, None, True, 255, cut)
        return True

    def _clip(self, thing: Thing) -> Mask | None:
        """A mask of the whole page for what has clipping regions; objects in a row often share theirs."""
        if not thing.clips:
            return None
        if thing.clips != self._last[0]:
            mask = np.full((self.canvas.height, self.canvas.width), 255, np.uint8)
            for clip in thing.clips:
                mask = np.minimum(mask, self._clip_mask(clip))
            self._last = (thing.clips, mask)
        return self._last[1]

    def _clip_mask(self, clip: Clip) -> Mask:
        mask = np.zeros((self.canvas.height, self.canvas.width), np.uint8)
        for data, matrix in clip.areas:
            lines = [points for points, _ in polylines(data, matrix.then(self._grid), fineness=0.7)]
            window = self._window(lines, 1.0, None)
            if window is not None:
                left, top, right, bottom = window
                part = mask[top:bottom, left:right]
                np.maximum(part, filled(lines, window, even_odd=False), out=part)
        return mask

    def _window(
        self, lines: Sequence[list[Point]], margin: float, limit: Rect | None
    ) -> tuple[int, int, int, int] | None:
        """The pixels that the points reach, no farther than `limit` (mm on the paper)."""
        points = [point for line in lines for point in line]
        if not points:
            return None
        box = bounds(points)
        left, top = box.x - margin, box.y - margin
        return self._limited(left, top, left + box.width + 2 * margin, top + box.height + 2 * margin, limit)

    def _limited(
        self, left: float, top: float, right: float, bottom: float, limit: Rect | None
    ) -> tuple[int, int, int, int] | None:
        if limit is not None:
            scale = self._scale
            left, top = max(left, limit.x * scale), max(top, limit.y * scale)
            right = min(right, (limit.x + limit.width) * scale)
            bottom = min(bottom, (limit.y + limit.height) * scale)
            if right <= left or bottom <= top:
                return None
        return self.canvas.window(left, top, right, bottom)

    def _path(self, path: Path, place: Matrix, clip: Mask | None) -> None:
        lines = polylines(path.data, place, fineness=0.7)
        if path.fill is not None and path.fill.alpha:
            outlines = [points for points, _ in lines]
            window = self._window(outlines, 1.0, common(path.boundary, path.window))
            if window is not None:
                self.approximate += path.fill.approximate
                mask = filled(outlines, window, even_odd=path.even_odd)
                self.canvas.ink(mask, window[0], window[1], path.fill.rgb, path.fill.alpha, clip)
        if path.stroke is not None and path.stroke.alpha and path.width > 0:
            thick = path.width * math.sqrt(abs(place.a * place.d - place.b * place.c))
            limit = path.boundary
            if limit is not None:  # a boundary drawn around the middle of a line does not halve it
                edge = thick / self._scale
                limit = Rect(limit.x - edge, limit.y - edge, limit.width + 2 * edge, limit.height + 2 * edge)
            limit = common(limit, path.window)
            window = self._window([points for points, _ in lines], thick + 1.0, limit)
            if window is not None:
                if path.dashes:
                    lines = _dashed(lines, [dash * place.across for dash in path.dashes])
                mask = stroked(lines, thick, window, cap=path.cap)
                self.canvas.ink(mask, window[0], window[1], path.stroke.rgb, path.stroke.alpha, clip)

    def _text(self, text: Text, place: Matrix, clip: Mask | None) -> None:
        ink = text.fill or text.stroke
        if ink is None or ink.alpha == 0 or text.size <= 0:
            return
        self.approximate += ink.approximate
        embedded = self._font_of(text)
        faces: tuple[fonts.Face, ...] = ()
        pixels = text.size * place.down
        plain = (
            place.upright and abs(place.b) < 1e-3 * place.a and abs(place.c) < 1e-3 * place.d
            and abs(place.a * text.stretch - place.d) < 1e-3 * place.d and not text.turn and not text.italic
        )  # fmt: skip
        body = max(1, min(_LARGEST_TYPE, round(pixels)))
        margin = text.size * place.down / self._scale
        for run in text.runs:
            for char, (x, y), glyph in zip(run.chars, run.places, run.glyphs, strict=True):
                if char.isspace() and glyph is None:
                    continue
                at = place.at(x, y)
                if not (
                    -pixels < at[0] < self.canvas.width + pixels
                    and -pixels < at[1] < self.canvas.height + pixels
                ):
                    continue
                middle = text.matrix.at(x + text.size / 2, y - text.size / 3)
                if text.boundary is not None and not text.boundary.holds(*middle, margin):
                    continue
                found = self._embedded_glyph(embedded, char, glyph, body)
                if found is None:
                    faces = faces or machine_faces(text.font, bold=text.bold)
                    face = _face_for(char, faces)
                    found = glyph_mask(_machine_font(str(face.path), face.index, body), char)
                if found is None:
                    continue
                mask, left, top = found
                if plain:
                    self._put(mask, round(at[0]) + left, round(at[1]) + top, text, ink, clip)
                else:
                    self._turned(text, place, mask, (left, top), (x, y), body, ink, clip)

    def _embedded_glyph(
        self, font: Embedded | None, char: str, glyph: int | None, size: int
    ) -> tuple[Mask, int, int] | None:
        """A character by the file's own font; None when that has none, or a broken outline."""
        if font is None:
            return None
        number = glyph if glyph is not None else font.glyph(char)
        if number is None or not 0 <= number < font.count:
            return None
        key = (id(font), size)
        if key not in self._fonts:
            self._fonts[key] = ImageFont.truetype(io.BytesIO(font.program), size)
        try:
            return glyph_mask(self._fonts[key], private(number)) or _BLANK
        except OSError:
            return None

    def _put(self, mask: Mask, left: int, top: int, text: Text, ink: Ink, clip: Mask | None) -> None:
        """A character's mask onto the page, cut by the text's window."""
        if text.window is not None:
            window = self._limited(left, top, left + mask.shape[1] - 1, top + mask.shape[0] - 1, text.window)
            if window is None:
                return
            mask = mask[window[1] - top : window[3] - top, window[0] - left : window[2] - left]
            left, top = window[0], window[1]
        self.canvas.ink(mask, left, top, ink.rgb, ink.alpha, clip)

    def _turned(
        self, text: Text, place: Matrix, mask: Mask, offset: tuple[int, int], origin: Point, body: int,
        ink: Ink, clip: Mask | None,
    ) -> None:  # fmt: skip
        """A character that is stretched, slanted or turned: drawn upright, then put through the matrix."""
        unit = text.size / body
        own = Matrix(a=unit * text.stretch, d=unit, e=offset[0] * unit * text.stretch, f=offset[1] * unit)
        if text.italic:
            own = own.then(Matrix(c=-_SLANT))
        if text.turn:
            cos, sin = round(math.cos(math.radians(text.turn))), round(math.sin(math.radians(text.turn)))
            own = own.then(Matrix(a=cos, b=sin, c=-sin, d=cos))
        whole = own.then(Matrix(e=origin[0], f=origin[1])).then(place)
        reach = covered_by(Rect(0, 0, mask.shape[1], mask.shape[0]), whole)
        window = self.canvas.window(
            reach.x - 1, reach.y - 1, reach.x + reach.width + 1, reach.y + reach.height + 1
        )
        if window is not None and whole.whole:
            self._put(warped(mask, whole, window), window[0], window[1], text, ink, clip)

    def _image(self, image: Image, place: Matrix, clip: Mask | None) -> None:
        reach = covered_by(Rect(0, 0, 1, 1), place)
        if image.alpha == 0 or reach.x > self.canvas.width or reach.y > self.canvas.height:
            return
        for key in image.media:
            medium = image.resources.media.get(key)
            if medium is None or medium.part is None:
                continue
            found = decode(
                self._read(medium.part), wide=min(place.across, 20_000.0), high=min(place.down, 20_000.0),
                max_pixels=self._max_pixels,
            )  # fmt: skip
            if found is not None:
                pixels = np.array(found, dtype=np.uint8)
                self._veil(image, pixels)
                limit = common(image.boundary, image.window)
                self._lay(pixels, place, clip, image.multiply, image.alpha, limit)
                return
        self.lost += 1
        self._frame(covered_by(Rect(0, 0, 1, 1), image.matrix), clip)

    def _veil(self, image: Image, pixels: Pixels) -> None:
        """An image mask (10.2) says which parts of the picture show."""
        medium = image.resources.media.get(image.mask) if image.mask else None
        if medium is None or medium.part is None:
            return
        high, wide = pixels.shape[:2]
        veil = decode(self._read(medium.part), wide=wide, high=high, max_pixels=self._max_pixels)
        if veil is not None:
            grey = np.asarray(veil.convert("L").resize((wide, high)), dtype=np.uint8)
            pixels[..., 3] = np.minimum(pixels[..., 3], grey)

    def _lay(
        self, pixels: Pixels, place: Matrix, clip: Mask | None, multiply: bool, alpha: int, limit: Rect | None
    ) -> None:
        high, wide = pixels.shape[:2]
        reach = covered_by(Rect(0, 0, 1, 1), place)
        window = self._limited(reach.x, reach.y, reach.x + reach.width, reach.y + reach.height, limit)
        whole = Matrix(a=1 / wide, d=1 / high).then(place)
        if window is None or not whole.whole:
            return
        # Colours are carried to the picture's edge first, so that clear pixels around it do not darken them.
        colours = warped(pixels[..., :3], whole, window)
        share = warped(pixels[..., 3], whole, window)
        edge = warped(np.full((high, wide), 255, np.uint8), whole, window)
        lit = np.maximum(edge, 1).astype(np.float32)[..., None] / 255.0
        colours = np.clip(colours / lit, 0, 255).astype(np.uint8)
        if alpha < 255:
            share = (share.astype(np.float32) * (alpha / 255.0)).astype(np.uint8)
        self.canvas.lay(colours, share, window[0], window[1], multiply=multiply, clip=clip)

    def _frame(self, box: Rect, clip: Mask | None, *, full: bool = True) -> None:
        """What could not be drawn: greyed with a darker edge, so that a reader sees something is missing.

        Text under it stays readable; a seal's frame is empty.
        """
        left, top, wide, high = (value * self._scale for value in (box.x, box.y, box.width, box.height))
        corners: list[Point] = [
            (left, top),
            (left + wide, top),
            (left + wide, top + high),
            (left, top + high),
        ]
        window = self._window([corners], 2.0, None)
        if window is None:
            return
        if full:
            mask = filled([corners], window, even_odd=False)
            grey = np.full((*mask.shape, 3), 225, np.uint8)
            self.canvas.lay(grey, mask, window[0], window[1], multiply=True, clip=clip)
        edge = stroked([(corners, True)], 1.5, window, cap="butt")
        self.canvas.ink(edge, window[0], window[1], (120, 120, 120), 255, clip)


def _dashed(lines: list[tuple[list[Point], bool]], pattern: list[float]) -> list[tuple[list[Point], bool]]:
    """The lines cut into dashes (8.2); left whole when there would be too many."""
    if len(pattern) % 2:
        pattern = pattern * 2
    whole = sum(pattern)
    reach = sum(math.dist(a, b) for points, _ in lines for a, b in itertools.pairwise(points))
    if whole <= 0.5 or reach / whole * len(pattern) > _MAX_DASHES:
        return lines
    out: list[tuple[list[Point], bool]] = []
    for points, closed in lines:
        path = [*points, points[0]] if closed else points
        index, left, drawn = 0, pattern[0], [path[0]]
        for first, second in itertools.pairwise(path):
            length, gone = math.dist(first, second), 0.0
            while length - gone > left:
                gone += left
                point = (
                    first[0] + (second[0] - first[0]) * gone / length,
                    first[1] + (second[1] - first[1]) * gone / length,
                )
                if index % 2 == 0:
                    out.append(([*drawn, point], False))
                index = (index + 1) % len(pattern)
                left, drawn = max(pattern[index], 1e-3), [point]
            left -= length - gone
            drawn.append(second)
        if index % 2 == 0 and len(drawn) > 1:
            out.append((drawn, False))
    return out


@lru_cache(maxsize=64)
def _machine_font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index)


def _face_for(char: str, faces: tuple[fonts.Face, ...]) -> fonts.Face:
    try:
        return fonts.pick(char, faces)
    except MissingTool:
        return faces[0]  # its empty box shows that something stands here
