"""A file read whole, in its two halves: its pages, one by one; then the documents in it. Runs in the worker.

`read_stack` does both. A long scan is read page by page in several workers, and `assemble` does the second half with
the pages that they read. What must see more than one page (roles that repeat, page numbers, the split) belongs there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..models.fields import OfficialFields
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal
from ..models.page import Transcript
from ..models.wire import to_plain
from .citations import cited_numbers
from .extract import extract
from .intake import incoming_of
from .ocr import outcome_of
from .part_view import seen_alone
from .passages import prints_of
from .read_page import ReadPage, read_page, together
from .second_look import second_look
from .split import Mode
from .stack import for_fields, note_envelope, take_apart

_LOOK_SECONDS = 8.0
"""No second look begins later: in a stack of many bad papers the last ones get none."""

Judge = Callable[[Transcript, OfficialFields], dict[str, Any]]


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
    return assemble(opened, data, pages, engine=engine, mode=mode, limits=limits)


def assemble(
    opened: OpenedDocument, data: bytes, pages: Sequence[ReadPage], *, engine: str, mode: Mode, limits: Limits,
    judge: Judge | None = None,
) -> Outcome[dict[str, Any]]:  # fmt: skip
    """What the file is, and each document in it with text and fields, as JSON types; and what `judge` adds.

    Pages of a part are numbered from 1, as they are once it is cut out. Doubt: the questions of its reading.
    Failure: `ocr_nothing_read`, when no page could be.
    """
    incoming = incoming_of(opened, data)
    outcome = outcome_of(together(pages))
    if isinstance(outcome, Failure | Refusal):
        return outcome
    codes = {page.number: (read.barcode,) for read in pages if read.barcode for page in read.transcript.pages}
    parts: list[dict[str, Any]] = []
    deadline = monotonic() + _LOOK_SECONDS
    for found in take_apart(outcome.value, codes=codes, mode=mode):
        part, transcript, own = found.part, found.transcript, for_fields(found.transcript)
        fields = extract(own)
        if monotonic() < deadline:
            view = seen_alone(opened, part.pages)
            fields = second_look(view, transcript, fields, engine=engine, limits=limits)
        transcript = note_envelope(transcript, fields)
        parts.append(
            {
                "first": part.first, "last": part.last, "pages": list(part.pages), "count": found.count,
                "slip": part.slip.receipt if part.slip else None,
                "transcript": to_plain(transcript), "fields": to_plain(fields),
                "cites": list(cited_numbers(own)), "prints": to_plain(prints_of(own)),
                **(judge(own, fields) if judge is not None else {}),
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
