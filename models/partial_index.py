"""Indexes over some of a table's rows, said once for every database.

SQLAlchemy loads a database's whole dialect to check an option that bears its name: PostgreSQL's would cost each command
a tenth of a second. So its option is set only when an index is written in its words.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Index
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex

_ROWS: Final = "rows"


def rows(condition: Any) -> dict[str, Any]:
    """Options of an `Index` over the rows for which the condition holds."""
    return {"sqlite_where": condition, "info": {_ROWS: condition}}


def say_for_postgresql(index: Index) -> None:
    """Sets PostgreSQL's own option."""
    if _ROWS in index.info:
        index.dialect_options["postgresql"]["where"] = index.info[_ROWS]


@compiles(CreateIndex, "postgresql")
def _create(element: CreateIndex, compiler: Any, **options: Any) -> str:
    say_for_postgresql(element.element)
    return str(compiler.visit_create_index(element, **options))
