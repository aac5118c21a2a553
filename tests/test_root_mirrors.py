"""Mirrors added and written off: two persons, every break leaves one truth, and what is lost is never called erased."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jiyao.common import settings as station_file
from jiyao.common.errors import JiyaoError, Refused
from jiyao.models.tables import Destruction
from jiyao.pipeline.destruction import write_off
from jiyao.pipeline.destruction.record import root_facts
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import backup, doctor, mirrors, root_events
from jiyao.pipeline.station.station import Station
from jiyao.vault.medium import Claim
from jiyao.vault.root import RootFile
from room import Room as CliRoom
from room_kit import PASSPHRASE, SECRETS, Room, transplant
from thief_kit import spied


def add(room: Room, user: str, place: Path) -> dict[str, Any]:
    actor = room.as_(user, "vault.mirror.add")
    return mirrors.add(room.station, actor, place=str(place), secrets=SECRETS)


def off(room: Room, user: str, place: Path, fate: str = "lost", **given: Any) -> dict[str, Any]:
    actor = room.as_(user, "vault.mirror.write_off")
    return write_off.write_off(
        room.station, actor, place=str(place), fate=fate, reason="清点时未见", secrets=SECRETS, **given
    )


def both(act: Any, room: Room, place: Path, *given: Any, **named: Any) -> dict[str, Any]:
    assert act(room, "sysadmin", place, *given, **named)["state"] == "waiting"
    done: dict[str, Any] = act(room, "secadmin", place, *given, **named)
    return done


def refused(code: str, act: Any, *given: Any, **named: Any) -> None:
    with pytest.raises(JiyaoError) as caught:
        act(*given, **named)
    assert caught.value.code == code


def places(room: Room) -> list[str]:
    settings = station_file.load(room.home)
    return [settings.root_path, *settings.mirrors]


def readable(room: Room, document: str) -> bool:
    return bool(documents.text_of(room.station, room.as_("clerk", "text"), document=document)["pages"])


@pytest.mark.req("R-116", "R-146")
def test_a_mirror_is_added_by_two_and_renewed_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path / "room")
    kept, third, epoch = room.document(), tmp_path / "third", room.station.vault.epoch
    other = Station.open(room.home, clock=room.clock)
    other.unlock(PASSPHRASE)

    assert add(room, "sysadmin", third)["state"] == "waiting"
    refused("same_person_twice", add, room, "sysadmin", third)
    assert add(room, "secadmin", tmp_path / "elsewhere")["state"] == "waiting", (
        "for another place: a first word"
    )
    assert not third.exists()

    def killed(_station: Station) -> None:
        raise KeyboardInterrupt

    assert add(room, "sysadmin", third)["state"] == "waiting"
    with monkeypatch.context() as patch:
        patch.setattr(Station, "keep_settings", killed)
        with pytest.raises(KeyboardInterrupt):
            add(room, "secadmin", third)
    assert RootFile(third).load(epoch) is None, "known before it gets the key, not after"
    assert str(third) not in places(room)
    room.open()
    assert str(third) in places(room) and RootFile(third).load(epoch) is not None
    assert room.station.vault.epoch == epoch, "nothing is re-keyed: backups of before stay good"
    listed = mirrors.listed(room.station, room.as_("auditor", "vault.mirror"))
    assert [row["clean"] for row in listed["roots"]] == [True] * 3 and listed["written_off"] == []

    with pytest.raises(Refused, match="roots_changed"), other.vault.rotating():
        pass
    for root in room.roots:
        root.rename(root.with_name(root.name + ".gone"))
    room.open()
    assert readable(room, kept), "it alone is enough"
    refused("root_same", add, room, "sysadmin", third)
    refused("mirror_no_other", off, room, "sysadmin", third, "retired")


@pytest.mark.req("R-116", "R-127")
def test_a_lost_medium_ends_the_waiting_and_is_told_ever_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path / "room")
    old, older = room.expired(text="遗失介质之前收到的文件。"), room.expired()
    batch, mirror, away = room.until("supervised", room.expired()), room.roots[1], tmp_path / "away"
    open_one = room.until("supervised", room.expired())
    former = backup.create(room.station, room.as_("sysadmin", "backup"), out=tmp_path / "former.tar")
    stolen = tmp_path / "stolen"
    transplant(room.base, stolen)
    monkeypatch.setattr(
        "jiyao.stages.certify.certify", lambda **_: SimpleNamespace(pdf=b"%PDF", sha256="ab" * 32)
    )
    mirror.rename(away)
    for user in ("op1", "op2"):
        room.execute(batch, user)
        assert room.execute(open_one, user)["verdict"] in (None, "pending_key_epoch")
    for user in ("sup1", "sup2"):
        room.attest(batch, user)
    assert (room.show(batch)["verdict"], room.show(batch)["settled"]) == ("pending_key_epoch", None)

    refused("mirror_unknown", off, room, "sysadmin", tmp_path / "nowhere")
    refused("mirror_single", off, room, "sysadmin", mirror)
    refused("mirror_attached", off, room, "sysadmin", room.roots[0], single_root=True)
    refused("mirror_away", off, room, "sysadmin", mirror, "retired", single_root=True)
    assert off(room, "sysadmin", mirror, single_root=True)["state"] == "waiting"
    refused("same_person_twice", off, room, "sysadmin", mirror, single_root=True)
    epoch = room.station.vault.epoch
    done = off(room, "secadmin", mirror, single_root=True)
    assert (done["state"], done["settled"], done["erased"]) == ("written_off", [batch], None)
    assert done["epoch"] == epoch + 1 and done["roots"] == ["erased"] and places(room) == [str(room.roots[0])]

    told = room.show(batch)
    assert told["verdict"] == "pending_key_epoch", "the certificate stays what it was"
    assert (told["settled"]["erased"], told["settled"]["roots"]) == (1, 2)
    gone = told["settled"]["written_off"][0]
    assert (gone["fate"], gone["by"]) == ("lost", ["sysadmin", "secadmin"])
    entry = [row for row in room.entries("vault.mirror.write_off") if row["result"] == "done"][-1]
    assert entry["facts"]["first"] == "sysadmin" and entry["reason_hash"]

    value = room.execute(open_one, "op1")
    assert (value["state"], value["verdict"]) == ("verified", "complete_with_reservations"), (
        "not certified: told in it"
    )
    reserved = {entry["code"]: entry["subjects"] for entry in value["reservations"]}
    assert reserved["reservation_medium_written_off"] == [value["items"][0]["id"]]
    assert {check["name"]: check["result"] for check in value["checks"]}["V5"] == "not_applicable"

    room.clock.forward(minutes=1)
    new = room.expired(text="遗失介质之后收到的文件。")
    later = room.until("supervised", old, new)
    for user in ("op1", "op2"):
        value = room.execute(later, user)
    assert value["verdict"] == "complete_with_reservations"
    checks = {check["name"]: (check["result"], check["reason"]) for check in value["checks"]}
    assert checks["V5"] == ("not_applicable", "medium_written_off"), "a backup of before opens with it"
    reserved = {entry["code"]: entry["subjects"] for entry in value["reservations"]}
    assert reserved["reservation_medium_written_off"] == [old], "what came later was never under it"
    with room.station.read() as session:
        kept = json.loads(session.get_one(Destruction, later).outcomes or b"{}")
        assert root_facts(room.station, kept).single_root
        assert [one.fate for one in root_events.lost(root_events.events(session))] == ["lost"]
    proposed = room.propose(older, dry_run=True)
    assert "claim_medium_written_off" in proposed["draft"]["claims"]
    assert "claim_recovery_single" not in proposed["draft"]["claims"], "it would promise too much"
    assert "reservation_medium_written_off" in {row["code"] for row in proposed["draft"]["reservations"]}
    assert {row["id"]: row["state"] for row in proposed["draft"]["backups"]}[former["id"]] == "unknown"
    assert proposed["draft"]["written_off"][0]["accepted_by"] == ["sysadmin", "secadmin"]
    findings = {row["name"]: row for row in doctor.examine(room.station, lang="zh")["checks"]}
    assert "从未确认擦除" in findings["mirror"]["detail"]

    image = (away / "root.jyr").read_bytes()
    texts = spied([stolen / "home"], [away / "root.jyr"])
    assert any("遗失介质之前".encode() in text for text in texts), (
        "the control: what was copied alive opens with it"
    )
    assert spied([room.home], [away / "root.jyr"]) == set(), "but nothing of today does"
    away.rename(mirror)
    room.open()
    refused("root_written_off", both, add, room, mirror)
    assert (mirror / "root.jyr").read_bytes() == image, "it is neither accepted nor touched"
    mirror.rename(away)
    assert add(room, "secadmin", mirror)["state"] == "added", "the first word still stands"
    mirror.rename(tmp_path / "fresh")
    away.rename(mirror)
    room.open()
    with room.station.vault.rotating(), room.station.read() as session:
        refused("root_written_off", room.station.vault.stage_root, session)
    assert (mirror / "root.jyr").read_bytes() == image, "nor where its place is used again"


@pytest.mark.req("R-116")
def test_broken_off_after_the_commit_a_written_off_medium_stays_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path / "room")
    kept, root, away, epoch = room.document(), room.roots[0], tmp_path / "away", room.station.vault.epoch
    root.rename(away)
    assert off(room, "sysadmin", root, "destroyed", single_root=True)["state"] == "waiting"

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for stop, after in (("rewrite", epoch), ("check", epoch + 1)):
        with monkeypatch.context() as patch:
            patch.setattr(f"jiyao.vault.vault.Vault.{stop}", killed)
            with pytest.raises(KeyboardInterrupt):
                off(room, "secadmin", root, "destroyed", single_root=True)
        room.open()
        assert room.station.vault.epoch == after
    image = (away / "root.jyr").read_bytes()
    away.rename(root)
    room.open()
    assert places(room) == [str(room.roots[1])], "the mirror takes the first root's place"
    assert (root / "root.jyr").read_bytes() == image and readable(room, kept)
    assert all(status.clean for status in room.station.vault.root_status())
    assert room.station.settings.single_root


@pytest.mark.req("R-116")
def test_a_retired_root_is_erased_here_with_its_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path / "room")
    mirror = room.roots[1]

    def failing(_place: object) -> None:
        raise OSError(5, "input/output error")

    assert off(room, "sysadmin", mirror, "retired", single_root=True)["state"] == "waiting"
    with monkeypatch.context() as patch:
        patch.setattr(write_off, "store_at", failing)
        done = off(room, "secadmin", mirror, "retired", single_root=True)
    assert done["state"] == "written_off" and done["erased"] is None
    assert any((mirror / "root.jyr").read_bytes())
    with room.station.read() as session:
        assert root_events.lost(root_events.events(session)), "until it is done, nobody calls it erased"
    again = off(room, "sysadmin", mirror, "retired")
    assert again["erased"] in {claim.value for claim in Claim}
    assert not any((mirror / "root.jyr").read_bytes())
    with room.station.read() as session:
        event = root_events.events(session)[-1]
    assert event.confirmed is Claim(str(event.erased)).proven
    refused("mirror_unknown", off, room, "sysadmin", mirror, "retired")


def test_the_commands_say_it_in_words(tmp_path: Path) -> None:
    room = CliRoom.make(tmp_path / "cli", people=False)
    place = tmp_path / "stick"
    first = room.ok("vault", "mirror", "add", place, user="sysadmin")
    assert first["state"] == "waiting" and not place.exists()
    assert room.ok("vault", "mirror", "add", place, user="secadmin")["state"] == "added"
    listed = room.ok("vault", "mirror", "list", user="auditor")
    assert [row["path"] for row in listed["roots"]][-1] == str(place) and not listed["written_off"]
    words = ("vault", "mirror", "write-off", place, "--fate", "lost", "--reason", "试", "--single-root")
    assert room.run(*words, user="sysadmin").value["error"]["code"] == "mirror_attached"
