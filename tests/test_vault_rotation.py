"""The rotation of the root: broken off anywhere, by a stranger's copy, by a second process, by a lost
mirror."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jiyao.common.errors import Broken, NotThere, Refused, Unexpected, WrongSecret
from jiyao.pipeline.station.registry import reading, writing
from jiyao.vault.head import StoreHead
from jiyao.vault.root import RootFile
from jiyao.vault.tree_page import Page
from jiyao.vault.vault import Vault
from vault_kit import PASSPHRASE, UUID, Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_destroyed_is_gone_survivors_stay(room: Room) -> None:
    vault = room.create()
    kept, lost = room.put(vault, b"kept"), room.put(vault, b"lost")
    done = room.destroy(vault, [lost[0]])
    assert done.complete and done.epoch == vault.epoch == 2
    with pytest.raises(NotThere, match="key_destroyed"):
        room.get(vault, *lost)
    assert room.get(vault, *kept) == b"kept"
    again = room.open()
    assert again.recovery is None and room.get(again, *kept) == b"kept"
    assert all(status.clean for status in again.root_status())


def test_destroying_twice_is_the_same(room: Room) -> None:
    vault = room.create()
    slot, _ = room.put(vault, b"x")
    room.destroy(vault, [slot])
    with vault.rotating():
        with writing(room.engine) as session:
            vault.stage_root(session)
            vault.stage_root(session)
            done = vault.rewrite(session, [slot])
        assert done.absent == (slot,) and done.destroyed == ()
        with reading(room.engine) as second:
            vault.check(second, done)
            assert vault.erase_old_root(second).complete
            assert vault.erase_old_root(second).complete


STEPS = [
    "staged half",
    "staged",
    "rewritten",
    "committed",
    "checked",
    "torn wipe",
    "one root erased",
    "erased",
]


@pytest.mark.req("R-116")
@pytest.mark.parametrize("stop", STEPS)
def test_broken_off_anywhere(room: Room, stop: str) -> None:
    """The objects are dropped at each step; the next start finds the old or the new state, never another."""
    vault = room.create()
    kept, lost = room.put(vault, b"kept"), room.put(vault, b"lost")
    _run_until(room, vault, lost[0], STEPS.index(stop))
    room.engine.dispose()
    room.connect()
    again = room.open()
    assert room.get(again, *kept) == b"kept"
    assert all(status.clean for status in again.root_status())
    if STEPS.index(stop) < STEPS.index("committed"):
        assert again.epoch == 1 and room.get(again, *lost) == b"lost"
    else:
        assert again.epoch == 2
        with pytest.raises(NotThere, match="key_destroyed"):
            room.get(again, *lost)
    assert room.destroy(again, [lost[0]]).complete
    assert room.get(room.open(), *kept) == b"kept"


class _Stop(Exception):
    pass


def _run_until(room: Room, vault: Vault, slot: str, step: int) -> None:
    try:
        with vault.rotating():
            with writing(room.engine) as session:
                vault.stage_root(session)
                if step == 0:
                    RootFile(room.roots[1]).wipe(1)
                if step <= 1:
                    raise _Stop
                done = vault.rewrite(session, [slot])
                if step == 2:
                    raise _Stop
            if step == 3:
                raise _Stop
            with reading(room.engine) as second:
                vault.check(second, done)
                if step == 5:
                    with RootFile(room.roots[0]).path.open("r+b") as file:
                        file.write(os.urandom(20))
                if step == 6:
                    RootFile(room.roots[0]).wipe(0)
                if step == 7:
                    vault.erase_old_root(second)
    except _Stop:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_killed_while_destroying(tmp_path: Path, seed: int) -> None:
    """SIGKILL at some moment of a process that destroys one document after another."""
    room = Room(tmp_path)
    vault = room.create()
    kept = room.put(vault, b"kept")
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from vault_kit import Room\n"
        "class Again(Room):\n"
        "    def __post_init__(self): self.connect()\n"
        "room = Again(Path(sys.argv[1])); vault = room.open(); print('go', flush=True)\n"
        "while True:\n"
        "    slot, path = room.put(vault, b'lost')\n"
        "    room.destroy(vault, [slot]); print(slot, path, flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "go\n"
    first = child.stdout.readline().split()
    time.sleep(0.004 * (5 * seed + 1))
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.wait()
    again = room.open()
    assert room.get(again, *kept) == b"kept"
    assert all(status.clean for status in again.root_status())
    for line in [" ".join(first), *rest.splitlines()]:
        parts = line.split()
        if len(parts) == 2 and parts[1].endswith(".jyb"):
            with pytest.raises(NotThere, match="key_destroyed"):
                room.get(again, parts[0], parts[1])


def test_an_old_view_never_wipes_the_new_root(room: Room) -> None:
    """A process that began to read before a rotation, which then died right after its commit, starts up."""
    vault = room.create()
    kept, lost = room.put(vault, b"kept"), room.put(vault, b"lost")
    with reading(room.engine) as stale:
        assert vault.get(stale, *kept) == b"kept"
        _run_until(room, room.open(), lost[0], STEPS.index("committed"))
        started = Vault.open(stale, blobs=room.blobs, roots=room.roots, passphrase=PASSPHRASE)
        assert started.recovery is not None and started.recovery.epoch == 2
    assert room.get(room.open(), *kept) == b"kept"


def test_nothing_is_erased_before_the_commit(room: Room) -> None:
    vault = room.create()
    kept = room.put(vault, b"kept")
    with vault.rotating():
        with pytest.raises(Broken, match="rotation_not_committed"), writing(room.engine) as session:
            vault.stage_root(session)
            done = vault.rewrite(session, [])
            with pytest.raises(Broken, match="rotation_not_committed"):
                vault.check(session, done)
            vault.erase_old_root(session)
        with reading(room.engine) as session:
            with pytest.raises(Broken, match="rotation_not_committed"):
                vault.check(session, done)
            assert vault.recover(session).epoch == 1
    assert room.get(room.open(), *kept) == b"kept"


@pytest.mark.parametrize("entry", [bytes(32), os.urandom(32)], ids=["lost", "changed"])
def test_failed_check_keeps_both_roots(room: Room, entry: bytes) -> None:
    """A survivor lost in the rewrite is noticed, and nothing is erased, not even at the next start."""
    vault = room.create()
    slots = [room.put(vault, b"x")[0] for _ in range(3)]
    sealed = Page.sealed

    def lossy(page: Page, head: StoreHead) -> bytes:
        page.put(int(slots[2][12:14], 16), entry)
        return sealed(page, head)

    with vault.rotating():
        with writing(room.engine) as session:
            vault.stage_root(session)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Page, "sealed", lossy)
                done = vault.rewrite(session, [slots[0]])
        with reading(room.engine) as second:
            for step in (lambda: vault.check(second, done), lambda: vault.erase_old_root(second)):
                with pytest.raises(Broken, match="rotation_check_failed"):
                    step()
    with pytest.raises(Broken, match="rotation_check_failed"):
        room.open()
    held = [slot.state for slot in room.open(recover=False).root_status()[0].view.slots]
    assert held == ["held", "held"]
    with pytest.raises(Broken, match="rotation_check_failed"):
        room.put(room.open(recover=False), b"y")


# ---------------------------------------------------------------- roll-back, wrong and missing roots


def test_rolled_back_database(room: Room) -> None:
    vault = room.create()
    slot, _ = room.put(vault, b"lost")
    old = room.sealed_value()
    room.destroy(vault, [slot])
    room.set_sealed(*old)
    with pytest.raises(Broken, match="key_store_rolled_back"):
        room.open()
    with pytest.raises(Broken, match="key_store_rolled_back"):
        room.get(vault, slot, "company/00/" + "0" * 32 + ".jyb")


def test_rolled_back_with_a_stale_mirror(room: Room) -> None:
    """A mirror that missed the rotation still holds the old key: the old database is refused all the same."""
    vault = room.create()
    slot, _ = room.put(vault, b"lost")
    old = room.sealed_value()
    shutil.copytree(room.roots[1], room.base / "away")
    room.destroy(vault, [slot])
    room.set_sealed(*old)
    shutil.rmtree(room.roots[1])
    shutil.copytree(room.base / "away", room.roots[1])
    with pytest.raises(Broken, match="key_store_rolled_back"):
        room.open()


def test_old_root_under_new_database(room: Room) -> None:
    vault = room.create()
    images = [RootFile(folder).path.read_bytes() for folder in room.roots]
    slot, _ = room.put(vault, b"lost")
    room.destroy(vault, [slot])
    for folder, image in zip(room.roots, images, strict=True):
        RootFile(folder).path.write_bytes(image)
    with pytest.raises(Broken, match="root_epoch_missing"):
        room.open()
    assert [RootFile(folder).path.read_bytes() for folder in room.roots] == images


def test_missing_and_foreign_and_damaged_roots(room: Room, tmp_path: Path) -> None:
    vault = room.create()
    kept = room.put(vault, b"kept")
    first, mirror = (RootFile(folder) for folder in room.roots)
    first.path.rename(first.path.with_name("elsewhere"))
    assert room.get(room.open(), *kept) == b"kept"
    mirror.path.rename(mirror.path.with_name("elsewhere"))
    with pytest.raises(NotThere, match="root_missing"):
        room.open()
    with pytest.raises(NotThere, match="root_missing"):
        room.get(vault, *kept)
    assert not first.path.exists() and not mirror.path.exists()

    stranger = RootFile(first.folder)
    stranger.create()
    stranger.write(0, epoch=1, suite_id=1, store_uuid=b"another station.", key=bytearray(32))
    with pytest.raises(Broken, match="root_foreign"):
        room.open()
    first.path.unlink()
    image = bytearray(first.path.with_name("elsewhere").read_bytes())
    for at in (0, 3, 12, 16, 20, 30, 50, 69, 64000, 128068, 128069, 131071):
        image[at] ^= 1
        first.path.write_bytes(image)
        with pytest.raises(Broken, match="root_damaged"):
            room.open()
        image[at] ^= 1
    first.path.write_bytes(image[:-1])
    with pytest.raises(Broken, match="root_damaged"):
        room.open()


def test_a_missing_mirror_holds_the_batch_until_it_is_back(room: Room) -> None:
    vault = room.create()
    kept, lost = room.put(vault, b"kept"), room.put(vault, b"lost")
    away = room.roots[1].rename(room.base / "away")
    done = room.destroy(vault, [lost[0]])
    assert not done.complete
    assert [root.state for root in done.roots] == ["erased", "missing"]
    away.rename(room.roots[1])
    old = RootFile(room.roots[1]).load(1)
    again = room.open()
    assert again.recovery is not None and again.recovery.complete
    assert old is not None and RootFile(room.roots[1]).load(1) is None
    room.roots[0].rename(room.base / "gone")
    assert room.get(room.open(), *kept) == b"kept"


@pytest.mark.parametrize("length", [0, 1, 131072, 262143, 262145, 600_000])
def test_a_mirror_of_another_length_is_mended(room: Room, length: int) -> None:
    """Whatever it held is overwritten, and it holds the current key again, and nothing else."""
    vault = room.create()
    kept = room.put(vault, b"kept")
    mirror = RootFile(room.roots[1])
    image = mirror.path.read_bytes()
    mirror.path.write_bytes((image + image + image)[:length])
    again = room.open()
    assert again.recovery is not None and again.recovery.complete
    assert mirror.load(1) == RootFile(room.roots[0]).load(1) and mirror.blank(1)
    room.roots[0].rename(room.base / "gone")
    assert room.get(room.open(), *kept) == b"kept"


@pytest.mark.parametrize(("uuid", "epoch"), [(b"another station.", 1), (UUID, 7)], ids=["foreign", "newer"])
def test_a_medium_put_in_meanwhile_is_not_overwritten(room: Room, uuid: bytes, epoch: int) -> None:
    """A stick of another station, or of a later time of this one, in the mirror's place while the station is open."""
    vault = room.create()
    gone = room.put(vault, b"gone")
    mirror = RootFile(room.roots[1])
    mirror.path.rename(room.base / "ours")
    mirror.create()
    mirror.write(0, epoch=epoch, suite_id=1, store_uuid=uuid, key=bytearray(range(32)))
    image = mirror.path.read_bytes()
    with pytest.raises(Broken, match=r"root_foreign|key_store_rolled_back"):
        room.destroy(vault, [gone[0]])
    assert mirror.path.read_bytes() == image and room.get(vault, *gone) == b"gone"
    (room.base / "ours").replace(mirror.path)
    assert room.destroy(vault, [gone[0]]).complete


