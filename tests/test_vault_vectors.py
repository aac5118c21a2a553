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
from jiyao.vault.register import open_value
from jiyao.vault.root import RootFile
from tools import vault_vectors

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return value


def test_vectors_are_those_of_the_maker() -> None:
    for name, text in vault_vectors.files().items():
        assert (FOLDER / name).read_text("utf-8") == text, name


BLOBS = [load(name) for name in ("vault_blob.json", "vault_blob_sm.json")]


@pytest.mark.parametrize(
    ("vectors", "case"),
    [
        pytest.param(vectors, case, id=f"{vectors['suite']}-{case['name']}")
        for vectors in BLOBS
        for case in vectors["cases"]
    ],
)
def test_blob(vectors: dict[str, Any], case: dict[str, str]) -> None:
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


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_register_field(suite: str) -> None:
    vectors = load("vault_register.json")
    registry, purpose, bind = (
        bytes.fromhex(vectors["registry"]), vectors["purpose"], bytes.fromhex(vectors["bind"])
    )  # fmt: skip
    sealed = bytes.fromhex(vectors[suite]["sealed"])
    assert open_value(sealed, registry=registry, purpose=purpose, bind=bind).hex() == vectors[suite]["plain"]
    read = vault_reader.read_field(sealed, registry, purpose.encode(), bind)
    assert read.hex() == vectors[suite]["plain"]
    for name, changed in vectors[suite]["refused"].items():
        with pytest.raises(JiyaoError) as caught:
            open_value(bytes.fromhex(changed), registry=registry, purpose=purpose, bind=bind)
        assert caught.value.code == "register_altered", name
        with pytest.raises(vault_reader.Unreadable):
            vault_reader.read_field(bytes.fromhex(changed), registry, purpose.encode(), bind)


@pytest.mark.parametrize("name", ["vault_root.json", "vault_root_sm.json"])
def test_root(name: str, tmp_path: Path) -> None:
    vectors = load(name)
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
