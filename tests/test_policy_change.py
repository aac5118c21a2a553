"""Another policy: the unit's list of secret matters in it, what it would change, and who signs it."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from jiyao.common.errors import JiyaoError, UsageFault
from jiyao.common.limits import Limits
from jiyao.common.messages import say
from jiyao.models.level import Level
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.pipeline.station import policies, policy_change, unit_list
from jiyao.stages.unit_list import read_items
from jiyao.stages.worker import serve
from room_kit import Room

HEAD = ("序号", "国家秘密事项", "密级", "保密期限", "知悉范围", "关键词")
ROWS = (
    (1, "备用库房轮换安排", "机密", "10年", "经办处室", "库房轮换、轮换安排"),
    (2, "考试命题人员名单", "绝密★", "启用前", "命题组", "命题人员，入闱"),
    (3, "统计快报未公布数", "秘密级", 1, "", "统计快报"),
)
TITLE = "关于备用库房轮换安排的函"
BODY = "现就备用库房轮换安排函告如下。本次库房轮换分三批进行，库房轮换期间请做好衔接。"


def sheet(*rows: tuple[object, ...], head: tuple[str, ...] = HEAD, title: bool = True) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    if title:
        page.append(["样例单位国家秘密事项一览表"])
        page.append([])
    page.append(list(head))
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_of(*rows: tuple[object, ...], encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in (HEAD, *rows)).encode(encoding)


# ---------------------------------------------------------------- the list


@pytest.mark.parametrize(
    "data", [sheet(*ROWS), csv_of(*ROWS), csv_of(*ROWS, encoding="gbk"), sheet(*ROWS, title=False)]
)
def test_a_list_is_read_from_workbook_and_csv(data: bytes) -> None:
    items = read_items(data, limits=Limits())
    assert [(one.item, one.level, one.period, one.words) for one in items] == [
        ("备用库房轮换安排", Level.STATE_SECRET, "10年", ("库房轮换", "轮换安排")),
        ("考试命题人员名单", Level.STATE_TOP, "启用前", ("命题人员", "入闱")),
        ("统计快报未公布数", Level.STATE_CONFIDENTIAL, "1年", ("统计快报",)),
    ]
    assert items[0].scope == "经办处室"


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ((4, "甲事项", "加密", "1年", "", "甲乙"), "unit_list_level", "密级"),
        ((4, "甲事项", "内部", "1年", "", "甲乙"), "unit_list_level", "密级"),
        ((4, "甲事项", "秘密", "若干", "", "甲乙"), "unit_list_period", "保密期限"),
        ((4, "甲事项", "秘密", "1年", "", "甲"), "unit_list_words", "关键词"),
        ((4, "", "秘密", "1年", "", "甲乙"), "unit_list_no_item", "国家秘密事项"),
        ((4, "备用库房轮换安排", "秘密", "1年", "", "甲乙"), "unit_list_twice", "国家秘密事项"),
    ],
)
def test_what_is_wrong_names_row_and_column(row: tuple[object, ...], code: str, column: str) -> None:
    answer, _ = serve({"act": "items", "fields": {}}, sheet(*ROWS, row))
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("failed", code, f"7|{column}")
    assert "7" in say(code, "zh", row=7, column=column) or code == "unit_list_empty"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sheet(*ROWS, head=("序号", "名称", "等级", "年", "人", "词")), "unit_list_headings"),
        (sheet(), "unit_list_empty"),
        (b"\xff\xfe\x00\x01\x80\x81\xff", "unit_list_unreadable"),
        (b"PK\x03\x04" + b"\0" * 40, "damaged_file"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, code: str) -> None:
    answer, _ = serve({"act": "items", "fields": {}}, data)
    assert (answer["outcome"], answer["code"]) == ("failed", code)


def test_the_draft_keeps_the_rest_of_the_policy_and_replaces_a_former_list() -> None:
    items = read_items(sheet(*ROWS), limits=Limits())
    text = default_policy_text()
    once = unit_list.with_items(text, items, digest="ab" * 32)
    twice = unit_list.with_items(once, items[:1], digest="cd" * 32)
    first, second = parse_policy(once), parse_policy(twice)
    assert [one.item for one in first.unit_items] == [one.item for one in items]
    assert [one.item for one in second.unit_items] == [items[0].item]
    assert second.version == f"{parse_policy(text).version}+items.cdcdcdcd"
    assert (len(second.rules), second.retention) == (len(first.rules), first.retention)
    unchanged = set(text.splitlines()) - set(twice.splitlines())
    assert len(unchanged) == 1 and unchanged.pop().startswith("version:")


@pytest.mark.parametrize(
    "section",
    [
        "unit_secret_items: [{item: 甲, level: 内部, words: [甲乙]}]",
        "unit_secret_items: [{item: 甲, level: 秘密, period: 若干, words: [甲乙]}]",
        "unit_secret_items: [{item: 甲, level: 秘密, words: [甲]}]",
        "unit_secret_items: [{item: 甲, level: 秘密, words: [甲乙]}, {item: 甲, level: 秘密, words: [甲乙]}]",
    ],
)
def test_a_wrong_list_in_a_policy_names_its_line(section: str) -> None:
    text = default_policy_text().rstrip("\n") + "\n"
    with pytest.raises(UsageFault) as caught:
        parse_policy(text + section + "\n")
    assert caught.value.facts["line"] == text.count("\n") + 1


# ---------------------------------------------------------------- what if


def draft(room: Room, folder: Path) -> Path:
    listed, out = folder / "一览表.xlsx", folder / "draft.yaml"
    listed.write_bytes(sheet(*ROWS))
    answer = unit_list.import_list(room.station, room.as_("secadmin", "policy.import"), file=listed, out=out)
    assert (answer["items"], answer["levels"]) == (3, {"机密": 1, "绝密": 1, "秘密": 1})
    assert out.stat().st_mode & 0o777 == 0o600
    return out


def tried(room: Room, text: str, **given: object) -> dict[str, object]:
    return policy_change.what_if(room.station, room.as_("lead", "policy.check"), text=text, **given)  # type: ignore[arg-type]


def test_what_a_list_would_change_is_told_and_nothing_else_is_done(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    old = room.document("关于其他事项的函", text="上月的来函，与此无关。")
    room.clock.forward(days=3)
    hit = room.document(TITLE, text=BODY, signed=date(2026, 10, 1))
    room.document("关于召开例会的通知", text="定于周三召开例会，请准时参加。")
    file = draft(room, tmp_path)
    before = [room.row(one) for one in (old, hit)]
    found = tried(room, file.read_text("utf-8"))
    assert (found["decisions"], found["unchanged"], found["skipped"]) == (2, 1, [])
    (change,) = found["changes"]  # type: ignore[misc]
    assert change["document"] == hit
    assert (change["decided"]["level"], change["new"]["level"], change["new"]["basis"]) == (
        "内部", "机密", "unit_list",
    )  # fmt: skip
    assert change["old"]["level"] != "机密"
    assert (change["new"]["period"], change["new"]["secrecy_until"]) == ("10年", "2036-10-01")
    assert change["new"]["rule"] == "U:备用库房轮换安排" and change["new"]["article"] == "TL art.12"
    assert "level" in change["differs"] and "level" in change["kinds"]
    assert found["counts"]["level"] == 1  # type: ignore[index]
    after = [room.row(one) for one in (old, hit)]
    assert [(one.level_code, one.status, one.period) for one in before] == [
        (one.level_code, one.status, one.period) for one in after
    ]
    entry = room.last_entry()
    assert (entry["act"], entry["facts"]["decisions"], entry["facts"]["changes"]) == ("policy.check", 2, 1)
    assert "轮换" not in str(entry)
    assert tried(room, file.read_text("utf-8"), everything=True)["decisions"] == 3
    assert tried(room, file.read_text("utf-8"), since=date(2026, 12, 1))["decisions"] == 0


def test_a_change_of_retention_names_its_rule(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    room.document("关于报送样例材料的函", text="现将样例材料报送你局，请予审阅。")
    text = default_policy_text()
    same = tried(room, "# reviewed\n" + text)
    assert (same["decisions"], same["unchanged"], same["changes"]) == (1, 1, [])
    turned = {"永久": "10年", "30年": "永久", "10年": "30年"}
    other = re.sub(
        r"\b(period|peer): (永久|30年|10年)", lambda found: f"{found[1]}: {turned[found[2]]}", text
    )
    found = tried(room, other)
    (change,) = found["changes"]  # type: ignore[misc]
    assert "retention" in change["differs"] and {"retention_longer", "retention_shorter"} & {*change["kinds"]}
    assert change["new"]["retention_rule"] and change["new"]["retention_article"]


def test_what_was_destroyed_is_not_asked_about(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    gone = room.expired()
    room.until("verified", gone)
    assert tried(room, default_policy_text(), everything=True)["decisions"] == 0


# ---------------------------------------------------------------- activation


@pytest.mark.req("R-182")
def test_author_and_leader_sign_and_the_list_then_judges(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    file = draft(room, tmp_path)
    first = policies.activate(room.station, room.as_("secadmin", "policy.activate"), file=file)
    assert first["state"] == "proposed"
    second = policies.activate(room.station, room.as_("lead", "policy.activate"), file=file)
    assert (second["state"], second["unit_items"]) == ("active", 3)
    shown = policies.show(room.station)
    assert shown["state"] == "active"
    version = shown["versions"][-1]
    assert version["signed"] == [version["author"], version["leader"]] and None not in version["signed"]
    assert version["sha256"] == shown["sha256"]
    assert len(room.station.policy.unit_items) == 3


def test_an_import_is_refused_with_row_and_column(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    listed = tmp_path / "list.csv"
    listed.write_bytes(csv_of(*ROWS, (4, "甲事项", "加密", "1年", "", "甲乙")))
    actor = room.as_("secadmin", "policy.import")
    with pytest.raises(JiyaoError) as caught:
        unit_list.import_list(room.station, actor, file=listed, out=tmp_path / "d.yaml")
    assert (caught.value.code, caught.value.facts) == ("unit_list_level", {"row": "5", "column": "密级"})
    assert not (tmp_path / "d.yaml").exists()
