"""Every step of every kind of matter that another person has to do is walked up to, and refused to the first one.

The steps are the policy's; what the program does at their end is left out, so that only the persons count. A new kind
of matter is walked as soon as it stands in the policy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jiyao.common.errors import Refused
from jiyao.models.policy.desk import DESK_ROLES, MatterRule, StepRule
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.rights import ROLES
from jiyao.models.tables import (
    Matter,
)
from jiyao.pipeline.desk import effects, matters
from jiyao.pipeline.persons import (
    approvals,
)
from jiyao.pipeline.persons.actors import Actor
from one_person_kit import world
from room_kit import Room, transplant

# ---------------------------------------------------------------- every step that another has to do


def _actor(room: Room, number: int) -> Actor:
    """A person with every role, whose word costs nothing to sign."""
    roles = frozenset({*DESK_ROLES, *ROLES})
    return Actor(
        user=f"u{number}", person=f"p-{number}", roles=roles, own_roles=roles, delegated={}, clearance="core",
        sign=lambda _statement: b"signed", today=lambda: room.clock.now().date().isoformat(),
    )  # fmt: skip


def _ways(kind: MatterRule, start: str, goal: str) -> list[tuple[str, str]] | None:
    """The shortest way from one step to another: steps with the result that leads on."""
    waiting: deque[tuple[str, list[tuple[str, str]]]] = deque([(start, [])])
    seen = {start}
    while waiting:
        now, way = waiting.popleft()
        if now == goal and (way or start == goal):
            return way
        found = kind.step(now)
        for result in (found.go or {"done": ""}) if found else ():
            after = kind.after(found, result) if found else ""
            if kind.step(after) is not None and (after not in seen or (after == goal and not way)):
                seen.add(after)
                waiting.append((after, [*way, (now, result)]))
    return None


def _guarded(kind: MatterRule) -> list[tuple[StepRule, str]]:
    """Steps that another person has to do, each with the step whose person may not; itself where it takes several."""
    found = [(step, other) for step in kind.steps for other in step.apart_from]
    several = [(step, step.id) for step in kind.steps if step.persons and max(step.persons.values()) > 1]
    return found + several


@contextmanager
def _bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Matters without what the program does at the end of steps, and without approvals: persons alone."""
    monkeypatch.setattr(effects, "EFFECTS", dict.fromkeys(effects.EFFECTS, lambda *_: None))
    monkeypatch.setattr(approvals, "require", lambda *_, **__: None)
    yield


class _Walk:
    """One matter of a kind, up to a step that must be done by another than the one who did `first`."""

    def __init__(self, room: Room, session: Session, kind: MatterRule, document: str) -> None:
        self.room, self.session, self.kind = room, session, kind
        self.me, *self.others = [_actor(room, number) for number in range(6)]
        items = [("person", "p-0")] if any(step.each for step in kind.steps) else []
        self.items, self.document = items, document
        self.matter: Matter | None = None

    def do(self, actor: Actor, result: str) -> None:
        words = {**dict.fromkeys(self._needs(), "1"), "person": "p-0", "date": "2026-11-01"}
        given: dict[str, Any] = {"result": result, "words": words}
        if self.matter is None:
            self.matter = matters.start(
                self.room.station, self.session, actor, self.kind.kind, document=self.document, items=self.items,
                **given,
            )  # fmt: skip
        else:
            matters.advance(self.room.station, self.session, actor, self.matter, **given)

    def _needs(self) -> tuple[str, ...]:
        found = self.kind.step((self.matter.step if self.matter else None) or self.kind.steps[0].id)
        return found.needs if found else ()

    def by_another(self, result: str) -> None:
        """Somebody else does it: as many as it takes."""
        assert self.matter is None or self.matter.step is not None
        step = self.matter.step if self.matter else self.kind.steps[0].id
        for other in self.others:
            try:
                self.do(other, result)
            except Refused as error:
                assert error.code == "same_person_twice", (self.kind.kind, step, error.code)
            if self.matter is not None and self.matter.step != step:
                return
        if self.matter is not None and self.matter.step == step and step in dict(self._loops()):
            return
        raise AssertionError((self.kind.kind, step, "nobody can do it"))

    def _loops(self) -> list[tuple[str, str]]:
        return [(one.id, "") for one in self.kind.steps if one.go and one.id in one.go.values()]


def _refused_to(walk: _Walk, step: StepRule, first: str) -> None:
    """Walks to the step, its `first` done by me; then it is refused to me, and open to another."""
    kind = walk.kind
    to_first = _ways(kind, kind.steps[0].id, first)
    assert to_first is not None, (kind.kind, first)
    for _, result in to_first:
        walk.by_another(result)
    result = _towards(kind, first, step.id) if first != step.id else next(iter(step.go or {"done": ""}))
    walk.do(walk.me, result)
    assert walk.matter is not None
    while first != step.id and walk.matter.step != step.id:
        here = str(walk.matter.step)
        walk.by_another(_towards(kind, here, step.id))
    last = next(iter(step.go or {"done": ""}))
    with pytest.raises(Refused) as caught:
        walk.do(walk.me, last)
    assert caught.value.code == "same_person_twice", (kind.kind, step.id, first, caught.value.code)
    walk.by_another(last)


def _towards(kind: MatterRule, here: str, goal: str) -> str:
    way = _ways(kind, here, goal)
    assert way, (kind.kind, here, goal)
    return way[0][1]


@pytest.mark.req("R-137")
def test_every_step_that_another_has_to_do_is_refused_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    source, ids = world()
    walked = []
    with TemporaryDirectory(prefix="jiyao-one-") as folder, _bare(monkeypatch):
        transplant(source, Path(folder))
        room = Room(Path(folder))
        with room.station.write() as session:
            for kind in room.station.policy.desk.matters.values():
                for step, first in _guarded(kind):
                    walk = _Walk(room, session, kind, ids["top"])
                    _refused_to(walk, step, first)
                    walked.append((kind.kind, step.id, first))
                    for row in session.scalars(select(Matter).where(Matter.state == "open")):
                        row.state = "cancelled"
                    session.flush()
        room.station.engine.dispose()
    wanted = {
        (kind.kind, step.id, first)
        for kind in parse_policy(default_policy_text()).desk.matters.values()
        for step, first in _guarded(kind)
    }
    assert set(walked) == wanted and len(wanted) > 30
