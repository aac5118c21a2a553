"""How surely the figures of a date were read, and which days it may be instead.

A worn 4 is read as 1, and no calendar objects. The reader itself does: the figures of dates that are right were read
with 0.95 and more (measured: 99 of 101 on clean and office scans), those misread on worn copies with 0.9 and less.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations, product

from .fields_date import DateRead, figures_like, find_date
from .fields_text import Row, normal

SURE_FIGURE = 0.95
"""A date with a figure read less surely is asked about."""
OTHER_FIGURE = 0.98
"""In such a date figures read less surely may be others."""
COMPLETED = 0.6
"""A character with no more was hardly seen, or completed under a seal: any figure may stand there."""
MOST_OTHERS, MOST_CHANGED = 12, 2
_TOLD = re.compile(r"[\d〇○零一二三四五六七八九十廿卅元]")
_DAY = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")


def unsure_date(row: Row, read: DateRead) -> tuple[bool, tuple[date, ...]]:
    """Whether a figure of the date was read with doubt (or any of its characters hardly at all), and the days that
    differ from it in such figures alone, those of one other figure first. Rows without confidences are not unsure."""
    scores = _scores(row)[read.start : read.end]
    told = row.tight[read.start : read.end]
    if len(scores) != len(told):
        return False, ()
    figures = [score for one, score in zip(told, scores, strict=True) if _TOLD.match(one)]
    if min(figures, default=1.0) >= SURE_FIGURE and min(scores, default=1.0) > COMPLETED:
        return False, ()
    return True, tuple(_others(told, scores, read.day))


def _scores(row: Row) -> tuple[float, ...]:
    """The confidence of each character of the row's tight text; empty where they cannot be told apart."""
    line = row.line
    if len(line.characters) != len(line.text):
        return ()
    found: list[float] = []
    text = ""
    for one, score in zip(line.text, line.characters, strict=True):
        more = normal(one).replace(" ", "")
        text += more
        found += [score] * len(more)
    return tuple(found) if text == row.tight else ()


def _others(told: str, scores: tuple[float, ...], day: date | None) -> list[date]:
    if not _DAY.fullmatch(told):
        return []
    choices = {
        place: [figure for figure in "0123456789" if figure != one]
        if score <= COMPLETED
        else figures_like(one)
        for place, (one, score) in enumerate(zip(told, scores, strict=True))
        if one.isdigit() and score < OTHER_FIGURE
    }
    found: list[date] = []
    for changes in range(1, MOST_CHANGED + 1):
        for places in combinations(choices, changes):
            for figures in product(*(choices[place] for place in places)):
                text = list(told)
                for place, figure in zip(places, figures, strict=True):
                    text[place] = figure
                read = find_date("".join(text))
                if read is not None and read[0] != day and read[0] not in found:
                    found.append(read[0])
                if len(found) >= MOST_OTHERS:
                    return found
    return found
