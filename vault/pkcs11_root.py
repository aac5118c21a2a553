"""The root on a token: a key that cannot leave it wraps the epoch's root value; destroying that key is the erasure.

Threat model: the attacker holds every version of every file, today's token and its PIN, and wants what was destroyed
before. A former root value exists only wrapped under its own key; that key was made on the token, has never been
extractable, and is destroyed. Each epoch has a new key: the token is not asked to forget a value, only a key, which is
what tokens promise. Accepted: who had token and PIN while an epoch lasted could unwrap its value then; whether the
token, or its maker's backup, keeps copies, nobody can ask it (`jiyao-backups` of its address records what was declared,
and decides over the class). The format is docs/spec/root.md.

A slot is made in the order key, wrapped value, and unmade in the order key, wrapped value: what is half there is
torn, and holds nothing."""

from __future__ import annotations

import hmac
import os
import secrets
import struct
from dataclasses import dataclass
from typing import Any

from ..common.errors import Broken, MissingTool
from .medium import Medium
from .pkcs11_token import Token, library
from .root import SlotView
from .suite import KEY_BYTES, TAG_BYTES, known_suite, suite_of
from .wipe import wipe

MAGIC = b"JYTOKN01"
_HEAD = struct.Struct(">8sQBB16s16s16s")
_DIGEST_BYTES = 32
_GCM, _CBC = 1, 2
_WRAPPED = {_GCM: KEY_BYTES + TAG_BYTES, _CBC: KEY_BYTES}
_SLOTS = ("-a", "-b")


@dataclass(frozen=True, slots=True)
class Record:
    """A wrapped root value as it stands on the token. `iv`: 16 bytes, of which GCM uses 12."""

    epoch: int
    suite_id: int
    mechanism: int
    store_uuid: bytes
    key_id: bytes
    iv: bytes
    digest: bytes
    wrapped: bytes

    @property
    def head(self) -> bytes:
        """The authenticated bytes before digest and wrapped value."""
        return _HEAD.pack(
            MAGIC, self.epoch, self.suite_id, self.mechanism, self.store_uuid, self.key_id, self.iv
        )

    def packed(self) -> bytes:
        """As it stands on the token."""
        return self.head + self.digest + self.wrapped

    def fits(self, value: bytearray) -> bool:
        """Whether this is the value that was wrapped."""
        return hmac.compare_digest(self.digest, suite_of(self.suite_id).digest(self.head + value))


