"""Lays a paper out by GB/T 9704-2012: where every element stands, on how many pages, and the text of each."""

from __future__ import annotations

from dataclasses import dataclass

from .heads import TITLE_STEP, draw_head, title_lines
from .paper import STAMP, Annex, Block, Paper
from .sheet import (
    BOTTOM,
    LEFT,
    PAPER_W,
    PITCH,
    RIGHT,
    ROW,
    SIZE2,
    SIZE3,
    SIZE4,
    SIZE5,
    TOP,
    Face,
    Rule,
    Seal,
    Sheet,
    Text,
    width,
    wrap,
)

ASCENT = 0.88
"""Baseline of an ideographic em box below its top, as a part of the em."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of type, or of a table's cells."""

    text: str
    x: float
    face: Face = "serif"
    size: float = SIZE3
    spacing: float = 0.0
    cells: tuple[tuple[float, str], ...] = ()
    edges: tuple[float, ...] = ()
    left_out: bool = False


def lay_out(paper: Paper) -> list[Sheet]:
    """The pages of a paper, each with 样张 in its margins.

    Raises:
        MissingTool: when the Noto CJK fonts are not there.
    """
    sheets = [fresh(1)]
    y = draw_head(paper, sheets[0])
    rows = [row for block in (*paper.body, *_annex_list(paper)) for row in block_rows(block)]
    y = pour(sheets, rows, y, keep=2)
    signature = _Signature(paper)
    if y + ROW * signature.rows > BOTTOM + 0.1:
        y = _carry_over(sheets)
    signature.draw(sheets[-1], y)
    y += ROW * signature.rows
    for number, annex in enumerate(paper.annexes, 1):
        y = _annex(sheets, annex, f"附件{number}" if len(paper.annexes) > 1 else "附件")
    _imprint(paper, sheets, y)
    for sheet in sheets:
        _page_number(paper, sheet)
        if paper.running_head and sheet.number > 1:
            sheet.things.append(Text(LEFT, 30.0, paper.running_head, SIZE5))
            sheet.things.append(Rule(LEFT, 32.0, RIGHT, 32.0, 0.2))
            sheet.lines.insert(0, paper.running_head)
    return sheets


def _annex_list(paper: Paper) -> list[Block]:
    """附件说明 under the body (GB/T 9704 7.3.4): the names under one another, no punctuation behind them."""
    names = [annex.title for annex in paper.annexes]
    if not names:
        return []
    if len(names) == 1:
        return [Block(kind="item", text=f"附件：{names[0]}")]
    return [
        Block(kind="item", text=("附件：" if index == 1 else "　　　") + f"{index}.{name}")
        for index, name in enumerate(names, 1)
    ]


def _annex(sheets: list[Sheet], annex: Annex, label: str) -> float:
    """The annex on new pages: label at the top left, title in the third row."""
    sheets.append(fresh(len(sheets) + 1))
    _place(sheets[-1], Row(label, LEFT, "sans-bold"), TOP)
    y = TOP + 2 * ROW
    for line in title_lines(annex.title):
        middle = (LEFT + RIGHT - width(line, SIZE2, "serif-bold")) / 2
        _place(sheets[-1], Row(line, middle, "serif-bold", SIZE2), y)
        y += TITLE_STEP
    return pour(sheets, [row for block in annex.body for row in block_rows(block)], y + ROW * 0.4, keep=2)


def fresh(number: int) -> Sheet:
    """An empty page with 样张 at its head and foot."""
    sheet = Sheet(number=number)
    size = 3.7
    x = (PAPER_W - width(STAMP, size)) / 2
    for y in (13.0, 290.0):
        sheet.things.append(Text(x, y, STAMP, size, "serif", "stamp"))
    return sheet


def block_rows(block: Block) -> list[Row]:
    """A piece of the body as rows of the text area."""
    if block.kind == "table":
        return _table_rows(block)
    if block.kind == "ticks":
        return [Row(block.text, LEFT + 2 * PITCH, "sans", SIZE4, left_out=True)]
    face: Face = "sans-bold" if block.kind == "head" else "serif"
    measure = RIGHT - LEFT
    lines = wrap(block.text, first=measure - 2 * PITCH, rest=measure, size=SIZE3, face=face)
    rows = []
    for index, line in enumerate(lines):
        room = measure - (2 * PITCH if index == 0 else 0)
        slack = room - width(line, SIZE3, face)
        last = index == len(lines) - 1
        fill = (
            slack / max(1, len(line) - 1)
            if not last and abs(slack) < 3 * PITCH
            else min(0.0, slack / len(line))
        )
        rows.append(Row(line, LEFT + (2 * PITCH if index == 0 else 0), face, spacing=fill))
    return rows


def _table_rows(block: Block) -> list[Row]:
    columns = len(block.rows[0])
    wide = [max(width(row[i], SIZE5) for row in block.rows) + 4 for i in range(columns)]
    scale = (RIGHT - LEFT) / sum(wide)
    edges = [LEFT]
    for column in wide:
        edges.append(edges[-1] + column * scale)
    rows = []
    for number, row in enumerate(block.rows):
        face: Face = "sans-bold" if number == 0 else "serif"
        cells = tuple(
            (edges[i] + (edges[i + 1] - edges[i] - width(cell, SIZE5, face)) / 2, cell)
            for i, cell in enumerate(row)
        )
        rows.append(Row(" ".join(row), LEFT, face, SIZE5, cells=cells, edges=tuple(edges)))
    return rows


