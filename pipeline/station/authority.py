"""The station's certificate authority, its seal and its ledger signer: made at init, keys sealed in the registry.

Threats and accepted risks: see `vault/pki.py`. Certificates lie open in `meta`; private keys stand under the
registry key, each for its own purpose. The station signs for itself (tree heads, the room's seal), never for a person.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy.orm import Session

from ...common.errors import Broken
from ...models.tables import Meta
from ...vault import cms, pki
from ...vault.pki import Credential
from .station import Station

Office = Literal["ca", "seal", "ledger"]
_CRL = "crl"


def found(station: Station, session: Session) -> None:
    """Makes authority, seal and ledger signer of a new station."""
    unit, uuid, now = station.settings.unit, station.settings.store_uuid, station.clock.now()
    ca = pki.make_ca(unit=unit, store_uuid=uuid, at=now)
    _keep(station, session, "ca", ca)
    _keep(station, session, "seal", pki.issue_seal(ca, unit=unit, store_uuid=uuid, at=now))
    _keep(station, session, "ledger", pki.issue_ledger_signer(ca, unit=unit, store_uuid=uuid, at=now))
    session.add(Meta(key=_CRL, value=pki.make_crl(ca, at=now)))
    session.flush()


def certificate(session: Session, office: Office) -> x509.Certificate:
    """One of the station's own certificates.

    Raises:
        Broken: it is missing or damaged.
    """
    row = session.get(Meta, f"certificate.{office}")
    try:
        if row is not None:
            return x509.load_der_x509_certificate(row.value)
    except ValueError:
        pass
    raise damaged(office)


def damaged(office: str) -> Broken:
    """The error for a key or certificate of the station's own that is not there, or not whole."""
    return Broken("authority_damaged", what=office)


def ca_pem(session: Session) -> bytes:
    """The authority's certificate, for whoever wants to trust it."""
    return certificate(session, "ca").public_bytes(serialization.Encoding.PEM)


def credential(station: Station, session: Session, office: Office) -> Credential:
    """The station's own key and certificate for one purpose.

    Raises:
        Broken: altered.
    """
    row = session.get(Meta, f"key.{office}")
    if row is None:
        raise damaged(office)
    key = pki.key_from_bytes(bytes(station.vault.open_register(session, row.value, f"key.{office}")))
    return Credential(key=key, certificate=certificate(session, office))


def revocations(station: Station, session: Session) -> bytes:
    """The list of revoked certificates (DER), renewed when its end is near."""
    row = session.get_one(Meta, _CRL)
    crl = x509.load_der_x509_crl(row.value)
    now = station.clock.now()
    if crl.next_update_utc is None or crl.next_update_utc < now + timedelta(days=30):
        row.value = pki.make_crl(credential(station, session, "ca"), at=now)
    return row.value


def make_person(station: Station, session: Session, person: str) -> Credential:
    """A signing key and certificate for a person; the caller wraps the key under the person's password."""
    return pki.issue_person(
        credential(station, session, "ca"), unit=station.settings.unit, person=person, at=station.clock.now()
    )


def sign_statement(station: Station, statement: bytes, signer: Credential) -> bytes:
    """CMS (DER) over a canonical statement, at the station's time."""
    return cms.sign_statement(statement, signer, station.clock.now())


def _keep(station: Station, session: Session, office: Office, made: Credential) -> None:
    sealed = station.vault.seal_register(session, pki.key_to_bytes(made.key), f"key.{office}")
    session.add(Meta(key=f"key.{office}", value=bytes(sealed)))
    session.add(Meta(key=f"certificate.{office}", value=made.certificate_der))
