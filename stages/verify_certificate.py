"""Verifies a certificate of destruction without a station, by the code of the stand-alone verifier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..ledger.certificate_verifier import check


@dataclass(frozen=True, slots=True)
class StatementReport:
    """One person's statement whose signature holds."""

    act: str
    role: str
    person: str
    at: str


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """The verdict. `valid` is intact and complete; `trusted` is None without a trust anchor.

    intact: every byte is covered, digest, seal, canonical encodings and (when given) ledger proof hold.
    complete: data and list agree; every required person signed, in the right role, distinct where they must.
    """

    valid: bool
    intact: bool
    complete: bool
    trusted: bool | None
    signer: str | None
    signed_at: str | None
    id: str | None
    """The destruction's id."""
    list_sha256: str | None
    items: int
    statements: tuple[StatementReport, ...]
    reasons: tuple[str, ...]
    """Message codes of what is wrong."""
    sm2: str | None = None
    """Message code of what is to be said of the room's SM2 signature; None where the data says nothing of one."""
    notes: tuple[dict[str, str], ...] = ()
    """What has ended since the signatures: message `code` and `day`."""


def verify(
    pdf: bytes,
    *,
    trust_pem: bytes | None = None,
    proof: bytes | None = None,
    title: bytes | None = None,
    at: datetime | None = None,
) -> CertificateReport:
    """Checks the file; never raises for what is in it.

    Args:
        trust_pem: the station's authority, PEM.
        proof: a ledger proof (JSON, `jiyao ledger proof`) that names this file's SHA-256.
        title: title and salt of one line, given apart (JSON, `jiyao certificate title`).
        at: the day of the look, for `notes`.
    """
    found: dict[str, Any] = check(pdf, trust_pem=trust_pem, proof=proof, title=title, at=at)
    statements = tuple(StatementReport(**entry) for entry in found.pop("statements"))
    lists = {name: tuple(found[name]) for name in ("reasons", "notes")}
    return CertificateReport(**{**found, "statements": statements, **lists})
