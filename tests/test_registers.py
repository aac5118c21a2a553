"""The room's registers: each shown page by page and printed, with the ledger's checkpoint on every sheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.tables import LedgerHead, MatterItem, Person
from jiyao.pipeline.copies import printing
from jiyao.pipeline.desk import matters
from jiyao.pipeline.registers import NAMES
from jiyao.pipeline.registers.book import REGISTERS
from jiyao.pipeline.registers.export import export_register, show_register
from jiyao.pipeline.registers.look import Scope
from jiyao.pipeline.rounds import clearing
from room_kit import Room
from test_custody import approve, carrier, move


def of(room: Room, person: str, department: str) -> None:
    """Puts a person into a department."""
    with room.station.write() as session:
        row = session.get_one(Person, person)
        words = room.station.unseal(session, "person", row.sealed, bind=person)
        row.sealed = room.station.seal(session, "person", {**words, "dept": department}, bind=person)


def printed(room: Room, document: str, reader: str, pages: int, spoiled: int) -> None:
    """A printing run, counted and closed."""
    copy = room.copy(document, holder=reader)
    clerk = room.as_("clerk", "matter.do")
    with room.station.write() as session:
        run = matters.start(
            room.station, session, clerk, printing.KIND, document=document, items=[("copy", copy)],
            words={"printer": "lp1", "pages": pages},
        )  # fmt: skip
        for item in session.query(MatterItem).filter_by(matter_id=run.id):
            item.state = "printed"
        result = "spoiled" if spoiled else "clean"
        matters.advance(room.station, session, clerk, run, result=result, words={"spoiled": spoiled})


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Room, dict[str, str]]:
    """A day's work: papers in, read, lent, returned, filed, printed; and one paper above a reader's clearance."""
    room = Room(tmp_path_factory.mktemp("registers"))
    of(room, "p-reader", "综合科")
    of(room, "p-reader2", "人事科")
    names = {
        "read": room.document("关于传阅样例的通知", level=Level.STATE_CONFIDENTIAL),
        "lent": room.document("=关于借阅样例的函", level=Level.INTERNAL),
        "back": room.document("关于清退样例的函", level=Level.INTERNAL),
        "filed": room.document("关于归档样例的函", level=Level.INTERNAL),
        "top": room.document("高于权限的样例件", level=Level.STATE_TOP),
    }
    one = carrier(room, names["read"])
    move(room, "circulate", one, taker="p-reader")
    room.clock.forward(hours=1)
    move(room, "read_back", one, words={"pages": "12"})
    lent = carrier(room, names["lent"])
    approve(room, "borrow", names["lent"], "dir", to=("p-reader2",))
    move(room, "lend", lent, taker="p-reader2", words={"precautions": "专柜保存"})
    back = carrier(room, names["back"])
    desk = (room.station, room.as_("clerk", "clearing"))
    cleared = clearing.start(*desk, organ="乌有县局", objects=(back,))["list"]
    clearing.count(*desk, matter=cleared, counted=1)
    clearing.count(room.station, room.as_("arch", "clearing"), matter=cleared, counted=1)
    clearing.hand_over(*desk, matter=cleared, receipt_no="退字7号")
    filed = carrier(room, names["filed"])
    move(
        room,
        "archive",
        filed,
        by="arch",
        taker="p-arch",
        place="三号柜",
        words={"number": "W-2026-10年-0007"},
    )
    printed(room, names["read"], "p-reader", 12, 3)
    room.clock.forward(days=40)
    room.station.unlock("口令-correct horse")
    printed(room, names["lent"], "p-reader2", 4, 0)
    printed(room, names["lent"], "p-reader", 4, 1)
    return room, names


def rows(room: Room, name: str, user: str = "clerk", **scope: Any) -> list[dict[str, Any]]:
    return list(
        show_register(room.station, room.as_(user, "register"), name=name, scope=Scope(**scope))["rows"]
    )


@pytest.mark.req("R-002", "R-003")
def test_the_inbound_register_has_what_the_rule_asks(day: tuple[Room, dict[str, str]]) -> None:
    room, names = day
    found = {row["收文编号"]: row for row in rows(room, "inbound")}
    assert list(found) == sorted(found) and set(names.values()) <= set(found)
    row = found[names["read"]]
    assert row["标题"] == "关于传阅样例的通知" and row["来文单位"] == "乌有县局" and row["密级"] == "秘密"
    assert (
        row["发文字号"].startswith("乌有函〔2012〕")
        and row["份数"] == 1
        and row["收文时间"].startswith("2026-11-02")
    )
    assert row["传阅情况"] == "人员reader"
    assert found[names["back"]]["清退日期"] == "2026-11-02"


@pytest.mark.req("R-012", "R-060")
def test_what_changes_hands_stands_in_its_register(day: tuple[Room, dict[str, str]]) -> None:
    room, names = day
    (read,) = rows(room, "circulation")
    assert (read["阅件人"], read["部门"], read["清点页数"]) == ("人员reader", "综合科", "12")
    assert read["退还时间"] > read["送阅时间"] and read["标题"] == "关于传阅样例的通知"
    (lent,) = rows(room, "loans")
    assert (lent["借阅人"], lent["归还时间"], lent["用途与保密措施"]) == ("人员reader2", None, "专柜保存")
    assert lent["批准号"] and lent["应还时间"]
    (back,) = rows(room, "returns")
    assert (back["收文编号"], back["回执号"], back["份号"]) == (names["back"], "退字7号", "000001")
    (filed,) = rows(room, "archiving")
    assert (filed["档号"], filed["存放位置"], filed["接收人（单位）"]) == (
        "W-2026-10年-0007",
        "三号柜",
        "人员arch",
    )
    copies = rows(room, "copies")
    assert [row["领取人"] for row in copies] == ["人员reader", "人员reader2", "人员reader"]
    assert len({(row["收文编号"], row["份号"]) for row in copies}) == len(copies)
    assert [row["事项"] for row in rows(room, "approvals")] == ["borrow"]
    assert len(rows(room, "movements")) == 9
    assert {row["经手人"] for row in rows(room, "movements")} == {"人员clerk", "人员arch"}


@pytest.mark.req("R-167")
def test_paper_is_counted_for_each_department_and_month(day: tuple[Room, dict[str, str]]) -> None:
    room, _ = day
    lines = list(REGISTERS["paper"].lines(_look(room)))
    sums = REGISTERS["paper"].sums
    assert sums is not None
    added = sums()
    for line in lines:
        added.add(line)
    found = {line.key: line.cells[5:9] for line in added.lines()}
    assert found == {
        "2026-11/综合科": (1, 12, 3, 15), "2026-11/": (1, 12, 3, 15), "2026-12/人事科": (1, 4, 0, 4),
        "2026-12/综合科": (1, 4, 1, 5), "2026-12/": (2, 8, 1, 9),
    }  # fmt: skip
    total = sum(int(line.cells[8] or 0) for line in lines)
    assert total == sum(number[3] for key, number in found.items() if key.endswith("/"))
    assert [row["部门"] for row in rows(room, "paper", department="人事科")] == ["人事科"]


def _text(page: Any) -> str:
    return str(page.extract_text()).replace("\x00", "")


def _look(room: Room, **scope: Any) -> Any:
    from jiyao.pipeline.registers.look import Look

    session = room.station.read().__enter__()
    return Look(
        station=room.station, session=session, actor=room.as_("clerk", "register"), scope=Scope(**scope)
    )


def test_words_beyond_the_clearance_stay_out_of_every_register(day: tuple[Room, dict[str, str]]) -> None:
    room, names = day
    arch = room.as_("arch", "register")
    low = replace(arch, clearance="none")
    for name in NAMES:
        told = show_register(room.station, low, name=name, scope=Scope(limit=1000))
        assert "高于权限" not in str(told) and "传阅样例" not in str(told), name
    found = {row["收文编号"]: row for row in show_register(room.station, low, name="inbound")["rows"]}
    assert found[names["top"]]["标题"] == "" and found[names["top"]]["来文单位"] == ""


def test_pages_follow_each_other_without_gap_or_overlap(day: tuple[Room, dict[str, str]]) -> None:
    room, _ = day
    clerk = room.as_("clerk", "register")
    for name in NAMES:
        whole = show_register(room.station, clerk, name=name, scope=Scope(limit=1000))
        assert whole["next"] is None
        pieces, after = [], None
        for _ in range(len(whole["rows"]) + 1):
            page = show_register(room.station, clerk, name=name, scope=Scope(limit=1, after=after))
            pieces += page["rows"]
            after = page["next"]
            if after is None:
                break
        assert pieces == whole["rows"], name
    with pytest.raises(UsageFault, match="register_key"):
        show_register(room.station, clerk, name="inbound", scope=Scope(after="D1999-00001"))


def test_period_and_department_bound_a_register(day: tuple[Room, dict[str, str]]) -> None:
    room, names = day
    assert len(rows(room, "copies", until=date(2026, 11, 2))) == 1
    assert len(rows(room, "copies", since=date(2026, 11, 3))) == 2
    assert rows(room, "loans", since=date(2026, 12, 1)) == []
    assert [row["收文编号"] for row in rows(room, "inbound", department="综合科")] == [
        names["read"],
        names["lent"],
    ]
    assert [row["领取人"] for row in rows(room, "copies", department="人事科")] == ["人员reader2"]
    with pytest.raises(UsageFault, match="no_department"):
        rows(room, "inbound", department="没有这个科")


def test_every_sheet_bears_the_checkpoint(day: tuple[Room, dict[str, str]], tmp_path: Path) -> None:
    room, _ = day
    clerk = room.as_("clerk", "register")
    for form in ("xlsx", "csv", "pdf"):
        out = tmp_path / f"book.{form}"
        told = export_register(
            room.station, clerk, name="inbound", form=form, out=out, scope=Scope(until=date(2027, 1, 1))
        )
        size, root = told["checkpoint"]["size"], told["checkpoint"]["root"]
        with room.station.read() as session:
            assert session.get_one(LedgerHead, size).root.hex() == root
        # the entry of the print itself is under the checkpoint
        assert room.last_entry()["act"] == "register.export" and size >= 1
        if form == "xlsx":
            sheet = load_workbook(out).active
            assert (
                sheet is not None
                and root in str(sheet["A2"].value)
                and "样例市虚构局" in str(sheet["A2"].value)
            )
            assert sheet.oddFooter.center.text == root and "&P" in str(sheet.oddFooter.right.text)
            assert sheet.print_title_rows == "$1:$3" and sheet.page_setup.orientation == "landscape"
            titles = [sheet.cell(row, 6).value for row in range(4, sheet.max_row + 1)]
            assert "'=关于借阅样例的函" in titles
        elif form == "csv":
            lines = list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))
            assert len(lines) == told["rows"] + 1 and lines[0][0] == "收文编号"
        else:
            reader = PdfReader(out)
            for page in reader.pages:
                assert page.mediabox.width > page.mediabox.height
                text = _text(page)
                assert root in text and f"第 {size} 条" in text and "收文编号" in text
            assert "2027-01-01" in _text(reader.pages[0]) and "人员clerk" in _text(reader.pages[0])


@pytest.mark.parametrize(
    "names", [("inbound", "paper", "clear"), pytest.param(NAMES, marks=pytest.mark.full, id="all")]
)
def test_every_register_can_be_printed(
    day: tuple[Room, dict[str, str]], tmp_path: Path, names: tuple[str, ...]
) -> None:
    room, _ = day
    assert tuple(REGISTERS) == NAMES
    clerk = room.as_("clerk", "register")
    for name in names:
        told = export_register(room.station, clerk, name=name, form="pdf", out=tmp_path / f"{name}.pdf")
        pages = PdfReader(tmp_path / f"{name}.pdf").pages
        assert REGISTERS[name].title in _text(pages[0])
        assert told["rows"] or "本期无登记" in _text(pages[0])
        assert f"共 {len(pages)} 页" in _text(pages[-1])
