"""Passphrase, passwords, key store value and register fields: wrong, altered and right are three answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vault_reader
from jiyao.common.errors import Broken, Refused, UsageFault, WrongSecret
from jiyao.pipeline.station.registry import reading, writing
from jiyao.vault import kdf
from jiyao.vault.af import af_merge, af_split
from jiyao.vault.flat_store import KeyTable
from jiyao.vault.head import Row
from jiyao.vault.keystore import REGISTRY_SLOT, open_top
from jiyao.vault.root import RootFile
from jiyao.vault.suite import AES, suite_named, suite_of
from jiyao.vault.vault import create_vault
from vault_kit import PASSPHRASE, UUID, Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, mirrors=0)


# ---------------------------------------------------------------- setting up


def _create(room: Room, **changes: object) -> None:
    values: dict[str, object] = {
        "blobs": room.blobs,
        "roots": room.roots,
        "store_uuid": UUID,
        "passphrase": PASSPHRASE,
        "suite": "aes",
        "kdf": "test",
        **changes,
    }
    with writing(room.engine) as session:
        create_vault(session, **values)  # type: ignore[arg-type]


def test_root_inside_home_is_refused(room: Room, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(room.home)
    for inside in (room.home, room.home / "root", room.blobs / "root", link / "root"):
        with pytest.raises(Refused, match="root_inside_home"):
            _create(room, roots=[inside])
    assert not list(room.home.rglob("root.jyr"))


def test_never_initialised_twice(room: Room, tmp_path: Path) -> None:
    _create(room)
    image = RootFile(room.roots[0]).path.read_bytes()
    with pytest.raises(Refused, match="key_store_exists"):
        _create(room, roots=[tmp_path / "other"])
    other = Room(tmp_path / "second", mirrors=0)
    with pytest.raises(Refused, match="root_exists"):
        _create(other, roots=[tmp_path / "third", room.roots[0]])
    assert RootFile(room.roots[0]).path.read_bytes() == image
    assert not (tmp_path / "third" / "root.jyr").exists()
    with pytest.raises(Refused, match="root_same"):
        _create(other, roots=[tmp_path / "third", tmp_path / "second" / ".." / "third"])


def test_suites_and_profiles(room: Room) -> None:
    with pytest.raises(UsageFault, match="suite_unknown"):
        suite_named("rot13")
    with pytest.raises(Broken, match="suite_byte_unknown"):
        suite_of(9)
    with pytest.raises(UsageFault, match="kdf_unknown"):
        _create(room, kdf="fast")
    _create(room)
    vault = room.open()
    assert vault.kdf_cost.weak and not kdf.PROFILES["normal"].weak
    assert kdf.PROFILES["normal"] == kdf.KdfCost(memory_kib=262144, iterations=3, lanes=4)


# ---------------------------------------------------------------- the value in the registry


def test_wrong_passphrase_is_not_tampering(room: Room) -> None:
    vault = room.create()
    room.put(vault, b"x")
    for wrong in ("", PASSPHRASE + " ", "口令"):
        with pytest.raises(WrongSecret, match="wrong_passphrase"):
            room.open(wrong)
    full_width = PASSPHRASE.replace("correct", "ｃｏｒｒｅｃｔ")
    assert room.open(full_width).epoch == 1


@pytest.mark.req("R-139")
def test_every_byte_of_the_value_is_covered(room: Room) -> None:
    room.put(room.create(), b"x")
    epoch, sealed = room.sealed_value()
    value, kept = bytearray(sealed), Row(epoch, sealed)
    root = RootFile(room.roots[0]).load(epoch)
    assert root is not None
    stretched = kdf.stretch(PASSPHRASE, salt=kept.head.salt, cost=kept.head.cost)
    assert open_top(kept, root=root, stretched=stretched).branches
    for at in range(len(value)):
        value[at] ^= 1
        with pytest.raises(Broken) as caught:
            open_top(Row(epoch, bytes(value)), root=root, stretched=stretched)
        assert caught.value.code in {"key_store_altered", "suite_byte_unknown"}, at
        if at in (0, 8, 15, 20, 48, 76, 92, 124, len(value) - 1):
            room.set_sealed(epoch, bytes(value))
            with pytest.raises(Broken) as caught:
                room.open()
            assert caught.value.code in {"key_store_altered", "suite_byte_unknown", "root_foreign"}, at
        value[at] ^= 1
    for changed in (sealed[:-1], sealed + b"\0", sealed[:100], b""):
        room.set_sealed(epoch, changed)
        with pytest.raises(Broken, match="key_store_altered"):
            room.open()
    room.set_sealed(epoch + 1, sealed)
    with pytest.raises(Broken, match="key_store_altered"):
        room.open()
    room.set_sealed(epoch, sealed)
    assert room.open().epoch == epoch
    with writing(room.engine) as session:
        session.connection().exec_driver_sql("DELETE FROM key_store")
    with pytest.raises(Broken, match="key_store_missing"):
        room.open()


def test_the_second_reader_agrees(room: Room) -> None:
    vault = room.create()
    slot, path = room.put(vault, b"sealed text")
    room.destroy(vault, [room.put(vault, b"gone")[0]])
    epoch, sealed = room.sealed_value()
    roots = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes())
    assert list(roots) == [epoch] == [2]
    keys = dict(vault_reader.read_key_tree(sealed, room.pages(), roots[2], PASSPHRASE))
    assert set(keys) == {REGISTRY_SLOT, bytes.fromhex(slot)}
    key = keys[bytes.fromhex(slot)]
    assert vault_reader.read_blob((room.blobs / path).read_bytes(), key) == b"sealed text"


@settings(max_examples=40)
@given(st.sets(st.binary(min_size=16, max_size=16), max_size=30), st.data())
def test_law_of_the_table(slots: set[bytes], data: st.DataObject) -> None:
    """Adding and taking away leaves every other key as it was; the order of adding does not matter."""
    slots.discard(REGISTRY_SLOT)
    keys = {slot: bytearray(os.urandom(32)) for slot in slots}
    table = KeyTable.of({REGISTRY_SLOT: bytes(32)})
    table.add(keys)
    assert table.plain() == KeyTable.of({REGISTRY_SLOT: bytes(32), **keys}).plain()
    gone = data.draw(st.sets(st.sampled_from(sorted(slots)))) if slots else set()
    rest = table.without(gone)
    assert set(rest) == (slots - gone) | {REGISTRY_SLOT}
    for slot in slots:
        assert rest.key(slot) == (None if slot in gone else keys[slot])
    assert rest.sound() and table.sound()
    if slots - gone:
        victim = sorted(slots - gone)[0]
        lossy = rest.without([victim])
        lossy.carried = rest.carried
        assert not lossy.sound()


# ---------------------------------------------------------------- stripes


@settings(max_examples=10)
@given(st.binary(min_size=32, max_size=32))
def test_stripes_merge_and_one_flipped_bit_kills(key: bytes) -> None:
    material = af_split(key, stripes=50)
    assert len(material) == 1600 and af_merge(material, stripes=50) == key
    for at in (0, 799, 1599):
        material[at] ^= 1
        assert af_merge(material, stripes=50) != key
        material[at] ^= 1


# ---------------------------------------------------------------- passwords


@pytest.mark.req("R-132")
def test_passwords() -> None:
    encoded = kdf.hash_password("密码 Pass", profile="test")
    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert kdf.verify_password("密码 Pass", encoded)
    assert kdf.verify_password("密码 Ｐａｓｓ", encoded)
    assert not kdf.verify_password("密码 pass", encoded)
    assert kdf.hash_password("密码 Pass", profile="test") != encoded
    for record in (
        "",
        "plain",
        encoded[:-4] + "$$$$",
        encoded.replace("argon2id", "argon2i"),
        encoded + "\n",
    ):
        with pytest.raises(Broken, match="password_record"):
            kdf.verify_password("x", record)
    with pytest.raises(Broken, match="kdf_cost"):
        kdf.verify_password("x", encoded.replace("m=64", "m=4294967295"))


def test_a_persons_wrapped_key() -> None:
    wrapped = kdf.wrap_for_person(b"signing key", password="p", user="li", suite=AES, profile="test")
    assert kdf.unwrap_for_person(wrapped, password="p", user="li") == b"signing key"
    for password, user in (("q", "li"), ("p", "wang")):
        with pytest.raises(WrongSecret, match="wrong_password"):
            kdf.unwrap_for_person(wrapped, password=password, user=user)
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 0x80
        with pytest.raises((Broken, WrongSecret)):
            kdf.unwrap_for_person(bytes(changed), password="p", user="li")


# ---------------------------------------------------------------- the registry key


def test_register_fields(room: Room) -> None:
    vault = room.create()
    with reading(room.engine) as session:
        sealed = vault.seal_register(session, b"title", "document", bind=b"D-1")
        assert vault.open_register(session, sealed, "document", bind=b"D-1") == b"title"
        for purpose, bind in (("person", b"D-1"), ("document", b"D-2"), ("documentD", b"-1")):
            with pytest.raises(Broken, match="register_altered"):
                vault.open_register(session, sealed, purpose, bind=bind)
        for at in range(len(sealed)):
            changed = bytearray(sealed)
            changed[at] ^= 1
            with pytest.raises(Broken, match="register_altered"):
                vault.open_register(session, bytes(changed), "document", bind=b"D-1")


def test_registry_key_survives_and_sets_purposes_apart(room: Room) -> None:
    vault = room.create()
    with reading(room.engine) as session:
        sealed = vault.seal_register(session, b"title", "document")
        mark, tag = vault.derive(session, "mark"), vault.keyed_hash(session, "duplicate", b"bytes")
    room.destroy(vault, [room.put(vault, b"x")[0]])
    again = room.open()
    with reading(room.engine) as session:
        assert again.open_register(session, sealed, "document") == b"title"
        assert again.derive(session, "mark") == mark and len(mark) == 32
        assert again.keyed_hash(session, "duplicate", b"bytes") == tag and len(tag) == 32
        others = {again.derive(session, "x"), again.keyed_hash(session, "mark", b""), mark, tag}
        assert len(others) == 4
