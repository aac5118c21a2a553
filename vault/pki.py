"""The station's own certificate authority, made at init, and the certificates it gives.

Threat model: someone wants to sign as another person, as the room, or as the ledger. Every key signs for one
purpose; the authority's key is needed only to admit a person or to renew the list of revoked certificates and
stays sealed (better: kept on a medium apart) in between; it may not create further authorities (pathlen 0).
A person's key is wrapped under a key made from his or her own password: the station cannot use it alone.
Accepted: whoever knows a person's password and holds the registry signs as that person.

Keys are EC P-256; beside them the authority gives one certificate for an SM2 key of the room (`sm2.py`). Nothing here
stores anything: private keys leave as PKCS#8 DER for the caller to seal.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from ..common.errors import Broken, WrongSecret

CRL_DAYS = 400
CA_DAYS = 20 * 365
_BACKDATED = timedelta(minutes=5)
_NONCE = 12
_WRAP_MAGIC = b"JYPKEY01"
_NAME_CHARS = 64

Purpose = Literal["seal", "sm2", "ledger", "person"]
_LABELS: dict[Purpose, str] = {
    "seal": "文件销毁专用章", "sm2": "文件销毁专用章（SM2）", "ledger": "台账签名", "person": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credential:
    """A private key (EC P-256) and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def make_ca(*, unit: str, store_uuid: str, at: datetime) -> Credential:
    """The station's authority: self-signed, pathlen 0, 20 years; the subject names unit and store."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(unit, "机要室根证书", store_uuid)
    builder = _builder(subject, subject, key.public_key(), at, at + timedelta(days=CA_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return Credential(key=key, certificate=builder.sign(key, hashes.SHA256()))


def issue_seal(ca: Credential, *, unit: str, store_uuid: str, at: datetime) -> Credential:
    """The room's seal for certificates of destruction."""
    return _issue(ca, _subject(unit, _LABELS["seal"], store_uuid), at)


def issue_sm2_seal(ca: Credential, *, public: bytes, unit: str, store_uuid: str, at: datetime) -> bytes:
    """The certificate (DER) of the room's SM2 key, signed by the authority as every other (ECDSA).

    The library that makes certificates knows no SM2 key, so one for a key of no use is made, and the key, its
    identifier and the authority's signature are put in anew.

    Args:
        public: SubjectPublicKeyInfo of the SM2 key, DER.
    """
    made = _issue(ca, _subject(unit, _LABELS["sm2"], store_uuid), at)
    certificate = asn1_x509.Certificate.load(made.certificate_der)
    tbs = certificate["tbs_certificate"]
    tbs["subject_public_key_info"] = asn1_keys.PublicKeyInfo.load(public)
    for extension in tbs["extensions"]:
        if extension["extn_id"].native == "key_identifier":
            extension["extn_value"] = asn1_x509.OctetString(
                hashlib.sha1(public[-65:], usedforsecurity=False).digest()
            )
    signature = ca.key.sign(tbs.dump(), ec.ECDSA(hashes.SHA256()))
    certificate["signature_value"] = signature
    return bytes(certificate.dump())


def issue_ledger_signer(ca: Credential, *, unit: str, store_uuid: str, at: datetime) -> Credential:
    """The key that signs tree heads of the ledger."""
    return _issue(ca, _subject(unit, _LABELS["ledger"], store_uuid), at)


def issue_person(
    ca: Credential, *, unit: str, person: str, at: datetime, name: str | None = None
) -> Credential:
    """A person's signing certificate. The subject carries the person's id (UID); a name only when given."""
    return _issue(ca, _subject(unit, name or person, person), at)


def make_crl(ca: Credential, *, at: datetime, revoked: Sequence[tuple[int, datetime]] = ()) -> bytes:
    """The list of revoked certificates (serial number, since when), valid for 400 days; DER."""
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=CRL_DAYS))
        .add_extension(authority, critical=False)
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def person_of(certificate: x509.Certificate) -> str | None:
    """The id in a certificate's subject (UID): a person's, or the store's for the station's own keys."""
    found = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    return str(found[0].value) if len(found) == 1 else None


def issued_by(certificate: x509.Certificate, ca: x509.Certificate, at: datetime | None = None) -> bool:
    """Whether the authority signed this certificate and, when asked, it was valid at that time."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return at is None or certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def key_to_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as PKCS#8 DER, unencrypted: the caller seals it at once."""
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def key_from_bytes(data: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key of `key_to_bytes`.

    Raises:
        Broken: `signing_key_broken`.
    """
    try:
        key = serialization.load_der_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise Broken("signing_key_broken") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Broken("signing_key_broken")
    return key


def wrap_key(key: ec.EllipticCurvePrivateKey, wrapping_key: bytes, *, owner: str) -> bytes:
    """The private key under AES-256-GCM; bound to its owner. `wrapping_key`: 32 bytes.

    Layout: magic 8, nonce 12, ciphertext, tag 16; associated data: magic and the owner's id.
    """
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(wrapping_key).encrypt(nonce, key_to_bytes(key), _WRAP_MAGIC + owner.encode())
    return _WRAP_MAGIC + nonce + sealed


def unwrap_key(wrapped: bytes, wrapping_key: bytes, *, owner: str) -> ec.EllipticCurvePrivateKey:
    """The private key of `wrap_key`.

    Raises:
        Broken: `signing_key_broken` when it is no wrapped key.
        WrongSecret: `signing_key_locked` when this wrapping key and owner do not open it.
    """
    start = len(_WRAP_MAGIC)
    if wrapped[:start] != _WRAP_MAGIC or len(wrapped) < start + _NONCE + 16:
        raise Broken("signing_key_broken")
    nonce, sealed = wrapped[start : start + _NONCE], wrapped[start + _NONCE :]
    try:
        plain = AESGCM(wrapping_key).decrypt(nonce, sealed, _WRAP_MAGIC + owner.encode())
    except InvalidTag as error:
        raise WrongSecret("signing_key_locked") from error
    return key_from_bytes(plain)


def _issue(ca: Credential, subject: x509.Name, at: datetime) -> Credential:
    key = ec.generate_private_key(ec.SECP256R1())
    end = ca.certificate.not_valid_after_utc
    builder = _builder(subject, ca.certificate.subject, key.public_key(), at, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return Credential(key=key, certificate=builder.sign(ca.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime, end: datetime
) -> x509.CertificateBuilder:
    # Backdated a little: a verifier's clock may be behind the station's.
    start = at - _BACKDATED
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(serial).not_valid_before(start).not_valid_after(end)


def _subject(unit: str, label: str, identifier: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, (unit or "-")[:_NAME_CHARS]),
            x509.NameAttribute(NameOID.COMMON_NAME, label[:_NAME_CHARS]),
            x509.NameAttribute(NameOID.USER_ID, identifier),
        ]
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
