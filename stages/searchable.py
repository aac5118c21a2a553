"""A searchable PDF of a document: its pages as they look, with the text that was read unseen where it stands.

Pages of a PDF are kept as they are and get a text layer; pictures are put in as they came where PDF can hold them
(JPEG, 1-bit), everything else is drawn. What is made anew is written as PDF/A-2b (ISO 19005-2): embedded font, output
intent, XMP, identifier, no encryption. A kept PDF may break those rules, so it is never called PDF/A.

Threat model: runs in the worker. What an original PDF hides travels with it, as it does in an export of the original.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageCms
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from ..common.limits import Limits
from ..formats.opened import OpenedDocument
from ..models.page import Page, Transcript
from .searchable_font import Codes, put_font, stream_of
from .searchable_text import POINTS, text_layer

DRAWN_DPI = 200
SCAN_DPI = 300
QUALITY = 90
_DRAWN = frozenset(
    {"pdf", "docx", "ofd", "doc", "wps", "rtf", "odt", "xls", "xlsx", "et", "ppt", "pptx", "dps"}
)
_COLOURLESS = 10


@dataclass(frozen=True, slots=True)
class Searchable:
    """The PDF. `pdfa`: written by the rules of PDF/A-2b; `why_not`: message code of what hindered that."""

    data: bytes
    pdfa: bool
    why_not: str | None = None


def searchable(
    opened: OpenedDocument, transcript: Transcript, *, source: bytes, limits: Limits
) -> Searchable:
    """The document with its text.

    Args:
        opened: the document; drawn page by page where it is not kept.
        transcript: what was read; pages without an entry get no text.
        source: the document's bytes.
        limits: as for reading.

    Raises:
        FormatFault: a page cannot be drawn.
    """
    read = {page.number: page for page in transcript.pages}
    kept = _kept(source, opened.page_count) if opened.kind == "pdf" else None
    if kept is not None:
        data = _add_layers(kept, {number: page for number, page in read.items() if page.source == "ocr"})
        return Searchable(data, pdfa=False, why_not="searchable_signed" if opened.signature == "present" else
                          "searchable_source_kept")  # fmt: skip
    writer, codes = PdfWriter(), Codes()
    pages = []
    for number in range(1, opened.page_count + 1):
        width, height = opened.size_mm(number)
        page = writer.add_blank_page(width * POINTS, height * POINTS)
        image = writer._add_object(_picture(opened, number, source, limits))
        drawing = f"q {width * POINTS:.3f} 0 0 {height * POINTS:.3f} 0 0 cm /JyPage Do Q\n"
        layer = text_layer(read[number], codes) if number in read else ""
        page[NameObject("/Contents")] = writer._add_object(
            stream_of((drawing + layer).encode()).flate_encode()
        )
        pages.append((page, image))
    font = put_font(writer, codes)
    for page, image in pages:
        page[NameObject("/Resources")] = DictionaryObject(
            {
                NameObject("/XObject"): DictionaryObject({NameObject("/JyPage"): image}),
                NameObject("/Font"): DictionaryObject({NameObject("/JyText"): font}),
            }
        )
    _call_pdfa(writer, source)
    return Searchable(_written(writer), pdfa=True)


def lay_text(flat: bytes, transcript: Transcript) -> bytes:
    """A flattened PDF with the text of its pages unseen on them, whatever it was read from; the pictures stay.

    Args:
        flat: pages that are nothing but pictures, as the product makes them.
        transcript: of the document they were drawn from, page for page; its boxes are shares of the page.

    Raises:
        ValueError: it has pages that the PDF has not, or pypdf cannot take the PDF over.
    """
    pages = {page.number: page for page in transcript.pages}
    writer = _kept(flat)
    if writer is None or max(pages, default=0) > len(writer.pages):
        raise ValueError("not a flattened copy of these pages")
    return _add_layers(writer, {number: _as_large(page, writer) for number, page in pages.items()})


# ---------------------------------------------------------------- a PDF kept


def _kept(source: bytes, pages: int | None = None) -> PdfWriter | None:
    """The PDF to write on; None when pypdf cannot take it over whole."""
    try:
        reader = PdfReader(io.BytesIO(source))
        if reader.is_encrypted or pages not in (None, len(reader.pages)):
            return None
        return PdfWriter(clone_from=reader)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _as_large(page: Page, writer: PdfWriter) -> Page:
    """The page with the size that it has in the PDF: a copy may stand on another sheet."""
    box = writer.pages[page.number - 1].cropbox
    return replace(page, width_mm=float(box.width) / POINTS, height_mm=float(box.height) / POINTS)


def _add_layers(writer: PdfWriter, read: dict[int, Page]) -> bytes:
    codes = Codes()
    written = []
    for number, page in enumerate(writer.pages, start=1):
        one = read.get(number)
        layer = text_layer(one, codes) if one is not None else ""
        if layer:
            written.append((page, layer))
    if written:
        font = put_font(writer, codes)
        for page, layer in written:
            _write_over(writer, page, layer, font)
    return _written(writer)


def _write_over(writer: PdfWriter, page: PageObject, layer: str, font: IndirectObject) -> None:
    """The layer after the page's own content, whose state is closed off, in the coordinates of the page as shown."""
    contents = page.get("/Contents")
    own = contents.get_object() if contents is not None else None
    parts = list(own) if isinstance(own, ArrayObject) else ([contents] if contents is not None else [])
    after = f"\nQ\nq {_shown(page)} cm\n{layer}\nQ\n"
    page[NameObject("/Contents")] = ArrayObject(
        [
            writer._add_object(stream_of(b"q\n")),
            *parts,
            writer._add_object(stream_of(after.encode()).flate_encode()),
        ]
    )
    inherited = page.get("/Resources")
    resources = DictionaryObject(inherited.get_object()) if inherited is not None else DictionaryObject()
    fonts = resources.get("/Font")
    named = DictionaryObject(fonts.get_object()) if fonts is not None else DictionaryObject()
    named[NameObject("/JyText")] = font
    resources[NameObject("/Font")] = named
    page[NameObject("/Resources")] = resources


