"""The heads of the formats: what stands above the body on page 1 (GB/T 9704-2012 chapters 7 and 10)."""

from __future__ import annotations

import re

from .paper import Paper
from .sheet import (
    LEFT,
    PAPER_W,
    PITCH,
    RIGHT,
    ROW,
    SIZE2,
    SIZE3,
    TOP,
    Face,
    Ink,
    Rule,
    Sheet,
    Text,
    width,
    wrap,
)

TITLE_STEP = 12.3
ASCENT = 0.88
CENTRE = PAPER_W / 2 + 1
"""Middle of the text area, a little right of the paper's middle (28 mm left, 26 mm right)."""


def draw_head(paper: Paper, sheet: Sheet) -> float:
    """Draws the head of page 1 and gives the y (mm) where the body begins."""
    match paper.layout:
        case "letter":
            y = _letter(paper, sheet)
        case "order":
            return _order(paper, sheet)
        case "minutes":
            y = _minutes(paper, sheet)
        case "telegram":
            y = _telegram(paper, sheet)
        case "company":
            y = _company(paper, sheet)
        case "plain":
            _corner(paper, sheet, TOP)
            y = TOP + ROW * (len(_corner_lines(paper)) + 0.5)
        case _:
            y = _standard(paper, sheet)
    return _title(paper, sheet, y)


def _put(
    sheet: Sheet, x: float, top: float, text: str, size: float = SIZE3, face: Face = "serif", ink: Ink = "black",
    spacing: float = 0.0,
) -> None:  # fmt: skip
    sheet.things.append(Text(x, top + ASCENT * size, text, size, face, ink, spacing))


def _in_row(sheet: Sheet, x: float, y: float, text: str, face: Face = "serif") -> None:
    _put(sheet, x, y + (ROW - SIZE3) / 2, text, SIZE3, face)


def _corner_lines(paper: Paper) -> list[tuple[str, Face]]:
    lines: list[tuple[str, Face]] = [(serial, "serif") for serial in paper.fields.serials]
    if paper.mark_text:
        lines.append((paper.mark_text, "sans-bold"))
    if paper.fields.urgency and paper.layout != "telegram":
        lines.append((paper.fields.urgency, "sans-bold"))
    return lines


def _corner(paper: Paper, sheet: Sheet, y: float, *, right: bool = False) -> float:
    for text, face in _corner_lines(paper):
        at_right = right and face == "sans-bold"
        _in_row(sheet, RIGHT - width(text, SIZE3, face) if at_right else LEFT, y, text, face)
        sheet.lines.append(text)
        y += ROW
    return y


def _banner(
    sheet: Sheet, text: str, top: float, *, tallest: float, room: float = 150.0, ink: Ink = "red"
) -> float:
    """A letterhead line, spread to at least half the width; gives the size of its type."""
    size = min(tallest, room / width(text, 1.0, "serif-bold"))
    natural = width(text, size, "serif-bold")
    spread = max(0.0, min((110.0 - natural) / max(1, len(text) - 1), size * 0.9))
    x = CENTRE - (natural + spread * (len(text) - 1)) / 2
    _put(sheet, x, top, text, size, "serif-bold", ink, spread)
    sheet.lines.append(text)
    return size


def _standard(paper: Paper, sheet: Sheet) -> float:
    old = paper.layout == "old"
    _corner(paper, sheet, TOP, right=old)
    top = TOP + 35
    names = paper.letterhead
    if len(names) == 1:
        top += _banner(sheet, f"{names[0]}文件", top, tallest=17)
    else:
        tail = width("文件", 15, "serif-bold")
        size = min(12.0, (148 - tail) / max(width(name, 1.0, "serif-bold") for name in names))
        wide = max(width(name, size, "serif-bold") for name in names)
        x = CENTRE - (wide + tail + 6) / 2
        for name in names:
            gap = (wide - width(name, size, "serif-bold")) / max(1, len(name) - 1)
            _put(sheet, x, top, name, size, "serif-bold", "red", gap)
            sheet.lines.append(name)
            top += size * 1.35
        middle = TOP + 35 + (top - TOP - 35) / 2 - 7.5
        _put(sheet, x + wide + 6, middle, "文件", 15, "serif-bold", "red")
        sheet.loose.append("文件")
    y = top + ROW * (1.4 if len(names) > 1 else 2)
    return _number_and_rule(paper, sheet, y)


def _number_and_rule(paper: Paper, sheet: Sheet, y: float) -> float:
    number = paper.fields.doc_number or ""
    if paper.layout == "upward":
        y = _signers(paper.fields.signers, number, sheet, y)
    else:
        _in_row(sheet, CENTRE - width(number, SIZE3) / 2, y, number)
        sheet.lines.append(number)
    y += ROW - 1.5 + 4
    sheet.things.append(Rule(LEFT, y, RIGHT, y, 0.7, _ink(paper)))
    return y + ROW * 1.6


def _signers(names: tuple[str, ...], number: str, sheet: Sheet, y: float) -> float:
    """签发人, two a row, names under names; the number stands in the row of the last (GB/T 9704 7.2.6)."""
    label = "签发人："
    rows = ["　".join(names[i : i + 2]) for i in range(0, len(names), 2)]
    x = RIGHT - PITCH - width(label, SIZE3) - max(width(row, SIZE3) for row in rows)
    for index, row in enumerate(rows):
        text = label + row if index == 0 else row
        _in_row(sheet, x if index == 0 else x + width(label, SIZE3), y, text)
        if index == len(rows) - 1:
            _in_row(sheet, LEFT + PITCH, y, number)
            sheet.lines.append(f"{number}　{text}")
        else:
            sheet.lines.append(text)
            y += ROW
    return y


