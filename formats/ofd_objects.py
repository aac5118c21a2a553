"""What stands on an OFD page, in the order it is painted: texts, paths, pictures, each with its place in mm.

Threat model: units may contain each other without end, and a small file may repeat a large one; depth, objects
and characters of a page are counted and passing a limit is a named error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..common.limits import Limits
from .fault import FormatFault
from .ofd_document import OfdPage
from .ofd_geometry import Matrix, Rect, common, corner_of, covered_by, matrix_of, moved, rect_of
from .ofd_package import Node, OfdPackage, child_text, deltas, flag, number
from .ofd_path import rectangle
from .ofd_resources import BLACK, FontFace, Ink, Resources

_MAX_OBJECTS = 60_000
_MAX_DEPTH = 24
_MAX_RUN = 100_000
_LAYERS = {"background": 0, "foreground": 2}
_DEFAULT_WIDTH = 0.353
"""Line width in mm where none is given (8.2, table 17)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clipping region: the union of its paths (path data, and their places)."""

    areas: tuple[tuple[str, Matrix], ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """What all objects have. `matrix` takes the object's own space to mm on the paper."""

    matrix: Matrix
    boundary: Rect | None
    """Upright rectangle on the paper outside which nothing shows, as the maker says; None without one."""
    window: Rect | None
    """As `boundary`, by clipping regions that are rectangles, and exact."""
    clips: tuple[Clip, ...]
    visible: bool
    note: bool
    """It belongs to an annotation."""


@dataclass(frozen=True, slots=True)
class TextRun:
    """One TextCode (11.3): characters and their origins in the object's own space (mm)."""

    chars: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    glyphs: tuple[int | None, ...]
    """Glyph numbers of the font where the file says them (CGTransform)."""


@dataclass(frozen=True, slots=True)
class Text(Placed):
    """A TextObject (11.2)."""

    runs: tuple[TextRun, ...]
    font: FontFace
    size: float
    fill: Ink | None
    stroke: Ink | None
    stretch: float
    turn: int
    """CharDirection: degrees clockwise by which each character is turned."""
    bold: bool
    italic: bool
    spaced: bool
    """The file says where each character stands."""


@dataclass(frozen=True, slots=True)
class Path(Placed):
    """A PathObject (9.1): `data` as written (9.3)."""

    data: str
    fill: Ink | None
    stroke: Ink | None
    width: float
    even_odd: bool
    dashes: tuple[float, ...]
    cap: str
    join: str


@dataclass(frozen=True, slots=True)
class Image(Placed):
    """An ImageObject (10): its unit square holds the picture. Ids of the resources."""

    media: tuple[str, ...]
    """The picture, then its substitution."""
    mask: str
    alpha: int
    multiply: bool
    """It darkens what lies under it (BlendMode), as ink does."""
    resources: Resources


Thing = Text | Path | Image


def page_things(package: OfdPackage, page: OfdPage, limits: Limits) -> list[Thing]:
    """Everything of a page, the first painted first: templates behind, layers, templates in front, annotations.

    Raises:
        FormatFault: `damaged_file`, `too_large`.
    """
    reader = _Reader(page.resources, limits)
    start = moved(-page.box.x, -page.box.y)
    for part, front in page.templates:
        if not front:
            reader.layers(package.tree(part, "OFD template"), start)
    reader.layers(package.tree(page.part, "OFD page"), start)
    for part, front in page.templates:
        if front:
            reader.layers(package.tree(part, "OFD template"), start)
    for part in page.annotations:
        reader.annotations(package.tree(part, "OFD annotations"), start)
    return reader.things


@dataclass(frozen=True, slots=True)
class _State:
    """What objects get from what they stand in."""

    matrix: Matrix
    param: str | None = None
    boundary: Rect | None = None
    window: Rect | None = None
    clips: tuple[Clip, ...] = ()
    visible: bool = True
    note: bool = False
    depth: int = 0


