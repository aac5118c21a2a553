"""Every list is bounded unless all of it is asked for, and then it comes page after page."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from jiyao import cli
from jiyao.commands import show
from jiyao.commands.frame import Call
from jiyao.common.paging import MOST
from jiyao.pipeline.bench import fill as bench_fill
from jiyao.pipeline.copies import copies
from jiyao.pipeline.desk import custody, matter_book
from jiyao.pipeline.papers import documents, incidents
from jiyao.pipeline.persons import approvals, people
from jiyao.pipeline.review import batches, review
from jiyao.pipeline.rounds import circulation_list, lists, transport
from room_kit import Room
from tools.tree import ROOT

ALSO = {
    "carriers out", "carriers trail", "due", "urge", "register show", "documents readers", "person deputies",
}  # fmt: skip
"""Lists that are not called so."""
SHORT = {"vault mirror list"}
"""As long as a station has roots."""
NO_LISTS = {"list_json"}
"""Functions that say one thing, though they are called like a list."""


def leaves() -> Iterator[tuple[str, click.Command]]:
    def walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for name in command.commands:
                yield from walk(f"{path} {name}", command.commands[name])
        else:
            yield path, command

    for name, module in cli.ROOMS.items():
        yield from walk(name, getattr(import_module(f"jiyao.commands.{module}"), name))


def test_every_list_has_a_bound() -> None:
    known = dict(leaves())
    assert set(known) >= ALSO
    faults = []
    for path, command in known.items():
        if path in SHORT or (path not in ALSO and command.name not in ("list", "out", "trail")):
            continue
        options = {one.name: one for one in command.params}
        bound = options.get("limit")
        if bound is None or not {"after", "before", "offset"} & set(options):
            faults.append(f"{path}: no --limit, or nothing to go on with")
        elif path != "register show" and not 0 < int(bound.default) <= MOST:  # type: ignore[call-overload]
            faults.append(f"{path}: not bounded unless asked")
    assert not faults, "\n".join(faults)


def test_every_function_that_lists_has_a_bound() -> None:
    faults = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if (
                isinstance(node, ast.FunctionDef)
                and node.name.startswith("list_")
                and node.name not in NO_LISTS
            ):
                if node.returns is None or ast.unparse(node.returns) != "dict[str, Any]":
                    continue
                given = dict(
                    zip([one.arg for one in node.args.kwonlyargs], node.args.kw_defaults, strict=True)
                )
                bound = given.get("limit")
                if bound is None or (isinstance(bound, ast.Constant) and bound.value is None):
                    faults.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not faults, "\n".join(faults)


def _ask(limit: int, after: str | None) -> dict[str, Any]:
    assert limit <= MOST
    start = int(after) + 1 if after else 0
    rows = [{"number": number} for number in range(start, min(start + limit, 1203))]
    more = start + limit < 1203
    return {"total": 1203, "rows": rows, "more": more, "next": str(rows[-1]["number"]) if more else None}


@pytest.mark.parametrize(("limit", "rows"), [(0, 1203), (7, 7), (1100, 1100), (5000, 1203)])
def test_all_of_it_comes_page_after_page(
    capsysbinary: pytest.CaptureFixture[bytes], limit: int, rows: int
) -> None:
    with click.Context(click.Command("x"), obj=Call(json=True)):
        show.listing(lambda: _ask, "rows", lambda _: None, limit=limit)
    told = capsysbinary.readouterr()
    value = json.loads(told.out)
    assert [row["number"] for row in value["rows"]] == list(range(rows)) and value["total"] == 1203
    assert value["more"] == (rows < 1203) == bool(told.err) and value["next"] == (
        str(rows - 1) if told.err else None
    )
    drawn: list[int] = []
    with click.Context(click.Command("x"), obj=Call()):
        show.listing(lambda: _ask, "rows", lambda page: drawn.append(len(page["rows"])), limit=limit)
    assert sum(drawn) == rows and max(drawn) <= MOST


def test_nothing_is_printed_of_a_list_that_is_refused(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    def refuse(**_: Any) -> dict[str, Any]:
        raise ValueError

    with click.Context(click.Command("x"), obj=Call(json=True)), pytest.raises(ValueError):
        show.listing(lambda: refuse, "rows", lambda _: None, limit=0)
    assert capsysbinary.readouterr().out == b""


def test_pages_follow_each_other(tmp_path: Path) -> None:
    room = Room(tmp_path)
    bench_fill.fill(room.station, documents=300, seed=4)
    station, clerk = room.station, room.as_("clerk", "documents")
    with station.read() as session:
        first = str(session.execute(documents.select(documents.Document.id)).scalars().first())
    asked: dict[str, tuple[str, str, Any]] = {
        "copies": ("copies", "copy", partial(copies.list_copies, station, clerk)),
        "carriers": ("objects", "object", partial(custody.list_carriers, station, clerk)),
        "out": ("items", "id", partial(custody.outstanding, station, clerk)),
        "trail": ("movements", "at", partial(custody.trail, station, clerk, object_id=f"{first}-Z1")),
        "matters": ("matters", "id", partial(matter_book.list_matters, station, clerk, ended=True)),
        "review": ("documents", "id", partial(review.list_reviews, station, clerk)),
        "batches": ("batches", "batch", partial(batches.list_batches, station, clerk)),
        "incidents": ("incidents", "id", partial(incidents.list_incidents, station)),
        "persons": ("persons", "person", partial(people.list_persons, station)),
        "accounts": ("accounts", "user", partial(people.list_accounts, station)),
        "rounds": ("circulations", "matter", partial(circulation_list.list_open, station, clerk, ended=True)),
        "runs": ("runs", "run", partial(transport.list_runs, station, clerk, ended=True)),
        "lists": ("lists", "list", partial(lists.list_lists, station, clerk, kind="recall", ended=True)),
    }  # fmt: skip
    for name, (rows, key, ask) in asked.items():
        whole = [row[key] for row in ask(limit=MOST)[rows]]
        step, found, after = max(1, len(whole) // 3), list[Any](), None
        for _ in range(len(whole) + 1):
            page = ask(limit=step, after=after)
            found += [row[key] for row in page[rows]]
            after = page["next"]
            assert page["more"] == (after is not None)
            if after is None:
                break
        assert found == whole and whole, name
    newest = approvals.list_approvals(station, clerk, limit=5)
    assert newest["more"] and newest["next"] == newest["approvals"][0]["id"]
    oldest = approvals.list_approvals(station, clerk, limit=MOST, after="")["approvals"]
    assert oldest[-5:] == newest["approvals"]
