"""Erasing on real file systems: written, erased by the product, unmounted, and the raw image searched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from disk_kit import BLOCKS, Disk, blocks
from jiyao.vault import measured
from jiyao.vault.erase import Grade, erase_file
from jiyao.vault.medium import Claim, judge, medium_of, variant_of
from jiyao.vault.root import RootFile
from jiyao.vault.signs import signs_of

KINDS = [
    ("ext2", "", "ext2"),
    ("ext3", "", "ext3"),
    ("ext4", "", "ext4"),
    ("ext4", "data=journal", "ext4 data=journal"),
    ("xfs", "", "xfs"),
    ("btrfs", "", "btrfs"),
    ("btrfs", "nocow", "btrfs nocow"),
]
_HEAD_BYTES = 69


def _folder(top: Path, variant: str) -> Path:
    folder = top / "folder"
    folder.mkdir(mode=0o700)
    if variant == "btrfs nocow":
        subprocess.run(["chattr", "+C", str(folder)], check=True)
    return folder


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@pytest.mark.req("R-125", "R-126")
@pytest.mark.parametrize(("kind", "option", "variant"), KINDS, ids=[case[2] for case in KINDS])
def test_the_measured_table_holds(tmp_path: Path, kind: str, option: str, variant: str) -> None:
    """One removed file, one erased, one root wiped: what the raw image shows is what the table says."""
    disk = Disk(tmp_path / "image", kind, "" if option == "nocow" else option)
    disk.make()
    removed, removed_marks = blocks()
    erased, erased_marks = blocks()
    with disk.mounted() as top:
        folder = _folder(top, variant)
        _write(folder / "removed", removed)
        _write(folder / "erased", erased)
        signs = signs_of(folder / "erased")
        root = RootFile(folder)
        root.create()
        root.write(0, epoch=1, suite_id=1, store_uuid=bytes(16), key=bytearray(os.urandom(32)))
        image = root.path.read_bytes()
    stripes = [image[_HEAD_BYTES + 32 * number :][:32] for number in range(0, 4000, 40)]
    assert len(disk.found(removed_marks + erased_marks)) == 2 * BLOCKS and len(disk.found(stripes)) == 100
    assert variant_of(signs) == variant and judge(signs).claim is not Claim.CLEAR
    with disk.mounted() as top:
        folder = top / "folder"
        (folder / "removed").unlink()
        outcome = erase_file(folder / "erased")
        RootFile(folder).wipe(0)
    reached = measured.reaches_blocks(variant)
    left = disk.found(erased_marks)
    assert len(disk.found(removed_marks)) == BLOCKS
    assert (not left) if reached else left
    assert bool(disk.found(stripes)) is not reached
    assert outcome.grade is (Grade.OVERWRITTEN_UNPROVEN if reached else Grade.UNLINKED_ONLY)


def test_a_journal_set_by_default_is_seen(tmp_path: Path) -> None:
    """data=journal can stand in the file system itself, and is then no option of the mount."""
    disk = Disk(tmp_path / "image", "ext4")
    disk.make()
    subprocess.run(["tune2fs", "-o", "journal_data", str(disk.image)], check=True, capture_output=True)
    with disk.mounted() as top:
        folder = _folder(top, "ext4")
        _write(folder / "one", b"x")
        assert signs_of(folder / "one").data_journal
        assert medium_of(folder / "one").reasons == ("medium_data_journal",)


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_shared_blocks_are_seen(tmp_path: Path, kind: str) -> None:
    """A reflinked twin keeps the old blocks: the overwrite of the other is worth nothing, and says so."""
    disk = Disk(tmp_path / "image", kind)
    disk.make()
    data, marks = blocks()
    with disk.mounted() as top:
        folder = _folder(top, "btrfs nocow" if kind == "btrfs" else kind)
        _write(folder / "one", data)
        assert not signs_of(folder / "one").shared
        subprocess.run(["cp", "--reflink=always", folder / "one", folder / "two"], check=True)
        os.sync()
        assert signs_of(folder / "one").shared
        assert medium_of(folder / "one").reasons == ("medium_shared",)
        assert erase_file(folder / "one").grade is Grade.UNLINKED_ONLY
        (folder / "two").unlink()
    assert len(disk.found(marks)) == BLOCKS


def test_the_table_is_whole() -> None:
    acts = {"unlink", "overwrite", "overwrite_3", "shred", "punch", "trim", "replace"}
    for row in measured.MEASURED:
        assert set(row.left) == acts and all(0 <= left <= measured.BLOCKS for left in row.left.values())
        assert row.left["unlink"] == row.left["punch"] == row.left["replace"] == measured.BLOCKS
    assert not measured.reaches_blocks("zfs")
