"""Makes the test vectors of the sealed formats: `python tests/tools/vault_vectors.py` (fixed input, fixed
output)."""

from __future__ import annotations

import hashlib
import json
import secrets
from itertools import count
from pathlib import Path
from unittest import mock

from jiyao.vault import keystore
from jiyao.vault.af import af_split
from jiyao.vault.blob import seal_blob
from jiyao.vault.kdf import KdfCost, stretch
from jiyao.vault.register import seal_value
from jiyao.vault.root import build_slot
from jiyao.vault.suite import AES, SM, Suite

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
    head = keystore.StoreHead(AES, 7, UUID, KdfCost(memory_kib=64, iterations=1, lanes=1), SALT)
    stretched = stretch(PASSPHRASE, salt=SALT, cost=head.cost)
    with mock.patch.object(secrets, "token_bytes", lambda length: stream("nonce", length)):
        value = keystore.seal_table(keystore.KeyTable.of(keys), head, root=root_key, stretched=stretched)
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


def files() -> dict[str, str]:
    """File name -> text of each vector file."""
    made = {
        "vault_blob.json": blob(AES),
        "vault_blob_sm.json": blob(SM),
        "vault_key_store.json": key_store(),
        "vault_register.json": register(),
        "vault_root.json": root(AES),
        "vault_root_sm.json": root(SM),
    }
    return {name: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
