"""Circulation, borrowing, transport, clearing, recall and filing at the command line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from room import Room


@pytest.mark.req("R-069", "R-084")
def test_a_paper_goes_round_comes_back_and_is_filed(day: Room, tmp_path: Path) -> None:
    words = ("--title", "关于样例事项的函", "--unscanned", "--level", "公司秘密")
    document = day.ok("receive", "--from", "乌有县局", *words)["id"]
    day.confirm(document, retention="10年")
    (one,) = [row["object"] for row in day.ok("carriers", "list", "--document", document)["objects"]]
    made = day.ok("circulate", "start", document, "--to", "director", "--to", "leader", "--object", one)
    matter = made["matter"]
    assert [row["state"] for row in made["readers"]] == ["open", "open"]
    day.ok("circulate", "give", matter)
    out = tmp_path / "下班.csv"
    told = day.ok("carriers", "out", "--out", str(out))
    assert told["rows"] == 1 and one in out.read_text("utf-8-sig")
    day.refused("circulate", "receive", matter, user="leader", code="not_the_reader")
    day.ok("circulate", "receive", matter, user="director")
    day.ok("circulate", "back", matter, "--pages", "1")
    day.ok("circulate", "skip", matter, "--reason", "出差在外，不再传阅")
    shown = day.ok("circulate", "show", matter)
    assert (shown["state"], [row["state"] for row in shown["readers"]]) == ("closed", ["read", "skipped"])
    assert day.ok("circulate", "list", "--all", user="director")["circulations"][0]["matter"] == matter
    table = day.run("circulate", "show", matter, as_json=False)
    assert table.exit == 0 and "已收回" not in table.err and matter in table.out
    day.ok("approval", "request", "borrow", "--document", document)
    listed = day.ok("approval", "list")["approvals"][-1]
    day.ok("approval", "give", listed["id"], user=_first(listed["needed"]))
    day.ok("borrow", "lend", one, "--to", "leader", "--precautions", "当面交代")
    assert [row["object"] for row in day.ok("borrow", "list", user="leader")["loans"]] == [one]
    assert day.run("borrow", "list", as_json=False).exit == 0
    day.ok("borrow", "back", one, "--pages", "1")
    made = day.ok("filing", "start", document)
    words = ("--place", "档案柜3", "--number", "WS·2026-1")
    day.ok("filing", "check", made["list"], document, *words, user="archivist")
    assert day.ok("filing", "receive", made["list"], user="archivist")["items"][0]["state"] == "filed"
    printed = tmp_path / "移交清册.xlsx"
    assert day.ok("filing", "show", made["list"], "--out", str(printed), user="archivist")["rows"] == 1
    with zipfile.ZipFile(printed) as sheet:
        assert "WS·2026-1" in "".join(sheet.read(part).decode() for part in sheet.namelist())
    assert day.run("filing", "list", "--all", as_json=False).exit == 0
    for room in ("transport", "clearing", "recall"):
        assert day.ok(room, "list", "--all")
        assert day.run(room, "list", as_json=False).exit == 0


def _first(needed: list[str]) -> str:
    return {"office_director": "director", "leader_in_charge": "leader", "principal": "principal"}[needed[0]]
