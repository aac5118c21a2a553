"""What an overwrite can promise, erasing, and how a process with secrets behaves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jiyao.common.messages import LANGS, say
from jiyao.common.sandbox import outside_program
from jiyao.pipeline.station import doctor_secrets
from jiyao.vault import erase, signs
from jiyao.vault.erase import Grade, erase_file
from jiyao.vault.medium import Claim, Medium, RootClass, judge, medium_of
from jiyao.vault.scratch import Scratch, scratch_place, sweep_scratch
from jiyao.vault.signs import Signs, signs_of
from jiyao.vault.swap import resting

DISK = Signs(
    filesystem="ext4",
    magic=0xEF53,
    data_journal=False,
    no_cow=False,
    compressed=False,
    rotational=True,
    discards=False,
    removable=False,
    swap=False,
)
BTRFS = replace(DISK, filesystem="btrfs", magic=0x9123683E)
CASES = [
    (DISK, RootClass.R4, Claim.CLEAR, "medium_in_place"),
    (replace(DISK, filesystem="xfs", magic=0x58465342), RootClass.R4, Claim.CLEAR, "medium_in_place"),
    (replace(BTRFS, no_cow=True), RootClass.R4, Claim.CLEAR, "medium_in_place"),
    (replace(DISK, filesystem="ext2"), RootClass.R4, Claim.CLEAR, "medium_in_place"),
    (replace(DISK, removable=True), RootClass.R3, Claim.REMOVABLE, "medium_removable"),
    (
        replace(DISK, removable=True, rotational=False, discards=True),
        RootClass.R3,
        Claim.REMOVABLE,
        "medium_removable",
    ),
    (
        replace(DISK, filesystem="vfat", magic=0x4D44, removable=True),
        RootClass.R3,
        Claim.REMOVABLE,
        "medium_removable",
    ),
    (replace(DISK, virtual=True), RootClass.R5, Claim.UNPROVEN, "medium_virtual"),
    (replace(DISK, shared=True), RootClass.R5, Claim.NONE, "medium_shared"),
    (replace(DISK, shared=True, removable=True), RootClass.R5, Claim.NONE, "medium_shared"),
    (replace(DISK, discards=True), RootClass.R5, Claim.UNPROVEN, "medium_discard_below"),
    (replace(DISK, rotational=False), RootClass.R5, Claim.UNPROVEN, "medium_flash"),
    (replace(DISK, rotational=None), RootClass.R5, Claim.UNPROVEN, "medium_device_unknown"),
    (replace(DISK, data_journal=True), RootClass.R5, Claim.NONE, "medium_data_journal"),
    (replace(DISK, magic=0), RootClass.R5, Claim.NONE, "medium_filesystem_unknown"),
    (replace(DISK, filesystem="newfs"), RootClass.R5, Claim.NONE, "medium_filesystem_unknown"),
    (BTRFS, RootClass.R5, Claim.NONE, "medium_copy_on_write"),
    (replace(BTRFS, no_cow=True, compressed=True), RootClass.R5, Claim.NONE, "medium_copy_on_write"),
    (replace(BTRFS, removable=True), RootClass.R5, Claim.NONE, "medium_copy_on_write"),
    (replace(DISK, filesystem="zfs"), RootClass.R5, Claim.NONE, "medium_copy_on_write"),
    (replace(DISK, filesystem="overlay"), RootClass.R5, Claim.NONE, "medium_layered"),
    (replace(DISK, filesystem="fuse.sshfs"), RootClass.R5, Claim.NONE, "medium_layered"),
    (replace(DISK, filesystem="nfs4"), RootClass.R5, Claim.NONE, "medium_network"),
    (replace(DISK, filesystem="tmpfs"), RootClass.R5, Claim.MEMORY, "medium_memory"),
    (replace(DISK, filesystem="tmpfs", swap=True), RootClass.R5, Claim.UNPROVEN, "medium_memory"),
]


@pytest.mark.parametrize(("signs", "root_class", "claim", "reason"), CASES)
def test_class_and_claim(signs: Signs, root_class: RootClass, claim: Claim, reason: str) -> None:
    medium = judge(signs)
    assert (medium.root_class, medium.claim, medium.reasons[0]) == (root_class, claim, reason)
    for lang in LANGS:
        assert say(reason, lang) != reason and say(claim, lang) != claim


def test_every_grade_has_words() -> None:
    for grade in Grade:
        assert all(say(grade, lang) != grade.value or lang == "en" for lang in LANGS)


def test_the_kernel_answers(tmp_path: Path) -> None:
    signs = signs_of(tmp_path)
    assert signs.filesystem and signs.magic
    assert medium_of(tmp_path).root_class in set(RootClass) - {RootClass.R1, RootClass.R2}


def _medium(claim: Claim) -> Medium:
    return Medium("ext4", RootClass.R4, claim, ("medium_in_place",))


@pytest.mark.req("R-126")
@pytest.mark.parametrize(
    ("claim", "grade"),
    [
        (Claim.CLEAR, Grade.ERASED_CLEAR),
        (Claim.MEMORY, Grade.ERASED_MEMORY),
        (Claim.UNPROVEN, Grade.OVERWRITTEN_UNPROVEN),
        (Claim.NONE, Grade.UNLINKED_ONLY),
    ],
)
def test_erase_is_graded_by_the_medium(tmp_path: Path, claim: Claim, grade: Grade) -> None:
    path = tmp_path / "paper"
    path.write_bytes(b"secret" * 300_000)
    with path.open("rb") as held:
        outcome = erase_file(path, medium=_medium(claim))
        assert os.fstat(held.fileno()).st_size == 0
    assert outcome.grade is grade and outcome.size == 1_800_000 and outcome.gone
    assert list(tmp_path.iterdir()) == []


def test_erase_overwrites_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel was asked to write covers every old byte before the file is cut."""
    path = tmp_path / "paper"
    path.write_bytes(b"secret" * 200_000)
    monkeypatch.setattr(erase.os, "ftruncate", lambda *_: None)
    with path.open("rb") as held:
        erase_file(path)
        image = held.read()
    assert len(image) == 1_200_000 and b"secret" not in image


