"""Many values as one: a query over a list that travels as a single JSON text, however long it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class json_each(GenericFunction[Any]):  # noqa: N801 - its name is the database's
    """The entries of a JSON list as rows with a column `value`."""

    name = "json_each"
    inherit_cache = True


@compiles(json_each, "postgresql")
def _entries(element: json_each, compiler: Any, **options: Any) -> str:
    """PostgreSQL's function of that name is for objects."""
    (given,) = element.clauses
    return f"json_array_elements_text(CAST({compiler.process(given, **options)} AS JSON))"


def listed(ids: Sequence[str]) -> Select[tuple[str]]:
    """These texts as a query."""
    rows = json_each(json.dumps(list(ids))).table_valued("value")
    return select(rows.c.value)
