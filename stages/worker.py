"""A worker: `python -m jiyao.stages.worker`. Reads hostile files; holds no key, no registry, no network.

Frames are those of `common/frames.py`. A request is `{"act", "fields", "limits"}` and the file. While it
works, the worker sends `{"page": n}` when it has come to page n, further than before; the acts that read send
`{"page": n, "of": pages}` before each page and `{"read": n}` with the page's JSON once it is read, so that a
worker that dies costs one page. The answer is `{"outcome": "done|doubt|refused|failed", "value", "code", "detail",
"questions"}` and bytes. The end of the input ends the worker. What libraries print goes nowhere. No text of a
document stands in `code` or `detail`.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
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
    from ..models.fields import OfficialFields
    from ..models.incoming import Kind
    from ..models.page import Finding, Line, Transcript
    from ..models.policy.schema import Policy, Profile
    from ..models.suggestion import Relations

_FILE_BYTES = 2 * 1024**3
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})
Answer = tuple[dict[str, Any], bytes]
Report = Callable[[dict[str, Any], bytes], None]


def main() -> None:
    """Serves requests until the input ends."""
    confine(file_bytes=_FILE_BYTES)
    # Left to itself, Python goes to /tmp when the scratch folder is full.
    tempfile.tempdir = os.environ.get("TMPDIR")
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)

    def report(said: dict[str, Any], data: bytes) -> None:
        write_frame(sink, said, data)

    known = Known()
    while (request := read_frame(source)) is not None:
        header, data = request
        write_frame(sink, *serve(header, data, report=report, known=known))
        known.get_ready()


def serve(
    header: dict[str, Any],
    data: bytes,
    *,
    report: Report = lambda _said, _data: None,
    known: Known | None = None,
) -> Answer:
    """One request, answered; whatever goes wrong becomes a named failure."""
    limits = from_plain(Limits, header["limits"]) if header.get("limits") else DEFAULT_LIMITS
    act = ACTS.get(str(header.get("act")))
    if act is None:
        return _failed("unknown_act", str(header.get("act"))[:32])
    try:
        request = _Request(header["fields"], data, limits, report, known or Known())
        return request.told(act(request))
    except JiyaoError as error:
        return _failed(error.code, str(error.facts.get("detail", "")))
    except MemoryError:
        return _failed("too_much_memory")
    except OSError as error:
        full = error.errno in _DISK
        return _failed("disk_full", tempfile.gettempdir()) if full else _failed("worker_error", _place(error))
    except Exception as error:  # noqa: BLE001 - the place, never the words: they may quote the file
        return _failed("worker_error", _place(error))


class Known:
    """What a worker was told once and keeps for all its jobs: the policy that it judges by, read when needed."""

    __slots__ = ("_policy", "_text", "profile")

    def __init__(self) -> None:
        self._text = ""
        self.profile: Profile = "organ"
        self._policy: Policy | None = None

    def tell(self, *, policy: str, profile: Profile) -> None:
        """From now on papers are judged by this policy (YAML) and profile."""
        if policy != self._text:
            self._policy = None
        self._text, self.profile = policy, profile

    @property
    def judges(self) -> bool:
        """Whether a policy was told."""
        return bool(self._text)

    @property
    def policy(self) -> Policy:
        """The policy, parsed."""
        from ..models.policy.loader import parse_policy

        if self._policy is None:
            self._policy = parse_policy(self._text)
        return self._policy

    def get_ready(self) -> None:
        """Loads what judging needs, once the answer is out and before the next request is there."""
        if self.judges and self._policy is None:
            from . import classify, retain  # noqa: F401

            with suppress(JiyaoError):  # told by the judging itself
                self._policy = self.policy


# ---------------------------------------------------------------- one request


class _Request:
    """What one request asks, and the way to its file."""

    __slots__ = ("data", "fields", "known", "limits", "opened_with", "report")

    def __init__(
        self, fields: dict[str, Any], data: bytes, limits: Limits, report: Report, known: Known
    ) -> None:
        self.fields, self.limits, self.report, self.known = fields, limits, report, known
        self.data = data
        self.opened_with: int | None = None

    @contextmanager
    def opened(self, *, quiet: bool = False) -> Iterator[OpenedDocument]:
        """The file, opened; going through its pages is reported, unless the act itself does that."""
        from ..formats.unlock import open_locked

        passwords = self.fields.get("passwords") or ()
        opened, self.data, self.opened_with = open_locked(self.data, passwords, limits=self.limits)
        try:
            yield opened if quiet else _Watched(opened, lambda page: self.report({"page": page}, b""))
        finally:
            opened.close()

    def told(self, answer: Answer) -> Answer:
        """The answer, and which of the given passwords opened the file, when one did."""
        if self.opened_with is not None:
            answer[0]["value"]["opened_with"] = self.opened_with
        return answer


class _Watched:
    """An opened document that reports each page reached, so that a long paper is given the time it needs."""

    __slots__ = ("_furthest", "_opened", "_report", "active", "kind", "page_count", "protection", "signature")

    def __init__(self, opened: OpenedDocument, report: Callable[[int], None]) -> None:
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

    def native_dpi(self, number: int) -> float | None:
        return self._opened.native_dpi(number)

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


def _brief(request: _Request) -> Answer:
    """The policy and profile that papers are judged by from now on."""
    request.known.tell(policy=str(request.fields["policy"]), profile=request.fields["profile"])
    return _done({}), b""


def _read(request: _Request) -> Answer:
    """intake → for each page: ocr → split → for each document: extract → classify → retain. See read_job.py."""
    from .page_steps import without
    from .read_job import read_whole

    fields = request.fields
    with request.opened(quiet=True) as opened:
        packed = read_whole(
            opened, request.data, engine=fields["engine"], mode=fields["split"], most=fields.get("most"),
            limits=request.limits, say=request.report, judge=_judge_of(request),
            preparation=without(fields.get("without", ())),
        )  # fmt: skip
    return request.told(_packed(*packed))


def _pages(request: _Request) -> Answer:
    """Some pages of a long file: each is in its own report."""
    from .page_steps import without
    from .read_job import read_range

    fields = request.fields
    with request.opened(quiet=True) as opened:
        numbers = range(int(fields["first"]), int(fields["last"]) + 1)
        read = read_range(
            opened, numbers, engine=fields["engine"], mode=fields["split"], limits=request.limits,
            say=request.report, preparation=without(fields.get("without", ())),
        )  # fmt: skip
    return (_plain(read) if isinstance(read, Failure) else _done({})), b""


def _assemble(request: _Request) -> Answer:
    """A long file whose pages are read, in the last `tail` bytes: split → extract → classify → retain."""
    from .read_job import pages_of, put_together

    fields, size = request.fields, len(request.data) - int(request.fields["tail"])
    pages, request.data = pages_of(request.data[size:], fields["lost"]), request.data[:size]
    with request.opened(quiet=True) as opened:
        packed = put_together(
            opened, request.data, pages, engine=fields["engine"], mode=fields["split"], limits=request.limits,
            judge=_judge_of(request),
        )  # fmt: skip
    return request.told(_packed(*packed))


def _packed(outcome: Outcome[dict[str, Any]], blobs: list[bytes]) -> Answer:
    match outcome:
        case Done(value=value):
            return _done(value), b"".join(blobs)
        case Doubt(value=value, questions=questions):
            return _done(value, questions=questions), b"".join(blobs)
        case _:
            return _plain(outcome), b""


def _judge_of(request: _Request) -> Callable[[Transcript, OfficialFields], dict[str, Any]] | None:
    """How a paper that cites nothing known is judged; None when nobody told by what."""
    if not request.known.judges or "origin" not in request.fields:
        return None
    from ..models.suggestion import Relations

    return lambda transcript, official: _judged(request, transcript, official, Relations())


def _judge(request: _Request) -> Answer:
    """classify → retain of a paper read before, knowing what it cites; its pages come in `data`."""
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from ..models.suggestion import Relations
    from .stack import for_fields

    fields = request.fields
    transcript = for_fields(from_plain(Transcript, json.loads(request.data)))
    official = from_plain(OfficialFields, fields["fields"])
    relations = from_plain(Relations, fields["relations"])
    return _done(_judged(request, transcript, official, relations)), b""


def _prints(request: _Request) -> Answer:
    """What a paper read before cites, and its passages; its pages come in `data`."""
    from ..models.page import Transcript
    from .citations import cited_numbers
    from .passages import prints_of
    from .stack import for_fields

    transcript = for_fields(from_plain(Transcript, json.loads(request.data)))
    return _done({"cites": list(cited_numbers(transcript)), "prints": to_plain(prints_of(transcript))}), b""


def _items(request: _Request) -> Answer:
    """The rows of a unit's list of secret matters, from a workbook or CSV."""
    from .unit_list import read_items

    return _done({"items": to_plain(read_items(request.data, limits=request.limits))}), b""


