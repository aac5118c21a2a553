"""The cipher suites: published values, one interface, and a station of each from its first key to its last."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InternalError, InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

import vault_reader
from jiyao.common.errors import Broken, MissingTool
from jiyao.pipeline.station.registry import reading
from jiyao.vault import kdf, sm, suite
from jiyao.vault.blob import key_commits, open_blob, seal_blob
from jiyao.vault.head import Row, StoreHead
from jiyao.vault.keystore import Branch, Top, open_top, seal_top
from jiyao.vault.root import SLOT_BYTES, RootFile
from jiyao.vault.suite import AES, SM, SUITES, Suite, suite_named, suite_of
from vault_kit import PASSPHRASE, Room

SUITE_AT = 16
"""Offset of the suite's byte in a slot's head: after magic and epoch."""
each_suite = pytest.mark.parametrize("chosen", SUITES, ids=lambda chosen: chosen.name)


def test_published_values() -> None:
    """RFC 8998 appendix A.1 (SM4-GCM) and GB/T 32905 (SM3), as the second reader computes them as well."""
    assert sm.probe()
    assert sm.sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    key = bytes(range(32))
    sealed = SM.aead(key).encrypt(b"n" * 12, "正文".encode(), b"head")
    assert vault_reader.decrypt(2, key, b"n" * 12, sealed, b"head") == "正文".encode()
    assert SM.digest(b"x") == vault_reader.digest(2, b"x") != AES.digest(b"x")


@each_suite
@settings(max_examples=25)
@given(data=st.binary(max_size=70), head=st.one_of(st.none(), st.binary(max_size=20)), at=st.integers(0))
def test_law_of_the_cipher(chosen: Suite, data: bytes, head: bytes | None, at: int) -> None:
    key, nonce = os.urandom(32), os.urandom(12)
    cipher = chosen.aead(key)
    sealed = cipher.encrypt(nonce, memoryview(data), head)
    assert len(sealed) == len(data) + 16 and cipher.decrypt(nonce, sealed, head) == data
    room = bytearray(len(data))
    assert cipher.decrypt_into(nonce, memoryview(sealed), head, room) == len(data) and room == data
    if data:
        with pytest.raises(ValueError):
            cipher.decrypt_into(nonce, sealed, head, bytearray(len(data) + 1))
    changed = bytearray(sealed)
    changed[at % len(sealed)] ^= 1
    for wrong in (bytes(changed), sealed[:-1], b""):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, wrong, head)
    room = bytearray(len(data))
    with pytest.raises(InvalidTag):
        cipher.decrypt_into(nonce, bytes(changed), head, room)
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, sealed, (head or b"") + b"x")
    with pytest.raises(InvalidTag):
        chosen.aead(os.urandom(32)).decrypt(nonce, sealed, head)


def test_derivations_differ_by_suite_and_purpose() -> None:
    key = bytes(32)
    values = {bytes(chosen.derive(key, info=info)) for chosen in SUITES for info in (b"a", b"b")}
    values |= {chosen.mac(key, b"a") for chosen in SUITES}
    assert len(values) == 6 and {len(value) for value in values} == {32}
    assert len(SM.derive(key, info=b"a", length=16)) == 16


def test_a_library_without_sm4(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, or wrong, is found before anything is sealed; what to do is said."""

    def absent(*_: object) -> bytes:
        raise InternalError("no such cipher", [])

    for broken in (absent, lambda *_: bytes(80)):
        monkeypatch.setattr(sm.Sm4Gcm, "encrypt", broken)
        suite.available.cache_clear()
        try:
            assert not suite.available(SM) and suite.available(AES)
            for ask in (lambda: suite_named("sm"), lambda: suite_of(SM.id)):
                with pytest.raises(MissingTool, match="suite_unavailable"):
                    ask()
        finally:
            suite.available.cache_clear()


# ---------------------------------------------------------------- formats


@each_suite
def test_the_suite_byte_is_bound(chosen: Suite) -> None:
    """A blob's suite cannot be changed; a wrong key and a changed suite are two answers."""
    key, slot = os.urandom(32), os.urandom(16)
    sealed = b"".join(seal_blob(b"text", key=key, suite=chosen, slot=slot, kind="original"))
    assert sealed[8] == chosen.id and key_commits(sealed, key=key, slot=slot)
    assert open_blob(sealed, key=key, slot=slot, name="x") == b"text"
    for number in (3 - chosen.id, 0, 3, 255):
        changed = sealed[:8] + bytes([number]) + sealed[9:]
        assert not key_commits(changed, key=key, slot=slot)
        with pytest.raises(Broken, match="blob_altered"):
            open_blob(changed, key=key, slot=slot, name="x")
    with pytest.raises(Broken, match="blob_wrong_key"):
        open_blob(sealed, key=os.urandom(32), slot=slot, name="x")


def test_a_persons_key_under_sm() -> None:
    wrapped = kdf.wrap_for_person(b"signing key", password="p", user="li", suite=SM, profile="test")
    assert wrapped[8] == SM.id
    assert kdf.unwrap_for_person(wrapped, password="p", user="li") == b"signing key"


def test_key_store_of_the_other_suite_is_refused() -> None:
    root, stretched = bytearray(os.urandom(32)), bytearray(os.urandom(32))
    head = StoreHead(SM, 1, bytes(16), kdf.PROFILES["test"], bytes(16))
    top = Top(bytearray(32), branches={0: Branch(1, bytearray(os.urandom(32)))})
    row = seal_top(top, head, root=root, stretched=stretched)
    assert open_top(row, root=root, stretched=stretched) == top
    for sealed_as, claimed in ((SM, b"\1"), (AES, b"\2")):
        row = seal_top(top, replace(head, suite=sealed_as), root=root, stretched=stretched)
        with pytest.raises(Broken, match="key_store_altered"):
            open_top(Row(1, row.sealed[:8] + claimed + row.sealed[9:]), root=root, stretched=stretched)


@pytest.mark.req("R-142")
def test_a_station_of_suite_sm(tmp_path: Path) -> None:
    """Put, read, destroy: the second reader opens survivors with SM3 and SM4 alone, and no destroyed one."""
    room = Room(tmp_path, suite="sm")
    vault = room.create()
    kept, gone = room.put(vault, "保留".encode()), room.put(vault, b"x" * 300_000)
    before = (room.blobs / gone[1]).read_bytes()
    with reading(room.engine) as session:
        field = vault.seal_register(session, b"title", "document", bind=b"D")
        assert field[1] == SM.id and vault.open_register(session, field, "document", bind=b"D") == b"title"
    assert room.destroy(vault, [gone[0]]).complete
    vault = room.open()
    assert room.get(vault, *kept).decode() == "保留"
    roots = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes())
    suites = {RootFile(folder).path.read_bytes()[SLOT_BYTES + SUITE_AT] for folder in room.roots}
    assert list(roots) == [2] and suites == {SM.id}
    keys = dict(vault_reader.read_key_tree(room.sealed_value()[1], room.pages(), roots[2], PASSPHRASE))
    assert bytes.fromhex(kept[0]) in keys and bytes.fromhex(gone[0]) not in keys
    sealed = (room.blobs / kept[1]).read_bytes()
    assert sealed[8] == SM.id
    assert vault_reader.read_blob(sealed, keys[bytes.fromhex(kept[0])]).decode() == "保留"
    with reading(room.engine) as session:
        assert vault.opened_by(session, before, slot=gone[0], name="gone") == ()
