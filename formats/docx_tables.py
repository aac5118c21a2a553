"""The ruled tables of a laid-out DOCX page as cells with their boxes."""

from __future__ import annotations

from itertools import groupby

from ..models.page import Box, Cell, Table
from .docx_layout import LaidPage, PlacedCell


def tables_of(page: LaidPage) -> tuple[Table, ...]:
    """Tables in the order they stand; rows count from 0 on each page. One column or one row makes no table."""
    tables = []
    for _, placed in groupby(page.cells, key=lambda cell: cell.table):
        cells = list(placed)
        rows = {row: number for number, row in enumerate(sorted({cell.row for cell in cells}))}
        if len(rows) < 2 or max(cell.column for cell in cells) < 1:
            continue
        made = tuple(
            Cell(
                row=rows[cell.row],
                column=cell.column,
                text=cell.text,
                box=_box(page, cell),
                columns=cell.columns,
            )
            for cell in cells
        )
        whole = Box(
            left=min(cell.box.left for cell in made),
            top=min(cell.box.top for cell in made),
            right=max(cell.box.right for cell in made),
            bottom=max(cell.box.bottom for cell in made),
        )
        tables.append(Table(box=whole, cells=made))
    return tuple(tables)


def _box(page: LaidPage, cell: PlacedCell) -> Box:
    width, height = page.sheet.width, page.sheet.height
    left, right = (min(max(x / width, 0.0), 1.0) for x in (cell.left, cell.right))
    top, bottom = (min(max(y / height, 0.0), 1.0) for y in (cell.top, cell.bottom))
    return Box(left=round(left, 5), top=round(top, 5), right=round(right, 5), bottom=round(bottom, 5))
