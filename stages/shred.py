"""Erases the sealed files of destroyed items, one outcome each. Their keys are gone before this begins.

Erasing a file is the second layer only: what its medium can promise is in the outcome's grade (vault.md section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol


class Outcome(Protocol):
    """What the eraser says of one file."""

    @property
    def grade(self) -> str:
        """The eraser's word."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the name is no longer there."""
        ...


@dataclass(frozen=True, slots=True)
class Shredded:
    """What became of one artefact's file."""

    artefact: int
    grade: str
    gone: bool


def shred(files: Iterable[tuple[int, str]], erase: Callable[[str], Outcome]) -> tuple[Shredded, ...]:
    """Erases each file (artefact id, path); a file that is not there any more is `absent`, never an error."""
    outcomes = []
    for artefact, path in files:
        outcome = erase(path)
        outcomes.append(Shredded(artefact=artefact, grade=str(outcome.grade), gone=outcome.gone))
    return tuple(outcomes)
