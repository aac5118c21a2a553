"""Many rows kept as JSON: a batch of thousands answers with all of them, and as values they would fill the memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

Row = dict[str, Any]


class JsonRows(Sequence[Row]):
    """A list of rows, each made a value when it is looked at. Equal to a list of equal rows."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = [_packed(row) for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [json.loads(row) for row in self._rows[place]]
        row: Row = json.loads(self._rows[place])
        return row

    def __iter__(self) -> Iterator[Row]:
        return (json.loads(row) for row in self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def pieces(self) -> Iterator[bytes]:
        """The JSON list, row by row."""
        yield b"["
        for number, row in enumerate(self._rows):
            yield b", " + row if number else row
        yield b"]"


def json_pieces(value: object) -> Iterator[bytes]:
    """JSON (UTF-8) of a value that may have `JsonRows` among the values of its top level.

    A name that is no Unicode keeps its escape.
    """
    if isinstance(value, dict) and any(isinstance(item, JsonRows) for item in value.values()):
        yield b"{"
        for number, (key, item) in enumerate(value.items()):
            yield (b", " if number else b"") + _packed(str(key)) + b": "
            yield from item.pieces() if isinstance(item, JsonRows) else (_packed(item),)
        yield b"}"
    else:
        yield _packed(value)


def _packed(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
