"""A registry's rows, carried from one database to another of another kind: the rows are the same in both.

So a backup holds the registry as one file, wherever it lay, and a restore can put it on a server again. All that is
copied is what stands in the rows: sealed values stay as they are, and no key is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, bindparam, func, insert, select, update

from ...models.migrate import upgrade
from ...models.tables import Base

_AT_ONCE: Final = 500


def copy_registry(source: Engine, target: Engine) -> None:
    """Copies every row as it stands at one moment, while others may work; wholly or not at all.

    Args:
        target: an empty database; its tables are made.

    Raises:
        Refused: `schema_too_new`. Errors of the databases, as they are.
    """
    upgrade(target)
    with source.connect() as taken, target.execution_options(writes=True).connect() as given, given.begin():
        for table in Base.metadata.sorted_tables:
            own = [key.parent.name for key in table.foreign_keys if key.column.table is table]
            for rows in _pieces(taken, table):
                # A row may name another of its own table that comes after it.
                given.execute(insert(table), [{**row, **dict.fromkeys(own)} for row in rows])
            if own:
                _link(taken, given, table, own)
            _count_on(given, table)
        taken.rollback()


def _pieces(taken: Connection, table: Table) -> Iterator[Sequence[dict[str, Any]]]:
    kept = [column for column in table.columns if column.computed is None]
    asked = taken.execution_options(yield_per=_AT_ONCE).execute(select(*kept))
    for rows in asked.mappings().partitions():
        yield [dict(row) for row in rows]


def _link(taken: Connection, given: Connection, table: Table, own: Sequence[str]) -> None:
    (key,) = table.primary_key.columns
    for name in own:
        column = table.c[name]
        rows = taken.execute(select(key, column).where(column.is_not(None))).all()
        if rows:
            change = update(table).where(key == bindparam("at")).values({name: bindparam("to")})
            given.execute(change, [{"at": at, "to": to} for at, to in rows])


def _count_on(given: Connection, table: Table) -> None:
    """A server gives out the next number of a table from a count of its own."""
    column = table.autoincrement_column
    if given.dialect.name != "postgresql" or column is None:
        return
    series = given.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
    highest = given.scalar(select(func.max(column)))
    if series is not None and highest is not None:
        given.execute(select(func.setval(series, highest)))
