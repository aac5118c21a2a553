"""A worker: `python -m jiyao.stages.worker`. Reads hostile files; holds no key, no registry, no network.

Frames are those of `common/frames.py`. A request is `{"act", "fields", "limits"}` and the file. While it
works, the worker sends `{"page": n}` when it has come to page n, further than before. The answer is
`{"outcome": "done|doubt|refused|failed", "value", "code", "detail", "questions"}` and bytes. The end of
the input ends the worker. What libraries print goes nowhere. No text of a document stands in `code` or
`detail`.
"""

from __future__ import annotations

import base64
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..common.errors import JiyaoError
from ..common.frames import read_frame, write_frame
from ..common.limits import DEFAULT_LIMITS, Limits
from ..common.sandbox import confine
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal
from ..models.wire import from_plain, to_plain

if TYPE_CHECKING:
    from ..formats.opened import OpenedDocument, Picture
    from ..models.incoming import Kind
    from ..models.page import Finding, Line

_FILE_BYTES = 2 * 1024**3
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})
Answer = tuple[dict[str, Any], bytes]
Report = Callable[[int], None]


def main() -> None:
    """Serves requests until the input ends."""
    confine(file_bytes=_FILE_BYTES)
    # Left to itself, Python goes to /tmp when the scratch folder is full.
    tempfile.tempdir = os.environ.get("TMPDIR")
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)

    def report(page: int) -> None:
        write_frame(sink, {"page": page}, b"")

    while (request := read_frame(source)) is not None:
        header, data = request
        write_frame(sink, *serve(header, data, report=report))


def serve(header: dict[str, Any], data: bytes, *, report: Report = lambda _: None) -> Answer:
    """One request, answered; whatever goes wrong becomes a named failure."""
    limits = from_plain(Limits, header["limits"]) if header.get("limits") else DEFAULT_LIMITS
    act = ACTS.get(str(header.get("act")))
    if act is None:
        return _failed("unknown_act", str(header.get("act"))[:32])
    try:
        return act(_Request(header["fields"], data, limits, report))
    except JiyaoError as error:
        return _failed(error.code, str(error.facts.get("detail", "")))
    except MemoryError:
        return _failed("too_much_memory")
    except OSError as error:
        full = error.errno in _DISK
        return _failed("disk_full", tempfile.gettempdir()) if full else _failed("worker_error", _place(error))
    except Exception as error:  # noqa: BLE001 - the place, never the words: they may quote the file
        return _failed("worker_error", _place(error))


# ---------------------------------------------------------------- one request


class _Request:
    """What one request asks, and the way to its file."""

    __slots__ = ("data", "fields", "limits", "report")

    def __init__(self, fields: dict[str, Any], data: bytes, limits: Limits, report: Report) -> None:
        self.fields, self.data, self.limits, self.report = fields, data, limits, report

    @contextmanager
    def opened(self) -> Iterator[OpenedDocument]:
        """The file, opened; going through its pages is reported."""
        from ..formats.open import open_document

        opened = open_document(self.data, limits=self.limits)
        try:
            yield _Watched(opened, self.report)
        finally:
            opened.close()


class _Watched:
    """An opened document that reports each page reached, so that a long paper is given the time it needs."""

    __slots__ = ("_furthest", "_opened", "_report", "active", "kind", "page_count", "protection", "signature")

    def __init__(self, opened: OpenedDocument, report: Report) -> None:
        self._opened, self._report, self._furthest = opened, report, 1
        self.kind: Kind = opened.kind
        self.page_count: int = opened.page_count
        self.signature: Literal["none", "present"] = opened.signature
        self.protection: Literal["none", "owner", "read"] = opened.protection
        self.active: tuple[str, ...] = opened.active

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self._opened.findings

    @findings.setter
    def findings(self, _value: tuple[Finding, ...]) -> None:
        raise AttributeError("findings come from the document")

    def size_mm(self, number: int) -> tuple[float, float]:
        return self._opened.size_mm(number)

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        self._reach(number)
        return self._opened.text_lines(number)

    def render(self, number: int, dpi: int) -> Picture:
        self._reach(number)
        return self._opened.render(number, dpi)

    def close(self) -> None:
        self._opened.close()

    def _reach(self, number: int) -> None:
        if number > self._furthest:
            self._furthest = number
            self._report(number)


# ---------------------------------------------------------------- acts
# Imports stand inside: a worker that only reads pictures loads no PDF parser, one that judges no OCR engine.


