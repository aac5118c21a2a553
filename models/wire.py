"""Frozen values to plain JSON and back: what crosses to a worker and what is sealed.

Only the types the nouns use: dataclasses, tuples, optionals, unions of literals, enums, dates, numbers, text.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """The value as JSON types. Bytes are refused: they travel beside the JSON, never in it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"cannot travel: {type(value).__name__}")


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of type `kind` from its JSON form.

    Raises:
        ValueError, TypeError, KeyError: when the JSON does not fit the type.
    """
    result: T = _read(kind, plain)
    return result


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), plain)
    if origin is tuple:
        arguments = get_args(kind)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_read(arguments[0], item) for item in plain)
        return tuple(_read(part, item) for part, item in zip(arguments, plain, strict=True))
    if origin is dict:
        _, inner = get_args(kind)
        return {key: _read(inner, item) for key, item in plain.items()}
    if origin is Literal:
        if plain not in get_args(kind):
            raise ValueError(f"not one of {get_args(kind)}")
        return plain
    if kind in (Any, object):
        return plain
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return kind(**{name: _read(hints[name], item) for name, item in plain.items()})  # type: ignore[operator]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind in (date, datetime):
        return kind.fromisoformat(plain)
    if kind is float and isinstance(plain, int):
        return float(plain)
    if not isinstance(plain, kind):
        raise TypeError(f"{kind} expected")
    return plain


def _read_union(options: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and type(None) in options:
        return None
    for option in options:
        if option is type(None):
            continue
        try:
            return _read(option, plain)
        except (TypeError, ValueError, KeyError, AttributeError):
            continue
    raise TypeError("no option fits")
