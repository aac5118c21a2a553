"""A person's signature over a statement: detached CMS (RFC 5652) in DER, in one exact shape.

Threat model: a signature that still "verifies" after its bytes were changed hides that a file was touched,
and a signature over something else is passed off as one over this statement. So there is only one encoding:
the verifier rebuilds the whole structure from certificate, time and signature value and compares bytes, and
of the two signature values that ECDSA accepts for a message only the smaller one counts.

Signed attributes: content type, message digest, signing time, signing certificate (RFC 5035, SHA-256).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from ..common.errors import Broken
from .pki import Credential, issued_by, person_of

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


_UNREADABLE = (InvalidSignature, StopIteration, UnsupportedAlgorithm, x509.InvalidVersion)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a good signature says: who, when (by the signer's clock), with which certificate."""

    person: str
    at: datetime
    certificate: x509.Certificate
    certificate_sha256: str


def sign_bytes(data: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """ECDSA P-256 with SHA-256 over `data`: deterministic (RFC 6979), the smaller s, DER."""
    raw = key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(raw)
    return encode_dss_signature(r, min(s, P256_ORDER - s))


def sign_statement(statement: bytes, credential: Credential, at: datetime) -> bytes:
    """Detached CMS over the statement's bytes, with the person's own key and certificate; DER."""
    certificate = credential.certificate_der
    attributes = _attributes(statement, certificate, at)
    signature = sign_bytes(attributes.untag().dump(), credential.key)
    return _build(certificate, attributes, signature)


def verify_statement(statement: bytes, signature: bytes, ca: x509.Certificate | None = None) -> Signed:
    """Checks a signature of `sign_statement`; with `ca`, also that this authority admitted the person.

    Raises:
        Broken: `statement_signature` when bytes, digest, signature or encoding are not right;
            `statement_foreign` when the certificate is not of this authority or names nobody.
    """
    try:
        info = cms.ContentInfo.load(signature, strict=True)
        signer = info["content"]["signer_infos"][0]
        der = info["content"]["certificates"][0].chosen.dump()
        certificate = x509.load_der_x509_certificate(der)
        at = next(
            item["values"][0].native
            for item in signer["signed_attrs"]
            if item["type"].native == "signing_time"
        )
        value = signer["signature"].native
        attributes = _attributes(statement, der, at)
        if _build(der, attributes, value) != signature:
            raise Broken("statement_signature")
        key = certificate.public_key()
        r, s = decode_dss_signature(value)
        if not isinstance(key, ec.EllipticCurvePublicKey) or s > P256_ORDER // 2:
            raise Broken("statement_signature")
        key.verify(encode_dss_signature(r, s), attributes.untag().dump(), ec.ECDSA(hashes.SHA256()))
    except (ValueError, TypeError, KeyError, IndexError, *_UNREADABLE) as error:
        raise Broken("statement_signature") from error
    person = person_of(certificate)
    if person is None or (ca is not None and not issued_by(certificate, ca, at)):
        raise Broken("statement_foreign")
    return Signed(
        person=person, at=at, certificate=certificate, certificate_sha256=hashlib.sha256(der).hexdigest()
    )


def certificate_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, in hex: how certificates are named in records."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _attributes(statement: bytes, certificate: bytes, at: datetime) -> Any:
    """The signed attributes, tagged as they stand in the structure."""
    parsed = asn1_x509.Certificate.load(certificate)
    issuer = asn1_x509.GeneralNames([asn1_x509.GeneralName("directory_name", parsed.issuer)])
    identified = tsp.ESSCertIDv2(
        {
            "cert_hash": hashlib.sha256(certificate).digest(),
            "issuer_serial": {"issuer": issuer, "serial_number": parsed.serial_number},
        }
    )
    time = cms.Time("utc_time", core.UTCTime(at.astimezone(UTC).replace(microsecond=0)))
    binding = tsp.SigningCertificateV2({"certs": [identified]})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "signing_time", "values": [time]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(statement).digest()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [binding]}),
        ]
    )


def _build(certificate: bytes, attributes: Any, signature: bytes) -> bytes:
    parsed = asn1_x509.Certificate.load(certificate)
    digest = algos.DigestAlgorithm({"algorithm": "sha256"})
    issuer = cms.IssuerAndSerialNumber({"issuer": parsed.issuer, "serial_number": parsed.serial_number})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", issuer),
            "digest_algorithm": digest,
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices("certificate", parsed)],
            "signer_infos": [signer],
        }
    )
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return der