def test_new_mirror(room: Room, tmp_path: Path) -> None:
    vault = room.create()
    kept = room.put(vault, b"kept")
    with pytest.raises(Refused, match="root_inside_home"):
        vault.prepare_root(room.home / "inside")
    vault.prepare_root(tmp_path / "third")
    vault.prepare_root(tmp_path / "third")
    assert RootFile(tmp_path / "third").load(1) is None, "no key before it is known as a root"
    with vault.rotating(), reading(room.engine) as session:
        assert vault.add_root(session, tmp_path / "third").complete
    with pytest.raises(Refused, match="root_same"):
        vault.prepare_root(tmp_path / "third")
    slot, _ = room.put(vault, b"lost")
    assert len(room.destroy(vault, [slot]).roots) == 3
    with reading(room.engine) as session:
        alone = Vault.open(session, blobs=room.blobs, roots=[tmp_path / "third"], passphrase=PASSPHRASE)
        assert alone.get(session, *kept) == b"kept"


@pytest.mark.parametrize("torn_after", [0, 20, 5000, 131000])
def test_torn_wipe_leaves_no_key(room: Room, torn_after: int) -> None:
    """Whatever part of the stripes an overwrite reached, the key is dead, and the start wipes the rest."""
    image = os.urandom(torn_after)
    room.create()
    file = RootFile(room.roots[0])
    key = file.load(1)
    assert key is not None
    file.write(1, epoch=7, suite_id=1, store_uuid=bytes(range(16)), key=bytearray(os.urandom(32)))
    with file.path.open("r+b") as raw:
        raw.seek(131072 + 69)
        raw.write(image or b"\x01")
    assert file.view(1).state == "torn" and file.load(7) is None
    assert room.open().recovery is not None
    assert file.view(1).state == "empty" and file.load(1) == key


