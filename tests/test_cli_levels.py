"""`documents level` as another program calls it, from the proposal to the copy that shows both marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiyao.models.copy import CopySpec
from jiyao.models.wire import from_plain
from jiyao.pipeline.copies import issuing
from room import Room


@pytest.mark.req("R-039")
def test_a_change_is_proposed_decided_told_and_shown_on_copies(
    day: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = day.plain
    day.ok("review", "set", document, "--field", "origin=self", "--reason", "本单位制发")
    words = ("--level", "公司秘密", "--period", "3年", "--retention", "10年", "--reason", "属经营信息")
    day.ok("review", "set", document, *words[:4], *words[6:], user="reviewer")
    day.ok("review", "set", document, *words[4:], user="archivist")
    day.ok("review", "accept", document, user="determiner")
    day.circle(document, "director", "leader", "determiner", "reviewer")
    change = ("documents", "level", document, "--change", "extend", "--period", "5年", "--reason", "仍须保密")
    made = day.ok(*change, user="reviewer")
    assert (made["matter"]["kind"], made["matter"]["step"]) == ("level_change", "decide")
    assert made["secrecy_until"] < "2030" and made["mark"] == {
        "now": "公司秘密 3年", "former": [], "declassified": None,
    }  # fmt: skip
    day.refused("documents", "level", document, "--decide", user="reviewer", code="role_missing")
    done = day.ok("documents", "level", document, "--decide", user="determiner")
    assert done["mark"] == {"now": "公司秘密 5年", "former": ["公司秘密 3年"], "declassified": None}
    assert done["matter"]["state"] == "closed"
    day.refused(
        "documents", "level", document, "--decide", user="determiner", code="level_nothing_waits", exit=3
    )
    (notice,) = day.ok("matter", "list", "--document", document)["matters"]
    for person in ("director", "leader", "determiner", "reviewer"):
        told = ("--word", f"person={person}", "--word", "date=" + done["matter"]["closed_at"][:10])
        closed = day.ok("matter", "do", notice["id"], *told, "--word", "signed=亲笔签收")
    assert closed["state"] == "closed"
    drawn: list[dict[str, Any]] = []
    real = issuing.Job

    def job(**given: Any) -> Any:
        drawn.append(given["fields"]["spec"])
        return real(**given)

    monkeypatch.setattr(issuing, "Job", job)
    day.issue(document, "director", out=tmp_path / "copies")
    (spec,) = [from_plain(CopySpec, one) for one in drawn]
    assert (str(spec.period), [str(mark.period) for mark in spec.former]) == ("5年", ["3年"])
    assert (spec.declassified, spec.mark_style) == (None, "prefixed_no_star")
    assert day.run(*change[:3], "--refuse", user="determiner", as_json=False).exit != 0
    assert day.run("documents", "level", document).code == "nothing_to_set"
    lifted = day.ok(*change[:4], "early_declassify", "--reason", "不再需要保密", user="reviewer")
    again = day.run("documents", "level", document, "--decide", user="determiner", as_json=False)
    assert lifted["matter"]["state"] == "open" and again.exit == 0 and "level_change" in again.out
    assert "仍须保密" not in str(day.ledger())


@pytest.mark.req("R-039", "R-041")
def test_of_another_organs_paper_only_its_notice_counts(day: Room) -> None:
    document = day.marked
    day.confirm(document, retention="10年")
    level = ("documents", "level", document)
    change = ("--change", "early_declassify", "--reason", "已公开")
    day.refused(*level, *change, user="reviewer", code="others_determination_kept")
    assert day.ok(*level, *change, "--suggest", user="reviewer")["matter"]["step"] == "decide"
    day.ok(*level, "--decide", user="determiner")
    notice = (*change, "--notice", "样密函〔2026〕2号", "--organ", "样例局", "--on", "2026-03-10")
    day.refused(*level, *notice[:-2], "--on", "2099-01-01", user="reviewer", code="event_in_future")
    day.ok(*level, *notice, user="reviewer")
    assert day.ok(*level, "--decide", user="determiner")["secrecy_until"] == "2026-03-10"
    raised = day.ok(*level, "--claim", "机密", "--reason", "有异议", user="reviewer")
    assert raised["interim_level"] == "机密"
    day.refused(*level, *notice, user="reviewer", code="matter_blocks")
