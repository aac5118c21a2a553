"""The room's seal on a PDF: one PAdES signature (B-B, EC P-256) over everything, deterministic in its value.

The list of revoked certificates and the station's certificate go into the file before it is signed, so that
nothing has to be added afterwards: bytes after the signature would not be covered by it.
"""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import Any

from asn1crypto import algos
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import cms_embedder
from pyhanko.sign.signers.pdf_byterange import PdfSignedData
from pyhanko_certvalidator.registry import SimpleCertificateStore

from ..vault.cms import sign_bytes
from ..vault.pki import Credential

FIELD = "RoomSeal"
_ROOM = 8192


class _Seal(signers.Signer):
    """Signs with the smaller s and without randomness; the library's own signer does neither."""

    def __init__(self, credential: Credential) -> None:
        super().__init__(
            signing_cert=asn1_x509.Certificate.load(credential.certificate_der),
            cert_registry=_no_certificates(),
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            embed_roots=False,
        )
        self._key = credential.key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The raw signature; a dry run asks for its largest size."""
        if digest_algorithm != "sha256":
            raise ValueError("SHA-256 only")
        return bytes(72) if dry_run else sign_bytes(data, self._key)


def _no_certificates() -> Any:
    make: Any = SimpleCertificateStore
    return make()


def seal(pdf: bytes, *, credential: Credential, ca: bytes, crl: bytes, at: datetime) -> bytes:
    """The sealed file; `ca` and `crl` are DER and stand in its DSS dictionary."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    _add_dss(writer, ca=ca, crl=crl)
    setup = cms_embedder.SigObjSetup(
        sig_placeholder=PdfSignedData(
            obj_type=generic.pdf_name("/Sig"),
            subfilter=SigSeedSubFilter.PADES,
            timestamp=at,
            bytes_reserved=_ROOM,
        )
    )
    out = io.BytesIO()
    steps = cms_embedder.PdfCMSEmbedder().write_cms(field_name=FIELD, writer=writer)
    next(steps)
    steps.send(setup)
    digest, _ = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", output=out))
    signed = asyncio.run(_Seal(credential).async_sign(digest.document_digest, "sha256", use_pades=True))
    steps.send(signed.dump())
    return out.getvalue()


def _add_dss(writer: Any, *, ca: bytes, crl: bytes) -> None:
    streams = {
        "/Certs": writer.add_object(generic.StreamObject(stream_data=ca)),
        "/CRLs": writer.add_object(generic.StreamObject(stream_data=crl)),
    }
    make: Any = generic.DictionaryObject
    dss = make({generic.pdf_name("/Type"): generic.pdf_name("/DSS")})
    for name, reference in streams.items():
        dss[generic.pdf_name(name)] = generic.ArrayObject([reference])
    writer.root[generic.pdf_name("/DSS")] = writer.add_object(dss)
    writer.update_root()
