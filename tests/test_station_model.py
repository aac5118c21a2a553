"""Retraining on the station: what may teach, who approves, when it is refused; the model dies with its sources."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import Broken, JiyaoError, NotThere, Refused
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.tables import Artefact, Document, LearnedModel
from jiyao.pipeline import approvals, lessons, retraining, station_model
from jiyao.stages.topic_learn import Measure
from jiyao.stages.topic_model import shipped_model
from room_kit import SECRETS, START, HandClock, Room, transplant

SECRET = (
    "蓝盾项目第{n}周进展：样机联调已完成{n}项，关键部件改由乙厂试制，进度与方案均未对外公布，仅限项目组掌握。",
    "蓝盾项目采购清单第{n}号：接口板与屏蔽舱按项目组要求定制，用途不得向供应单位说明。",
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


@pytest.fixture(autouse=True)
def judged_set_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds each time: one test asks it."""
    names = (*retraining._NEVER_MORE, *retraining._NOT_MORE, *retraining._NOT_LESS)
    same = dict.fromkeys(names, 0.5)
    monkeypatch.setattr(
        retraining, "_judged", lambda _station, _model: {"papers": 1, "before": same, "after": same}
    )


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


# ---------------------------------------------------------------- asked for, made, used


@pytest.mark.req("R-169")
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


@pytest.mark.req("R-169")
def test_a_suggestion_names_the_model_that_made_it(taught: Room, tmp_path: Path) -> None:
    room = taught
    value = told(room)["models"][0]
    document = room.paper("蓝盾项目情况", text=SECRET[0].format(n=99))
    from jiyao.pipeline import policy_change

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
    from jiyao.pipeline import circle

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


@pytest.mark.req("R-169")
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


# ---------------------------------------------------------------- withdrawn, replaced


def test_a_model_is_withdrawn_and_replaced(taught: Room) -> None:
    room = taught
    first, second = told(room)["models"][0]["model"], learnt(room)["model"]
    states = {one["model"]: one["state"] for one in told(room)["models"]}
    assert states == {first: "former", second: "active"}
    value = station_model.withdraw(room.station, room.as_("prin", "learn.withdraw"), reason="有疑问")
    assert value["own"] is False and value["in_use"] == shipped_model().version
    assert judged_by(room) == "None"
    room.refused(
        "no_learned_model",
        station_model.withdraw,
        room.station,
        room.as_("prin", "learn.withdraw"),
        reason="再试",
    )
    assert room.entries("learn.withdraw")[0]["objects"] == [second]


def test_another_release_does_not_use_a_model_made_on_this_one(
    taught: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = taught
    monkeypatch.setattr(station_model, "base_sha256", lambda: "0" * 64)
    assert station_model.in_use(room.station) is None
    assert told(room)["models"][0]["state"] == "other_release"


def test_an_altered_model_is_noticed(taught: Room) -> None:
    room = taught
    with room.station.read() as session:
        path = room.station.blobs / session.scalars(select(LearnedModel)).one().path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Broken):
        station_model.in_use(room.station)
    path.unlink()
    with pytest.raises(Broken) as caught:
        station_model.in_use(room.station)
    assert caught.value.code == "learned_model_gone"


# ---------------------------------------------------------------- gone with its sources


def former_and_bytes(room: Room) -> tuple[LearnedModel, bytes]:
    with room.station.read() as session:
        row = session.scalars(select(LearnedModel).where(LearnedModel.state == "active")).one()
        session.expunge(row)
        return row, (room.station.blobs / row.path).read_bytes()


@pytest.mark.req("R-169")
def test_a_destroyed_source_puts_the_model_out_of_use(taught: Room) -> None:
    room = taught
    documents = sources(room)
    value = told(room)["models"][0]
    row, sealed = former_and_bytes(room)
    batch = room.propose(documents[0])
    assert batch["items"][0]["derived"] == [value["model"]]
    station_model_files = room.station.blobs / row.path
    finished(room, batch["id"])
    assert not station_model_files.exists()
    assert station_model.in_use(room.station) is None and told(room)["own"] is False
    assert told(room)["models"][0]["state"] == "out_of_use"
    assert told(room)["models"][0]["ended_by"] == batch["id"]
    entry = room.entries("learn.out_of_use")[0]
    assert entry["objects"] == [value["model"], batch["id"]]
    # put back from a backup of before, it does not open: its key is gone
    station_model_files.write_bytes(sealed)
    with room.station.read() as session, pytest.raises(NotThere) as caught:
        room.station.vault.get(session, row.key_slot, row.path)
    assert caught.value.code == "key_destroyed"
    with room.station.read() as session:
        assert not room.station.vault.has_slot(session, row.key_slot)
        assert room.station.vault.opened_by(session, sealed, slot=row.key_slot, name=row.path) == ()


def finished(room: Room, batch: str, until: str = "verified") -> dict[str, Any]:
    for step, users in (
        (room.count, ("clerk", "arch")), (room.approve, approvers_of(room, batch)), (room.supervise, ("sup1", "sup2")),
        (room.execute, ("op1", "op2")), (room.attest, ("sup1", "sup2")),
    ):  # fmt: skip
        if until == "verified" and step == room.attest:
            break
        for user in users:
            step(batch, user)
    return room.show(batch)


def approvers_of(room: Room, batch: str) -> tuple[str, ...]:
    users = {"office_director": "dir", "leader_in_charge": "lead", "principal": "prin"}
    return tuple(users[role] for role in room.show(batch)["needed"])


