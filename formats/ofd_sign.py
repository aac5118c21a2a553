"""Signatures of an OFD (GB/T 33190-2016, clause 18): who says so, what is protected, what was altered since.

Threat model: a signature is only stated, never believed: the digests of the protected parts are computed again
(SM3, SHA-1, SHA-256, MD5), the digest inside the seal is compared, but the signature value itself and
the certificates are not verified here. A part that is not protected could have been exchanged; that is told.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives import hashes

from ..models.page import Finding
from .fault import FormatFault
from .ofd_document import OfdBody
from .ofd_geometry import Rect, rect_of
from .ofd_package import Node, OfdPackage, child_text, text_of
from .ofd_seal import Seal, seal_in, signed_hash

_MAX_SIGNATURES = 500
_MAX_REFERENCES = 20_000
_MAX_STAMPS = 5_000
_METHODS: dict[str, type[hashes.HashAlgorithm]] = {
    "SM3": hashes.SM3, "1.2.156.10197.1.401": hashes.SM3,
    "SHA256": hashes.SHA256, "SHA-256": hashes.SHA256, "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "SHA1": hashes.SHA1, "SHA-1": hashes.SHA1, "1.3.14.3.2.26": hashes.SHA1,
    "MD5": hashes.MD5, "1.2.840.113549.2.5": hashes.MD5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamp:
    """A seal's appearance on a page: the page's id, where (mm), and the part of it that shows."""

    page: str
    box: Rect
    cut: Rect | None
    seal: Seal


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signatures of one document say."""

    state: Literal["none", "present"]
    stamps: tuple[Stamp, ...]
    findings: tuple[Finding, ...]


def look_at_signatures(package: OfdPackage, body: OfdBody) -> Signed:
    """The signatures of a document; what is broken in them becomes a finding, never an error."""
    if not body.signatures:
        return Signed("none", (), ())
    listed = package.find(body.signatures, "OFD.xml", body.root_part)
    try:
        root = package.tree(listed, "OFD signatures") if listed is not None else None
    except FormatFault:
        root = None
    if listed is None or root is None:
        return Signed("none", (), (Finding("ofd_signature_lost"),))
    stamps: list[Stamp] = []
    findings: list[Finding] = []
    count = 0
    for node in root.iter("Signature"):
        count += 1
        if count > _MAX_SIGNATURES:
            break
        part = package.find(node.get("BaseLoc"), listed, body.root_part)
        try:
            tree = package.tree(part, "OFD signature") if part is not None else None
        except FormatFault:
            tree = None
        if part is None or tree is None:
            findings.append(Finding("ofd_signature_lost"))
            continue
        _one(package, body, part, tree, stamps, findings)
    return Signed("present" if count else "none", tuple(stamps), tuple(dict.fromkeys(findings)))


def _one(
    package: OfdPackage, body: OfdBody, part: str, tree: Node, stamps: list[Stamp], findings: list[Finding]
) -> None:
    info = tree.find("SignedInfo")
    value = _bytes(package, package.find(child_text(tree, "SignedValue"), part, body.root_part))
    seal_part = package.find(child_text(info.find("Seal"), "BaseLoc"), part) if info is not None else None
    seal = seal_in(value) or seal_in(_bytes(package, seal_part))
    findings.append(Finding("ofd_signature_stated", detail=_told(info, seal)))
    if not value:
        findings.append(Finding("ofd_signature_lost"))
    if info is None:
        findings.append(Finding("ofd_signature_uncheckable"))
        return
    findings += _references(package, body, info, part)
    stated = signed_hash(value)
    if stated is not None and not any(
        stated == _digest(method, _bytes(package, part))
        for method in (hashes.SM3, hashes.SHA256, hashes.SHA1)
        if method.digest_size == len(stated)
    ):
        findings.append(Finding("ofd_signature_altered"))
    for node in info.iterfind("StampAnnot"):
        box = rect_of(node.get("Boundary"))
        if len(stamps) >= _MAX_STAMPS or box is None:
            continue
        if seal is None:
            findings.append(Finding("ofd_seal_unseen"))
            continue
        cut = rect_of(node.get("Clip"))
        if cut is not None:
            cut = Rect(box.x + cut.x, box.y + cut.y, cut.width, cut.height)
        stamps.append(Stamp(page=(node.get("PageRef") or "").strip(), box=box, cut=cut, seal=seal))


def _told(info: Node | None, seal: Seal | None) -> str:
    """Seal, maker and time as the file states them."""
    provider = info.find("Provider") if info is not None else None
    words = [seal.name if seal is not None else ""]
    if provider is not None:
        words += [provider.get("ProviderName") or "", provider.get("Company") or ""]
    words.append(child_text(info, "SignatureDateTime"))
    kept = dict.fromkeys(" ".join(word.split())[:120] for word in words if word.strip())
    return " / ".join(kept)


def _references(package: OfdPackage, body: OfdBody, info: Node, part: str) -> list[Finding]:
    listed = info.find("References")
    nodes = listed.findall("Reference") if listed is not None else []
    name = ((listed.get("CheckMethod") if listed is not None else None) or "MD5").strip().upper()
    method = _METHODS.get(name)
    if method is None or not nodes or len(nodes) > _MAX_REFERENCES:
        return [Finding("ofd_signature_uncheckable")]
    altered, protected = 0, set()
    for node in nodes:
        found = package.find(node.get("FileRef"), part, body.root_part)
        stated = _decoded(text_of(node.find("CheckValue")))
        if found is None or _digest(method, _bytes(package, found)) != stated:
            altered += 1
        if found is not None:
            protected.add(found)
    findings = [Finding("ofd_reference_altered", detail=str(altered))] if altered else []
    shown = {body.root_part, *(page.part for page in body.pages)}
    shown |= {name for page in body.pages for name, _ in page.templates}
    if shown - protected:
        findings.append(Finding("ofd_signature_partial", detail=str(len(shown - protected))))
    return findings


def _digest(method: type[hashes.HashAlgorithm], data: bytes) -> bytes:
    running = hashes.Hash(method())
    running.update(data)
    return running.finalize()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bytes(package: OfdPackage, part: str | None) -> bytes:
    if part is None:
        return b""
    try:
        return package.read(part)
    except FormatFault:
        return b""


def stamps_of(stamps: Sequence[Stamp], page: str) -> list[Stamp]:
    """The stamps that stand on a page."""
    return [stamp for stamp in stamps if stamp.page == page]
