"""Destruction 销毁, step by step, each by other persons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.errors import UsageFault
from ..common.messages import say
from ..common.paging import HEAVY
from ..models.certificate_words import why, word
from ..pipeline.destruction import batch as destruction
from ..pipeline.destruction import certificate as destruction_certificate
from ..pipeline.destruction import draft as drafts
from ..pipeline.destruction import execution as destruction_run
from ..pipeline.destruction import physical
from . import show
from .frame import FILE, LEVEL, Room, argument, bounded, current, enter, option

if TYPE_CHECKING:
    from ..pipeline.station.station import Station

destroy = Room("destroy")
_STATE = (
    "id", "state", "phase", "reason", "list_sha256", "needed", "proposer", "counters", "approvers", "supervisors",
    "operators", "attested", "approval_expires", "verdict", "certificate",
)  # fmt: skip
_PERSONS = ("counters", "approvers", "supervisors", "operators", "attested")


@destroy.command("propose")
@option("--document", multiple=True, metavar="D")
@option("--copy", "copies", multiple=True, metavar="C")
@option("--carrier", "carriers", multiple=True, metavar="Z")
@option("--medium", "media", multiple=True, metavar="NO")
@option("--level", type=LEVEL, metavar="L")
@option("--due", is_flag=True)
@option("--reason", required=True, metavar="CODE")
@option("--note", metavar="T")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_propose(
    document: tuple[str, ...], copies: tuple[str, ...], out: Path | None, **rest: Any
) -> None:
    given = [bool(document), bool(copies), rest["due"], bool(rest["carriers"] or rest["media"])]
    if given.count(True) != 1:
        raise UsageFault("options_one_of", options="--document、--copy、--due、--carrier")
    _only_dry(out, dry_run=rest["dry_run"])

    def work() -> dict[str, Any]:
        station, actor = enter("destroy.propose")
        value = destruction.propose(station, actor, documents=document, copies=copies, **rest)
        return _written(station, value, out)

    show.run(work, _draw)


@destroy.command("count")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_count(batch: str, dry_run: bool, out: Path | None) -> None:
    _step("destroy.count", destruction.count, batch=batch, dry_run=dry_run, out=out)


@destroy.command("approve")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_approve(batch: str, dry_run: bool, out: Path | None) -> None:
    _step("destroy.approve", destruction.approve, batch=batch, dry_run=dry_run, out=out)


@destroy.command("refuse")
@argument("batch", metavar="ID")
@option("--reason", required=True, metavar="T")
@option("--dry-run", is_flag=True)
def destroy_refuse(batch: str, reason: str, dry_run: bool) -> None:
    _step("destroy.approve", destruction.refuse, batch=batch, reason=reason, dry_run=dry_run)


@destroy.command("supervise")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_supervise(batch: str, dry_run: bool, out: Path | None) -> None:
    _step("destroy.supervise", destruction.supervise, batch=batch, dry_run=dry_run, out=out)


@destroy.command("execute")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_execute(batch: str, dry_run: bool, out: Path | None) -> None:
    _step("destroy.execute", destruction_run.execute, batch=batch, dry_run=dry_run, out=out)


@destroy.command("record")
@argument("batch", metavar="ID")
@option("--method", "methods", multiple=True, required=True, metavar="M")
@option("--place", required=True, metavar="T")
@option("--began", required=True, metavar="T")
@option("--ended", required=True, metavar="T")
@option("--performed-by", multiple=True, metavar="P")
@option("--standard", default="", metavar="T")
@option("--grade", default="", metavar="T")
@option("--equipment", default="", metavar="T")
@option("--equipment-no", default="", metavar="T")
@option("--plant", default="", metavar="T")
@option("--receipt", "plant_receipt", default="", metavar="T")
@option("--escort", "escorts", multiple=True, metavar="P")
@option("--route", "way", default="", metavar="T")
@option("--vehicle", default="", metavar="T")
@option("--seal", "seal_no", default="", metavar="T")
@option("--departed", default="", metavar="T")
@option("--arrived", default="", metavar="T")
@option("--small", "small_amount", is_flag=True)
@option("--media", type=FILE, metavar="FILE")
@option("--dry-run", is_flag=True)
def destroy_record(batch: str, media: Path | None, dry_run: bool, **said: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("destroy.execute")
        facts = physical.stated({**said, "media": physical.media_of(media)})
        return physical.record(station, actor, batch=batch, facts=facts, dry_run=dry_run)

    show.run(work, _draw)


@destroy.command("attest")
@argument("batch", metavar="ID")
@option("--place", required=True, metavar="T")
@option("--dry-run", is_flag=True)
@option("--out", type=FILE, metavar="F")
def destroy_attest(batch: str, place: str, dry_run: bool, out: Path | None) -> None:
    _step(
        "destroy.supervise",
        destruction_certificate.attest,
        batch=batch,
        place=place,
        dry_run=dry_run,
        out=out,
    )


@destroy.command("cancel")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
def destroy_cancel(batch: str, dry_run: bool) -> None:
    _step("destroy.propose", destruction.cancel, batch=batch, dry_run=dry_run)


@destroy.command("show")
@argument("batch", metavar="ID")
@option("--dry-run", is_flag=True)
def destroy_show(batch: str, dry_run: bool) -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("destroy.show")
        return {**destruction.show(station, batch=batch), "dry_run": dry_run}

    show.run(work, _draw)


@destroy.command("list")
@bounded(HEAVY)
@option("--after", metavar="ID")
def destroy_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, _ = enter("destroy.show")
        return partial(destruction.list_batches, station)

    keys = ("id", "state", "reason", "items", "verdict", "certificate")

    def draw(value: dict[str, Any]) -> None:
        rows = value["destructions"]
        show.table(keys, [[len(row[key]) if key == "items" else row[key] for key in keys] for row in rows])

    show.listing(work, "destructions", draw, limit=limit, after=after)


def _step(act: str, step: Callable[..., dict[str, Any]], *, out: Path | None = None, **given: Any) -> None:
    _only_dry(out, dry_run=given["dry_run"])

    def work() -> dict[str, Any]:
        station, actor = enter(act)
        return _written(station, step(station, actor, **given), out)

    show.run(work, _draw)


def _only_dry(out: Path | None, *, dry_run: bool) -> None:
    if out is not None and not dry_run:
        raise UsageFault("draft_needs_dry_run")


def _written(station: Station, value: dict[str, Any], out: Path | None) -> dict[str, Any]:
    """With the draft written out, where that is asked for."""
    if out is None:
        return value
    return {**value, "draft_file": drafts.write(station, value["draft"], out)["file"]}


def _draw(value: dict[str, Any]) -> None:
    show.record({**value, **{name: _persons(value[name]) for name in _PERSONS}}, _STATE)
    rows = [
        (item["item"], item["id"], item["level"], [_block(block["code"]) for block in item["blocks"]])
        for item in value["items"]
    ]
    show.table(("item", "id", "level", "blocks"), rows)
    if value["checks"]:
        lang = current().lang
        show.table(
            ("check", "result", "detail"),
            [
                (check["name"], word("result", check["result"], lang), why(check["reason"], lang))
                for check in value["checks"]
            ],
        )
    if roots := value.get("roots"):
        done = sum(root["state"] == "erased" for root in roots)
        show.closing("roots_erased", done=done, count=len(roots))
    if settled := value.get("settled"):
        show.closing("roots_settled", at=settled["at"], seq=settled["ledger_seq"])
        if gone := settled["written_off"]:
            by = "、".join(sorted({name for one in gone for name in one["by"]}))
            show.closing(
                "roots_given_up", done=settled["erased"], count=settled["roots"], lost=len(gone), names=by
            )
    for place in value["outside_scope"]:
        show.closing("outside_scope", kind=place["kind"], path=place.get("path") or "—")
    for one in value.get("reservations", ()):
        show.closing(one["code"])
    if value["dry_run"]:
        show.closing("dry_run")
    if value.get("draft_file"):
        show.closing("draft_written", file=value["draft_file"])


def _block(code: str) -> str:
    return f"{say(f'block_{code}', current().lang)} ({code})"


def _persons(acts: list[dict[str, str]]) -> list[str]:
    return [f"{act['person']} ({act['role']})" for act in acts]
