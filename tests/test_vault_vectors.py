"""The vectors of docs/spec: the product and the second reader both read them, and refuse what must be
refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vault_reader
from jiyao.common.errors import JiyaoError
from jiyao.vault.blob import open_blob
from jiyao.vault.kdf import stretch
from jiyao.vault.keystore import Row, open_table
from jiyao.vault.root import RootFile
from tools import vault_vectors

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return value


def test_vectors_are_those_of_the_maker() -> None:
    for name, text in vault_vectors.files().items():
        assert (FOLDER / name).read_text("utf-8") == text, name


@pytest.mark.parametrize("case", load("vault_blob.json")["cases"], ids=lambda case: case["name"])
def test_blob(case: dict[str, str]) -> None:
    vectors = load("vault_blob.json")
    sealed, key = bytes.fromhex(case["sealed"]), bytes.fromhex(case.get("key", vectors["key"]))
    slot = bytes.fromhex(vectors["slot"])
    if "refused" in case:
        with pytest.raises(JiyaoError) as caught:
            open_blob(sealed, key=key, slot=slot, name="x")
        assert caught.value.code == case["refused"]
        with pytest.raises(vault_reader.Unreadable):
            vault_reader.read_blob(sealed, key)
    else:
        assert open_blob(sealed, key=key, slot=slot, name="x").hex() == case["plain"]
        assert vault_reader.read_blob(sealed, key).hex() == case["plain"]


def test_root(tmp_path: Path) -> None:
    vectors = load("vault_root.json")
    stripes = vault_vectors.stream("stripes", 127968) + bytes.fromhex(vectors["last_stripe"])
    slot = bytearray(bytes.fromhex(vectors["head"]) + stripes + bytes(3003))
    file = RootFile(tmp_path)
    file.path.write_bytes(slot + bytes(131072))
    key = file.load(7)
    assert key is not None and key.hex() == vectors["key"]
    assert vault_reader.read_root(file.path.read_bytes()) == {7: bytes(key)}
    view = file.view(0)
    assert (view.state, view.epoch, view.store_uuid.hex()) == ("held", 7, vectors["uuid"])
    assert file.view(1).state == "empty"
    for at in vectors["torn_by_flipping"]:
        slot[at] ^= 1
        file.path.write_bytes(slot + bytes(131072))
        assert file.view(0).state == "torn", at
        assert vault_reader.read_root(file.path.read_bytes()) == {}
        slot[at] ^= 1


def test_key_store() -> None:
    vectors = load("vault_key_store.json")
    root = bytearray.fromhex(vectors["root"])

    def open_value(sealed: bytes, passphrase: str) -> dict[str, str]:
        row = Row(vectors["epoch"], sealed)
        stretched = stretch(passphrase, salt=row.head.salt, cost=row.head.cost)
        table = open_table(row, root=root, stretched=stretched)
        return {slot.hex(): (table.key(slot) or b"").hex() for slot in table}

    assert open_value(bytes.fromhex(vectors["sealed"]), vectors["passphrase"]) == vectors["keys"]
    read = vault_reader.read_key_store(bytes.fromhex(vectors["sealed"]), bytes(root), vectors["passphrase"])
    assert {slot.hex(): key.hex() for slot, key in read.items()} == vectors["keys"]
    for case in vectors["refused"]:
        passphrase = case.get("passphrase", vectors["passphrase"])
        with pytest.raises(JiyaoError) as caught:
            open_value(bytes.fromhex(case["sealed"]), passphrase)
        expected = (
            {case["refused"], "kdf_cost"}
            if case["name"] in ("byte 36", "byte 40", "byte 44")
            else {case["refused"]}
        )
        assert caught.value.code in expected, case["name"]
        with pytest.raises((vault_reader.Unreadable, MemoryError, ValueError)):
            vault_reader.read_key_store(bytes.fromhex(case["sealed"]), bytes(root), passphrase)
