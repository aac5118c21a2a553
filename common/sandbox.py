"""What a worker does to itself before it touches a file from outside.

Threat model: a hostile document takes over the parser. It then finds no key (the process never had one),
no network, no `JIYAO_*` secrets in its environment, a private scratch folder, and limits on memory,
files and time that its parent enforces from outside. Accepted: without user namespaces the network is
denied inside Python only (`doctor` says which), so that native code taken over, or Tesseract, could
still reach it; and the worker may read what its user may.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

Denial = Literal["namespace", "socket"]

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9
_MEMORY = "/dev/shm"  # noqa: S108
_NO_CORE = 1
"""Bytes. Zero would still hand the core to a program that `core_pattern` names; one stops that too (Linux,
fs/coredump.c)."""
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "TESSDATA_PREFIX",
    "OPENBLAS_CORETYPE",
)
_NETWORK_EVENTS = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
)


def environment(scratch: Path) -> dict[str, str]:
    """The environment a worker starts with: nothing of the station's, its own HOME and TMPDIR."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    private = {name: str(scratch) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    single = dict.fromkeys(
        ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
    )
    return {**kept, **private, **single, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


@contextmanager
def outside_program(*, own_home: bool = False) -> Iterator[dict[str, str]]:
    """The environment for a program that the coordinator itself starts (scanner, print system): without the station's
    secrets, its TMPDIR a private folder, in memory where there is one, gone when the block ends.

    Args:
        own_home: leaves HOME as it is, for a program that finds its settings there.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIYAO_")}
    memory = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="jy-", dir=memory) as place:
        yield {**kept, "TMPDIR": place, **({} if own_home else {"HOME": place})}


def confine(*, file_bytes: int, namespaces: bool = True) -> Denial:
    """Confines this process and everything it starts; dies with its parent. Says how the network is denied.

    `namespaces=False` goes straight to the denial inside Python, as on a machine that allows no namespace.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above: no signal will come
        os._exit(1)
    for name in [name for name in os.environ if name.startswith("JIYAO_")]:
        del os.environ[name]
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    forbid_core()
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    if namespaces and _leave_network(libc):
        return "namespace"
    _forbid_sockets()
    return "socket"


def forbid_core() -> bool:
    """No core of this process or of any program it starts, to a file or to a collecting program."""
    for limit in (_NO_CORE, 0):
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
            return True
        except (OSError, ValueError):
            continue
    return False


def network_denial() -> Denial:
    """How workers started here are kept off the network; tried in a child process."""
    child = os.fork()
    if child == 0:
        os._exit(0 if _leave_network(ctypes.CDLL(None, use_errno=True)) else 1)
    _, status = os.waitpid(child, 0)
    return "namespace" if status == 0 else "socket"


def _leave_network(libc: ctypes.CDLL) -> bool:
    """A network namespace of its own, with nothing in it; as root directly, else inside a user namespace."""
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def _forbid_sockets() -> None:
    """An audit hook: unlike a replaced function it cannot be taken away again from inside Python."""

    def refuse(event: str, _arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK_EVENTS:
            raise PermissionError("no network in a worker")

    sys.addaudithook(refuse)
