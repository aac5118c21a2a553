#!/usr/bin/env python3
"""Stand-alone verifier of certificates of destruction (docs/spec/certificate.md).

    python certificate_verifier.py FILE.pdf [--trust CA.pem] [--proof PROOF.json] [--title TITLE.json] [--at DAY]

With `certificate_rules.py`, `certificate_der.py` and `certificate_sm2.py` beside it; needs Python 3.11, `cryptography`
and `pypdf`; no station, no network. Prints one JSON value; exit 0 when valid and not distrusted, 7 when not, 2 for
wrong usage.

Signatures are judged at the time they were made: what has ended since does not undo them. What an outsider has to know
of it years later stands in `notes`, as of `--at` (default: now).

Threat model: a signer or witness is left out, a person signs twice, the list is changed after approval, bytes
are added, cut off or flipped anywhere, another authority issues look-alike certificates, a person's key seals
a forged certificate. The order matters: nothing inside the file is parsed before the seal over all its bytes
holds. Without a trust anchor the answer says what the file is in itself, not who made it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import sys
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

try:
    from . import certificate_der as asn
    from . import certificate_rules as rules
    from . import certificate_sm2 as sm2
except ImportError:  # run as a script: the others lie in the same folder
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import certificate_der as asn  # type: ignore[import-not-found,no-redef]
    import certificate_rules as rules  # type: ignore[import-not-found,no-redef]
    import certificate_sm2 as sm2  # type: ignore[import-not-found,no-redef]

_TYPE, _STATEMENT, _RECORD = "jiyao.destruction", "jiyao.statement", "certificate.json"
_SM2_KEY, _SM2_SIGNATURE = "sm2.cer", "certificate.sm2"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_OID_SIGNED, _OID_DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
_OID_DIGEST, _OID_TYPE = bytes.fromhex("06092a864886f70d010904"), bytes.fromhex("06092a864886f70d010903")
_OID_TIME, _OID_CERT = bytes.fromhex("06092a864886f70d010905"), bytes.fromhex("060b2a864886f70d010910022f")
_SHA256 = (bytes.fromhex("300b0609608648016503040201"), bytes.fromhex("300d06096086480165030402010500"))
_ONE, _ECDSA = b"\x02\x01\x01", bytes.fromhex("300a06082a8648ce3d040302")
_SEAL = (1, "/Sig", False, "/ETSI.CAdES.detached")
_CLOCK_SECONDS = 300
_SHOWN = ("act", "role", "person", "at", "place")
_UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError,
    AssertionError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, pypdf.errors.PyPdfError,
)  # fmt: skip


class Bad(Exception):  # noqa: N818
    """One thing that is wrong, by its code."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Contents of a good detached CMS: certificate (DER), signing time attribute if any."""

    certificate: bytes
    at: datetime | None


@dataclass(slots=True)
class _Found:
    """What has been found out so far."""

    broken: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    distrust: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    statements: list[dict[str, str]] = field(default_factory=list)
    certificates: list[tuple[bytes, datetime]] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)