# ---------------------------------------------------------------- several processes, one store


@pytest.mark.req("R-116")
def test_a_watcher_never_writes_destroyed_keys_back(room: Room) -> None:
    watcher = room.create()
    lost = room.put(watcher, b"lost")
    destroyer = room.open()
    room.destroy(destroyer, [lost[0]])
    fresh = room.put(watcher, b"new mail")
    assert watcher.epoch == 2
    for vault in (watcher, destroyer, room.open()):
        assert room.get(vault, *fresh) == b"new mail"
        with pytest.raises(NotThere, match="key_destroyed"):
            room.get(vault, *lost)


def test_a_stale_snapshot_reads_on(room: Room) -> None:
    """A long reading transaction that began before a rotation is no roll-back, and shows no destroyed key."""
    watcher = room.create()
    kept, lost = room.put(watcher, b"kept"), room.put(watcher, b"lost")
    destroyer = room.open()
    with reading(room.engine) as session:
        assert watcher.get(session, *kept) == b"kept"
        room.destroy(destroyer, [lost[0]])
        assert watcher.get(session, *kept) == b"kept"
        with pytest.raises(NotThere, match="key_destroyed"):
            watcher.get(session, *lost)


def test_a_raced_write_is_refused(room: Room) -> None:
    vault, other = room.create(), room.open()
    with reading(room.engine) as stale:
        vault.has_slot(stale, "00" * 16)
        room.put(other, b"x")
        with pytest.raises(Exception, match=r"raced|locked"):
            vault.new_slot(stale)


