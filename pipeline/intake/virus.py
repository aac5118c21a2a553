"""A virus scanner, when one is installed: every inbound file is shown to it before a parser touches the file.

Spoken to over clamd's local Unix socket (INSTREAM, clamd(8)); a machine without that socket but with `clamdscan` has
the bytes piped into it. The station sends bytes and reads one line: no file name, nothing else leaves the process.

Threat model: the scanner hangs, dies, or was taken over by a file. Its answer is one bounded line within a time;
anything but the two sentences it may say is a failure of the scan, which the record says. It never decides that a
file is good: `clean` means that one scanner knew nothing against it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...common.sandbox import outside_program

State = Literal["none", "clean", "infected", "failed"]

_SOCKETS = ("/run/clamav/clamd.ctl", "/var/run/clamav/clamd.ctl", "/run/clamd.scan/clamd.sock")
_PIECE = 64 * 1024
_ANSWER = 4096
_FOUND = re.compile(r": (.{1,160}) FOUND$")
_STRANGE = re.compile(r"[^\w.\-/:+#]")
SECONDS = 60.0
_PATIENCE = 3
"""After so many time-outs in a row the scanner is not asked again in this batch."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What the scanner said: nobody was there, clean, infected (`signature`: its name for it), or no answer."""

    state: State
    signature: str = ""


class Scanner:
    """The scanner of this machine, if there is one."""

    def __init__(self, *, socket_path: Path | None, program: str | None, seconds: float = SECONDS) -> None:
        self._socket, self._program, self._seconds = socket_path, program, seconds
        self._late = 0

    @classmethod
    def find(cls, *, seconds: float = SECONDS) -> Scanner:
        """By `$JIYAO_CLAMD_SOCKET`, else the usual sockets, else `clamdscan`."""
        if given := os.environ.get("JIYAO_CLAMD_SOCKET"):
            return cls(socket_path=Path(given), program=None, seconds=seconds)
        found = next((Path(name) for name in _SOCKETS if _is_socket(Path(name))), None)
        program = None if found else shutil.which("clamdscan")
        return cls(socket_path=found, program=program, seconds=seconds)

    @property
    def name(self) -> str | None:
        """Where it is; None when there is none."""
        return str(self._socket) if self._socket is not None else self._program

    def scan(self, data: bytes) -> Scan:
        """Has the bytes looked at. Raises nothing: what goes wrong is a failed scan."""
        if self.name is None:
            return Scan("none")
        if self._late >= _PATIENCE:
            return Scan("failed")
        try:
            answer = self._over_socket(self._socket, data) if self._socket else self._piped(data)
        except (TimeoutError, subprocess.TimeoutExpired):
            self._late += 1
            return Scan("failed")
        except (OSError, ValueError):
            return Scan("failed")
        self._late = 0
        return _read(answer)

    def answers(self) -> bool:
        """Whether it answers at all now."""
        return self.scan(b"jiyao").state == "clean"

    def _over_socket(self, path: Path, data: bytes) -> str:
        end = time.monotonic() + self._seconds
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(self._seconds)
            line.connect(str(path))
            answer = b""
            try:
                line.sendall(b"zINSTREAM\0")
                for start in range(0, len(data), _PIECE):
                    piece = data[start : start + _PIECE]
                    line.sendall(struct.pack(">I", len(piece)) + piece)
                line.sendall(struct.pack(">I", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it stops listening at its size limit, and says so in its answer
            while b"\0" not in answer and len(answer) < _ANSWER:
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                line.settimeout(left)
                piece = line.recv(_ANSWER)
                if not piece:
                    break
                answer += piece
        return answer.split(b"\0", 1)[0].decode("utf-8", "replace").strip()

    def _piped(self, data: bytes) -> str:
        with outside_program() as environment:
            done = subprocess.run(
                [str(self._program), "--no-summary", "--stdout", "-"],
                input=data, capture_output=True, timeout=self._seconds, check=False, env=environment,
            )  # fmt: skip
        if done.returncode not in (0, 1):
            raise ValueError("scanner")
        return done.stdout[:_ANSWER].decode("utf-8", "replace").strip()


def _read(answer: str) -> Scan:
    if (found := _FOUND.search(answer)) is not None:
        return Scan("infected", _STRANGE.sub("_", found.group(1)))
    return Scan("clean") if answer.endswith(": OK") else Scan("failed")


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
