"""The room's registers as tables for the shelf: inbound register 收文登记簿, copies, destruction, circulation.

Columns: official-documents.md section 8 and destruction.md section 6.2. What is not kept yet stays an empty column.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..common.clock import today
from ..common.errors import UsageFault
from ..common.files import write_new
from ..models.tables import Clear, Copy, Destruction, Document, Movement, Receipt
from . import people
from .actors import Actor, acting
from .documents import document_json, level_name
from .receipt import organ_of
from .station import Station

NAMES = ("inbound", "copies", "movements", "destruction", "clear")
_FORMATS = ("xlsx", "csv")


def export_register(station: Station, actor: Actor, *, name: str, form: str, out: Path) -> dict[str, Any]:
    """Writes a register. Words the actor's clearance does not reach stay out of it.

    Raises:
        UsageFault: unknown register or format.
    """
    if name not in NAMES:
        raise UsageFault("unknown_register", name=name, names="、".join(NAMES))
    if form == "pdf":
        raise UsageFault("not_yet_built", what="register export --format pdf")
    if form not in _FORMATS:
        raise UsageFault("unknown_format", format=form, formats="、".join(_FORMATS))
    with acting(station, actor, "register.export") as session:
        title, head, rows = _TABLES[name](station, session, actor)
        station.log(
            session, "register.export", person=actor.person, account=actor.user,
            facts={"register": name, "rows": len(rows)},
        )  # fmt: skip
    data = (
        _xlsx(title, head, rows, f"{station.settings.unit}　{today(station.clock).isoformat()}")
        if form == "xlsx"
        else _csv(head, rows)
    )
    return {"file": str(out), "rows": len(rows), "sha256": write_new(out, data), "register": name}


_Table = tuple[str, tuple[str, ...], list[list[Any]]]


def _inbound(station: Station, session: Session, actor: Actor) -> _Table:
    head = (
        "收文编号", "收文时间", "收文渠道", "来文单位", "发文字号", "标题", "文种", "密级", "保密期限", "来文份号",
        "份数", "页数", "紧急程度", "成文日期", "载体类型", "签收人", "状态", "保管期限", "拟办意见", "领导批示",
        "承办", "清退日期", "档号", "销毁批次", "存放位置", "备注",
    )  # fmt: skip
    rows = []
    for row in session.scalars(select(Document).order_by(Document.year, Document.seq)):
        plain = document_json(station, session, row, actor=actor)
        receipt = session.get_one(Receipt, row.receipt_id)
        level = plain["level"] or (f"（暂按{plain['interim_level']}管理）" if plain["interim_level"] else "")
        rows.append(
            [
                row.id, receipt.at, receipt.channel, plain["organ"] or organ_of(station, session, receipt),
                plain["doc_number"], plain["title"], plain["kind"], level, plain["secrecy_period"],
                "、".join(plain["serials"]), row.copies_received, row.pages, row.urgency, row.signed_date,
                receipt.carrier, receipt.by, row.status + ("" if row.confirmed else "（待确认）"), row.retention,
                None, None, None, None, None, row.destroyed_at, None, None,
            ]
        )  # fmt: skip
    return "收文登记簿", head, rows


def _copies(station: Station, session: Session, _actor: Actor) -> _Table:
    head = (
        "复制件",
        "文件",
        "复制件编号",
        "领取人",
        "现持有人",
        "状态",
        "发出时间",
        "应还日期",
        "批准号",
        "替换为",
    )
    rows = [
        [
            row.id, row.document_id, row.number, people.name_of(station, session, row.recipient),
            people.name_of(station, session, row.holder), row.status, row.issued_at, row.due, row.approval_id,
            row.replaced_by,
        ]
        for row in session.scalars(select(Copy).order_by(Copy.document_id, Copy.number))
    ]  # fmt: skip
    return "复制件登记簿", head, rows


def _movements(_station: Station, session: Session, _actor: Actor) -> _Table:
    head = ("时间", "对象", "编号", "事项", "交", "接", "经手人")
    rows = [
        [row.at, row.object_kind, row.object_id, row.act, row.giver, row.taker, row.by]
        for row in session.scalars(select(Movement).order_by(Movement.id))
    ]
    return "交接登记簿", head, rows


def _destruction(station: Station, session: Session, _actor: Actor) -> _Table:
    head = ("批次", "状态", "理由", "提出人", "提出时间", "清册摘要", "件数", "结论")
    rows: list[list[Any]] = []
    for row in session.scalars(select(Destruction).order_by(Destruction.id)):
        count = row.list_json.count(b'"item":')
        rows.append(
            [
                row.id,
                row.state,
                row.reason,
                row.proposed_by,
                row.proposed_at,
                row.list_sha256,
                count,
                row.verdict,
            ]
        )
    _ = station
    return "销毁登记簿", head, rows


def _clear(station: Station, session: Session, actor: Actor) -> _Table:
    head = ("文件", "密级", "复制件", "形式", "时间", "持有人", "状态", "位置")
    rows: list[list[Any]] = []
    for row in session.scalars(select(Clear).order_by(Clear.id)):
        document = session.get_one(Document, row.document_id)
        level = level_name(document.level_code)
        path = station.unseal(session, "clear", row.sealed)["path"]
        rows.append([row.document_id, level, row.copy_id, row.kind, row.at, row.holder, row.state, path])
    _ = actor
    return "明文去向登记簿", head, rows


_TABLES = {
    "inbound": _inbound,
    "copies": _copies,
    "movements": _movements,
    "destruction": _destruction,
    "clear": _clear,
}


def _xlsx(title: str, head: tuple[str, ...], rows: list[list[Any]], note: str) -> bytes:
    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise RuntimeError("a new workbook has a sheet")
    sheet.title = title
    sheet["A1"], sheet["A2"] = title, note
    sheet["A1"].font = Font(size=16, bold=True)
    sheet.append(list(head))
    for row in rows:
        sheet.append([_plain(cell) for cell in row])
    thin = Side(style="thin")
    for line in sheet.iter_rows(min_row=3, max_col=len(head)):
        for cell in line:
            cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
            cell.alignment = Alignment(wrap_text=True, vertical="center")
    for number in range(1, len(head) + 1):
        longest = max((len(str(row[number - 1] or "")) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(number)].width = min(48, max(8, 2 * longest * 0.7))
    for cell in sheet[3]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A4"
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = "1:3"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(head: tuple[str, ...], rows: list[list[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell
