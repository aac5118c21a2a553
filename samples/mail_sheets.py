"""Sheets that are no papers: an envelope, a 发文清单, a page of vertical text. 样张 stands on each."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .layout import block_rows, fresh, pour
from .paper import STAMP, Block, Paper
from .sheet import (
    LEFT,
    PAPER_H,
    PAPER_W,
    PITCH,
    RIGHT,
    ROW,
    SIZE2,
    SIZE3,
    SIZE4,
    TOP,
    Rule,
    Sheet,
    Stamp,
    Text,
    width,
)


def envelope(paper: Paper, rng: random.Random) -> Sheet:
    """The address side of a ZL envelope (GB/T 1416, 230 x 120 mm): receiver, sender, number, level, urgency."""
    sheet = Sheet(number=0, size=(230.0, 120.0))
    unit = paper.unit
    number = f"（{rng.randint(1, 9)}）机要第{rng.randint(1, 999):04d}号"
    lines = [
        (16.0, 18.0, number, SIZE4), (40.0, 50.0, unit, 8.5), (96.0, 66.0, "机要室　收", 7.5),
        (214.0 - width(paper.letterhead[0], 6.5), 106.0, paper.letterhead[0], 6.5),
    ]  # fmt: skip
    if paper.mark_text:
        lines.insert(0, (170.0, 18.0, paper.mark_text[:2], 7.0))
    if paper.fields.urgency:
        lines.insert(1, (196.0, 18.0, paper.fields.urgency, 7.0))
    for x, y, text, size in lines:
        sheet.things.append(Text(x, y, text, size, "serif-bold" if size > 6.6 else "serif"))
        sheet.lines.append(text)
    words = ("机要交换", "密封完好")
    sheet.things.append(Stamp(38.0, 92.0, 34.0, 17.0, words, rng.uniform(-6, 6), "red"))
    sheet.left_out += words
    sheet.things.append(Text((230 - width(STAMP, 3.2)) / 2, 116.0, STAMP, 3.2, "serif", "stamp"))
    return sheet


def cover_list(papers: Sequence[Paper], pages: Sequence[int]) -> Sheet:
    """发文清单: what lies in the envelope, with copies and pages of each, and a place to sign."""
    sheet = fresh(1)
    title = "发文清单"
    sheet.things.append(Text((PAPER_W - width(title, SIZE2)) / 2, TOP + 10, title, SIZE2, "serif-bold"))
    sheet.lines.append(title)
    rows = [("序号", "文号", "密级", "份数", "页数")]
    for index, (paper, count) in enumerate(zip(papers, pages, strict=True), 1):
        level = paper.mark_text[:2] if paper.fields.serials else "—"
        rows.append((str(index), paper.fields.doc_number or "—", level, "1", str(count)))
    pour([sheet], block_rows(Block(kind="table", rows=tuple(rows))), TOP + 24)
    y = TOP + 24 + ROW * (len(rows) + 1.5)
    for text in (
        f"发文单位：{papers[0].letterhead[0]}",
        f"收文单位：{papers[0].unit}",
        "签收人：　　　　　　签收时间：",
    ):
        sheet.things.append(Text(LEFT, y, text, SIZE4))
        sheet.lines.append(text)
        y += ROW
    return sheet


def vertical_page(paper: Paper) -> Sheet:
    """The title and body of a paper in columns from right to left, between thin red rules as on old letter paper."""
    sheet = fresh(1)
    texts = [paper.fields.title or "", *(block.text for block in paper.body if block.text)]
    x, step = RIGHT - PITCH, ROW * 1.15
    most = int((PAPER_H - TOP - 45) / (SIZE3 * 1.15))
    for text in texts:
        for at in range(0, len(text), most):
            column = text[at : at + most]
            if x < LEFT:
                return sheet
            for row, char in enumerate(column):
                sheet.things.append(Text(x, TOP + SIZE3 + row * SIZE3 * 1.15, char, SIZE3))
            sheet.things.append(Rule(x - step * 0.28, TOP, x - step * 0.28, PAPER_H - 45, 0.15, "red"))
            sheet.lines.append(column)
            x -= step
    return sheet