def _shown(page: PageObject) -> str:
    """The matrix from points of the page as shown (crop box, rotation) to its own."""
    box = page.cropbox
    left, bottom, right, top = (float(edge) for edge in (box.left, box.bottom, box.right, box.top))
    return {
        0: f"1 0 0 1 {left:.3f} {bottom:.3f}",
        90: f"0 1 -1 0 {right:.3f} {bottom:.3f}",
        180: f"-1 0 0 -1 {right:.3f} {top:.3f}",
        270: f"0 -1 1 0 {left:.3f} {top:.3f}",
    }[int(page.rotation) % 360 // 90 * 90]


# ---------------------------------------------------------------- pictures


def _picture(opened: OpenedDocument, number: int, source: bytes, limits: Limits) -> StreamObject:
    if opened.kind == "jpeg" and opened.page_count == 1 and (same := _own_jpeg(source)) is not None:
        return same
    if opened.kind == "tiff" and (bits := _own_bits(source, number, limits)) is not None:
        return bits
    picture = opened.render(number, DRAWN_DPI if opened.kind in _DRAWN else SCAN_DPI)
    small = picture[::4, ::4].astype(np.int16)
    grey = not (small.max(axis=2) - small.min(axis=2) > _COLOURLESS).any()
    shown = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError("JPEG encoder")
    size = (picture.shape[1], picture.shape[0])
    return _image(data.tobytes(), size, "/DeviceGray" if grey else "/DeviceRGB", "/DCTDecode")


def _own_jpeg(source: bytes) -> StreamObject | None:
    """The file itself, when it is grey or RGB and lies as it should."""
    with Image.open(io.BytesIO(source), formats=["JPEG"]) as image:
        space = {"L": "/DeviceGray", "RGB": "/DeviceRGB"}.get(image.mode)
        if space is None or image.getexif().get(0x0112, 1) != 1:
            return None
        return _image(source, image.size, space, "/DCTDecode")


def _own_bits(source: bytes, number: int, limits: Limits) -> StreamObject | None:
    """A 1-bit frame, bit for bit."""
    with Image.open(io.BytesIO(source), formats=["TIFF"]) as image:
        image.seek(number - 1)
        turned = image.getexif().get(0x0112, 1) != 1
        if image.mode != "1" or turned or image.width * image.height > limits.page_pixels:
            return None
        packed = np.packbits(np.asarray(image, dtype=np.uint8), axis=1).tobytes()
        return _image(zlib.compress(packed, 9), image.size, "/DeviceGray", "/FlateDecode", bits=1)


def _image(data: bytes, size: tuple[int, int], space: str, way: str, *, bits: int = 8) -> StreamObject:
    stream = stream_of(data)
    for name, value in (
        ("/Type", NameObject("/XObject")),
        ("/Subtype", NameObject("/Image")),
        ("/Width", NumberObject(size[0])),
        ("/Height", NumberObject(size[1])),
        ("/ColorSpace", NameObject(space)),
        ("/BitsPerComponent", NumberObject(bits)),
        ("/Filter", NameObject(way)),
    ):
        stream[NameObject(name)] = value
    return stream


# ---------------------------------------------------------------- PDF/A


def _call_pdfa(writer: PdfWriter, source: bytes) -> None:
    """Output intent, metadata and identifier (ISO 19005-2, 6.2.3, 6.6.2, 6.1.3)."""
    profile = stream_of(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()).flate_encode()
    profile[NameObject("/N")] = NumberObject(3)
    intent = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/OutputIntent"),
            NameObject("/S"): NameObject("/GTS_PDFA1"),
            NameObject("/OutputConditionIdentifier"): TextStringObject("sRGB"),
            NameObject("/Info"): TextStringObject("sRGB IEC61966-2.1"),
            NameObject("/DestOutputProfile"): writer._add_object(profile),
        }
    )
    metadata = stream_of(
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'.encode()
    )
    metadata[NameObject("/Type")] = NameObject("/Metadata")
    metadata[NameObject("/Subtype")] = NameObject("/XML")
    root = writer.root_object
    root[NameObject("/OutputIntents")] = ArrayObject([intent])
    root[NameObject("/Metadata")] = writer._add_object(metadata)
    writer.metadata = None
    digest = hashlib.sha256(source).digest()[:16]
    writer._ID = ArrayObject([ByteStringObject(digest), ByteStringObject(digest)])
    writer.pdf_header = "%PDF-1.7"


def _written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
