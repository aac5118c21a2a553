"""Frozen values to plain JSON and back: what crosses to a worker and what is sealed.

Only the types the nouns use: dataclasses, tuples, optionals, unions of literals, enums, dates, numbers, text. Each type
is looked at once and becomes a function; a page has thousands of values.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Reader = Callable[[Any], Any]
_ATOMS = frozenset({str, int, float, bool, type(None)})


def to_plain(value: object) -> Any:
    """The value as JSON types. Bytes are refused: they travel beside the JSON, never in it."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple or kind is list:
        return [item if type(item) in _ATOMS else to_plain(item) for item in value]  # type: ignore[attr-defined]
    names = _names(cast(Hashable, kind))
    if names is not None:
        return {
            name: item if type(item := getattr(value, name)) in _ATOMS else to_plain(item) for name in names
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"cannot travel: {kind.__name__}")


@cache
def _names(kind: Hashable) -> tuple[str, ...] | None:
    """The fields of a dataclass; None for any other type."""
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of type `kind` from its JSON form.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: when the JSON does not fit the type.
    """
    result: T = _reader(cast(Hashable, kind))(plain)
    return result


@cache
def _reader(of: Hashable) -> _Reader:
    kind: Any = of
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is dict:
        inner = _reader(get_args(kind)[1])
        return lambda plain: {key: inner(item) for key, item in plain.items()}
    if origin is Literal:
        return _literal(get_args(kind))
    if kind in (Any, object):
        return _as_it_is
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind in (date, datetime):
        return kind.fromisoformat  # type: ignore[no-any-return]
    return _float if kind is float else _plain(kind)


def _as_it_is(plain: Any) -> Any:
    return plain


def _plain(kind: type) -> _Reader:
    def read(plain: Any) -> Any:
        if not isinstance(plain, kind):
            raise TypeError(f"{kind} expected")
        return plain

    return read


def _float(plain: Any) -> float:
    if type(plain) is float:
        return plain
    if isinstance(plain, int):
        return float(plain)
    raise TypeError("a number expected")


def _literal(allowed: tuple[Any, ...]) -> _Reader:
    def read(plain: Any) -> Any:
        if plain not in allowed:
            raise ValueError(f"not one of {allowed}")
        return plain

    return read


def _tuple(kinds: tuple[Any, ...]) -> _Reader:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        inner = _reader(kinds[0])
        return lambda plain: tuple([inner(item) for item in plain])
    readers = tuple(_reader(kind) for kind in kinds)
    return lambda plain: tuple([read(item) for read, item in zip(readers, plain, strict=True)])


def _dataclass(kind: Any) -> _Reader:
    """Read when it is first needed: a type may name itself."""
    readers: dict[str, _Reader] = {}

    def read(plain: Any) -> Any:
        if not readers:
            readers.update({name: _reader(hint) for name, hint in get_type_hints(kind).items()})
        return kind(**{name: readers[name](item) for name, item in plain.items()})

    return read


def _union(options: tuple[Any, ...]) -> _Reader:
    optional = type(None) in options
    readers = [_reader(option) for option in options if option is not type(None)]

    def read(plain: Any) -> Any:
        if plain is None and optional:
            return None
        if len(readers) == 1:
            return readers[0](plain)
        for reader in readers:
            try:
                return reader(plain)
            except (TypeError, ValueError, KeyError, AttributeError):
                continue
        raise TypeError("no option fits")

    return read
