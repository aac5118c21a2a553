"""Backup and restore: whole or not at all, by two persons, never past a destruction (vault.md sections 3 and 10)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import Broken, JiyaoError, NotThere, WrongSecret
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import paper_approval
from jiyao.pipeline.station import backup, ledgers
from jiyao.pipeline.station.station import Station
from room_kit import PASSPHRASE, SECRETS, Room, TestSecrets


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "room")


def create(room: Room, out: Path) -> dict[str, object]:
    return backup.create(room.station, room.as_("sysadmin", "backup"), out=out)


def restore(room: Room, file: Path, user: str, home: Path | None = None, **given: Any) -> dict[str, object]:
    return backup.restore(home or room.home, file, user=user, secrets=SECRETS, clock=room.clock, **given)


def move_away(room: Room) -> Path:
    room.station.engine.dispose()
    away = room.base / "old-home"
    room.home.rename(away)
    return away


def error(act: Callable[[], object], code: str, exit_code: int) -> JiyaoError:
    with pytest.raises(JiyaoError) as caught:
        act()
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    return caught.value


@pytest.mark.req("R-146", "R-142")
def test_round_trip_by_two_persons(room: Room, tmp_path: Path) -> None:
    ids = [
        room.document(f"关于第{number}件事的函", text=f"第{number}件的正文，恢复以后还要读得出来。")
        for number in range(3)
    ]
    room.copy(ids[0])
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF paper approval" * 10)
    room.change(ids[0], level_code="C2")
    paper_approval.enter(room.station, room.as_("clerk", "approval.paper"), act="distribute", documents=(ids[0],),
                         scan=scan, approver="p-lead")  # fmt: skip
    file = tmp_path / "backup.tar"
    made = create(room, file)
    assert made["documents"] == 3 and made["epoch"] == room.station.vault.epoch
    assert made["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_mode & 0o077 == 0 and not list(tmp_path.glob(".*.part"))
    checked = backup.verify(file)
    assert checked["ok"] and checked["id"] == made["id"]
    assert all(
        part not in file.read_bytes() for part in (b"JYROOT01", "恢复以后还要".encode(), b"paper approval")
    )
    entries = ledgers.verify_log(room.station)["entries"]
    away = move_away(room)

    home = room.base / "new" / "home"
    home.mkdir(parents=True)
    first = restore(room, file, "sysadmin", home)
    assert (first["state"], first["first"]) == ("waiting", "sysadmin")
    assert [path.name for path in home.with_name("home.restore").iterdir()] == ["restore.json"]
    error(lambda: restore(room, file, "sysadmin", home), "same_person_twice", 4)
    done = restore(room, file, "lead", home)
    assert (done["state"], done["first"], done["second"]) == ("restored", "sysadmin", "p-lead")
    assert not home.with_name("home.restore").exists()

    shutil.rmtree(away)
    station = Station.open(home, clock=room.clock)
    station.unlock(PASSPHRASE)
    assert station.settings.registry == f"sqlite:///{home / 'registry.db'}"
    room.station = station
    room._actors.clear()
    for number, document in enumerate(ids):
        value = documents.text_of(station, room.as_("clerk", "text"), document=document)
        assert value["pages"][0]["text"] == f"第{number}件的正文，恢复以后还要读得出来。"
    assert ledgers.verify_log(station)["entries"] > entries
    assert room.entries("restore")[0]["facts"]["first"] == "sysadmin"
    assert len(list((home / "blobs" / "approvals").rglob("*.jyb"))) == 1, (
        "scans of paper approvals come along"
    )
    assert room.document("关于恢复以后的函")


@pytest.mark.req("R-146", "R-127", "R-116")
def test_a_backup_from_before_a_destruction_is_refused_after_it(room: Room, tmp_path: Path) -> None:
    gone, stays = room.expired(), room.document()
    before = tmp_path / "before.tar"
    create(room, before)
    batch = room.until("verified", gone)
    assert {check["name"]: check["reason"] for check in room.show(batch)["checks"]}[
        "V5"
    ] == "backups_unreadable_1"
    after = tmp_path / "after.tar"
    create(room, after)
    move_away(room)
    for user in ("sysadmin", "lead"):
        error(lambda user=user: restore(room, before, user), "key_store_rolled_back", 7)  # type: ignore[misc]
    assert not room.home.exists() and not room.home.with_name("home.restore").exists()
    restore(room, after, "sysadmin")
    restore(room, after, "secadmin")
    room.open()
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=stays)
    error(lambda: documents.text_of(room.station, room.as_("clerk", "text"), document=gone), "no_text", 3)


@pytest.mark.req("R-146")
def test_restore_asks_for_role_password_and_an_empty_home(room: Room, tmp_path: Path) -> None:
    room.document()
    file = tmp_path / "backup.tar"
    create(room, file)
    error(lambda: restore(room, file, "sysadmin"), "home_not_empty", 4)
    room.refused("file_exists", create, room, file)
    move_away(room)

    class Wrong(TestSecrets):
        def password(self, user: str, *, new: bool = False) -> str:
            return "no"

    class NoPhrase(TestSecrets):
        def passphrase(self, *, new: bool = False) -> str:
            return "no"

    error(lambda: restore(room, file, "clerk"), "role_missing", 4)
    error(lambda: restore(room, file, "nobody"), "no_account", 3)
    for secrets in (Wrong(), NoPhrase()):
        with pytest.raises(WrongSecret):
            backup.restore(room.home, file, user="sysadmin", secrets=secrets, clock=room.clock)
    assert not room.home.with_name("home.restore").exists(), "nothing is left behind"


@pytest.mark.req("R-146")
def test_the_first_word_is_for_this_file_and_for_a_while(room: Room, tmp_path: Path) -> None:
    room.document()
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    create(room, one)
    room.document()
    create(room, two)
    move_away(room)
    restore(room, one, "sysadmin", accept_loss=True)
    assert restore(room, two, "lead", accept_loss=True)["state"] == "waiting", (
        "the first person spoke for another file"
    )
    assert restore(room, one, "secadmin", accept_loss=True)["state"] == "waiting"
    room.clock.forward(minutes=16)
    assert restore(room, one, "sysadmin", accept_loss=True)["state"] == "waiting"
    word = room.home.with_name("home.restore") / "restore.json"
    plain = json.loads(word.read_text())
    word.write_text(json.dumps({**plain, "person": "p-prin"}))
    assert restore(room, one, "sysadmin", accept_loss=True)["state"] == "waiting", (
        "a forged word does not count"
    )
    word.write_text("[]")
    assert restore(room, one, "sysadmin", accept_loss=True)["state"] == "waiting"
    assert restore(room, one, "lead", accept_loss=True)["state"] == "restored"


def _members(file: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(file) as tar:
        return [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]


def _pack(file: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return file


@pytest.mark.req("R-146", "R-139")
def test_altered_cut_and_cunning_backups(room: Room, tmp_path: Path) -> None:
    room.document()
    file = tmp_path / "backup.tar"
    create(room, file)
    whole = file.read_bytes()
    bad = tmp_path / "bad.tar"
    for cut in (0, 100, 512, 700, len(whole) // 3, len(whole) // 2, whole.rindex(b"JYBLOB01") + 50):
        bad.write_bytes(whole[:cut])
        with pytest.raises(Broken):
            backup.verify(bad)
    for at in (
        whole.index(b"SQLite format 3") + 5000,
        whole.rindex(b"JYBLOB01") + 30,
        whole.index(b'"documents"') + 12,
    ):
        data = bytearray(whole)
        data[at] ^= 1
        bad.write_bytes(data)
        with pytest.raises(Broken) as caught:
            backup.verify(bad)
            move = room.base / "elsewhere" / "home"
            backup.restore(move, bad, user="sysadmin", secrets=SECRETS, clock=room.clock)
        assert caught.value.code == "backup_altered" and caught.value.facts["member"]

    base = _members(file)
    for name in ("../evil", "/etc/evil", "blobs/../../evil", "blobs/i/aa/../../../evil.jyb", "blobs", "x",
                 "blobs/i/evil", "registry.db/x", "blobs/i/aa/" + "a" * 32 + ".jyb\0"):  # fmt: skip
        manifest = json.loads(base[0][1])
        manifest["files"][name] = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
        first = tarfile.TarInfo("manifest.json")
        members = [(first, json.dumps(manifest).encode()), *base[1:], (tarfile.TarInfo(name), b"x")]
        with pytest.raises(Broken):
            backup.verify(_pack(bad, members))
    for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "station.json"), (tarfile.DIRTYPE, ""),
                         (tarfile.FIFOTYPE, "")):  # fmt: skip
        info = tarfile.TarInfo("station.json")
        info.type, info.linkname = kind, target
        with pytest.raises(Broken):
            backup.verify(_pack(bad, [*base[:2], (info, b""), *base[3:]]))
    for text in (
        b"{}",
        b"[]",
        b"nonsense",
        b'{"format": "jiyao.backup/1", "files": {"a": 1}}',
        b"[" * 100000,
    ):
        with pytest.raises(Broken):
            backup.verify(_pack(bad, [(tarfile.TarInfo("manifest.json"), text), *base[1:]]))
    with pytest.raises(Broken):
        backup.verify(_pack(bad, [*base, base[-1]]))
    with pytest.raises(Broken):
        backup.verify(_pack(bad, base[:-1]))
    with pytest.raises(NotThere):
        backup.verify(tmp_path / "nothing.tar")


@pytest.mark.req("R-146", "R-139")
def test_a_made_up_backup_with_right_hashes_is_not_restored(room: Room, tmp_path: Path) -> None:
    """Somebody gives himself a role in the backup's registry and recomputes every hash: the keyed one fails."""
    import sqlite3

    room.document()
    file = tmp_path / "backup.tar"
    create(room, file)
    members = _members(file)
    registry = tmp_path / "registry.db"
    index = next(number for number, (info, _) in enumerate(members) if info.name == "registry.db")
    registry.write_bytes(members[index][1])
    database = sqlite3.connect(registry)
    database.execute("UPDATE accounts SET roles = 'sysadmin' WHERE user = 'reader'")
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    members[index] = (members[index][0], registry.read_bytes())
    manifest = json.loads(members[0][1])
    manifest["files"]["registry.db"] = {
        "sha256": hashlib.sha256(registry.read_bytes()).hexdigest(),
        "size": 1,
    }
    members[0] = (
        members[0][0],
        json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(),
    )
    forged = _pack(tmp_path / "forged.tar", members)
    assert backup.verify(forged)["ok"], "without a secret it looks whole"
    move_away(room)
    error(lambda: restore(room, forged, "reader"), "backup_altered", 7)
    assert not room.home.exists() and not room.home.with_name("home.restore").exists()


