"""Makes the certificate of destruction: form and inventory, the data and the signed statements, one seal.

The station never signs for a person: it only collects what persons signed at their acts and seals the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..common.clock import iso
from ..common.errors import Broken
from ..models.certificate import DestructionRecord, InventoryLine, SignedStatement
from ..vault.pki import Credential
from ..vault.sm2 import Sm2Credential, sign
from .certify_form import Attachment
from .certify_pdf import draw
from .certify_seal import seal as seal_pdf
from .verify_certificate import CertificateReport, verify

RECORD_NAME, SM2_SIGNATURE, SM2_CERTIFICATE = "certificate.json", "certificate.sm2", "sm2.cer"


@dataclass(frozen=True, slots=True)
class Certified:
    """The sealed file, its digest (for the ledger: fact `file_sha256`), the report of its verification."""

    pdf: bytes
    sha256: str
    report: CertificateReport


def draft(
    *,
    record: DestructionRecord,
    inventory: Sequence[InventoryLine],
    names: Mapping[str, str],
    fonds: str,
    at: datetime,
) -> bytes:
    """What a dry run shows: the forms as they would be, marked as a specimen, neither signed nor sealed, with no data
    attached; no verifier takes it for a certificate.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    return draw(
        record=record, inventory=inventory, names=names, fonds=fonds, attachments=(), at=at, draft=True
    )


def certify(
    *,
    record: DestructionRecord,
    inventory: Sequence[InventoryLine],
    statements: Sequence[SignedStatement],
    names: Mapping[str, str],
    fonds: str,
    seal: Credential,
    ca: x509.Certificate,
    crl: bytes,
    signed_at: datetime,
    sm2: Sm2Credential | None = None,
) -> Certified:
    """Draws, embeds, seals and verifies one certificate.

    Args:
        record: what is certified; `issued_at` is `iso(signed_at)`.
        inventory: lines of the 销毁清册, one for each item, from the register.
        statements: what every person signed, in the order of the acts.
        names: person id to name, as printed.
        fonds: 全宗号 or the unit's name, for the cover.
        crl: the station's list of revoked certificates, DER.
        sm2: the room's SM2 key, when `record.sm2` says that it signs.

    Raises:
        ValueError: when `issued_at` is another time than that of the seal, or `record.sm2` names another key.
        MissingTool: `font_missing`, `glyph_missing`, `sm2_library_missing`.
        Broken: `certificate_not_valid` when the result does not verify; then nothing may be issued.
    """
    if record.issued_at != iso(signed_at):
        raise ValueError("issued_at is not the time of the seal")
    data = record.to_bytes()
    attachments = [Attachment(RECORD_NAME, data, "application/json"), *_second(record, data, sm2)]
    for number, signed in enumerate(statements, start=1):
        stem = f"statement-{number:02}"
        attachments.append(Attachment(f"{stem}.json", signed.statement, "application/json"))
        attachments.append(Attachment(f"{stem}.p7s", signed.signature, "application/pkcs7-signature"))
    plain = draw(
        record=record, inventory=inventory, names=names, fonds=fonds, attachments=attachments, at=signed_at
    )
    authority = ca.public_bytes(Encoding.DER)
    pdf = seal_pdf(plain, credential=seal, ca=authority, crl=crl, at=signed_at)
    report = verify(pdf, trust_pem=ca.public_bytes(Encoding.PEM))
    if not report.valid or report.trusted is False:
        raise Broken("certificate_not_valid", reasons=", ".join(report.reasons))
    return Certified(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), report=report)


def _second(record: DestructionRecord, data: bytes, sm2: Sm2Credential | None) -> list[Attachment]:
    """The room's SM2 signature over the data and the certificate of its key; nothing where the data names none."""
    named = record.sm2.certificate_sha256 if record.sm2 is not None else None
    own = hashlib.sha256(sm2.certificate_der).hexdigest() if sm2 is not None else None
    if named != own:
        raise ValueError("the record names another SM2 key")
    if sm2 is None:
        return []
    return [
        Attachment(SM2_SIGNATURE, sign(data, sm2.private), "application/octet-stream"),
        Attachment(SM2_CERTIFICATE, sm2.certificate_der, "application/pkix-cert"),
    ]
