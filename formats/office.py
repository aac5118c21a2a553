"""Documents that LibreOffice reads: turned into a PDF once, in memory and scratch, then read as one.

The original is what is kept; the PDF serves the reading alone. What the original hides (macros, links, embedded
files, comments, hidden sheets, slides, rows and text, tracked changes) does not reach the PDF and is looked for in
the original.

Threat model: see `office_convert.py` for the program and `office_hidden.py` for the look inside.
"""

from __future__ import annotations

from typing import Literal

from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding, Line
from .docx import open_docx
from .fault import FormatFault
from .office_convert import to_package, to_pdf
from .office_hidden import look_inside
from .opened import Picture
from .pdf import OpenedPdf, open_pdf

_HIDDEN = frozenset(
    {
        "hidden_text", "hidden_mark", "tracked_changes", "comments_inside", "hidden_sheets", "hidden_rows",
        "hidden_slides", "speaker_notes",
    }
)  # fmt: skip
"""What a twin is asked for; macros and links are looked for in the original itself."""
_ACTIVE = frozenset({"embedded_object", "activex", "dde", "external_field"})


class OpenedOffice:
    """An Office document by way of its PDF."""

    __slots__ = ("_findings", "_pdf", "active", "kind", "page_count", "protection", "signature")

    def __init__(
        self,
        pdf: OpenedPdf,
        *,
        kind: Kind,
        signature: Literal["none", "present"],
        protection: Literal["none", "owner", "read"],
        active: tuple[str, ...],
        findings: tuple[Finding, ...],
    ) -> None:
        self._pdf = pdf
        self.kind = kind
        self.page_count: int = pdf.page_count
        self.signature: Literal["none", "present"] = signature
        self.protection: Literal["none", "owner", "read"] = protection
        self.active = active
        self._findings = findings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of the original, and what the reading of its pages brought."""
        return (*self._findings, *self._pdf.findings)

    @findings.setter
    def findings(self, value: tuple[Finding, ...]) -> None:
        self._findings = value

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height of a page."""
        return self._pdf.size_mm(number)

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """The page's lines; None when it is a picture."""
        return self._pdf.text_lines(number)

    def render(self, number: int, dpi: int) -> Picture:
        """The page in RGB."""
        return self._pdf.render(number, dpi)

    def native_dpi(self, number: int) -> float | None:
        """None: no page is a mere picture."""
        del number
        return None

    def close(self) -> None:
        """Lets go of the PDF."""
        self._pdf.close()


def open_office(data: bytes, kind: Kind, *, limits: Limits) -> OpenedOffice:
    """An Office document, converted and looked into.

    Raises:
        FormatFault: `unsupported_format` without LibreOffice; `encrypted_file`, `damaged_file`, `unpack_bomb`,
            `hostile_markup`, `office_not_converted`, `office_timed_out`, `too_many_pages`.
    """
    inside = look_inside(data, kind, limits)
    pdf = open_pdf(to_pdf(data, kind, limits), limits=limits)
    active, findings = _of_twin(data, kind, limits)
    more = sorted(active - set(inside.active))
    if more:
        findings = (*findings, Finding("active_content", detail=", ".join(more)))
    return OpenedOffice(
        pdf,
        kind=kind,
        signature=inside.signature,
        protection=inside.protection,
        active=tuple(sorted({*inside.active, *more})),
        findings=tuple(dict.fromkeys((*inside.findings, *findings))),
    )


def _of_twin(data: bytes, kind: Kind, limits: Limits) -> tuple[frozenset[str], tuple[Finding, ...]]:
    """What the binary kinds and RTF hide, looked for in the package that LibreOffice makes of them."""
    try:
        made = to_package(data, kind, limits)
        if made is None:
            return frozenset(), ()
        package, twin = made
        found = open_docx(package, limits=limits) if twin == "docx" else look_inside(package, twin, limits)
    except FormatFault:
        return frozenset(), (Finding("office_not_inspected", detail=kind),)
    return _ACTIVE & set(found.active), tuple(item for item in found.findings if item.code in _HIDDEN)
