"""Register fields under the registry key: what must outlive a destruction (registers, inventory).

Value: version (1 byte), suite (1), nonce (12), AEAD of that suite. The purpose and `bind` (for example a row's
id) are authenticated, so that a value moved to another field or row does not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag

from ..common.errors import Broken
from .suite import NONCE_BYTES, TAG_BYTES, Suite, known_suite, suite_of
from .wipe import Buffer, wiped

_VERSION = 1
_OVERHEAD = 2 + NONCE_BYTES + TAG_BYTES


def seal_value(data: Buffer, *, registry: Buffer, suite: Suite, purpose: str, bind: bytes) -> bytes:
    """`data` sealed for `purpose`, tied to `bind`."""
    head = bytes([_VERSION, suite.id])
    nonce = secrets.token_bytes(NONCE_BYTES)
    key = subkey(registry, suite=suite, purpose="seal:" + purpose)
    with wiped(key):
        return head + nonce + suite.aead(key).encrypt(nonce, data, _aad(head, purpose, bind))


def open_value(sealed: bytes, *, registry: Buffer, purpose: str, bind: bytes) -> bytes:
    """What `seal_value` sealed.

    Raises:
        Broken: `register_altered`, naming the purpose.
    """
    if len(sealed) < _OVERHEAD or sealed[0] != _VERSION or not known_suite(sealed[1]):
        raise Broken("register_altered", purpose=purpose)
    suite = suite_of(sealed[1])
    key = subkey(registry, suite=suite, purpose="seal:" + purpose)
    nonce, body = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
    try:
        with wiped(key):
            return suite.aead(key).decrypt(nonce, body, _aad(sealed[:2], purpose, bind))
    except InvalidTag as error:
        raise Broken("register_altered", purpose=purpose) from error


def subkey(registry: Buffer, *, suite: Suite, purpose: str) -> bytearray:
    """A key of 32 bytes for one purpose."""
    return suite.derive(registry, info=b"jiyao registry v1:" + purpose.encode())


def _aad(head: bytes, purpose: str, bind: bytes) -> bytes:
    name = purpose.encode()
    return b"jiyao register v1" + head + len(name).to_bytes(2, "big") + name + bind
