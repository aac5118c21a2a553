"""A register as a file: xlsx, csv, and PDF on A4 across.

Each bears unit, period, who printed it and the ledger's checkpoint (size and root): xlsx in its second line and in the
footer of every printed sheet, PDF at the foot of every page; csv holds lines alone, its checkpoint is in the answer.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from .look import Cell, Column, Line, Register
from .workbook import MOST_ROWS, Workbook

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


class Writer(Protocol):
    """A register's file in the making."""

    most: int
    """Lines that such a file takes."""

    def add(self, line: Line) -> None:
        """One more line."""

    def finish(self, sums: Sequence[Line], head: Head) -> None:
        """The lines below it, and what is known only now; after that it is whole."""


class XlsxWriter:
    """A workbook of one sheet; its printed pages repeat the heading and bear the checkpoint."""

    most = MOST_ROWS - 5000
    """Room for the heading, and the sums below."""

    def __init__(self, out: BinaryIO, register: Register) -> None:
        self._title = register.title
        self._book = Workbook(
            out, title=register.title, heads=[column.head for column in register.columns],
            widths=[max(8.0, 6.5 * column.share) for column in register.columns],
        )  # fmt: skip

    def add(self, line: Line) -> None:
        """One more line."""
        self._book.row([harmless(cell) for cell in line.cells])

    def finish(self, sums: Sequence[Line], head: Head) -> None:
        """The lines below it, the line above it, and the checkpoint on each printed sheet."""
        for line in sums:
            self._book.row([harmless(cell) for cell in line.cells], bold=True)
        self._book.finish(
            note=f"{head.line}　{head.checkpoint}",
            # "&" begins a code in headers and footers
            header=f"{head.unit}　{self._title}".replace("&", "&&"),
            footer=(f"第 {head.size} 条", head.root, "&P / &N"),
        )


class CsvWriter:
    """CSV in UTF-8 with a mark, as spreadsheets want it."""

    most = sys.maxsize

    def __init__(self, out: BinaryIO, register: Register) -> None:
        self._text = io.TextIOWrapper(out, "utf-8-sig", errors="replace", newline="", write_through=True)
        self._csv = csv.writer(self._text)
        self._csv.writerow([column.head for column in register.columns])

    def add(self, line: Line) -> None:
        """One more line."""
        self._csv.writerow([harmless(cell) for cell in line.cells])

    def finish(self, sums: Sequence[Line], head: Head) -> None:  # noqa: ARG002
        """The lines below it."""
        for line in sums:
            self.add(line)
        self._text.flush()
        self._text.detach()


class PdfWriter:
    """A4 across; drawn at the end, so that its lines are in memory."""

    most = 5000

    def __init__(self, out: BinaryIO, register: Register) -> None:
        self._out, self._register = out, register
        self._lines: list[Line] = []

    def add(self, line: Line) -> None:
        """One more line."""
        self._lines.append(line)

    def finish(self, sums: Sequence[Line], head: Head) -> None:
        """Draws it.

        Raises:
            MissingTool: no Chinese font, or no glyph for a character.
        """
        self._out.write(pdf(self._register, self._lines, sums, head))


WRITERS: Final[Mapping[str, Callable[[BinaryIO, Register], Writer]]] = {
    "xlsx": XlsxWriter, "csv": CsvWriter, "pdf": PdfWriter,
}  # fmt: skip


def xlsx(register: Register, lines: Iterable[Line], sums: Sequence[Line], head: Head) -> bytes:
    """A workbook in memory, as `XlsxWriter` makes it."""
    return _in_memory(XlsxWriter, register, lines, sums, head)


def table(register: Register, lines: Iterable[Line], sums: Sequence[Line], head: Head) -> bytes:
    """CSV in memory, as `CsvWriter` makes it."""
    return _in_memory(CsvWriter, register, lines, sums, head)


def _in_memory(
    writer: Callable[[BinaryIO, Register], Writer], register: Register, lines: Iterable[Line],
    sums: Sequence[Line], head: Head,
) -> bytes:  # fmt: skip
    out = io.BytesIO()
    made = writer(out, register)
    for line in lines:
        made.add(line)
    made.finish(sums, head)
    return out.getvalue()


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
