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
from ..models.copy import Layer, ReadMark
from ..watermark import tint_read
from ..watermark.tint import TintKey

DRAWN = ("pdf", "docx", "ofd")
"""Kinds whose pages are drawn, at any resolution."""
DPI, OWN_PIXELS = 200, 1200


@dataclass(kw_only=True)
class Suspect:
    """What every channel is given."""

    opened: OpenedDocument
    numbers: Sequence[int]
    """Its pages, those most worth a look first."""
    key: TintKey
    """The station's tint key; what other layers need is derived from it."""
    ids: Sequence[int] = ()
    """The copies there are."""
    thorough: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    """What else the caller knows and a channel may need."""
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
    for channel in CHANNELS:
        until = min(end, time.monotonic() + channel.seconds[suspect.thorough])
        marks.extend(channel.read(suspect, until))
        if any(mark.coded for mark in marks) or time.monotonic() > end:
            break
    return marks


def _tint(suspect: Suspect, end: float) -> list[ReadMark]:
    """The tint of the first page that shows one."""
    for number, picture in suspect.pages(end=end):
        reading = tint_read.read(picture, suspect.key, end=end)
        if reading is not None:
            return [ReadMark(page=number, channel="forensic", value=f"{reading.id:012x}", score=reading.z)]
        found = tint_read.suspects(picture, suspect.key, suspect.ids, end=end) if suspect.ids else ()
        if found:
            return [
                ReadMark(page=number, channel="forensic", value=f"{id:012x}", score=z, coded=False)
                for id, z in found
            ]
    return []


CHANNELS: tuple[MarkChannel, ...] = (MarkChannel("tint", _tint, (12.0, 70.0)),)
"""In the order of cost."""
