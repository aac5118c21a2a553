"""Joins the pieces of a row to one line: no character lost or added but the spaces between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .page_placed import FLAT, Piece, Placed

CLOSE = 1.0
"""Gap, in heights of the type, up to which two pieces are one run of text."""
WORD_GAP = 0.25
APART = "  "
"""Between the two ends of a row: 发文字号 and 签发人, 印发机关 and 印发日期."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line in reading order: its text, the pieces it was joined from, and its confidence (0..1).

    `characters`: a confidence for each character of `text`, or empty where no piece has any; a space put
    between pieces is as sure as the less sure of its neighbours. `runs`: the pieces of each run between two
    `APART`, left to right (of a vertical line: from the top).
    """

    text: str
    pieces: tuple[Piece, ...]
    confidence: float
    characters: tuple[float, ...] = ()
    vertical: bool = False
    runs: tuple[tuple[Piece, ...], ...] = ()


def join(group: Sequence[Placed]) -> Row:
    """The pieces of one line, in order, as a row."""
    vertical = group[0].upright
    text, scores = _clean(group[0].piece)
    runs: list[list[Piece]] = [[group[0].piece]]
    for before, after in pairwise(group):
        new, more = _clean(after.piece)
        space = _space(before, after, text[-1:], new[:1], vertical=vertical)
        if space == APART:
            runs.append([])
        runs[-1].append(after.piece)
        text += space + new
        scores += [min(*scores[-1:], *more[:1], 1.0)] * len(space) + more
    pieces = tuple(one.piece for one in group)
    counts = [max(1, len(piece.raw.text)) for piece in pieces]
    weighed = sum(piece.raw.confidence * count for piece, count in zip(pieces, counts, strict=True))
    told = any(piece.raw.characters for piece in pieces)
    return Row(
        text=text,
        pieces=pieces,
        confidence=weighed / sum(counts),
        characters=tuple(round(score, 2) for score in scores) if told else (),
        vertical=vertical,
        runs=tuple(tuple(run) for run in runs),
    )


def gap_between(before: Placed, after: Placed) -> float:
    """Free space between two neighbours of a row, in heights of the type."""
    lower, higher = sorted((before.height, after.height))
    return (after.left - before.right) / (higher if lower < FLAT * higher else lower)


def _space(before: Placed, after: Placed, last: str, first: str, *, vertical: bool) -> str:
    if vertical:
        return APART if after.top - before.bottom > 2 * CLOSE * min(before.width, after.width) else ""
    gap = gap_between(before, after)
    if gap > CLOSE:
        return APART
    return " " if gap > WORD_GAP and last.isascii() and first.isascii() else ""


def _clean(piece: Piece) -> tuple[str, list[float]]:
    """The piece's text, composed (NFC) and without outer spaces, and as many confidences as it has characters."""
    text, told = piece.raw.text, piece.raw.characters
    scores = list(told) if len(told) == len(text) else [piece.raw.confidence] * len(text)
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    text, scores = text[start:end], scores[start:end]
    if unicodedata.is_normalized("NFC", text):
        return text, scores
    clusters: list[tuple[str, float]] = []
    for character, score in zip(text, scores, strict=True):
        if clusters and unicodedata.combining(character):
            before, least = clusters[-1]
            clusters[-1] = before + character, min(least, score)
        else:
            clusters.append((character, score))
    composed = [(unicodedata.normalize("NFC", cluster), score) for cluster, score in clusters]
    return "".join(part for part, _ in composed), [score for part, score in composed for _ in part]
