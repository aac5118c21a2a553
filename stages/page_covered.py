"""Characters that the ring or the star of a black seal covers, where the paper itself says what stands there.

Under a black seal one character of a name is often gone, and no reading brings it back. But the same name stands
elsewhere on the page, and a date has its form. Such a text is put in place of what was read when it differs only under
the seal, and when the strip itself speaks for it (the recogniser's likelihood). What was completed has a low
confidence, so that a person looks at it; where two texts fit, what was read stays.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from ..formats.opened import Picture
from .engines.engine import EngineFault, Weighing
from .engines.recognise import cut_out
from .fields_text import tight
from .page_layers import ROOM, free_room, longer, on_page, overlaps, rings
from .page_placed import Piece
from .page_prepare import Prepared

SURE = 0.9
"""Names are taken from pieces read as surely as this."""
SHORTEST = 4
"""Characters of a name."""
MOST_EDITS = 1 / 3
"""Part of a name's characters that may be missing or misread."""
COST = 8.0
"""So much of the logarithm of the likelihood one completed character may cost (measured: characters under a ring cost
1 to 7.5, characters that are not there 9 and more)."""
APART = 3.0
"""The next likely text must be so much less likely."""
BEYOND = 1.15
"""How far the ring reaches, in its radius: its line and the roughness of where it was found."""
LOW, HIGH = 0.3, 0.6
"""Confidence of what was completed."""
CENTURY = 2000
_NAME = re.compile(r"[\u4e00-\u9fff〇()]+")
_END = re.compile(r"文件$|办公[厅室]$|印发$|关于.*$|令$|\(.*$")
_TORN = re.compile(r"(\d{2,4})年(\d{1,2})月(\d{1,3})(日?)")
_WHOLE = re.compile(r"(?:19|20)\d\d年\d{1,2}月\d{1,2}日")


@dataclass(frozen=True, slots=True)
class _Edits:
    """How a text is made of what was read: how many changes, and for each of its characters the place it had."""

    count: int
    places: tuple[int | None, ...]


def completed(
    pieces: Sequence[Piece], prepared: Prepared, came: Picture, engine: object, *, deadline: float
) -> list[Piece]:
    """The pieces, torn names and dates under black seals completed.

    Args:
        pieces: as read.
        prepared: the page, its seals cleaned.
        came: the page as it came.
        engine: weighs the strips; one that cannot changes nothing.
        deadline: on the monotonic clock; beyond it nothing is weighed.
    """
    if not prepared.black or not isinstance(engine, Weighing):
        return list(pieces)
    found = list(pieces)
    for at, piece in enumerate(pieces):
        box = prepared.box([piece.raw.quad])
        if piece.raw.vertical or not any(overlaps(box, seal) for seal in prepared.seals):
            continue
        texts = _texts(tight(piece.raw.text), [one for one in pieces if one is not piece])
        if not texts or monotonic() >= deadline:
            continue
        try:
            found[at] = _weighed(piece, texts, pieces, prepared, came, engine)
        except EngineFault:  # what was read stands: a second look never loses a page
            return found
    return found


def _texts(read: str, others: Sequence[Piece]) -> dict[str, _Edits]:
    """The texts that may stand there; none where what was read needs no completion."""
    if _WHOLE.search(read):
        return {}
    if torn := _TORN.search(read):
        return {text: _edits(read, text) for text in _dates(torn)}
    if len(_NAME.findall(read)) != 1 or len(read) < SHORTEST - 1:
        return {}
    names = {name for one in others if one.raw.confidence >= SURE for name in _names(tight(one.raw.text))}
    if read in names:
        return {}
    near = {
        name: _edits(read, name) for name in names if abs(len(name) - len(read)) <= len(name) * MOST_EDITS
    }
    return {name: edits for name, edits in near.items() if edits.count <= MOST_EDITS * len(name)}


def _names(text: str) -> Iterator[str]:
    """Names that a line may give: its runs of characters, whole and without what is said of them behind."""
    for run in _NAME.findall(text):
        while len(run) >= SHORTEST:
            yield run
            shorter = _END.sub("", run)
            if shorter == run:
                break
            run = shorter


