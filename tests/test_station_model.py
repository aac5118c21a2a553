"""A model made on the station: in use, withdrawn, and gone with the first of its documents that is destroyed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import Broken, JiyaoError, NotThere
from jiyao.models.tables import Artefact, Document, LearnedModel
from jiyao.pipeline.learning import retraining, station_model
from jiyao.stages.topic_model import shipped_model
from learning_kit import (
    approved,
    bounded,
    judged_by,
    learnt,
    leave_judged_set_out,
    opened,
    sources,
    told,
)
from room_kit import SECRETS, Room


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_judged_set_out(monkeypatch)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """With papers, and no model."""
    return opened(tmp_path, learnt_too=False)


@pytest.fixture
def taught(tmp_path: Path) -> Room:
    """With papers, and a model made of them."""
    return opened(tmp_path, learnt_too=True)


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


@pytest.mark.req("R-116")
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


@pytest.mark.req("R-127")
def test_the_certificate_names_the_model_with_its_outcome(taught: Room, tmp_path: Path) -> None:
    from jiyao.pipeline.destruction import certificate as destruction_certificate

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


@pytest.mark.req("R-127")
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
    from jiyao.pipeline.intake.above import keys_going, wipe

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


@pytest.mark.req("R-146")
def test_backup_and_restore_keep_the_model_and_its_end(taught: Room, tmp_path: Path) -> None:
    from jiyao.pipeline.station import backup

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


# ---------------------------------------------------------------- the workers


def test_the_room_that_reads_follows_the_model(room: Room) -> None:
    from jiyao.common.limits import DEFAULT_LIMITS
    from jiyao.pipeline.intake.reading import Reading

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

    def follow() -> None:
        with room.station.read() as session:
            reading.follow(session)

    version = learnt(room)["version"]
    follow()
    follow()
    finished(room, room.propose(documents[0])["id"])
    follow()
    assert crew.told == [None, version, None]
