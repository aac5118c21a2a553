"""One page of an opened file, read: the unit of work, of time and of blame.

Pure and keyless. A page that could not be read is an empty page with the finding that says why; only what is no
page's fault (no engine, a full scratch folder) is a failure.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from ..common.errors import JiyaoError
from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument
from ..models.outcome import Done, Failure
from ..models.page import Finding, Page, Transcript
from .ocr import transcribe
from .page_roles import assign_roles
from .page_steps import ALL, Preparation
from .slip import read_slip

_SLIP_DPI = 150
_SLIP_SECONDS = 3.0
_ROOM = 64 * 1024 * 1024
"""Bytes that an engine needs for one page in the scratch folder at most."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A transcript of one page, numbered as in the file, and the text of a slip's or separator's barcode on it."""

    transcript: Transcript
    barcode: str | None = None


def read_page(
    opened: OpenedDocument,
    number: int,
    *,
    engine: str,
    barcodes: bool,
    limits: Limits,
    preparation: Preparation = ALL,
) -> Done[ReadPage] | Failure:
    """Reads page `number` (from 1); `barcodes`: looks for a slip too.

    Failure: the engine is not there, or `disk_full` when the scratch folder is.
    """
    try:
        read = transcribe(
            opened, engine=engine, first=number, last=number, limits=limits, preparation=preparation
        )
    except JiyaoError as fault:
        return Failure(code=fault.code, detail=str(fault.facts.get("detail", "")))
    failed = any(finding.code == "ocr_page_failed" for finding in read.findings)
    if failed and shutil.disk_usage(tempfile.gettempdir()).free < _ROOM:
        return Failure("disk_full", tempfile.gettempdir())
    return Done(value=ReadPage(read, _barcode(opened, number) if barcodes else None))


def _barcode(opened: OpenedDocument, number: int) -> str | None:
    from ..watermark.barcode import read

    try:
        picture = opened.render(number, _SLIP_DPI)
    except FormatFault:  # the transcript says so already
        return None
    found = read(picture, seconds=_SLIP_SECONDS, thorough=False)
    return next((code.text for code in found if read_slip(code.text) is not None), None)


def lost_page(number: int, code: str) -> ReadPage:
    """An empty page and the finding that names it, for a page that no worker survived; A4, as nobody knows its size."""
    page = Page(
        number=number, width_mm=210.0, height_mm=297.0, lines=(), source="none", engine="", confidence=0.0
    )
    return ReadPage(Transcript(pages=(page,), findings=(Finding(code=code, page=number),)))


def together(pages: Iterable[ReadPage]) -> Transcript:
    """The pages as one transcript, in the order of their numbers."""
    ordered = sorted(pages, key=lambda read: [page.number for page in read.transcript.pages])
    return assign_roles(
        Transcript(
            pages=tuple(page for read in ordered for page in read.transcript.pages),
            findings=tuple(finding for read in ordered for finding in read.transcript.findings),
        )
    )
