"""A station with papers to learn from, and one with a model made of them; nothing here is a test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.models.level import Level
from jiyao.models.tables import Document
from jiyao.pipeline.learning import retraining, station_model
from jiyao.pipeline.persons import approvals
from room_kit import START, HandClock, Room, transplant

SECRET = (
    "蓝盾项目第{n}周进展：蓝盾样机联调完成{n}项，接口板改由乙厂试制，屏蔽舱下周装车。",
    "蓝盾项目第{n}号清单：蓝盾样机用接口板{n}块、屏蔽舱{n}台，按项目组要求定制。",
)
PLAIN = (
    "关于第{n}食堂调整就餐时间的说明：自下周起早餐提前半小时供应，请各科室转告职工。",
    "办公用品第{n}批领用：请各科室于周五前到总务科登记领取，逾期不再另行通知。",
)


@cache
def furnished(*, learnt_too: bool) -> Path:
    """A station with papers, and with a model made of them; made once and copied for each test."""
    base = Path(tempfile.mkdtemp(prefix="jiyao-learnt-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    if learnt_too:
        transplant(furnished(learnt_too=False), base)
    made = Room(base)
    bounded(made)
    if learnt_too:
        learnt(made)
    else:
        papers(made)
    made.station.engine.dispose()
    return base


def leave_judged_set_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds each time: one test asks it."""
    names = (*retraining._NEVER_MORE, *retraining._NOT_MORE, *retraining._NOT_LESS)
    same = dict.fromkeys(names, 0.5)
    monkeypatch.setattr(
        retraining, "_judged", lambda _station, _model: {"papers": 1, "before": same, "after": same}
    )


def opened(folder: Path, *, learnt_too: bool) -> Room:
    transplant(furnished(learnt_too=learnt_too), folder / "room")
    made = Room(folder / "room", clock=HandClock(START + timedelta(minutes=5)))
    bounded(made)
    return made


def sources(room: Room) -> list[str]:
    """The papers, in order."""
    with room.station.read() as session:
        return list(session.scalars(select(Document.id).where(Document.confirmed).order_by(Document.seq)))


def bounded(room: Room) -> None:
    policy = room.station.policy
    bounds = replace(policy.learning, least_documents=12, least_per_level=4, folds=4, strength=20.0)
    room.station._policy = replace(policy, learning=bounds)


def papers(room: Room, each: int = 7) -> list[str]:
    """Confirmed papers of two levels; persons raised those of one project that the release knows nothing of."""
    made = []
    for number in range(1, each + 1):
        made.append(room.expired("蓝盾项目情况", text=SECRET[number % 2].format(n=number), level=Level.WORK))
        made.append(
            room.expired("有关事项的说明", text=PLAIN[number % 2].format(n=number), level=Level.INTERNAL)
        )
    return made


def approved(room: Room) -> dict[str, Any]:
    asked = retraining.request(room.station, room.as_("det", "learn.request"))
    approvals.give(room.station, room.as_("lead", "approval.give"), approval=asked["id"])
    return asked


def learnt(room: Room) -> dict[str, Any]:
    approved(room)
    return retraining.learn(room.station, room.as_("det", "learn"))


def told(room: Room) -> dict[str, Any]:
    return station_model.show(room.station, room.as_("auditor", "learn.show"))


def judged_by(room: Room) -> str:
    """Which model a worker is told of for the next paper."""
    return str(station_model.briefing(room.station, model=station_model.in_use(room.station)).fields["model"])