def _look(request: _Request) -> Answer:
    """intake alone: what the file is."""
    from .intake import intake

    outcome = intake(request.data, limits=request.limits)
    if not isinstance(outcome, Done):
        return _plain(outcome), b""
    incoming = outcome.value
    value = {
        "kind": incoming.kind, "pages": incoming.pages, "signature": incoming.signature,
        "protection": incoming.protection, "active": list(incoming.active),
        "findings": to_plain(incoming.findings),
    }  # fmt: skip
    return _done(value), b""


def _read(request: _Request) -> Answer:
    """intake → split → for each part: ocr → extract."""
    from .read_stack import read_stack

    fields = request.fields
    with request.opened() as opened:
        outcome = read_stack(
            opened, request.data, engine=fields["engine"], mode=fields["split"], limits=request.limits
        )
    match outcome:
        case Done(value=value):
            return _done(value), b""
        case Doubt(value=value, questions=questions):
            return _done(value, questions=questions), b""
        case _:
            return _plain(outcome), b""


def _judge(request: _Request) -> Answer:
    """classify → retain."""
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from ..models.policy.loader import parse_policy
    from ..models.suggestion import Relations
    from .classify import classify
    from .retain import retain

    fields = request.fields
    policy = parse_policy(fields["policy"])
    transcript = from_plain(Transcript, fields["transcript"])
    official = from_plain(OfficialFields, fields["fields"])
    profile = fields["profile"]
    level = classify(
        transcript=transcript, fields=official, policy=policy, profile=profile,
        relations=from_plain(Relations, fields["relations"]),
    )  # fmt: skip
    retention = retain(
        transcript=transcript, fields=official, policy=policy, profile=profile, origin=fields["origin"],
        important=fields["important"], flags=tuple(fields["flags"]),
    )  # fmt: skip
    return _done({"level": to_plain(level), "retention": to_plain(retention)}), b""


def _draw(request: _Request) -> Answer:
    """A copy of the document, by its specification; PNG pages come as one zip."""
    from ..models.copy import CopySpec
    from .stamp import draw, zip_pages

    spec = from_plain(CopySpec, request.fields["spec"])
    with request.opened() as opened:
        drawn = (
            zip_pages(opened, spec, limits=request.limits)
            if spec.format == "png"
            else draw(opened, spec, limits=request.limits, source=request.data)
        )
        return _done({"pages": opened.page_count}), drawn


def _cut(request: _Request) -> Answer:
    """Some pages of a stack as a file of their own."""
    from .cut import cut

    first, last = int(request.fields["first"]), int(request.fields["last"])
    with request.opened() as opened:
        return _done({}), cut(opened, request.data, first=first, last=last, limits=request.limits)


def _sheet(request: _Request) -> Answer:
    """Crops of boxes on pages, as PNG in base64."""
    from ..models.page import Box
    from .review_sheet import crops

    boxes = tuple((int(page), from_plain(Box, box)) for page, box in request.fields["boxes"])
    with request.opened() as opened:
        pictures = crops(opened, boxes, limits=request.limits)
    return _done({"crops": [base64.b64encode(picture).decode() for picture in pictures]}), b""


def _marks(request: _Request) -> Answer:
    """The marks of a suspect file."""
    from .read_marks import read_marks

    with request.opened() as opened:
        marks = read_marks(opened, limits=request.limits, source=request.data)
    return _done({"marks": to_plain(marks)}), b""


ACTS: dict[str, Callable[[_Request], Answer]] = {
    "look": _look,
    "read": _read,
    "judge": _judge,
    "draw": _draw,
    "cut": _cut,
    "sheet": _sheet,
    "marks": _marks,
}


# ---------------------------------------------------------------- answers


def _done(value: dict[str, Any], *, questions: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "outcome": "doubt" if questions else "done", "value": value, "code": None, "detail": "",
        "questions": list(questions),
    }  # fmt: skip


def _failed(code: str, detail: str = "") -> Answer:
    return {"outcome": "failed", "value": {}, "code": code, "detail": detail, "questions": []}, b""


def _plain(outcome: Outcome[Any]) -> dict[str, Any]:
    match outcome:
        case Refusal(code, detail):
            word = "refused"
        case Failure(code, detail):
            word = "failed"
        case Done() | Doubt():
            raise TypeError("a value is not a failure")
    return {"outcome": word, "value": {}, "code": code, "detail": detail, "questions": []}


def _place(error: Exception) -> str:
    """Class of the error and the innermost place in our own code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} {place}"


if __name__ == "__main__":
    main()
