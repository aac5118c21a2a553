"""What an OFD carries beside its pages, does by itself, or forbids: attachments, notes, actions, revisions (12 to 17).

Threat model: whatever a reader does not see on the page may still leave the room with the file. Nothing here is
run, opened or followed; parts that nothing points to are counted too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..models.page import Finding
from .fault import FormatFault
from .hidden import hidden_text
from .ofd_document import OfdBody
from .ofd_package import Node, OfdPackage, child_text, flag, text_of

_ACTIONS = {
    "URI": "external_link",
    "GotoA": "embedded_goto",
    "Launch": "launch",
    "Sound": "rich_media",
    "Movie": "rich_media",
    "JavaScript": "javascript",
    "Script": "javascript",
}
_FORBIDDEN = ("Edit", "Annot", "Export", "Signature", "Watermark", "PrintScreen")
_QUIET = frozenset({"external_link", "attachment"})
_MAX_NODES = 400_000
_MAX_REMARKS = 200_000
_MAX_NAMES = 1_000


@dataclass(slots=True)
class Beside:
    """What was found; grows part by part."""

    active: set[str]
    attachments: int = 0
    shown_notes: int = 0
    hidden_notes: int = 0
    remarks: str = ""
    """What the annotations remark, shown or not by a viewer."""
    names: str = ""
    """Names of the attachments."""
    tags: int = 0
    extensions: int = 0
    restricted: bool = False
    broken: int = 0


def look_beside(package: OfdPackage, bodies: list[OfdBody]) -> Beside:
    """Everything beside the pages of all documents of a package; broken side parts are counted, not fatal.

    Raises:
        FormatFault: `damaged_file`, where a page or template itself is broken.
    """
    beside = Beside(active=set())
    for body in bodies:
        _actions(body.root, beside)
        _permissions(body.root, beside)
        attached = _listed(package, body, "Attachments", "Attachment", beside)
        beside.attachments += len(attached)
        beside.names += " ".join((node.get("Name") or "")[:200] for node in attached[:_MAX_NAMES])
        beside.tags += len(_listed(package, body, "CustomTags", "CustomTag", beside))
        beside.extensions += len(_listed(package, body, "Extensions", "Extension", beside))
        seen: set[str] = set()
        for page in body.pages:
            for part, what in [
                (page.part, "OFD page"),
                *((name, "OFD template") for name, _ in page.templates),
            ]:
                if part not in seen:
                    seen.add(part)
                    _actions(package.tree(part, what), beside)
            for part in page.annotations:
                _notes(package.tree(part, "OFD annotations"), beside)
    if beside.attachments:
        beside.active.add("attachment")
    return beside


def findings_beside(package: OfdPackage, bodies: list[OfdBody], beside: Beside) -> list[Finding]:
    """The findings of `beside` and of the bodies, in our own words."""
    found: list[Finding] = []

    def told(code: str, count: int) -> None:
        if count:
            found.append(Finding(code, detail=str(count)))

    told("ofd_several_documents", len(bodies) if len(bodies) > 1 else 0)
    told("earlier_revisions", sum(body.earlier for body in bodies))
    told("attachments_inside", beside.attachments)
    found.extend(finding for finding in hidden_text(beside.names) if finding.code == "hidden_mark")
    told("ofd_notes_shown", beside.shown_notes)
    told("ofd_notes_hidden", beside.hidden_notes)
    if beside.remarks:
        found.append(Finding("comments_inside"))
        found.extend(finding for finding in hidden_text(beside.remarks) if finding.code == "hidden_mark")
    told("ofd_custom_tags", beside.tags)
    told("ofd_extensions", beside.extensions)
    told("ofd_loose_parts", _loose(package))
    if beside.broken or any(body.missing or body.resources.missing for body in bodies):
        found.append(Finding("structure_repaired"))
    worrying = beside.active - _QUIET
    if worrying:
        found.append(Finding("active_content", detail=", ".join(sorted(worrying))))
    return found


def _loose(package: OfdPackage) -> int:
    """Parts that nothing in the file points to, beside the folders' own clutter."""
    return sum(
        not name.endswith("/") and name not in package.used and not name.lower().startswith("__macosx/")
        for name in package.names
    )  # fmt: skip


def _listed(package: OfdPackage, body: OfdBody, name: str, item: str, beside: Beside) -> list[Node]:
    """The items of a list part of the document, and their files marked as used."""
    place = child_text(body.root, name)
    if not place:
        return []
    part = package.find(place, body.root_part)
    if part is None:
        body.missing += 1
        return []
    try:
        nodes = list(package.tree(part, f"OFD {name}").iter(item))
    except FormatFault as fault:
        if fault.code != "damaged_file":
            raise
        beside.broken += 1
        return []
    for node in nodes:
        for inner in ("FileLoc", "SchemaLoc", "ExtendData"):
            package.find(child_text(node, inner), part, body.root_part)
    return nodes


def _actions(root: Node, beside: Beside) -> None:
    for index, node in enumerate(root.iter("Action", "Script", "JavaScript")):
        if index >= _MAX_NODES:
            break
        for child in (node, *node):
            kind = _ACTIONS.get(child.tag)
            if kind is not None:
                beside.active.add(kind)
            if child.tag == "URI" and (child.get("URI") or text_of(child)).strip().lower().startswith(
                ("javascript:", "file:", "vbscript:", "data:")
            ):
                beside.active.add("launch")


def _permissions(root: Node, beside: Beside) -> None:
    allowed = root.find("Permissions")
    if allowed is None:
        return
    said = [child_text(allowed, name).lower() for name in _FORBIDDEN]
    printing = allowed.find("Print")
    beside.restricted = (
        beside.restricted
        or "false" in said
        or "0" in said
        or (printing is not None and not flag(printing, "Printable", True))
    )


def _notes(root: Node, beside: Beside) -> None:
    for annot in root.iter("Annot"):
        if flag(annot, "Visible", True):
            beside.shown_notes += 1
        else:
            beside.hidden_notes += 1
        if len(beside.remarks) < _MAX_REMARKS:
            beside.remarks += child_text(annot, "Remark")
    _actions(root, beside)
