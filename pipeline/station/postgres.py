"""The registry on a PostgreSQL server of the same machine: where it is, who asks, and what it must keep to.

Threat model: the server's files (heap, write-ahead log, archive, replicas, its own backups) are in the attacker's
hands, in every state they ever had, with today's secrets. That is allowed for: all keys lie in sealed pages, and what
a destruction re-keyed is noise in all its older versions once the former root is gone (docs/spec/key-store.md). What
is not allowed for is a server that says "committed" and forgets: the former root is erased behind that word. So a
server without `fsync` or `full_page_writes` is refused, and `synchronous_commit` is turned on where it is off.

Only a socket of this machine is spoken to, never an address of a network. No password stands in the address, on the
command line or in the station's file: the system's own account (`peer`), or a password file as PostgreSQL's own.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError

from ...common.errors import MissingTool, NotThere, Refused, UsageFault

_SCHEME: Final = "postgresql"
_SOCKETS: Final = "/var/run/postgresql"
_PORT: Final = 5432
_WRITER: Final = 0x6A_69_79_61_6F
"""The number under which the one writer of a database holds its lock."""
_TRIES: Final = 5
_QUERY: Final = frozenset({"host", "port"})
_SETTINGS: Final = """
    SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding'),
        pg_is_in_recovery(), 'Z' < 'a' AND 'a-c' < 'aab'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the registry is: a database behind a socket of this machine, and as whom to ask."""

    database: str
    folder: str
    port: int
    user: str

    @property
    def socket(self) -> str:
        """The socket's path."""
        return f"{self.folder}/.s.PGSQL.{self.port}"


def address_of(url: str) -> Address:
    """The address in `postgresql://[user@]/database[?host=/folder/of/the/socket][&port=5432]`.

    Raises:
        UsageFault: `postgres_address`: not of this form.
        Refused: `postgres_password`: a password in it; `postgres_not_local`: a host, not a folder.
    """
    try:
        parts = make_url(url)
        given = {name: str(value) for name, value in parts.query.items()}
        port = int(given.get("port", _PORT))
    except (ArgumentError, ValueError):
        raise UsageFault("postgres_address") from None
    if parts.password is not None:
        raise Refused("postgres_password")
    folder = given.get("host", _SOCKETS)
    if parts.host or parts.port or not folder.startswith("/"):
        raise Refused("postgres_not_local")
    if parts.drivername != _SCHEME or not parts.database or not given.keys() <= _QUERY:
        raise UsageFault("postgres_address")
    return Address(
        database=parts.database, folder=folder.rstrip("/"), port=port, user=parts.username or _own_name()
    )


def open_server(url: str, *, busy_seconds: float) -> Engine:
    """An engine for a registry on a server: one view for who reads, one writer at a time, every commit durable.

    Raises (at the first connection):
        MissingTool: `postgres_driver`, `postgres_unreachable`. NotThere: `postgres_no_database`.
        Refused: `postgres_not_durable`, `postgres_order`, `postgres_read_only`, `postgres_passfile_open`; as
            `address_of`.
    """
    address = address_of(url)
    driver = _driver()
    engine = create_engine(
        "postgresql+pg8000://", creator=lambda: _connect(driver, address), isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
    )  # fmt: skip
    ping = engine.dialect.do_ping

    def _answers(connection: Any) -> bool:
        # of a line that the server has cut the driver passes the system's error on as it is
        try:
            return ping(connection)
        except OSError:
            return False

    setattr(engine.dialect, "do_ping", _answers)  # noqa: B010 - a method of its own for this engine

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(_SETTINGS)
        _judge(*cursor.fetchone())
        # where the session's own setting is weaker than the disk, it is not asked
        cursor.execute("SELECT set_config('synchronous_commit', 'on', false) "
                       "WHERE current_setting('synchronous_commit') = 'off'")  # fmt: skip
        cursor.execute(f"SET lock_timeout = {int(busy_seconds * 1000)}")
        connection.commit()
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            # Whoever waited for the lock must see what the writer before him wrote, in every statement.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")

    return engine


def _judge(fsync: str, full_pages: str, encoding: str, in_recovery: bool, by_bytes: bool) -> None:
    for name, value in (("fsync", fsync), ("full_page_writes", full_pages)):
        if value != "on":
            raise Refused("postgres_not_durable", setting=name)
    if in_recovery:
        raise Refused("postgres_read_only")
    if encoding != "UTF8" or not by_bytes:
        raise Refused("postgres_order")


def _driver() -> Any:
    try:
        import pg8000.dbapi
    except ImportError:
        raise MissingTool("postgres_driver") from None
    return pg8000.dbapi


def _connect(driver: Any, address: Address) -> Any:
    # A server that refuses closes the line at once; at times the driver finds it cut before it has read why.
    for _ in range(_TRIES):
        try:
            return driver.connect(
                user=address.user, database=address.database, unix_sock=address.socket,
                password=_password(address), application_name="jiyao",
            )  # fmt: skip
        except driver.Error as error:
            cause: Exception = error
            told = error.args[0] if error.args else None
            state = str(told.get("C", "-")) if isinstance(told, dict) else "-"
            if state == "3D000":
                raise NotThere("postgres_no_database", database=address.database) from error
            if state != "-":
                break
        except OSError as error:
            cause, state = error, error.strerror or "-"
    raise MissingTool("postgres_unreachable", where=address.socket, state=state) from cause


# ---------------------------------------------------------------- who asks


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _password(address: Address) -> str | None:
    """From PostgreSQL's own password file, `$PGPASSFILE` or `~/.pgpass`: host, port, database, user, password.

    Raises:
        Refused: `postgres_passfile_open`: others may read it.
    """
    named = os.environ.get("PGPASSFILE")
    file = Path(named) if named else Path.home() / ".pgpass"
    try:
        mode, lines = file.stat().st_mode, file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    if stat.S_IMODE(mode) & 0o077:
        raise Refused("postgres_passfile_open", file=str(file))
    hosts = {address.folder, *(("localhost",) if address.folder == _SOCKETS else ())}
    wanted = (hosts, {str(address.port)}, {address.database}, {address.user})
    for line in lines:
        fields = _fields(line)
        if len(fields) == 5 and all(
            field == "*" or field in known for field, known in zip(fields[:4], wanted, strict=True)
        ):
            return fields[4]
    return None


def _fields(line: str) -> list[str]:
    """A line's fields, parted by colons; a backslash takes the next letter as it is."""
    if line.startswith("#"):
        return []
    fields, at = [""], 0
    while at < len(line):
        letter = line[at]
        if letter == "\\" and at + 1 < len(line):
            at += 1
            fields[-1] += line[at]
        elif letter == ":" and len(fields) < 5:
            fields.append("")
        else:
            fields[-1] += letter
        at += 1
    return fields