def test_erase_links_folders_absent(tmp_path: Path) -> None:
    assert erase_file(tmp_path / "never").grade is Grade.ABSENT
    assert erase_file(tmp_path).grade is Grade.FAILED
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    link = tmp_path / "link"
    link.symlink_to(kept)
    assert erase_file(link).grade is Grade.UNLINKED_ONLY
    assert kept.read_bytes() == b"kept" and not link.is_symlink()
    twin = tmp_path / "twin"
    twin.hardlink_to(kept)
    assert erase_file(twin, medium=_medium(Claim.CLEAR)).grade is Grade.UNLINKED_ONLY
    assert kept.read_bytes() == b""


def test_erase_that_cannot_overwrite_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "paper"
    path.write_bytes(b"x" * 10)

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(erase.os, "pwrite", broken)
    assert erase_file(path, medium=_medium(Claim.CLEAR)).grade is Grade.UNLINKED_ONLY
    assert not path.exists()


# ---------------------------------------------------------------- scratch and discipline


@pytest.mark.req("R-126")
def test_scratch_is_private_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Scratch(scratch_place(tmp_path)) as scratch:
        assert scratch.path.stat().st_mode & 0o777 == 0o700
        path = scratch.write(b"plaintext", ".pdf")
        (scratch.path / "sub").mkdir()
        (scratch.path / "sub" / "page").write_bytes(b"plaintext")
        assert path.stat().st_mode & 0o777 == 0o600
        raise ZeroDivisionError
    assert not scratch.path.exists()
    assert [outcome.gone for outcome in scratch.outcomes] == [True, True]
    scratch.close()


def test_scratch_falls_back_to_the_home(tmp_path: Path) -> None:
    place = scratch_place(tmp_path, need_bytes=1 << 60)
    assert place.base == tmp_path / "scratch" and place.base.stat().st_mode & 0o777 == 0o700


