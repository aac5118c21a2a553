"""Registers of what the room makes: 份号与复制件, 复印用纸, 明文去向 (R-060, R-062, R-167)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from ...models.tables import Clear, Copy, Matter
from ..copies import printing
from .look import Line, Look, Register, columns, day, minute, state_word

_PLACES = {
    "inbox": "收件夹原件",
    "copy_out": "复制件文件",
    "export": "导出",
    "print": "打印",
    "sheet": "核对单",
}


def _copies(look: Look) -> Iterator[Line]:
    wanted = select(Copy).where(look.shown(Copy.document_id), look.of_department(Copy.recipient, Copy.holder))
    for row in look.pages(wanted, at=Copy.issued_at, key=Copy.id):
        document, title, number, level = look.about(row.document_id)
        paper = look.paper(row.document_id)
        yield Line(
            row.id,
            (
                row.id, document, title, number, level, row.number, paper.row.pages if paper else None,
                look.name(row.recipient), look.department(row.recipient), look.name(row.holder), state_word(row.status),
                minute(row.issued_at), row.due, row.approval_id, row.replaced_by, look.name(row.issued_by),
            ),
        )  # fmt: skip


COPIES = Register(
    title="份号与复制件登记簿",
    columns=columns(
        ("复制件", 2.6), ("收文编号", 2.2), ("标题", 4.5), ("发文字号", 2.4), ("密级", 1.2), ("份号", 0.9),
        ("页数", 0.9), ("领取人", 1.4), ("部门", 1.8), ("现持有人", 1.4), ("状态", 1.2), ("发出时间", 2),
        ("应还日期", 1.6), ("批准号", 1.8), ("换发为", 2.4), ("经手人", 1.4),
    ),
    lines=_copies,
)  # fmt: skip

_MONTH, _DEPARTMENT, _COPIES, _PAGES, _SPOILED, _TOTAL = 0, 4, 5, 6, 7, 8
_NOBODY = "（未记部门）"


def _paper(look: Look) -> Iterator[Line]:
    wanted = select(Matter).where(Matter.kind == printing.KIND, look.shown(Matter.document_id))
    for rows in look.chunks(wanted, at=Matter.opened_at, key=Matter.id):
        for used in printing.paper_used(look.station, look.session, rows):
            if look.scope.department is None or used["department"] == look.scope.department:
                yield _used(look, used)


def _used(look: Look, used: dict[str, Any]) -> Line:
    return Line(
        used["run"],
        (
            minute(used["at"]), used["run"], used["document"], look.name(used["by"]), used["department"] or _NOBODY,
            used["copies"], used["pages"], used["spoiled"], used["pages"] + used["spoiled"], used["printer"],
            state_word(used["state"]),
        ),
    )  # fmt: skip


class _ByMonth:
    """月底对各部门用纸进行统计 (000-I§5): copies, pages, spoiled pages by month and department, and of the month."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, line: Line) -> None:
        """One more run."""
        month = str(line.cells[_MONTH])[:7]
        for name in (str(line.cells[_DEPARTMENT]), ""):
            for place, column in enumerate((_COPIES, _PAGES, _SPOILED, _TOTAL)):
                self._sums[month, name][place] += int(line.cells[column] or 0)

    def lines(self) -> list[Line]:
        """A month's departments first, then the month."""
        ordered = sorted(self._sums.items(), key=lambda item: (item[0][0], not item[0][1], item[0][1]))
        return [
            Line(
                f"{month}/{name}",
                (month, "小计" if name else "当月合计", None, None, name or "各部门", *numbers, None, None),
            )
            for (month, name), numbers in ordered
        ]


PAPER = Register(
    title="复印用纸登记簿",
    columns=columns(
        ("时间", 2), ("印制号", 2), ("收文编号", 2.2), ("经手人", 1.6), ("部门", 2.2), ("份数", 1),
        ("印出页数", 1.2), ("废页数", 1), ("用纸合计", 1.2), ("打印机", 2), ("状态", 1.2),
    ),
    lines=_paper,
    sums=_ByMonth,
)  # fmt: skip


def _clear(look: Look) -> Iterator[Line]:
    wanted = select(Clear).where(look.shown(Clear.document_id), look.of_department(Clear.holder))
    for row in look.pages(wanted, at=Clear.at, key=Clear.id):
        document, title, _, level = look.about(row.document_id)
        paper = look.paper(row.document_id)
        # the path may hold the file's name, which is a word of the paper
        path = (
            str(look.station.unseal(look.session, "clear", row.sealed)["path"])
            if paper and paper.words
            else ""
        )
        yield Line(
            str(row.id),
            (
                day(row.at), document, title, level, row.copy_id, _PLACES.get(row.kind, row.kind),
                look.name(row.holder), row.state, path,
            ),
        )  # fmt: skip


CLEAR = Register(
    title="明文去向登记簿",
    columns=columns(
        ("日期", 1.6), ("收文编号", 2.2), ("标题", 4), ("密级", 1.2), ("复制件", 2.6), ("形式", 1.4),
        ("持有人", 1.6), ("状态", 1.4), ("位置", 4),
    ),
    lines=_clear,
)  # fmt: skip
