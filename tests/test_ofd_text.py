"""OFD: packages that lie are named, and the text is what a reader sees."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ofd_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.common.messages import catalogue
from jiyao.formats.fault import FormatFault
from jiyao.formats.ofd_package import deltas
from jiyao.formats.open import open_document
from jiyao.formats.opened import OpenedDocument
from jiyao.formats.sniff import sniff
from jiyao.models.page import Line

PAGE = kit.page(kit.text("关于开展检查的通知"))


def opened(data: bytes, **limits: int) -> OpenedDocument:
    return open_document(data, limits=replace(DEFAULT_LIMITS, **limits))


def lines(data: bytes, number: int = 1) -> list[str]:
    return [line.text for line in opened(data).text_lines(number) or ()]


def line(data: bytes) -> Line:
    found = opened(data).text_lines(1)
    assert found is not None and len(found) == 1
    return found[0]


def fault(data: bytes, **limits: int) -> FormatFault:
    with pytest.raises(FormatFault) as caught:
        opened(data, **limits)
    assert caught.value.code in catalogue()
    return caught.value


def codes(document: OpenedDocument) -> dict[str, str]:
    return {finding.code: finding.detail for finding in document.findings}


# ---------------------------------------------------------------- the package


def test_content_says_it_is_an_ofd() -> None:
    data = kit.ofd(PAGE)
    assert (sniff(data).kind, sniff(data).also) == ("ofd", ())
    assert sniff(kit.packed({"ofd.XML": b"<x/>"})).kind == "ofd"
    document = opened(data)
    assert (document.kind, document.page_count, document.signature) == ("ofd", 1, "none")
    assert document.size_mm(1) == (100, 80)
    assert document.findings == ()


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("Pages/Page_0/Content.xml", "Doc_0/Pages/Page_0/Content.xml"),
        ("/Doc_0/P.xml", "Doc_0/P.xml"),
        ("Doc_0/P.xml", "Doc_0/P.xml"),
        ("../Elsewhere/P.xml", "Elsewhere/P.xml"),
        ("./pages//P.XML", "Doc_0/Pages/p.xml"),
        ("..\\Elsewhere\\P.xml", "Elsewhere/P.xml"),
        ("../../../../P.xml", "P.xml"),
    ],
)
def test_places_are_found_as_makers_write_them(place: str, part: str) -> None:
    parts = kit.parts(PAGE)
    page = parts.pop("Doc_0/Pages/Page_0/Content.xml")
    parts["Doc_0/Document.xml"] = parts["Doc_0/Document.xml"].replace(
        b"Pages/Page_0/Content.xml", place.encode()
    )
    assert lines(kit.packed(parts | {part: page})) == ["关于开展检查的通知"]


@pytest.mark.parametrize(
    ("lost", "detail"),
    [
        ("Doc_0/Document.xml", "OFD document"),
        ("Doc_0/Pages/Page_0/Content.xml", "OFD page 1"),
        ("Doc_0/Tpls/T.xml", "OFD template of page 1"),
    ],
)
def test_a_missing_part_is_named(lost: str, detail: str) -> None:
    page = kit.page(kit.text("一"), before='<ofd:Template TemplateID="7"/>')
    parts = kit.parts(
        page, common='<ofd:TemplatePage ID="7" BaseLoc="Tpls/T.xml"/>', more={"Doc_0/Tpls/T.xml": PAGE}
    )
    assert lines(kit.packed(parts))
    del parts[lost]
    found = fault(kit.packed(parts))
    assert (found.code, found.detail, found.verdict) == ("damaged_file", detail, "damaged")


def test_broken_and_hostile_parts_are_named() -> None:
    parts = kit.parts(PAGE)
    assert fault(kit.packed(parts | {"OFD.xml": b"<a"})).detail == "OFD.xml"
    half = parts["Doc_0/Document.xml"][:-20]
    assert fault(kit.packed(parts | {"Doc_0/Document.xml": half})).detail == "OFD document"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert fault(kit.packed(parts | {"OFD.xml": bomb})).code == "hostile_markup"
    odd = {name.replace("Content.xml", "Content.dat"): data for name, data in parts.items()}
    odd["Doc_0/Document.xml"] = odd["Doc_0/Document.xml"].replace(b"Content.xml", b"Content.dat")
    assert lines(kit.packed(odd)) == ["关于开展检查的通知"]
    odd["Doc_0/Pages/Page_0/Content.dat"] = bomb
    assert fault(kit.packed(odd)).code == "hostile_markup"
    assert fault(kit.packed(parts | {"../x": b""})).code == "hostile_markup"
    no_pages = parts["Doc_0/Document.xml"].replace(b"ofd:Page ", b"ofd:Nothing ")
    assert fault(kit.packed(parts | {"Doc_0/Document.xml": no_pages})).detail == "OFD without a page"
    encrypted = {"OFD.xml": parts["OFD.xml"], "Encryptions.xml": b"<x/>"}
    assert fault(kit.packed(encrypted)).code == "encrypted_file"
    huge = parts["Doc_0/Document.xml"].replace(b"0 0 100 80", b"0 0 90000 5")
    assert fault(kit.packed(parts | {"Doc_0/Document.xml": huge})).detail == "OFD paper size"


def test_names_in_gbk_are_found() -> None:
    parts = kit.parts(PAGE)
    parts["Doc_0/Document.xml"] = parts["Doc_0/Document.xml"].replace(b"Pages/Page_0", "页/第一".encode())
    page = parts.pop("Doc_0/Pages/Page_0/Content.xml")
    data = kit.packed(parts | {"Doc_0/XX/YYYY/Content.xml": page})
    old, new = b"Doc_0/XX/YYYY", "Doc_0/页/第一".encode("gbk")
    assert lines(data.replace(old, new)) == ["关于开展检查的通知"]


def test_limits_are_errors() -> None:
    assert fault(kit.ofd(PAGE, PAGE, PAGE), pages=2).code == "too_many_pages"
    document = opened(kit.ofd(kit.page(kit.text("一" * 500))), text_chars=400)
    with pytest.raises(FormatFault, match="too_large"):
        document.text_lines(1)
    unit = '<ofd:CompositeObject ID="1" ResourceID="8" Boundary="0 0 9 9"/>'
    loop = (
        f'<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="8" Width="1" Height="1"><ofd:Content>{unit * 9}'
        "</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    with pytest.raises(FormatFault, match=r"hostile_markup|too_large"):
        opened(kit.ofd(kit.page(unit), resources=loop)).text_lines(1)
    with pytest.raises(FormatFault, match="too_many_pixels"):
        opened(kit.ofd(PAGE), page_pixels=900).render(1, 200)
    assert opened(kit.ofd(PAGE), page_pixels=90_000).render(1, 200).size <= 3 * 90_000


def test_several_documents_are_read_one_after_another() -> None:
    first, second = kit.parts(kit.page(kit.text("第一份"))), kit.parts(kit.page(kit.text("第二份")))
    more = {name.replace("Doc_0", "Doc_1"): data for name, data in second.items() if name != "OFD.xml"}
    root = first["OFD.xml"].replace(
        b"</ofd:OFD>", b"<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    )
    document = opened(kit.packed(first | more | {"OFD.xml": root}))
    assert [document.text_lines(n)[0].text for n in (1, 2)] == ["第一份", "第二份"]  # type: ignore[index]
    assert codes(document) == {"ofd_several_documents": "2"}


# ---------------------------------------------------------------- the text


def test_steps_written_short_are_written_out() -> None:
    assert deltas("g 3 1.5 2 g 2 -4", 9) == [1.5, 1.5, 1.5, 2, -4, -4]
    assert deltas("g 9999999 1", 3) == [1, 1, 1]
    assert deltas("g x 1 nan 3", 5) == [0, 3]
    assert deltas(None, 3) == deltas("3", 0) == []


def test_a_line_has_its_place_size_and_colour() -> None:
    ink = '<ofd:FillColor Value="215 20 25"/>'
    found = line(kit.ofd(kit.page(kit.text("机密文件", x=20, y=40, size=10, inside=ink))))
    assert (found.text, found.size_mm, found.colour, found.role) == ("机密文件", 10.0, "red", "body")
    assert (found.box.left, found.box.right) == pytest.approx((0.2, 0.6), abs=0.01)
    assert (found.box.top, found.box.bottom) == pytest.approx(((40 - 8.8) / 80, (40 + 1.2) / 80), abs=0.01)


def test_steps_set_words_rows_and_columns() -> None:
    spread = kit.text("正文", delta='DeltaX="30"', box="10 10 60 10")
    assert lines(kit.ofd(kit.page(spread))) == ["正", "文"]
    rows = kit.text("甲乙丙丁", delta='DeltaX="5 -5 5" DeltaY="0 7 0"', box="10 10 30 20")
    assert lines(kit.ofd(kit.page(rows))) == ["甲乙", "丙丁"]
    down = line(kit.ofd(kit.page(kit.text("购买方", delta='DeltaY="g 2 6"', box="10 10 6 30"))))
    assert (down.text, down.vertical) == ("购买方", True)
    assert lines(kit.ofd(kit.page(kit.text("没有步长", delta="")))) == ["没有步长"]
    latin = kit.text("Annex A of 2026", size=5, delta='DeltaX="g 14 2.6"', box="10 10 80 10")
    assert lines(kit.ofd(kit.page(latin))) == ["Annex A of 2026"]


def test_boxes_without_extent_still_place_text() -> None:
    found = line(kit.ofd(kit.page(kit.text("落款", box="50 40 10 0"))))
    assert found.box.left == pytest.approx(0.5, abs=0.01)
    assert lines(kit.ofd(kit.page(kit.text("\n   缩进\n  ")))) == ["缩进"]


def test_matrices_turn_and_grow_text() -> None:
    grown = line(kit.ofd(kit.page(kit.text("大", more='CTM="2 0 0 2 0 0"', box="10 10 40 40"))))
    assert grown.size_mm == 10.0
    turned = line(kit.ofd(kit.page(kit.text("侧面文字", more='CTM="0 1 -1 0 20 0"', box="10 10 30 50"))))
    assert turned.text == "侧面文字"
    assert turned.box.bottom - turned.box.top > 2 * (turned.box.right - turned.box.left) * 100 / 80


def test_templates_layers_and_units_are_read() -> None:
    unit = kit.text("组合", x=1, y=20)
    page = kit.page(
        kit.layer(kit.text("前景", y=70), 'Type="Foreground"')
        + kit.layer(
            kit.text("正文", y=30)
            + '<ofd:PageBlock ID="4">'
            + kit.text("块内", y=40)
            + "</ofd:PageBlock>"
            + '<ofd:CompositeObject ID="1" ResourceID="8" Boundary="19 30 50 40"/>'
        ),
        before='<ofd:Template TemplateID="7" ZOrder="Background"/>',
        layers=True,
    )
    data = kit.ofd(
        page,
        common='<ofd:TemplatePage ID="7" BaseLoc="Tpls/T.xml"/>',
        more={"Doc_0/Tpls/T.xml": kit.page(kit.text("模板", y=10))},
        resources='<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="8" Width="50" Height="40">'
        f"<ofd:Content>{unit}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>",
    )
    assert lines(data) == ["模板", "正文", "块内", "组合", "前景"]


WHITE = '<ofd:FillColor Value="255 255 255"/>'
SEEN = kit.text("看得见的正文一二三四五六七八九十", y=70, x=5)


@pytest.mark.req("R-023")
@pytest.mark.parametrize(
    "hidden",
    [
        kit.text("机密", more='Visible="false"'),
        kit.text("机密", more='Alpha="0"'),
        kit.text("机密", inside='<ofd:FillColor Value="0 0 0" Alpha="3"/>'),
        kit.text("机密", more='Fill="false"'),
        kit.text("机密", x=500),
        kit.text("机密", inside=WHITE),
        kit.text("机密") + kit.filled("10 10 40 20", "255 255 255"),
        kit.text("机密", box="60 60 1 1", delta='DeltaX="5"').replace('Y="5"', 'Y="-40"'),
        kit.filled("10 10 40 20", "0 0 0") + kit.filled("10 10 40 20", "255 255 255") + kit.text("机密", inside=WHITE),
        '<ofd:PageBlock ID="3" Visible="false">' + kit.text("机密") + "</ofd:PageBlock>",
    ],
)  # fmt: skip
def test_what_nobody_sees_is_not_text_but_told(hidden: str) -> None:
    document = opened(kit.ofd(kit.page(hidden + SEEN)))
    assert [found.text for found in document.text_lines(1) or ()] == ["看得见的正文一二三四五六七八九十"]
    assert codes(document) == {"hidden_text": "2", "hidden_mark": "机密"}


def test_white_on_a_dark_ground_is_seen() -> None:
    data = kit.ofd(kit.page(kit.filled("10 10 60 20", "150 0 0") + kit.text("白字", inside=WHITE)))
    assert lines(data) == ["白字"]


def test_mostly_hidden_text_is_not_trusted() -> None:
    document = opened(
        kit.ofd(kit.page(kit.text("看不见的一大段文字", more='Visible="false"') + kit.text("少", y=60)))
    )
    assert document.text_lines(1) is None
    assert codes(document)["text_layer_unsound"] == "invisible"


def test_a_page_that_is_a_picture_has_no_text_of_its_own() -> None:
    image = '<ofd:ImageObject ID="5" ResourceID="6" CTM="100 0 0 80 0 0" Boundary="0 0 100 80"/>'
    document = opened(kit.ofd(kit.page(image)))
    assert document.text_lines(1) is None
    under = opened(kit.ofd(kit.page(kit.text("识别所得") + image)))
    assert under.text_lines(1) is None
    assert codes(under)["text_layer_unsound"] == "covered"


FONT = '<ofd:Fonts><ofd:Font ID="3" FontName="Kit"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>'


def with_font(data: bytes, words: str, glyphs: str) -> OpenedDocument:
    mark = (
        f'<ofd:CGTransform CodePosition="0" CodeCount="{len(words)}" GlyphCount="{len(words)}">'
        f"<ofd:Glyphs>{glyphs}</ofd:Glyphs></ofd:CGTransform>"
    )
    page = kit.page(kit.text(words, inside=mark).replace('Font="2"', 'Font="3"'))
    return opened(kit.ofd(page, resources=FONT, more={"Doc_0/Res/f.ttf": data}))


@pytest.mark.req("R-023")
def test_glyphs_of_other_characters_are_noticed() -> None:
    shapes = {"公": "full", "开": "left", "机": "top", "密": "full"}
    fair = with_font(kit.font(shapes), "公开", "1 2")
    assert [found.text for found in fair.text_lines(1) or ()] == ["公开"]
    false = with_font(kit.font(shapes), "公开", "3 4")
    assert false.text_lines(1) is None
    assert codes(false)["text_layer_unsound"] == "glyphs_differ"
    both = (
        "<ofd:CGTransform CodePosition='0' CodeCount='1'><ofd:Glyphs>1</ofd:Glyphs></ofd:CGTransform>"
        '<ofd:TextCode X="0" Y="5">公</ofd:TextCode>'
        "<ofd:CGTransform CodePosition='0' CodeCount='1'><ofd:Glyphs>2</ofd:Glyphs></ofd:CGTransform>"
        '<ofd:TextCode X="5" Y="5">开</ofd:TextCode>'
    )
    page = kit.page(f'<ofd:TextObject ID="1" Font="3" Size="5" Boundary="9 9 30 9">{both}</ofd:TextObject>')
    assert lines(kit.ofd(page, resources=FONT, more={"Doc_0/Res/f.ttf": kit.font(shapes)})) == ["公开"]
    beyond = with_font(kit.font(shapes), "公开", "1 900")
    assert beyond.text_lines(1) is None
    silent = with_font(kit.font(shapes, mapped=False), "公开", "3 4")
    assert [found.text for found in silent.text_lines(1) or ()] == ["公开"]


def test_text_drawn_as_shapes_goes_to_recognition() -> None:
    curve = kit.path("M 0 0 B 1 0 4 1 4 4 B 3 4 0 3 0 0 C", "5 5 5 5", more='Fill="true"',
                     inside='<ofd:FillColor Value="200 0 0"/>')  # fmt: skip
    shapes = "".join(curve.replace('"5 5 5 5"', f'"{5 + 5 * n} 5 5 5"') for n in range(18))
    document = opened(kit.ofd(kit.page(shapes + kit.text("正文", y=40))))
    assert document.text_lines(1) is None
    assert codes(document)["text_layer_unsound"] == "outlines"


# ---------------------------------------------------------------- anything else

PARTS = kit.everything()
SEED = kit.packed(PARTS)


def try_all(data: bytes) -> None:
    """Opens, reads and draws; the only way to fail is a named fault."""
    try:
        document = open_document(data, limits=replace(DEFAULT_LIMITS, page_pixels=60_000, pages=20))
    except FormatFault as found:
        assert found.code in catalogue()
        return
    for number in range(1, document.page_count + 1):
        for act in (lambda n: document.text_lines(n), lambda n: document.render(n, 50)):
            try:
                act(number)
            except FormatFault as found:
                assert found.code in catalogue()
    assert all(finding.code in catalogue() for finding in document.findings)
    document.close()


@settings(max_examples=120)
@given(seed=st.integers(0, 1 << 40))
def test_no_changed_byte_ends_otherwise_than_named(seed: int) -> None:
    chance = random.Random(seed)
    name = chance.choice([*PARTS, ""])  # the package itself, or one part under a checksum that is right
    out = bytearray(PARTS.get(name, SEED))
    for _ in range(chance.randint(1, 6)):
        out[chance.randrange(len(out))] = chance.randrange(256)
    try_all(kit.packed(PARTS | {name: bytes(out)}) if name else bytes(out))


@settings(max_examples=150)
@given(
    part=st.sampled_from(sorted(name for name in PARTS if name.endswith(".xml"))),
    place=st.integers(0, 40),
    value=st.one_of(
        st.sampled_from(["", "0", "-1", "1e308", "NaN", "g 9 9", "9 9 9 9", "0 0 0 0", "1 0 0 0 0 0", "#", "true",
                         "0.0000001 0 0 1e7 5 5", "M L B", "../..", "A 1 1 1 1 1", "一" * 30]),
        st.text(max_size=12),
    ),
)  # fmt: skip
def test_no_odd_value_ends_otherwise_than_named(part: str, place: int, value: str) -> None:
    parts = dict(PARTS)
    text = parts[part].decode()
    clean = escape("".join(char for char in value if char.isprintable()), {'"': "&quot;"})
    spots = list(re.finditer(r'"([^"]*)"|>([^<>]+)<', text))
    spot = spots[place % len(spots)]
    group = 1 if spot.group(1) is not None else 2
    parts[part] = (text[: spot.start(group)] + clean + text[spot.end(group) :]).encode()
    try_all(kit.packed(parts))