def _judged(
    request: _Request, transcript: Transcript, official: OfficialFields, relations: Relations
) -> dict[str, Any]:
    from .classify import classify
    from .retain import retain

    policy, profile = request.known.policy, request.known.profile
    listed = tuple((item.item, item.level.value, item.period, item.words) for item in policy.unit_items)
    relations = replace(relations, unit_items=relations.unit_items + listed)
    origin = request.fields["origin"] or policy.retention.origin_of(official.organs)
    level = classify(
        transcript=transcript, fields=official, policy=policy, profile=profile, relations=relations
    )
    retention = retain(
        transcript=transcript, fields=official, policy=policy, profile=profile, origin=origin, important=None,
        flags=(),
    )  # fmt: skip
    return {"level": to_plain(level), "retention": to_plain(retention), "origin": origin}


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

    pages = [int(number) for number in request.fields["pages"]]
    with request.opened() as opened:
        return _done({}), cut(opened, request.data, pages=pages, limits=request.limits)


def _join(request: _Request) -> Answer:
    """Pages of several scans, one behind the other in the request's bytes, as one PDF."""
    from .join import join

    sources, at = [], 0
    for size in request.fields["sizes"]:
        sources.append(request.data[at : at + int(size)])
        at += int(size)
    picks = [(int(source), int(page)) for source, page in request.fields["picks"]] or None
    data, pages = join(sources, picks, limits=request.limits)
    return _done({"pages": pages}), data


