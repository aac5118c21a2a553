"""Brings a registry to the schema of this version, in process; no configuration file is needed.

The whole upgrade is one transaction: after a crash the schema is the old one or the new one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from ..common.errors import Refused
from .tables_base import Base

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["target_metadata"] = Base.metadata
    return config


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def newest() -> str:
    """The revision this version of the program works with."""
    head = _scripts().get_current_head()
    if head is None:
        raise FileNotFoundError("the package has no schema revisions")
    return head


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def newest_by_name() -> str:
    """The same as the files of the revisions are called (`0003_destruction.py`), without reading them."""
    return max(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def check(connection: Connection) -> None:
    """Lets only a database pass that stands exactly at this version's schema.

    Raises:
        Refused: `schema_too_new` when a newer version wrote it, `schema_too_old` when it needs `upgrade`.
    """
    # every command passes here, and loading Alembic takes a fifth of a second: it is asked only in doubt
    if _named(connection) == newest_by_name():
        return
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
    from alembic import command

    with _writing(engine) as connection, connection.begin():
        _begin_at_once(connection)
        _refuse_unknown(current(connection))
        command.upgrade(_config(connection), "head")
    return newest()


def downgrade(engine: Engine) -> None:
    """Takes every table away again. For an empty station or a test: the content goes too.

    Raises:
        Refused: `schema_too_new` when a newer version of the program wrote this database.
    """
    from alembic import command

    with _writing(engine) as connection, connection.begin():
        _begin_at_once(connection)
        _refuse_unknown(current(connection))
        command.downgrade(_config(connection), "base")


def _named(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(found[0]) if len(found) == 1 else None


def _refuse_unknown(found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise Refused("schema_too_new", found=found, known=newest())


def _writing(engine: Engine) -> Connection:
    """A connection whose transactions are a registry's only ones that write."""
    return engine.execution_options(writes=True).connect()


def _begin_at_once(connection: Connection) -> None:
    """SQLite's driver opens no transaction before a CREATE TABLE, unless told."""
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
