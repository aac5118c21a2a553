"""Opens one document under limits, by what its content says it is."""

from __future__ import annotations

from ..common.limits import Limits
from ..models.incoming import Kind
from .fault import FormatFault
from .opened import OpenedDocument
from .sniff import OFFICE, sniff


def open_document(
    data: bytes, kind: Kind | None = None, *, limits: Limits, password: str | None = None
) -> OpenedDocument:
    """`data`, opened. Without `kind` its content is sniffed.

    Raises:
        FormatFault: `empty_file`, `unsupported_format`, `damaged_file`, `encrypted_file`,
            `wrong_file_password`, `too_large`, `too_many_pages`, `too_many_pixels`, `unpack_bomb`,
            `hostile_markup`, `archive_empty`; those of LibreOffice (`office.py`).
        MissingTool: never here; only when a page is drawn without a font.
    """
    if not data:
        raise FormatFault("empty_file")
    if len(data) > limits.file_bytes:
        raise FormatFault("too_large", f"{len(data)} > {limits.file_bytes}")
    kind = kind or _kind_of(data, limits)
    # Imported here so that a worker that reads only pictures does not load the PDF and DOCX parsers.
    if kind == "pdf":
        from .pdf import open_pdf

        return open_pdf(data, limits=limits, password=password)
    if kind == "docx":
        from .docx import open_docx

        return open_docx(data, limits=limits)
    if kind == "ofd":
        from .ofd import open_ofd

        return open_ofd(data, limits=limits)
    if kind in OFFICE:
        from .office import open_office

        return open_office(data, kind, limits=limits)
    from .image import open_image

    return open_image(data, kind, limits=limits)


def _kind_of(data: bytes, limits: Limits) -> Kind:
    """The kind; an archive that is no batch of files either says what is wrong with it."""
    try:
        return sniff(data).kind
    except FormatFault as fault:
        if (fault.code, fault.detail) == ("unsupported_format", "zip"):
            from .zip_entries import entries_of, opened_archive

            with opened_archive(data) as archive:
                entries_of(archive, len(data), limits)
        raise
