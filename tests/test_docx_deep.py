"""DOCX, its further corners: headers apart from the text, boxes once, cells, what is hidden, deleted or fetched."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import format_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.docx import OpenedDocx, open_docx
from jiyao.formats.fault import FormatFault
from jiyao.models.page import Line
from jiyao.stages.ocr import transcribe

REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
R = f'xmlns:r="{REL}"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
WP = 'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
WPS = 'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
V = 'xmlns:v="urn:schemas-microsoft-com:vml"'
_PART = (
    '<Override PartName="/word/{0}.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{1}+xml"/>'
)


def opened(body: str, **parts: str) -> OpenedDocx:
    """A DOCX with further parts of the main document (`header1`, `footer1`, `comments`, `settings` …)."""
    kinds = {name: name.rstrip("123456789") for name in parts}
    relations = "".join(
        f'<Relationship Id="{name}" Type="{REL}/{kind}" Target="{name}.xml"/>' for name, kind in kinds.items()
    )
    types = "".join(_PART.format(name, kind) for name, kind in kinds.items())
    return open_docx(
        kit.docx(
            body, relations=relations, types=types,
            parts={f"word/{name}.xml": xml.encode() for name, xml in parts.items()},
        ),
        limits=DEFAULT_LIMITS,
    )  # fmt: skip


def part(tag: str, content: str) -> str:
    return f"<w:{tag} {kit.W} {R} {MC} {WP} {WPS} {V}>{content}</w:{tag}>"


def lines(document: OpenedDocx, number: int = 1) -> list[tuple[str, str]]:
    return [(line.text, line.role) for line in document.text_lines(number) or ()]


def found(document: OpenedDocx) -> dict[str, str]:
    return {item.code: item.detail for item in document.findings}


def section(*references: str, title: bool = False) -> str:
    return f"<w:sectPr {R}>{''.join(references)}{'<w:titlePg/>' if title else ''}</w:sectPr>"


def ref(kind: str, number: str, which: str = "default") -> str:
    return f'<w:{kind}Reference w:type="{which}" r:id="{number}"/>'


BREAK = "<w:p><w:r><w:br w:type='page'/></w:r></w:p>"


def run(text: str, properties: str) -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


# ---------------------------------------------------------------- headers and footers


def test_headers_and_footers_have_their_role() -> None:
    document = opened(
        kit.paragraph("正文") + BREAK + kit.paragraph("次页")
        + section(ref("header", "header1"), ref("footer", "footer1")),
        header1=part("hdr", kit.paragraph("某某局内部资料", size=9)),
        footer1=part("ftr", kit.paragraph("第一版", size=9)),
    )  # fmt: skip
    assert lines(document) == [("某某局内部资料", "header"), ("正文", "body"), ("第一版", "footer")]
    assert lines(document, 2)[0] == ("某某局内部资料", "header")


def test_first_and_even_pages_have_their_own() -> None:
    document = opened(
        kit.paragraph("一") + BREAK + kit.paragraph("二") + BREAK + kit.paragraph("三")
        + section(
            ref("header", "header1"), ref("header", "header2", "first"), ref("header", "header3", "even"), title=True
        ),
        header1=part("hdr", kit.paragraph("单页", size=9)), header2=part("hdr", kit.paragraph("首页", size=9)),
        header3=part("hdr", kit.paragraph("双页", size=9)), settings=part("settings", "<w:evenAndOddHeaders/>"),
    )  # fmt: skip
    assert [lines(document, number)[0] for number in (1, 2, 3)] == [
        ("首页", "header"), ("双页", "header"), ("单页", "header"),
    ]  # fmt: skip


def test_a_first_header_is_not_used_where_the_section_does_not_say_so() -> None:
    document = opened(
        kit.paragraph("文") + section(ref("header", "header1", "first")),
        header1=part("hdr", kit.paragraph("样张")),
    )
    assert lines(document) == [("文", "body")]


def test_a_letterhead_in_the_first_header_is_text_a_watermark_is_not() -> None:
    red = run("样例市人民政府办公室", "<w:color w:val='FF0000'/><w:sz w:val='72'/>")
    mark = f"<w:p><w:r><w:pict><v:shape {V}><v:textpath string='样张'/></v:shape></w:pict></w:r></w:p>"
    letter = opened(
        kit.paragraph("通知")
        + BREAK
        + kit.paragraph("次")
        + section(ref("header", "header1", "first"), title=True),
        header1=part("hdr", red + mark),
    )
    assert set(lines(letter)) == {("样张", "header"), ("样例市人民政府办公室", "body"), ("通知", "body")}
    repeated = opened(
        kit.paragraph("通知") + BREAK + kit.paragraph("次") + section(ref("header", "header1")),
        header1=part("hdr", red),
    )
    assert lines(repeated)[0] == ("样例市人民政府办公室", "header")


# ---------------------------------------------------------------- boxes, tables


def box(words: str, *, at: str = "", fallback: bool = True) -> str:
    shape = (
        f"<w:drawing><wp:anchor {WP}>{at}<wp:extent cx='1000000' cy='500000'/><wps:txbx {WPS}><w:txbxContent>"
        f"{kit.paragraph(words)}</w:txbxContent></wps:txbx></wp:anchor></w:drawing>"
    )
    old = f"<w:pict><v:textbox {V}><w:txbxContent>{kit.paragraph(words)}</w:txbxContent></v:textbox></w:pict>"
    inner = (
        f"<mc:AlternateContent {MC}><mc:Choice Requires='wps'>{shape}</mc:Choice><mc:Fallback>{old}</mc:Fallback>"
        "</mc:AlternateContent>"
        if fallback
        else shape
    )
    return f"<w:p><w:r>{inner}</w:r></w:p>"


def test_a_box_is_read_once_in_its_place() -> None:
    document = opened(kit.paragraph("前") + box("框内文字") + kit.paragraph("后"))
    assert [text for text, _ in lines(document)] == ["前", "框内文字", "后"]


def test_a_fallback_inside_a_drawing_is_not_read_again() -> None:
    grouped = (
        f"<w:p><w:r><w:drawing><wp:inline {WP}><mc:AlternateContent {MC}><mc:Choice Requires='wps'><w:txbxContent>"
        f"{kit.paragraph('组内')}</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>{kit.paragraph('组内')}"
        "</w:txbxContent></mc:Fallback></mc:AlternateContent></wp:inline></w:drawing></w:r></w:p>"
    )
    assert [text for text, _ in lines(opened(grouped))] == ["组内"]


BORDERS = "<w:tblPr><w:tblBorders><w:insideV w:val='single'/></w:tblBorders></w:tblPr>"


def table(*rows: tuple[str, ...], properties: str = BORDERS) -> str:
    made = "".join(
        "<w:tr>" + "".join(f"<w:tc>{kit.paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows
    )
    return f"<w:tbl>{properties}<w:tblGrid><w:gridCol w:w='3000'/><w:gridCol w:w='3000'/></w:tblGrid>{made}</w:tbl>"


def test_ruled_tables_as_cells() -> None:
    document = opened(kit.paragraph("表") + table(("序号", "名称"), ("1", "样例")))
    assert lines(document) == [
        ("表", "body"), ("序号", "cell"), ("名称", "cell"), ("1", "cell"), ("样例", "cell"),
    ]  # fmt: skip
    (made,) = document.tables(1)
    assert [(c.row, c.column, c.text) for c in made.cells] == [
        (0, 0, "序号"), (0, 1, "名称"), (1, 0, "1"), (1, 1, "样例"),
    ]  # fmt: skip
    first, second = made.cells[:2]
    assert first.box.right <= second.box.left + 0.001 and 0 < made.box.top < made.box.bottom < 1
    words = [line for line in document.text_lines(1) or () if line.text == "样例"]
    assert _within(words[0], made.cells[3].box)


def test_tables_reach_the_transcript() -> None:
    document = opened(table(("序号", "名称"), ("1", "样例")))
    read = transcribe(document, engine="auto", first=1, last=1, limits=DEFAULT_LIMITS)
    assert read.pages[0].tables == document.tables(1)


def _within(line: Line, outer: object) -> bool:
    x, y = line.box.centre
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom  # type: ignore[attr-defined]


def test_tables_that_only_place_text_are_text() -> None:
    document = opened(table(("样函〔2026〕1号", "签发人：张三"), ("抄送：某局", ""), properties=""))
    assert {role for _, role in lines(document)} == {"body"}
    assert document.tables(1) == ()


# ---------------------------------------------------------------- what is not seen


@pytest.mark.req("R-003")
@pytest.mark.parametrize(
    "hidden",
    [
        run("绝密★长期", "<w:vanish/>"),
        run("绝密★长期", "<w:color w:val='FFFFFF'/>"),
        run("绝密★长期", "<w:sz w:val='2'/>"),
        box(
            "绝密★长期",
            at="<wp:positionH relativeFrom='page'><wp:posOffset>-9000000</wp:posOffset></wp:positionH>",
        ),
        box(
            "绝密★长期",
            at="<wp:positionV relativeFrom='page'><wp:posOffset>90000000</wp:posOffset></wp:positionV>",
        ),
        f"<w:p><w:r><w:pict><v:shape {V} style='position:absolute;margin-left:-9999pt'><v:textbox><w:txbxContent>"
        f"{kit.paragraph('绝密★长期')}</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>",
    ],
    ids=["vanish", "white", "tiny", "left", "below", "vml"],
)
def test_hidden_text_is_told_and_not_read(hidden: str) -> None:
    document = opened(kit.paragraph("可见") + hidden)
    assert [text for text, _ in lines(document)] == ["可见"]
    assert found(document) == {"hidden_text": "5", "hidden_mark": "绝密★长期"}


@pytest.mark.parametrize(
    "shown",
    [
        run("白字", "<w:color w:val='FFFFFF'/><w:highlight w:val='black'/>"),
        run("白字", "<w:color w:val='FFFFFF'/><w:shd w:val='clear' w:fill='000000'/>"),
        table(("白字", "x"), properties="<w:tblPr><w:tblStyle w:val='Dark'/></w:tblPr>").replace(
            "<w:sz w:val='32'/>", "<w:color w:val='FFFFFF'/>"
        ),
        run("白字", "<w:color w:val='auto'/>"),
    ],
    ids=["highlight", "shading", "styled table", "auto"],
)
def test_white_on_a_dark_ground_is_read(shown: str) -> None:
    assert "白字" in [text for text, _ in lines(opened(shown))]


def test_tracked_changes_and_comments() -> None:
    document = opened(
        "<w:p><w:r><w:t>今年</w:t></w:r><w:ins><w:r><w:t>三月</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>机密★10年</w:delText></w:r></w:del><w:del><w:r><w:delText>二月</w:delText></w:r></w:del></w:p>",
        comments=part("comments", f"<w:comment w:id='1'>{kit.paragraph('意见')}</w:comment>"),
    )
    assert lines(document) == [("今年三月", "body")]
    assert found(document) == {"tracked_changes": "2", "comments_inside": "1", "hidden_mark": "机密★10年"}


def test_fields_and_chunks_that_would_fetch() -> None:
    field = "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText> DDE</w:instrText></w:r><w:r>" \
        "<w:instrText>AUTO c:\\\\x</w:instrText></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>"  # fmt: skip
    document = opened(
        field + "<w:p><w:fldSimple w:instr='INCLUDETEXT \"x\"'><w:r><w:t>旧</w:t></w:r></w:fldSimple></w:p>"
        f"<w:altChunk {R} r:id='x'/>"
    )
    assert document.active == ("alt_chunk", "dde", "external_field")
    assert "active_content" in found(document)


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                kit.paragraph("文"), box("框"), box("框", fallback=False), table(("甲", "乙"), ("丙", "丁")), BREAK,
                run("暗", "<w:vanish/>"), "<w:p><w:del><w:r><w:delText>删</w:delText></w:r></w:del></w:p>",
                f"<w:altChunk {R} r:id='x'/>", table(("甲",), properties=""),
                f"<w:p><w:pPr>{section(title=True)}</w:pPr></w:p>",
            ]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_every_mixture_is_laid_out_whole(pieces: list[str]) -> None:
    document = opened("".join(pieces))
    text = "".join(words for n in range(1, document.page_count + 1) for words, _ in lines(document, n))
    assert text.count("框") == sum("框" in piece for piece in pieces)
    assert text.count("文") == pieces.count(kit.paragraph("文"))
    assert "暗" not in text and "删" not in text
    for number in range(1, document.page_count + 1):
        document.tables(number)
        document.render(number, 20)


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_no_change_of_the_markup_gets_past_the_guard(at: int, change: bytes) -> None:
    body = (box("框") + table(("甲", "乙"), ("丙", "丁")) + run("暗", "<w:vanish/>")).encode()
    place = at % len(body)
    try:
        document = opened((body[:place] + change + body[place + len(change) :]).decode("utf-8", "replace"))
        lines(document)
    except FormatFault as fault:
        assert fault.code in ("damaged_file", "hostile_markup", "unpack_bomb", "encrypted_file")
