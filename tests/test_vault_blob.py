"""Sealed files: whole and unchanged, or an error that names the file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import vault_reader
from jiyao.common.errors import Broken, MissingTool, NotThere, Unexpected
from jiyao.pipeline.station.registry import reading, writing
from jiyao.vault import blob
from jiyao.vault.suite import AES
from vault_kit import Room

KEY, SLOT = bytes(range(32)), bytes(range(100, 116))
CHUNK = blob.CHUNK


def seal(data: bytes, *, key: bytes = KEY, kind: str = "original") -> bytes:
    return b"".join(blob.seal_blob(data, key=key, suite=AES, slot=SLOT, kind=kind))


def unseal(sealed: bytes, *, key: bytes = KEY, slot: bytes = SLOT, kind: str | None = None) -> bytes:
    return blob.open_blob(sealed, key=key, slot=slot, name="area/x", kind=kind)


SIZES = [0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 16, 2 * CHUNK, 3 * CHUNK + 5]


@pytest.mark.req("R-142")
@pytest.mark.parametrize("size", SIZES)
def test_round_trip_and_second_reader(size: int) -> None:
    data = os.urandom(size)
    sealed = seal(data)
    assert unseal(sealed) == data
    assert vault_reader.read_blob(sealed, KEY) == data
    chunks = max(1, -(-size // CHUNK))
    assert len(sealed) == 64 + 16 + size + 16 * chunks


@settings(max_examples=30)
@given(st.binary(max_size=2000))
@example(blob.MAGIC)
def test_law_round_trip(data: bytes) -> None:
    sealed = seal(data)
    assert unseal(sealed) == data
    # the head in clear holds the same magic, kind and slot for every content
    assert len(data) < 8 or data not in sealed[blob.HEAD_BYTES :]


def test_two_sealings_share_nothing() -> None:
    assert seal(b"same")[80:] != seal(b"same")[80:]


@pytest.mark.req("R-139")
def test_every_head_byte_is_covered() -> None:
    sealed = bytearray(seal(b"text of the paper"))
    for at in range(80):
        for bit in (1, 0x80):
            sealed[at] ^= bit
            with pytest.raises(Broken, match=r"blob_altered|blob_foreign|blob_wrong_key") as caught:
                unseal(bytes(sealed))
            assert caught.value.facts["blob"] == "area/x"
            sealed[at] ^= bit


def test_key_commitment_tells_wrong_key_from_tampering() -> None:
    sealed = bytearray(seal(b"text"))
    with pytest.raises(Broken, match="blob_wrong_key"):
        unseal(bytes(sealed), key=os.urandom(32))
    for at in (*range(64, 80), 80, len(sealed) - 1):
        sealed[at] ^= 4
        with pytest.raises(Broken, match="blob_altered"):
            unseal(bytes(sealed))
        sealed[at] ^= 4
    with pytest.raises(Broken, match="blob_foreign"):
        unseal(bytes(sealed), slot=bytes(16))
    with pytest.raises(Broken, match="blob_foreign"):
        unseal(bytes(sealed), kind="transcript")


BODY, PIECE = 80, CHUNK + 16


def _tampered(sealed: bytes) -> dict[str, bytes]:
    head, first = sealed[:BODY], sealed[BODY : BODY + PIECE]
    second, last = sealed[BODY + PIECE : BODY + 2 * PIECE], sealed[BODY + 2 * PIECE :]
    return {
        "swapped": head + second + first + last,
        "first dropped": head + second + last,
        "middle dropped": head + first + last,
        "cut at a border": head + first + second,
        "cut to one": head + first,
        "cut inside": sealed[:-1],
        "cut to a tag": sealed[: BODY + 2 * PIECE + 16],
        "cut below a tag": sealed[: BODY + 2 * PIECE + 5],
        "no body": head,
        "half a head": sealed[:40],
        "empty": b"",
        "doubled": head + first + first + second + last,
        "last doubled": sealed + last,
        "appended byte": sealed + b"\0",
        "appended tag": sealed + bytes(16),
        "appended chunk": sealed + bytes(PIECE),
        "two files": sealed + sealed,
    }


@pytest.mark.req("R-139")
def test_structure_is_covered() -> None:
    sealed = seal(os.urandom(2 * CHUNK + 777))
    for name, changed in _tampered(sealed).items():
        with pytest.raises(Broken, match="blob_altered"):
            print(name, unseal(changed)[:0])
        with pytest.raises(vault_reader.Unreadable):
            print(name, vault_reader.read_blob(changed, KEY)[:0])


@settings(max_examples=80)
@given(st.integers(0, 2 * CHUNK + 777 + 3 * 16 - 1), st.integers(1, 255))
def test_any_chunk_byte_is_covered(at: int, change: int) -> None:
    sealed = bytearray(_BIG)
    sealed[BODY + at] ^= change
    with pytest.raises(Broken, match="blob_altered"):
        unseal(bytes(sealed))


_BIG = seal(bytes(2 * CHUNK + 777))


# ---------------------------------------------------------------- files in the area


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, mirrors=0)


@pytest.mark.req("R-144")
def test_files_lie_in_their_area_under_names_that_say_nothing(room: Room) -> None:
    vault = room.create()
    slot, path = room.put(vault, "绝密事项".encode())
    area, folder, name = path.split("/")
    assert area == "company" and len(name) == 36 and name.startswith(folder)
    file = room.blobs / path
    assert file.stat().st_mode & 0o777 == 0o600
    assert "绝密事项".encode() not in file.read_bytes()
    with writing(room.engine) as session:
        ref = vault.put(session, slot, "transcript", b"text", area="state")
        assert ref.path.startswith("state/") and ref.size == (room.blobs / ref.path).stat().st_size
        assert vault.get(session, slot, ref.path, kind="transcript") == b"text"
        with pytest.raises(Broken, match="blob_foreign"):
            vault.get(session, slot, ref.path, kind="original")


def test_swapped_files_are_noticed(room: Room) -> None:
    vault = room.create()
    one, two = room.put(vault, b"one"), room.put(vault, b"two")
    (room.blobs / one[1]).write_bytes((room.blobs / two[1]).read_bytes())
    with pytest.raises(Broken, match="blob_foreign") as caught:
        room.get(vault, *one)
    assert caught.value.facts["blob"] == one[1]


def test_missing_file_and_strange_names(room: Room) -> None:
    vault = room.create()
    slot, path = room.put(vault, b"x")
    (room.blobs / path).unlink()
    with pytest.raises(NotThere, match="blob_missing"):
        room.get(vault, slot, path)
    for name in ("../registry.db", "/etc/passwd", "company/../x", path + "x", ""):
        with pytest.raises(Broken, match="blob_path"):
            room.get(vault, slot, name)
    with writing(room.engine) as session:
        for area in ("", "../x", "A", "a/b", "x" * 33):
            with pytest.raises(Unexpected, match="blob_area"):
                vault.put(session, slot, "original", b"x", area=area)
        with pytest.raises(Unexpected, match="blob_kind"):
            vault.put(session, slot, "novel", b"x", area="a")


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_full_disk_leaves_nothing(room: Room, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    vault = room.create()

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with writing(room.engine) as session:
        slot = vault.new_slot(session)
        with monkeypatch.context() as patch:
            patch.setattr(*((Path, "rename", full) if call == "rename" else (blob.os, call, full)))
            with pytest.raises(MissingTool, match="disk_full"):
                vault.put(session, slot, "original", b"x" * 10, area="company")
    assert [
        path for path in room.blobs.rglob("*") if path.is_file() and not path.name.startswith(".vault")
    ] == []


def test_sweep_takes_orphans_only_and_only_alone(room: Room) -> None:
    vault = room.create()
    kept = room.put(vault, b"kept")
    orphan = room.put(vault, b"its transaction never ended")
    (room.blobs / kept[1]).with_name(".new-0123").write_bytes(b"half")
    (room.blobs / "readme.txt").write_bytes(b"not ours")
    other = room.open()
    with other.lease():
        assert vault.sweep(lambda: {kept[1]}) == ()
    assert vault.sweep({kept[1]}) == (), "a set may be out of date: young files stay"
    swept = vault.sweep(lambda: {kept[1]})
    assert set(swept) == {orphan[1], str(Path(kept[1]).with_name(".new-0123"))}
    assert room.get(vault, *kept) == b"kept" and (room.blobs / "readme.txt").exists()


def test_rolled_back_transaction_leaves_no_slot(room: Room) -> None:
    vault = room.create()
    with pytest.raises(ZeroDivisionError), writing(room.engine) as session:
        slot = vault.new_slot(session)
        raise ZeroDivisionError
    with reading(room.engine) as session:
        assert not vault.has_slot(session, slot)
    with vault.rotating(wait=0.0):
        pass
