"""Bounds of retraining on the station: how many papers it takes, and how much better a model must be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .nodes import Reader

_KEYS = (
    "least_documents", "least_per_level", "least_levels", "most_documents", "folds", "strength", "tolerance",
    "not_overlays",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learning:
    """Bounds of retraining on the station's own confirmed papers (`learn`)."""

    least_documents: int
    least_per_level: int
    """Levels with fewer papers are not learnt from."""
    least_levels: int
    most_documents: int
    """The newest are taken."""
    folds: int
    """Of the cross-validation."""
    strength: float
    """The shipped weights hold as if so many papers stood behind them."""
    tolerance: float
    """Share (0..1) by which a measure of the shipped judged set may fall; a level too low never may."""
    not_overlays: frozenset[str]
    """Papers with one of these are never learnt from."""


def read_learning(reader: Reader, overlays: Collection[str]) -> Learning:
    """The section `learning`.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    entry = reader.map(need=_KEYS, may=("conf", "source"))
    most = entry["most_documents"].integer(10, 20_000)
    return Learning(
        least_documents=entry["least_documents"].integer(10, most),
        least_per_level=entry["least_per_level"].integer(2, 10_000),
        least_levels=entry["least_levels"].integer(2, 20),
        most_documents=most,
        folds=entry["folds"].integer(2, 20),
        strength=entry["strength"].number(1.0, 1_000_000.0),
        tolerance=entry["tolerance"].number(0.0, 0.5),
        not_overlays=frozenset(one.one_of(tuple(overlays)) for one in entry["not_overlays"].list()),
    )
