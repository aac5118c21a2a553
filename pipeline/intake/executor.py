"""Workers as plain subprocesses: started when there is work for them, one job each at a time, urgent jobs first.

Threat model: a worker is taken over, hangs, eats memory, or dies. It has no key; its time and its memory
(with its children's) are limited from outside; it is killed with its whole group, its scratch is
cleared, and the job is answered with a named failure. Its answer is bounded and checked before it is
believed. Killed hard itself, the coordinator takes its workers with it; a program that a worker had
started may live on until it ends by itself.

Time: a job has the time of one document; each further page that it reports gives it the time of a page, so
that a long paper is not taken for a hanging one.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path

from ...common.limits import DEFAULT_LIMITS, Limits
from .desk import Desk, Job, Reply

__all__ = ["Job", "LocalExecutor", "Reply"]

WORKER = (sys.executable, "-P", "-m", "jiyao.stages.worker")
_LOOK_SECONDS = 0.1

_Task = tuple[bool, int, Job, "Future[Reply]"]
"""Not urgent, number, job, answer: sorted as they are taken."""


class LocalExecutor:
    """Runs jobs in up to `jobs` worker processes. A context manager; closing waits for nothing.

    `briefing`: see `brief`.
    """

    def __init__(
        self, *, jobs: int, scratch: Path, limits: Limits = DEFAULT_LIMITS, command: Sequence[str] = WORKER,
        briefing: Job | None = None,
    ) -> None:  # fmt: skip
        self._closed = threading.Event()
        self._tasks: list[_Task] = []
        self._numbers = count()
        self._change = threading.Condition()
        self._idle = 0
        """Workers without a job, also those that are only just starting."""
        self._desks = [
            Desk(scratch=scratch / f"w{number}", limits=limits, command=tuple(command), closed=self._closed)
            for number in range(jobs)
        ]
        self._watch: threading.Thread | None = None
        if briefing is not None:
            self.brief(briefing)

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self, job: Job) -> None:
        """Starts the first worker ahead of any work and has it do this job, whose answer nobody waits for."""
        with self._change:
            if not self._closed.is_set():
                self._open_one(job)

    def brief(self, job: Job) -> None:
        """A job that from now on every worker does before the next one that it is given."""
        for desk in self._desks:
            desk.brief(job)

    def submit(self, job: Job) -> Future[Reply]:
        """Hands a job in; jobs begin in the order they came, urgent ones before the others.

        A worker is started only when all that are there have work.
        """
        future: Future[Reply] = Future()
        with self._change:
            if self._closed.is_set():
                future.set_result(Reply("failed", code="executor_closed"))
                return future
            heappush(self._tasks, (not job.urgent, next(self._numbers), job, future))
            if self._idle < len(self._tasks):
                self._open_one()
            self._change.notify()
        return future

    def hasten(self, future: Future[Reply]) -> None:
        """Makes urgent the job that was handed in for this answer, while it waits."""
        with self._change:
            hastened = [
                (False, number, job, one) if one is future else (slow, number, job, one)
                for slow, number, job, one in self._tasks
            ]
            heapify(hastened)
            self._tasks = hastened

    def close(self) -> None:
        """Ends every worker now; jobs that had not begun are answered `executor_closed`."""
        with self._change:
            self._closed.set()
            left, self._tasks = self._tasks, []
            self._change.notify_all()
        for _, _, _, future in sorted(left, key=lambda task: task[1]):
            if future.set_running_or_notify_cancel():
                future.set_result(Reply("failed", code="executor_closed"))
        for desk in self._desks:
            desk.kill()
        for desk in self._desks:
            desk.join()
        if self._watch is not None:
            self._watch.join()

    def _open_one(self, warming: Job | None = None) -> None:
        for desk in self._desks:
            if not desk.opened:
                self._idle += 1
                desk.open(partial(self._serve, warming))
                break
        if self._watch is None:
            self._watch = threading.Thread(target=self._look_after, daemon=True)
            self._watch.start()

    def _serve(self, warming: Job | None, desk: Desk) -> None:
        if warming is not None:
            desk.answer(warming)  # what goes wrong here, the first job meets itself
        while (task := self._take()) is not None:
            job, future = task
            reply = desk.answer(job)
            with self._change:
                self._idle += 1
            future.set_result(reply)
        desk.release()

    def _take(self) -> tuple[Job, Future[Reply]] | None:
        """The next job; None at the end."""
        with self._change:
            while True:
                while not self._tasks and not self._closed.is_set():
                    self._change.wait()
                if self._closed.is_set():
                    return None
                _, _, job, future = heappop(self._tasks)
                if future.set_running_or_notify_cancel():
                    self._idle -= 1
                    return job, future

    def _look_after(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            for desk in self._desks:
                desk.look()
