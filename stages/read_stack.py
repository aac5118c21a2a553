"""A file read whole: intake → split → for each document in it: ocr → extract. Runs in the worker."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from typing import Any, Literal

from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal
from ..models.page import Transcript
from ..models.wire import to_plain
from .extract import extract
from .intake import incoming_of
from .ocr import ocr
from .split import split

_ROOM = 64 * 1024 * 1024
"""Bytes that an engine needs for one page in the scratch folder at most."""


def read_stack(
    opened: OpenedDocument, data: bytes, *, engine: str, mode: Literal["none", "slip"], limits: Limits
) -> Outcome[dict[str, Any]]:
    """What the file is, and each document in it with text and fields, as JSON types.

    Pages of a part are numbered from 1, as they are once it is cut out. Doubt: the questions of its reading.
    Failure: of the engine, or `disk_full` when the scratch folder is.
    """
    incoming = incoming_of(opened, data)
    parts: list[dict[str, Any]] = []
    questions: list[str] = []
    for part in split(opened, mode=mode):
        outcome = ocr(opened, engine=engine, first=part.first, last=part.last, limits=limits)
        if _stopped_by_disk(outcome):
            return Failure("disk_full", tempfile.gettempdir())
        if isinstance(outcome, Failure | Refusal):
            return outcome
        if isinstance(outcome, Doubt):
            questions += outcome.questions
        transcript = _numbered_from_one(outcome.value, part.first)
        parts.append(
            {
                "first": part.first, "last": part.last, "slip": part.slip,
                "transcript": to_plain(transcript), "fields": to_plain(extract(transcript)),
            }
        )  # fmt: skip
    findings = tuple(dict.fromkeys((*incoming.findings, *opened.findings)))
    value = {
        "kind": incoming.kind, "pages": incoming.pages, "signature": incoming.signature,
        "protection": incoming.protection, "active": list(incoming.active), "findings": to_plain(findings),
        "parts": parts,
    }  # fmt: skip
    return Doubt(value=value, questions=tuple(dict.fromkeys(questions))) if questions else Done(value=value)


def _stopped_by_disk(outcome: Outcome[Transcript]) -> bool:
    """Whether an engine failed while the scratch folder was full: then the paper is not at fault."""
    match outcome:
        case Failure(code=code):
            failed = code == "ocr_nothing_read"
        case Done(value=value) | Doubt(value=value):
            failed = any(finding.code == "ocr_page_failed" for finding in value.findings)
        case _:
            failed = False
    return failed and shutil.disk_usage(tempfile.gettempdir()).free < _ROOM


def _numbered_from_one(transcript: Transcript, first: int) -> Transcript:
    if first == 1:
        return transcript
    back = first - 1
    return Transcript(
        pages=tuple(replace(page, number=page.number - back) for page in transcript.pages),
        findings=tuple(
            replace(finding, page=finding.page - back) if finding.page else finding
            for finding in transcript.findings
        ),
    )
