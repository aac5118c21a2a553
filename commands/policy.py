"""The policy in force; another one tried out, and activated by two persons; the unit's list of secret matters."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from . import show
from .frame import DATE, FILE, Room, argument, current, enter, exclusive, option

policy = Room("policy")


@policy.command("show")
def policy_show() -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.station import policies

        station, _ = enter("policy.show")
        return policies.show(station)

    show.run(work, show.record)


@policy.command("check")
@argument("file", metavar="FILE", type=FILE)
@option("--since", type=DATE, metavar="DATE")
@option("--all", "everything", is_flag=True)
def policy_check(file: Path, since: date | None, everything: bool) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.station import policies, policy_change

        exclusive(since=since, all=everything)
        if current().user is None and since is None and not everything:
            return policies.check(file)
        station, actor = enter("policy.check")
        checked = policies.check(file)
        text = policies.read_text(file)
        found = policy_change.what_if(station, actor, text=text, since=since, everything=everything)
        return {**checked, **found}

    show.run(work, _draw)


@policy.command("import")
@argument("file", metavar="FILE", type=FILE)
@option("--out", type=FILE, required=True, metavar="F")
@option("--base", type=FILE, metavar="POLICY")
def policy_import(file: Path, out: Path, base: Path | None) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.station import unit_list

        station, actor = enter("policy.import")
        return unit_list.import_list(station, actor, file=file, out=out, base=base)

    show.run(work, show.record)


@policy.command("activate")
@argument("file", metavar="FILE", type=FILE)
def policy_activate(file: Path) -> None:
    def work() -> dict[str, Any]:
        from ..pipeline.station import policies

        station, actor = enter("policy.activate")
        return policies.activate(station, actor, file=file)

    show.run(work, show.record)


def _draw(value: dict[str, Any]) -> None:
    if "changes" not in value:
        show.record(value)
        return
    show.record(value, ("version", "sha256", "since", "decisions", "unchanged", "counts", "skipped"))
    rows = [
        (
            one["document"], _words(one["old"]), _words(one["new"]), one["new"]["rule"], one["new"]["article"],
            one["new"]["retention_rule"],
        )
        for one in value["changes"]
    ]  # fmt: skip
    show.table(("document", "now", "then", "rule", "article", "retention_rule"), rows)


def _words(one: dict[str, Any]) -> str:
    return " ".join(str(one[name]) for name in ("level", "interim", "period", "retention") if one[name])
