"""Workers for tests, forked from one that is ready: hundreds of tests in a process need not load its libraries anew.

A seed is started once in a test process, with the environment that every worker gets, and loads what `warm` loads.
It never sees a file. Each worker is its twin: a fork with a session, an environment, a folder and pipes of its own,
that goes through `jiyao.stages.worker.main` like any other, confinement and all. Tests of how workers start, of what
they carry, and of their ends start real ones: their module says `REAL_WORKERS = True`; so does every command that a
test runs as a process of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any


class Twin:
    """A forked worker, as `subprocess.Popen` would show it."""

    def __init__(self, pid: int, given: IO[bytes], answers: IO[bytes], ended: int) -> None:
        self.pid, self.stdin, self.stdout = pid, given, answers
        self.returncode: int | None = None
        self._ended = ended
        self._one = threading.Lock()

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        with self._one:
            if self.returncode is None:
                # The seed says how it ended, unless it is gone itself, and its twins with it.
                self.returncode = int(os.read(self._ended, 16) or -signal.SIGKILL)
        return self.returncode

    def __del__(self) -> None:
        os.close(self._ended)


class Seed:
    """The process that all workers of this test process are forked from."""

    def __init__(self, home: Path) -> None:
        from jiyao.common.sandbox import environment

        self._line, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(far.fileno())],
            env=environment(home), pass_fds=(far.fileno(),), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        far.close()
        atexit.register(self.close)

    def close(self) -> None:
        self._line.close()
        self._process.wait()

    def fork(self, *, env: dict[str, str], cwd: Path) -> Twin:
        there, given = os.pipe()
        answers, here = os.pipe()
        ended, end = os.pipe()
        with self._one:
            socket.send_fds(
                self._line, [json.dumps({"env": env, "cwd": str(cwd)}).encode()], [there, here, end]
            )
            pid = int(self._line.recv(16))
        for done in (there, here, end):
            os.close(done)
        return Twin(pid, os.fdopen(given, "wb"), os.fdopen(answers, "rb"), ended)


def share_workers(wanted: Callable[[], bool]) -> None:
    """From now on desks of this process get twins while `wanted`, real workers else."""
    # The seed runs this file too, and may know no more than a worker does.
    from jiyao.pipeline.intake import desk
    from jiyao.pipeline.intake.executor import WORKER

    seeds: list[Seed] = []
    home = Path(tempfile.gettempdir())

    def begin(command: Sequence[str], **options: Any) -> Any:
        if tuple(command) != WORKER or not wanted():
            return subprocess.Popen(command, **options)
        if not seeds:
            seeds.append(Seed(home))
        return seeds[0].fork(env=options["env"], cwd=options["cwd"])

    desk.subprocess = SimpleNamespace(  # type: ignore[attr-defined]
        Popen=begin,
        PIPE=subprocess.PIPE,
        DEVNULL=subprocess.DEVNULL,
        TimeoutExpired=subprocess.TimeoutExpired,
    )


def _grow(line: socket.socket) -> None:
    """The seed: ready like a worker that was told to get warm, it forks until the tests are over."""
    # As in a worker: nobody looks for a folder by writing into it.
    tempfile.tempdir = os.environ["TMPDIR"]
    from jiyao.stages import worker  # noqa: F401
    from jiyao.stages.warm import warm

    warm([".docx", ".pdf"])
    ends: dict[int, int] = {}
    awake, woken = os.pipe()
    for side in (awake, woken):
        os.set_blocking(side, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    while True:
        ready, _, _ = select.select([line, awake], [], [])
        if awake in ready:
            os.read(awake, 512)
            for pid in list(ends):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    end = ends.pop(pid)
                    os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
                    os.close(end)
        if line in ready:
            order, given, _, _ = socket.recv_fds(line, 65536, 3)
            if not order:
                return
            there, here, end = given
            known, tell = os.pipe()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setsid()
                os.close(tell)
                for side in (line.detach(), awake, woken, known, end, *ends.values()):
                    os.close(side)
                _become(json.loads(order), there, here)
            os.close(tell)
            # A twin can be killed with its group as soon as its number is known.
            os.read(known, 1)
            os.close(known)
            ends[pid] = end
            os.close(there)
            os.close(here)
            line.send(str(pid).encode())


def _become(order: dict[str, Any], there: int, here: int) -> None:
    """A worker at its beginning, as a program of its own would be."""
    from jiyao.stages import worker

    code = 1
    try:
        for at, side in enumerate((there, here)):
            os.dup2(side, at)
            os.close(side)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"])
        worker.main()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    _grow(socket.socket(fileno=int(sys.argv[1])))
