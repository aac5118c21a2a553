"""One register as a file for the shelf, or one page of it on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...common.errors import JiyaoError, UsageFault
from ...common.files import digest_of, new_file
from ..persons import aggregation, people
from ..persons.actors import Actor, acting
from ..station import ledgers
from ..station.station import Station
from . import sheets
from .book import REGISTERS
from .look import Look, Register, Scope, Sums

FORMATS = ("xlsx", "csv", "pdf")
PAGE = 50


def export_register(
    station: Station, actor: Actor, *, name: str, form: str, out: Path, scope: Scope | None = None
) -> dict[str, Any]:
    """Writes a register, or a period or department of it. Words the actor's clearance does not reach stay out of it.

    The ledger's checkpoint on it contains the entry that says it was printed.

    Raises:
        UsageFault: unknown register, format or department; more lines than such a file takes.
        Refused: the file is there already; too many secrets at once. MissingTool: no Chinese font (PDF).
    """
    register, scope = _register(name), scope or Scope()
    if form not in FORMATS:
        raise UsageFault("unknown_format", format=form, formats="、".join(FORMATS))
    with new_file(out) as file:
        writer, sums = sheets.WRITERS[form](file, register), register.sums() if register.sums else None
        try:
            # whoever else writes need not wait for the lines
            with station.read() as session:
                look = Look(station=station, session=session, actor=actor, scope=scope)
                rows = _write(look, register, name, writer, sums)
                bulk = aggregation.check(station, session, actor, name, look.levels.values())
        except JiyaoError:
            with acting(station, actor, "register.export"):
                raise
        with acting(station, actor, "register.export") as session:
            station.log(
                session, "register.export", person=actor.person, account=actor.user, rule=bulk or "",
                facts={"register": name, "rows": rows, "format": form},
            )  # fmt: skip
            checkpoint = ledgers.signed_head(station, session)
            head = sheets.Head(
                unit=station.settings.unit, period=_period(scope), department=scope.department or "",
                by=people.name_of(station, session, actor.person), at=station.clock.now(), size=checkpoint.size,
                root=checkpoint.root.hex(),
            )  # fmt: skip
        writer.finish(sums.lines() if sums else [], head)
    return {
        "file": str(out), "rows": rows, "sha256": digest_of(out), "register": name,
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root.hex(), "at": checkpoint.at},
    }  # fmt: skip


def _write(look: Look, register: Register, name: str, writer: sheets.Writer, sums: Sums | None) -> int:
    """Every line, one after the other; how many they were.

    Raises:
        UsageFault: more than such a file takes. Refused: too many secrets at once without approval.
    """
    rows, checked = 0, False
    for line in register.lines(look):
        rows += 1
        if rows > writer.most:
            raise UsageFault("register_too_long", register=register.title, most=writer.most)
        writer.add(line)
        if sums is not None:
            sums.add(line)
        if look.too_many and not checked:
            aggregation.check(look.station, look.session, look.actor, name, look.levels.values())
            checked = True
    return rows


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
        "more": len(lines) > limit, "next": lines[limit - 1].key if len(lines) > limit else None,
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
