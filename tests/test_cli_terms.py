"""The commands of the two terms, as another program calls them."""

from __future__ import annotations

import pytest

from room import Room


@pytest.mark.req("R-039", "R-053")
def test_terms_and_what_falls_due(day: Room) -> None:
    document = day.marked
    day.confirm(document, retention="10年")
    shown = day.show(document)
    term = shown["secrecy_term"]
    assert (term["starts"], term["started_by"], term["ends"]) == ("2026-03-02", "signed", "2031-03-02")
    assert shown["retention_term"]["ends"] == "2037-01-01" and shown["sources"] == []
    words = ("documents", "event", document, "declassified", "--on", "2026-03-10", "--reason", "来函通知解密")
    day.refused(*words, user="reviewer", code="others_determination")
    words = (*words, "--notice", "样密函〔2026〕2号")
    first = day.ok(*words, user="reviewer")
    assert first["secrecy_term"]["pending"]["entered_by"] == "reviewer"
    day.refused(*words, user="reviewer", code="same_person_twice")
    done = day.ok(*words, user="determiner")
    assert (done["secrecy_until"], done["secrecy_term"]["state"]) == ("2026-03-10", "ended")
    day.refused("documents", "event", document, "retention_start", "--on", "2026-03-05", "--reason", "x",
                user="archivist", code="no_event_awaited")  # fmt: skip
    value = day.ok("due", "--on", "2037-01-01", user="archivist")
    found = {(one["kind"], one["due"]) for one in value["items"] if one["id"] == document}
    assert {("retention_end", "2037-01-01"), ("secrecy_stamp", "2026-03-10")} <= found
    assert all({"kind", "id", "due", "days", "holder", "action"} <= one.keys() for one in value["items"])
    day.ok("documents", "event", document, "stamped", "--on", "2026-03-11", "--reason", "已盖解密章")
    again = day.ok("due", user="archivist")["items"]
    assert not any(one["kind"] == "secrecy_stamp" for one in again)
    table = day.run("due", "--on", "2037-01-01", user="archivist", as_json=False)
    assert table.exit == 0 and "retention_end" in table.out
    assert day.run("documents", "show", document, as_json=False).exit == 0
    day.refused("due", user="sysadmin", code="role_missing")
