"""Printed lists of the room: 传阅单, 机要交通单, 清退清册, 收回清单, 归档移交清册, 下班清单; with lines to sign and the
ledger's checkpoint, as PDF, xlsx or csv.

A list holds what its command shows the actor, so words of a paper beyond his clearance stay out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...common.errors import UsageFault
from ...common.files import write_new
from ...common.messages import catalogue, say
from ..persons import people
from ..persons.actors import Actor, acting
from ..registers import sheets
from ..registers.look import Column, Line, Register
from ..station import ledgers
from ..station.station import Station

FORMATS = ("pdf", "xlsx", "csv")
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How one kind of list is printed. `columns`: key of the row, heading, share of the width."""

    title: str
    rows: str
    """Key of the value that holds the lines."""
    number: str | None
    """Key of the list's own number."""
    columns: tuple[tuple[str, str, float], ...]
    about: Callable[[_Row], str]
    signers: tuple[str, ...]


_OBJECT = (
    ("object", "编号", 3.0), ("document", "文件", 2.4), ("level", "密级", 1.4), ("serial", "份号", 1.4),
)  # fmt: skip
SHEETS: Mapping[str, Sheet] = {
    "circulation": Sheet(
        title="文件传阅单", rows="readers", number="matter",
        columns=(
            ("name", "阅文人", 2.4), ("due", "应还", 2.2), ("given", "送阅时间", 3.0), ("received", "签收时间", 3.0),
            ("paper", "纸面签收", 1.4), ("back", "收回时间", 3.0), ("pages", "页数", 1.0), ("keeper", "代管人", 2.0),
            ("state", "状态", 1.6), ("sign", "签字", 3.0),
        ),
        about=lambda value: f"文件 {value['document']}　原件 {value['object']}　办结期限 {value['due'] or '—'}",
        signers=("机要员",),
    ),
    "transport": Sheet(
        title="机要交通单", rows="items", number="run",
        columns=(("object", "编号", 4.0), ("level", "密级", 2.0), ("state", "状态", 2.0)),
        about=lambda value: (
            f"发往 {value['organ']}　渠道 {value['channel']}　袋号封签 {value['bag']}　"
            f"启运 {value['departed'] or '—'}　送达 {value['arrived'] or '—'}　回执 {value['receipt_no'] or '—'}　"
            f"押运人 {'、'.join(one['name'] for one in value['escorts'])}"
        ),
        signers=("装封人", "押运人一", "押运人二", "接收单位（盖章）"),
    ),
    "clearing": Sheet(
        title="清退清册", rows="items", number="list",
        columns=(
            *_OBJECT, ("doc_number", "发文字号", 3.4), ("title", "标题", 7.0), ("pages", "页数", 1.0),
            ("state", "状态", 1.6),
        ),
        about=lambda value: (
            f"退还 {value['organ']}　共 {len(value['items'])} 件　"
            f"清点人 {'、'.join(value['counted_by']) or '—'}　回执 {value['receipt_no'] or '—'}"
        ),
        signers=("清点人一", "清点人二", "移交人", "接收单位（盖章）"),
    ),
    "recall": Sheet(
        title="文件收回清单", rows="items", number="list",
        columns=(
            *_OBJECT, ("holder", "持有人", 2.4), ("title", "标题", 7.0), ("state", "状态", 1.6), ("at", "时间", 3.0),
        ),
        about=lambda value: (
            f"事由 {value['occasion']}　应收 {len(value['items'])} 件　"
            f"短缺 {sum(one['state'] == 'short' for one in value['items'])} 件"
        ),
        signers=("收回人", "负责人"),
    ),
    "archiving": Sheet(
        title="归档移交清册", rows="items", number="list",
        columns=(
            ("number", "档号", 3.0), ("document", "收文编号", 2.6), ("doc_number", "发文字号", 3.2),
            ("title", "标题", 7.0), ("date", "成文日期", 2.2), ("level", "密级", 1.4), ("retention", "保管期限", 1.6),
            ("pages", "页数", 1.0), ("originals", "份数", 1.0), ("place", "位置", 2.0), ("differs", "差异", 2.6),
            ("state", "状态", 1.4),
        ),
        about=lambda value: f"共 {len(value['items'])} 件　移交人 {value['opened_by']}",
        signers=("移交人", "接收人（档案员）", "监交人"),
    ),
    "inventory": Sheet(
        title="清点表", rows="items", number="inventory",
        columns=(
            *_OBJECT, ("title", "标题", 7.0), ("holder", "持有人", 2.4), ("place", "存放位置", 2.4),
            ("state", "状态", 1.6), ("sign", "核对", 1.4),
        ),
        about=lambda value: (
            f"应有 {value['counts']['expected']} 件　见到 {value['counts']['found']} 件　"
            f"缺 {value['counts']['missing']} 件　多出 {value['counts']['unexpected']} 件　"
            f"签字 {'、'.join(value['signed_by']) or '—'}"
        ),
        signers=("清点人一", "清点人二", "负责人"),
    ),
    "closing": Sheet(
        title="下班清点未还清单", rows="items", number=None,
        columns=(
            *_OBJECT, ("state", "状态", 1.6), ("holder", "持有人", 2.6), ("organ", "外单位", 2.6), ("due", "应还", 2.4),
            ("days", "余天", 1.2),
            ("overnight", "须当日收回", 1.6), ("cabinet", "过夜批准", 2.6),
        ),
        about=lambda value: (
            f"原件 {value['originals']} 件、复制件 {value['copies']} 件未还，"
            f"外单位持有 {value['at_organs']} 件；其中须当日收回 "
            f"{sum(bool(one['overnight']) for one in value['items'])} 件"
        ),
        signers=("机要员", "值班员"),
    ),
}  # fmt: skip


