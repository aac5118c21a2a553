"""Small OFD files for tests, part by part, so that each says what it is about."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

import format_kit

SPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def xml(name: str, inside: str, more: str = "") -> bytes:
    """One part."""
    return f'<?xml version="1.0" encoding="UTF-8"?><ofd:{name} {SPACE} {more}>{inside}</ofd:{name}>'.encode()


def packed(parts: Mapping[str, bytes]) -> bytes:
    """The parts as a ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def text(
    words: str, *, x: float = 20, y: float = 20, size: float = 5, more: str = "", inside: str = "",
    delta: str | None = None, box: str | None = None,
) -> str:  # fmt: skip
    """A TextObject whose baseline begins at (x, y) mm."""
    steps = delta if delta is not None else f'DeltaX="g {max(len(words) - 1, 1)} {size}"'
    place = box or f"{x} {y - size} {size * len(words) + 1} {size * 1.3}"
    return (
        f'<ofd:TextObject ID="1" Font="2" Size="{size}" Boundary="{place}" {more}>{inside}'
        f'<ofd:TextCode X="0" Y="{size}" {steps}>{words}</ofd:TextCode></ofd:TextObject>'
    )


def path(data: str, box: str, *, more: str = "", inside: str = "") -> str:
    """A PathObject."""
    return (
        f'<ofd:PathObject ID="1" Boundary="{box}" {more}>{inside}'
        f"<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def filled(box: str, colour: str, more: str = "") -> str:
    """A filled rectangle."""
    _, _, wide, high = box.split()
    return path(
        f"M 0 0 L {wide} 0 L {wide} {high} L 0 {high} C", box, more=f'Fill="true" Stroke="false" {more}',
        inside=f'<ofd:FillColor Value="{colour}"/>',
    )  # fmt: skip


def layer(objects: str, more: str = "") -> str:
    """A layer."""
    return f'<ofd:Layer ID="9" {more}>{objects}</ofd:Layer>'


def page(objects: str, *, before: str = "", layers: bool = False, after: str = "") -> bytes:
    """A page part."""
    return xml(
        "Page", f"{before}<ofd:Content>{objects if layers else layer(objects)}</ofd:Content>{after}"
    )  # fmt: skip


def parts(
    *pages: bytes, common: str = "", document: str = "", body: str = "", resources: str = "",
    more: Mapping[str, bytes] | None = None, size: str = "0 0 100 80",
) -> dict[str, bytes]:  # fmt: skip
    """All parts of an OFD; pages are `Doc_0/Pages/Page_N/Content.xml` with the ids 100, 101 …"""
    listed = "".join(
        f'<ofd:Page ID="{100 + n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages))
    )
    found = {
        "OFD.xml": xml(
            "OFD", f"<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{body}</ofd:DocBody>"
        ),
        "Doc_0/Document.xml": xml(
            "Document",
            f"<ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>{size}</ofd:PhysicalBox></ofd:PageArea>"
            f"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>{common}</ofd:CommonData>"
            f"<ofd:Pages>{listed}</ofd:Pages>{document}",
        ),
        "Doc_0/PublicRes.xml": xml(
            "Res",
            f'<ofd:Fonts><ofd:Font ID="2" FontName="宋体"/></ofd:Fonts>{resources}',
            'BaseLoc="Res"',
        ),
    }
    found |= {f"Doc_0/Pages/Page_{n}/Content.xml": data for n, data in enumerate(pages)}
    return found | dict(more or {})


def ofd(*pages: bytes, **changes: object) -> bytes:
    """`parts`, packed."""
    return packed(parts(*pages, **changes))  # type: ignore[arg-type]


def font(shapes: Mapping[str, str], *, says: Mapping[str, str] | None = None, mapped: bool = True) -> bytes:
    """A TrueType font whose glyph 1, 2, … is drawn for each character: `full`, `left` or `top` halves of the em.

    `says`: what its own map claims instead; `mapped=False`: no map at all.
    """
    order = [".notdef", *(f"g{index}" for index in range(len(shapes)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    claimed = says or {char: f"g{index}" for index, char in enumerate(shapes)}
    builder.setupCharacterMap({ord(char): name for char, name in claimed.items()} if mapped else {})
    boxes = {"full": (50, 0, 950, 900), "left": (50, 0, 450, 900), "top": (50, 500, 950, 900)}
    drawn = {".notdef": TTGlyphPen(None).glyph()}
    for index, shape in enumerate(shapes.values()):
        pen = TTGlyphPen(None)
        left, low, right, high = boxes[shape]
        pen.moveTo((left, low))
        pen.lineTo((left, high))
        pen.lineTo((right, high))
        pen.lineTo((right, low))
        pen.closePath()
        drawn[f"g{index}"] = pen.glyph()
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Kit", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    data = out.getvalue()
    if not mapped:
        from fontTools.ttLib import TTFont

        loaded = TTFont(io.BytesIO(data))
        del loaded["cmap"]
        again = io.BytesIO()
        loaded.save(again)
        data = again.getvalue()
    return data


def der(tag: int, *inside: bytes) -> bytes:
    """One DER item."""
    content = b"".join(inside)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def seal(picture: bytes, kind: str, *, name: str = "测试专用章", edition: int = 4) -> bytes:
    """An SESeal of GM/T 0031-2014 (1) or GB/T 38540-2020 (4); its signature is nonsense."""
    header = der(0x30, der(0x16, b"ES"), der(0x02, bytes([edition])), der(0x16, b"maker"))
    wanted = der(0x30, der(0x02, b"\1"), der(0x0C, name.encode()), der(0x30, der(0x04, b"certificate")))
    drawn = der(0x30, der(0x16, kind.encode()), der(0x04, picture), der(0x02, b"\x28"), der(0x02, b"\x28"))
    info = der(0x30, header, der(0x16, b"seal-1"), wanted, drawn)
    oid = der(0x06, b"\x2a\x81\x1c\xcf\x55\x01\x83\x75")
    if edition == 1:
        return der(0x30, info, der(0x30, der(0x04, b"certificate"), oid, der(0x03, b"\0sig")))
    return der(0x30, info, der(0x04, b"certificate"), oid, der(0x03, b"\0sig"))


def seal_signature(seal_value: bytes, digest: bytes, *, edition: int = 4) -> bytes:
    """An SES_Signature around a seal."""
    oid = der(0x06, b"\x2a\x81\x1c\xcf\x55\x01\x83\x75")
    when = der(0x18, b"20260101000000Z") if edition == 4 else der(0x03, b"\0time")
    inside = [der(0x02, bytes([edition])), seal_value, when, der(0x03, b"\0" + digest), der(0x16, b"/x")]
    if edition == 1:
        return der(0x30, der(0x30, *inside, der(0x04, b"certificate"), oid), der(0x03, b"\0sig"))
    return der(0x30, der(0x30, *inside), der(0x04, b"certificate"), oid, der(0x03, b"\0sig"))


def digest(data: bytes, method: str = "SM3") -> bytes:
    """A digest by its name in References."""
    if method == "SM3":
        running = hashes.Hash(hashes.SM3())
        running.update(data)
        return running.finalize()
    return hashlib.new(method.lower().replace("-", ""), data).digest()


def signed(
    found: dict[str, bytes], *, picture: bytes = b"", kind: str = "PNG", method: str = "SM3", edition: int = 4,
    boxes: tuple[str, ...] = ("60 40 20 20",), left_out: tuple[str, ...] = (), clip: str = "",
) -> dict[str, bytes]:  # fmt: skip
    """The parts with a seal signature over them, the seal standing on page 100 at each of `boxes`."""
    found = dict(found)
    found["OFD.xml"] = found["OFD.xml"].replace(
        b"</ofd:DocBody>", b"<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures></ofd:DocBody>"
    )
    references = "".join(
        f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>'
        f"{base64.b64encode(digest(data, method)).decode()}</ofd:CheckValue></ofd:Reference>"
        for name, data in found.items()
        if name not in left_out
    )
    stamps = "".join(
        f'<ofd:StampAnnot ID="{n}" PageRef="100" Boundary="{box}" {clip}/>' for n, box in enumerate(boxes)
    )
    signature = xml(
        "Signature",
        '<ofd:SignedInfo><ofd:Provider ProviderName="印章平台" Company="某公司" Version="1"/>'
        "<ofd:SignatureDateTime>20260101000000Z</ofd:SignatureDateTime>"
        f'<ofd:References CheckMethod="{method}">{references}</ofd:References>{stamps}</ofd:SignedInfo>'
        "<ofd:SignedValue>SignedValue.dat</ofd:SignedValue>",
    )
    value = seal_signature(seal(picture, kind, edition=edition), digest(signature), edition=edition)
    return found | {
        "Doc_0/Signs/Signatures.xml": xml(
            "Signatures", '<ofd:Signature ID="1" Type="Seal" BaseLoc="Sign_0/Signature.xml"/>'
        ),
        "Doc_0/Signs/Sign_0/Signature.xml": signature,
        "Doc_0/Signs/Sign_0/SignedValue.dat": value,
    }


FONT = '<ofd:Fonts><ofd:Font ID="3" FontName="Kit"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>'


def everything() -> dict[str, bytes]:
    """The parts of a small signed OFD with something of each kind in it."""
    return signed(
        parts(
            page(
                text("关于检查的通知", inside='<ofd:FillColor Value="#FF 0 0"/>')
                + text("公开", y=30, inside="<ofd:CGTransform CodeCount='2'><ofd:Glyphs>1 2</ofd:Glyphs>"
                           "</ofd:CGTransform>").replace('Font="2"', 'Font="3"')
                + path("M 0 0 L 5 5 Q 1 2 3 4 B 1 2 3 4 5 6 A 3 2 30 1 0 9 9 C", "1 1 30 30", more='Fill="true" '
                           'LineWidth="0.5" DashPattern="1 2"', inside='<ofd:FillColor Value="9 9 9"/>')
                + '<ofd:ImageObject ID="5" ResourceID="6" CTM="9 1 0 8 0 0" Boundary="1 1 9 9"><ofd:Clips><ofd:Clip>'
                '<ofd:Area><ofd:Path Boundary="0 0 9 9"><ofd:AbbreviatedData>M 0 0 L 9 0 L 9 9 C</ofd:AbbreviatedData>'
                "</ofd:Path></ofd:Area></ofd:Clip></ofd:Clips></ofd:ImageObject>"
                + '<ofd:CompositeObject ID="7" ResourceID="8" Boundary="5 5 30 30"/>',
                before='<ofd:Template TemplateID="7" ZOrder="Foreground"/>',
            ),
            common='<ofd:TemplatePage ID="7" BaseLoc="T.xml"/>',
            document="<ofd:Annotations>A.xml</ofd:Annotations><ofd:Attachments>B.xml</ofd:Attachments>",
            resources=FONT
            + '<ofd:MultiMedias><ofd:MultiMedia ID="6"><ofd:MediaFile>p.png</ofd:MediaFile></ofd:MultiMedia>'
            '</ofd:MultiMedias><ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="8"><ofd:Content>'
            + filled("0 0 9 9", "9 9 9")
            + "</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>",
            more={
                "Doc_0/T.xml": page(text("模板", y=70)),
                "Doc_0/A.xml": xml("Annotations", '<ofd:Page PageID="100"><ofd:FileLoc>N.xml</ofd:FileLoc></ofd:Page>'),
                "Doc_0/N.xml": xml(
                    "PageAnnot",
                    '<ofd:Annot ID="1" Type="Stamp"><ofd:Appearance Boundary="50 50 40 20">'
                    + text("章", x=1, y=8)
                    + "</ofd:Appearance></ofd:Annot>",
                ),
                "Doc_0/B.xml": xml("Attachments", '<ofd:Attachment ID="1" Name="x"/>'),
                "Doc_0/Res/f.ttf": font({"公": "full", "开": "left"}),
                "Doc_0/Res/p.png": format_kit.picture("PNG"),
            },
        ),
        picture=format_kit.picture("PNG"),
    )  # fmt: skip