@pytest.mark.req("R-169")
def test_the_certificate_names_the_model_with_its_outcome(taught: Room, tmp_path: Path) -> None:
    from jiyao.pipeline import destruction_certificate

    room = taught
    documents = sources(room)
    model = told(room)["models"][0]["model"]
    done = finished(room, room.propose(documents[0], documents[2])["id"], "certified")
    assert {one["name"]: one["result"] for one in done["checks"]} == dict.fromkeys(
        (f"V{number}" for number in range(1, 8)), "pass"
    )
    for item in done["outcomes"]:
        (named,) = [one for one in item["artefacts"] if one["kind"] == "model"]
        assert named["artefact"] == model and "crypto_erase" in named["methods"]
        assert named["grade"] not in ("failed", "absent")
    out = tmp_path / "out.pdf"
    destruction_certificate.write_certificate(
        room.station, room.as_("clerk", "certificate"), batch=done["id"], out=out
    )
    assert out.stat().st_size > 10_000
    # a later destruction of another source names the model too, as gone already
    later = finished(room, room.propose(documents[4])["id"])
    (named,) = [one for one in later["outcomes"][0]["artefacts"] if one["kind"] == "model"]
    assert named["artefact"] == model and later["verdict"] != "failed"


def test_a_former_and_a_withdrawn_model_go_too(taught: Room) -> None:
    room = taught
    documents = sources(room)
    learnt(room)
    station_model.withdraw(room.station, room.as_("prin", "learn.withdraw"), reason="撤回")
    finished(room, room.propose(documents[0])["id"])
    assert {one["state"] for one in told(room)["models"]} == {"out_of_use"}
    with room.station.read() as session:
        states = set(session.scalars(select(Artefact.state).where(Artefact.kind == "model")))
    assert states == {"destroyed"} and not list(room.station.blobs.rglob("model*"))


@pytest.mark.req("R-169")
def test_remade_without_the_destroyed_source(taught: Room) -> None:
    room = taught
    documents = sources(room)
    (first,) = [one["model"] for one in told(room)["models"]]
    finished(room, room.propose(documents[0])["id"])
    second = learnt(room)
    assert second["model"] != first and second["documents"] == len(documents) - 1
    with room.station.read() as session:
        row = session.get_one(LearnedModel, second["model"])
        made_of = set(session.scalars(select(Artefact.document_id).where(Artefact.key_slot == row.key_slot)))
    assert made_of == set(documents[1:])


def test_a_source_that_is_wiped_takes_the_model_with_it(taught: Room) -> None:
    from jiyao.pipeline.above import keys_going, wipe

    room = taught
    documents = sources(room)
    row, _ = former_and_bytes(room)
    slot = str(room.row(documents[0]).key_slot)
    with keys_going(room.station, [slot]) as rewrite, room.station.write() as session:
        wipe(room.station, session, session.get_one(Document, documents[0]))
        rewrite(session)
    assert told(room)["models"][0]["state"] == "out_of_use"
    assert not (room.station.blobs / row.path).exists()


def test_a_source_that_goes_while_the_model_is_made_refuses_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = sources(room)
    approved(room)
    made = retraining._made

    def slow(*given: Any) -> Any:
        value = made(*given)
        room.propose(documents[0])
        return value

    monkeypatch.setattr(retraining, "_made", slow)
    room.refused("learn_sources_changed", retraining.learn, room.station, room.as_("det", "learn"))


# ---------------------------------------------------------------- backup


@pytest.mark.req("R-169")
def test_backup_and_restore_keep_the_model_and_its_end(taught: Room, tmp_path: Path) -> None:
    from jiyao.pipeline import backup

    room = taught
    documents = sources(room)
    version = told(room)["models"][0]["version"]

    def restored(file: Path) -> None:
        room.station.engine.dispose()
        shutil.rmtree(room.home, ignore_errors=True)
        for user in ("sysadmin", "prin"):
            backup.restore(room.home, file, user=user, secrets=SECRETS, clock=room.clock)
        room.open()

    before, after = tmp_path / "before.jyk", tmp_path / "after.jyk"
    backup.create(room.station, room.as_("sysadmin", "backup"), out=before)
    restored(before)
    assert judged_by(room) == version
    bounded(room)
    finished(room, room.propose(documents[0])["id"])
    backup.create(room.station, room.as_("sysadmin", "backup"), out=after)
    with pytest.raises(JiyaoError) as caught:
        restored(before)
    assert caught.value.exit_code == 7
    restored(after)
    assert judged_by(room) == "None" and told(room)["models"][0]["state"] == "out_of_use"


# ---------------------------------------------------------------- command line


def test_the_room_that_reads_follows_the_model(room: Room) -> None:
    from jiyao.common.limits import DEFAULT_LIMITS
    from jiyao.pipeline.reading import Reading

    class Crew:
        def __init__(self) -> None:
            self.told: list[Any] = []

        def brief(self, job: Any) -> None:
            self.told.append(job.fields["model"])

    documents = sources(room)
    crew = Crew()
    reading = Reading(
        room.station, workers=crew, jobs=1, limits=DEFAULT_LIMITS, engine="auto", split="none", origin=None  # type: ignore[arg-type]
    )  # fmt: skip
    version = learnt(room)["version"]
    reading._follow()
    reading._follow()
    finished(room, room.propose(documents[0])["id"])
    reading._follow()
    assert crew.told == [None, version, None]
