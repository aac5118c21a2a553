"""Reads many files in processes of their own, as the product's workers do: one thread each, models loaded before."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from ..common.limits import DEFAULT_LIMITS
from ..formats.open import open_document
from ..models.fields import OfficialFields
from ..models.outcome import Done, Doubt
from ..models.wire import from_plain
from ..stages.read_stack import read_stack

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """One file as read: the text of its pages, its fields; a failure has its code and neither."""

    texts: tuple[str, ...]
    fields: OfficialFields
    cpu: float
    """Seconds of processor, its child processes included."""
    peak: int
    """Most resident bytes of the process so far."""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesReading:
    """All files, in their order; `seconds` of wall clock without starting the processes."""

    files: tuple[FileReading, ...]
    seconds: float


def read_files(files: Sequence[bytes], *, warm: bytes, engine: str, workers: int) -> FilesReading:
    """Reads `files` with `workers` processes.

    Args:
        files: the bytes of each.
        warm: a file that every process reads before the clock starts.
        engine: as for `choose`.
        workers: how many processes.

    Raises:
        JiyaoError: the engine is unknown or not there.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_prepare, initargs=(warm, engine)
    ) as pool:
        # each process is started by a task that lasts long enough for the others to start too
        list(pool.map(_nap, [0.5] * workers))
        began = time.perf_counter()
        read = tuple(pool.map(_read, files, [engine] * len(files)))
        return FilesReading(files=read, seconds=time.perf_counter() - began)


def _prepare(warm: bytes, engine: str) -> None:
    os.environ["OMP_THREAD_LIMIT"] = "1"
    _read(warm, engine)


def _nap(seconds: float) -> None:
    time.sleep(seconds)


def _spent() -> float:
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _read(data: bytes, engine: str) -> FileReading:
    began = _spent()
    with closing(open_document(data, limits=DEFAULT_LIMITS)) as opened:
        outcome = read_stack(opened, data, engine=engine, mode="none", limits=DEFAULT_LIMITS)
    texts: tuple[str, ...] = ()
    fields, failure = OfficialFields(), ""
    if isinstance(outcome, Done | Doubt):
        parts = outcome.value["parts"]
        texts = tuple(
            "\n".join(str(line["text"]) for line in page["lines"])
            for part in parts
            for page in part["transcript"]["pages"]
        )
        fields = from_plain(OfficialFields, parts[0]["fields"])
    else:
        failure = outcome.code
    own, others = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return FileReading(
        texts=texts, fields=fields, cpu=_spent() - began, peak=max(own, others) * _KIB, failure=failure
    )
