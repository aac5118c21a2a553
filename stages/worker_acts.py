"""What a worker can be asked: each act is pure, a request in, an answer out.

Imports stand inside: a worker that only reads pictures loads no PDF parser, one that judges no OCR engine.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..models.outcome import Done, Doubt, Failure, Outcome
from ..models.wire import from_plain, to_plain
from .glyph_acts import GLYPH_ACTS
from .mark_acts import MARK_ACTS
from .worker_request import Answer, Request, done, plain

if TYPE_CHECKING:
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from ..models.suggestion import Relations


def _look(request: Request) -> Answer:
    """intake alone: what the file is."""
    from .intake import intake

    outcome = intake(request.data, limits=request.limits)
    if not isinstance(outcome, Done):
        return plain(outcome), b""
    incoming = outcome.value
    value = {
        "kind": incoming.kind, "pages": incoming.pages, "signature": incoming.signature,
        "protection": incoming.protection, "active": list(incoming.active),
        "findings": to_plain(incoming.findings),
    }  # fmt: skip
    return done(value), b""


def _warm(request: Request) -> Answer:
    """Gets ready for files that are to come."""
    from .warm import warm

    warm([str(suffix) for suffix in request.fields["suffixes"]])
    return done({}), b""


def _peek(request: Request) -> Answer:
    """Whether the first page says, in text of its own, that the paper may not wait."""
    from .urgent_page import peek

    return done({"urgent": peek(request.data, limits=request.limits)}), b""


def _brief(request: Request) -> Answer:
    """The policy and profile that papers are judged by from now on; in the bytes a model made on the station."""
    fields = request.fields
    model = (str(fields["model"]), request.data) if fields.get("model") else None
    request.known.tell(policy=str(fields["policy"]), profile=fields["profile"], model=model)
    return done({}), b""


def _read(request: Request) -> Answer:
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


def _pages(request: Request) -> Answer:
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
    return (plain(read) if isinstance(read, Failure) else done({})), b""


def _assemble(request: Request) -> Answer:
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
            return done(value), b"".join(blobs)
        case Doubt(value=value, questions=questions):
            return done(value, questions=questions), b"".join(blobs)
        case _:
            return plain(outcome), b""


def _judge_of(request: Request) -> Callable[[Transcript, OfficialFields], dict[str, Any]] | None:
    """How a paper that cites nothing known is judged; None when nobody told by what."""
    if not request.known.judges or "origin" not in request.fields:
        return None
    from ..models.suggestion import Relations

    return lambda transcript, official: _judged(request, transcript, official, Relations())


def _judge(request: Request) -> Answer:
    """classify → retain of a paper read before, knowing what it cites; its pages come in `data`."""
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from ..models.suggestion import Relations
    from .stack import for_fields

    fields = request.fields
    transcript = for_fields(from_plain(Transcript, json.loads(request.data)))
    official = from_plain(OfficialFields, fields["fields"])
    relations = from_plain(Relations, fields["relations"])
    return done(_judged(request, transcript, official, relations)), b""


def _prints(request: Request) -> Answer:
    """What a paper read before cites, and its passages; its pages come in `data`."""
    from ..models.page import Transcript
    from .citations import cited_numbers
    from .passages import prints_of
    from .stack import for_fields

    transcript = for_fields(from_plain(Transcript, json.loads(request.data)))
    return done({"cites": list(cited_numbers(transcript)), "prints": to_plain(prints_of(transcript))}), b""


def _features(request: Request) -> Answer:
    """What the small model sees of a paper read before; its pages come in `data`, the features go back as JSON."""
    from ..models.fields import OfficialFields
    from ..models.page import Transcript
    from .content_match import body_of, find_words
    from .stack import for_fields
    from .topic_features import all_words, see

    policy = request.known.policy
    body = body_of(for_fields(from_plain(Transcript, json.loads(request.data))))
    seen = see(
        body=body, found=find_words(body, policy, all_words(policy)), policy=policy,
        fields=from_plain(OfficialFields, request.fields["fields"]), profile=request.known.profile,
    )  # fmt: skip
    return done({}), json.dumps(seen.features, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _learn(request: Request) -> Answer:
    """A model moved towards confirmed papers, whose features and levels come in `data`; see topic_learn.py."""
    from .topic_learn import Lesson, learn
    from .topic_model import shipped_model

    fields = request.fields
    lessons = from_plain(tuple[Lesson, ...], json.loads(request.data))
    learned = learn(
        lessons, base=shipped_model(), policy=request.known.policy, profile=request.known.profile,
        folds=int(fields["folds"]), strength=float(fields["strength"]),
    )  # fmt: skip
    plain_value = {name: to_plain(getattr(learned, name)) for name in ("before", "after", "levels")}
    return done(plain_value), learned.text.encode()


def _items(request: Request) -> Answer:
    """The rows of a unit's list of secret matters, from a workbook or CSV."""
    from .unit_list import read_items

    return done({"items": to_plain(read_items(request.data, limits=request.limits))}), b""