def write_list(station: Station, actor: Actor, *, kind: str, value: _Row, out: Path) -> dict[str, Any]:
    """Prints a list to a new file; its ending says in which form.

    Args:
        kind: of `SHEETS`. value: what the list's command answered.

    Raises:
        UsageFault: another ending. MissingTool: no Chinese font (PDF).
    """
    sheet, form = SHEETS[kind], out.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise UsageFault("unknown_format", format=form or "—", formats="、".join(FORMATS))
    number = str(value[sheet.number]) if sheet.number else ""
    rows = list(value[sheet.rows])
    with acting(station, actor, f"list.{kind}"[:48], objects=(number,) if number else ()) as session:
        station.log(
            session, "list.print", objects=(number,) if number else (), person=actor.person, account=actor.user,
            facts={"list": kind, "rows": len(rows), "format": form},
        )  # fmt: skip
        head = ledgers.signed_head(station, session)
        printed = sheets.Head(
            unit=station.settings.unit, period=number, department="",
            by=people.name_of(station, session, actor.person), at=station.clock.now(), size=head.size,
            root=head.root.hex(),
        )  # fmt: skip
    columns = (Column("序号", 1.0), *(Column(title, share) for _, title, share in sheet.columns))
    lines = [
        Line(str(place), (place, *(_cell(row.get(key)) for key, _, _ in sheet.columns)))
        for place, row in enumerate(rows, start=1)
    ]
    register = Register(title=sheet.title, columns=columns, lines=lambda _: iter(lines))
    match form:
        case "pdf":
            data = _pdf(register, lines, printed, sheet.about(value), sheet.signers)
        case "xlsx":
            last = Line("", (sheet.about(value), *(None for _ in sheet.columns)))
            data = sheets.xlsx(register, lines, [last], printed)
        case _:
            data = sheets.table(register, lines, [], printed)
    return {"file": str(out), "rows": len(lines), "sha256": write_new(out, data), "list": number or kind}


def _pdf(
    register: Register, lines: Sequence[Line], head: sheets.Head, about: str, signers: Sequence[str]
) -> bytes:
    from ...stages.certify_form import Column as Drawn
    from ...stages.certify_form import Form

    form = Form(at=head.at, title=f"{head.unit} {register.title}", footer=head.checkpoint)
    form.page(landscape=True)
    form.centred(register.title, 15, bold=True)
    form.paragraph(head.line, 8.5)
    form.paragraph(about, 9.5)
    form.y += 1.5
    unit = form.width / sum(column.share for column in register.columns)
    drawn = [
        Drawn(column.head, column.share * unit, "C" if column.share <= 1 else "L")
        for column in register.columns
    ]
    form.table(drawn, [["" if cell is None else str(cell) for cell in line.cells] for line in lines], size=8)
    if not lines:
        form.paragraph("（无）", 9)
    form.y += 4
    wide = form.width / len(signers)
    form.table(
        [Drawn("", wide) for _ in signers], [[f"{name}：" for name in signers], ["　\n　" for _ in signers]], size=9,
        heads=False,
    )  # fmt: skip
    form.paragraph("　　　　年　　月　　日", 9)
    return form.finish(())


def _cell(value: Any) -> str | int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return value
    text = str(value)
    if len(text) > 18 and text[4:5] == "-" and text[10:11] == "T":
        return text[:16].replace("T", " ")
    known = f"item_{text}"
    return say(known, "zh") if known in catalogue() else text
