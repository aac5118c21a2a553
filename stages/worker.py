"""A worker: `python -m jiyao.stages.worker`. Reads hostile files; holds no key, no registry, no network.

Framing, both ways, on standard input and output: 4 bytes big-endian length and that many bytes of UTF-8 JSON, then
8 bytes length and that many raw bytes. A request is `{"act", "fields"}` and the file; an answer is
`{"outcome": "done|doubt|refused|failed", "value", "code", "detail", "questions"}` and bytes. The end of the input ends
the worker. What libraries print goes nowhere. No text of a document ever stands in `code` or `detail`.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ..common.errors import JiyaoError
from ..common.limits import DEFAULT_LIMITS, Limits
from ..common.sandbox import confine
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal
from ..models.wire import from_plain, to_plain

_FILE_BYTES = 2 * 1024**3
Answer = tuple[dict[str, Any], bytes]
Act = Callable[[dict[str, Any], bytes, Limits], Answer]


def main() -> None:
    """Serves requests until the input ends."""
    confine(file_bytes=_FILE_BYTES)
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    while (request := read_frame(source)) is not None:
        header, data = request
        write_frame(sink, *serve(header, data))


def serve(header: dict[str, Any], data: bytes) -> Answer:
    """One request, answered; whatever goes wrong becomes a named failure."""
    limits = from_plain(Limits, header["limits"]) if header.get("limits") else DEFAULT_LIMITS
    act = ACTS.get(str(header.get("act")))
    if act is None:
        return _failed("unknown_act", str(header.get("act"))[:32])
    try:
        return act(header["fields"], data, limits)
    except JiyaoError as error:
        return _failed(error.code, str(error.facts.get("detail", "")))
    except MemoryError:
        return _failed("too_much_memory")
    except Exception as error:  # noqa: BLE001 - the place, never the words: they may quote the file
        return _failed("worker_error", _place(error))


# ---------------------------------------------------------------- frames


def read_frame(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end of the input."""
    head = _exactly(source, 4)
    if head is None:
        return None
    header = _exactly(source, struct.unpack(">I", head)[0])
    size = _exactly(source, 8)
    if header is None or size is None:
        return None
    data = _exactly(source, struct.unpack(">Q", size)[0])
    return None if data is None else (json.loads(header), data)


def write_frame(sink: BinaryIO, header: dict[str, Any], data: bytes) -> None:
    """Writes one frame and flushes it."""
    plain = json.dumps(header, ensure_ascii=False).encode()
    sink.write(struct.pack(">I", len(plain)) + plain + struct.pack(">Q", len(data)))
    sink.write(data)
    sink.flush()


def _exactly(source: BinaryIO, count: int) -> bytes | None:
    data = source.read(count)
    return data if len(data) == count else None


# ---------------------------------------------------------------- acts
# Imports stand inside: a worker that only reads pictures loads no PDF parser, one that judges no OCR engine.


def _read(fields: dict[str, Any], data: bytes, limits: Limits) -> Answer:
    """intake → split → for each part: ocr → extract."""
    from ..formats.open import open_document
    from .extract import extract
    from .intake import incoming_of
    from .ocr import ocr
    from .split import split

    opened = open_document(data, limits=limits)
    try:
        incoming = incoming_of(opened, data)
        parts: list[dict[str, Any]] = []
        questions: list[str] = []
        for part in split(opened, mode=fields["split"]):
            outcome = ocr(opened, engine=fields["engine"], first=part.first, last=part.last, limits=limits)
            if isinstance(outcome, Failure | Refusal):
                return _plain(outcome), b""
            if isinstance(outcome, Doubt):
                questions += outcome.questions
            transcript = outcome.value
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
        return _done(value, questions=tuple(dict.fromkeys(questions))), b""
    finally:
        opened.close()


def _judge(fields: dict[str, Any], _data: bytes, _limits: Limits) -> Answer:
    """classify → retain."""
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from ..models.policy.loader import parse_policy
    from ..models.suggestion import Relations
    from .classify import classify
    from .retain import retain

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


def _draw(fields: dict[str, Any], data: bytes, limits: Limits) -> Answer:
    """A copy of the document, by its specification; PNG pages come as one zip."""
    from ..formats.open import open_document
    from ..models.copy import CopySpec
    from .stamp import draw, zip_pages

    spec = from_plain(CopySpec, fields["spec"])
    opened = open_document(data, limits=limits)
    try:
        drawn = (
            zip_pages(opened, spec, limits=limits)
            if spec.format == "png"
            else draw(opened, spec, limits=limits, source=data)
        )
        return _done({"pages": opened.page_count}), drawn
    finally:
        opened.close()


def _cut(fields: dict[str, Any], data: bytes, limits: Limits) -> Answer:
    """Some pages of a stack as a file of their own."""
    from ..formats.open import open_document
    from .cut import cut

    opened = open_document(data, limits=limits)
    try:
        return _done({}), cut(opened, data, first=int(fields["first"]), last=int(fields["last"]))
    finally:
        opened.close()


def _sheet(fields: dict[str, Any], data: bytes, limits: Limits) -> Answer:
    """Crops of boxes on pages, as PNG in base64."""
    from ..formats.open import open_document
    from ..models.page import Box
    from .review_sheet import crops

    boxes = tuple((int(page), from_plain(Box, box)) for page, box in fields["boxes"])
    opened = open_document(data, limits=limits)
    try:
        pictures = crops(opened, boxes, limits=limits)
    finally:
        opened.close()
    return _done({"crops": [base64.b64encode(picture).decode() for picture in pictures]}), b""


def _marks(_fields: dict[str, Any], data: bytes, limits: Limits) -> Answer:
    """The marks of a suspect file."""
    from ..formats.open import open_document
    from .read_marks import read_marks

    opened = open_document(data, limits=limits)
    try:
        return _done({"marks": to_plain(read_marks(opened, limits=limits, source=data))}), b""
    finally:
        opened.close()


ACTS: dict[str, Act] = {
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
