"""A second reader of the sealed formats, written from docs/spec alone: no import of the product.

It is the attacker of the adversary test, and the proof that the specifications suffice.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.hmac import HMAC
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
    if suite == 1:
        return hashlib.sha256(data).digest()
    state = hashes.Hash({1: hashes.SHA256, 2: hashes.SM3}[suite]())
    state.update(data)
    return state.finalize()


def keyed(suite: int, key: bytes, data: bytes) -> bytes:
    """HMAC of a suite."""
    state = HMAC(key, {1: hashes.SHA256, 2: hashes.SM3}[suite]())
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


def read_token(value: bytes, key: bytes) -> tuple[int, bytes]:
    """docs/spec/root.md, root on a token: epoch and root key, with the token's own key."""
    magic, epoch, suite, mechanism, _, _, iv = struct.unpack(">8sQBB16s16s16s", value[:66])
    head, wanted, wrapped = value[:66], value[66:98], value[98:]
    if magic != b"JYTOKN01" or suite not in (1, 2) or mechanism not in (1, 2):
        raise Unreadable("head")
    try:
        if mechanism == 1:
            root = AESGCM(key).decrypt(iv[:12], wrapped, head)
        else:
            run = Cipher(AES(key), modes.CBC(iv)).decryptor()
            root = run.update(wrapped) + run.finalize()
    except InvalidTag:
        raise Unreadable("wrapped") from None
    if digest(suite, head + root) != wanted:
        raise Unreadable("digest")
    return epoch, root


def merge(stripes: bytes, suite: int) -> bytes:
    state = bytes(32)
    for at in range(0, len(stripes) - 32, 32):
        state = digest(suite, bytes(4) + xor(state, stripes[at : at + 32]))
    return xor(state, stripes[-32:])


def xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


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


def read_value(magic: bytes, sealed: bytes, root: bytes, passphrase: str) -> tuple[int, bytes, bytes]:
    """docs/spec/key-store.md, the value: suite, uuid of the store, and what was sealed."""
    head, mac, body = sealed[:92], sealed[92:124], sealed[124:]
    if len(head) < 92 or head[:8] != magic or head[8] not in (1, 2) or head[9:12] != b"\x01\x00\x00":
        raise Unreadable("head")
    suite, epoch, uuid = head[8], head[12:20], head[20:36]
    memory, passes, lanes = struct.unpack(">III", head[36:48])
    salt, nonce, check = head[48:64], head[64:76], head[76:92]
    if not hmac.compare_digest(
        mac, keyed(suite, hkdf(root, uuid, b"jiyao key store head v1", suite=suite), head)
    ):
        raise Unreadable("mac")
    stretched = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(
        passphrase.encode()
    )
    top = hkdf(root + stretched, uuid, b"jiyao key store top v1" + epoch, suite=suite)
    if check != hkdf(top, b"", b"jiyao passphrase check v1", 16, suite):
        raise Unreadable("passphrase")
    try:
        return suite, uuid, decrypt(suite, top, nonce, body, head + mac)
    except InvalidTag:
        raise Unreadable("keys") from None


PageRow = tuple[int, int, bytes]
"""Place, epoch and sealed bytes of a page's row."""


def read_page(row: PageRow, key: bytes, suite: int, uuid: bytes) -> list[bytes]:
    """docs/spec/key-store.md, the page: its 256 entries."""
    place, epoch, sealed = row
    if len(sealed) != 8220:
        raise Unreadable("page length")
    bound = b"JYPAGE01" + uuid + bytes([suite]) + place.to_bytes(7, "big") + epoch.to_bytes(8, "big")
    try:
        plain = decrypt(suite, key, sealed[:12], sealed[12:], bound)
    except InvalidTag:
        raise Unreadable("page") from None
    return [plain[at : at + 32] for at in range(0, 8192, 32)]


