"""The workers of one command, with the folder that they work in; the first of them gets ready at once.

That takes as long as the libraries of the register and the passphrase together, so `ingest` begins it before either.
Nobody has shown then who he is; but the worker is given no file before that, has no key at any time, and ends with
the command, however that ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...common.limits import DEFAULT_LIMITS, Limits
from ...vault.scratch import fresh_scratch
from .executor import Job, LocalExecutor


@contextmanager
def crew(
    home: Path, *, jobs: int, limits: Limits = DEFAULT_LIMITS, suffixes: Collection[str] = ()
) -> Iterator[LocalExecutor]:
    """Workers for one command on the station in `home`; they and their folder are gone at the end.

    `suffixes`: of the names of files to come (`.docx`), so that what reads such files may be loaded ahead.
    """
    with (
        fresh_scratch(home) as scratch,
        LocalExecutor(jobs=jobs, scratch=scratch.path / "readers", limits=limits) as workers,
    ):
        workers.warm(Job("warm", {"suffixes": sorted(suffixes)}))
        yield workers