class _Reader:
    """Walks the layers of one page. `things` grows."""

    def __init__(self, resources: Resources, limits: Limits) -> None:
        self.things: list[Thing] = []
        self._resources = resources
        self._left = limits.text_chars
        self._seen = 0

    def layers(self, root: Node, start: Matrix) -> None:
        found = root.findall("Content/Layer")
        found.sort(key=lambda layer: _LAYERS.get((layer.get("Type") or "").strip().lower(), 1))
        for layer in found:
            self._block(layer, _State(matrix=start, param=layer.get("DrawParam")))

    def annotations(self, root: Node, start: Matrix) -> None:
        for annot in root.iter("Annot"):
            for look in annot.iterfind("Appearance"):
                place = (corner_of(look.get("Boundary")) or Matrix()).then(start)
                self._block(look, _State(matrix=place, note=True, visible=flag(annot, "Visible", True)))

    def _block(self, block: Node, state: _State) -> None:
        if state.depth > _MAX_DEPTH:
            raise FormatFault("hostile_markup", "OFD depth")
        for node in block:
            self._seen += 1
            if self._seen > _MAX_OBJECTS:
                raise FormatFault("too_large", "OFD objects")
            if node.tag in ("PageBlock", "Layer"):
                seen = state.visible and flag(node, "Visible", True)
                self._block(node, replace(state, visible=seen, depth=state.depth + 1))
            elif node.tag in ("TextObject", "PathObject", "ImageObject", "CompositeObject"):
                self._object(node, state)

    def _object(self, node: Node, state: _State) -> None:
        own = matrix_of(node)
        box = rect_of(node.get("Boundary"))
        placed = (corner_of(node.get("Boundary")) or Matrix()).then(state.matrix)
        inner = (own or Matrix()).then(placed)
        if not inner.whole:
            return
        boundary = common(state.boundary, covered_by(box, state.matrix) if box is not None else None)
        window, clips = _clipped(node, inner, placed, state)
        key = node.get("DrawParam") or state.param
        mine = _State(
            matrix=inner, boundary=boundary, window=window, clips=clips, note=state.note, param=key,
            visible=state.visible and flag(node, "Visible", True), depth=state.depth + 1,
        )  # fmt: skip
        match node.tag:
            case "TextObject":
                self.things.append(self._text(node, mine, key))
            case "PathObject":
                self.things.append(self._path(node, mine, key))
            case "ImageObject":
                self.things.append(self._image(node, mine, own is None, box))
            case _:
                unit = self._resources.units.get((node.get("ResourceID") or "").strip())
                for content in unit.iterfind("Content") if unit is not None else ():
                    self._block(content, mine)

    def _ink(
        self, node: Node, name: str, key: str | None, otherwise: Ink | None, *, wanted: bool
    ) -> Ink | None:  # fmt: skip
        """The colour to use; its opacity times that of the object."""
        if not wanted:
            return None
        child = node.find(name)
        ink = self._resources.ink(child) if child is not None else self._resources.param_ink(key, name)
        ink = ink or otherwise
        if ink is None:
            return None
        alpha = round(ink.alpha * min(max(number(node.get("Alpha"), 255.0), 0.0), 255.0) / 255.0)
        return Ink(ink.red, ink.green, ink.blue, alpha, ink.approximate)

    def _text(self, node: Node, placed: _State, key: str | None) -> Text:
        size = min(max(number(node.get("Size"), 3.175), 0.0), 1e5)
        runs = tuple(self._runs(node, size))
        font = self._resources.fonts.get((node.get("Font") or "").strip(), FontFace())
        spaced = any(code.get("DeltaX") or code.get("DeltaY") for code in node.iterfind("TextCode"))
        return Text(
            matrix=placed.matrix, boundary=placed.boundary, window=placed.window, clips=placed.clips,
            visible=placed.visible,
            note=placed.note, runs=runs, font=font, size=size,
            fill=self._ink(node, "FillColor", key, BLACK, wanted=flag(node, "Fill", True)),
            stroke=self._ink(node, "StrokeColor", key, BLACK, wanted=flag(node, "Stroke", False)),
            stretch=number(node.get("HScale"), 1.0) or 1.0,
            turn=int(number(node.get("CharDirection"), 0.0)) // 90 * 90 % 360,
            bold=font.bold or number(node.get("Weight"), 400.0) >= 600,
            italic=font.italic or flag(node, "Italic", False),
            spaced=spaced,
        )  # fmt: skip

    def _runs(self, node: Node, size: float) -> Iterator[TextRun]:
        forced: dict[int, int | None] = {}
        x = y = 0.0
        sideways = int(number(node.get("ReadDirection"), 0.0)) % 180 == 90
        for code in node:
            if code.tag == "CGTransform":  # of the TextCode that follows (11.4.2)
                first, codes = (
                    int(number(code.get("CodePosition"), 0.0)),
                    int(number(code.get("CodeCount"), 1.0)),
                )
                listed = [int(number(word, 0.0)) for word in child_text(code, "Glyphs").split()[:_MAX_RUN]]
                for step in range(min(max(codes, 1), _MAX_RUN)):
                    forced[first + step] = listed[step] if len(listed) > step else None
            if code.tag != "TextCode":
                continue
            x, y = number(code.get("X"), x), number(code.get("Y"), y)
            words = "".join(code.itertext())
            if "\n" in words or "\r" in words:  # the XML was indented: no character stands for that
                words = "".join(words.split("\r")).replace("\n", "").strip()
            chars = tuple(words[:_MAX_RUN])
            self._left -= len(chars)
            if self._left < 0:
                raise FormatFault("too_large", "OFD text")
            yield TextRun(
                chars=chars,
                places=_places(code, x, y, chars, size, sideways=sideways),
                glyphs=tuple(forced.get(step) for step in range(len(chars))),
            )
            forced = {}

    def _path(self, node: Node, placed: _State, key: str | None) -> Path:
        def said(name: str) -> str | None:
            value = node.get(name)
            return value if value is not None else self._resources.param(key, name)

        dashes = tuple(abs(number(word, 0.0)) for word in (said("DashPattern") or "").split()[:16])
        return Path(
            matrix=placed.matrix, boundary=placed.boundary, window=placed.window, clips=placed.clips,
            visible=placed.visible,
            note=placed.note, data=child_text(node, "AbbreviatedData"),
            fill=self._ink(node, "FillColor", key, None, wanted=flag(node, "Fill", False)),
            stroke=self._ink(node, "StrokeColor", key, BLACK, wanted=flag(node, "Stroke", True)),
            width=max(number(said("LineWidth"), _DEFAULT_WIDTH), 0.0),
            even_odd=(node.get("Rule") or "").strip().lower() == "even-odd",
            dashes=dashes if sum(dashes) > 0.01 else (),
            cap=(said("Cap") or "Butt").strip().lower(),
            join=(said("Join") or "Miter").strip().lower(),
        )  # fmt: skip

    def _image(self, node: Node, placed: _State, unplaced: bool, box: Rect | None) -> Image:
        matrix = placed.matrix
        if unplaced and box is not None:  # without a matrix of its own the picture fills its boundary
            matrix = Matrix(a=box.width, d=box.height).then(matrix)
        media = tuple((node.get(name) or "").strip() for name in ("ResourceID", "Substitution"))
        blend = (node.get("BlendMode") or "").strip().lower()
        return Image(
            matrix=matrix, boundary=placed.boundary, window=placed.window, clips=placed.clips,
            visible=placed.visible,
            note=placed.note, media=tuple(filter(None, media)), mask=(node.get("ImageMask") or "").strip(),
            alpha=round(min(max(number(node.get("Alpha"), 255.0), 0.0), 255.0)),
            multiply=blend in ("multiply", "darken"),
            resources=self._resources,
        )  # fmt: skip


