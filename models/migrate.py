"""Brings a registry to the schema of this version, in process; no configuration file is needed.

On SQLite the whole upgrade is one transaction: after a crash the schema is the old one or the new one.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from ..common.errors import Refused
from .tables_base import Base

_SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["target_metadata"] = Base.metadata
    return config


def newest() -> str:
    """The revision this version of the program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise FileNotFoundError("the package has no schema revisions")
    return head


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(connection: Connection) -> None:
    """Lets only a database pass that stands exactly at this version's schema.

    Raises:
        Refused: `schema_too_new` when a newer version wrote it, `schema_too_old` when it needs `upgrade`.
    """
    found = current(connection)
    if found == newest():
        return
    _refuse_unknown(found)
    raise Refused("schema_too_old", found=found or "-", known=newest())


def upgrade(engine: Engine) -> str:
    """Upgrades the registry to the newest schema and says which one that is. Doing it again changes nothing.

    Raises:
        Refused: `schema_too_new` when a newer version of the program wrote this database.
    """
    with engine.connect() as connection, connection.begin():
        _begin_at_once(connection)
        _refuse_unknown(current(connection))
        command.upgrade(_config(connection), "head")
    return newest()


def downgrade(engine: Engine) -> None:
    """Takes every table away again. For an empty station or a test: the content goes too.

    Raises:
        Refused: `schema_too_new` when a newer version of the program wrote this database.
    """
    with engine.connect() as connection, connection.begin():
        _begin_at_once(connection)
        _refuse_unknown(current(connection))
        command.downgrade(_config(connection), "base")


def _refuse_unknown(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise Refused("schema_too_new", found=found, known=newest())


def _begin_at_once(connection: Connection) -> None:
    """SQLite's driver opens no transaction before a CREATE TABLE, unless told."""
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