def test_leftovers_of_killed_runs_are_swept_and_living_ones_not(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from jiyao.vault.scratch import Scratch, scratch_place\n"
        "s = Scratch(scratch_place(Path(sys.argv[1])))\n"
        "s.write(b'plaintext'); print(s.path, flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    left = Path(child.stdout.readline().strip())
    place = scratch_place(tmp_path)
    with Scratch(place) as living:
        assert sweep_scratch(place) == 0 and left.is_dir()
        child.kill()
        child.wait()
        for _ in range(50):
            if sweep_scratch(place, home=tmp_path):
                break
            time.sleep(0.02)
        assert not left.exists() and living.path.is_dir()


def test_harden() -> None:
    program = (
        "import resource, ctypes; from jiyao.vault.discipline import harden\n"
        "done = harden(); assert done.no_core and done.not_dumpable, done\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (1, 1)\n"
        "assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0\n"
        "bytearray(64 << 20)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_a_hardened_process_starts_leaves_no_core(tmp_path: Path) -> None:
    """A program started by it may be dumpable again; its limit is not."""
    program = (
        "import os; from jiyao.vault.discipline import harden\n"
        "harden(); os.execv('/bin/sh', ['sh', '-c', 'ulimit -c; kill -SEGV $$'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode == -11 and done.stdout.strip() in (b"0", b"1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "disk", "resume", "able"),
    [
        ("freeze mem disk", "[platform] shutdown", "8:2", True),
        ("freeze mem disk", "[disabled]", "8:2", False),
        ("freeze mem disk", "[platform]", "0:0", False),
        ("freeze mem", "[platform]", "8:2", False),
        (None, None, None, False),
    ],
)
def test_swap_and_hibernation(
    tmp_path: Path, state: str | None, disk: str | None, resume: str | None, able: bool
) -> None:
    for name, text in (("state", state), ("disk", disk), ("resume", resume)):
        if text is not None:
            (tmp_path / "sys/power").mkdir(parents=True, exist_ok=True)
            (tmp_path / "sys/power" / name).write_text(text + "\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/swaps").write_text("Filename\tType\tSize\n/dev/sda2 partition 1\n")
    assert resting(tmp_path).hibernates is able and resting(tmp_path).swap == ("/dev/sda2",)
    assert resting(tmp_path / "sys").swap == ()


def test_compressed_memory_is_no_disk(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/swaps").write_text("Filename\tType\n/dev/zram0 partition 1\n/dev/zram1 partition 1\n")
    for name, backing in (("zram0", "none"), ("zram1", "/dev/sda3")):
        (tmp_path / "sys/block" / name).mkdir(parents=True)
        (tmp_path / "sys/block" / name / "backing_dev").write_text(backing + "\n")
    assert resting(tmp_path).swap == ("/dev/zram1",)


def test_stacked_devices_are_asked_to_the_bottom(tmp_path: Path) -> None:
    """An encrypted volume on two disks: both are asked, the worst counts; a stick is known by its bus."""

    def disk(where: str, **values: str) -> Path:
        node = tmp_path / where
        (node / "queue").mkdir(parents=True)
        for name, value in values.items():
            target = node / name if name == "removable" else node / "queue" / name
            target.write_text(value + "\n")
        return node

    spinning = disk("pci/ata1/block/sda", rotational="1", discard_max_bytes="0", removable="0")
    flash = disk("pci/nvme0/nvme0n1", rotational="0", discard_max_bytes="2147450880", removable="0")
    stick = disk("pci/usb1/1-1/host6/block/sdb", rotational="1", discard_max_bytes="0", removable="0")
    guest = disk("pci/virtio1/block/vda", rotational="1", discard_max_bytes="0", removable="0")
    crypt = disk("virtual/block/dm-1", rotational="1", discard_max_bytes="0")
    (crypt / "slaves").mkdir()
    for below in (spinning, flash):
        (crypt / "slaves" / below.name).symlink_to(below)
    part = spinning / "sda1"
    part.mkdir()
    assert list(signs._bottom((crypt,))) == [flash, spinning] or list(signs._bottom((crypt,))) == [
        spinning,
        flash,
    ]
    assert list(signs._bottom((part,))) == [spinning]
    assert signs._all(tuple(signs._flag(one, "rotational") for one in signs._bottom((crypt,)))) is False
    assert signs._any(tuple(signs._flag(one, "discard_max_bytes") for one in signs._bottom((crypt,)))) is True
    assert (
        signs._flag(part, "rotational") is None
        and signs._all(()) is None
        and signs._any((False, None)) is None
    )
    assert signs._removable(stick) and not signs._removable(spinning)
    assert signs._virtual(guest) and not signs._virtual(stick) and signs._virtual(tmp_path / "loop3")


def test_doctor_tells_a_suite_that_cannot_be_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    station: Any = SimpleNamespace(settings=SimpleNamespace(suite="sm"))
    assert doctor_secrets.suite(station) == (True, "sm（aes、sm）", "")
    monkeypatch.setattr(doctor_secrets, "available", lambda suite: suite.name == "aes")
    assert doctor_secrets.suite(station) == (False, "sm（aes）", "doctor_fix_suite")


def test_a_program_started_gets_no_secret_and_a_private_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIYAO_PASSPHRASE", "secret words")
    monkeypatch.setenv("HOME", "/home/of/nobody")
    with outside_program() as environment:
        done = subprocess.run(["env"], env=environment, capture_output=True, text=True, check=True)
        place = Path(environment["TMPDIR"])
        assert place.stat().st_mode & 0o777 == 0o700 and environment["HOME"] == str(place)
        (place / "left").write_bytes(b"plaintext")
    assert "secret words" not in done.stdout and "JIYAO" not in done.stdout and not place.exists()
    with outside_program(own_home=True) as environment:
        assert environment["HOME"] == "/home/of/nobody"
