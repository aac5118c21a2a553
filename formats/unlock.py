"""Opens encrypted PDF and Office files with passwords that were given; never tries any other.

Threat model: runs in the worker on hostile bytes, like every parser. Passwords come with the job, are held for
it alone, and stand in no message: the answer names the place of the one that fitted in the list.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from ..common.limits import Limits
from ..models.page import Finding
from .fault import FormatFault, guarded
from .open import open_document
from .opened import OpenedDocument

_AGILE = b"\x04\x00\x04\x00"
OFFICE_DEFAULT = "VelvetSweatshop"
"""With it Office encrypts a file that is to open without a question ([MS-XLS] 2.5.343 note); every reader tries it."""
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def unlock(data: bytes, passwords: Sequence[str], *, limits: Limits) -> tuple[bytes, int | None]:
    """The same document without its encryption, and which password opened it (from 0; None: the format's default).

    Raises:
        FormatFault: `encrypted_file` when no password was given, for a kind that opens only by certificate, or
            is not known; `wrong_file_password` when none fits; `damaged_file`; `too_large`.
    """
    office = data.startswith(_OLE2)
    tries = ((None, OFFICE_DEFAULT),) if office else ()
    for number, password in (*tries, *enumerate(passwords)):
        clear = _office(data, password) if office else _pdf(data, password)
        if clear is not None:
            if len(clear) > limits.file_bytes:
                raise FormatFault("too_large", f"> {limits.file_bytes}")
            return clear, number
    raise FormatFault("wrong_file_password" if passwords else "encrypted_file", "Office" if office else "PDF")


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


def _pdf(data: bytes, password: str) -> bytes | None:
    import pypdfium2
    import pypdfium2.raw as raw

    if not _is_pdf(data):
        raise FormatFault("encrypted_file", "-")
    try:
        document = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            return None
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise FormatFault("encrypted_file", "PDF, certificate") from error
        raise FormatFault("damaged_file", "PDF") from error
    with guarded("PDF"):
        out = io.BytesIO()
        document.save(out, flags=raw.FPDF_REMOVE_SECURITY)
        document.close()
        return out.getvalue()


def _office(data: bytes, password: str) -> bytes | None:
    import msoffcrypto
    import olefile
    from msoffcrypto import exceptions as wrong

    from .office_agile import decrypt_agile

    with guarded("Office"):
        with olefile.OleFileIO(io.BytesIO(data)) as streams:
            if streams.exists("EncryptionInfo") and streams.exists("EncryptedPackage"):
                info = streams.openstream("EncryptionInfo").read()
                if info[:4] == _AGILE:
                    return decrypt_agile(info, streams.openstream("EncryptedPackage").read(), password)
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        out = io.BytesIO()
        try:
            office.load_key(password=password)
            office.decrypt(out)
        except (wrong.InvalidKeyError, wrong.DecryptionError):
            return None
        return out.getvalue()


def open_locked(
    data: bytes, passwords: Sequence[str], *, limits: Limits
) -> tuple[OpenedDocument, bytes, int | None]:
    """The document opened, its bytes without encryption, and which password it took (None: none of them).

    Raises:
        FormatFault: as `open_document` and `unlock`.
    """
    try:
        return open_document(data, limits=limits), data, None
    except FormatFault as fault:
        if fault.code != "encrypted_file":
            raise
    clear, number = unlock(data, passwords, limits=limits)
    opened = open_document(clear, limits=limits)
    opened.findings += (Finding("opened_with_password"),)
    opened.protection = "read"
    return opened, clear, number