def _places(
    code: Node, x: float, y: float, chars: tuple[str, ...], size: float, *, sideways: bool
) -> tuple[tuple[float, float], ...]:  # fmt: skip
    steps = max(len(chars) - 1, 0)
    across, down = deltas(code.get("DeltaX"), steps), deltas(code.get("DeltaY"), steps)
    free = not across and not down
    places = [(x, y)] if chars else []
    for index in range(steps):
        if free:  # the standard says nothing moves; every viewer sets the characters one after another
            wide = size * (1.0 if ord(chars[index]) > 0x2E80 else 0.5)
            x, y = (x, y + wide) if sideways else (x + wide, y)
        else:
            x += across[min(index, len(across) - 1)] if across else 0.0
            y += down[min(index, len(down) - 1)] if down else 0.0
        places.append((x, y))
    return tuple(places)


def _clipped(
    node: Node, inner: Matrix, placed: Matrix, state: _State
) -> tuple[Rect | None, tuple[Clip, ...]]:
    """The clipping regions that hold for an object (8.4): upright rectangles as one window, others as they are."""
    window, clips = state.window, list(state.clips)
    for holder in node.iterfind("Clips"):
        base = inner if flag(holder, "TransFlag", True) else placed
        for clip in holder.iterfind("Clip"):
            areas: list[tuple[str, Matrix]] = []
            for area in clip.iterfind("Area"):
                outer = (matrix_of(area) or Matrix()).then(base)
                for path in area.iterfind("Path"):
                    own = (matrix_of(path) or Matrix()).then(corner_of(path.get("Boundary")) or Matrix())
                    areas.append((child_text(path, "AbbreviatedData"), own.then(outer)))
            box = rectangle(*areas[0]) if len(areas) == 1 else None
            if box is not None:
                window = common(window, box)
            elif areas:
                clips.append(Clip(tuple(areas)))
    return window, tuple(clips)