def _letter(paper: Paper, sheet: Sheet) -> float:
    name = paper.letterhead[0]
    size = min(13.0, 150 / width(name, 1.0, "serif-bold"))
    _banner(sheet, name, 30, tallest=size)
    y = 30 + size + 4
    sheet.things += [Rule(20, y, 190, y, 1.1, "red"), Rule(20, y + 1.5, 190, y + 1.5, 0.35, "red")]
    sheet.things += [Rule(20, 275.5, 190, 275.5, 0.35, "red"), Rule(20, 277, 190, 277, 1.1, "red")]
    y += 4
    number = paper.fields.doc_number or ""
    _in_row(sheet, RIGHT - width(number, SIZE3), y, number)
    if not _corner_lines(paper):
        sheet.lines.append(number)
        return y + ROW * 2
    after = _corner(paper, sheet, y)
    first = len(sheet.lines) - len(_corner_lines(paper))
    sheet.lines[first] += f"　{number}"
    return max(after, y + ROW) + ROW


def _order(paper: Paper, sheet: Sheet) -> float:
    _corner(paper, sheet, TOP)
    size = _banner(sheet, paper.fields.title or "", TOP + 20, tallest=17)
    y = TOP + 20 + size + 2 * ROW
    number = paper.fields.doc_number or ""
    _in_row(sheet, CENTRE - width(number, SIZE3) / 2, y, number)
    sheet.lines.append(number)
    return y + 3 * ROW


def _minutes(paper: Paper, sheet: Sheet) -> float:
    _corner(paper, sheet, TOP)
    size = _banner(sheet, paper.letterhead[0], TOP + 35, tallest=16)
    y = TOP + 35 + size + ROW * 0.6
    number = f"（{paper.fields.doc_number}）"
    _in_row(sheet, CENTRE - width(number, SIZE3) / 2, y, number)
    sheet.lines.append(number)
    y += ROW * 1.4
    organ = paper.fields.organs[0]
    _in_row(sheet, LEFT + PITCH, y, organ)
    _in_row(sheet, RIGHT - PITCH - width(paper.date_text, SIZE3), y, paper.date_text)
    sheet.lines.append(f"{organ}　{paper.date_text}")
    y += ROW + 1
    sheet.things.append(Rule(LEFT, y, RIGHT, y, 0.7, "red"))
    return y + ROW * 1.5


def _telegram(paper: Paper, sheet: Sheet) -> float:
    y = _corner(paper, sheet, TOP)
    _banner(sheet, "内部传真电报", y, tallest=13)
    y += 18
    sheet.things.append(Rule(LEFT, y, RIGHT, y, 0.7, "red"))
    values = dict(paper.telegram)
    for left, right in (("发往", ""), ("等级", "签批盖章"), ("部门号", "机号")):
        text = f"{left}：{values[left]}"
        _in_row(sheet, LEFT + PITCH / 2, y + 1, text)
        if right:
            extra = f"{right}：{values[right]}"
            _in_row(sheet, LEFT + 100, y + 1, extra)
            text += f"　{extra}"
        sheet.lines.append(text)
        y += ROW + 2
        sheet.things.append(Rule(LEFT, y, RIGHT, y, 0.3, "red"))
    return y + ROW * 0.8


def _company(paper: Paper, sheet: Sheet) -> float:
    y = _corner(paper, sheet, TOP)
    y = max(y, TOP + ROW) + 4
    y += _banner(sheet, f"{paper.letterhead[0]}文件", y, tallest=13, ink=_ink(paper)) + ROW * 0.8
    return _number_and_rule(paper, sheet, y)


def _ink(paper: Paper) -> Ink:
    return "red" if paper.red_head else "black"


def title_lines(title: str, room: float = 140.0) -> list[str]:
    """A title in lines of 2号 type, broken where the sense allows: before 关于 and 《, between joint organs."""
    if width(title, SIZE2, "serif-bold") <= room:
        return [title]
    lines: list[str] = []
    for piece in filter(None, re.split(r" |(?=关于)|(?<=[一-龥]{4})(?=《)", title)):
        joined = lines[-1] + piece if lines and not _closed(lines[-1], title) else piece
        if lines and joined != piece and width(joined, SIZE2, "serif-bold") <= room:
            lines[-1] = joined
        else:
            lines += _balanced(piece, room)
    return lines


def _balanced(piece: str, room: float) -> list[str]:
    count = len(wrap(piece, first=room, rest=room, size=SIZE2, face="serif-bold"))
    even = min(room, width(piece, SIZE2, "serif-bold") / count + 1.5 * SIZE2)
    return wrap(piece, first=even, rest=even, size=SIZE2, face="serif-bold")


def _closed(line: str, title: str) -> bool:
    """Whether a joint organ's name ends here: in the title a space follows it."""
    return f"{line} " in title


def _title(paper: Paper, sheet: Sheet, y: float) -> float:
    for line in title_lines(paper.fields.title or ""):
        _put(sheet, CENTRE - width(line, SIZE2, "serif-bold") / 2, y, line, SIZE2, "serif-bold")
        sheet.lines.append(line)
        y += TITLE_STEP
    y += ROW * 0.4
    if paper.fields.recipients:
        text = "，".join(paper.fields.recipients) + "："
        for line in wrap(text, first=RIGHT - LEFT, rest=RIGHT - LEFT, size=SIZE3):
            _in_row(sheet, LEFT, y, line)
            sheet.lines.append(line)
            y += ROW
    return y
