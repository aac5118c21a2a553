"""Small files for the tests of formats and workers, made by hand so that each says what it is."""

from __future__ import annotations

import io
import zipfile
import zlib

from PIL import Image, ImageDraw

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="{main}"/>{more}</Types>'
)
DOCX_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
DOCM_MAIN = "application/vnd.ms-word.document.macroEnabled.main+xml"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="word/document.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)


def paragraph(text: str, *, size: int = 16, properties: str = "") -> str:
    """A `w:p` with one run."""
    return (
        f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr><w:sz w:val='{size * 2}'/></w:rPr>"
        f"<w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"
    )


def docx(
    body: str,
    *,
    main: str = DOCX_MAIN,
    parts: dict[str, bytes] | None = None,
    types: str = "",
    relations: str = "",
    prologue: str = "",
) -> bytes:
    """A minimal DOCX around the XML of its body."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES.format(main=main, more=types))
        archive.writestr("_rels/.rels", _RELATIONS)
        if relations:
            archive.writestr(
                "word/_rels/document.xml.rels",
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                f"{relations}</Relationships>",
            )
        archive.writestr(
            "word/document.xml", f"{prologue}<w:document {W}><w:body>{body}</w:body></w:document>"
        )
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def pdf(
    content: str,
    *,
    pages: int = 1,
    rotate: int = 0,
    catalog: str = "",
    media: str = "0 0 595 842",
    picture: bool = False,
) -> bytes:
    """A PDF whose pages share one content stream; Helvetica is /F1, a grey picture is /P1."""
    kids = " ".join(f"{5 + index} 0 R" for index in range(pages))
    objects = [
        f"<</Type/Catalog/Pages 2 0 R {catalog}>>".encode(),
        f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        _stream(content.encode("latin-1")),
    ]
    image = f"/XObject<</P1 {5 + pages} 0 R>>" if picture else ""
    objects += [
        (
            f"<</Type/Page/Parent 2 0 R/MediaBox[{media}]/Rotate {rotate}/Contents 4 0 R"
            f"/Resources<</Font<</F1 3 0 R>>{image}>>>>"
        ).encode()
    ] * pages
    if picture:
        head = b"/Type/XObject/Subtype/Image/Width 2/Height 2/ColorSpace/DeviceGray/BitsPerComponent 8"
        objects.append(_stream(b"\x80\x90\xa0\xb0", head))
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, item in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + item + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{place:010d} 00000 n \n".encode() for place in places))
    out.write(f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def _stream(data: bytes, head: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return (
        b"<<"
        + head
        + f"/Filter/FlateDecode/Length {len(packed)}>>stream\n".encode()
        + packed
        + b"\nendstream"
    )


def shown(text: str, x: float = 72, y: float = 700, size: float = 16, mode: int = 0) -> str:
    """PDF operators that show a Latin text."""
    return f"BT {mode} Tr /F1 {size} Tf {x} {y} Td ({text}) Tj ET "


def picture(kind: str, size: tuple[int, int] = (60, 40), *, mode: str = "RGB", **options: object) -> bytes:
    """A small picture with a dark box in its upper left quarter."""
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] // 2 - 1), fill=0)
    out = io.BytesIO()
    image.save(out, format=kind, **options)  # type: ignore[arg-type]
    return out.getvalue()
