"""The room's SM2 key, on a station with the Chinese ciphers: made at `init`, or later by `vault sm2`; once.

It signs the data of certificates of destruction a second time (vault.md section 7). The station's own authority gives
it a certificate, so whoever trusts that authority tells a foreign key; its digest stands in the ledger from the entry
of `init` or `vault.sm2` on. The private key lies in the registry under the registry key, as those of authority, seal
and ledger do: rotations, backups and restores carry it along. Threats and accepted risks: see `vault/sm2.py`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...common.files import write_new
from ...models.certificate import Sm2Fact
from ...models.tables import Meta
from ...vault import pki, sm2
from ...vault.sm2 import Sm2Credential
from ...vault.suite import SM
from ...vault.wipe import wiped
from ..persons.actors import Actor, acting
from . import authority
from .station import Station

ACT = "vault.sm2"
_KEY, _CERTIFICATE = "key.sm2", "certificate.sm2"


def make(station: Station, session: Session) -> str:
    """Makes the key; the digest of its certificate (SHA-256, hex), for the ledger.

    Raises:
        MissingTool: `sm2_library_missing`.
    """
    private = sm2.make_key()
    with wiped(private):
        certificate = pki.issue_sm2_seal(
            authority.credential(station, session, "ca"), public=sm2.public_of(private), unit=station.settings.unit,
            store_uuid=station.settings.store_uuid, at=station.clock.now(),
        )  # fmt: skip
        sealed = station.vault.seal_register(session, bytes(private), _KEY)
    session.add(Meta(key=_KEY, value=bytes(sealed)))
    session.add(Meta(key=_CERTIFICATE, value=certificate))
    session.flush()
    return _digest(certificate)


def found(station: Station, session: Session) -> str | None:
    """As `make`, for a new station: only with the Chinese ciphers, and where the library is; else None."""
    return make(station, session) if _asked(station) and sm2.available() else None


def certificate(session: Session) -> bytes | None:
    """The certificate of the key (DER), if there is one."""
    row = session.get(Meta, _CERTIFICATE)
    return None if row is None else row.value


def fact(station: Station, session: Session) -> Sm2Fact | None:
    """What a certificate made now says of it; None with other ciphers."""
    if not _asked(station):
        return None
    made = certificate(session)
    if made is None:
        return Sm2Fact(state="none", reason="no_key")
    if not sm2.available():
        return Sm2Fact(state="none", reason="no_library")
    return Sm2Fact(state="signed", certificate_sha256=_digest(made))


def credential(station: Station, session: Session) -> Sm2Credential:
    """The key and its certificate.

    Raises:
        Broken: `authority_damaged`, or altered.
    """
    row, made = session.get(Meta, _KEY), certificate(session)
    if row is None or made is None:
        raise authority.damaged("sm2")
    private = station.vault.open_register(session, row.value, _KEY)
    return Sm2Credential(private=bytearray(private), certificate_der=made)


def command(station: Station, actor: Actor, *, out: Path | None) -> dict[str, Any]:
    """`vault sm2`: makes the key where there is none yet; writes its certificate (PEM) for whoever wants to have it.

    Returns:
        `state` (`made`, `there`), `certificate_sha256`, `library` (whether signatures can be made here), `file`.

    Raises:
        Refused: `sm2_other_suite`. MissingTool: `sm2_library_missing`.
    """
    with acting(station, actor, ACT) as session:
        if not _asked(station):
            raise Refused("sm2_other_suite", suite=station.settings.suite)
        state = "there"
        if certificate(session) is None:
            made = make(station, session)
            station.log(session, ACT, person=actor.person, account=actor.user, facts={"sm2_sha256": made})
            state = "made"
        der = certificate(session) or b""
    if out is not None:
        write_new(out, x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return {
        "state": state, "certificate_sha256": _digest(der), "library": sm2.available(),
        "file": str(out) if out is not None else None,
    }  # fmt: skip


def _asked(station: Station) -> bool:
    return station.settings.suite == SM.name


def _digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()
