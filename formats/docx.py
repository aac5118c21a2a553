"""DOCX, and DOCM and DOTX read as such: text with positions, drawable pages; nothing in the file runs.

Threat model: see `archive.py` for the package. Relationships to the outside are reported and never
followed; macros and embedded objects are reported and never opened. XML is parsed by lxml without
entities.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any, Literal

from docx.opc.constants import CONTENT_TYPE as CT
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.part import PartFactory
from docx.package import Package
from docx.parts.document import DocumentPart
from lxml import etree

from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding, Line, Table
from .archive import checked_names
from .docx_draw import draw_page
from .docx_layout import LaidPage, Sheet, lay_out, sheet_of
from .docx_numbering import W
from .docx_read import Block, Paragraph, Reader, Row, SectionEnd
from .docx_style import is_on
from .docx_tables import tables_of
from .fault import FormatFault, guarded
from .lines import row_lines
from .opened import Picture

MM_PER_POINT = 25.4 / 72
_MAIN_TYPES = (
    CT.WML_DOCUMENT_MAIN,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)
# python-docx knows only the first; the other three have the same content.
PartFactory.part_type_for.update(dict.fromkeys(_MAIN_TYPES, DocumentPart))
_PICTURE_PAGE_SHARE = 0.4
_PICTURE_NOTED_SHARE = 0.04
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


class OpenedDocx:
    """A DOCX laid out on pages."""

    __slots__ = (
        "_limits", "_pages", "active", "findings", "kind", "page_count", "protection", "signature",
    )  # fmt: skip

    def __init__(
        self,
        pages: list[LaidPage],
        *,
        signature: Literal["none", "present"],
        protection: Literal["none", "owner", "read"],
        active: tuple[str, ...],
        findings: tuple[Finding, ...],
        limits: Limits,
    ) -> None:
        self.kind: Kind = "docx"
        self.page_count: int = len(pages)
        self.signature: Literal["none", "present"] = signature
        self.protection: Literal["none", "owner", "read"] = protection
        self.active: tuple[str, ...] = active
        self.findings: tuple[Finding, ...] = findings + tuple(_picture_findings(pages))
        self._pages = pages
        self._limits = limits

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of the paper of the page's section."""
        sheet = self._pages[number - 1].sheet
        return sheet.width * MM_PER_POINT, sheet.height * MM_PER_POINT

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """The page's lines; None when pictures fill it, since then a reader sees more than the text."""
        page = self._pages[number - 1]
        if _picture_share(page) >= _PICTURE_PAGE_SHARE:
            return None
        sheet = page.sheet
        return tuple(
            line if role == "body" else replace(line, role=role)
            for row, role in zip(page.rows, page.roles, strict=True)
            for line in row_lines(row, sheet.width, sheet.height)
        )

    def tables(self, number: int) -> tuple[Table, ...]:
        """The ruled tables on the page as cells; their lines have the role `cell`."""
        return tables_of(self._pages[number - 1])

    def render(self, number: int, dpi: int) -> Picture:
        """The page drawn with the machine's fonts.

        Raises:
            MissingTool: `font_missing`.
        """
        return draw_page(self._pages[number - 1], dpi, max_pixels=self._limits.page_pixels)

    def native_dpi(self, number: int) -> float | None:
        """None: no page is a mere picture."""
        del number
        return None

    def close(self) -> None:
        """Lets go of the pages."""
        self._pages = []


def open_docx(data: bytes, *, limits: Limits) -> OpenedDocx:
    """A DOCX, checked, read and laid out.

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`, `hostile_markup`, `too_large`,
            `too_many_pages`.
    """
    names = checked_names(data, limits)
    with guarded("DOCX"):
        package = Package.open(io.BytesIO(data))
        main = package.main_document_part
        if main.content_type not in _MAIN_TYPES:
            raise FormatFault("damaged_file", "DOCX")
        reader = Reader(styles=_tree(main, RT.STYLES), numbering=_tree(main, RT.NUMBERING))
        sections = _sections(reader, main)
        comments = _tree(main, RT.COMMENTS)
        if comments is not None:
            reader.unseen.commented(comments)
        if sum(_letters(block) for _, blocks, _ in sections for block in blocks) > limits.text_chars:
            raise FormatFault("too_large", f"> {limits.text_chars}")
        pages = lay_out(sections, max_pages=limits.pages)
        active = tuple(sorted({*_active(package, names), *reader.unseen.active}))
        protection: Literal["none", "owner"] = "owner" if _is_protected(main) else "none"
    findings = reader.unseen.findings()
    if embedded := sum("/embeddings/" in name.lower() for name in names):
        findings.append(Finding("attachments_inside", detail=str(embedded)))
    worrying = tuple(name for name in active if name != "external_link")
    if worrying:
        findings.append(Finding("active_content", detail=", ".join(worrying)))
    return OpenedDocx(
        pages,
        signature="present" if any(name.startswith("_xmlsignatures/") for name in names) else "none",
        protection=protection,
        active=active,
        findings=tuple(findings),
        limits=limits,
    )


