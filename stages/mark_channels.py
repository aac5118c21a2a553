"""The channels by which a suspect file is looked at for invisible marks, in the order of their cost.

A channel is one function: it is given the suspect and the time it may take until, and gives the marks it read. The
first channel that reads a number ends the search; marks without a number are kept, and the next one tries. A new layer
adds its function and one line of `CHANNELS`, and its false rate to `RATES` of watermark/trace.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument, Picture
from ..models.copy import Layer, MarkView, ReadMark
from ..watermark import dots_read, tint_read
from ..watermark.tint import TintKey
from ..watermark.tint_match import Seen
from .mark_tint import Evidence, add_up, look_at

DRAWN = ("pdf", "docx", "ofd")
"""Kinds whose pages are drawn, at any resolution."""
DPI, OWN_PIXELS = 200, 1200
_CROSS_CHECKED = 2
"""Pages whose tint is compared with what a barcode said."""


@dataclass(kw_only=True)
class Suspect:
    """What every channel is given, and where it may leave what it saw."""

    opened: OpenedDocument
    numbers: Sequence[int]
    """Its pages, those most worth a look first."""
    key: TintKey
    """The station's tint key; what other layers need is derived from it."""
    ids: Sequence[int] = ()
    """The copies there are."""
    thorough: bool = False
    named: bool = False
    """Whether a barcode of ours named a copy already. It may have been moved here from another copy: so the tint is
    still asked, plainly, on the first pages; where it is gone, the barcode stands alone.
    """
    given: Mapping[str, Any] = field(default_factory=dict)
    """What else the caller knows and a channel may need."""
    seen: list[tuple[int, Seen]] = field(default_factory=list)
    """Page and sighting of every way in which the tint was seen."""
    views: list[MarkView] = field(default_factory=list)
    """What there is to show of it."""
    _last: tuple[int, Picture] | None = None

    def pages(self, *, end: float) -> Iterator[tuple[int, Picture]]:
        """Each page as a picture of 200 dpi (a photo in its own pixels), until `end`; without what cannot be drawn."""
        for number in self.numbers:
            if time.monotonic() > end:
                return
            if self._last is None or self._last[0] != number:
                try:
                    wanted = DPI if self.opened.kind in DRAWN else OWN_PIXELS
                    self._last = number, self.opened.render(number, wanted)
                except FormatFault:
                    continue
            yield self._last


@dataclass(frozen=True, slots=True)
class MarkChannel:
    """One channel: its layer, its function, and the seconds it may take (usually; thorough)."""

    layer: Layer
    read: Callable[[Suspect, float], list[ReadMark]]
    seconds: tuple[float, float]


def read_channels(suspect: Suspect, *, end: float) -> list[ReadMark]:
    """The marks of all channels, the cheapest first, until one of them reads a number or time is up."""
    marks: list[ReadMark] = []
    for channel in CHANNELS[:1] if suspect.named else CHANNELS:
        until = min(end, time.monotonic() + channel.seconds[suspect.thorough])
        marks.extend(channel.read(suspect, until))
        if any(mark.coded for mark in marks) or time.monotonic() > end:
            break
    return marks


def _tint(suspect: Suspect, end: float) -> list[ReadMark]:
    """The tint of the first page that answers, else of all pages together, else the fingerprints there are."""
    effort = tint_read.THOROUGH if suspect.thorough else tint_read.BRIEF if suspect.named else tint_read.USUAL
    for count, (number, picture) in enumerate(suspect.pages(end=end)):
        if effort is tint_read.BRIEF and count == _CROSS_CHECKED:
            break
        looked = look_at(picture, number, suspect.key, effort=effort, ids=suspect.ids, end=end)
        suspect.seen.extend(looked.seen)
        if looked.marks:
            suspect.views.extend(looked.views)
            return list(looked.marks)
    evidence: Evidence = add_up(suspect.seen, suspect.key, suspect.ids)
    suspect.views.extend(evidence.views)
    return list(evidence.marks)


def _dots(suspect: Suspect, end: float) -> list[ReadMark]:
    """The dots of the first page that answers."""
    for number, picture in suspect.pages(end=end):
        reading, seen = dots_read.look(picture, suspect.key, end=end)
        found = (reading,) if reading else dots_read.suspects(seen, suspect.key, suspect.ids)
        if found:
            return [
                ReadMark(
                    page=number, channel="forensic", value=f"{one.id:012x}", score=one.z, tests=float(one.tests),
                    coded=reading is not None, layer="dots",
                )
                for one in found
            ]  # fmt: skip
    return []


CHANNELS: tuple[MarkChannel, ...] = (
    MarkChannel("tint", _tint, (9.0, 60.0)),
    MarkChannel("dots", _dots, (5.0, 20.0)),
)
"""In the order of cost."""
