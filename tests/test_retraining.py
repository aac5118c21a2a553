"""Retraining on the station: what may teach, who approves, when a model is refused with its figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import Refused
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.tables import Artefact, LearnedModel
from jiyao.pipeline.learning import lessons, retraining, station_model
from jiyao.pipeline.persons import approvals
from jiyao.pipeline.station import station as station_module
from jiyao.stages.topic_learn import Measure
from jiyao.stages.topic_model import shipped_model
from learning_kit import (
    SECRET,
    approved,
    bounded,
    judged_by,
    learnt,
    leave_judged_set_out,
    opened,
    papers,
    sources,
    told,
)
from room_kit import PASSPHRASE, Room


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_judged_set_out(monkeypatch)


@pytest.fixture
def bare(tmp_path: Path) -> Room:
    """Without papers."""
    made = Room(tmp_path / "room")
    bounded(made)
    return made


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """With papers, and no model."""
    return opened(tmp_path, learnt_too=False)


@pytest.fixture
def taught(tmp_path: Path) -> Room:
    """With papers, and a model made of them."""
    return opened(tmp_path, learnt_too=True)


# ---------------------------------------------------------------- asked for, made, used


def test_a_model_is_made_of_approved_papers_and_used(room: Room) -> None:
    documents = sources(room)
    value = learnt(room)
    assert value["state"] == "active" and value["documents"] == len(documents)
    assert value["levels"] == {"内部": 7, "工作秘密": 7}
    assert value["by"] == "p-det" and [one["person"] for one in value["approved_by"]] == ["p-lead"]
    before, after = value["figures"]["own"]["before"], value["figures"]["own"]["after"]
    assert after["too_low"] <= before["too_low"] and after["right"] > before["right"]
    assert told(room)["in_use"] == value["version"] == judged_by(room)
    entry = room.entries("learn")[-1]
    assert entry["objects"][0] == value["model"] and entry["facts"]["documents"] == len(documents)
    assert "蓝盾" not in json.dumps([*room.entries("learn"), value, told(room)], ensure_ascii=False)


def test_a_suggestion_names_the_model_that_made_it(taught: Room, tmp_path: Path) -> None:
    room = taught
    value = told(room)["models"][0]
    document = room.paper("蓝盾项目情况", text=SECRET[0].format(n=99))
    from jiyao.pipeline.station import policy_change

    with room.station.read() as session:
        case = policy_change._case(room.station, session, document)
    assert case is not None
    with policy_change._Panel(room.station, room.station.policy_text) as panel:
        ((_, _, view),) = panel.judge([document], [])
    assert view.level.model == value["version"]
    assert ("station_model", value["version"]) in {(one.rule, one.source) for one in view.level.evidence}
    assert view.level.level is Level.WORK or view.level.interim is not None


def test_without_an_approval_nothing_is_learnt(room: Room) -> None:
    room.refused("learn_approval_required", retraining.learn, room.station, room.as_("det", "learn"))
    retraining.request(room.station, room.as_("det", "learn.request"))
    room.refused("learn_approval_required", retraining.learn, room.station, room.as_("det", "learn"))


def test_nobody_approves_what_he_asked_for_and_one_approval_makes_one_model(room: Room) -> None:
    asked = retraining.request(room.station, room.as_("det", "learn.request"))
    assert asked["needed"] == ["leader_in_charge"] and "objects" not in asked
    with pytest.raises(Refused):
        approvals.give(room.station, room.as_("det", "approval.give"), approval=asked["id"])
    approvals.give(room.station, room.as_("lead", "approval.give"), approval=asked["id"])
    retraining.learn(room.station, room.as_("det", "learn"))
    room.refused("learn_approval_required", retraining.learn, room.station, room.as_("det", "learn"))


def test_a_level_changed_after_the_approval_voids_it(room: Room) -> None:
    documents = sources(room)
    approved(room)
    room.change(documents[0], level_code=Level.STATE_SECRET.code)
    room.refused("approval_void", retraining.learn, room.station, room.as_("det", "learn"))


def test_an_approver_outside_the_circle_may_approve_learning(room: Room) -> None:
    from jiyao.pipeline.persons import circle

    documents = sources(room)
    circle.set_circle(room.station, room.as_("dir", "circle"), document=documents[0], persons=("p-reader",))
    assert learnt(room)["state"] == "active"


# ---------------------------------------------------------------- what may teach


def test_only_confirmed_living_papers_decided_by_content_teach(bare: Room) -> None:
    room = bare
    documents = papers(room, 6)
    room.paper(text="未确认的文件")
    mark = Mark(level=Level.STATE_SECRET, period=Period("years", number=10), star=True, raw="机密★10年")
    room.document(level=Level.STATE_SECRET, mark=mark)
    room.document(level=Level.WORK, overlays=("cipher_telegram",))
    for _ in range(4):
        room.document(level=Level.STATE_TOP)
    room.document(level=Level.PUBLIC)
    room.change(documents[0], status="destroyed")
    room.propose(documents[1])
    with room.station.read() as session:
        listed = lessons.may_teach(room.station, session)
        found = {row.id for row in listed.rows}
    assert found == set(documents[2:])
    assert listed.skipped == {
        "decided_by_mark": 1, "few_of_level": 1, "in_destruction": 1, "not_allowed": 4, "overlay": 1,
    }  # fmt: skip


def test_nothing_above_the_station_teaches(bare: Room) -> None:
    room = bare
    documents = papers(room, 6)
    room.station.settings = replace(room.station.settings, station_level=Level.INTERNAL.value)
    with room.station.read() as session:
        listed = lessons.may_teach(room.station, session)
        found = {row.id for row in listed.rows}
    assert found == set(documents[1::2])
    assert listed.skipped["above_station"] == 6


def test_too_few_papers_are_refused(bare: Room) -> None:
    room = bare
    papers(room, 3)
    room.refused("learn_too_few", retraining.request, room.station, room.as_("det", "learn.request"))


# ---------------------------------------------------------------- refused when worse


MEASURE = Measure(
    papers=100,
    right=60,
    too_low=5,
    too_low_unflagged=1,
    secret=40,
    too_high=6,
    flagged=50,
    cost=1.0,
    loss=1.0,
)


@pytest.mark.parametrize(
    ("change", "worse"),
    [
        ({}, []),
        ({"too_low": 4, "right": 70, "cost": 0.5, "loss": 0.7}, []),
        ({"too_low": 6}, ["own.too_low"]),
        ({"too_low_unflagged": 2, "right": 90}, ["own.too_low_unflagged"]),
        ({"too_high": 7}, ["own.too_high"]),
        ({"right": 59}, ["own.right"]),
        ({"cost": 1.01, "loss": 1.01}, ["own.cost", "own.loss"]),
    ],
)
def test_a_model_that_is_worse_here_is_refused(change: dict[str, Any], worse: list[str]) -> None:
    same = dict.fromkeys((*retraining._NEVER_MORE, *retraining._NOT_MORE, *retraining._NOT_LESS), 0.5)
    own = {"before": MEASURE, "after": replace(MEASURE, **change)}
    judged = {"before": same, "after": same}
    assert retraining.worse_than_before(own, judged, tolerance=0.02) == worse


@pytest.mark.parametrize(
    ("change", "worse"),
    [
        ({"too_low": 0.501}, ["judged.too_low"]),
        ({"too_low_unflagged": 0.501}, ["judged.too_low_unflagged"]),
        ({"too_high": 0.52, "marked_exact": 0.48, "cost": 0.52}, []),
        ({"too_high": 0.53}, ["judged.too_high"]),
        ({"unmarked_acceptable": 0.47}, ["judged.unmarked_acceptable"]),
    ],
)
def test_a_model_that_is_worse_on_the_judged_set_is_refused(
    change: dict[str, float], worse: list[str]
) -> None:
    same = dict.fromkeys((*retraining._NEVER_MORE, *retraining._NOT_MORE, *retraining._NOT_LESS), 0.5)
    judged = {"before": same, "after": {**same, **change}}
    own = {"before": MEASURE, "after": MEASURE}
    assert retraining.worse_than_before(own, judged, tolerance=0.02) == worse


def test_a_refused_model_leaves_nothing_and_says_its_figures(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = retraining._judged(room.station, shipped_model())
    worse = {**good, "after": {**good["after"], "too_low": 0.75}}
    monkeypatch.setattr(retraining, "_judged", lambda _station, _model: worse)
    approved(room)
    error = room.refused("learn_not_better", retraining.learn, room.station, room.as_("det", "learn"))
    assert error.facts["figures"] == "judged.too_low 0.5 → 0.75"
    assert error.value is not None and error.value["figures"]
    with room.station.read() as session:
        assert not session.scalars(select(LearnedModel)).all()
        assert not session.scalars(select(Artefact).where(Artefact.kind == "model")).all()
    assert told(room)["own"] is False


def test_the_judged_set_is_measured_with_both_models(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    told_figures = retraining._judged(room.station, shipped_model())
    assert told_figures["before"] == told_figures["after"] and told_figures["papers"] >= 300
    assert set(told_figures["before"]) >= {"too_low", "too_low_unflagged", "cost", "unmarked_acceptable"}


def test_what_is_no_model_is_not_believed() -> None:
    from importlib import resources

    data = resources.files("jiyao.models.policy").joinpath("topics.json").read_bytes()
    assert station_model.checked(data).topics == shipped_model().topics
    plain = json.loads(data)
    for change in ({"topics": ["admin"]}, {"temperature": 0.01}, {"weights": {"bias": [1]}}):
        with pytest.raises(ValueError, match=r"\S"):
            station_model.checked(json.dumps({**plain, **change}).encode())
    wild = {**plain, "weights": {"bias": [10**12] * len(plain["topics"])}}
    with pytest.raises(ValueError, match="weight"):
        station_model.checked(json.dumps(wild).encode())


# ---------------------------------------------------------------- command line


def test_the_commands_ask_make_show_and_withdraw(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from jiyao.cli import main

    bounds, parse = room.station.policy.learning, station_module.parse_policy
    monkeypatch.setattr(station_module, "parse_policy", lambda text: replace(parse(text), learning=bounds))
    monkeypatch.setattr(station_module, "SystemClock", lambda: room.clock)
    passwords = tmp_path / "passwords"
    passwords.write_text(
        "".join(f"{user}:pw-{user}\n" for user in ("det", "clerk", "secadmin", "lead", "auditor"))
    )
    passwords.chmod(0o600)
    monkeypatch.setenv("JIYAO_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("JIYAO_PASSWORDS_FILE", str(passwords))

    def said(user: str, *words: str, exit_code: int = 0) -> dict[str, Any]:
        result = CliRunner().invoke(main, ["--home", str(room.home), "--json", "--user", user, *words])
        assert result.exit_code == exit_code, result.output
        value: dict[str, Any] = json.loads(result.stdout)
        return value

    assert said("det", "learn", exit_code=4)["error"]["code"] == "learn_approval_required"
    assert said("clerk", "learn", exit_code=4)["error"]["code"] == "role_missing"
    asked = said("secadmin", "learn", "request", "--note", "试用")
    said("lead", "approval", "give", asked["id"])
    made = said("det", "learn")
    assert made["state"] == "active" and set(made["figures"]) == {"own", "judged"}
    assert said("auditor", "learn", "show")["in_use"] == made["version"]
    assert said("lead", "learn", "withdraw", "--reason", "试毕")["own"] is False
