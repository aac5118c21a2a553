"""Which steps of page preparation are taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Preparation:
    """All steps are taken unless one is switched off. None changes where a box stands on the page as it came.

    `orientation`: pages on their side or head are turned. `deskew`: rows are made level. `deseal`: the red of round
    seals is taken off the writing under it. `borders`: the black edge of a scan becomes paper. `double_pages`: two
    pages side by side are read one after the other. `flatten`: even, grey background for an engine that needs it.
    """

    orientation: bool = True
    deskew: bool = True
    deseal: bool = True
    borders: bool = True
    double_pages: bool = True
    flatten: bool = True


ALL = Preparation()
STEPS: tuple[str, ...] = tuple(field.name.replace("_", "-") for field in fields(Preparation))
"""Their names on the command line."""


def without(names: Iterable[str]) -> Preparation:
    """All steps but those of `names` (as in `STEPS`).

    Raises:
        ValueError: there is no such step.
    """
    off = set(names)
    if unknown := off.difference(STEPS):
        raise ValueError(f"no such step: {', '.join(sorted(unknown))}")
    return Preparation(**{step.replace("-", "_"): step not in off for step in STEPS})
