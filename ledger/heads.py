"""Signed tree heads: the station says "my ledger has so many entries and this root".

Threat model: whoever administers the machine can rewrite entries and nodes alike. Heads that were printed on
certificates or handed to witnesses are the only defence; a head is therefore signed with a key of its own and
names the log (`origin`), so that a head of one station cannot be shown for another's.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ..common.canonical import canonical
from ..common.clock import iso

HEAD_FORMAT = "jiyao.ledger_head"
VERSION = 1


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which log it is (`origin`: the store uuid), and the certificate (DER) of who signs its heads."""

    origin: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class HeadSigner:
    """The head-signing key (EC P-256) of a log."""

    identity: LogIdentity
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size (entries), root (32 bytes) and time of a log; `signature` is DER ECDSA, None when unsigned."""

    size: int
    root: bytes
    at: str | None = None
    signature: bytes | None = None


def head_bytes(origin: str, head: TreeHead) -> bytes:
    """What is signed: canonical JSON of origin, size, root and time."""
    return canonical(
        {
            "at": head.at,
            "format": HEAD_FORMAT,
            "origin": origin,
            "root": head.root.hex(),
            "size": head.size,
            "version": VERSION,
        }
    )


def sign(head: TreeHead, signer: HeadSigner, at: datetime) -> TreeHead:
    """The head with time and signature; the signature is deterministic (RFC 6979)."""
    dated = TreeHead(size=head.size, root=head.root, at=iso(at))
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    signature = signer.key.sign(head_bytes(signer.identity.origin, dated), algorithm)
    return TreeHead(size=dated.size, root=dated.root, at=dated.at, signature=signature)


def genuine(head: TreeHead, identity: LogIdentity) -> bool:
    """Whether the head's signature is by this log's head-signing key."""
    key = x509.load_der_x509_certificate(identity.certificate).public_key()
    if head.signature is None or not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(head.signature, head_bytes(identity.origin, head), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def head_json(head: TreeHead) -> dict[str, object]:
    """The head as it stands in exports, proofs and certificates."""
    signature = None if head.signature is None else base64.b64encode(head.signature).decode()
    return {"at": head.at, "root": head.root.hex(), "signature": signature, "size": head.size}
