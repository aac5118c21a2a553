"""`bench`: what the project claims about its speed, as ratios against named baselines of the same run.

Needs no station, account or secret: everything is made up, in a folder that is erased at the end, also when a
measurement fails. The folder lies where temporary files do (`TMPDIR`), on the file system that is then measured.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from ...common.errors import UsageFault
from .flat import flat
from .ingest import ingest
from .issue import issue
from .key_tree import keys
from .keys import destroy, seal
from .log import log
from .marks import marks, unmarked
from .marks_speed import speed
from .papers import certificate, trace
from .race import Races, run_race, seconds
from .read import SEVERITIES, read
from .registry import registry
from .start import start
from .suggesting import suggest
from .token import token

Topic = Callable[[Path, bool, int], Races]
"""From a folder of its own, whether to be quick, and the seed of made-up papers: the comparisons of one name."""


def _unseeded(topic: Callable[[Path, bool], Races]) -> Topic:
    return lambda folder, quick, _: topic(folder, quick)


TOPICS: Final[dict[str, Topic]] = {
    "read": read, "ingest": ingest, "seal": _unseeded(seal), "destroy": _unseeded(destroy),
    "certificate": _unseeded(certificate), "trace": _unseeded(trace), "start": _unseeded(start),
    "suggest": _unseeded(suggest),
}  # fmt: skip
"""All of them make up a whole run."""
PARTS: Final[dict[str, Topic]] = {
    "flat": flat, "keys": _unseeded(keys), "registry": registry, "marks": marks,
    "marks.unmarked": unmarked, "marks.speed": speed, "issue": issue,
    "token": _unseeded(token), "log": _unseeded(log),
    **{f"read.{severity}": partial(read, severities=(severity,)) for severity in SEVERITIES},
}  # fmt: skip
"""Run only when named: parts of a topic, and what takes too long for every run."""
_TELLING: Final[dict[str, Callable[..., Races]]] = {"marks": marks, "marks.unmarked": unmarked}
"""Those of them that tell how far they are."""


def measure(
    names: Sequence[str] = (),
    *,
    quick: bool = False,
    seed: int = 1,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Runs the measurements of these names, all of them without names; `told` hears which one begins.

    `seed`: of the made-up scans; another gives other papers.

    Returns:
        `{"results": [{"name", "value", "unit", "baseline", "ratio", …}], "quick", "seed", "seconds", "machine"}`;
        for the keys of a result see `bench_race.run_race`.

    Raises:
        UsageFault: `unknown_bench`. MissingTool: an engine, a font or a baseline is not installed.
    """
    known = _known()
    for name in names:
        if name not in known:
            raise UsageFault("unknown_bench", name=name, names="、".join(known))
    results: list[dict[str, Any]] = []

    def run() -> None:
        for name in dict.fromkeys(names or TOPICS):
            told(name)
            # closed when a race fails, so that workers and station end before their folder goes
            with (
                tempfile.TemporaryDirectory(prefix="jy-bench-") as folder,
                closing(_begun(name, Path(folder), quick, seed, told)) as races,
            ):
                results.extend(run_race(race) for race in races)

    took = seconds(run)
    return {
        "results": results,
        "quick": quick,
        "seed": seed,
        "seconds": round(took, 1),
        "machine": _machine(),
    }


def _known() -> dict[str, Topic]:
    return {**TOPICS, **PARTS}


def _begun(name: str, folder: Path, quick: bool, seed: int, told: Callable[[str], None]) -> Races:
    if name in _TELLING:
        return _TELLING[name](folder, quick, seed, told=told)
    return _known()[name](folder, quick, seed)


def _machine() -> dict[str, Any]:
    """What the figures depend on most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "jiyao": metadata.version("jiyao"),
    }