@dataclass(frozen=True, slots=True)
class TokenRoot:
    """The two slots of one token; the calls of `RootFile`."""

    token: Token

    @property
    def path(self) -> Token:
        """What stands in place of a path in every report: the token."""
        return self.token

    def exists(self) -> bool:
        """Whether the token is there; the root's objects may still be missing."""
        return self.token.present()

    def taken(self) -> bool:
        """Whether objects stand under this label already."""
        return not (self.blank(0) and self.blank(1))

    def create(self) -> None:
        """Nothing but a look: whether the token can do what the root needs.

        Raises:
            MissingTool: `token_mechanism`. Otherwise as `Token.session`.
        """
        self.token.login()
        self._mechanism()

    def mend(self) -> None:
        """Nothing: a slot that is not whole is emptied and made anew."""

    def discard(self) -> None:
        """Removes both slots: a root that never came into use."""
        for index in (0, 1):
            self.wipe(index)

    def view(self, index: int) -> SlotView:
        """What slot `index` (0 or 1) holds; the value itself is not kept."""
        view, value = self.look(index)
        wipe(value)
        return view

    def look(self, index: int) -> tuple[SlotView, bytearray | None]:
        """What slot `index` (0 or 1) holds, and its value, which the caller wipes."""
        if self.blank(index):
            return SlotView("empty"), None
        found = self._open(index)
        if found is None:
            return SlotView("torn"), None
        record, value = found
        return SlotView("held", record.epoch, record.store_uuid), value

    def load(self, epoch: int) -> bytearray | None:
        """The root value of `epoch` (32 bytes), or None when no slot holds it whole."""
        found = self.find(epoch)
        return None if found is None else found[1]

    def find(self, epoch: int) -> tuple[int, bytearray] | None:
        """Slot and value of `epoch`, or None."""
        for index in (0, 1):
            found = self._open(index, epoch=epoch)
            if found is not None:
                return index, found[1]
        return None

    def blank(self, index: int) -> bool:
        """Whether nothing stands under the slot's label."""
        with self.token.working() as session:
            return not list(session.get_objects(self._labelled(index)))

    def write(self, index: int, *, epoch: int, suite_id: int, store_uuid: bytes, key: bytearray) -> None:
        """Makes a key on the token, wraps `key` under it, keeps that beside it, and unwraps it again.

        Raises:
            Broken: `root_write`, when what comes back is not what was wrapped;
                `token_key_extractable`, when the token made a key that can leave it.
        """
        self.wipe(index)
        mechanism, key_id = self._mechanism(), secrets.token_bytes(16)
        iv = os.urandom(12) + bytes(4) if mechanism == _GCM else os.urandom(16)
        record = Record(epoch, suite_id, mechanism, store_uuid, key_id, iv, b"", b"")
        digest = suite_of(suite_id).digest(record.head + key)
        with self.token.working() as session:
            made = self._generate(session, index, key_id)
            wrapped = made.encrypt(bytes(key), **_parameters(record))
            whole = Record(epoch, suite_id, mechanism, store_uuid, key_id, iv, digest, wrapped)
            self._keep(session, index, whole)
        again = self._open(index, epoch=epoch)
        if again is None or not hmac.compare_digest(again[1], key):
            raise Broken("root_write", path=str(self.token))
        wipe(again[1])

    def wipe(self, index: int) -> None:
        """Destroys what stands under the slot's label, whatever it is: keys first.

        Raises:
            Broken: `root_write`, when something is still there.
        """
        p11 = library()
        with self.token.working() as session:
            kinds = (p11.ObjectClass.SECRET_KEY, p11.ObjectClass.DATA)
            for kind in kinds:
                for found in list(session.get_objects({p11.Attribute.CLASS: kind, **self._labelled(index)})):
                    found.destroy()
        if not self.blank(index):
            raise Broken("root_write", path=str(self.token))

    def medium(self) -> Medium:
        """Class and claim of the token."""
        return self.token.medium()

    # ------------------------------------------------------------ on the token

    def _labelled(self, index: int) -> dict[Any, Any]:
        return {library().Attribute.LABEL: self.token.uri.object + _SLOTS[index]}

    def _mechanism(self) -> int:
        p11 = library()
        can = self.token.mechanisms()
        if p11.Mechanism.AES_KEY_GEN in can:
            if p11.Mechanism.AES_GCM in can:
                return _GCM
            if p11.Mechanism.AES_CBC in can:
                return _CBC
        raise MissingTool("token_mechanism", token=str(self.token))

    def _generate(self, session: Any, index: int, key_id: bytes) -> Any:
        p11 = library()
        attribute = p11.Attribute
        made = session.generate_key(
            p11.KeyType.AES, 256, id=key_id, label=self._labelled(index)[attribute.LABEL], store=True,
            template={
                attribute.PRIVATE: True, attribute.SENSITIVE: True, attribute.EXTRACTABLE: False,
                attribute.ENCRYPT: True, attribute.DECRYPT: True, attribute.WRAP: False, attribute.UNWRAP: False,
                attribute.SIGN: False, attribute.VERIFY: False, attribute.DERIVE: False,
            },
        )  # fmt: skip
        locked = (attribute.NEVER_EXTRACTABLE, attribute.ALWAYS_SENSITIVE, attribute.LOCAL)
        if not all(made[name] for name in locked):
            made.destroy()
            raise Broken("token_key_extractable", token=str(self.token))
        return made

    def _keep(self, session: Any, index: int, record: Record) -> None:
        p11 = library()
        attribute = p11.Attribute
        session.create_object({
            attribute.CLASS: p11.ObjectClass.DATA, attribute.TOKEN: True, attribute.PRIVATE: True,
            attribute.APPLICATION: "jiyao", attribute.VALUE: record.packed(), **self._labelled(index),
        })  # fmt: skip

    def _open(self, index: int, *, epoch: int | None = None) -> tuple[Record, bytearray] | None:
        """The whole slot, or None: of another epoch than asked, torn, or empty."""
        p11 = library()
        with self.token.working() as session:
            label = self._labelled(index)
            kept = list(session.get_objects({p11.Attribute.CLASS: p11.ObjectClass.DATA, **label}))
            record = parse_record(kept[0][p11.Attribute.VALUE]) if len(kept) == 1 else None
            if record is None or epoch not in (None, record.epoch):
                return None
            keys = list(session.get_objects({p11.Attribute.CLASS: p11.ObjectClass.SECRET_KEY, **label}))
            if len(keys) != 1 or keys[0].id != record.key_id:
                return None
            try:
                value = bytearray(keys[0].decrypt(record.wrapped, **_parameters(record)))
            except (
                p11.EncryptedDataInvalid,
                p11.EncryptedDataLenRange,
                p11.GeneralError,
                p11.FunctionFailed,
            ):
                # A changed value: tokens name a failed tag differently.
                return None
        if len(value) != KEY_BYTES or not record.fits(value):
            wipe(value)
            return None
        return record, value


def _parameters(record: Record) -> dict[str, Any]:
    p11 = library()
    if record.mechanism == _GCM:
        params = p11.GCMParams(record.iv[:12], record.head, 8 * TAG_BYTES)
        return {"mechanism": p11.Mechanism.AES_GCM, "mechanism_param": params}
    return {"mechanism": p11.Mechanism.AES_CBC, "mechanism_param": record.iv}


def parse_record(packed: bytes) -> Record | None:
    """What stands on the token, or None when it is no record of ours."""
    if len(packed) < _HEAD.size + _DIGEST_BYTES:
        return None
    magic, epoch, suite_id, mechanism, store_uuid, key_id, iv = _HEAD.unpack_from(packed)
    digest, wrapped = packed[_HEAD.size :][:_DIGEST_BYTES], packed[_HEAD.size + _DIGEST_BYTES :]
    if magic != MAGIC or not known_suite(suite_id) or _WRAPPED.get(mechanism) != len(wrapped):
        return None
    return Record(epoch, suite_id, mechanism, store_uuid, key_id, iv, digest, wrapped)
