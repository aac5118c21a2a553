"""The reading jobs of a worker: a whole file, some pages of a long one, and the putting together of such pages.

Each page is reported before it is read and handed over once it is, so that the coordinator knows which page killed a
worker and has to read no other page again. Pages travel as JSON, one value a page: the coordinator keeps them as
bytes, and seals them so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..models.outcome import Done, Failure, Outcome, Refusal
from ..models.wire import from_plain, to_plain
from .page_steps import ALL, Preparation
from .part_view import Remembered
from .read_page import ReadPage, lost_page, read_page
from .read_stack import Judge, assemble
from .split import Mode
from .urgent_page import says_urgent

_LOOK_SECONDS = 10.0

Say = Callable[[dict[str, Any], bytes], None]
Packed = tuple[Outcome[dict[str, Any]], list[bytes]]
"""An outcome and the bytes that go with it: of each part its pages, one by one, then its cut when it is one."""


def read_whole(
    opened: OpenedDocument, data: bytes, *, engine: str, mode: Mode, most: int | None, limits: Limits, say: Say,
    judge: Judge | None, preparation: Preparation = ALL,
) -> Packed:  # fmt: skip
    """Reads a file and puts it together; one with more than `most` pages to recognise is left: `{"long": pages}`."""
    if most is not None and opened.page_count > most:
        opened = Remembered(opened)
        if is_long(opened, most):
            return Done(value={"long": opened.page_count}), []
    read = read_range(
        opened,
        range(1, opened.page_count + 1),
        engine=engine,
        mode=mode,
        limits=limits,
        say=say,
        preparation=preparation,
    )
    if isinstance(read, Failure):
        return read, []
    return put_together(opened, data, read, engine=engine, mode=mode, limits=limits, judge=judge)


def is_long(opened: OpenedDocument, most: int) -> bool:
    """Whether more than `most` pages have no text of their own; also when that cannot be told in a few seconds."""
    began, scanned = monotonic(), 0
    for number in range(1, opened.page_count + 1):
        scanned += not opened.text_lines(number)
        if scanned > most or monotonic() - began > _LOOK_SECONDS:
            return True
    return False


def read_range(
    opened: OpenedDocument,
    numbers: Iterable[int],
    *,
    engine: str,
    mode: Mode,
    limits: Limits,
    say: Say,
    preparation: Preparation = ALL,
) -> list[ReadPage] | Failure:
    """Reads pages one by one, each announced and handed over; said too is when the first one may not wait."""
    pages = []
    for number in numbers:
        say({"page": number, "of": opened.page_count}, b"")
        read = read_page(
            opened, number, engine=engine, barcodes=mode != "none", limits=limits, preparation=preparation
        )
        if isinstance(read, Failure):
            return read
        said: dict[str, Any] = {"read": number}
        if number == 1 and says_urgent(read.value.transcript):
            said["urgent"] = True
        say(said, as_json(read.value))
        pages.append(read.value)
    return pages


def put_together(
    opened: OpenedDocument, data: bytes, pages: Sequence[ReadPage], *, engine: str, mode: Mode, limits: Limits,
    judge: Judge | None,
) -> Packed:  # fmt: skip
    """The documents in a file whose pages are read; each judged as if it cited nothing, when `judge` is given."""
    outcome = assemble(opened, data, pages, engine=engine, mode=mode, limits=limits, judge=judge)
    if isinstance(outcome, Failure | Refusal):
        return outcome, []
    blobs: list[bytes] = []
    parts = outcome.value["parts"]
    for part in parts:
        transcript = part.pop("transcript")
        own = [_dump(page) for page in transcript["pages"]]
        part["findings"], part["page_bytes"] = transcript["findings"], [len(page) for page in own]
        blobs += own
        if part["pages"] != list(range(1, opened.page_count + 1)):
            from .cut import cut  # its library is large, and few files are stacks

            blobs.append(cut(opened, data, pages=part["pages"], limits=limits))
            part["cut_bytes"] = len(blobs[-1])
    return outcome, blobs


def as_json(page: ReadPage) -> bytes:
    """A page as it travels."""
    return _dump(to_plain(page))


def pages_of(data: bytes, lost: Mapping[str, str]) -> list[ReadPage]:
    """Pages as they travelled, one behind the other, a line feed between; and those that no worker survived."""
    read = [from_plain(ReadPage, json.loads(line)) for line in data.split(b"\n") if line]
    return [*read, *(lost_page(int(number), code) for number, code in lost.items())]


def _dump(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
