"""The documents of an OFD: from OFD.xml to pages, templates, annotations and resources (7.4 to 7.8, 15.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..common.limits import Limits
from .fault import FormatFault
from .ofd_geometry import Rect, rect_of
from .ofd_package import Node, OfdPackage, child_text, flag
from .ofd_resources import Resources

_A4 = Rect(0.0, 0.0, 210.0, 297.0)
_MAX_SIDE_MM = 20_000.0
_MIN_SIDE_MM = 1.0
_MAX_PARTS = 20_000


@dataclass(frozen=True, slots=True)
class OfdPage:
    """One page: its part, its paper, and the templates under and over it (part, whether in front)."""

    key: str
    part: str
    box: Rect
    templates: tuple[tuple[str, bool], ...]
    annotations: tuple[str, ...]
    resources: Resources


@dataclass(slots=True)
class OfdBody:
    """One document (DocBody) while and after it is read."""

    root_part: str
    root: Node
    resources: Resources = field(default_factory=Resources)
    pages: list[OfdPage] = field(default_factory=list)
    signatures: str = ""
    """The place of the list of signatures as written."""
    earlier: int = 0
    """Earlier revisions kept inside (7.6)."""
    missing: int = 0
    """Parts that are pointed to and absent."""


def read_bodies(package: OfdPackage, limits: Limits) -> list[OfdBody]:
    """Every document of the package, all their pages found and measured.

    Raises:
        FormatFault: `damaged_file` (detail: what is missing), `encrypted_file`, `too_many_pages`.
    """
    entry = package.find("OFD.xml")
    if entry is None:
        raise FormatFault("damaged_file", "OFD.xml")
    root = package.tree(entry, "OFD.xml")
    bodies: list[OfdBody] = []
    for node in root.iter("DocBody"):
        body = _body(package, entry, node)
        if body is not None:
            bodies.append(body)
        if len(bodies) > limits.pages:
            raise FormatFault("too_many_pages", f"> {limits.pages}")
    if not bodies:
        raise _lost(package, "OFD document")
    count = 0
    for body in bodies:
        _fill(package, body, limits.pages - count)
        count += len(body.pages)
    if not count:
        raise FormatFault("damaged_file", "OFD without a page")
    return bodies


def _lost(package: OfdPackage, what: str) -> FormatFault:
    """A part is missing; in an encrypted package (GM/T 0099-2020) that is by design."""
    if any(
        name.lower().rsplit("/", 1)[-1] in ("encryptions.xml", "decryptseed.dat") for name in package.names
    ):
        return FormatFault("encrypted_file", "OFD")
    return FormatFault("damaged_file", what)


def _body(package: OfdPackage, entry: str, node: Node) -> OfdBody | None:
    place, base, earlier = child_text(node, "DocRoot"), entry, 0
    versions = node.findall("Versions/Version")
    current = [version for version in versions if flag(version, "Current", False)]
    for version in versions:
        package.find(version.get("BaseLoc"), entry)
    if versions:
        earlier = len(versions) - len(current)
    if current:
        part = package.find(current[-1].get("BaseLoc"), entry)
        if part is not None:
            own = child_text(package.tree(part, "OFD version"), "DocRoot")
            place, base = (own, part) if package.find(own, part) else (place, entry)
    if not place:
        return None
    found = package.find(place, base)
    if found is None:
        raise _lost(package, "OFD document")
    root = package.tree(found, "OFD document")
    return OfdBody(
        root_part=found, root=root, signatures=child_text(node, "Signatures"), earlier=earlier
    )  # fmt: skip


def _fill(package: OfdPackage, body: OfdBody, room: int) -> None:
    common = body.root.find("CommonData")
    area = common.find("PageArea") if common is not None else None
    for name in ("PublicRes", "DocumentRes"):
        for node in common.iterfind(name) if common is not None else ():
            _resource(package, body, node.text)
    templates: dict[str, tuple[str, bool]] = {}
    for node in common.iterfind("TemplatePage") if common is not None else ():
        part = package.find(node.get("BaseLoc"), body.root_part)
        if part is None:
            body.missing += 1
            continue
        templates[(node.get("ID") or "").strip()] = (part, _is_front(node.get("ZOrder")))
    annotations = _annotations(package, body)
    pages = body.root.findall("Pages/Page")
    if len(pages) > room:
        raise FormatFault("too_many_pages", f"> {room}")
    areas: dict[str, Node | None] = {}
    for index, node in enumerate(pages, start=1):
        part = package.find(node.get("BaseLoc"), body.root_part)
        if part is None:
            raise _lost(package, f"OFD page {index}")
        tree = package.tree(part, f"OFD page {index}")
        used = [_template(templates, mark, index) for mark in tree.iterfind("Template")]
        for name, _ in used:
            if name not in areas:
                areas[name] = package.tree(name, "OFD template").find("Area")
        sources = [tree.find("Area"), area, *(areas[name] for name, _ in used)]
        key = (node.get("ID") or "").strip()
        body.pages.append(
            OfdPage(
                key=key,
                part=part,
                box=_paper(sources),
                templates=tuple(used),
                annotations=tuple(annotations.get(key, ())),
                resources=_own_resources(package, body, tree, part),
            )
        )


def _own_resources(package: OfdPackage, body: OfdBody, tree: Node, part: str) -> Resources:
    """A page may bring resources of its own (PageRes); they come before those of the document."""
    own = [
        found for node in tree.iterfind("PageRes") if (found := package.find(node.text, part, body.root_part))
    ]
    if not own:
        return body.resources
    shared = body.resources
    page = Resources(
        fonts=dict(shared.fonts), media=dict(shared.media), params=dict(shared.params),
        spaces=dict(shared.spaces), palettes=dict(shared.palettes), units=dict(shared.units),
    )  # fmt: skip
    for name in own[:16]:
        page.add(package, name)
    return page


def _resource(package: OfdPackage, body: OfdBody, place: str | None) -> None:
    part = package.find(place, body.root_part)
    if part is None:
        body.missing += 1
    else:
        body.resources.add(package, part)


def _template(templates: dict[str, tuple[str, bool]], mark: Node, page: int) -> tuple[str, bool]:
    key = (mark.get("TemplateID") or "").strip()
    if key not in templates:
        # A letterhead may stand in it: a page without it would say less than the paper.
        raise FormatFault("damaged_file", f"OFD template of page {page}")
    part, front = templates[key]
    return part, _is_front(mark.get("ZOrder")) if mark.get("ZOrder") else front


def _is_front(order: str | None) -> bool:
    return (order or "").strip().lower() == "foreground"


def _paper(areas: list[Node | None]) -> Rect:
    for area in areas:
        for name in ("PhysicalBox", "ApplicationBox", "ContentBox"):
            box = rect_of(child_text(area, name)) if area is not None else None
            if box is not None:
                if max(box.width, box.height) > _MAX_SIDE_MM or min(box.width, box.height) < _MIN_SIDE_MM:
                    raise FormatFault("damaged_file", "OFD paper size")
                return box
    return _A4


def _annotations(package: OfdPackage, body: OfdBody) -> dict[str, list[str]]:
    """Parts with the annotations of each page id."""
    place = child_text(body.root, "Annotations")
    if not place:
        return {}
    listed = package.find(place, body.root_part)
    if listed is None:
        body.missing += 1
        return {}
    found: dict[str, list[str]] = {}
    for index, node in enumerate(package.tree(listed, "OFD annotations").iterfind("Page")):
        if index >= _MAX_PARTS:
            raise FormatFault("too_large", "OFD annotations")
        part = package.find(child_text(node, "FileLoc"), listed, body.root_part)
        if part is None:
            body.missing += 1
            continue
        found.setdefault((node.get("PageID") or "").strip(), []).append(part)
    return found
