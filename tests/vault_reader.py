"""A second reader of the sealed formats, written from docs/spec alone: no import of the product.

It is the attacker of the adversary test, and the proof that the specifications suffice.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 262144


class Unreadable(Exception):
    """What the specification says must be refused."""


def hkdf(key: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt or None, info=info).derive(key)


def read_blob(sealed: bytes, key: bytes) -> bytes:
    """docs/spec/blob.md."""
    if len(sealed) < 96 or sealed[:8] != b"JYBLOB01" or sealed[8:12] != b"\x01\x12\x00\x00":
        raise Unreadable("head")
    head, commitment, body = sealed[:64], sealed[64:80], sealed[80:]
    slot, salt = head[16:32], head[32:64]
    if commitment != hkdf(key, b"", b"jiyao blob commitment v1" + head[8:9] + slot, 16):
        raise Unreadable("commitment")
    cipher = AESGCM(hkdf(key, salt, b"jiyao blob v1" + head))
    pieces = [body[at : at + CHUNK + 16] for at in range(0, len(body), CHUNK + 16)]
    plain = b""
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        if len(piece) < 16 or (len(piece) == 16 and number):
            raise Unreadable("length")
        nonce = number.to_bytes(11, "big") + bytes([last])
        try:
            plain += cipher.decrypt(nonce, piece, head)
        except InvalidTag:
            raise Unreadable("chunk") from None
    return plain


def read_root(image: bytes) -> dict[int, bytes]:
    """docs/spec/root.md: epoch -> key of every slot that holds one."""
    keys = {}
    for at in range(0, len(image) - 131071, 131072):
        slot = image[at : at + 131072]
        magic, epoch, _, stripes, _, digest = struct.unpack(">8sQBI16s32s", slot[:69])
        if magic != b"JYROOT01" or stripes != 4000 or any(slot[69 + 128000 :]):
            continue
        key = merge(slot[69 : 69 + 128000])
        if hashlib.sha256(slot[:37] + key).digest() == digest:
            keys[epoch] = key
    return keys


def merge(stripes: bytes) -> bytes:
    state = bytes(32)
    for at in range(0, len(stripes) - 32, 32):
        mixed = bytes(a ^ b for a, b in zip(state, stripes[at : at + 32], strict=True))
        state = hashlib.sha256(bytes(4) + mixed).digest()
    return bytes(a ^ b for a, b in zip(state, stripes[-32:], strict=True))


def read_key_store(sealed: bytes, root: bytes, passphrase: str) -> dict[bytes, bytes]:
    """docs/spec/key-store.md: slot -> key."""
    head, mac, body = sealed[:92], sealed[92:124], sealed[124:]
    if len(head) < 92 or head[:8] != b"JYKEYS01" or head[8:12] != b"\x01\x01\x00\x00":
        raise Unreadable("head")
    epoch, uuid = head[12:20], head[20:36]
    memory, passes, lanes = struct.unpack(">III", head[36:48])
    salt, nonce, check = head[48:64], head[64:76], head[76:92]
    if not hmac.compare_digest(
        mac, hmac.digest(hkdf(root, uuid, b"jiyao key store head v1"), head, "sha256")
    ):
        raise Unreadable("mac")
    stretched = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(
        passphrase.encode()
    )
    top = hkdf(root + stretched, uuid, b"jiyao key store top v1" + epoch)
    if check != hkdf(top, b"", b"jiyao passphrase check v1", 16):
        raise Unreadable("passphrase")
    try:
        plain = AESGCM(top).decrypt(nonce, body, head + mac)
    except InvalidTag:
        raise Unreadable("keys") from None
    (count,) = struct.unpack(">I", plain[:4])
    entries = plain[36:]
    if len(entries) != 48 * count:
        raise Unreadable("count")
    return {entries[at : at + 16]: entries[at + 16 : at + 48] for at in range(0, len(entries), 48)}
