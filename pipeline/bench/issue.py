"""Measures what one more copy of a document costs: processor seconds and bytes a page, and how little the tint shows.

The act of the worker that draws copies is asked, in this process: pages that stay text and pages that become pictures,
with all marks, read back as when a copy is issued. The first copy of a document, for which its pages are made ready, is
measured by itself.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pypdf import PdfReader, PdfWriter

from ...common.limits import DEFAULT_LIMITS
from ...formats.open import open_document
from ...models.copy import CopySpec
from ...models.level import Level
from ...models.wire import to_plain
from ...samples.make import make_paper
from ...samples.paper import Block
from ...samples.render import render
from ...stages.stamp import draw_pages
from ...stages.worker import serve
from ...stages.worker_request import Known
from ...watermark.layout import COPY_DPI, ink_of, lay_out
from ...watermark.payload import encode, forensic_id, station_tag
from ...watermark.visible import draw_marks
from .race import Race, Races, require

_KEY, _TAG = b"bench mark key of 32 bytes......", station_tag("bench")
_TINT = bytes(range(32)).hex()
_LEAST_PSNR = 37.0
"""dB that the product has set itself."""
_A_LINE, _A_PAGE = 180, 830
"""Characters of a paragraph and, about, of a page."""
_WAYS: dict[str, dict[str, Any]] = {
    "issue.overlay": {"flatten": False, "glyphs": False},
    "issue.overlay.glyphs": {"flatten": False},
    "issue.flat": {},
    "issue.flat.dots": {"profile": "dots"},
}


def issue(folder: Path, quick: bool, seed: int) -> Races:
    """Processor seconds a page of one more copy, and of the first; KB a page; PSNR of the tint.

    Baselines: `pypdf` lays one stamp over each page; each page is drawn and packed as JPEG without a mark; the copy
    without invisible marks; the source.
    """
    del folder
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # as in a worker
    try:
        yield from _races(*_document(seed, 3 if quick else 20), rounds=1 if quick else 3)
    finally:
        cv2.setNumThreads(threads)


def _races(source: bytes, pages: int, *, rounds: int) -> Races:
    note = f"{pages} full pages of text"
    for name, way in _WAYS.items():
        overlay = name.startswith("issue.overlay")
        known, numbers = Known(), count(1)
        baseline = partial(_stamped, source) if overlay else partial(_packed, source)
        against = "pypdf, a stamp a page" if overlay else "drawn and packed, no mark"

        def one(
            known: Known = known, numbers: Iterator[int] = numbers, way: dict[str, Any] = way
        ) -> Callable[[], object]:
            return lambda: _copy(source, next(numbers), known, **way)

        yield Race(
            name=f"{name}.first", unit="s/page", against="", product=partial(_seconds, one(), pages),
            baseline=None, rounds=1, note=note, better="less",
        )  # fmt: skip
        yield Race(
            name=name, unit="s/page", against=against, product=partial(_seconds, one(), pages),
            baseline=partial(_seconds, baseline, pages), rounds=rounds, better="less",
            note=f"{note}, one page read again" if overlay else f"{note}, each read again",
        )  # fmt: skip
        plain = len(source) if overlay else len(_copy(source, 1, Known(), forensic_id=None))
        size = len(_copy(source, 1, known, **way))
        yield Race(
            name=f"{name}.size", unit="KB", against="the source" if overlay else "the same without invisible marks",
            product=partial(_per_page, size, pages), baseline=partial(_per_page, plain, pages), rounds=1,
            note="a page", better="less",
        )  # fmt: skip
    yield Race(
        name="issue.psnr", unit="dB", against="limit set", product=lambda: _psnr(source), baseline=lambda: _LEAST_PSNR,
        rounds=1, note="tint on text pages, RGB, the worst page", better="more",
    )  # fmt: skip


def _document(seed: int, pages: int) -> tuple[bytes, int]:
    paper = make_paper(seed * 1000 + 1, "test")
    words = "".join(block.text for block in paper.body if block.text)
    words *= pages * _A_PAGE // max(1, len(words)) + 1
    blocks = tuple(
        Block("para", words[at : at + _A_LINE]) for at in range(0, pages * _A_PAGE - _A_LINE, _A_LINE)
    )
    data = render(replace(paper, body=blocks), "pdf")
    return data, len(PdfReader(io.BytesIO(data)).pages)


def _spec(number: int, **changes: Any) -> CopySpec:
    id = forensic_id(_KEY, number)
    values: dict[str, Any] = {
        "level": Level.COMPANY_CONFIDENTIAL, "period": None, "number": number, "recipient": "样张", "document": "D",
        "unit": "样例", "issued": date(2025, 1, 2), "barcode": encode(_KEY, _TAG, id), "forensic_id": id,
        "tint_key": _TINT,
    }  # fmt: skip
    return CopySpec(**{**values, **changes})


def _copy(source: bytes, number: int, known: Known, **changes: Any) -> bytes:
    fields = {"spec": to_plain(_spec(number, **changes)), "passwords": []}
    answer, data = serve({"act": "draw", "fields": fields}, source, known=known)
    require(answer["outcome"] == "done", "issue")
    return data[: int(answer["value"]["size"])]


def _seconds(work: Callable[[], object], pages: int) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / pages


def _per_page(size: int, pages: int) -> float:
    return size / pages / 1024


def _stamped(source: bytes) -> bytes:
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(source))), io.BytesIO()
    sheet = lay_out(210, 297, np.zeros((9, 6), np.bool_))
    stamp = PdfReader(io.BytesIO(draw_marks([sheet], _spec(1)))).pages[0]
    for page in writer.pages:
        page.merge_page(stamp)
    writer.write(out)
    return out.getvalue()


def _packed(source: bytes) -> int:
    opened, size = open_document(source, limits=DEFAULT_LIMITS), 0
    try:
        for number in range(1, opened.page_count + 1):
            ink_of(opened.render(number, 50))
            picture = cv2.cvtColor(opened.render(number, COPY_DPI), cv2.COLOR_RGB2BGR)
            size += len(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
    finally:
        opened.close()
    return size


def _psnr(source: bytes) -> float:
    pages = []
    for changes in ({"glyphs": False}, {"forensic_id": None}):
        opened = open_document(source, limits=DEFAULT_LIMITS)
        try:
            drawn = draw_pages(opened, _spec(1, **changes))
        finally:
            opened.close()
        pages.append([cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in drawn])
    return min(float(cv2.PSNR(tinted, plain)) for tinted, plain in zip(*pages, strict=True))
