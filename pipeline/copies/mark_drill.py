"""Drills of the marks 标识演练: what this room's own devices leave of them, kept as a table of the station.

Threats: a test page that could name a copy (it is marked under a key of its own); figures that nobody can vouch for
(each reading is an entry of the ledger, with who read it). What it measures are this room's devices on its own pages,
as far as somebody carried them there: no more than that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, NoMark, NotThere, Refused, UsageFault
from ...common.files import write_new
from ...common.limits import DEFAULT_LIMITS
from ...common.messages import Lang
from ...models.ledger_entry import Fact
from ...models.tables import Meta
from ..intake.executor import Job, LocalExecutor
from ..intake.inbox import Unreadable, read_file
from ..persons.actors import Actor, acting
from ..station.station import Station

KEY = "mark_drill"
"""Under this name the test pages' key is derived, and the figures are kept."""
PROFILES: Final = ("normal", "strong", "dots")
"""What a policy may choose, the faintest first."""
_ENOUGH_PAGES, _ENOUGH = 4, 0.95
_MOST_RUNS = 400
_MOST_SHEETS = 12
_NAME = 60


def make(station: Station, actor: Actor, *, out: Path, sheets: int) -> dict[str, Any]:
    """Writes the test pages.

    Raises:
        UsageFault: the number of sheets. Refused: the file is there already.
    """
    if not 1 <= sheets <= _MOST_SHEETS:
        raise UsageFault("bad_value", field="sheets", given=str(sheets))
    if out.exists():
        raise Refused("file_exists", file=str(out))
    reply = _ask(station, "drill_make", {"sheets": sheets}, [b""])[0]
    if isinstance(reply, str):
        raise JiyaoError("drill_chart_failed", detail=reply)
    sha256 = write_new(out, reply[1])
    with acting(station, actor, "drill.make") as session:
        station.log(
            session, "drill.make", person=actor.person, account=actor.user,
            facts={"sha256": sha256, "pages": int(reply[0]["pages"])},
        )  # fmt: skip
    return {"file": str(out), "sha256": sha256, "pages": reply[0]["pages"], "steps": reply[0]["steps"]}


def read(station: Station, actor: Actor, *, files: Sequence[Path], device: str) -> dict[str, Any]:
    """Reads what came back of test pages through one device, and adds it to the station's figures.

    Raises:
        NotThere: a file is not there. UsageFault: no name. NoMark: no test page was recognised.
    """
    name = device.strip()[:_NAME]
    if not name:
        raise UsageFault("bad_value", field="device", given=device)
    for file in files:
        if not file.exists():
            raise NotThere("no_file", file=str(file))
    blobs: list[bytes] = []
    problems = []
    for file in files:
        try:
            blobs.append(read_file(file, DEFAULT_LIMITS.file_bytes))
        except (Unreadable, JiyaoError) as error:
            problems.append({"file": str(file), "code": error.code})
            blobs.append(b"")
    pages = []
    for file, reply in zip(files, _ask(station, "drill_read", {}, blobs), strict=True):
        if isinstance(reply, str):
            if reply:
                problems.append({"file": str(file), "code": reply})
            continue
        pages += reply[0]["pages"]
        if reply[0]["foreign"]:
            problems.append({"file": str(file), "code": "no_drill_page"})
    counts = _counts(pages)
    value = {"device": name, "pages": len(pages), "steps": counts, "problems": problems}
    if not pages:
        raise NoMark("no_drill_page", value=value)
    with acting(station, actor, "drill.read") as session:
        runs = _load(session)
        runs.append({"device": name, "at": station.now(), "by": actor.user, "pages": pages})
        session.merge(Meta(key=KEY, value=json.dumps(runs[-_MOST_RUNS:], ensure_ascii=False).encode()))
        facts: dict[str, Fact] = {step: f"{row['read']}/{row['tried']}" for step, row in counts.items()}
        station.log(session, "drill.read", person=actor.person, account=actor.user, facts=facts)
    return {**value, "recommended": recommended(counts)}