def check(
    pdf: bytes,
    *,
    trust_pem: bytes | None = None,
    proof: bytes | None = None,
    title: bytes | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """The verdict on a file, as JSON values; never raises for what is in the file.

    Args:
        at: the day of the look, for `notes`; the verdict does not depend on it. None: no notes.
        title: an opening of one line's title (JSON `{"batch","item","salt","title"}`), given apart.
    """
    found = _Found()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            signed, gap = seal_of(pdf)
            _contents(pdf, signed, gap, found)
            if proof is not None:
                check_proof(proof, hashlib.sha256(pdf).hexdigest(), found, trust_pem)
            if title is not None:
                _opened(title, found)
        except Bad as wrong:
            found.broken.append(str(wrong))
        trusted = None if trust_pem is None else _trust(trust_pem, found)
    intact = not found.broken
    complete = intact and not found.missing
    keys = ("signer", "signed_at", "id", "list_sha256")
    return {
        "valid": intact and complete, "intact": intact, "complete": complete, "trusted": trusted,
        **{key: found.values.get(key) for key in keys}, "items": found.values.get("items", 0),
        "sm2": found.values.get("sm2"), "statements": found.statements,
        "reasons": list(dict.fromkeys([*found.broken, *found.missing, *found.distrust])),
        "notes": _notes(found, trust_pem, at, proved=proof is not None) if intact and at is not None else [],
    }  # fmt: skip


def _notes(found: _Found, trust_pem: bytes | None, at: datetime, *, proved: bool) -> list[dict[str, str]]:
    """What has ended between the signatures and the day of the look."""
    ends = [x509.load_der_x509_certificate(der).not_valid_after_utc for der, _ in found.certificates]
    try:
        anchor = None if trust_pem is None else x509.load_pem_x509_certificate(trust_pem).not_valid_after_utc
        lists = [x509.load_der_x509_crl(data).next_update_utc for data in found.crls]
    except _UNREADABLE:
        anchor, lists = None, []
    known = max((until for until in lists if until is not None), default=None)
    sealed = datetime.fromisoformat(found.values["signed_at"])
    return rules.notes(sealed, at, ends=min(ends), anchor=anchor, lists=known, proved=proved)


def seal_of(pdf: bytes) -> tuple[Signed, tuple[int, int]]:
    """The one seal over the whole file, and where its value stands; looks at bytes only.

    Raises:
        Bad: `cert_no_seal`, `cert_several_seals`, `cert_bytes_outside`, `cert_encoding`, `cert_digest`,
            `cert_signature`.
    """
    ranges = re.findall(rb"/ByteRange ?\[ ?(\d{1,12}) (\d{1,12}) (\d{1,12}) (\d{1,12}) ?\]", pdf)
    if not ranges:
        raise Bad("cert_no_seal")
    if len(ranges) > 1 or pdf.count(b"/ByteRange") != 1:
        raise Bad("cert_several_seals")
    start, first, second, last = map(int, ranges[0])
    framed = pdf[first : first + 1] == b"<" and pdf[second - 1 : second] == b">"
    if start != 0 or not first < second or second + last != len(pdf) or not framed:
        raise Bad("cert_bytes_outside")
    written = pdf[first + 1 : second - 1]
    try:
        raw = bytes.fromhex(written.decode("ascii"))
        end = asn.element(raw, 0)[2]
        if raw.hex().upper().encode() == written and not any(raw[end:]):
            digest = hashlib.sha256(pdf[:first] + pdf[second:]).digest()
            return open_cms(raw[:end], digest), (first, second)
    except (ValueError, IndexError) as error:
        raise Bad("cert_encoding") from error
    raise Bad("cert_encoding")


def open_cms(der: bytes, digest: bytes) -> Signed:
    """Checks a detached CMS over data with this SHA-256. Every byte of it is accounted for.

    Raises:
        Bad: `cert_encoding`, `cert_digest`, `cert_signature`.
    """
    kind, wrapped = asn.children(asn.body(der, 0x30), 2)
    version, algorithms, content, certificates, signers = asn.children(
        asn.body(asn.only_body(wrapped, 0xA0), 0x30), 5
    )
    fixed = [kind, version, asn.body(content, 0x30)] == [_OID_SIGNED, _ONE, _OID_DATA]
    certificate = asn.only_body(certificates, 0xA0)
    parts = asn.children(asn.body(asn.only_body(signers, 0x31), 0x30), 6)
    version, who, algorithm, attributes, mechanism, value = parts
    fixed = fixed and [version, mechanism] == [_ONE, _ECDSA] and asn.body(algorithms, 0x31) in _SHA256
    names = asn.children(
        asn.body(asn.children(asn.body(certificate, 0x30), 3)[0], 0x30)
    )  # version, serial, …, issuer
    if not fixed or algorithm not in _SHA256 or asn.body(who, 0x30) != names[3] + names[1]:
        raise Bad("cert_encoding")
    return _signer(certificate, attributes, value, digest)


def _signer(certificate: bytes, attributes: bytes, value: bytes, digest: bytes) -> Signed:
    pairs = [asn.children(asn.body(entry, 0x30), 2) for entry in asn.children(asn.body(attributes, 0xA0))]
    known = {name: asn.only_body(values, 0x31) for name, values in pairs}
    if len(known) != len(pairs) or known.get(_OID_TYPE) != _OID_DATA or _OID_CERT not in known:
        raise Bad("cert_encoding")
    if known.get(_OID_DIGEST) != b"\x04\x20" + digest:
        raise Bad("cert_digest")
    identified = asn.children(asn.body(asn.only_body(asn.only_body(known[_OID_CERT], 0x30), 0x30), 0x30))
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        signature = asn.body(value, 0x04)
        r, s = utils.decode_dss_signature(signature)
        if utils.encode_dss_signature(r, s) != signature or not 0 < s <= _ORDER // 2:
            raise Bad("cert_encoding")
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise Bad("cert_signature")
        key.verify(signature, b"\x31" + attributes[1:], ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Bad("cert_signature") from error
    if identified[0] != b"\x04\x20" + hashlib.sha256(certificate).digest():
        raise Bad("cert_signature")
    at = None
    if _OID_TIME in known:
        text = asn.body(known[_OID_TIME], 0x17).decode("ascii")
        at = datetime.strptime("20" + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return Signed(certificate=certificate, at=at)


def _contents(pdf: bytes, signed: Signed, gap: tuple[int, int], found: _Found) -> None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(pdf), strict=True)
        root: Any = reader.root_object
        fields = [entry.get_object() for entry in root["/AcroForm"]["/Fields"]]
        sealed = fields[0]["/V"].get_object()
        kinds = (len(fields), fields[0]["/FT"], "/Kids" in fields[0], sealed["/SubFilter"])
        covered = [int(number) for number in sealed["/ByteRange"]]
        if kinds != _SEAL or covered != [0, gap[0], gap[1], len(pdf) - gap[1]]:
            raise Bad("cert_several_seals")
        sealed_at = _pdf_time(str(sealed["/M"]))
        files = {name: list(data) for name, data in reader.attachments.items()}
        authority = root["/DSS"]["/Certs"][0].get_object().get_data()
        found.crls = [crl.get_object().get_data() for crl in root["/DSS"]["/CRLs"]]
        owner = x509.load_der_x509_certificate(signed.certificate)
        found.values["signer"] = owner.subject.rfc4514_string()
    except _UNREADABLE as error:
        raise Bad("cert_structure") from error
    found.values["signed_at"] = sealed_at.isoformat()
    found.certificates.append((signed.certificate, sealed_at))
    if any(len(data) != 1 for data in files.values()) or _RECORD not in files:
        raise Bad("cert_record_missing")
    data = files.pop(_RECORD)[0]
    record = _canonical(data)
    if record.get("type") != _TYPE or record.get("version") != 1:
        raise Bad("cert_record_wrong")
    if not _issued(signed.certificate, authority) or _uid(signed.certificate) != record.get("store"):
        raise Bad("cert_signature")
    try:
        found.record = record
        found.values["store"] = record["store"]
        found.values.update(id=record["batch"], list_sha256=record["list_sha256"], items=len(record["items"]))
        found.missing += rules.of_record(record, sealed_at)
        others = {name: entry[0] for name, entry in files.items()}
        if record.get("sm2") is not None:
            _second(record, data, others, authority, found)
        _statements(record, others, authority, found)
    except _UNREADABLE as error:
        raise Bad("cert_record_wrong") from error


def _second(
    record: dict[str, Any], data: bytes, files: dict[str, bytes], authority: bytes, found: _Found
) -> None:
    """The room's SM2 signature over the data, of which the data says whether there is one; takes it out of `files`.

    Raises:
        Bad: `cert_sm2_foreign`, `cert_sm2_signature`, `cert_record_wrong`.
    """
    said = record["sm2"]
    if said["state"] == "none" and said["reason"] in ("no_key", "no_library"):
        found.values["sm2"] = "sm2_none"
        return
    if said["state"] != "signed":
        raise Bad("cert_record_wrong")
    found.values["sm2"] = "sm2_wrong"
    certificate, signature = files.pop(_SM2_KEY, None), files.pop(_SM2_SIGNATURE, None)
    if certificate is None or signature is None:
        found.missing.append("cert_sm2_missing")
        return
    named = hashlib.sha256(certificate).hexdigest() == said["certificate_sha256"]
    if not named or not _issued(certificate, authority) or _uid(certificate) != record["store"]:
        raise Bad("cert_sm2_foreign")
    if not sm2.holds(asn.public_key(certificate), data, signature):
        raise Bad("cert_sm2_signature")
    found.certificates.append((certificate, datetime.fromisoformat(record["issued_at"])))
    found.values["sm2"] = "sm2_checked"


def _statements(record: dict[str, Any], files: dict[str, bytes], authority: bytes, found: _Found) -> None:
    outcomes = rules.outcomes_digest(record)
    signed: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    count = len(files) // 2
    names = {f"statement-{n:02}.{kind}" for n in range(1, count + 1) for kind in ("json", "p7s")}
    if set(files) != names:
        raise Bad("cert_attachments")
    for number in range(1, count + 1):
        text = files[f"statement-{number:02}.json"]
        statement = _canonical(text)
        try:
            by = open_cms(files[f"statement-{number:02}.p7s"], hashlib.sha256(text).digest())
        except (Bad, ValueError, IndexError) as error:
            raise Bad("statement_signature") from error
        if _uid(by.certificate) != statement["person"] or not _issued(by.certificate, authority):
            raise Bad("statement_foreign")
        at = datetime.fromisoformat(statement["at"])
        if by.at is None or abs((by.at - at).total_seconds()) > _CLOCK_SECONDS:
            found.missing.append("cert_time")
        if (statement["type"], statement["version"]) != (_STATEMENT, 1):
            raise Bad("statement_signature")
        if statement["list_sha256"] != record["list_sha256"] or statement["batch"] != record["batch"]:
            found.missing.append("cert_statement_list")
        if statement["act"] == "attest" and statement["outcomes_sha256"] != outcomes:
            found.missing.append("cert_statement_outcomes")
        found.certificates.append((by.certificate, at))
        found.statements.append({key: str(statement[key]) for key in _SHOWN[:4]})
        said.append(statement)
        shown = {key: statement[key] for key in _SHOWN}
        signed.append({**shown, "certificate_sha256": hashlib.sha256(by.certificate).hexdigest()})
    keys = (*_SHOWN, "certificate_sha256")
    required = [{key: entry[key] for key in keys} for entry in record["required"]]
    if any(entry not in signed for entry in required):
        found.missing.append("cert_statement_missing")
    if any(entry not in required for entry in signed) or len(required) != len(signed):
        found.missing.append("cert_statement_unlisted")
    found.missing += rules.of_persons(
        signed,
        small_room=record["small_room"] is True,
        approval_first=record.get("approval_first") is True,
    )
    found.missing += rules.of_reservations(record, said) + rules.of_physical(record, said)
    issued = datetime.fromisoformat(record["issued_at"])
    if any(datetime.fromisoformat(entry["at"]) > issued for entry in signed):
        found.missing.append("cert_order")


def _opened(title: bytes, found: _Found) -> None:
    """Whether the title given apart is the one a line commits to."""
    try:
        found.missing += rules.opening(found.record, json.loads(title))
    except _UNREADABLE as error:
        raise Bad("cert_title_other") from error


def _trust(trust_pem: bytes, found: _Found) -> bool:
    """Whether the trust anchor issued every certificate used and revoked none of them at its time."""
    wrong = None
    try:
        anchor = x509.load_pem_x509_certificate(trust_pem)
        key: Any = anchor.public_key()
        lists = [x509.load_der_x509_crl(data) for data in found.crls]
        good = [crl for crl in lists if crl.issuer == anchor.subject and crl.is_signature_valid(key)]
        for der, at in found.certificates:
            wrong = wrong or _distrusted(x509.load_der_x509_certificate(der), anchor, good, at)
        if not good:
            wrong = wrong or "cert_no_crl"
    except _UNREADABLE:
        wrong = "cert_foreign"
    if not found.values or not found.certificates:
        return False
    if wrong is not None:
        found.distrust.append(wrong)
    return wrong is None


def _distrusted(
    certificate: x509.Certificate, anchor: x509.Certificate, lists: Any, at: datetime
) -> str | None:
    certificate.verify_directly_issued_by(anchor)
    for one in (certificate, anchor):
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            return "cert_expired"
    for crl in lists:
        gone = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if gone is not None and gone.revocation_date_utc <= at:
            return "cert_revoked"
    return None


def check_proof(proof: bytes, file_sha256: str, found: _Found, trust_pem: bytes | None) -> None:
    """Checks that the ledger's entry for exactly this file stands under a signed tree head.

    Raises:
        Bad: `cert_proof_unreadable`, `cert_proof_other_file`, `cert_proof_wrong`, `cert_proof_unsigned`.
    """
    try:
        value = json.loads(proof)
        leaf, head = value["leaf"].encode(), value["head"]
        entry = json.loads(leaf)
        path = [bytes.fromhex(step) for step in value["path"]]
        seq, size = int(value["seq"]), int(head["size"])
        signer = base64.b64decode(value["certificate"], validate=True)
        names = {"at": head["at"], "format": "jiyao.ledger_head", "origin": value["origin"]}
        shown = rules.canonical({**names, "root": head["root"], "size": size, "version": 1})
        signature = base64.b64decode(head["signature"] or "", validate=True)
        at = None if head["at"] is None else datetime.fromisoformat(head["at"])
        key: Any = x509.load_der_x509_certificate(signer).public_key()
        named, numbered, root = entry["facts"].get("file_sha256"), entry["seq"], head["root"]
        own = _uid(signer) == value["origin"] == found.values.get("store")
    except _UNREADABLE as error:
        raise Bad("cert_proof_unreadable") from error
    if named != file_sha256 or numbered != seq:
        raise Bad("cert_proof_other_file")
    reached = root_of_path(seq - 1, size, hashlib.sha256(b"\x00" + leaf).digest(), path)
    if reached is None or reached.hex() != root:
        raise Bad("cert_proof_wrong")
    try:
        key.verify(signature, shown, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, AttributeError, TypeError) as error:
        raise Bad("cert_proof_unsigned") from error
    if not own:
        raise Bad("cert_proof_unsigned")
    if trust_pem is not None and at is not None:
        found.certificates.append((signer, at))


def root_of_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes | None:
    """Root that an audit path leads to (RFC 6962, 2.1.1), by the definition of the tree."""
    if not 0 <= index < size or (size == 1) != (not path):
        return None
    if size == 1:
        return leaf
    half = 1 << (size - 1).bit_length() - 1
    left = index < half
    below = root_of_path(index if left else index - half, half if left else size - half, leaf, path[:-1])
    if below is None:
        return None
    return hashlib.sha256(b"\x01" + (below + path[-1] if left else path[-1] + below)).digest()


def _canonical(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
        if not isinstance(value, dict) or rules.canonical(value) != data:
            raise Bad("cert_not_canonical")
    except _UNREADABLE as error:
        raise Bad("cert_not_canonical") from error
    return value


def _uid(certificate: bytes) -> str | None:
    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.USER_ID)
    return str(names[0].value) if len(names) == 1 else None


def _issued(certificate: bytes, authority: bytes) -> bool:
    try:
        issuer = x509.load_der_x509_certificate(authority)
        x509.load_der_x509_certificate(certificate).verify_directly_issued_by(issuer)
        return True
    except _UNREADABLE:
        return False


def _pdf_time(text: str) -> datetime:
    match = re.fullmatch(r"D:(\d{14})(?:Z|([+-]\d\d)'(\d\d)'?)?", text)
    if match is None:
        raise ValueError("no time")
    offset = "+0000" if match[2] is None else match[2] + match[3]
    return datetime.strptime(match[1] + offset, "%Y%m%d%H%M%S%z")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify a certificate of destruction.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", type=Path, help="the station's authority (PEM)")
    parser.add_argument("--proof", type=Path, help="a ledger proof of this file (JSON)")
    parser.add_argument("--title", type=Path, help="title and salt of one line, given apart (JSON)")
    parser.add_argument(
        "--at", type=_day, default=None, help="look at it as of this day (YYYY-MM-DD); default: now"
    )
    options = parser.parse_args(arguments)
    trust = options.trust.read_bytes() if options.trust else None
    proof = options.proof.read_bytes() if options.proof else None
    title = options.title.read_bytes() if options.title else None
    at = options.at or datetime.now(UTC)
    report = check(options.file.read_bytes(), trust_pem=trust, proof=proof, title=title, at=at)
    report["words"] = rules.explained(report)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return 0 if report["valid"] and report["trusted"] is not False else 7


if __name__ == "__main__":
    sys.exit(main())