def pour(sheets: list[Sheet], rows: list[Row], y: float, keep: int = 1) -> float:
    """Puts rows on the last page from `y` (mm) on, and on new ones; gives the y below them."""
    for index, row in enumerate(rows):
        last_of_head = row.face == "sans-bold" and not row.cells and index + 1 < len(rows)
        if y + ROW * (keep if last_of_head else 1) > BOTTOM + 0.1:
            sheets.append(fresh(len(sheets) + 1))
            y = TOP
        _place(sheets[-1], row, y)
        y += ROW
    return y


def _place(sheet: Sheet, row: Row, y: float) -> None:
    base = y + (ROW - row.size) / 2 + ASCENT * row.size
    if row.cells:
        for x, cell in row.cells:
            sheet.things.append(Text(x, base, cell, row.size, row.face))
        for edge in row.edges:
            sheet.things.append(Rule(edge, y, edge, y + ROW, 0.2))
        for line in (y, y + ROW):
            sheet.things.append(Rule(row.edges[0], line, row.edges[-1], line, 0.2))
    else:
        sheet.things.append(Text(row.x, base, row.text, row.size, row.face, spacing=row.spacing))
    (sheet.left_out if row.left_out else sheet.lines).append(row.text)


def _carry_over(sheets: list[Sheet]) -> float:
    """A signature never stands alone on a page: the last line of the body goes with it."""
    old, new = sheets[-1], fresh(len(sheets) + 1)
    moved = old.lines[-1]
    texts = [thing for thing in old.things if isinstance(thing, Text) and thing.text == moved]
    y = TOP
    if texts and len(old.lines) > 1:
        text = texts[-1]
        old.things.remove(text)
        old.lines.pop()
        base = y + (ROW - text.size) / 2 + ASCENT * text.size
        new.things.append(Text(text.x, base, text.text, text.size, text.face, spacing=text.spacing))
        new.lines.append(moved)
        y += ROW
    sheets.append(new)
    return y


class _Signature:
    """Signature, date, seal and note, from the first free row under the body."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        fields = paper.fields
        self.signers = fields.organs if paper.layout != "minutes" else ()
        if paper.layout == "order":
            self.signers = (f"首长　{paper.signed_by}",)
        self.dated = fields.signed_date is not None and paper.layout != "minutes"
        self.note = f"（{fields.note}）" if fields.note else ""
        self.gap = 2 if paper.seal else 1
        # Seals of joint signers stand side by side, two a row, each with room for its ring.
        self.banks = [self.signers[i : i + 2] for i in range(0, len(self.signers), 2)]
        joint = len(self.signers) > 1
        self.step = 4 if joint and paper.seal else 1
        signed = self.step * (len(self.banks) - 1) + 2
        self.rows = (
            (self.gap + signed if self.dated else 0) + (1 if self.note else 0) + (1 if paper.seal else 0)
        )

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draws from `y` (mm) on."""
        if self.dated:
            y = self._signed(sheet, y + ROW * self.gap)
        if self.note:
            _place(sheet, Row(self.note, LEFT + 2 * PITCH), y)

    def _signed(self, sheet: Sheet, y: float) -> float:
        paper = self.paper
        date_wide = width(paper.date_text, SIZE3)
        date_x = RIGHT - (4 if paper.seal else 2) * PITCH - date_wide
        for bank in self.banks:
            last = bank is self.banks[-1]
            for index, organ in enumerate(bank):
                middle = date_x + date_wide / 2 - 76 * (len(bank) - 1 - index)
                x = min(middle - width(organ, SIZE3) / 2, RIGHT - width(organ, SIZE3))
                _place(sheet, Row(organ, x), y)
                if paper.seal:
                    sheet.things.append(Seal(middle, y + ROW, organ))
            y += ROW * (1 if last else self.step)
        _place(sheet, Row(paper.date_text, date_x), y)
        return y + ROW


def _imprint(paper: Paper, sheets: list[Sheet], y: float) -> None:
    """版记: at the foot of the last page; a new page when there is no room."""
    fields = paper.fields
    rows: list[tuple[str, str]] = []
    if paper.subject_words:
        rows.append((f"主题词：{paper.subject_words}", ""))
    if fields.copied_to:
        lines = wrap("抄送：" + "，".join(fields.copied_to) + "。", first=146, rest=130, size=SIZE4)
        rows += [(line, "") for line in lines]
    if fields.printed_date and paper.printed_by:
        day = fields.printed_date
        rows.append((paper.printed_by, f"{day.year}年{day.month}月{day.day}日印发"))
    if fields.print_count:
        rows.append(("", f"（共印{fields.print_count}份）"))
    if not rows:
        return
    step = 8.2
    if BOTTOM - step * len(rows) < y + 2:
        sheets.append(fresh(len(sheets) + 1))
    sheet = sheets[-1]
    start = top = BOTTOM - step * len(rows)
    sheet.things.append(Rule(LEFT, start, RIGHT, start, 0.35))
    for left, right in rows:
        base = top + (step - SIZE4) / 2 + ASCENT * SIZE4
        if left:
            sheet.things.append(Text(LEFT + SIZE4, base, left, SIZE4))
        if right:
            sheet.things.append(Text(RIGHT - SIZE4 - width(right, SIZE4), base, right, SIZE4))
        sheet.lines.append(f"{left}　{right}".strip("　"))
        top += step
        thick = 0.35 if top > BOTTOM - 0.1 else 0.25
        sheet.things.append(Rule(LEFT, top, RIGHT, top, thick))


def _page_number(paper: Paper, sheet: Sheet) -> None:
    if paper.layout in ("letter", "telegram") and sheet.number == 1:
        return
    text = f"— {sheet.number} —"
    wide = width(text, SIZE4)
    x = RIGHT - SIZE4 - wide if sheet.number % 2 else LEFT + SIZE4
    sheet.things.append(Text(x, BOTTOM + 7 + SIZE4, text, SIZE4))
    sheet.printed_number = text