def report(station: Station, actor: Actor, *, out: Path | None = None, lang: Lang = "zh") -> dict[str, Any]:
    """All devices' figures and what they suggest; `out`: as a PDF too.

    Raises:
        Refused: the file is there already.
    """
    if out is not None and out.exists():
        raise Refused("file_exists", file=str(out))
    with station.read() as session:
        runs = _load(session)
    devices = []
    for name in dict.fromkeys(run["device"] for run in runs):
        pages = [page for run in runs if run["device"] == name for page in run["pages"]]
        last = max(run["at"] for run in runs if run["device"] == name)
        counts = _counts(pages)
        devices.append({"device": name, "last": last, "steps": counts, "recommended": recommended(counts)})
    every = [page for run in runs for page in run["pages"]]
    chosen = [row["recommended"] for row in devices]
    best = None if None in chosen or not chosen else max(chosen, key=PROFILES.index)
    value = {"devices": devices, "pages": len(every), "recommended": best, "file": None, "sha256": None}
    if out is None:
        return value
    head = {"unit": station.settings.unit, "at": station.now()[:16].replace("T", " "), "by": actor.user}
    reply = _ask(station, "drill_report", {"value": value, "head": head, "lang": lang}, [b""])[0]
    if isinstance(reply, str):
        raise JiyaoError("drill_chart_failed", detail=reply)
    sha256 = write_new(out, reply[1])
    with acting(station, actor, "drill.report") as session:
        station.log(
            session, "drill.report", person=actor.person, account=actor.user, facts={"sha256": sha256}
        )
    return {**value, "file": str(out), "sha256": sha256}


def recommended(counts: dict[str, dict[str, Any]]) -> str | None:
    """The faintest profile of which at least four pages were tried and 95 of 100 came back; None when none did."""
    for profile in PROFILES:
        row = counts.get(profile)
        if row and row["tried"] >= _ENOUGH_PAGES and row["rate"] >= _ENOUGH:
            return profile
    return None


def _counts(pages: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each step the pages tried and read, the rate and its lower bound, the median score, and wrong numbers."""
    counts: dict[str, dict[str, Any]] = {}
    for step in dict.fromkeys(page["step"] for page in pages):
        here = [page for page in pages if page["step"] == step]
        read_of = [page for page in here if page["read"]]
        scores = sorted(page["z"] for page in read_of)
        counts[step] = {
            "tried": len(here), "read": len(read_of), "rate": len(read_of) / len(here),
            "at_least": _low(len(read_of), len(here)), "score": round(scores[len(scores) // 2], 1) if scores else 0.0,
            "wrong": sum(page["other"] for page in here),
        }  # fmt: skip
    return counts


def _low(read_of: int, tried: int) -> float:
    """The lower end of the 95 % interval (Wilson 1927)."""
    share, z = read_of / tried, 1.96
    middle = share + z * z / (2 * tried)
    spread = z * math.sqrt((share * (1 - share) + z * z / (4 * tried)) / tried)
    return round((middle - spread) / (1 + z * z / tried), 3)


def _load(session: Session) -> list[dict[str, Any]]:
    row = session.get(Meta, KEY)
    runs: list[dict[str, Any]] = json.loads(row.value) if row else []
    return runs


def _ask(
    station: Station, act: str, fields: dict[str, Any], blobs: Sequence[bytes]
) -> list[tuple[dict[str, Any], bytes] | str]:
    """The worker's answers, or what went wrong; an empty file gives an empty word."""
    with station.read() as session:
        key = bytes(station.vault.derive(session, KEY)).hex()
    answers: list[tuple[dict[str, Any], bytes] | str] = []
    with station.scratch() as scratch, LocalExecutor(jobs=1, scratch=scratch.path) as worker:
        for data in blobs:
            if act == "drill_read" and not data:
                answers.append("")
                continue
            job = Job(act=act, fields={**fields, "tint": key}, data=data, seconds=600.0)
            reply = worker.submit(job).result()
            answers.append((reply.value, reply.data) if reply.outcome == "done" else str(reply.code))
    return answers
