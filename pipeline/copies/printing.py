"""Printing copies: one run, one entry of the paper register, never more than approved (R-058, R-062, R-167).

The print file goes to the system's own `lp` through a pipe, never onto a disk of ours. The run stays open until the
operator has counted the spoiled pages; those are to be destroyed within the policy's time (clock `waste_pages`).

Threats: a second printing of the same file (each copy is drawn for its run alone, with its own number and marks);
a run that fails half way (copies that were not printed are returned at once, in the register too). Not met: what
CUPS itself keeps in its spool until a job is done, and what a printer keeps in its memory: docs/known-limits.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, MissingTool
from ...common.sandbox import outside_program
from ...models.tables import Copy, Matter, MatterItem
from ..desk import matters
from ..papers.documents import level_name
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import issuing
from .issuing import Drawn

KIND = "print_run"
_PATIENCE = 120.0
"""Seconds for `lp` to take a file."""


@dataclass(slots=True)
class Printer:
    """The system's own print command. The job's name is the copy's number: queues are seen by others."""

    name: str | None
    program: str
    kind: str = "print"
    printed: list[Drawn] = field(default_factory=list)
    """What it took in this run."""

    @classmethod
    def find(cls, name: str | None) -> Printer:
        """The printer of that name, or the system's own choice.

        Raises:
            MissingTool: no print command on this machine.
        """
        program = shutil.which("lp")
        if program is None:
            raise MissingTool("printer_missing")
        return cls(name or os.environ.get("JIYAO_PRINTER") or None, program)

    def place(self, copy: str, form: str) -> str:  # noqa: ARG002
        """Paper, from this printer."""
        return f"printer:{self.name or 'default'}"

    def put(self, drawn: Drawn) -> dict[str, Any]:
        """Sends one copy, once.

        Raises:
            JiyaoError: the print system did not take it.
        """
        call = [self.program, "-n", "1", "-t", drawn.copy, *(["-d", self.name] if self.name else []), "-"]
        try:
            with outside_program(own_home=True) as environment:
                done = subprocess.run(
                    call,
                    input=drawn.data,
                    capture_output=True,
                    timeout=_PATIENCE,
                    check=False,
                    env=environment,
                )
        except (OSError, subprocess.TimeoutExpired):
            raise JiyaoError("printing_failed", copy=drawn.copy) from None
        if done.returncode != 0:
            raise JiyaoError("printing_failed", copy=drawn.copy)
        self.printed.append(drawn)
        return {"file": None, "sha256": None, "printed": True}


def print_copies(
    station: Station,
    actor: Actor,
    *,
    document: str,
    to: Sequence[str],
    printer: str | None = None,
    due: date | None = None,
    purpose: str | None = None,
) -> dict[str, Any]:
    """Prints one copy for each recipient in one run.

    Raises:
        As `issuing.issue`. MissingTool: no print command. JiyaoError: a copy was not taken; those before it are out.
    """
    sink = Printer.find(printer)
    try:
        told = issuing.issue(station, actor, document=document, to=to, sink=sink, due=due, purpose=purpose)
    except JiyaoError:
        if sink.printed:
            _open_run(station, actor, document, sink)
        raise
    return {**told, "run": _open_run(station, actor, document, sink), "pages": _pages(sink)}


def close_run(station: Station, actor: Actor, *, run: str, spoiled: int) -> dict[str, Any]:
    """The operator has counted the spoiled pages: the run is closed, and they are to be destroyed.

    Raises:
        NotThere: no such run. Refused: closed already.
    """
    with acting(station, actor, "copies.print", objects=(run,)) as session:
        row = matters.get_matter(session, run)
        result = "spoiled" if spoiled else "clean"
        matters.advance(station, session, actor, row, step="count", result=result, words={"spoiled": spoiled})
        return matters.matter_json(station, session, row, actor=actor, whole=True)


def _pages(sink: Printer) -> int:
    return sum(drawn.pages for drawn in sink.printed)


def _open_run(station: Station, actor: Actor, document: str, sink: Printer) -> str:
    """The run of what was printed, also when it broke off."""
    with acting(station, actor, "copies.print", objects=(document,)) as session:
        row = access.get_document(session, document)
        copies = [session.get_one(Copy, drawn.copy) for drawn in sink.printed]
        words = {"printer": sink.name or "default", "pages": _pages(sink), "copies": len(copies)}
        run = matters.start(
            station, session, actor, KIND, document=document, items=[("copy", copy.id) for copy in copies],
            words=words,
        )  # fmt: skip
        for item, copy, drawn in zip(matters.items_of(session, run), copies, sink.printed, strict=True):
            item.facts = json.dumps({"pages": drawn.pages})
            item.state, item.person, item.at = "printed", copy.recipient, station.now()
        station.log(
            session, "print.run", objects=(run.id, document, *(copy.id for copy in copies)), person=actor.person,
            account=actor.user, level=level_name(row.level_code), rule=copies[0].approval_id or "",
            facts={"copies": len(copies), "pages": _pages(sink)},
        )  # fmt: skip
        return run.id


def paper_used(station: Station, session: Session, runs: Sequence[Matter]) -> list[dict[str, Any]]:
    """Each run with its department, pages and spoiled pages: the source of the paper register (R-167)."""
    lines, firsts = [], dict[str, str]()
    items_of: dict[str, list[MatterItem]] = {run.id: [] for run in runs}
    for item in session.scalars(
        select(MatterItem)
        .where(MatterItem.matter_id.in_(items_of))
        .order_by(MatterItem.matter_id, MatterItem.seq)
    ):
        items_of[item.matter_id].append(item)
        firsts.setdefault(item.matter_id, item.object_id)
    copies = {
        row.id: row.recipient
        for row in session.scalars(select(Copy).where(Copy.id.in_(set(firsts.values()))))
    }
    departments = {
        person: people.department_of(station, session, person) for person in dict.fromkeys(copies.values())
    }
    for run in runs:
        words = matters.words_of(station, session, run)
        items, taker = items_of[run.id], copies.get(firsts.get(run.id, ""))
        lines.append(
            {
                "run": run.id, "at": run.opened_at, "by": run.opened_by, "document": run.document_id,
                "department": departments[taker] if taker else None, "copies": len(items),
                "pages": int(words.get("pages", 0)), "spoiled": int(words.get("spoiled", 0) or 0),
                "printer": words.get("printer"), "state": run.state,
            }
        )  # fmt: skip
    return lines
