"""The main job: a batch of inbound mail, or a hot folder that is watched until it is stopped."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ..common.errors import JiyaoError, PartlyDone, UsageFault
from ..common.messages import advise, say
from ..common.settings import load
from ..pipeline.intake.crew import crew
from ..pipeline.intake.executor import LocalExecutor
from ..pipeline.intake.inbox import files_of, suffixes_of, watch
from ..pipeline.intake.progress import Progress
from ..stages.engines.names import ENGINES
from ..stages.page_steps import STEPS
from . import show
from .frame import FILE, Act, argument, current, enter, option

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from ..pipeline.intake.runner import Request
    from ..pipeline.persons.actors import Actor
    from ..pipeline.station.station import Station

_ORIGINS = ("self", "superior", "peer", "subordinate")


class Stopped(JiyaoError):
    """Stopped by a signal; what was finished is kept (exit 130)."""

    exit_code = 128 + signal.SIGINT


class Stop:
    """Set by SIGINT or SIGTERM: the paper at hand is finished, no further one is begun."""

    def __init__(self) -> None:
        self._stopped = False

    def __call__(self) -> bool:
        return self._stopped

    def set(self, _number: int, _frame: FrameType | None) -> None:
        """The signal's handler."""
        self._stopped = True


@click.command("ingest", cls=Act)
@argument("paths", metavar="PATH…", nargs=-1, required=True, type=FILE)
@option("--receipt", metavar="R")
@option("--batch", metavar="NAME")
@option("--engine", type=click.Choice(ENGINES), default="auto")
@option("--without", type=click.Choice(STEPS), multiple=True)
@option("--jobs", type=click.IntRange(min=1, max=256), metavar="N")
@option("--executor", default="local", metavar="local|dask:URL")
@option("--split", type=click.Choice(["none", "slip", "blank", "auto"]), default="none")
@option("--origin", type=click.Choice(_ORIGINS))
@option("--urgent", is_flag=True)
@option("--consume", is_flag=True)
@option("--watch", "watching", is_flag=True)
def ingest(
    paths: tuple[Path, ...], jobs: int | None, executor: str, split: str, watching: bool, **rest: Any
) -> None:
    if executor != "local":
        raise UsageFault("not_yet_built", what=f"--executor {executor.partition(':')[0]}")
    jobs = jobs or _cores()

    def work() -> dict[str, Any]:
        load(current().home)  # no worker where there is no station
        # a worker takes as long to get ready as the register and the passphrase together, so it begins first
        with crew(current().home, jobs=jobs, suffixes=suffixes_of(paths)) as workers:
            from ..pipeline.intake.runner import Request

            station, actor = enter("ingest")
            request = Request(jobs=jobs, split=split, **rest)
            return _ingest(station, actor, request, workers, paths, watching=watching)

    show.run(work, _draw)


def _ingest(
    station: Station, actor: Actor, request: Request, workers: LocalExecutor, paths: tuple[Path, ...], *,
    watching: bool,
) -> dict[str, Any]:  # fmt: skip
    from ..pipeline.intake.runner import BatchRun

    files = [] if watching else files_of(paths)
    if watching:
        files_of(paths)
    with _signals() as stopped, _progress(None if watching else len(files)) as progress:
        with BatchRun(station, actor, request, progress=progress, workers=workers) as batch:
            batch.process(watch(paths, stopped) if watching else files, stopped=stopped)
            value = batch.answer()
        if stopped() and not watching:
            raise Stopped("interrupted")
    _explain(value["problems"])
    counts = value["counts"]
    if wrong := counts["quarantined"] + counts["refused"] + counts["failed"]:
        raise PartlyDone("partly_done", value=value, wrong=wrong)
    return value


def _explain(problems: list[dict[str, Any]]) -> None:
    """Says beside each code what it means and what to do."""
    lang = current().lang
    for item in problems:
        facts = {
            "detail": item["detail"] or "-", "level": item["level"] or "—", "station": item["station"],
            "where": item["detail"] or item["path"],
        }  # fmt: skip
        parts = (say(item["code"], lang, **facts), advise(item["code"], lang, **facts))
        item["message"] = ("" if lang == "zh" else " ").join(filter(None, parts))


def _draw(value: dict[str, Any]) -> None:
    from .documents import draw_list

    draw_list(value["documents"])
    if value["problems"]:
        show.table(
            ("path", "status", "code", "message"),
            [(item["path"], show.status_word(item["status"]), item["code"], item["message"])
             for item in value["problems"]],
        )  # fmt: skip
    if value["virus_scanner"] is None:
        show.closing("not_scanned")
    doubtful = sum(1 for item in value["documents"] if item["must_review"])
    show.closing("done_ingest", doubtful=doubtful, batch=value["batch"] or "—", **value["counts"])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _signals() -> Iterator[Stop]:
    """Turns SIGINT and SIGTERM into a flag while the batch runs."""
    stop = Stop()
    before = {number: signal.signal(number, stop.set) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines(Progress):
    """A line for each file on stderr, with `-v`."""

    def file_settled(self, path: Path, status: str) -> None:
        """Says what became of a file."""
        click.echo(f"{show.clean(path.name)}: {show.status_word(status)}", err=True)


class _Drawn(Progress):
    """A bar on the terminal."""

    def __init__(self, bar: Bar, total: int | None) -> None:
        self._bar = bar
        self._task = bar.add_task(say("progress_ingest", current().lang), total=total)

    def file_settled(self, path: Path, status: str) -> None:  # noqa: ARG002
        """Moves the bar."""
        self._bar.advance(self._task)


@contextmanager
def _progress(total: int | None) -> Iterator[Progress]:
    if current().verbose:
        yield _Lines()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            yield _Drawn(bar, total)
    else:
        yield Progress()
