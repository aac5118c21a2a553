"""A PostgreSQL server of the tests' own: in a folder of its own, behind a socket only, gone when they end."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = ("initdb", "pg_ctl", "postgres")
_ACCOUNTS = ("postgres", "nobody")
"""Who may run a server when the tests run as root: a server never does."""


def programs() -> Path | None:
    """The folder with a server's programs."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if all((place / name).is_file() for name in PROGRAMS)), None)


def why_not() -> str | None:
    """Why no server can be started here; None when one can."""
    if importlib.util.find_spec("pg8000") is None:
        return "the driver pg8000 is not installed (the optional part postgres)"
    if programs() is None:
        return "no PostgreSQL server is installed"
    if os.geteuid() == 0 and _account() is None:
        return "a PostgreSQL server does not run as root, and no other account is there"
    return None


def _account() -> str | None:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _ACCOUNTS if name in known), None)


@dataclass
class Server:
    """A running server. Who asks is known by the account of his process (`peer`); commits reach the disk."""

    base: Path
    user: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def data(self) -> Path:
        return self.base / "data"

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.base}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """One statement in a session of its own, outside any transaction."""
        import pg8000.dbapi

        connection = pg8000.dbapi.connect(
            user=self.user, database=database, unix_sock=f"{self.base}/.s.PGSQL.5432"
        )
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def database(self, template: str = "template0", more: str = "") -> str:
        """A new database: its name."""
        name = f"d{next(self._numbers)}"
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'")
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {more}")
        return name

    def files(self) -> Iterator[bytes]:
        """What lies in every file of the server: tables, logs, all of it."""
        self.run("CHECKPOINT")
        for file in self.data.rglob("*"):
            if file.is_file():
                yield file.read_bytes()


@contextmanager
def server() -> Iterator[Server]:
    """Starts one, and takes it away in the end."""
    place = programs()
    assert place is not None
    user = pwd.getpwuid(os.geteuid()).pw_name
    base = Path(tempfile.mkdtemp(prefix="jiyao-pg-"))
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        entry = pwd.getpwnam(_account() or "")
        os.chown(base, entry.pw_uid, entry.pw_gid)
        other = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def do(program: str, *words: str) -> None:
        subprocess.run(
            [place / program, "-D", base / "data", *words], check=True, cwd=base, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.defpath, "LC_ALL": "C"}, **other,
        )  # fmt: skip

    try:
        do("initdb", "-U", user, "--auth=peer", "--encoding=UTF8", "--locale=C", "--no-sync")
        settings = "-c listen_addresses='' -c shared_buffers=16MB -c autovacuum=off -c max_wal_size=1GB"
        do("pg_ctl", "-w", "-l", str(base / "log"), "-o", f"-k {base} {settings}", "start")
        try:
            yield Server(base, user)
        finally:
            do("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)