@pytest.mark.req("R-146")
def test_backup_while_a_writer_works(room: Room, tmp_path: Path) -> None:
    """Another process registers papers all the time: each backup is of one moment and restores whole."""
    room.document()
    room.station.engine.dispose()
    stop, began = tmp_path / "stop", tmp_path / "began"
    child = os.fork()
    if not child:
        try:
            room.open()
            while not stop.exists():
                room.paper()
                began.touch()
                time.sleep(0.05)
            os._exit(0)
        finally:
            os._exit(1)
    try:
        while not began.exists():
            time.sleep(0.02)
        room.open()
        made = [create(room, tmp_path / f"{number}.tar") for number in range(3)]
    finally:
        stop.touch()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    counts = [int(str(item["documents"])) for item in made]
    assert counts == sorted(counts) and counts[-1] > 1
    move_away(room)
    last = tmp_path / "2.tar"
    restore(room, last, "sysadmin")
    restore(room, last, "prin")
    room.open()
    listed = documents.list_documents(room.station, room.as_("clerk", "documents"))["documents"]
    assert len(listed) == counts[-1]
    for item in listed:
        assert documents.text_of(room.station, room.as_("clerk", "text"), document=item["id"])["pages"]


@pytest.mark.req("R-146")
def test_a_full_disk_leaves_nothing_and_says_so(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.os, "fsync", full)
    error(lambda: create(room, tmp_path / "b.tar"), "disk_full", 9)
    assert not (tmp_path / "b.tar").exists() and not list(tmp_path.glob(".*.part"))