def _dates(torn: re.Match[str]) -> Iterator[str]:
    """Dates of which this may be left; the last two figures of the year and the month were read."""
    year, month = CENTURY + int(torn[1][-2:]), int(torn[2])
    figures = torn[3]
    days = {figures[:1], figures[:2]}
    if len(figures) == 1 and not torn[4]:
        days |= {figures + str(more) for more in range(10)}
    for day in days:
        if day[0] != "0" and 1 <= month <= 12 and int(day) <= monthrange(year, month)[1]:
            yield f"{year}年{month}月{day}日"


def _weighed(
    piece: Piece, texts: dict[str, _Edits], pieces: Sequence[Piece], prepared: Prepared, came: Picture,
    engine: Weighing,
) -> Piece:  # fmt: skip
    """The piece with the one text that the strips speak for, or as it is."""
    read = tight(piece.raw.text)
    told = [read, *texts]
    best = [-math.inf] * len(told)
    own = piece.raw.quad
    room = free_room(piece, pieces)
    quads = dict.fromkeys([own, *(longer(own, *(min(more, end) for end in room)) for more in ROOM)])
    for quad in quads:
        strip = cut_out(came, on_page(quad, prepared))  # cleaning took some of the writing, too
        if strip is not None:
            best = [max(pair) for pair in zip(best, engine.weigh(strip, told), strict=True)]
    order = sorted((best[0] - one, text) for one, text in zip(best[1:], texts, strict=True))
    cost, text = order[0]
    edits = texts[text]
    alone = len(order) == 1 or order[1][0] >= cost + APART
    if not alone or cost > COST * edits.count or not _covered(edits, text, piece, prepared):
        return piece
    sure = min(HIGH, max(LOW, math.exp(-max(0.0, cost) / max(1, edits.count))))
    scores = (
        piece.raw.characters if len(piece.raw.characters) == len(read) else [piece.raw.confidence] * len(read)
    )
    characters = tuple(round(sure if place is None else scores[place], 2) for place in edits.places)
    return replace(piece, raw=replace(piece.raw, text=text, characters=characters))


def _covered(edits: _Edits, text: str, piece: Piece, prepared: Prepared) -> bool:
    """Whether every completed character stands where a seal is; places are told by the widths of the characters."""
    wide = [_width(one) for one in tight(piece.raw.text)]
    (left, top), (right, _), (_, bottom), _ = piece.raw.quad
    pitch = (right - left) / max(1.0, sum(wide))
    kept = [(at, place) for at, place in enumerate(edits.places) if place is not None]
    for at, place in enumerate(edits.places):
        if place is not None or not kept:
            continue
        near, own = min(kept, key=lambda one: abs(one[0] - at))
        between = sum(map(_width, text[min(near, at) : max(near, at)]))
        x = left + pitch * (sum(wide[:own]) + wide[own] / 2 + (between if at > near else -between))
        reach = [
            math.hypot(x - a, (top + bottom) / 2 - b) - radius * BEYOND for a, b, radius in rings(prepared)
        ]
        if min(reach, default=math.inf) > pitch:
            return False
    return bool(kept)


def _width(character: str) -> float:
    return 0.55 if character.isascii() else 1.0


def _edits(read: str, text: str) -> _Edits:
    """Fewest insertions, replacements and deletions from `read` to `text`."""
    rows = [list(range(len(text) + 1))]
    for at, one in enumerate(read, start=1):
        row = [at]
        for place, other in enumerate(text, start=1):
            row.append(min(rows[-1][place] + 1, row[-1] + 1, rows[-1][place - 1] + (one != other)))
        rows.append(row)
    places: list[int | None] = [None] * len(text)
    at, place = len(read), len(text)
    while at and place:
        if read[at - 1] == text[place - 1] and rows[at][place] == rows[at - 1][place - 1]:
            places[place - 1] = at - 1
            at, place = at - 1, place - 1
        elif rows[at][place] == rows[at - 1][place - 1] + 1:
            at, place = at - 1, place - 1
        elif rows[at][place] == rows[at][place - 1] + 1:
            place -= 1
        else:
            at -= 1
    return _Edits(rows[-1][-1], tuple(places))