def _unpack(request: _Request) -> Answer:
    """Files of an archive, some at a time."""
    from .unpack import unpack

    fields = request.fields
    first, passwords = int(fields["first"]), fields["passwords"]
    outcome, pieces = unpack(request.data, first=first, passwords=passwords, limits=request.limits)
    return (_done(outcome.value) if isinstance(outcome, Done) else _plain(outcome)), pieces


def _sheet(request: _Request) -> Answer:
    """Crops of boxes on pages, as PNG in base64."""
    from ..models.page import Box
    from .review_sheet import crops

    boxes = tuple((int(page), from_plain(Box, box)) for page, box in request.fields["boxes"])
    with request.opened() as opened:
        pictures = crops(opened, boxes, limits=request.limits)
    return _done({"crops": [base64.b64encode(picture).decode() for picture in pictures]}), b""


def _searchable(request: _Request) -> Answer:
    """The document as a PDF with its text unseen under what it shows."""
    from ..models.page import Transcript
    from .searchable import searchable

    transcript = from_plain(Transcript, request.fields["transcript"])
    with request.opened() as opened:
        made = searchable(opened, transcript, source=request.data, limits=request.limits)
    return _done({"pdfa": made.pdfa, "why_not": made.why_not}), made.data


def _marks(request: _Request) -> Answer:
    """The marks of a suspect file."""
    from .read_marks import read_marks

    with request.opened() as opened:
        marks = read_marks(opened, limits=request.limits, source=request.data)
    return _done({"marks": to_plain(marks)}), b""


ACTS: dict[str, Callable[[_Request], Answer]] = {
    "look": _look,
    "brief": _brief,
    "read": _read,
    "pages": _pages,
    "assemble": _assemble,
    "judge": _judge,
    "prints": _prints,
    "items": _items,
    "draw": _draw,
    "cut": _cut,
    "join": _join,
    "sheet": _sheet,
    "searchable": _searchable,
    "marks": _marks,
    "unpack": _unpack,
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
