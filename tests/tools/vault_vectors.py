"""Makes the test vectors of the sealed formats: `python tests/tools/vault_vectors.py` (fixed input, fixed
output)."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jiyao.vault import flat_store
from jiyao.vault.af import af_split
from jiyao.vault.blob import seal_blob
from jiyao.vault.head import StoreHead
from jiyao.vault.kdf import KdfCost, stretch
from jiyao.vault.keystore import Branch, Top, seal_top
from jiyao.vault.pkcs11_root import Record
from jiyao.vault.register import seal_value
from jiyao.vault.root import build_slot
from jiyao.vault.suite import AES, SM, Suite
from jiyao.vault.tree_page import Page, place_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import vault_reader

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
UUID, SALT = bytes(range(16)), bytes(range(16, 32))
PASSPHRASE = "口令 correct horse"


def stream(seed: str, length: int) -> bytes:
    """Repeatable bytes in place of random ones."""
    blocks = (hashlib.sha256(f"{seed}:{number}".encode()).digest() for number in count())
    out = b""
    while len(out) < length:
        out += next(blocks)
    return out[:length]


def flip(data: bytes, at: int) -> bytes:
    """`data` with one bit turned."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def blob(suite: Suite) -> dict[str, object]:
    """Envelopes: short, empty, and what must be refused."""
    key, slot = stream("key", 32), stream("slot", 16)

    def seal(text: bytes) -> bytes:
        return b"".join(
            seal_blob(text, key=key, suite=suite, slot=slot, kind="original", salt=stream("salt", 32))
        )

    text = "样张：正文。".encode()
    good, empty = seal(text), seal(b"")
    cases = [
        {"name": "short", "sealed": good.hex(), "plain": text.hex()},
        {"name": "empty", "sealed": empty.hex(), "plain": ""},
        *(
            {"name": name, "sealed": sealed.hex(), "refused": code}
            for name, sealed, code in (
                ("magic", flip(good, 0), "blob_altered"),
                ("suite", good[:8] + b"\0" + good[9:], "blob_altered"),
                ("the other suite", good[:8] + bytes([3 - suite.id]) + good[9:], "blob_altered"),
                ("chunk size", flip(good, 9), "blob_altered"),
                ("flags", flip(good, 11), "blob_altered"),
                ("kind", flip(good, 12), "blob_altered"),
                ("slot", flip(good, 16), "blob_foreign"),
                ("salt", flip(good, 32), "blob_altered"),
                ("commitment", flip(good, 64), "blob_altered"),
                ("ciphertext", flip(good, 80), "blob_altered"),
                ("tag", flip(good, len(good) - 1), "blob_altered"),
                ("cut", good[:-1], "blob_altered"),
                ("no chunk", good[:80], "blob_altered"),
                ("appended", good + b"\0", "blob_altered"),
                ("empty last chunk", good + empty[80:], "blob_altered"),
            )
        ),
        {
            "name": "other key",
            "sealed": good.hex(),
            "key": stream("other", 32).hex(),
            "refused": "blob_wrong_key",
        },
    ]
    return {"suite": suite.name, "key": key.hex(), "slot": slot.hex(), "cases": cases}


def register() -> dict[str, object]:
    """A field of each suite, and what must be refused."""
    key, text, bind = stream("registry", 32), "密件题名".encode(), b"D-1"
    vectors: dict[str, object] = {"registry": key.hex(), "purpose": "document", "bind": bind.hex()}
    for suite in (AES, SM):
        with mock.patch.object(secrets, "token_bytes", lambda length: stream("nonce", length)):
            value = seal_value(text, registry=key, suite=suite, purpose="document", bind=bind)
        changed = {f"byte {at}": flip(value, at) for at in (0, 2, 14, len(value) - 1)}
        changed |= {"suite": value[:1] + b"\3" + value[2:], "cut": value[:-1], "appended": value + b"\0"}
        changed |= {"the other suite": value[:1] + bytes([3 - suite.id]) + value[2:]}
        vectors[suite.name] = {
            "sealed": value.hex(),
            "plain": text.hex(),
            "refused": {name: sealed.hex() for name, sealed in changed.items()},
        }
    return vectors


def token() -> dict[str, object]:
    """What stands on a token for each suite and mechanism, under a key that a real token would not give away."""
    wrapping, value = stream("token key", 32), bytearray(stream("root key", 32))
    cases = []
    for suite, mechanism in ((AES, 1), (AES, 2), (SM, 1)):
        iv = stream("iv", 16) if mechanism == 2 else stream("iv", 12) + bytes(4)
        bare = Record(7, suite.id, mechanism, UUID, stream("id", 16), iv, b"", b"")
        if mechanism == 1:
            wrapped = AESGCM(wrapping).encrypt(iv[:12], bytes(value), bare.head)
        else:
            run = Cipher(algorithms.AES(wrapping), modes.CBC(iv)).encryptor()
            wrapped = run.update(value) + run.finalize()
        whole = replace(bare, digest=suite.digest(bare.head + value), wrapped=wrapped).packed()
        refused = [0, 7, 8, 15, 16, 17, 18, 33, 34, 49, 50, 61, 66, 97, 98, len(whole) - 1]
        cases.append(
            {"suite": suite.name, "mechanism": mechanism, "value": whole.hex(), "torn_by_flipping": refused}
        )
    return {"epoch": 7, "uuid": UUID.hex(), "token_key": wrapping.hex(), "root": value.hex(), "cases": cases}


