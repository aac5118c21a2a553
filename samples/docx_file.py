"""A paper as DOCX, with the styles an office would use; 样张 stands in header and footer of every page."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from .paper import STAMP, Block, Paper

MADE = datetime(2026, 1, 1, tzinfo=UTC)
RED = RGBColor(215, 20, 25)
PALE = RGBColor(205, 92, 92)
SONG, FANG, HEI, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT


def draw_docx(paper: Paper) -> bytes:
    """The whole paper as a Word file: A4, GB/T 9704 margins, exact 28 pt lines; the same bytes every time."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    normal = document.styles["Normal"]
    _face(normal, FANG, 16)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    normal.paragraph_format.line_spacing = Pt(28)
    _line(section.header.paragraphs[0], STAMP, size=10, colour=PALE, align=CENTRE)
    _page_number(section.footer.paragraphs[0])
    _head(document, paper)
    for block in paper.body:
        _block(document, block)
    _tail(document, paper)
    core = document.core_properties
    core.created = core.modified = MADE
    core.title, core.author, core.last_modified_by, core.comments = (
        "样张",
        "jiyao samples",
        "jiyao samples",
        STAMP,
    )
    out = io.BytesIO()
    document.save(out)
    return _fixed_dates(out.getvalue())


def _fixed_dates(data: bytes) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(info, before.read(name))
    return out.getvalue()


def _face(target: Any, name: str, points: float) -> None:
    target.font.name = "Times New Roman"
    target.font.size = Pt(points)
    target.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _line(
    paragraph: Any, text: str, *, face: str = FANG, size: float = 16, colour: RGBColor | None = None,
    align: Any = None, indent: float = 0, bold: bool = False,
) -> Any:  # fmt: skip
    run = paragraph.add_run(text)
    _face(run, face, size)
    run.font.bold = bold or None
    if colour is not None:
        run.font.color.rgb = colour
    if align is not None:
        paragraph.alignment = align
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(indent)
    return paragraph


def _head(document: Any, paper: Paper) -> None:
    fields, layout = paper.fields, paper.layout
    marks = (
        [*fields.serials, paper.mark_text, fields.urgency or ""]
        if layout != "telegram"
        else [paper.mark_text]
    )
    for text in filter(None, marks):
        at_right = layout == "old" and text not in fields.serials
        _line(
            document.add_paragraph(),
            text,
            face=FANG if text.isdigit() else HEI,
            align=RIGHT if at_right else None,
        )
    for banner in _banners(paper):
        paragraph = _line(document.add_paragraph(), banner, face=SONG, size=36, colour=RED, align=CENTRE)
        paragraph.paragraph_format.line_spacing = Pt(48)
        paragraph.paragraph_format.space_before = Pt(10)
    for label, value in paper.telegram:
        _line(document.add_paragraph(), f"{label}：{value}")
    if fields.doc_number and layout != "telegram":
        number = f"（{fields.doc_number}）" if layout == "minutes" else fields.doc_number
        if fields.signers:
            number += "　　　　签发人：" + "　".join(fields.signers)
        align = {"upward": None, "letter": RIGHT}.get(layout, CENTRE)
        paragraph = _line(document.add_paragraph(), number, align=align)
        if layout == "minutes":
            paragraph = _line(document.add_paragraph(), f"{fields.organs[0]}　　　　{paper.date_text}")
        if layout not in ("letter", "order"):
            _red_rule(paragraph)
    if layout != "order":
        paragraph = _line(document.add_paragraph(), fields.title or "", face=SONG, size=22, align=CENTRE)
        paragraph.paragraph_format.line_spacing = Pt(36)
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(16)
    if fields.recipients:
        _line(document.add_paragraph(), "，".join(fields.recipients) + "：")


def _banners(paper: Paper) -> list[str]:
    match paper.layout:
        case "plain":
            return []
        case "order":
            return [paper.fields.title or ""]
        case "telegram":
            return ["内部传真电报"]
        case "letter" | "minutes":
            return [paper.letterhead[0]]
        case _:
            return [*paper.letterhead[:-1], f"{paper.letterhead[-1]}文件"]


def _block(document: Any, block: Block) -> None:
    if block.kind == "table":
        table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
        for row in block.rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                _line(cell.paragraphs[0], text, size=12, align=CENTRE)
        return
    face = {"head": HEI, "sub": KAI}.get(block.kind, FANG)
    _line(document.add_paragraph(), block.text, face=face, indent=32)


def _tail(document: Any, paper: Paper) -> None:
    fields = paper.fields
    if fields.signed_date and paper.layout != "minutes":
        document.add_paragraph()
        signers = (f"首长　{paper.signed_by}",) if paper.layout == "order" else fields.organs
        for text in (*signers, paper.date_text):
            paragraph = _line(document.add_paragraph(), text, align=RIGHT)
            paragraph.paragraph_format.right_indent = Pt(48)
    if fields.note:
        _line(document.add_paragraph(), f"（{fields.note}）", indent=32)
    if paper.subject_words:
        _line(document.add_paragraph(), f"主题词：{paper.subject_words}", size=14)
    if fields.copied_to:
        _line(document.add_paragraph(), "抄送：" + "，".join(fields.copied_to) + "。", size=14)
    if fields.printed_date and paper.printed_by:
        day = fields.printed_date
        printed = f"{paper.printed_by}　　{day.year}年{day.month}月{day.day}日印发"
        _line(document.add_paragraph(), printed, size=14)
    if fields.print_count:
        _line(document.add_paragraph(), f"（共印{fields.print_count}份）", size=14, align=RIGHT)


def _red_rule(paragraph: Any) -> None:
    borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "18"), ("space", "4"), ("color", "D71419")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _page_number(paragraph: Any) -> None:
    paragraph.alignment = CENTRE
    _line(paragraph, "— ", size=14)
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)
    _line(paragraph, " —　", size=14)
    _line(paragraph, STAMP, size=9, colour=PALE)
