"""The registry's engine and its two kinds of transaction: one that reads, one that writes alone.

It is one file of the home (SQLite), or a database of a server on the same machine (`postgres.py`): the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from . import tallies

BUSY_SECONDS = 60


def on_server(url: str) -> bool:
    """Whether a registry's URL names a server's database."""
    return url.startswith(("postgresql:", "postgresql+"))


def open_engine(url: str) -> Engine:
    """An engine for the registry's URL: SQLite in WAL mode, every commit durable.

    `secure_delete` is a second layer only: what must die is ciphertext under a dead root.

    Raises (for a server's, also at the first connection): as `postgres.open_server`.
    """
    if on_server(url):
        from .postgres import open_server

        return open_server(url, busy_seconds=BUSY_SECONDS)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that holds the write lock from its start; commits whole or rolls back."""
    with Session(engine.execution_options(writes=True), expire_on_commit=False) as session, session.begin():
        event.listen(session, "before_flush", tallies.follow)
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One consistent view; anything changed in it is thrown away."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()
