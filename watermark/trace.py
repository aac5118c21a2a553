"""From marks that were read to the strongest honest word: `copy`, `candidates` or `none`.

Knows numbers only: forensic ids, serials, what is printed. Whose copy it is, the register knows.

Threat model. Marks are claims by whoever made the file. A barcode or the information key counts only when its
MAC holds; even then it may have been moved from another paper, so the answer is a lead, never a finding.
Printed words carry no check: they give at most a candidate. A forged or foreign code is said to be so and
points to nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ..models.copy import Channel, Layer, ReadMark
from ..models.page import Finding
from .payload import Standing, decode, false_rate, serial_of

VerdictWord = Literal["copy", "candidates", "none"]
CHANNELS: tuple[Channel, ...] = ("forensic", "barcode", "visible", "metadata")
_TRIES, _PLACES, _MOST_COPIES = 100, 10_000, 100_000
"""Decodings of one picture, places of a page at which a fingerprint is looked for, copies looked among: at most."""
_VISIBLE_SCORE, _PRINT_SCORE = 0.3, 0.9
_FINDING: dict[Standing, str] = {
    "forged": "forged_barcode",
    "foreign": "foreign_barcode",
    "unknown_version": "unknown_barcode_version",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReading:
    """One channel's answer. `value` is the first checked value, else the first read; None when not found.

    `found`: a mark of ours was read in this channel (checked, where the channel has a check).
    """

    channel: Channel
    found: bool
    value: str | None
    score: float
    layer: Layer | None = None
    """Which of the invisible marks it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A copy the file may be: either `id` and `serial` (checked), or `document` and `number` (printed)."""

    score: float
    id: int | None = None
    serial: int | None = None
    document: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceVerdict:
    """The answer for one file, in numbers.

    `id`, `serial`: set for `copy` only. `confidence` (0..1): that the number was read right, not that its
    holder leaked it. `false_rate`: bound of the probability that what was read names our copy by chance;
    None where nothing was checked.
    """

    verdict: VerdictWord
    id: int | None
    serial: int | None
    confidence: float
    false_rate: float | None
    channels: tuple[ChannelReading, ...]
    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]


def judge(marks: Iterable[ReadMark], *, key: bytes, tag: bytes) -> TraceVerdict:
    """What `marks` of one file say to the station with this mark key and tag."""
    marks = tuple(marks)
    scores: dict[int, float] = {}
    by_channel: dict[Channel, set[int]] = {"barcode": set(), "metadata": set(), "forensic": set()}
    findings: dict[tuple[str, int], Finding] = {}
    checked, tinted, said = 0, 0.0, set[int]()
    strongest = max(
        (mark.score for mark in marks if mark.channel == "forensic" and not mark.coded), default=1.0
    )
    for mark in marks:
        if mark.channel not in by_channel:
            continue
        if mark.channel == "forensic":
            number = int(mark.value, 16)
            tinted = max(tinted, RATES[mark.layer](mark))
            by_channel["forensic"].add(number)
            score = 1.0 if mark.coded else _PRINT_SCORE * mark.score / max(strongest, 1e-9)
            scores[number] = max(score, scores.get(number, 0.0))
            if mark.coded:
                said.add(number)
            continue
        verdict = decode(key, tag, mark.value)
        if verdict.standing != "not_ours":
            checked += 1
        if verdict.id is not None:
            by_channel[mark.channel].add(verdict.id)
            scores[verdict.id] = max(scores.get(verdict.id, 0.0), mark.score)
            said.add(verdict.id)
        code = _FINDING.get(verdict.standing)
        if code:
            findings.setdefault((code, mark.page), Finding(code, page=mark.page or None, box=mark.box))
    printed = _printed(marks)
    rate = min(1.0, false_rate(checked) * (checked > 0) + tinted) if scores else None
    channels = tuple(_channel(name, marks, by_channel, printed, key, tag) for name in CHANNELS)
    if len(scores) > 1:
        findings.setdefault(("channels_disagree", 0), Finding("channels_disagree"))
    if not scores and printed:
        findings.setdefault(("unverified_visible_mark", 0), Finding("unverified_visible_mark"))
    leads = tuple(
        Candidate(id=id, serial=serial_of(key, id), score=score)
        for id, score in sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    )
    word: VerdictWord = "none"
    if len(leads) == 1 and leads[0].id in said:
        word = "copy"
    elif leads or printed:
        word = "candidates"
    only = leads[0] if word == "copy" else None
    return TraceVerdict(
        verdict=word,
        id=only.id if only else None,
        serial=only.serial if only else None,
        confidence=_confidence(leads, rate, printed),
        false_rate=rate,
        channels=channels,
        candidates=(leads or printed) if word == "candidates" else (),
        findings=tuple(findings.values()),
    )


def _tint_rate(mark: ReadMark) -> float:
    """Bound of the probability that a page without our tint gives this mark: the CRC holds by chance and the
    fingerprint reaches its z at one of the places and poses tried. Without a number the fingerprint alone speaks, among
    at most a hundred thousand copies.
    """
    tests = mark.tests or _PLACES * (1 if mark.coded else _MOST_COPIES)
    return min(1.0, _tail(mark.score, tests) * (_TRIES * 2.0**-32 if mark.coded else 1.0))


def _glyph_rate(mark: ReadMark) -> float:
    """Bound of the probability that the signs of any copy that was compared agree so well by chance, whatever the
    picture shows (Hoeffding; docs/spec/mark.md).
    """
    return min(1.0, _tail(mark.score, mark.tests))


def _tail(z: float, tests: float) -> float:
    """Bound for so many sums of fixed values with random signs, each over its own length (Hoeffding 1963, theorem 2;
    the proof stands in tint_match.py).
    """
    return tests * math.exp(-(max(0.0, z) ** 2) / 2)


RATES: dict[Layer, Callable[[ReadMark], float]] = {
    "glyphs": _glyph_rate,
    "tint": _tint_rate,
    "dots": _tint_rate,
}
"""For each layer the bound of the probability that a page without our marks gives such a mark. A new layer puts its own
beside the others here, and its reader into the list of stages/mark_channels.py.
"""


def _confidence(leads: tuple[Candidate, ...], rate: float | None, printed: tuple[Candidate, ...]) -> float:
    if leads:
        return (1.0 - (rate or 0.0)) / len(leads)
    return _VISIBLE_SCORE / len(printed) if printed else 0.0


def _printed(marks: tuple[ReadMark, ...]) -> tuple[Candidate, ...]:
    """Copies that printed words name completely: document and number."""
    named: dict[tuple[str, int], None] = {}
    for mark in marks:
        if mark.channel != "visible":
            continue
        document, _, number = mark.value.rpartition(" ")
        if document not in ("", "-") and number.isascii() and number.isdigit():
            named.setdefault((document, int(number)))
    return tuple(
        Candidate(document=document, number=number, score=_VISIBLE_SCORE) for document, number in named
    )


def _channel(
    name: Channel,
    marks: tuple[ReadMark, ...],
    own: dict[Channel, set[int]],
    printed: tuple[Candidate, ...],
    key: bytes,
    tag: bytes,
) -> ChannelReading:
    here = [mark for mark in marks if mark.channel == name]
    if name == "forensic" and here:
        surest = max(here, key=lambda mark: (mark.coded, mark.score))
        return ChannelReading(
            channel=name, found=True, value=surest.value, score=surest.score, layer=surest.layer
        )
    if not here:
        return ChannelReading(channel=name, found=False, value=None, score=0.0)
    if name == "visible":
        found = bool(printed)
        return ChannelReading(channel=name, found=found, value=here[0].value, score=_VISIBLE_SCORE * found)
    best = [mark for mark in here if decode(key, tag, mark.value).standing == "own"]
    first = (best or here)[0]
    return ChannelReading(
        channel=name,
        found=bool(own[name]),
        value=first.value,
        score=max((mark.score for mark in best), default=0.0),
    )