def root(suite: Suite) -> dict[str, object]:
    """A slot by its recipe (stripes are long), its SHA-256, and bytes whose change must be noticed."""
    key = bytearray(stream("root key", 32))
    stripes = af_split(key, digest=suite.digest, random=lambda length: stream("stripes", length))
    image = build_slot(epoch=7, suite_id=suite.id, store_uuid=UUID, key=key, stripes=stripes)
    return {
        "suite": suite.name,
        "epoch": 7,
        "uuid": UUID.hex(),
        "key": key.hex(),
        "random_stripes": "SHA-256('stripes:0') ‖ SHA-256('stripes:1') ‖ … , 127 968 bytes",
        "last_stripe": stripes[-32:].hex(),
        "head": image[:69].hex(),
        "slot_sha256": hashlib.sha256(image).hexdigest(),
        "torn_by_flipping": [0, 7, 8, 15, 16, 17, 20, 21, 36, 37, 68, 69, 64069, 128068, 128069, 131071],
    }


def key_store() -> dict[str, object]:
    """A value with two keys, and what must be refused."""
    keys = {bytes(16): stream("registry", 32), stream("slot", 16): stream("key", 32)}
    root_key = bytearray(stream("root key", 32))
    head = StoreHead(AES, 7, UUID, KdfCost(memory_kib=64, iterations=1, lanes=1), SALT)
    stretched = stretch(PASSPHRASE, salt=SALT, cost=head.cost)
    with mock.patch.object(secrets, "token_bytes", lambda length: stream("nonce", length)):
        value = flat_store.seal_table(
            flat_store.KeyTable.of(keys), head, root=root_key, stretched=stretched
        ).sealed
    refused = [
        {"name": f"byte {at}", "sealed": flip(value, at).hex(), "refused": "key_store_altered"}
        for at in (0, 9, 10, 19, 20, 36, 40, 44, 48, 64, 76, 92, 124, 160, len(value) - 1)
    ]
    refused.append({"name": "cut", "sealed": value[:-1].hex(), "refused": "key_store_altered"})
    refused.append(
        {"name": "passphrase", "sealed": value.hex(), "passphrase": "x", "refused": "wrong_passphrase"}
    )
    return {
        "epoch": 7,
        "root": root_key.hex(),
        "passphrase": PASSPHRASE,
        "sealed": value.hex(),
        "keys": {slot.hex(): key.hex() for slot, key in keys.items()},
        "refused": refused,
    }


def key_tree(suite: Suite) -> dict[str, object]:
    """A tree of two branches after a destruction, and what must be refused or is destroyed."""
    head = StoreHead(suite, 7, UUID, KdfCost(memory_kib=64, iterations=1, lanes=1), SALT)
    root_key, stretched = bytearray(stream("root key", 32)), stretch(PASSPHRASE, salt=SALT, cost=head.cost)
    lasting = Page(place_of(0, 0, 0), key=bytearray(stream("lasting", 32)), epoch=3)
    lasting.put(0, stream("registry", 32))
    lasting.used = 1
    above = Page(place_of(1, 1, 0), key=bytearray(stream("above", 32)), epoch=7)
    above.put(0, stream("untouched leaf", 32))
    leaf = Page(place_of(1, 0, 2), key=bytearray(stream("leaf", 32)), epoch=7)
    above.put(2, leaf.key)
    for index in (0, 100, 254):
        leaf.put(index, stream(f"key {index}", 32))
    leaf.used = 255
    top = Top(bytearray(stream("naming", 32)), branches={0: Branch(1, lasting.key), 1: Branch(2, above.key)})
    numbers = count()
    with mock.patch.object(secrets, "token_bytes", lambda length: stream(f"nonce {next(numbers)}", length)):
        pages = [(page.place, page.epoch, page.sealed(head)) for page in (lasting, leaf, above)]
        value = seal_top(top, head, root=root_key, stretched=stretched)
        _, top.carried = vault_reader.read_carried(value.sealed, pages, bytes(root_key), PASSPHRASE)
        value = seal_top(top, head, root=root_key, stretched=stretched)
    keys = vault_reader.read_key_tree(value.sealed, pages, bytes(root_key), PASSPHRASE)
    living = next(slot for slot, key in keys if key == stream("key 100", 32))
    return {
        "suite": suite.name,
        "epoch": 7,
        "root": root_key.hex(),
        "passphrase": PASSPHRASE,
        "value": value.sealed.hex(),
        "pages": [{"place": f"{place:014x}", "epoch": epoch, "sealed": sealed.hex()} for place, epoch, sealed in pages],
        "keys": {slot.hex(): key.hex() for slot, key in sorted(keys)},
        "carried": top.carried.hex(),
        "destroyed": {
            "an empty entry": "0001" + "00000002" + "07" + "00" * 9,
            "another mark": living[:15].hex() + f"{living[15] ^ 1:02x}",
            "an unknown branch": "0002" + living[2:].hex(),
            "a page beyond the branch": "0001" + "00000100" + living[6:].hex(),
            "the record": "0001" + "00000002" + "ff" + living[7:].hex(),
        },
        "value_refused_by_flipping": [0, 8, 9, 10, 19, 20, 48, 64, 76, 92, 124, 156, 190, 192, len(value.sealed) - 1],
        "page_refused_by_flipping": [0, 11, 12, 44, 3300, 8204, 8219],
        "carried_refused_by_flipping_entry": [0, 254],
        "missing_leaf": "0001" + "00000000" + "00" + "00" * 9,
    }  # fmt: skip


def files() -> dict[str, str]:
    """File name -> text of each vector file."""
    made = {
        "vault_blob.json": blob(AES),
        "vault_blob_sm.json": blob(SM),
        "vault_key_store.json": key_store(),
        "vault_key_tree.json": key_tree(AES),
        "vault_key_tree_sm.json": key_tree(SM),
        "vault_register.json": register(),
        "vault_root.json": root(AES),
        "vault_token.json": token(),
        "vault_root_sm.json": root(SM),
    }
    return {name: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
