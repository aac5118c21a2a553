"""A register as a file: xlsx, csv, and PDF on A4 across.

Each bears unit, period, who printed it and the ledger's checkpoint (size and root): xlsx in its second line and in the
footer of every printed sheet, PDF at the foot of every page; csv holds lines alone, its checkpoint is in the answer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .look import Cell, Column, Line, Register

if TYPE_CHECKING:
    from ...stages.certify_form import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands on every sheet."""

    unit: str
    period: str
    department: str
    by: str
    at: datetime
    size: int
    root: str

    @property
    def line(self) -> str:
        """One line for the top of a sheet."""
        parts = (
            self.unit, self.period, f"部门：{self.department}" if self.department else "", f"打印人：{self.by}",
            f"打印时间：{self.at:%Y-%m-%d %H:%M}",
        )  # fmt: skip
        return "　".join(filter(None, parts))

    @property
    def checkpoint(self) -> str:
        """The ledger when it was printed: a later ledger must contain this one."""
        return f"台账检查点：第 {self.size} 条　根 {self.root}"


def xlsx(register: Register, lines: Sequence[Line], sums: Sequence[Line], head: Head) -> bytes:
    """A workbook of one sheet; its printed pages repeat the heading and bear the checkpoint."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise RuntimeError("a new workbook has a sheet")
    sheet.title = register.title
    sheet["A1"], sheet["A2"] = register.title, f"{head.line}　{head.checkpoint}"
    sheet["A1"].font = Font(size=16, bold=True)
    sheet.append([column.head for column in register.columns])
    for line in (*lines, *sums):
        sheet.append([harmless(cell) for cell in line.cells])
    thin = Side(style="thin")
    border, wrapped = (
        Border(left=thin, right=thin, top=thin, bottom=thin),
        Alignment(wrap_text=True, vertical="center"),
    )
    for row in sheet.iter_rows(min_row=3, max_col=len(register.columns)):
        for cell in row:
            cell.border, cell.alignment = border, wrapped
    for number, column in enumerate(register.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = max(8.0, 6.5 * column.share)
    for row in (sheet[3], *(sheet[4 + len(lines) + place] for place in range(len(sums)))):
        for cell in row:
            cell.font = Font(bold=True)
    sheet.freeze_panes = "A4"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:3"
    sheet.oddHeader, sheet.oddFooter = HeaderFooterItem(), HeaderFooterItem()
    # "&" begins a code in headers and footers
    sheet.oddHeader.center.text = f"{head.unit}　{register.title}".replace("&", "&&")
    sheet.oddFooter.left.text = f"第 {head.size} 条"
    sheet.oddFooter.center.text = head.root
    sheet.oddFooter.right.text = "&P / &N"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def table(register: Register, lines: Sequence[Line], sums: Sequence[Line]) -> bytes:
    """CSV in UTF-8 with a mark, as spreadsheets want it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.head for column in register.columns])
    writer.writerows([harmless(cell) for cell in line.cells] for line in (*lines, *sums))
    return out.getvalue().encode("utf-8-sig")


def pdf(register: Register, lines: Sequence[Line], sums: Sequence[Line], head: Head) -> bytes:
    """A4 across; a book of more columns than one sheet holds goes over two facing sheets, its number on both.

    Raises:
        MissingTool: no Chinese font, or no glyph for a character.
    """
    from ...stages import certify_form

    form = certify_form.Form(
        at=head.at, title=f"{head.unit} {register.title}", footer=head.checkpoint,
    )  # fmt: skip
    parts = _facing(register.columns)
    for place, chosen in enumerate(parts, start=1):
        form.page(landscape=True)
        title = register.title if len(parts) == 1 else f"{register.title}（{'左右'[place - 1]}页）" if len(parts) == 2 \
            else f"{register.title}（{place}／{len(parts)}）"  # fmt: skip
        form.centred(title, 15, bold=True)
        form.paragraph(head.line, 8.5)
        form.y += 1.5
        _draw(form, register, chosen, (*lines, *sums))
        if not lines:
            form.paragraph("（本期无登记）", 9)
    return form.finish(())


def _facing(columns: Sequence[Column]) -> list[tuple[int, ...]]:
    """Which columns stand on which sheet: as even as may be, the first column on each."""
    total = sum(column.share for column in columns)
    count = max(1, round(total / _SHARES + 0.35))
    parts: list[list[int]] = [[]]
    for place, column in enumerate(columns):
        used = sum(columns[one].share for one in parts[-1])
        if len(parts) < count and parts[-1] and used + column.share / 2 > total / count * 1.0:
            parts.append([0])
        parts[-1].append(place)
    return [tuple(part) for part in parts]


_SHARES = 32.0
"""Shares of width that one sheet holds legibly."""


def _draw(form: Form, register: Register, chosen: Sequence[int], lines: Sequence[Line]) -> None:
    from ...stages.certify_form import Column as Drawn

    shares = [register.columns[place].share for place in chosen]
    unit = form.width / sum(shares)
    drawn = [
        Drawn(register.columns[place].head, share * unit, "C" if share <= 1 else "L")
        for place, share in zip(chosen, shares, strict=True)
    ]
    rows = [["" if (cell := line.cells[place]) is None else str(cell) for place in chosen] for line in lines]
    form.table(drawn, rows, size=7.5)


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell
