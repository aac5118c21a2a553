"""From a passphrase or password to a key: Argon2id (RFC 9106), its cost a field of every record.

Threat model: the attacker holds the record and guesses. `normal` costs 256 MiB and about a second a guess;
`test` costs nothing, exists for tests and is flagged wherever a station shows its state.
Text is normalised with NFKC first: a full-width digit typed through an input method is the same secret.
"""

from __future__ import annotations

import re
import secrets
import struct
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidKey, InvalidTag
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ..common.errors import Broken, UsageFault, WrongSecret
from .suite import KEY_BYTES, NONCE_BYTES, Suite, suite_of
from .wipe import Buffer, wipe

SALT_BYTES = 16
ARGON2ID = 1
"""Id of the function in headers; others are refused."""


@dataclass(frozen=True, slots=True)
class KdfCost:
    """Cost of one derivation: memory in KiB, passes, lanes."""

    memory_kib: int
    iterations: int
    lanes: int

    def check(self) -> KdfCost:
        """Itself, when its values are ones we would ever compute.

        Raises:
            Broken: `kdf_cost`, for a record that asks for absurd work.
        """
        sane = (
            1 <= self.lanes <= 64
            and 1 <= self.iterations <= 64
            and 8 * self.lanes <= self.memory_kib <= 4 * 1024 * 1024
        )
        if not sane:
            raise Broken("kdf_cost")
        return self

    @property
    def weak(self) -> bool:
        """Below the cost that `normal` asks: fit for tests only."""
        return self.memory_kib < PROFILES["normal"].memory_kib


PROFILES: dict[str, KdfCost] = {
    "normal": KdfCost(memory_kib=256 * 1024, iterations=3, lanes=4),
    "test": KdfCost(memory_kib=64, iterations=1, lanes=1),
}


def kdf_cost(profile: str) -> KdfCost:
    """The cost of a named profile.

    Raises:
        UsageFault: `kdf_unknown`.
    """
    if profile not in PROFILES:
        raise UsageFault("kdf_unknown", kdf=profile)
    return PROFILES[profile]


def stretch(secret: str, *, salt: bytes, cost: KdfCost) -> bytearray:
    """32 bytes from a secret and a salt of 16 bytes."""
    out = bytearray(KEY_BYTES)
    _argon2(salt, cost.check()).derive_into(_utf8(secret), out)
    return out


# ---------------------------------------------------------------- passwords of accounts

_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,4}),p=(\d{1,4})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")


def hash_password(password: str, *, profile: str) -> str:
    """An encoded Argon2id string (PHC format: cost, salt and hash in one)."""
    hasher = _argon2(secrets.token_bytes(SALT_BYTES), kdf_cost(profile))
    return hasher.derive_phc_encoded(_utf8(password))


def verify_password(password: str, encoded: str) -> bool:
    """Whether the password is the one of `encoded`; compared in constant time.

    Raises:
        Broken: `password_record`, when the string is not one of ours; `kdf_cost`, when its cost is absurd.
    """
    found = _PHC.fullmatch(encoded)
    if found is None:
        raise Broken("password_record")
    KdfCost(*(int(part) for part in found.groups())).check()
    try:
        Argon2id.verify_phc_encoded(_utf8(password), encoded)
    except InvalidKey:
        return False
    except ValueError as error:
        raise Broken("password_record") from error
    return True


# ---------------------------------------------------------------- a person's own wrapping key

_WRAP_MAGIC = b"JYWRAP01"
_WRAP = struct.Struct(">8sBBIII16s12s")


def person_key(password: str, *, salt: bytes, cost: KdfCost, suite: Suite, user: str) -> bytearray:
    """The key (32 bytes) that wraps what belongs to a person alone, such as the signing key.

    It has its own salt: the password record does not help to find it.
    """
    stretched = stretch(password, salt=salt, cost=cost)
    try:
        return suite.derive(stretched, salt=salt, info=b"jiyao person key v1" + user.encode())
    finally:
        wipe(stretched)


def wrap_for_person(secret: Buffer, *, password: str, user: str, suite: Suite, profile: str) -> bytes:
    """`secret` under the person's password, with cost, salt and suite in its header; bound to `user`."""
    cost = kdf_cost(profile)
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    head = _WRAP.pack(
        _WRAP_MAGIC, suite.id, ARGON2ID, cost.memory_kib, cost.iterations, cost.lanes, salt, nonce
    )
    key = person_key(password, salt=salt, cost=cost, suite=suite, user=user)
    try:
        return head + suite.aead(key).encrypt(nonce, secret, head)
    finally:
        wipe(key)


def unwrap_for_person(wrapped: bytes, *, password: str, user: str) -> bytearray:
    """What `wrap_for_person` wrapped.

    Raises:
        Broken: `wrapped_key`, when this is no such record.
        WrongSecret: `wrong_password`. A changed record looks the same: check the password record first.
    """
    if len(wrapped) < _WRAP.size + 16 or not wrapped.startswith(_WRAP_MAGIC):
        raise Broken("wrapped_key")
    head = wrapped[: _WRAP.size]
    _, suite_id, function, memory, iterations, lanes, salt, nonce = _WRAP.unpack(head)
    if function != ARGON2ID:
        raise Broken("wrapped_key")
    suite = suite_of(suite_id)
    cost = KdfCost(memory_kib=memory, iterations=iterations, lanes=lanes)
    key = person_key(password, salt=salt, cost=cost, suite=suite, user=user)
    try:
        return bytearray(suite.aead(key).decrypt(nonce, wrapped[_WRAP.size :], head))
    except InvalidTag as error:
        raise WrongSecret("wrong_password", user=user) from error
    finally:
        wipe(key)


def _argon2(salt: bytes, cost: KdfCost) -> Argon2id:
    return Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )


def _utf8(secret: str) -> bytes:
    return unicodedata.normalize("NFKC", secret).encode()