def read_key_tree(
    sealed: bytes, pages: Iterable[PageRow], root: bytes, passphrase: str
) -> set[tuple[bytes, bytes]]:
    """docs/spec/key-store.md, the tree: (slot id, key) of every key that opens.

    Any number of versions of a page may be given: each is tried with the key that its parent has for it.
    """
    suite, uuid, plain = read_value(b"JYKEYS02", sealed, root, passphrase)
    (count,) = struct.unpack(">H", plain[64:66])
    if len(plain) != 66 + 35 * count:
        raise Unreadable("count")
    versions: dict[int, list[PageRow]] = {}
    for row in pages:
        versions.setdefault(row[0], []).append(row)
    found: set[tuple[bytes, bytes]] = set()

    def visit(branch: int, level: int, number: int, key: bytes) -> None:
        for row in versions.get(branch << 40 | level << 32 | number, []):
            try:
                entries = read_page(row, key, suite, uuid)
            except Unreadable:
                continue
            for index, entry in enumerate(entries[:255] if level == 0 else entries):
                if not any(entry):
                    continue
                if level == 0:
                    place = branch.to_bytes(2, "big") + number.to_bytes(4, "big") + bytes([index])
                    mark = keyed(suite, plain[32:64], place + bytes(9) + entry)[:9]
                    found.add((place + (mark if any(place) else bytes(9)), entry))
                else:
                    visit(branch, level - 1, number << 8 | index, entry)

    for at in range(66, len(plain), 35):
        branch, depth = struct.unpack(">HB", plain[at : at + 3])
        visit(branch, depth - 1, 0, plain[at + 3 : at + 35])
    return found


def read_carried(
    sealed: bytes, pages: Iterable[PageRow], root: bytes, passphrase: str
) -> tuple[bytes, bytes]:
    """docs/spec/key-store.md, `carried`: as the value says, and as these pages (one version of each) give it."""
    suite, uuid, plain = read_value(b"JYKEYS02", sealed, root, passphrase)
    epoch, rows = int.from_bytes(sealed[12:20], "big"), {row[0]: row for row in pages}
    chain = bytes(32)
    reg = next(key for slot, key in read_key_tree(sealed, pages, root, passphrase) if not any(slot))
    key = hkdf(reg, b"", b"jiyao carried keys v2", suite=suite)

    def visit(branch: int, level: int, number: int, page_key: bytes) -> None:
        nonlocal chain
        place = branch << 40 | level << 32 | number
        entries = read_page(rows[place], page_key, suite, uuid)
        for index in range(256 if level else 0):
            below = branch << 40 | level - 1 << 32 | number << 8 | index
            if below in rows and rows[below][1] == epoch:
                visit(branch, level - 1, number << 8 | index, entries[index])
                entries[index] = bytes(32)
        chain = keyed(suite, key, chain + place.to_bytes(8, "big") + b"".join(entries))

    branches = b""
    for at in range(66, len(plain), 35):
        branch, depth = struct.unpack(">HB", plain[at : at + 3])
        touched = rows[branch << 40 | depth - 1 << 32][1] == epoch
        if touched:
            visit(branch, depth - 1, 0, plain[at + 3 : at + 35])
        branches += plain[at : at + 3] + (bytes(32) if touched else plain[at + 3 : at + 35])
    return plain[:32], keyed(suite, key, chain + b"top" + bytes(32) + plain[32:66] + branches)


def read_key_store(sealed: bytes, root: bytes, passphrase: str) -> dict[bytes, bytes]:
    """docs/spec/key-store.md, the flat value: slot -> key."""
    _, _, plain = read_value(b"JYKEYS01", sealed, root, passphrase)
    (count,) = struct.unpack(">I", plain[:4])
    entries = plain[36:]
    if len(entries) != 48 * count:
        raise Unreadable("count")
    return {entries[at : at + 16]: entries[at + 16 : at + 48] for at in range(0, len(entries), 48)}
