"""Kills a child process, or fails one of its system calls, at the Nth call of a kind: strace's fault injection."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "pwrite64",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "ftruncate",
)
"""What makes bytes or names durable, or takes them away."""
_NAME = re.compile(r"^(?:\[pid\s+\d+\]\s+|\d+\s+)?([a-z0-9_]+)\(")
_FILE = re.compile(r"^(?:\d+\s+)?([a-z0-9_]+)\(\d+<[^>]*[./]([^>./]+)>")


@dataclass(frozen=True, slots=True)
class Point:
    """The `number`-th call of `call` in a process; `fault` is `KILL`, or the error it returns (`EIO`, `ENOSPC`).

    With a `+` behind the error every later call of that kind fails too: a disk that stays full, or dead.
    """

    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{self.call}-{self.number}-{self.fault}"

    @property
    def inject(self) -> str:
        """The point as strace takes it."""
        how = "signal=KILL" if self.fault == "KILL" else f"error={self.fault.rstrip('+')}"
        return f"inject={self.call}:{how}:when={self.number}{'+' if self.fault.endswith('+') else ''}"


def missing() -> str | None:
    """Why nothing can be injected here; None when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    tracer = subprocess.Popen(["strace", "-q", "-p", str(child)], stderr=subprocess.PIPE)
    try:
        return None if _attached(child, tracer) else "processes may not be traced here"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        tracer.kill()
        tracer.communicate()


def traced(ready: Callable[[], object], act: Callable[[], object], point: Point | None, log: Path) -> int:
    """Runs `ready` and then, traced, `act` in a child; its exit code (0 done, 1 raised, -9 killed).

    `log` gets the calls of CALLS, or what was injected.
    """
    child = os.fork()
    if child == 0:
        try:
            ready()
            os.kill(os.getpid(), signal.SIGSTOP)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "the child did not get ready"
    wanted = ",".join("?" + call for call in CALLS)
    faults = ["-e", point.inject] if point else []
    tracer = subprocess.Popen(
        ["strace", "-f", "-q", "-y", "-o", str(log), "-e", f"trace={wanted}", *faults, "-p", str(child)],
        stderr=subprocess.PIPE,
    )
    assert _attached(child, tracer), "strace did not attach"
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    tracer.communicate(timeout=30)
    return os.waitstatus_to_exitcode(status)


def calls_in(log: Path) -> Counter[str]:
    """How often each call of CALLS was made."""
    found = (_NAME.match(line) for line in log.read_text(errors="replace").splitlines())
    return Counter(match.group(1) for match in found if match and match.group(1) in CALLS)


def written(log: Path) -> Counter[tuple[str, str]]:
    """How often each call was made on which kind of file: call and the end of the file's name."""
    found = (_FILE.match(line) for line in log.read_text(errors="replace").splitlines())
    return Counter((match.group(1), match.group(2)) for match in found if match)


def numbers(log: Path, call: str, kind: str) -> list[int]:
    """Which calls of `call` were made on files whose name ends so: the `number` of their points."""
    lines = log.read_text(errors="replace").splitlines()
    made = [match for match in map(_FILE.match, lines) if match and match.group(1) == call]
    return [number for number, match in enumerate(made, start=1) if match.group(2) == kind]


def points(calls: Counter[str], faults: tuple[str, ...] = ("KILL",)) -> list[Point]:
    """Every call of a run, each with every fault."""
    return [
        Point(call, number, fault)
        for call in CALLS
        for number in range(1, calls[call] + 1)
        for fault in faults
    ]


def _attached(child: int, tracer: subprocess.Popen[bytes]) -> bool:
    status = Path(f"/proc/{child}/status")
    until = time.monotonic() + 10
    while time.monotonic() < until and tracer.poll() is None:
        if "TracerPid:\t0" not in status.read_text():
            return True
        time.sleep(0.002)
    return False
