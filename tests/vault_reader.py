"""A second reader of the sealed formats, written from docs/spec alone: no import of the product.

It is the attacker of the adversary test, and the proof that the specifications suffice.
"""

from __future__ import annotations

import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 262144


class Unreadable(Exception):
    """What the specification says must be refused."""


def hkdf(key: bytes, salt: bytes, info: bytes, length: int = 32, suite: int = 1) -> bytes:
    kind = {1: hashes.SHA256, 2: hashes.SM3}[suite]()
    return HKDF(algorithm=kind, length=length, salt=salt or None, info=info).derive(key)


def decrypt(suite: int, key: bytes, nonce: bytes, sealed: bytes, data: bytes) -> bytes:
    """The AEAD of a suite; InvalidTag as `AESGCM`."""
    if suite == 1:
        return AESGCM(key).decrypt(nonce, sealed, data)
    if len(sealed) < 16:
        raise InvalidTag
    short = hkdf(key, b"", b"jiyao sm4 key v1", 16, suite)
    run = Cipher(SM4(short), modes.GCM(nonce, sealed[-16:])).decryptor()
    run.authenticate_additional_data(data)
    return run.update(sealed[:-16]) + run.finalize()


def digest(suite: int, data: bytes) -> bytes:
    """The hash of a suite."""
    state = hashes.Hash({1: hashes.SHA256, 2: hashes.SM3}[suite]())
    state.update(data)
    return state.finalize()


def read_blob(sealed: bytes, key: bytes) -> bytes:
    """docs/spec/blob.md."""
    if len(sealed) < 96 or sealed[:8] != b"JYBLOB01" or sealed[9:12] != b"\x12\x00\x00":
        raise Unreadable("head")
    suite = sealed[8]
    if suite not in (1, 2):
        raise Unreadable("suite")
    head, commitment, body = sealed[:64], sealed[64:80], sealed[80:]
    slot, salt = head[16:32], head[32:64]
    if commitment != hkdf(key, b"", b"jiyao blob commitment v1" + head[8:9] + slot, 16, suite):
        raise Unreadable("commitment")
    blob_key = hkdf(key, salt, b"jiyao blob v1" + head, suite=suite)
    pieces = [body[at : at + CHUNK + 16] for at in range(0, len(body), CHUNK + 16)]
    plain = b""
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        if len(piece) < 16 or (len(piece) == 16 and number):
            raise Unreadable("length")
        nonce = number.to_bytes(11, "big") + bytes([last])
        try:
            plain += decrypt(suite, blob_key, nonce, piece, head)
        except InvalidTag:
            raise Unreadable("chunk") from None
    return plain


def read_root(image: bytes) -> dict[int, bytes]:
    """docs/spec/root.md: epoch -> key of every slot that holds one."""
    keys = {}
    for at in range(0, len(image) - 131071, 131072):
        slot = image[at : at + 131072]
        magic, epoch, suite, stripes, _, wanted = struct.unpack(">8sQBI16s32s", slot[:69])
        if magic != b"JYROOT01" or stripes != 4000 or suite not in (1, 2) or any(slot[69 + 128000 :]):
            continue
        key = merge(slot[69 : 69 + 128000], suite)
        if digest(suite, slot[:37] + key) == wanted:
            keys[epoch] = key
    return keys


def merge(stripes: bytes, suite: int) -> bytes:
    state = bytes(32)
    for at in range(0, len(stripes) - 32, 32):
        mixed = bytes(a ^ b for a, b in zip(state, stripes[at : at + 32], strict=True))
        state = digest(suite, bytes(4) + mixed)
    return bytes(a ^ b for a, b in zip(state, stripes[-32:], strict=True))


def read_field(sealed: bytes, registry: bytes, purpose: bytes, bind: bytes) -> bytes:
    """docs/spec/key-store.md, register fields."""
    if len(sealed) < 30 or sealed[0] != 1 or sealed[1] not in (1, 2):
        raise Unreadable("head")
    suite = sealed[1]
    key = hkdf(registry, b"", b"jiyao registry v1:seal:" + purpose, suite=suite)
    data = b"jiyao register v1" + sealed[:2] + len(purpose).to_bytes(2, "big") + purpose + bind
    try:
        return decrypt(suite, key, sealed[2:14], sealed[14:], data)
    except InvalidTag:
        raise Unreadable("field") from None


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
