"""A server's database that is to become a registry: nothing may be in it, and an interrupted `init` leaves nothing."""

from __future__ import annotations

from sqlalchemy import Engine, inspect

from ...common.errors import Refused, UsageFault
from ...models.migrate import downgrade
from ...models.tables import Base, KeyStoreRow
from ...vault.head import Row
from .registry import on_server, open_engine


def empty_database(registry: str) -> Engine:
    """The server's database that is to take a restored registry.

    Raises:
        UsageFault: `registry_kind`, when it is none of a server's. Refused: `registry_in_use`; as `open_engine`.
    """
    if not on_server(registry):
        raise UsageFault("registry_kind", kind=registry.partition(":")[0])
    engine = open_engine(registry)
    require_empty(engine)
    return engine


def require_empty(engine: Engine) -> None:
    """A database may become a registry when nothing is in it, or only tables that an interrupted `init` made.

    Raises:
        Refused: `registry_in_use`.
    """
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        ours = {*Base.metadata.tables, "alembic_version"}
        taken = bool(there - ours)
        if KeyStoreRow.__tablename__ in there:
            taken = taken or connection.execute(KeyStoreRow.__table__.select()).first() is not None
        connection.rollback()
    if taken:
        raise Refused("registry_in_use")


def clear_unfinished(engine: Engine, store: bytes) -> None:
    """Takes the tables away that an interrupted `init` left, if they are its own."""
    with engine.connect() as connection:
        row = None
        if inspect(connection).has_table(KeyStoreRow.__tablename__):
            row = connection.execute(KeyStoreRow.__table__.select()).first()
        connection.rollback()
    if row is not None and Row(row.epoch, bytes(row.sealed)).head.store_uuid == store:
        downgrade(engine)
