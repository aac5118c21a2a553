"""OFD: page pictures, seals, signatures and what else the file carries."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont
from PIL import Image

import ofd_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.ofd_geometry import Matrix
from jiyao.formats.ofd_path import polylines
from jiyao.formats.ofd_seal import seal_in, signed_hash
from jiyao.formats.open import open_document
from jiyao.formats.opened import OpenedDocument

DPI = 127
"""Five pixels a millimetre."""


def opened(data: bytes) -> OpenedDocument:
    return open_document(data, limits=replace(DEFAULT_LIMITS))


def codes(document: OpenedDocument) -> dict[str, str]:
    return {finding.code: finding.detail for finding in document.findings}


class Drawn:
    """A drawn page, asked in millimetres."""

    def __init__(self, data: bytes) -> None:
        self.document = opened(data)
        self.pixels = self.document.render(1, DPI)

    def at(self, x: float, y: float) -> tuple[int, int, int]:
        return tuple(int(v) for v in self.pixels[round(y * 5), round(x * 5)])

    def inked(self, left: float, top: float, right: float, bottom: float) -> float:
        part = self.pixels[round(top * 5) : round(bottom * 5), round(left * 5) : round(right * 5)]
        return float((part.min(axis=2) < 128).mean())


def drawn(objects: str, **changes: object) -> Drawn:
    return Drawn(kit.ofd(kit.page(objects), **changes))


def png(
    colour: tuple[int, ...], size: tuple[int, int] = (40, 40), kind: str = "PNG", hole: bool = False
) -> bytes:
    image = Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour)
    if hole:
        image.paste((255, 255, 255), (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4))
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


WHITE, RED = (255, 255, 255), (200, 0, 0)
RED_FILL = '<ofd:FillColor Value="200 0 0"/>'


# ---------------------------------------------------------------- paths


def test_fills_strokes_and_holes() -> None:
    page = drawn(
        kit.filled("10 10 20 20", "200 0 0")
        + kit.path("M 0 0 L 20 0", "50 10 20 1", more='LineWidth="2"', inside='<ofd:StrokeColor Value="0 0 200"/>')
        + kit.path(
            "M 0 0 L 30 0 L 30 30 L 0 30 C M 10 10 L 20 10 L 20 20 L 10 20 C", "50 30 30 30",
            more='Fill="true" Stroke="false" Rule="Even-Odd"', inside=RED_FILL,
        )
        + kit.path(
            "M 0 0 L 30 0 L 30 30 L 0 30 C M 10 10 L 20 10 L 20 20 L 10 20 C", "10 40 30 30",
            more='Fill="true" Stroke="false"', inside=RED_FILL,
        )
    )  # fmt: skip
    assert page.at(20, 20) == RED and page.at(5, 20) == WHITE and page.at(31, 20) == WHITE
    assert page.at(60, 10) == (0, 0, 200)
    assert page.at(52, 32) == RED and page.at(65, 45) == WHITE  # even-odd leaves the inner square open
    assert page.at(25, 55) == RED  # by winding the inner square is full: both run the same way round
    assert page.document.findings == ()


def test_fill_needs_a_colour_and_stroke_is_the_default() -> None:
    page = drawn(kit.path("M 0 0 L 20 0 L 20 20 L 0 20 C", "10 10 20 20", more='Fill="true" LineWidth="1"'))
    assert page.at(20, 20) == WHITE
    assert page.at(10, 20) == (0, 0, 0)


def test_curves_and_arcs_go_where_they_should() -> None:
    def ends(data: str) -> list[tuple[float, float]]:
        return [(round(x, 2), round(y, 2)) for x, y in (polylines(data, Matrix())[0][0][i] for i in (0, -1))]

    assert (
        ends("M 1 2 Q 3 3 5 6")
        == ends("M 1 2 B 1 1 9 9 5 6")
        == ends("S 1 2 A 5 5 0 0 1 5 6")
        == [(1, 2), (5, 6)]
    )
    half = polylines("M 0 0 A 5 5 0 0 1 10 0", Matrix(), fineness=0.01)[0][0]
    assert min(y for _, y in half) == pytest.approx(-5, abs=0.05)
    other = polylines("M 0 0 A 5 5 0 0 0 10 0", Matrix(), fineness=0.01)[0][0]
    assert max(y for _, y in other) == pytest.approx(5, abs=0.05)
    assert len(polylines("M 0 0 L 1 1 C M 3 3 L 4 4", Matrix())) == 2
    assert polylines("L", Matrix()) == polylines("M 1 x", Matrix()) == polylines("", Matrix()) == []


def test_boundary_and_clips_cut() -> None:
    clip = (
        '<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary="0 0 10 40"><ofd:AbbreviatedData>M 0 0 L 10 0 L 10 40 '
        "L 0 40 C</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>"
    )
    wide = "M 0 0 L 40 0 L 40 40 L 0 40 C"
    page = drawn(
        kit.path(wide, "10 10 40 20", more='Fill="true" Stroke="false"', inside=RED_FILL)
        + kit.path(wide, "55 10 40 40", more='Fill="true" Stroke="false"', inside=RED_FILL + clip)
    )
    assert page.at(20, 20) == RED and page.at(20, 45) == WHITE
    assert page.at(60, 20) == RED and page.at(70, 20) == WHITE


def clipped(data: str) -> str:
    return (
        f'<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary="0 0 40 40"><ofd:AbbreviatedData>{data}'
        "</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>"
    )


@pytest.mark.parametrize(
    "data", ["M 0 0 L 10 0 L 10 40 L 0 40 C", "M 0 0 L 10 0 L 10 40 L 2 40 L 0 40 C M 0 0 L 1 0 L 1 1 C"]
)
def test_text_outside_its_clip_is_neither_drawn_nor_read(data: str) -> None:
    page = drawn(
        kit.text("国国国国", x=20, y=40, size=10, inside=clipped(data))
        + kit.text("正文一二三四五六七八九十甲乙丙", x=5, y=70)
    )
    assert page.inked(20, 30, 30, 42) > 0.1 and page.inked(31, 30, 60, 42) == 0
    assert [line.text for line in page.document.text_lines(1) or ()] == [
        "国",
        "正文一二三四五六七八九十甲乙丙",
    ]
    assert codes(page.document) == {"hidden_text": "3"}


def test_parameters_are_inherited_and_opacity_mixes() -> None:
    page = drawn(
        kit.path("M 0 0 L 40 0", "10 10 40 1", more='DrawParam="5"')
        + kit.filled("10 30 20 20", "0 0 0", 'Alpha="51"'),
        resources='<ofd:DrawParams><ofd:DrawParam ID="4" LineWidth="4"><ofd:StrokeColor Value="0 128 0"/>'
        '</ofd:DrawParam><ofd:DrawParam ID="5" Relative="4"/></ofd:DrawParams>',
    )
    assert page.at(30, 10) == page.at(30, 11.5) == (0, 128, 0)
    assert page.at(20, 40)[0] == pytest.approx(204, abs=2)
    loop = '<ofd:DrawParams><ofd:DrawParam ID="5" Relative="5"/></ofd:DrawParams>'
    assert (
        drawn(kit.path("M 0 0 L 9 0", "1 1 9 1", more='DrawParam="5"'), resources=loop).inked(1, 0.5, 9, 1.5)
        > 0
    )


def test_colours_of_other_spaces() -> None:
    page = drawn(
        kit.path("M 0 0 L 9 0 L 9 9 C", "1 1 9 9", more='Fill="true" Stroke="false"',
                 inside='<ofd:FillColor Value="0 255 255 0" ColorSpace="7"/>')
        + kit.path("M 0 0 L 9 0 L 9 9 C", "21 1 9 9", more='Fill="true" Stroke="false"',
                   inside='<ofd:FillColor Value="#c8 #0 #0"/>')
        + kit.path("M 0 0 L 9 0 L 9 9 C", "41 1 9 9", more='Fill="true" Stroke="false"',
                   inside='<ofd:FillColor><ofd:AxialShd StartPoint="0 0" EndPoint="9 9"><ofd:Segment><ofd:Color '
                   'Value="100 0 0"/></ofd:Segment><ofd:Segment><ofd:Color Value="200 0 0"/></ofd:Segment>'
                   "</ofd:AxialShd></ofd:FillColor>"),
        resources='<ofd:ColorSpaces><ofd:ColorSpace ID="7" Type="CMYK"/></ofd:ColorSpaces>',
    )  # fmt: skip
    assert page.at(8, 3) == (255, 0, 0)
    assert page.at(28, 3) == RED
    assert page.at(48, 3) == (150, 0, 0)
    assert codes(page.document) == {"ofd_drawn_roughly": "1"}


# ---------------------------------------------------------------- text


def test_text_is_drawn_where_it_is_read() -> None:
    page = drawn(kit.text("国国国", x=20, y=40, size=10))
    line = (page.document.text_lines(1) or ())[0]
    box = (line.box.left * 100, line.box.top * 80, line.box.right * 100, line.box.bottom * 80)
    assert page.inked(*box) > 0.1
    whole = page.inked(0, 0, 99, 79) * 99 * 79
    assert page.inked(*box) * (box[2] - box[0]) * (box[3] - box[1]) == pytest.approx(whole, rel=0.1)


def test_turned_and_stretched_text_is_drawn() -> None:
    turned = drawn(kit.text("国国", more='CTM="0 1 -1 0 10 0"', box="10 10 20 40"))
    assert turned.inked(13, 10, 19, 21) > 0.08 and turned.inked(25, 10, 60, 30) == 0
    char = drawn(kit.text("国", more='CharDirection="90"', x=40, y=40))
    assert char.inked(30, 30, 60, 60) > 0
    assert drawn(kit.text("国", more='HScale="0.5"', x=20, y=20, size=10)).inked(25.5, 10, 40, 25) == 0


FONTS = '<ofd:Fonts><ofd:Font ID="3" FontName="Kit"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>'


@pytest.mark.parametrize("mapped", [True, False])
def test_embedded_fonts_are_used(mapped: bool) -> None:
    font = kit.font({"甲": "left", "乙": "top"}, mapped=mapped)
    glyphs = '<ofd:CGTransform CodePosition="0" CodeCount="2"><ofd:Glyphs>1 2</ofd:Glyphs></ofd:CGTransform>'
    words = kit.text("甲乙", x=20, y=40, size=10, inside="" if mapped else glyphs).replace(
        'Font="2"', 'Font="3"'
    )
    page = drawn(words, resources=FONTS, more={"Doc_0/Res/f.ttf": font})
    assert page.at(22, 35) == page.at(22, 38) == (0, 0, 0) and page.at(27, 35) == WHITE
    assert page.at(35, 33) == (0, 0, 0) and page.at(35, 38) == WHITE
    assert page.document.findings == ()


def bare_cff() -> bytes:
    """A CFF program alone: glyph 1, said to be 一, fills the left half."""
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder([".notdef", "uni4E00"])
    builder.setupCharacterMap({0x4E00: "uni4E00"})
    shape = T2CharStringPen(1000, None)
    for number, point in enumerate([(50, 0), (450, 0), (450, 900), (50, 900)]):
        (shape.lineTo if number else shape.moveTo)(point)
    shape.closePath()
    empty = T2CharStringPen(1000, None)
    builder.setupCFF("Kit", {}, {".notdef": empty.getCharString(), "uni4E00": shape.getCharString()}, {})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "uni4E00": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Kit", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return bytes(TTFont(io.BytesIO(out.getvalue())).reader["CFF "])


def test_a_bare_cff_font_is_used() -> None:
    words = kit.text("一", x=20, y=40, size=10).replace('Font="2"', 'Font="3"')
    page = drawn(words, resources=FONTS, more={"Doc_0/Res/f.ttf": bare_cff()})
    assert page.at(22, 35) == (0, 0, 0) and page.at(27, 35) == WHITE
    assert page.document.findings == ()


def test_a_broken_font_is_replaced_and_told() -> None:
    words = kit.text("甲乙").replace('Font="2"', 'Font="3"')
    page = drawn(words, resources=FONTS, more={"Doc_0/Res/f.ttf": b"\0\1\0\0" + b"x" * 400})
    assert page.inked(18, 12, 32, 24) > 0.02
    assert codes(page.document) == {"ofd_font_replaced": ""}


# ---------------------------------------------------------------- pictures


def media(*files: str, kind: str = "PNG") -> str:
    listed = "".join(
        f'<ofd:MultiMedia ID="{6 + n}" Type="Image" Format="{kind}"><ofd:MediaFile>{name}</ofd:MediaFile>'
        "</ofd:MultiMedia>"
        for n, name in enumerate(files)
    )
    return f"<ofd:MultiMedias>{listed}</ofd:MultiMedias>"


IMAGE = '<ofd:ImageObject ID="5" ResourceID="6" CTM="20 0 0 20 0 0" Boundary="10 10 20 20"/>'


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "GIF"])
def test_pictures_of_each_kind_are_drawn(kind: str) -> None:
    page = drawn(IMAGE, resources=media("p"), more={"Doc_0/Res/p": png(RED, kind=kind)})
    assert np.allclose(page.at(20, 20), RED, atol=6)
    assert page.at(9, 20) == page.at(31, 20) == WHITE
    assert page.document.findings == ()


def test_pictures_are_turned_masked_and_clear() -> None:
    turned = IMAGE.replace("20 0 0 20 0 0", "0 20 -20 0 20 0")
    left_red = Image.new("RGB", (40, 40), "white")
    left_red.paste(RED, (0, 0, 20, 40))
    out = io.BytesIO()
    left_red.save(out, "PNG")
    page = drawn(turned, resources=media("p"), more={"Doc_0/Res/p": out.getvalue()})
    assert page.at(20, 13) == RED and page.at(20, 27) == WHITE
    clear = drawn(
        kit.filled("10 10 20 20", "0 0 200") + IMAGE,
        resources=media("p"),
        more={"Doc_0/Res/p": png((0, 0, 0, 0))},
    )
    assert clear.at(20, 20) == (0, 0, 200)
    masked = drawn(
        IMAGE.replace('CTM="', 'ImageMask="7" CTM="'), resources=media("p", "m"),
        more={"Doc_0/Res/p": png(RED), "Doc_0/Res/m": png((0, 0, 0), hole=True)},
    )  # fmt: skip
    assert masked.at(20, 20) == RED and masked.at(11, 11) == WHITE
    unplaced = drawn(
        IMAGE.replace('CTM="20 0 0 20 0 0"', ""), resources=media("p"), more={"Doc_0/Res/p": png(RED)}
    )
    assert unplaced.at(12, 28) == RED


@pytest.mark.parametrize("data", [b"\x97JB2\r\n\x1a\n" + b"\0" * 40, b"nothing", png(RED)[:60], None])
def test_what_cannot_be_drawn_is_framed_and_told(data: bytes | None) -> None:
    more = {} if data is None else {"Doc_0/Res/p": data}
    page = drawn(IMAGE, resources=media("p", kind="GBIG2"), more=more)
    assert page.at(20, 20) == (225, 225, 225)
    assert codes(page.document)["ofd_picture_undrawn"] == "1"
    swapped = drawn(
        IMAGE.replace('CTM="', 'Substitution="7" CTM="'), resources=media("p", "q"),
        more={**more, "Doc_0/Res/q": png(RED)},
    )  # fmt: skip
    assert swapped.at(20, 20) == RED


def test_a_large_picture_beside_the_text_is_told() -> None:
    page = drawn(
        kit.text("正文很长的一行文字", y=60) + IMAGE, resources=media("p"), more={"Doc_0/Res/p": png(RED)}
    )
    assert page.document.text_lines(1)
    assert "picture_text_unread" in codes(page.document)


# ---------------------------------------------------------------- seals and signatures

SIGNED_PAGE = kit.page(kit.text("某某机关", x=60, y=50))


@pytest.mark.req("R-004")
@pytest.mark.parametrize("edition", [1, 4])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "OFD"])
def test_a_seal_is_drawn_and_its_owner_told(edition: int, kind: str) -> None:
    picture = png(RED, kind=kind) if kind != "OFD" else kit.ofd(kit.page(kit.filled("0 0 100 80", "200 0 0")))
    parts = kit.signed(kit.parts(SIGNED_PAGE), picture=picture, kind=kind, edition=edition)
    page = Drawn(kit.packed(parts))
    assert page.document.signature == "present"
    assert np.allclose(page.at(78, 42), RED, atol=6) and page.at(58, 42) == WHITE
    assert page.inked(60, 44, 80, 52) > 0.02  # the name stays dark under the seal
    assert codes(page.document) == {
        "ofd_signature_stated": "测试专用章 / 印章平台 / 某公司 / 20260101000000Z"
    }
    value = parts["Doc_0/Signs/Sign_0/SignedValue.dat"]
    assert signed_hash(value) == kit.digest(parts["Doc_0/Signs/Sign_0/Signature.xml"])
    found = seal_in(value)
    assert found is not None and found.picture == picture


def test_a_seal_across_the_edge_shows_its_part() -> None:
    parts = kit.signed(
        kit.parts(SIGNED_PAGE), picture=png(RED), boxes=("90 40 20 20",), clip='Clip="0 0 5 20"'
    )
    page = Drawn(kit.packed(parts))
    assert page.at(92, 50) == RED and page.at(97, 50) == WHITE


@pytest.mark.req("R-004")
@pytest.mark.parametrize("method", ["SM3", "SHA-256", "SHA1", "MD5"])
def test_a_protected_part_that_was_altered_is_noticed(method: str) -> None:
    parts = kit.signed(kit.parts(SIGNED_PAGE), picture=png(RED), method=method)
    name = "Doc_0/Pages/Page_0/Content.xml"
    altered = parts | {name: parts[name].replace("某某".encode(), "另外".encode())}
    document = opened(kit.packed(altered))
    assert codes(document)["ofd_reference_altered"] == "1"
    assert [line.text for line in document.text_lines(1) or ()] == ["另外机关"]


def test_a_signature_that_says_too_little_is_told() -> None:
    page = "Doc_0/Pages/Page_0/Content.xml"
    partial = kit.signed(kit.parts(SIGNED_PAGE), picture=png(RED), left_out=(page,))
    assert codes(opened(kit.packed(partial)))["ofd_signature_partial"] == "1"
    whole = kit.signed(kit.parts(SIGNED_PAGE), picture=png(RED))
    inner = whole["Doc_0/Signs/Sign_0/Signature.xml"]
    redated = whole | {"Doc_0/Signs/Sign_0/Signature.xml": inner.replace(b"20260101", b"20250101")}
    assert "ofd_signature_altered" in codes(opened(kit.packed(redated)))
    unknown = whole | {"Doc_0/Signs/Sign_0/Signature.xml": inner.replace(b'"SM3"', b'"XYZ"')}
    assert "ofd_signature_uncheckable" in codes(opened(kit.packed(unknown)))
    lost = {name: data for name, data in whole.items() if not name.endswith("Signatures.xml")}
    document = opened(kit.packed(lost))
    assert document.signature == "none" and "ofd_signature_lost" in codes(document)
    blind = whole | {"Doc_0/Signs/Sign_0/SignedValue.dat": b"\x30\x80\xff" * 30}
    assert "ofd_seal_unseen" in codes(opened(kit.packed(blind)))


def test_seals_that_lie_are_no_seals() -> None:
    good = kit.seal(png(RED), "PNG")
    assert seal_in(good) is not None
    for cut in range(0, len(good), 7):
        seal_in(good[:cut])
    assert seal_in(b"") is None and seal_in(b"\x30\x84\xff\xff\xff\xff") is None
    nested = good
    for _ in range(40):
        nested = kit.der(0x30, nested)
    assert seal_in(nested) is None
    itself = kit.signed(kit.parts(SIGNED_PAGE), picture=b"PK\3\4 not a package", kind="OFD")
    page = Drawn(kit.packed(itself))
    assert codes(page.document)["ofd_picture_undrawn"] == "1"


# ---------------------------------------------------------------- beside the pages


def annotated(look: str, more: str = "", remark: str = "") -> bytes:
    return kit.ofd(
        kit.page(kit.text("正文")),
        document="<ofd:Annotations>Annots/A.xml</ofd:Annotations>",
        more={
            "Doc_0/Annots/A.xml": kit.xml(
                "Annotations", '<ofd:Page PageID="100"><ofd:FileLoc>P.xml</ofd:FileLoc></ofd:Page>'
            ),
            "Doc_0/Annots/P.xml": kit.xml(
                "PageAnnot",
                f'<ofd:Annot ID="1" Type="Stamp" {more}>{remark}<ofd:Appearance Boundary="50 50 40 20">{look}'
                "</ofd:Appearance></ofd:Annot>",
            ),
        },
    )


def test_visible_notes_are_drawn_and_read_apart() -> None:
    page = Drawn(annotated(kit.filled("0 0 5 5", "200 0 0") + kit.text("收文章", x=6, y=8)))
    assert page.at(52, 52) == RED
    assert [(line.text, line.role) for line in page.document.text_lines(1) or ()] == [
        ("正文", "body"), ("收文章", "stamp"),
    ]  # fmt: skip
    assert codes(page.document) == {"ofd_notes_shown": "1"}


def test_hidden_notes_and_remarks_are_told() -> None:
    remark = "<ofd:Remark>此件为机密★5年</ofd:Remark>"
    page = Drawn(
        annotated(kit.filled("0 0 5 5", "200 0 0") + kit.text("绝密", x=6, y=8), 'Visible="false"', remark)
    )
    assert page.at(52, 52) == WHITE
    assert [line.text for line in page.document.text_lines(1) or ()] == ["正文"]
    assert codes(page.document) == {
        "ofd_notes_hidden": "1", "comments_inside": "", "hidden_text": "2", "hidden_mark": "绝密",
    }  # fmt: skip
    assert "机密★5年" in [finding.detail for finding in page.document.findings]


def test_what_else_is_inside_is_told() -> None:
    document = opened(
        kit.ofd(
            kit.page(
                kit.text("正文").replace(
                    "<ofd:TextCode",
                    '<ofd:Actions><ofd:Action Event="CLICK"><ofd:URI URI="http://example.invalid"/></ofd:Action>'
                    "</ofd:Actions><ofd:TextCode",
                )
            ),
            body='<ofd:Versions><ofd:Version ID="1" Index="1" BaseLoc="Doc_0/V1.xml"/><ofd:Version ID="2" Index="2" '
            'Current="true" BaseLoc="Doc_0/V2.xml"/></ofd:Versions>',
            document="<ofd:Attachments>Atts/A.xml</ofd:Attachments><ofd:CustomTags>T.xml</ofd:CustomTags>"
            '<ofd:Extensions>E.xml</ofd:Extensions><ofd:Permissions><ofd:Print Printable="false"/></ofd:Permissions>'
            '<ofd:Actions><ofd:Action Event="DO"><ofd:GotoA AttachID="1"/></ofd:Action></ofd:Actions>',
            more={
                "Doc_0/Atts/A.xml": kit.xml(
                    "Attachments",
                    '<ofd:Attachment ID="1" Name="x"><ofd:FileLoc>x.bin</ofd:FileLoc></ofd:Attachment>',
                ),
                "Doc_0/Atts/x.bin": b"x",
                "Doc_0/T.xml": kit.xml("CustomTags", '<ofd:CustomTag TypeID="a"/>'),
                "Doc_0/E.xml": kit.xml("Extensions", '<ofd:Extension AppName="a"/>'),
                "Doc_0/V1.xml": kit.xml("DocVersion", ""),
                "Doc_0/V2.xml": kit.xml("DocVersion", "<ofd:DocRoot>Document.xml</ofd:DocRoot>"),
                "Doc_0/forgotten.doc": b"x",
            },
        )
    )
    assert document.protection == "owner"
    assert document.active == ("attachment", "embedded_goto", "external_link")
    assert codes(document) == {
        "earlier_revisions": "1", "attachments_inside": "1", "ofd_custom_tags": "1", "ofd_extensions": "1",
        "ofd_loose_parts": "1", "active_content": "embedded_goto",
    }  # fmt: skip
