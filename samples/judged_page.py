"""Text of the judged set laid out as pages, so that places mean what they do on a paper (GB/T 9704-2012 ch. 5, 7).

One line of the text is one paragraph: `^` centres it, `>` sets it at the right, `===` begins a page. Long paragraphs
break at 28 characters with an indent of two; a page that is full goes over.
"""

from __future__ import annotations

from ..models.page import Box, Line, Page, Transcript

COLUMNS, ROWS = 28, 24
WIDTH_MM, HEIGHT_MM = 210.0, 297.0
_LEFT, _RIGHT, _TOP = 28 / WIDTH_MM, 184 / WIDTH_MM, 38 / HEIGHT_MM
_PITCH, _HEIGHT = 9.3 / HEIGHT_MM, 5.6 / HEIGHT_MM
_CHARACTER = (_RIGHT - _LEFT) / COLUMNS
_OCR_CONFIDENCE = 0.93


def pages_of(text: str, *, ocr: bool = False) -> Transcript:
    """The text as pages with boxes. `ocr`: as an engine gives it, with a confidence below 1."""
    confidence = _OCR_CONFIDENCE if ocr else 1.0
    pages: list[Page] = []
    for part in text.strip("\n").split("\n===\n"):
        rows = [row for paragraph in part.split("\n") for row in _rows(paragraph)]
        for start in range(0, max(1, len(rows)), ROWS):
            lines = tuple(
                _line(row, index, confidence)
                for index, row in enumerate(rows[start : start + ROWS])
                if row.strip("^> ")
            )
            pages.append(
                Page(
                    number=len(pages) + 1, width_mm=WIDTH_MM, height_mm=HEIGHT_MM, lines=lines,
                    source="ocr" if ocr else "text_layer", engine="judged" if ocr else "text-layer",
                    confidence=confidence,
                )
            )  # fmt: skip
    return Transcript(tuple(pages))


def _rows(paragraph: str) -> list[str]:
    """The rows of a paragraph; centred ones go on centred."""
    mark = paragraph[:1] if paragraph[:1] in ("^", ">") else ""
    body = paragraph[len(mark) :].rstrip()
    if mark and len(body) > COLUMNS:
        return [mark + body[at : at + COLUMNS - 2] for at in range(0, len(body), COLUMNS - 2)]
    if len(body) <= COLUMNS:
        return [mark + body]
    body = f"　　{body}"
    return [body[at : at + COLUMNS] for at in range(0, len(body), COLUMNS)]


def _line(row: str, index: int, confidence: float) -> Line:
    place, text = (row[0], row[1:]) if row[0] in "^>" else ("", row)
    indent = len(text) - len(text.lstrip(" 　"))
    width = min(_RIGHT - _LEFT, sum(0.5 if c.isascii() else 1.0 for c in text.strip()) * _CHARACTER)
    left = _LEFT + indent * _CHARACTER
    if place == "^":
        left = (_LEFT + _RIGHT - width) / 2
    elif place == ">":
        left = _RIGHT - 2 * _CHARACTER - width
    left = max(_LEFT / 2, left)
    top = _TOP + index * _PITCH
    box = Box(round(left, 4), round(top, 4), round(min(left + width, 0.99), 4), round(top + _HEIGHT, 4))
    return Line(text.strip(), box, confidence)
