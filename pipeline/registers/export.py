"""One register as a file for the shelf, or one page of it on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...common.errors import UsageFault
from ...common.files import write_new
from ..persons import aggregation, people
from ..persons.actors import Actor, acting
from ..station import ledgers
from ..station.station import Station
from . import sheets
from .book import REGISTERS
from .look import Look, Register, Scope

FORMATS = ("xlsx", "csv", "pdf")
PAGE = 50


def export_register(
    station: Station, actor: Actor, *, name: str, form: str, out: Path, scope: Scope | None = None
) -> dict[str, Any]:
    """Writes a register, or a period or department of it. Words the actor's clearance does not reach stay out of it.

    The ledger's checkpoint on it contains the entry that says it was printed.

    Raises:
        UsageFault: unknown register, format or department. Refused: the file is there already.
        MissingTool: no Chinese font (PDF).
    """
    register, scope = _register(name), scope or Scope()
    if form not in FORMATS:
        raise UsageFault("unknown_format", format=form, formats="、".join(FORMATS))
    with acting(station, actor, "register.export") as session:
        look = Look(station=station, session=session, actor=actor, scope=scope)
        lines = list(register.lines(look))
        sums = register.sums(lines) if register.sums else []
        bulk = aggregation.check(station, session, actor, name, look.levels.values())
        station.log(
            session, "register.export", person=actor.person, account=actor.user, rule=bulk or "",
            facts={"register": name, "rows": len(lines), "format": form},
        )  # fmt: skip
        checkpoint = ledgers.signed_head(station, session)
        head = sheets.Head(
            unit=station.settings.unit, period=_period(scope), department=scope.department or "",
            by=people.name_of(station, session, actor.person), at=station.clock.now(), size=checkpoint.size,
            root=checkpoint.root.hex(),
        )  # fmt: skip
    match form:
        case "xlsx":
            data = sheets.xlsx(register, lines, sums, head)
        case "csv":
            data = sheets.table(register, lines, sums)
        case _:
            data = sheets.pdf(register, lines, sums, head)
    return {
        "file": str(out), "rows": len(lines), "sha256": write_new(out, data), "register": name,
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root.hex(), "at": checkpoint.at},
    }  # fmt: skip


def show_register(station: Station, actor: Actor, *, name: str, scope: Scope | None = None) -> dict[str, Any]:
    """One page of a register; `next` is what `--after` takes for the page that follows, None on the last.

    Raises:
        UsageFault: unknown register, department or key.
    """
    register, scope = _register(name), scope or Scope()
    limit = scope.limit or PAGE
    with acting(station, actor, "register.show") as session:
        wider = Scope(
            since=scope.since,
            until=scope.until,
            department=scope.department,
            after=scope.after,
            limit=limit + 1,
        )
        lines = list(register.lines(Look(station=station, session=session, actor=actor, scope=wider)))
        station.log(
            session, "register.show", person=actor.person, account=actor.user,
            facts={"register": name, "rows": min(limit, len(lines))},
        )  # fmt: skip
    heads = [column.head for column in register.columns]
    return {
        "register": name, "title": register.title, "columns": heads,
        "rows": [dict(zip(heads, line.cells, strict=True)) for line in lines[:limit]],
        "next": lines[limit - 1].key if len(lines) > limit else None,
    }  # fmt: skip


def _register(name: str) -> Register:
    found = REGISTERS.get(name)
    if found is None:
        raise UsageFault("unknown_register", name=name, names="、".join(REGISTERS))
    return found


def _period(scope: Scope) -> str:
    if scope.since is None and scope.until is None:
        return "全部"
    first = scope.since.isoformat() if scope.since else "始"
    last = scope.until.isoformat() if scope.until else "今"
    return f"{first} 至 {last}"
