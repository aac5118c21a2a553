"""A made-up paper as OFD (GB/T 33190-2016): text with the place of every character, rules as paths, seals as pictures.

The stamp of the specimen stands in a template under every page, as offices put a form under their text; ids,
names of parts and dates are fixed, so that making it again gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from .picture import seal_picture
from .sheet import INKS, PAPER_H, PAPER_W, Face, Rule, Seal, Sheet, Text, width

_SPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FONTS: dict[Face, tuple[str, int, bool]] = {
    "serif": ("宋体", 2, False),
    "serif-bold": ("方正小标宋简体", 3, True),
    "sans": ("黑体", 4, False),
    "sans-bold": ("黑体", 5, True),
}
_TEMPLATE = 9
_FIRST_SEAL = 20
_SEAL_PIXELS = 330


def draw_ofd(sheets: Sequence[Sheet]) -> bytes:
    """The pages as an OFD; text keeps its characters, nothing is embedded but seals."""
    seals: dict[str, int] = {}
    for sheet in sheets:
        for thing in sheet.things:
            if isinstance(thing, Seal):
                seals.setdefault(thing.organ, _FIRST_SEAL + len(seals))
    stamps = [thing for thing in sheets[0].things if isinstance(thing, Text) and thing.ink == "stamp"]
    parts: dict[str, bytes] = {
        "OFD.xml": _xml(
            "OFD",
            "<ofd:DocBody><ofd:DocInfo><ofd:DocID>00000000000000000000000000000001</ofd:DocID>"
            "<ofd:Title>样张</ofd:Title><ofd:CreationDate>2026-01-01</ofd:CreationDate>"
            "<ofd:Creator>jiyao samples</ofd:Creator></ofd:DocInfo>"
            "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>",
            'DocType="OFD" Version="1.0"',
        ),
        "Doc_0/Document.xml": _document(len(sheets)),
        "Doc_0/PublicRes.xml": _fonts(),
        "Doc_0/DocumentRes.xml": _media(seals),
        "Doc_0/Tpls/Tpl_0/Content.xml": _page(stamps, {}, template=False),
    }
    for index, sheet in enumerate(sheets):
        own = [t for t in sheet.things if isinstance(t, Text | Rule | Seal) and t not in stamps]
        parts[f"Doc_0/Pages/Page_{index}/Content.xml"] = _page(own, seals, template=True)
    for organ, key in seals.items():
        out = io.BytesIO()
        seal_picture(organ, _SEAL_PIXELS).save(out, "PNG")
        parts[f"Doc_0/Res/seal_{key}.png"] = out.getvalue()
    return _packed(parts)


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def _xml(name: str, inside: str, more: str = "") -> bytes:
    return f"{_HEAD}<ofd:{name} {_SPACE} {more}>{inside}</ofd:{name}>".encode()


def _document(count: int) -> bytes:
    pages = "".join(
        f'<ofd:Page ID="{100 + index}" BaseLoc="Pages/Page_{index}/Content.xml"/>' for index in range(count)
    )
    return _xml(
        "Document",
        "<ofd:CommonData><ofd:MaxUnitID>1000000</ofd:MaxUnitID><ofd:PageArea>"
        f"<ofd:PhysicalBox>0 0 {PAPER_W:g} {PAPER_H:g}</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes><ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>"
        f'<ofd:TemplatePage ID="{_TEMPLATE}" BaseLoc="Tpls/Tpl_0/Content.xml"/></ofd:CommonData>'
        f"<ofd:Pages>{pages}</ofd:Pages>",
    )


def _fonts() -> bytes:
    listed = "".join(
        f'<ofd:Font ID="{key}" FontName="{name}" FamilyName="{name}" Bold="{str(bold).lower()}"/>'
        for name, key, bold in _FONTS.values()
    )
    return _xml(
        "Res",
        '<ofd:ColorSpaces><ofd:ColorSpace ID="1" Type="RGB" BitsPerComponent="8"/></ofd:ColorSpaces>'
        f"<ofd:Fonts>{listed}</ofd:Fonts>",
        'BaseLoc="Res"',
    )


def _media(seals: dict[str, int]) -> bytes:
    listed = "".join(
        f'<ofd:MultiMedia ID="{key}" Type="Image" Format="PNG"><ofd:MediaFile>seal_{key}.png</ofd:MediaFile>'
        "</ofd:MultiMedia>"
        for key in seals.values()
    )
    return _xml("Res", f"<ofd:MultiMedias>{listed}</ofd:MultiMedias>" if listed else "", 'BaseLoc="Res"')


def _page(things: Sequence[Text | Rule | Seal], seals: dict[str, int], *, template: bool) -> bytes:
    ordered = sorted(things, key=lambda thing: isinstance(thing, Seal))  # ink of the seal goes over the type
    objects = "".join(_object(thing, 1000 + index, seals) for index, thing in enumerate(ordered))
    under = f'<ofd:Template TemplateID="{_TEMPLATE}" ZOrder="Background"/>' if template else ""
    return _xml("Page", f'{under}<ofd:Content><ofd:Layer ID="50">{objects}</ofd:Layer></ofd:Content>')


def _object(thing: Text | Rule | Seal, key: int, seals: dict[str, int]) -> str:
    if isinstance(thing, Text):
        return _text(thing, key)
    if isinstance(thing, Rule):
        half = thing.width
        left, top = min(thing.x1, thing.x2) - half, min(thing.y1, thing.y2) - half
        wide, high = abs(thing.x2 - thing.x1) + 2 * half, abs(thing.y2 - thing.y1) + 2 * half
        ends = (thing.x1 - left, thing.y1 - top, thing.x2 - left, thing.y2 - top)
        return (
            f'<ofd:PathObject ID="{key}" Boundary="{_row(left, top, wide, high)}" LineWidth="{thing.width:g}">'
            f'<ofd:StrokeColor Value="{_ink(thing)}" ColorSpace="1"/>'
            f"<ofd:AbbreviatedData>M {_row(*ends[:2])} L {_row(*ends[2:])}</ofd:AbbreviatedData></ofd:PathObject>"
        )
    half = thing.diameter / 2
    box = _row(thing.x - half, thing.y - half, thing.diameter, thing.diameter)
    return (
        f'<ofd:ImageObject ID="{key}" ResourceID="{seals[thing.organ]}" Boundary="{box}" '
        f'CTM="{_row(thing.diameter, 0, 0, thing.diameter, 0, 0)}"/>'
    )


def _text(text: Text, key: int) -> str:
    steps = [width(char, text.size, text.face) + text.spacing for char in text.text]
    top, high = text.size * 1.1, text.size * 1.4
    box = _row(text.x, text.y - top, max(sum(steps), text.size), high)
    return (
        f'<ofd:TextObject ID="{key}" Boundary="{box}" Font="{_FONTS[text.face][1]}" Size="{text.size:g}">'
        f'<ofd:FillColor Value="{_ink(text)}" ColorSpace="1"/>'
        f'<ofd:TextCode X="0" Y="{top:.4g}" DeltaX="{_steps(steps[:-1])}">{escape(text.text)}</ofd:TextCode>'
        "</ofd:TextObject>"
    )


def _steps(values: list[float]) -> str:
    """DeltaX with equal steps written as `g count step`."""
    out: list[tuple[str, int]] = []
    for value in (f"{value:.4f}".rstrip("0").rstrip(".") for value in values):
        if out and out[-1][0] == value:
            out[-1] = (value, out[-1][1] + 1)
        else:
            out.append((value, 1))
    return " ".join(f"g {count} {value}" if count > 1 else value for value, count in out)


def _row(*values: float) -> str:
    return " ".join(f"{value:.4f}".rstrip("0").rstrip(".") for value in values)


def _ink(thing: Text | Rule) -> str:
    return " ".join(map(str, INKS[thing.ink]))
