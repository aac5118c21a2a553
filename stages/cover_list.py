"""What a cover list (发文清单, 送达回执) says of the papers in the envelope: number, copies, pages of each.

Columns are told by their headings; a row whose cells do not fall under them says nothing rather than something wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..models.page import Page, Table
from .fields_text import normal, tight

_NUMBER = re.compile(r"[\u4e00-\u9fffA-Za-z]{1,16}[〔\[(【「{][12]\d{3}[〕\])】」}]第?\d{1,5}号")
_PAGES = frozenset({"页数", "页码", "张数"})
_COPIES = frozenset({"份数"})
_HEADS = _PAGES | _COPIES | {
    "序号", "编号", "文件名称", "文件标题", "标题", "名称", "文号", "发文字号", "字号", "份号", "密级", "备注", "件数",
    "数量", "收文单位", "收件单位", "发文单位", "来文单位", "签收", "紧急程度",
}  # fmt: skip
_FEW = re.compile(r"(\d{1,4})[页份张]?")


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list."""

    doc_number: str | None
    pages: int | None
    copies: int | None


def listed_on(page: Page) -> tuple[Listed, ...]:
    """The rows of a cover list, from its table where there is one, else from its lines."""
    rows = [row for table in page.tables for row in _table_rows(table)] or [
        [tight(word) for word in normal(line.text).split(" ") if word] for line in page.lines
    ]
    heads: list[str] = []
    found = []
    for row in rows:
        if sum(cell in _HEADS for cell in row) >= 2:
            heads = row
        elif heads and (listed := _listed(heads, row)) is not None:
            found.append(listed)
    return tuple(found)


def declared_pages(pages: Sequence[Page]) -> int | None:
    """Pages of the paper behind a cover list that names just one, or names it by its number; None where unknown."""
    rows = [row for page in pages if page.kind == "cover_slip" for row in listed_on(page)]
    if not rows:
        return None
    text = "".join(tight(line.text) for page in pages if page.kind != "cover_slip" for line in page.lines)
    own = [row for row in rows if row.doc_number and row.doc_number in text]
    chosen = own if len(own) == 1 else rows if len(rows) == 1 else []
    return chosen[0].pages if chosen else None


def _table_rows(table: Table) -> list[list[str]]:
    rows: dict[int, dict[int, str]] = {}
    for cell in table.cells:
        rows.setdefault(cell.row, {})[cell.column] = tight(cell.text)
    width = max((cell.column + cell.columns for cell in table.cells), default=0)
    return [[row.get(column, "") for column in range(width)] for _, row in sorted(rows.items())]


def _listed(heads: list[str], row: list[str]) -> Listed | None:
    """A row with as many cells as headings, or one whose number and last cells can be told all the same."""
    number = next((match.group() for cell in row if (match := _NUMBER.search(cell))), None)
    if len(row) != len(heads):
        return Listed(number, None, None) if number else None
    cells = dict(zip(heads, row, strict=True))
    pages = _count(next((cells[head] for head in heads if head in _PAGES), ""))
    copies = _count(next((cells[head] for head in heads if head in _COPIES), ""))
    return Listed(number, pages, copies) if number or pages or copies else None


def _count(cell: str) -> int | None:
    found = _FEW.fullmatch(cell)
    return int(found[1]) if found and int(found[1]) else None
