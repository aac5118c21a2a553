"""What an office does to a paper before it is scanned: receiving stamp, scribbles, holes, staple, tick boxes."""

from __future__ import annotations

import math
import random
from datetime import timedelta

from .grammar import book
from .paper import Paper
from .sheet import LEFT, PAPER_W, RIGHT, Hole, Ink, Rule, Seal, Sheet, Stamp, Stroke, Text, width

_Box = tuple[float, float, float, float]
_DEPARTMENTS = {"train": ("办公室", "机要科"), "test": ("文电科", "收发室")}
_TICKS = {
    "train": ("☑存档　□传阅　□退回", "□已登记　☑待阅　□已办"),
    "test": ("□原件　☑复印件　□传真件", "☑急办　□平件　□备查"),
}


def dress(sheets: list[Sheet], paper: Paper, *, seed: int) -> tuple[str, ...]:
    """Adds to the pages, in place; the same seed adds the same. Nothing covers text except the red and black seals.

    Words of the stamp and tick boxes go to `left_out`; handwriting is no text that anybody should read.

    Returns:
        What was added that may mislead a reader: `stamp`, `ticks`, `scribble`, `holes`.
    """
    added: list[str] = []
    rng = random.Random(f"dress:{paper.split}:{seed}")
    first = sheets[0]
    if rng.random() < 0.45 and _receive(first, paper, rng):
        added.append("stamp")
    if rng.random() < 0.2 and _tick(first, rng, paper.split):
        added.append("ticks")
    for sheet in sheets:
        if rng.random() < (0.2 if sheet is first else 0.05) and _scribble(sheet, rng):
            added.append("scribble")
    if rng.random() < 0.35:
        for sheet in sheets:
            sheet.things += [Hole(11.0, 108.5), Hole(11.0, 188.5)]
        added.append("holes")
    if rng.random() < 0.3:
        x, y = rng.uniform(8, 14), rng.uniform(8, 14)
        first.things.append(Stroke(((x, y + 6), (x + 7, y)), 0.7, "grey"))
    if rng.random() < 0.1:
        for sheet in sheets:
            sheet.things = [
                Seal(thing.x, thing.y, thing.organ, thing.diameter, "black")
                if isinstance(thing, Seal)
                else thing
                for thing in sheet.things
            ]
    return tuple(dict.fromkeys(added))


def _receive(sheet: Sheet, paper: Paper, rng: random.Random) -> bool:
    """收文章: the receiving unit, number and date of receipt; a few days after the date of issue."""
    signed = paper.fields.signed_date
    day = signed + timedelta(days=rng.randint(2, 9)) if signed else None
    unit = book(paper.split).organs[paper.profile]["unit"][:10]
    words = [f"{unit}", "收 文 章", f"收文第{rng.randint(1, 1999):04d}号"]
    if day:
        words.append(f"{day.year}年{day.month}月{day.day}日")
    wide, high = rng.uniform(38, 46), rng.uniform(19, 24)
    place = _free(sheet, wide + 3, high + 4)
    if place is None:
        return False
    x, y = place
    sheet.things.append(Stamp(x + wide / 2, y + high / 2, wide, high, tuple(words), rng.uniform(-5, 5)))
    sheet.left_out += words
    return True


def _tick(sheet: Sheet, rng: random.Random, split: str) -> bool:
    text = rng.choice(_TICKS[split])
    size = 4.4
    wide = width(text, size, "sans")
    place = _free(sheet, wide, 8)
    if place is None:
        return False
    x, y = place
    sheet.things.append(Text(x, y + 6, text, size, "sans"))
    sheet.left_out.append(text)
    return True


def _scribble(sheet: Sheet, rng: random.Random) -> bool:
    """A note in the margin as a pen leaves it: loops that are no characters."""
    wide, high = rng.uniform(15, 19), rng.uniform(20, 60)
    place = _free(sheet, wide, high, margins=True)
    if place is None:
        return False
    x, y = place
    ink: Ink = rng.choice(("blue", "black", "red"))
    at = y + 4
    while at < y + high - 3:
        left = x + rng.uniform(0, 2)
        while left < x + wide - 4:
            big = rng.uniform(3.6, 5.2)
            sheet.things += [Stroke(line, 0.45, ink) for line in _sign(left, at, big, rng)]
            left += big * 1.25
        at += 7.5
    if rng.random() < 0.5:
        sheet.things.append(Stroke(_wave(x, at, wide, rng), 0.45, ink))
    return True


def _sign(x: float, y: float, size: float, rng: random.Random) -> list[tuple[tuple[float, float], ...]]:
    lines = []
    for _ in range(rng.randint(4, 7)):
        level = rng.random() < 0.5
        at, reach = rng.uniform(-0.5, 0.5) * size, rng.uniform(0.5, 1.0) * size
        start = (
            (x + rng.uniform(0, 0.3) * size, y + at)
            if level
            else (x + rng.uniform(0.2, 0.9) * size, y - size / 2)
        )
        end = (
            (start[0] + reach, start[1] - 0.15 * size)
            if level
            else (start[0] - 0.3 * reach, start[1] + reach)
        )
        bend = ((start[0] + end[0]) / 2 + rng.uniform(-1, 1), (start[1] + end[1]) / 2 + rng.uniform(-1, 1))
        lines.append(
            tuple(
                (
                    (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t * t * end[0],
                    (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t * t * end[1],
                )
                for t in (i / 9 for i in range(10))
            )
        )
    return lines


def _wave(x: float, y: float, wide: float, rng: random.Random) -> tuple[tuple[float, float], ...]:
    phase, high = rng.uniform(0, 6), rng.uniform(0.6, 2.0)
    return tuple((x + wide * i / 20, y + high * math.sin(phase + i * 0.9)) for i in range(21))


def _free(sheet: Sheet, wide: float, high: float, *, margins: bool = False) -> tuple[float, float] | None:
    """The top left corner of an empty place of this size: at the top right first, then downwards."""
    taken = [box for thing in sheet.things for box in _boxes(thing)]
    across = (PAPER_W - wide - 5.0, 4.0) if margins else (RIGHT - wide, (LEFT + RIGHT - wide) / 2, LEFT)
    down = (
        range(16, 282 - int(high), 4)
        if margins
        else (*range(16, 70, 3), *range(262 - int(high), 100, -4), 266)
    )
    for y in down:
        for x in across:
            box = (x - 1.5, y - 1.5, x + wide + 1.5, y + high + 1.5)
            if y + high < 287 and not any(_meet(box, other) for other in taken):
                return x, float(y)
    return None


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _boxes(thing: object) -> list[_Box]:
    match thing:
        case Text():
            wide = width(thing.text, thing.size, thing.face, thing.spacing)
            return [(thing.x, thing.y - thing.size, thing.x + wide, thing.y + 0.3 * thing.size)]
        case Rule():
            return [(min(thing.x1, thing.x2), thing.y1 - 1, max(thing.x1, thing.x2), thing.y2 + 1)]
        case Seal():
            half = thing.diameter / 2
            return [(thing.x - half, thing.y - half, thing.x + half, thing.y + half)]
        case Stamp():
            return [
                (thing.x - thing.wide / 2, thing.y - thing.high / 2, thing.x + thing.wide / 2,
                 thing.y + thing.high / 2)
            ]  # fmt: skip
        case Stroke():
            across, down = zip(*thing.points, strict=True)
            return [(min(across), min(down), max(across), max(down))]
        case Hole():
            return [(thing.x - 4, thing.y - 4, thing.x + 4, thing.y + 4)]
        case _:
            return []