def _judged(
    request: Request, transcript: Transcript, official: OfficialFields, relations: Relations
) -> dict[str, Any]:
    from .classify import classify
    from .retain import retain

    policy, profile = request.known.policy, request.known.profile
    listed = tuple((item.item, item.level.value, item.period, item.words) for item in policy.unit_items)
    relations = replace(relations, unit_items=relations.unit_items + listed)
    origin = request.fields["origin"] or policy.retention.origin_of(official.organs)
    level = classify(
        transcript=transcript, fields=official, policy=policy, profile=profile, relations=relations,
        model=request.known.model,
    )  # fmt: skip
    retention = retain(
        transcript=transcript, fields=official, policy=policy, profile=profile, origin=origin, important=None,
        flags=(),
    )  # fmt: skip
    return {"level": to_plain(level), "retention": to_plain(retention), "origin": origin}


def _cut(request: Request) -> Answer:
    """Some pages of a stack as a file of their own."""
    from .cut import cut

    pages = [int(number) for number in request.fields["pages"]]
    with request.opened() as opened:
        return done({}), cut(opened, request.data, pages=pages, limits=request.limits)


def _join(request: Request) -> Answer:
    """Pages of several scans, one behind the other in the request's bytes, as one PDF."""
    from .join import join

    sources, at = [], 0
    for size in request.fields["sizes"]:
        sources.append(request.data[at : at + int(size)])
        at += int(size)
    picks = [(int(source), int(page)) for source, page in request.fields["picks"]] or None
    data, pages = join(sources, picks, limits=request.limits)
    return done({"pages": pages}), data


def _unpack(request: Request) -> Answer:
    """Files of an archive, some at a time."""
    from .unpack import unpack

    fields = request.fields
    first, passwords = int(fields["first"]), fields["passwords"]
    outcome, pieces = unpack(request.data, first=first, passwords=passwords, limits=request.limits)
    return (done(outcome.value) if isinstance(outcome, Done) else plain(outcome)), pieces


def _sheet(request: Request) -> Answer:
    """Crops of boxes on pages, as PNG in base64."""
    from ..models.page import Box
    from .review_sheet import crops

    boxes = tuple((int(page), from_plain(Box, box)) for page, box in request.fields["boxes"])
    with request.opened() as opened:
        pictures = crops(opened, boxes, limits=request.limits)
    return done({"crops": [base64.b64encode(picture).decode() for picture in pictures]}), b""


def _searchable(request: Request) -> Answer:
    """The document as a PDF with its text unseen under what it shows."""
    from ..models.page import Transcript
    from .searchable import searchable

    transcript = from_plain(Transcript, request.fields["transcript"])
    with request.opened() as opened:
        made = searchable(opened, transcript, source=request.data, limits=request.limits)
    return done({"pdfa": made.pdfa, "why_not": made.why_not}), made.data


def _lay_text(request: Request) -> Answer:
    """A flattened copy with the text unseen on its pictures."""
    from ..models.page import Transcript
    from .searchable import lay_text

    return done({}), lay_text(request.data, from_plain(Transcript, request.fields["transcript"]))


ACTS: dict[str, Callable[[Request], Answer]] = {
    "look": _look,
    "warm": _warm,
    "peek": _peek,
    "brief": _brief,
    "read": _read,
    "pages": _pages,
    "assemble": _assemble,
    "judge": _judge,
    "prints": _prints,
    "features": _features,
    "learn": _learn,
    "items": _items,
    "cut": _cut,
    "join": _join,
    "sheet": _sheet,
    "searchable": _searchable,
    "lay_text": _lay_text,
    "unpack": _unpack,
    **MARK_ACTS,
    **GLYPH_ACTS,
}