def _sections(reader: Reader, main: Any) -> list[tuple[Sheet, list[Block], bool]]:
    """The body cut at its section ends, notes at the end of the last."""
    body = main.element.body
    if body is None:
        raise FormatFault("damaged_file", "DOCX")
    sections: list[tuple[Sheet, list[Block], bool]] = []
    waiting: list[Block] = []
    sheet, new_page = Sheet(), True
    for block in reader.blocks(body, main):
        if isinstance(block, SectionEnd):
            sheet = _sheet(reader, main, block.properties, sheet)
            sections.append((sheet, waiting, new_page))
            waiting, new_page = [], block.new_page
        else:
            waiting.append(block)
    if waiting or not sections:
        sections.append((sheet, waiting, new_page))
    sections[-1][1].extend(_notes(reader, main))
    return sections


def _sheet(reader: Reader, main: Any, properties: Any, before: Sheet) -> Sheet:
    """A section without its own header or footer keeps the one before (ECMA-376 part 1, 17.10.5).

    Those of the first page hold where the section says so (`titlePg`, 17.10.6), those of even pages where the
    document does (`evenAndOddHeaders`, 17.10.1).
    """
    first, even = before.first or ((), ()), before.even or ((), ())
    kept = {"default": (before.header, before.footer), "first": first, "even": even}
    found: dict[str, list[tuple[Block, ...]]] = {kind: list(pair) for kind, pair in kept.items()}
    for place, name in enumerate(("header", "footer")):
        for reference in properties.iterfind(f"{W}{name}Reference"):
            part = main.related_parts.get(reference.get(f"{_R}id", ""))
            root = None if part is None else _root(part)
            if root is not None:
                found.setdefault(reference.get(f"{W}type", "default"), [(), ()])[place] = tuple(
                    reader.blocks(root, part)
                )
    sheet = sheet_of(properties, *found["default"])
    settings = _tree(main, RT.SETTINGS)
    by_side = settings is not None and is_on(settings.find(f"{W}evenAndOddHeaders"))
    return replace(
        sheet,
        first=(found["first"][0], found["first"][1]) if is_on(properties.find(f"{W}titlePg")) else None,
        even=(found["even"][0], found["even"][1]) if by_side else None,
    )


def _notes(reader: Reader, main: Any) -> list[Block]:
    found: list[Block] = []
    for kind, tag in ((RT.FOOTNOTES, "footnote"), (RT.ENDNOTES, "endnote")):
        root = _tree(main, kind)
        for note in root.iterfind(f"{W}{tag}") if root is not None else ():
            if note.get(f"{W}type") in (None, "normal"):
                found += [block for block in reader.blocks(note, main) if not isinstance(block, SectionEnd)]
    return found


def _tree(main: Any, kind: str) -> Any | None:
    for relation in main.rels.values():
        if relation.reltype == kind and not relation.is_external:
            return _root(relation.target_part)
    return None


def _root(part: Any) -> Any | None:
    element = getattr(part, "element", None)
    if element is not None:
        return element
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    return etree.fromstring(part.blob, parser)


def _active(package: Any, names: frozenset[str]) -> tuple[str, ...]:
    found: set[str] = set()
    lower = [name.lower() for name in names]
    if any(name.endswith("vbaproject.bin") for name in lower):
        found.add("macro")
    if any("/activex/" in name for name in lower):
        found.add("activex")
    if any("/embeddings/" in name for name in lower):
        found.add("embedded_object")
    for part in package.iter_parts():
        for relation in part.rels.values():
            if relation.is_external:
                last = relation.reltype.rsplit("/", 1)[-1]
                found.add("external_link" if last == "hyperlink" else f"external_{last[:20].lower()}")
    return tuple(sorted(found))


def _is_protected(main: Any) -> bool:
    settings = _tree(main, RT.SETTINGS)
    if settings is None:
        return False
    lock = settings.find(f"{W}documentProtection")
    closed = lock is not None and lock.get(f"{W}enforcement", "0") in ("1", "true", "on")
    return closed or settings.find(f"{W}writeProtection") is not None


def _letters(block: Block) -> int:
    if isinstance(block, Paragraph):
        return len(block.text)
    if isinstance(block, Row):
        return sum(_letters(inner) for _, cell in block.cells for inner in cell)
    return 0


def _picture_share(page: LaidPage) -> float:
    area = page.sheet.width * page.sheet.height
    return sum(placed.width * placed.height for placed in page.pictures) / area


def _picture_findings(pages: list[LaidPage]) -> list[Finding]:
    found = []
    for number, page in enumerate(pages, start=1):
        share = _picture_share(page)
        if share >= _PICTURE_PAGE_SHARE:
            found.append(Finding("text_layer_unsound", page=number, detail="picture_page"))
        elif share >= _PICTURE_NOTED_SHARE:
            found.append(Finding("picture_text_unread", page=number))
    return found
