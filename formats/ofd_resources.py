"""Resources of an OFD (7.9): colours, drawing parameters, fonts, pictures and composite units by their ids."""

from __future__ import annotations

from dataclasses import dataclass, field

from .fault import FormatFault
from .ofd_package import Node, OfdPackage, child_text, flag, number

_MAX_RELATIVES = 16
_MAX_RESOURCES = 50_000
_DEVICE_MAX = 255.0


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour: red, green, blue and opacity, each 0..255."""

    red: int = 0
    green: int = 0
    blue: int = 0
    alpha: int = 255
    approximate: bool = False
    """It stands for a pattern or shading."""

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Without opacity."""
        return self.red, self.green, self.blue


BLACK = Ink()


@dataclass(frozen=True, slots=True)
class FontFace:
    """A font of the file (11.1). `part` holds its program when it is embedded."""

    name: str = ""
    family: str = ""
    bold: bool = False
    italic: bool = False
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture, sound or film (7.9). `part` is None when the package lacks it."""

    kind: str
    format: str
    part: str | None


@dataclass(slots=True)
class Resources:
    """What the ids of one document mean. Filled while the document is opened, then left alone."""

    fonts: dict[str, FontFace] = field(default_factory=dict)
    media: dict[str, Medium] = field(default_factory=dict)
    params: dict[str, Node] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)
    palettes: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, Node] = field(default_factory=dict)
    missing: int = 0
    """Parts that are pointed to and absent."""

    def add(self, package: OfdPackage, part: str) -> None:
        """Takes in one resource part (Res).

        Raises:
            FormatFault: `damaged_file`, `too_large`.
        """
        root = package.tree(part, "OFD resources")
        base = (root.get("BaseLoc") or "").strip()
        folder = f"{base.rstrip('/')}/" if base else ""
        for node in root.iter():
            key = node.get("ID")
            if key is None or not isinstance(node.tag, str):
                continue
            if len(self.fonts) + len(self.media) + len(self.params) + len(self.units) > _MAX_RESOURCES:
                raise FormatFault("too_large", "OFD resources")
            self._take(package, part, folder, node, key.strip())

    def _take(self, package: OfdPackage, part: str, folder: str, node: Node, key: str) -> None:
        match node.tag:
            case "Font":
                self.fonts[key] = FontFace(
                    name=node.get("FontName") or "",
                    family=node.get("FamilyName") or "",
                    bold=flag(node, "Bold", False),
                    italic=flag(node, "Italic", False),
                    part=self._file(package, part, folder, child_text(node, "FontFile")),
                )
            case "MultiMedia":
                self.media[key] = Medium(
                    kind=(node.get("Type") or "").strip().lower(),
                    format=(node.get("Format") or "").strip().lower(),
                    part=self._file(package, part, folder, child_text(node, "MediaFile")),
                )
            case "DrawParam":
                self.params[key] = node
            case "ColorSpace":
                self.spaces[key] = (node.get("Type") or "RGB").strip().upper()
                self.palettes[key] = [(cv.text or "") for cv in node.iterfind("Palette/CV")]
            case "CompositeGraphicUnit" | "VectorG":
                self.units[key] = node
            case _:
                pass

    def _file(self, package: OfdPackage, part: str, folder: str, place: str) -> str | None:
        if not place:
            return None
        found = package.find(folder + place, part) or package.find(place, part)
        self.missing += found is None
        return found

    def param(self, key: str | None, name: str) -> str | None:
        """An attribute of a drawing parameter, from those it refers to when it has none itself (8.2)."""
        for node in self._chain(key):
            value = node.get(name)
            if value is not None:
                return str(value)
        return None

    def param_ink(self, key: str | None, name: str) -> Ink | None:
        """`FillColor` or `StrokeColor` of a drawing parameter."""
        for node in self._chain(key):
            child = node.find(name)
            if child is not None:
                return self.ink(child)
        return None

    def _chain(self, key: str | None) -> list[Node]:
        found: list[Node] = []
        while key is not None and len(found) < _MAX_RELATIVES:
            node = self.params.get(key.strip())
            if node is None:
                break
            found.append(node)
            key = node.get("Relative")
        return found

    def ink(self, node: Node) -> Ink:
        """The colour of a CT_Color (8.3.3); the middle colour of a shading; grey for a pattern."""
        alpha = _byte(number(node.get("Alpha"), 255.0))
        stops = [self.ink(stop) for stop in node.iterfind("*/Segment/Color")]
        if stops:
            red, green, blue = (sum(stop.rgb[i] for stop in stops) // len(stops) for i in range(3))
            return Ink(red, green, blue, min(alpha, max(stop.alpha for stop in stops)), approximate=True)
        if node.find("Pattern") is not None or len(node):
            return Ink(160, 160, 160, alpha, approximate=True)
        space = (node.get("ColorSpace") or "").strip()
        value = node.get("Value")
        if value is None and node.get("Index") is not None:
            palette = self.palettes.get(space, [])
            place = int(number(node.get("Index"), -1.0))
            value = palette[place] if 0 <= place < len(palette) else None
        red, green, blue = _rgb(_parts(value), self.spaces.get(space, ""))
        return Ink(red, green, blue, alpha)


def _parts(value: str | None) -> list[float]:
    """The channels of a colour value: decimal, or hexadecimal after `#`."""
    out: list[float] = []
    for word in (value or "").split()[:8]:
        if word.startswith("#"):
            try:
                out.append(float(int(word[1:], 16)))
            except ValueError:
                out.append(0.0)
        else:
            out.append(number(word, 0.0))
    return out


def _rgb(parts: list[float], space: str) -> tuple[int, int, int]:
    if len(parts) == 4 or (space == "CMYK" and len(parts) >= 4):
        cyan, magenta, yellow, black = (min(max(v, 0.0), _DEVICE_MAX) / _DEVICE_MAX for v in parts[:4])
        return (
            _byte(255 * (1 - cyan) * (1 - black)),
            _byte(255 * (1 - magenta) * (1 - black)),
            _byte(255 * (1 - yellow) * (1 - black)),
        )
    if len(parts) >= 3:
        return _byte(parts[0]), _byte(parts[1]), _byte(parts[2])
    grey = _byte(parts[0]) if parts else 0
    return grey, grey, grey


def _byte(value: float) -> int:
    return round(min(max(value, 0.0), _DEVICE_MAX))
