"""Backups in later years: trees after a destruction, older files, drills with a clock, no ledger that fell back."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from jiyao.common.errors import Broken
from jiyao.models.tables import Artefact, Timer
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import backup, drill, known_head, ledgers, witness
from room_kit import SECRETS, Room
from test_backup import create, error, move_away, restore


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "room")


def running(room: Room) -> dict[str, str]:
    with room.station.read() as session:
        rows = session.scalars(select(Timer).where(Timer.state == "running"))
        return {row.clock: row.due[:10] for row in rows if row.object_id == drill.OBJECT}


def run(room: Room, file: Path, **given: object) -> dict[str, object]:
    return drill.run(room.station, room.as_("sysadmin", "backup"), file=file, secrets=SECRETS, **given)  # type: ignore[arg-type]


@pytest.mark.req("R-146", "R-127")
def test_a_tree_after_a_destruction_with_the_files_of_an_older_backup(room: Room, tmp_path: Path) -> None:
    gone, stays = room.expired(), room.document("关于留存的函", text="留存的正文还要读得出来，虚构。")
    old, tree = tmp_path / "old.tar", tmp_path / "tree.tar"
    create(room, old)
    assert set(running(room)) == {"restore_drill"}
    room.until("verified", gone)
    assert set(running(room)) == {"restore_drill", "backup_due"}, (
        "from now on the older backup restores nothing"
    )
    made = backup.create(room.station, room.as_("sysadmin", "backup"), out=tree, tree=True)
    assert made["tree"] and b"JYBLOB01" in old.read_bytes() and b"JYBLOB01" not in tree.read_bytes()
    assert set(running(room)) == {"restore_drill"}
    assert backup.verify(tree, files=(old,))["elsewhere"] > 0
    error(lambda: backup.verify(tree, files=(tree,)), "backup_incomplete", 7)
    with room.station.read() as session:
        dead = set(session.scalars(select(Artefact.path).where(Artefact.state == "destroyed")))
    assert dead
    move_away(room)
    error(lambda: restore(room, tree, "sysadmin"), "backup_incomplete", 7)
    for user in ("sysadmin", "lead"):
        error(lambda user=user: restore(room, old, user), "key_store_rolled_back", 7)  # type: ignore[misc]
        restore(room, tree, user, files=(old,))
    assert not any((room.home / "blobs" / path).exists() for path in dead), (
        "what was destroyed is not brought back"
    )
    room.open()
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=stays)["pages"]
    error(lambda: documents.text_of(room.station, room.as_("clerk", "text"), document=gone), "no_text", 3)


@pytest.mark.req("R-146", "R-139")
def test_a_ledger_that_fell_behind_what_is_known_is_refused(room: Room, tmp_path: Path) -> None:
    room.document()
    one = tmp_path / "one.tar"
    create(room, one)
    kept = known_head.recall(room.home)
    assert kept is not None and kept["origin"] == room.station.settings.store_uuid
    room.document()
    slip = witness.write_slip(room.station, room.as_("auditor", "ledger"), out=tmp_path / "slip.pdf")
    move_away(room)
    error(lambda: restore(room, one, "sysadmin"), "ledger_behind", 4)
    path = known_head.place(room.home)
    plain = json.loads(path.read_bytes())
    path.write_text(json.dumps({**plain, "size": 10**6}))
    assert restore(room, one, "sysadmin")["state"] == "waiting", "a forged head stands in nobody's way"
    path.unlink()
    assert base64.b64decode(plain["signature"])
    error(lambda: restore(room, one, "lead", slip=slip["code"]), "ledger_behind", 4)
    error(lambda: restore(room, one, "lead", slip="JYHEAD1|x"), "slip_unreadable", 2)
    assert restore(room, one, "lead", slip=slip["code"], accept_loss=True)["state"] == "restored"
    room.open()
    facts = room.entries("restore")[0]["facts"]
    assert (facts["known"], facts["root"]) == (slip["entries"], slip["root"])
    assert ledgers.verify_log(room.station)["ok"]


@pytest.mark.req("R-146")
def test_a_drill_opens_the_backup_leaves_a_record_and_falls_due_again(room: Room, tmp_path: Path) -> None:
    gone = room.expired()
    for _ in range(3):
        room.document()
    room.until("verified", gone)
    file = tmp_path / "backup.tar"
    create(room, file)
    first = running(room)["restore_drill"]
    room.clock.forward(days=60)
    done = run(room, file)
    assert (done["ok"], done["failed"], done["destroyed"], done["destroyed_opened"]) == (True, 0, 1, 0)
    assert done["tried"] == done["live"] == 9 and done["ledger"]
    entry = room.entries("backup.drill")[0]
    assert entry["result"] == "done" and entry["facts"]["tried"] == 9
    assert running(room)["restore_drill"] == done["next"] or running(room)["restore_drill"] > first
    assert documents.text_of(room.station, room.as_("clerk", "text"), document="D2026-000002")["pages"]
    assert not list(tmp_path.rglob("drill")), "nothing is left behind"

    backed = file.read_bytes()
    at = backed.rindex(b"JYBLOB01") + 200
    file.write_bytes(backed[:at] + bytes([backed[at] ^ 1]) + backed[at + 1 :])
    with pytest.raises(Broken):
        run(room, file)
    assert room.last_entry()["rule_or_approval"] == "backup_altered"


@pytest.mark.req("R-146")
def test_a_drill_notices_what_a_restore_would_miss(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.document()
    file = tmp_path / "backup.tar"
    with room.station.read() as session:
        path = session.scalars(select(Artefact.path)).first()
    sealed = room.station.blobs / str(path)
    shutil.copy(sealed, tmp_path / "kept")
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"x")
    create(room, file)
    with pytest.raises(Broken) as failed:
        run(room, file)
    assert failed.value.code == "drill_failed" and failed.value.value is not None
    assert failed.value.value["failed"] == 1 and room.entries("backup.drill")[-1]["result"] == "failed"
    room.until("verified", room.expired())
    with pytest.raises(Broken) as stale:
        run(room, file)
    assert stale.value.code == "key_store_rolled_back"
