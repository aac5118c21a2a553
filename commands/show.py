"""What a command prints: one JSON value on stdout, or tables and one closing line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common.errors import JiyaoError
from ..common.json_rows import json_pieces
from ..common.messages import catalogue, say
from ..common.paging import MOST
from .frame import current

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters: words of a paper must not drive the terminal."""
_WIDE = 160
_AT_ONCE = 500
"""Lines of a page where all of a list is asked for."""

Draw = Callable[[dict[str, Any]], object]
Ask = Callable[..., dict[str, Any]]
"""Answers for one page of a list."""


def run(work: Callable[[], dict[str, Any]], draw: Draw) -> dict[str, Any]:
    """Does the work and prints its value; the value of an error that carries one is drawn before it is raised."""
    try:
        value = work()
    except JiyaoError as error:
        if error.value is not None and not current().json:
            draw(dict(error.value))
        raise
    answer(value, draw)
    return value


def listing(
    work: Callable[[], Ask],
    name: str,
    draw: Draw,
    *,
    limit: int,
    after: str | None = None,
    cursor: str = "after",
) -> None:
    """Prints a list: one page of it, or with `limit` 0 all of it, page after page, never in memory at once.

    Args:
        work: opens the door and gives what answers for a page: from `limit` and `after` a value with the list `name`,
            `more` and `next`.
        cursor: the option that goes on where a page ended.
    """
    ask = work()
    if 0 < limit <= MOST:
        value = ask(limit=limit, after=after)
        answer(value, draw)
    elif current().json:
        value = _streamed(ask, name, limit, after)
    else:
        for value in _pages(ask, name, limit, after):
            draw(value)
    if value["more"]:
        click.echo(
            clean(say("list_more", current().lang, option=f"--{cursor}", next=value["next"])), err=True
        )


def _pages(ask: Ask, name: str, limit: int, after: str | None) -> Iterator[dict[str, Any]]:
    left = limit or None
    while True:
        value = ask(limit=_AT_ONCE if left is None else min(_AT_ONCE, left), after=after)
        yield value
        left = None if left is None else left - len(value[name])
        if not value["more"] or left == 0:
            return
        after = value["next"]


def _streamed(ask: Ask, name: str, limit: int, after: str | None) -> dict[str, Any]:
    """One JSON value, its list written page by page; the last page."""
    value: dict[str, Any] = {}
    sys.stdout.flush()
    for piece in _json_of(_pages(ask, name, limit, after), name, last := [value]):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    return last[0]


def _json_of(pages: Iterator[dict[str, Any]], name: str, last: list[dict[str, Any]]) -> Iterator[bytes]:
    comma = b""
    for value in pages:
        if not last[0]:
            first = {key: item for key, item in value.items() if key not in (name, "more", "next")}
            yield b"".join(json_pieces(first))[:-1] + (b", " if first else b"")
            yield b"".join(json_pieces(name)) + b": ["
        last[0] = value
        for row in value[name]:
            yield comma + b"".join(json_pieces(row))
            comma = b", "
    end = {name: last[0][name] for name in ("more", "next")}
    yield b"], " + b"".join(json_pieces(end))[1:]


def answer(value: dict[str, Any], draw: Draw) -> None:
    """Prints a value."""
    if current().json:
        print_json(value)
    else:
        draw(value)


def print_json(value: Any) -> None:
    """One JSON value on stdout, UTF-8; a name that is no Unicode keeps its escape."""
    sys.stdout.flush()
    for piece in json_pieces(value):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table; `headings` are the codes of its columns."""
    lang = current().lang
    made = Table(title=title or None, title_justify="left")
    for heading in headings:
        made.add_column(label(heading), overflow="fold")
    empty = True
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
        empty = False
    if empty:
        plain(say("nothing_to_show", lang))
    else:
        _console().print(made)


def rows(name: str, keys: Sequence[str]) -> Draw:
    """Draws the list of this name as a table."""
    return lambda value: table(keys, [[row.get(key) for key in keys] for row in value[name]])


def record(value: dict[str, Any], keys: Sequence[str] = ()) -> None:
    """One thing, a line for each key that has a value."""
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for key in keys or list(value):
        if (found := value.get(key)) not in (None, "", [], {}):
            made.add_row(Text(label(key), style="bold"), _cell(found))
    _console().print(made)


def closing(code: str, **facts: Any) -> None:
    """The one closing line."""
    plain(say(code, current().lang, **facts))


def plain(text: str) -> None:
    """One line on stdout."""
    click.echo(clean(text))


def label(key: str) -> str:
    """The heading of a column or line; the key itself where there is none."""
    return say(f"col_{key}", current().lang) if f"col_{key}" in catalogue() else key


def status_word(status: str) -> str:
    """A status code, with its word beside it."""
    code = f"status_{status}"
    return f"{say(code, current().lang)} ({status})" if code in catalogue() else status


def clean(text: str) -> str:
    """Text without characters that drive a terminal."""
    return _UNPRINTABLE.sub("�", text)


def _cell(value: Any) -> Text:
    lang = current().lang
    match value:
        case None:
            text = "—"
        case bool():
            text = say("word_yes" if value else "word_no", lang)
        case float():
            text = f"{value:.2f}"
        case list() | tuple():
            text = "、".join(_flat(item) for item in value)
        case dict():
            text = _flat(value)
        case _:
            text = str(value)
    return Text(clean(text))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_flat(item)}" for key, item in value.items() if item not in (None, "", []))
    if isinstance(value, list):
        return "、".join(_flat(item) for item in value)
    return str(value)


def _console() -> Console:
    """The console of stdout; wide where nobody looks at a screen."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)
