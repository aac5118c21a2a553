"""The vectors of docs/spec: the product and the second reader both read them, and refuse what must be
refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

import vault_reader
from jiyao.common.errors import JiyaoError
from jiyao.models.tables import Base
from jiyao.vault.blob import open_blob
from jiyao.vault.flat_store import open_table
from jiyao.vault.head import FLAT, Row
from jiyao.vault.kdf import stretch
from jiyao.vault.pkcs11_root import parse_record
from jiyao.vault.register import open_value
from jiyao.vault.root import RootFile
from jiyao.vault.tree import KeyTree
from jiyao.vault.tree_page import open_page
from jiyao.vault.tree_rekey import carried_now, sound
from tools import vault_vectors
from vault_reader import PageRow

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


@pytest.mark.parametrize("number", [0, 1, 2])
def test_token(number: int) -> None:
    """What the second reader reads with the token's key fits the product's record; a changed byte fits nothing."""
    vectors = load("vault_token.json")
    case, key, root = (
        vectors["cases"][number],
        bytes.fromhex(vectors["token_key"]),
        bytearray.fromhex(vectors["root"]),
    )
    whole = bytes.fromhex(case["value"])
    assert vault_reader.read_token(whole, key) == (7, bytes(root))
    record = parse_record(whole)
    assert record is not None and record.fits(root) and record.packed() == whole and record.epoch == 7
    assert record.store_uuid.hex() == vectors["uuid"] and not record.fits(bytearray(32))
    for at in case["torn_by_flipping"]:
        changed = vault_vectors.flip(whole, at)
        with pytest.raises(vault_reader.Unreadable):
            vault_reader.read_token(changed, key)
        read = parse_record(changed)
        assert read is None or not read.fits(root) or changed[98:] != whole[98:]


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


@pytest.fixture(params=["vault_key_tree.json", "vault_key_tree_sm.json"])
def grown(request: pytest.FixtureRequest) -> Grown:
    return Grown(load(request.param))


class Grown:
    """The tree of the vectors in a registry of its own."""

    def __init__(self, vectors: dict[str, Any]) -> None:
        self.vectors, self.root = vectors, bytearray.fromhex(vectors["root"])
        self.value = bytes.fromhex(vectors["value"])
        self.pages = [
            (int(page["place"], 16), page["epoch"], bytes.fromhex(page["sealed"]))
            for page in vectors["pages"]
        ]

    def opened(
        self, ask: Callable[[KeyTree], object], *, value: bytes | None = None, pages: list[PageRow] | None = None,
        passphrase: str | None = None,
    ) -> object:  # fmt: skip
        engine = create_engine("sqlite://")
        row = Row(self.vectors["epoch"], value or self.value)
        stretched = stretch(passphrase or self.vectors["passphrase"], salt=row.head.salt, cost=row.head.cost)
        with engine.begin() as connection:
            Base.metadata.create_all(connection, tables=[Base.metadata.tables["key_pages"]])
            for page in self.pages if pages is None else pages:
                connection.exec_driver_sql("INSERT INTO key_pages VALUES (?, ?, ?)", page)
            tree = KeyTree(connection, row, root=self.root, stretched=stretched)
            try:
                return ask(tree)
            finally:
                tree.wipe()

    def keys(self, tree: KeyTree) -> dict[str, str]:
        return {slot: (tree.key(bytes.fromhex(slot)) or b"").hex() for slot in self.vectors["keys"]}


def refused(code: str, ask: Callable[[], object]) -> None:
    with pytest.raises(JiyaoError) as caught:
        ask()
    assert caught.value.code == code


def test_key_tree(grown: Grown) -> None:
    vectors = grown.vectors
    assert grown.opened(grown.keys) == vectors["keys"]
    read = vault_reader.read_key_tree(grown.value, grown.pages, bytes(grown.root), vectors["passphrase"])
    assert {slot.hex(): key.hex() for slot, key in read} == vectors["keys"]
    assert grown.opened(lambda tree: (carried_now(tree).carried.hex(), sound(tree))) == (
        vectors["carried"],
        True,
    )
    for name, slot in vectors["destroyed"].items():
        assert grown.opened(lambda tree, slot=slot: tree.key(bytes.fromhex(slot))) is None, name
    refused(
        "key_store_altered",
        lambda: grown.opened(lambda tree: tree.key(bytes.fromhex(vectors["missing_leaf"]))),
    )
    refused("wrong_passphrase", lambda: grown.opened(grown.keys, passphrase="x"))


def test_key_tree_altered(grown: Grown) -> None:
    for at in grown.vectors["value_refused_by_flipping"]:
        value = vault_vectors.flip(grown.value, at)
        with pytest.raises(JiyaoError) as caught:
            grown.opened(grown.keys, value=value)
        assert caught.value.code in {"key_store_altered", "suite_byte_unknown"}, at
        with pytest.raises(vault_reader.Unreadable):
            vault_reader.read_key_tree(value, grown.pages, bytes(grown.root), grown.vectors["passphrase"])
    for number, (place, epoch, sealed) in enumerate(grown.pages):
        others = grown.pages[:number] + grown.pages[number + 1 :]
        changed = [vault_vectors.flip(sealed, at) for at in grown.vectors["page_refused_by_flipping"]]
        changed += [sealed[:-1], sealed + b"\0", others[0][2]]
        rows = [[*others, (place, epoch, bad)] for bad in changed]
        rows += [[*others, (place, epoch + 1, sealed)], others]
        for pages in rows:
            refused("key_store_altered", lambda pages=pages: grown.opened(grown.keys, pages=pages))
            read = vault_reader.read_key_tree(
                grown.value, pages, bytes(grown.root), grown.vectors["passphrase"]
            )
            assert len(read) < len(grown.vectors["keys"])


def test_key_tree_carried(grown: Grown) -> None:
    """A leaf that lost or changed a key, rightly sealed: only the check notices."""
    (place, epoch, sealed), (above, _, above_sealed) = grown.pages[1], grown.pages[2]

    def again(tree: KeyTree, index: int) -> bytes:
        parent = open_page(above_sealed, tree.head, place=above, epoch=epoch, key=tree.top.branches[1].key)
        leaf = open_page(sealed, tree.head, place=place, epoch=epoch, key=parent.entry(2) or bytearray())
        leaf.put(index, bytes(32))
        return leaf.sealed(tree.head)

    for index in grown.vectors["carried_refused_by_flipping_entry"]:
        worse = grown.opened(lambda tree, index=index: again(tree, index))
        assert isinstance(worse, bytes)
        pages = [grown.pages[0], (place, epoch, worse), grown.pages[2]]
        assert grown.opened(sound, pages=pages) is False


def test_key_store() -> None:
    vectors = load("vault_key_store.json")
    root = bytearray.fromhex(vectors["root"])

    def open_value(sealed: bytes, passphrase: str) -> dict[str, str]:
        row = Row(vectors["epoch"], sealed, FLAT)
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
