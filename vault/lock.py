"""The barrier between readers of keys and a rotation of the root.

Whoever unwraps a key holds the lock shared for that time, and drops root and keys before letting go. A
rotation holds it alone. So when a rotation erases the old root, no process of the station holds it in
memory. A gate in front of the lock keeps a steady stream of readers from starving a rotation.

Order: this lock first, then the database's write transaction. Waiting is bounded: the wrong order ends in a
refusal, not in a standstill.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..common.errors import Refused, Unexpected

_PAUSE = 0.005


class Barrier:
    """A lock over the whole key store, per open file (`flock`): two objects in one process exclude each
    other.

    One object belongs to one thread. Within it, shared holds nest, also inside an exclusive one.
    """

    def __init__(self, folder: Path, *, wait: float = 30.0) -> None:
        self._gate = folder / ".vault.gate"
        self._lock = folder / ".vault.lock"
        self._wait = wait
        self._fd: int | None = None
        self._shared = 0
        self._exclusive = False

    @property
    def exclusive_held(self) -> bool:
        """Whether this object holds the lock alone."""
        return self._exclusive

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Holds the lock together with other readers.

        Raises:
            Refused: `vault_busy`, when a rotation does not end in time.
        """
        if self._shared == 0 and not self._exclusive:
            self._take(fcntl.LOCK_SH, self._wait)
        self._shared += 1
        try:
            yield
        finally:
            self._shared -= 1
            if self._shared == 0 and not self._exclusive:
                self._release()

    @contextmanager
    def exclusive(self, *, wait: float | None = None) -> Iterator[None]:
        """Holds the lock alone; waits until every reader has let go. Does not nest.

        Raises:
            Refused: `vault_busy`, when the readers do not end in time (`wait`, in seconds).
            Unexpected: `vault_lease_open`, when this object still reads: it would wait for itself.
        """
        if self._exclusive or self._shared:
            raise Unexpected("vault_lease_open")
        self._take(fcntl.LOCK_EX, self._wait if wait is None else wait)
        self._exclusive = True
        try:
            yield
        finally:
            self._exclusive = False
            if self._shared and self._fd is not None:
                fcntl.flock(self._fd, fcntl.LOCK_SH)
            else:
                self._release()

    def _take(self, kind: int, wait: float) -> None:
        until = time.monotonic() + wait
        gate = _open(self._gate)
        try:
            _flock(gate, kind, until)
            lock = _open(self._lock)
            try:
                _flock(lock, kind, until)
            except BaseException:
                os.close(lock)
                raise
        finally:
            os.close(gate)
        self._fd = lock

    def _release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _flock(descriptor: int, kind: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Refused("vault_busy") from None
            time.sleep(_PAUSE)
        else:
            return
