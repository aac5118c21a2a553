"""The unit's own list of secret matters becomes part of a policy draft; the draft is then signed like any policy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from ...common.errors import JiyaoError, NotThere, Refused, UsageFault
from ...common.files import write_new
from ...common.limits import DEFAULT_LIMITS
from ...models.policy.loader import parse_policy
from ...models.policy.nodes import compose
from ...models.policy.schema import UnitItem
from ...models.wire import from_plain
from ..intake.executor import Job, LocalExecutor
from ..intake.inbox import Unreadable, read_file
from ..persons.actors import Actor
from .station import Station

_SECTION = "unit_secret_items"


def import_list(
    station: Station, actor: Actor, *, file: Path, out: Path, base: Path | None = None
) -> dict[str, Any]:
    """Reads a list (xlsx, csv) in a worker and writes a policy draft with it: the policy in force, or `base`.

    The draft is readable by its owner only: the list itself may be classified.

    Raises:
        UsageFault: `unit_list_…` with row and column; NotThere; Refused: `out` exists, or the file is no list.
    """
    try:
        data = read_file(file, DEFAULT_LIMITS.file_bytes)
    except Unreadable:
        raise NotThere("no_file", file=str(file)) from None
    text = _base(station, base)
    parse_policy(text)
    items = _read(station, data)
    draft = with_items(text, items, digest=hashlib.sha256(data).hexdigest())
    policy = parse_policy(draft)
    write_new(out, draft.encode())
    with station.write() as session:
        station.log(
            session, "policy.import", person=actor.person, account=actor.user,
            facts={"items": len(items), "policy": policy.sha256},
        )  # fmt: skip
    levels = [item.level.value for item in items]
    return {
        "file": str(out), "version": policy.version, "sha256": policy.sha256, "items": len(items),
        "levels": {level: levels.count(level) for level in dict.fromkeys(levels)},
    }  # fmt: skip


def with_items(text: str, items: tuple[UnitItem, ...], *, digest: str) -> str:
    """A policy's YAML with these items in place of its former ones; comments of the rest stay."""
    top = compose(text)
    lines = text.splitlines(keepends=True)
    nodes = {key.value: (key, value) for key, value in top.node.value}
    if _SECTION in nodes:
        first, last = nodes[_SECTION][0].start_mark.line, nodes[_SECTION][1].end_mark.line
        if last == first:
            last = first + 1
        lines[first:last] = []
    version = nodes["version"][1]
    plain = str(version.value).partition("+items.")[0]
    at = version.start_mark.line
    lines[at] = f'version: "{plain}+items.{digest[:8]}"\n'
    rows = [
        {
            key: value
            for key, value in (
                ("item", item.item), ("level", item.level.value), ("period", item.period), ("scope", item.scope),
                ("words", list(item.words)),
            )
            if value
        }
        for item in items
    ]  # fmt: skip
    body = yaml.safe_dump({_SECTION: rows}, allow_unicode=True, sort_keys=False, width=1000)
    whole = "".join(lines)
    return whole + ("" if whole.endswith("\n") else "\n") + body


def _base(station: Station, base: Path | None) -> str:
    if base is None:
        return station.policy_text
    try:
        return base.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotThere("no_file", file=str(base)) from None


def _read(station: Station, data: bytes) -> tuple[UnitItem, ...]:
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path / "list") as workers:
        reply = workers.submit(Job("items", {}, data)).result()
    if reply.outcome != "done":
        code = reply.code or "worker_failed"
        row, _, column = reply.detail.partition("|")
        if code.startswith("unit_list_"):
            raise UsageFault(code, row=row, column=column)
        raise Refused("unit_list_refused", why=code)
    try:
        return from_plain(tuple[UnitItem, ...], reply.value["items"])
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise JiyaoError("worker_garbled") from error
