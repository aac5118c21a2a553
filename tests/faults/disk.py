"""Disks that fill up or fail, as plug-ins of a test."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from jiyao.vault import blob


@contextmanager
def failing_call(name: str, *, number: int, code: int = errno.ENOSPC) -> Iterator[list[int]]:
    """`os.<name>` as the vault calls it fails from the `number`-th call on (from 1). Yields the count of calls."""
    plain = getattr(os, name)
    calls = [0]

    def fails(*args: Any, **given: Any) -> Any:
        calls[0] += 1
        if calls[0] >= number:
            raise OSError(code, os.strerror(code))
        return plain(*args, **given)

    with patch.object(blob.os, name, fails):
        yield calls


@contextmanager
def full_registry(engine: Engine, *, pages: int) -> Iterator[None]:
    """SQLite itself answers "database or disk is full" once the registry has grown by so many pages."""

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        cursor = connection.cursor()
        now = cursor.execute("PRAGMA page_count").fetchone()[0]
        first = limits.setdefault("pages", now + pages)
        cursor.execute(f"PRAGMA max_page_count={first}")
        cursor.close()

    def lift(connection: Any, _record: object, _proxy: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count=1073741823")
        cursor.close()

    limits: dict[str, int] = {}
    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        connection.execute("VACUUM")  # free pages would hide the limit
    event.listen(engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(engine, "checkout", limit)
        event.listen(engine, "checkout", lift)