def test_rotation_waits_for_readers_and_readers_for_it(room: Room) -> None:
    vault, reader = room.create(), room.open()
    kept = room.put(vault, b"kept")
    with reader.lease(), pytest.raises(Refused, match="vault_busy"), vault.rotating(wait=0.05):
        pass
    order: list[str] = []
    inside = threading.Event()

    def read() -> None:
        inside.wait()
        other = room.open()
        order.append("read" if room.get(other, *kept) == b"kept" else "?")

    thread = threading.Thread(target=read)
    thread.start()
    with vault.rotating():
        inside.set()
        time.sleep(0.1)
        order.append("rotated")
    thread.join()
    assert order == ["rotated", "read"]


def test_a_put_holds_the_rotation_until_its_transaction_ends(room: Room) -> None:
    vault, other = room.create(), room.open()
    with writing(room.engine) as session:
        slot = vault.new_slot(session)
        vault.put(session, slot, "original", b"x", area="company")
        with pytest.raises(Refused, match="vault_busy"), other.rotating(wait=0.02):
            pass
        with pytest.raises(Unexpected, match="vault_lease_open"), vault.rotating():
            pass
    with other.rotating(wait=1.0):
        pass


def test_no_root_stays_in_memory_between_calls(room: Room) -> None:
    vault = room.create()
    kept = room.put(vault, b"kept")
    room.get(vault, *kept)
    assert vault._lease._root is None


def test_steps_need_the_lock(room: Room) -> None:
    vault = room.create()
    with writing(room.engine) as session:
        for step in (vault.stage_root, vault.erase_old_root, lambda s: vault.rewrite(s, [])):
            with pytest.raises(Unexpected, match="vault_not_rotating"):
                step(session)


def test_rewrite_without_staging_is_refused(room: Room) -> None:
    vault = room.create()
    with writing(room.engine) as session, vault.rotating():
        with pytest.raises(Broken, match="root_not_staged"):
            vault.rewrite(session, [])
        with pytest.raises(Refused, match="registry_key_stays"):
            vault.rewrite(session, ["00" * 16])


def test_wrong_passphrase(room: Room) -> None:
    room.create()
    with pytest.raises(WrongSecret, match="wrong_passphrase"):
        room.open("wrong")
