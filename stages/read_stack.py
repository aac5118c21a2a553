"""A file read whole, in its two halves: its pages, one by one; then the documents in it. Runs in the worker.

`read_stack` does both. A long scan is read page by page in several workers, and `assemble` does the second half with
the pages that they read. What must see more than one page (roles that repeat, page numbers, the split) belongs there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal
from ..models.page import Transcript
from ..models.wire import to_plain
from .citations import cited_numbers
from .doubts import list_doubts
from .extract import extract
from .intake import incoming_of
from .ocr import UNREAD, outcome_of
from .page_kind import with_kinds
from .read_page import ReadPage, read_page, together
from .slip import Slip, read_slip
from .split import Mode, split


def read_stack(
    opened: OpenedDocument, data: bytes, *, engine: str, mode: Mode, limits: Limits
) -> Outcome[dict[str, Any]]:
    """Every page of the file, then `assemble`. Failure: also of the engine, or `disk_full`."""
    pages: list[ReadPage] = []
    for number in range(1, opened.page_count + 1):
        read = read_page(opened, number, engine=engine, barcodes=mode != "none", limits=limits)
        if isinstance(read, Failure):
            return read
        pages.append(read.value)
    return assemble(opened, data, pages, mode=mode)


def assemble(
    opened: OpenedDocument, data: bytes, pages: Sequence[ReadPage], *, mode: Mode
) -> Outcome[dict[str, Any]]:
    """What the file is, and each document in it with text, fields and doubts, as JSON types.

    Pages of a part are numbered from 1, as they are once it is cut out. Doubt: the questions of its reading.
    Failure: `ocr_nothing_read`, when no page could be.
    """
    incoming = incoming_of(opened, data)
    outcome = outcome_of(together(pages))
    if isinstance(outcome, Failure | Refusal):
        return outcome
    whole, slips = with_slips(outcome.value, pages)
    parts: list[dict[str, Any]] = []
    for part in split(whole.pages, slips=slips, mode=mode):
        transcript = _numbered_from_one(whole, part.first, part.last)
        fields = extract(transcript)
        parts.append(
            {
                "first": part.first, "last": part.last, "slip": part.slip.receipt if part.slip else None,
                "transcript": to_plain(transcript), "fields": to_plain(fields),
                "doubts": to_plain(list_doubts(transcript, fields)), "cites": list(cited_numbers(transcript)),
            }
        )  # fmt: skip
    findings = tuple(dict.fromkeys((*incoming.findings, *opened.findings)))
    value = {
        "kind": incoming.kind, "pages": incoming.pages, "signature": incoming.signature,
        "protection": incoming.protection, "active": list(incoming.active), "findings": to_plain(findings),
        "parts": parts,
    }  # fmt: skip
    return (
        Doubt(value=value, questions=outcome.questions) if isinstance(outcome, Doubt) else Done(value=value)
    )


def with_slips(whole: Transcript, pages: Sequence[ReadPage]) -> tuple[Transcript, dict[int, Slip]]:
    """The transcript with the kinds of its pages, and what the slips among them say."""
    slips: dict[int, Slip] = {}
    for read in pages:
        if read.barcode is not None and (slip := read_slip(read.barcode)) is not None:
            slips |= {page.number: slip for page in read.transcript.pages}
    unread = frozenset(item.page for item in whole.findings if item.page is not None and item.code in UNREAD)
    return replace(whole, pages=with_kinds(whole.pages, slips=slips, unread=unread)), slips


def _numbered_from_one(whole: Transcript, first: int, last: int) -> Transcript:
    back = first - 1
    return Transcript(
        pages=tuple(
            page if first == 1 else replace(page, number=page.number - back)
            for page in whole.pages
            if first <= page.number <= last
        ),
        findings=tuple(
            replace(finding, page=finding.page - back) if finding.page else finding
            for finding in whole.findings
            if finding.page is None or first <= finding.page <= last
        ),
    )
