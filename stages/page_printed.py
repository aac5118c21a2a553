"""The number printed on a page, and the number of pages it says there are."""

from __future__ import annotations

import re

from ..models.page import Line, Page
from .fields_text import tight

_EDGE = 0.13
_BELOW = 0.87
_PRINTED = re.compile(
    r"^(?:[—\-–―~·_]{1,3}(?P<a>\d{1,4})[—\-–―~·_]{1,3}|第(?P<b>\d{1,4})页(?:[,，/]?共(?P<t>\d{1,4})页)?"
    r"|(?P<c>\d{1,4})/(?P<u>\d{1,4})|(?P<d>\d{1,3}))$"
)
_OTHERS = (
    re.compile(r"[—\-–―−~_=一]{1,4}(?P<a>\d{1,4})[—\-–―−~_=一]{1,4}"),
    re.compile(r"[.·•・](?P<a>\d{1,4})[.·•・]"),
    re.compile(r"第(?P<a>\d{1,4})页[(]共(?P<t>\d{1,4})页[)]"),
    re.compile(r"共(?P<t>\d{1,4})页[,，/]?第(?P<a>\d{1,4})页"),
    re.compile(r"[Pp]age(?P<a>\d{1,4})(?:of(?P<t>\d{1,4}))?"),
)
"""Rarer ways to print it."""
_TOTAL = re.compile(r"^(?:页数[:：]?)?共(?P<t>\d{1,4})页$")


def printed_of(page: Page) -> tuple[int | None, int | None, float]:
    """The number printed on a page, the total it names, and how sure the reading is (0..1)."""
    confidence = min((line.confidence for line in page.lines if line.role == "page_number"), default=1.0)
    if page.printed_number is not None or page.printed_total is not None:
        return page.printed_number, page.printed_total, confidence
    for line in reversed(page.lines):
        edge = line.box.top < _EDGE or line.box.bottom > 1 - _EDGE
        text = tight(line.text)
        found = _PRINTED.fullmatch(text) if edge or line.role == "page_number" else None
        if found is not None and (found["d"] is None or line.role == "page_number" or _alone(page, line)):
            number = found["a"] or found["b"] or found["c"] or found["d"]
            total = found["t"] or found["u"]
            return int(number), int(total) if total else None, line.confidence
        if edge and (alone := _TOTAL.fullmatch(text)):
            return None, int(alone["t"]), line.confidence
    return None, None, 0.0


def number_of(text: str) -> tuple[int, int | None] | None:
    """Number and total of a text that is nothing but a page number, bare figures too; None for any other."""
    short = tight(text)
    for pattern in (_PRINTED, *_OTHERS):
        if found := pattern.fullmatch(short):
            parts = found.groupdict()
            number = next(parts[name] for name in "abcd" if parts.get(name))
            total = parts.get("t") or parts.get("u")
            if total and not 1 <= int(number) <= int(total):
                return None
            return int(number), int(total) if total else None
    return None


def _alone(page: Page, line: Line) -> bool:
    """A bare figure below the text, with nothing beside it: a page number whose dashes were not read."""
    if line.box.top < _BELOW or line.box.right - line.box.left > 0.06:
        return False
    others = [other for other in page.lines if other is not line]
    beside = any(
        other.box.top < line.box.bottom and line.box.top < other.box.bottom and tight(other.text)
        for other in others
    )
    above = max((other.box.bottom for other in others if other.box.bottom <= line.box.top), default=0.0)
    return not beside and line.box.top - above > 0.008
