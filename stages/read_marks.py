"""Reads the marks a suspect file bears: barcodes, information key, printed words. Keyless, checks nothing.

Threat model. The file comes from whoever leaked it: it is opened under limits in a worker, pictures go to a
barcode reader, texts that come back are claims. Long files are read first page, last page, then the rest,
while time lasts, so that a file cannot buy silence with its length.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as raw

from ..common.limits import DEFAULT_LIMITS, Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture
from ..models.copy import MarkView, ReadMark
from ..models.page import Box
from ..watermark import barcode
from ..watermark.payload import looks_like_copy
from ..watermark.picture_pdf import COPY_KEY
from ..watermark.tint import TintKey
from ..watermark.tint_match import Seen
from ..watermark.visible import DOCUMENT_LABEL, NUMBER_LABEL
from .mark_channels import DRAWN, OWN_PIXELS, Suspect, read_channels

_DPIS = (200, 300, 420)
_MOST_VALUE = 200
_NUMBER = re.compile(rf"{NUMBER_LABEL}\s*第\s*(\d{{1,9}})\s*号")
_DOCUMENT = re.compile(rf"{DOCUMENT_LABEL}\s*([A-Za-z0-9][A-Za-z0-9\-]{{0,39}})")
_CHEAP_SHARE = 0.5
_TIME_SHARE = 0.8
_SECONDS, _SECONDS_PER_PAGE = (11.0, 60.0), (1.5, 4.0)
"""For all marks of a file of one page, usually and when it is to be thorough; for each further page."""
_PATIENCE = 8.0
_PATIENCE_PER_PAGE = 3.0


def read_marks(
    opened: OpenedDocument,
    *,
    limits: Limits = DEFAULT_LIMITS,
    source: bytes | None = None,
    tint: TintKey | None = None,
    ids: Sequence[int] = (),
) -> tuple[ReadMark, ...]:
    """The marks of `survey`."""
    return survey(opened, limits=limits, source=source, tint=tint, ids=ids).marks


@dataclass(frozen=True, slots=True)
class Survey:
    """All marks found, by page then place; what there is to show of the tint; its sightings by page."""

    marks: tuple[ReadMark, ...]
    views: tuple[MarkView, ...] = ()
    seen: tuple[tuple[int, Seen], ...] = ()
    brief: bool = False
    """A barcode was believed, and less was looked at."""


def survey(
    opened: OpenedDocument,
    *,
    limits: Limits = DEFAULT_LIMITS,
    source: bytes | None = None,
    tint: TintKey | None = None,
    ids: Sequence[int] = (),
    thorough: bool = False,
    brief: bool = False,
    given: Mapping[str, Any] | None = None,
) -> Survey:
    """Reads all marks; `source`: a PDF's bytes, for the metadata channel; `tint`: the station's tint key, for the
    forensic channel, whose value is the number in hex and whose score the fingerprint's z; `ids`: the copies there are,
    among which fingerprints are looked for when no number can be read; `thorough`: more is tried, up to 90 seconds;
    `brief`: a barcode that looks like one of ours is believed, and the tint only compared with it: for a caller who
    checks the barcode and asks again where it does not hold; `given`: what else a channel may need.

    Takes at most about 11 seconds (60) and 1.5 (4) for each further page, and 0.8 x `limits.seconds_per_document`.
    `visible` marks have the value `<document id> <copy number>`, the id a dash where it was not read.

    Raises:
        FormatFault: of the last page, when no page could be drawn.
    """
    start = time.monotonic()
    pages = min(opened.page_count, limits.pages)
    own = _SECONDS[thorough] + _SECONDS_PER_PAGE[thorough] * max(0, pages - 1)
    whole = min(own, limits.seconds_per_document * _TIME_SHARE)
    marks = list(_metadata(source)) if source is not None and opened.kind == "pdf" else []
    order = _order(pages)
    unread: list[int] = []
    drawn, fault = 0, None
    for number in order:
        if time.monotonic() - start > whole * (_CHEAP_SHARE if not _any(marks) else 1.0):
            break
        try:
            found = _page_codes(opened, number, dpi=_DPIS[0], seconds=whole / 4, thorough=False)
            marks.extend(found)
            marks.extend(_visible(opened, number))
            drawn += 1
        except FormatFault as error:
            fault = error
            continue
        if not found:
            unread.append(number)
    if drawn == 0 and fault is not None:
        raise fault
    suspect: Suspect | None = None
    if tint is not None:
        suspect = Suspect(
            opened=opened,
            numbers=order,
            key=tint,
            ids=ids,
            thorough=thorough,
            given=given or {},
            named=brief and _any(marks),
        )
        marks.extend(read_channels(suspect, end=start + whole))
    if not _any(marks) and not any(mark.channel == "forensic" and mark.coded for mark in marks):
        patience = _PATIENCE + _PATIENCE_PER_PAGE * len(unread)
        marks.extend(_insist(opened, unread, min(start + whole, time.monotonic() + patience)))
    whole_list = tuple(sorted(marks, key=lambda mark: (mark.page, mark.channel, mark.value)))
    if suspect is None:
        return Survey(whole_list)
    return Survey(whole_list, tuple(suspect.views), tuple(suspect.seen), suspect.named)


def _insist(opened: OpenedDocument, numbers: list[int], end: float) -> list[ReadMark]:
    """Higher resolutions and costly attempts on pages where nothing was read, until one gives a code."""
    for dpi in _DPIS:
        for number in numbers:
            left = end - time.monotonic()
            if left <= 0:
                return []
            if dpi != _DPIS[0] and opened.kind not in DRAWN:
                return []
            try:
                found = _page_codes(opened, number, dpi=dpi, seconds=left / 2, thorough=True)
            except FormatFault:
                continue
            if found:
                return found
    return []


def _page_codes(
    opened: OpenedDocument, number: int, *, dpi: int, seconds: float, thorough: bool
) -> list[ReadMark]:
    # A photo's own pixels count, whatever resolution its header claims.
    wanted = dpi if opened.kind in DRAWN else OWN_PIXELS
    picture: Picture = opened.render(number, wanted)
    return [
        ReadMark(
            page=number, channel="barcode", value=code.text[:_MOST_VALUE], box=code.box, score=code.score
        )
        for code in barcode.read(picture, seconds=seconds, thorough=thorough)
    ]


def _visible(opened: OpenedDocument, number: int) -> list[ReadMark]:
    """The printed copy number and document id, when the page has a text layer."""
    box: Box | None = None
    copy, document = "", ""
    for line in opened.text_lines(number) or ():
        found = _NUMBER.search(line.text)
        if found and not copy:
            copy, box = found.group(1), line.box
        named = _DOCUMENT.search(line.text)
        if named and not document:
            document = named.group(1)
    if not copy:
        return []
    return [
        ReadMark(page=number, channel="visible", value=f"{document or '-'} {int(copy)}", box=box, score=0.9)
    ]


def _metadata(source: bytes) -> list[ReadMark]:
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError:
        return []
    try:
        key = COPY_KEY.encode("ascii")
        size = raw.FPDF_GetMetaText(document.raw, key, None, 0)
        if not 2 < size <= 2 * _MOST_VALUE:
            return []
        buffer = ctypes.create_string_buffer(size)
        raw.FPDF_GetMetaText(document.raw, key, buffer, size)
        text = buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\x00")
    finally:
        document.close()
    return [ReadMark(page=0, channel="metadata", value=text)] if text else []


def _any(marks: list[ReadMark]) -> bool:
    return any(mark.channel == "barcode" and looks_like_copy(mark.value) for mark in marks)


def _order(count: int) -> list[int]:
    return list(dict.fromkeys([1, count, *range(2, count)])) if count else []
