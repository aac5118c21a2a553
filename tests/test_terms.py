"""The two terms of a document: where they start, when they end, what changes them, and that they are never mixed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period, PeriodChange, SecrecyTerm, add_months, next_turn, term_of
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.retention import RetentionTerm
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Copy, DestructionItem, Document
from jiyao.pipeline import appraisal, deadlines, documents, review, term_events, timers
from room_kit import Room

FIVE = Period("years", number=5)
SECRET = Mark(Level.STATE_CONFIDENTIAL, FIVE, star=True)
REPO = Path(__file__).parent.parent

# ---------------------------------------------------------------- pure values

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
PERIODS = st.one_of(
    st.builds(lambda number: Period("years", number=number), st.integers(1, 30)),
    st.builds(lambda number: Period("months", number=number), st.integers(1, 11)),
    st.builds(lambda number: Period("days", number=number), st.integers(1, 300)),
    st.just(Period("forever")),
    st.just(Period("condition", condition="公布前")),
    st.builds(lambda day: Period("until", date=f"{day.year}年{day.month}月{day.day}日"), DAYS),
)
CHANGES = st.lists(
    st.builds(PeriodChange, st.sampled_from(["extend", "early_declassify", "condition_met"]), DAYS, DAYS),
    max_size=4,
).map(tuple)


@pytest.mark.req("R-027")
@given(DAYS, DAYS, DAYS, PERIODS)
def test_the_start_is_the_issue_date_else_the_notification_else_receipt(
    signed: date, notified: date, received: date, period: Period
) -> None:
    assert term_of(period, signed=signed, notified=notified, received=received).starts == signed
    by_notice = term_of(period, signed=None, notified=notified, received=received)
    assert (by_notice.starts, by_notice.started_by) == (notified, "notified")
    at_receipt = term_of(period, signed=None, received=received)
    assert (at_receipt.starts, at_receipt.started_by) == (received, "received")


@given(DAYS, PERIODS, CHANGES)
def test_no_order_of_entry_changes_the_end(
    start: date, period: Period, changes: tuple[PeriodChange, ...]
) -> None:
    once = {change.decided: change for change in changes}.values()
    forward = SecrecyTerm(period, start, changes=tuple(once))
    assert forward.ends == SecrecyTerm(period, start, changes=tuple(reversed(list(once)))).ends


@given(DAYS, PERIODS, CHANGES)
def test_a_term_that_ended_stays_ended(
    start: date, period: Period, changes: tuple[PeriodChange, ...]
) -> None:
    term = SecrecyTerm(period, start, changes=changes)
    if term.ends is None:
        return
    for kind in ("extend", "early_declassify"):
        late = PeriodChange(kind, term.ends, term.ends + timedelta(days=400))  # type: ignore[arg-type]
        assert SecrecyTerm(period, start, changes=(*changes, late)).ends == term.ends


@given(DAYS, PERIODS, DAYS, DAYS)
def test_an_extension_never_brings_the_end_nearer(
    start: date, period: Period, decided: date, ends: date
) -> None:
    plain = SecrecyTerm(period, start)
    longer = SecrecyTerm(period, start, changes=(PeriodChange("extend", decided, ends),))
    nearer = SecrecyTerm(period, start, changes=(PeriodChange("early_declassify", decided, ends),))
    if plain.ends is None:
        assert longer.ends is None
    else:
        assert longer.ends is not None and longer.ends >= plain.ends
        assert nearer.ends is not None and nearer.ends <= plain.ends


@given(DAYS, PERIODS, st.lists(st.integers(0, 800), max_size=5), st.integers(0, 800))
def test_notices_lie_between_start_and_end(start: date, period: Period, days: list[int], ask: int) -> None:
    term = SecrecyTerm(period, start)
    end, asked = term.ends, term.ask_by(ask)
    if end is None:
        assert term.notices(days) == () and asked is None
        return
    assert all(start <= day <= end for day in term.notices(days))
    assert asked is not None and min(start, end) <= asked <= end


@given(DAYS, st.integers(1, 36), DAYS)
def test_the_next_turn_is_the_first_from_a_day(start: date, months: int, on: date) -> None:
    found = next_turn(start, months, on)
    assert found >= on or found == add_months(start, months)
    turns = [add_months(start, months * number) for number in range(1, 900)]
    assert found == next(day for day in turns if day >= on)


@given(st.sampled_from([Retention.TEN, Retention.THIRTY]), DAYS, DAYS)
def test_years_that_wait_run_from_the_event_alone(retention: Retention, paper: date, event: date) -> None:
    waiting = RetentionTerm(retention, paper, "合同履行完毕")
    assert (waiting.starts, waiting.ends, waiting.state(date(2200, 1, 1))) == (None, None, "waiting")
    begun = RetentionTerm(retention, paper, "合同履行完毕", event)
    assert begun.ends == date(event.year + 1 + (retention.years or 0), 1, 1)
    assert begun.ends is not None and begun.ends > event and begun.state(begun.ends) == "ended"
    assert RetentionTerm(Retention.PERMANENT, paper, "结案").state(paper) == "permanent"


def test_neither_term_is_made_of_the_other_period() -> None:
    with pytest.raises(TypeError):
        SecrecyTerm(cast(Any, Retention.TEN), date(2024, 1, 1))
    with pytest.raises(TypeError):
        RetentionTerm(cast(Any, FIVE), date(2024, 1, 1))


MIXED = """
from datetime import date
from jiyao.models.period import Period, SecrecyEnd, SecrecyTerm
from jiyao.models.retention import RetentionEnd, RetentionTerm
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Document
from jiyao.pipeline.terms import keep_retention, keep_secrecy, set_period, set_retention

def mixed(row: Document, secrecy: SecrecyTerm, retention: RetentionTerm) -> None:
    keep_secrecy(row, retention)
    keep_retention(row, secrecy)
    set_period(row, Retention.TEN)
    set_retention(row, Period("years", number=10))
    SecrecyTerm(Retention.TEN, date(2024, 1, 1))
    RetentionTerm(Period("forever"), date(2024, 1, 1))
    one: SecrecyEnd | None = retention.ends
    other: RetentionEnd | None = secrecy.ends

def right(row: Document, secrecy: SecrecyTerm, retention: RetentionTerm) -> None:
    keep_secrecy(row, secrecy)
    keep_retention(row, retention)
    one: SecrecyEnd | None = secrecy.ends
    other: RetentionEnd | None = retention.ends
"""


def test_the_type_checker_refuses_to_mix_them(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    path = tmp_path / "mixed.py"
    path.write_text(MIXED, "utf-8")
    link = tmp_path / "typing" / "jiyao"
    link.parent.mkdir()
    link.symlink_to(REPO)
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary",
            "--cache-dir", str(REPO / ".venv" / "mypy-terms"), str(path),
        ],
        env={**os.environ, "MYPYPATH": str(link.parent)}, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    wrong = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line]
    first = MIXED.splitlines().index("    keep_secrecy(row, retention)") + 1
    assert wrong == list(range(first, first + 8)), done.stdout + done.stderr


# ---------------------------------------------------------------- in the register


def show(room: Room, document: str, user: str = "clerk") -> dict[str, Any]:
    return documents.show_document(room.station, room.as_(user, "documents"), document=document)


def put(room: Room, document: str, user: str, **given: Any) -> dict[str, Any]:
    return review.set_values(
        room.station, room.as_(user, "review"), document=document, reason="核定", **given
    )


def happen(room: Room, document: str, user: str, happening: str, on: str, **given: Any) -> dict[str, Any]:
    if "until" in given:
        given["until"] = date.fromisoformat(given["until"])
    return term_events.record(
        room.station, room.as_(user, "documents.event"), document=document,
        happening=cast(Any, happening), on=date.fromisoformat(on), reason="依据来函", **given,
    )  # fmt: skip


def kinds(room: Room, on: str, document: str | None = None) -> list[tuple[str, str]]:
    value = deadlines.due(room.station, room.as_("arch", "due"), on=date.fromisoformat(on))
    return [
        (one["kind"], one["due"]) for one in value["items"] if document is None or one["document"] == document
    ]


@pytest.mark.req("R-027", "R-026")
def test_a_confirmed_document_shows_both_terms_with_their_days(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=SECRET.level, mark=SECRET, signed=date(2024, 2, 29))
    value = show(room, document)
    assert (value["secrecy_period"], value["secrecy_until"]) == ("5年", "2029-02-28")
    term = value["secrecy_term"]
    assert (term["starts"], term["started_by"], term["state"]) == ("2024-02-29", "signed", "running")
    assert term["ask_by"] == "2028-11-30" and term["notices"][0] == "2028-02-29"
    kept = value["retention_term"]
    assert (kept["state"], kept["starts"], kept["ends"]) == ("running", "2025-01-01", "2035-01-01")
    seen = review.show_review(room.station, room.as_("clerk", "review"), document=document)["history"]
    accepted = next(event for event in seen if event["what"] == "accepted")
    assert (accepted["secrecy_from"], accepted["secrecy_until"]) == ("2024-02-29", "2029-02-28")


@pytest.mark.req("R-027")
def test_without_a_date_the_period_runs_from_the_notification(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.paper(level=SECRET.level, mark=SECRET, signed=cast(Any, None))
    assert show(room, document)["secrecy_term"]["started_by"] == "received"
    value = put(room, document, "clerk", fields={"notified_date": "2026-10-20"})
    assert (value["secrecy_term"]["started_by"], value["secrecy_until"]) == ("notified", "2031-10-20")
    dated = put(room, document, "clerk", fields={"date": "2026-10-08"})
    assert (dated["secrecy_term"]["started_by"], dated["secrecy_until"]) == ("signed", "2031-10-08")


@pytest.mark.req("R-039", "R-034")
def test_an_extension_is_entered_by_one_and_confirmed_by_a_determiner(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=SECRET.level, mark=SECRET, signed=date(2024, 3, 1))
    words = {"until": "2032-03-01", "notice": "乌有密函〔2026〕3号"}
    first = happen(room, document, "clerk", "extended", "2026-10-01", **words)
    assert first["secrecy_until"] == "2029-03-01", "the old term stands until a second person says so"
    assert first["secrecy_term"]["pending"]["ends"] == "2032-03-01"
    room.refused("same_person_twice", happen, room, document, "clerk", "extended", "2026-10-01", **words)
    room.refused("role_missing", happen, room, document, "clerk2", "extended", "2026-10-01", **words)
    done = happen(room, document, "det", "extended", "2026-10-01", **words)
    assert done["secrecy_until"] == "2032-03-01" and done["secrecy_term"]["pending"] is None
    change = done["secrecy_term"]["changes"][0]
    assert (change["entered_by"], change["confirmed_by"]) == ("p-clerk", "p-det")
    assert done["level"] == "秘密" and room.entries("documents.event")[-1]["facts"]["step"] == 2
    again = put(room, document, "rev", period="20年")
    assert again["secrecy_until"] == "2044-03-01" and again["secrecy_term"]["changes"] == []


@pytest.mark.req("R-039", "R-040")
def test_declassified_early_only_by_the_determining_organ(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=SECRET.level, mark=SECRET, signed=date(2024, 3, 1))
    room.refused("others_determination", happen, room, document, "clerk", "declassified", "2026-10-01")
    room.change(document, origin="self")
    happen(room, document, "rev", "declassified", "2026-10-01")
    other = happen(room, document, "clerk", "declassified", "2026-10-02")
    assert other["secrecy_term"]["pending"]["decided"] == "2026-10-02", "other words are another entry"
    done = happen(room, document, "det", "declassified", "2026-10-02")
    assert (done["secrecy_until"], done["secrecy_term"]["state"]) == ("2026-10-02", "ended")
    assert (done["level"], done["confirmed"]) == ("秘密", True), "neither level nor access changes by itself"
    room.refused(
        "extension_too_late", happen, room, document, "det", "extended", "2026-10-03", until="2030-01-01"
    )
    assert ("secrecy_stamp", "2026-10-02") in kinds(room, "2026-11-02", document)
    happen(room, document, "clerk", "stamped", "2026-10-30")
    assert "secrecy_stamp" not in dict(kinds(room, "2026-11-02", document))


@pytest.mark.req("R-027", "R-039")
def test_a_period_bound_to_a_condition_ends_when_it_comes_true(tmp_path: Path) -> None:
    room = Room(tmp_path)
    mark = Mark(Level.STATE_CONFIDENTIAL, Period("condition", condition="公布前"), star=True)
    document = room.document(level=mark.level, mark=mark, signed=date(2026, 3, 1))
    value = show(room, document)
    assert (value["secrecy_until"], value["secrecy_term"]["state"]) == (None, "open")
    assert ("condition_review", "2027-03-01") in kinds(room, "2027-03-01", document)
    happen(room, document, "clerk", "condition_met", "2026-10-15")
    assert happen(room, document, "det2", "condition_met", "2026-10-15")["secrecy_until"] == "2026-10-15"
    dated = room.document(level=SECRET.level, mark=SECRET)
    room.refused("no_condition", happen, room, dated, "clerk", "condition_met", "2013-10-15")


REFUSED: list[tuple[str, str, str | None, str]] = [
    ("extended", "2026-10-01", "2040-01-01", "extension_too_long"),
    ("extended", "2026-12-24", "2030-01-01", "event_in_future"),
    ("extended", "2026-10-01", None, "until_needed"),
    ("extended", "2026-10-01", "2028-01-01", "until_no_change"),
    ("declassified", "2026-10-01", "2032-01-01", "until_no_change"),
    ("declassified", "2020-10-01", None, "event_before_paper"),
    ("stamped", "2026-10-01", None, "secrecy_not_ended"),
    ("stamped", "2026-10-01", "2026-10-01", "until_not_asked"),
    ("retention_start", "2026-10-01", None, "role_missing"),
]


@pytest.mark.req("R-026", "R-039")
def test_what_the_law_does_not_allow_is_refused(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=SECRET.level, mark=SECRET, signed=date(2024, 3, 1))
    before = show(room, document)
    for happening, on, until, code in REFUSED:
        given = {"until": until} if until else {}
        with pytest.raises(JiyaoError) as caught:
            happen(room, document, "clerk", happening, on, notice="号", **given)
        assert caught.value.code == code and show(room, document) == before, (happening, on, until)


@pytest.mark.req("R-034")
def test_it_ends_by_itself_on_its_day(tmp_path: Path) -> None:
    room = Room(tmp_path)
    mark = Mark(Level.COMPANY_SECRET, Period("months", number=6))
    document = room.document(level=mark.level, mark=mark, signed=date(2026, 5, 3))
    work = room.document(level=Level.WORK, period=Period("months", number=6), signed=date(2026, 5, 3))
    assert show(room, document)["secrecy_term"]["state"] == "running"
    assert ("secrecy_end", "2026-11-03") in kinds(room, "2026-11-03", document)
    room.clock.forward(days=1)
    assert show(room, document)["secrecy_term"]["state"] == "ended"
    assert (
        show(room, document)["level"] == "公司机密"
        and show(room, work)["secrecy_term"]["state"] == "to_review"
    )
    assert ("secrecy_stamp", "2026-11-03") in kinds(room, "2026-11-03", document)
    assert ("secrecy_review", "2026-11-03") in kinds(room, "2026-11-03", work)


# ---------------------------------------------------------------- retention


def lease(room: Room, **given: Any) -> str:
    """A paper whose years wait for the end of a contract."""
    document = room.document("关于虚构房屋租赁合同的函", **given)
    put(room, document, "arch", retention=Retention.TEN)
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    return document


@pytest.mark.req("R-053", "R-124")
def test_a_clock_that_was_not_started_destroys_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room)
    term = show(room, document)["retention_term"]
    assert (term["state"], term["event"], term["ends"]) == ("waiting", "合同履行完毕", None)
    assert "retention_event" in dict(kinds(room, "2027-12-31", document))
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=document, reason="已鉴定")
    blocks = room.propose(document)["items"][0]["blocks"]
    assert [(one["code"], one["event"]) for one in blocks] == [("clock_not_started", "合同履行完毕")]
    batch = room.show(deadlines_batch(room, document))
    room.refused("blocked", room.count, batch["id"], "clerk")


def deadlines_batch(room: Room, document: str) -> str:
    with room.station.read() as session:
        return session.scalars(
            select(DestructionItem.destruction_id).where(DestructionItem.item_id == document)
        ).one()


@pytest.mark.req("R-053")
def test_the_event_starts_the_years_and_stands_in_the_ledger(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room, signed=date(2009, 3, 1))
    room.refused("event_before_paper", happen, room, document, "arch", "retention_start", "2008-12-31")
    value = happen(room, document, "arch", "retention_start", "2014-06-30")
    assert (value["retention_until"], value["retention_term"]["event_on"]) == ("2025-01-01", "2014-06-30")
    entry = room.entries("documents.event")[-1]
    assert (entry["person"], entry["objects"], entry["facts"]["on"]) == ("p-arch", [document], "2014-06-30")
    assert entry["reason_hash"] and "来函" not in str(entry)
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=document, reason="已鉴定")
    assert room.propose(document)["items"][0]["blocks"] == []
    later = happen(room, document, "arch", "retention_start", "2024-06-30")
    assert later["retention_until"] == "2035-01-01" and not later["appraised"], "a correction counts anew"
    seen = review.show_review(room.station, room.as_("arch", "review"), document=document)["history"]
    days = [(event["old"], event["new"]) for event in seen if event["what"] == "retention_clock"]
    assert days == [(None, "2014-06-30"), ("2014-06-30", "2024-06-30")]


def test_the_archivist_says_what_the_years_wait_for(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于样例事项的函", signed=date(2012, 3, 1))
    room.refused("no_event_awaited", happen, room, document, "arch", "retention_start", "2014-06-30")
    waiting = put(room, document, "arch", fields={"retention_event": "结案"})
    assert (waiting["retention_until"], waiting["retention_term"]["state"]) == (None, "waiting")
    plain = put(room, document, "arch", fields={"retention_event": ""})
    assert plain["retention_until"] == "2023-01-01"
    with pytest.raises(JiyaoError) as caught:
        put(room, document, "arch", fields={"retention_event": "天下雨"})
    assert caught.value.code == "bad_value"
    room.refused("role_missing", put, room, document, "clerk", fields={"retention_event": "结案"})


@pytest.mark.req("R-053")
def test_importance_that_nobody_judged_is_asked_and_destroys_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于申请经费的函", signed=date(2012, 3, 1))
    assert put(room, document, "clerk", fields={"origin": "peer"})["retention"] == "永久"
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    asked = show(room, document)["retention_term"]
    assert asked["asks_archivist"] and "retention_asked" in dict(kinds(room, "2027-01-01", document))
    room.refused(
        "retention_open", appraisal.appraise, room.station, room.as_("arch", "appraise"),
        document=document, reason="x",
    )  # fmt: skip
    by_desk = put(room, document, "clerk", fields={"important": "false"})
    assert by_desk["retention_term"]["asks_archivist"], "the desk's word alone settles nothing"
    settled = put(room, document, "arch", fields={"important": "false"})
    assert settled["retention"] == "30年" and not settled["retention_term"]["asks_archivist"]
    assert settled["suggested"]["retention"] == "30年"


def test_what_the_archivist_set_by_hand_stays(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于申请经费的函")
    put(room, document, "arch", retention=Retention.TEN)
    assert put(room, document, "arch", fields={"important": "true"})["retention"] == "10年"


@pytest.mark.req("R-049")
def test_circumstances_that_a_person_says_exclude_from_filing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document("关于印发虚构办法的通知")
    put(room, document, "clerk", fields={"origin": "superior"})
    value = put(room, document, "arch", fields={"flags": "普发性、不需办理"})
    assert (value["retention"], value["retention_flags"]) == ("不归档", ["普发性", "不需办理"])
    with pytest.raises(JiyaoError) as caught:
        put(room, document, "arch", fields={"flags": "好看"})
    assert caught.value.code == "bad_value"


# ---------------------------------------------------------------- filing and the list of what is due


@pytest.mark.req("R-046", "R-047", "R-048", "R-052")
@pytest.mark.parametrize(
    ("choice", "finished", "due"),
    [
        ("one_month_after_handling", "2027-01-31", "2027-02-28"),
        ("one_month_after_handling", "2028-01-31", "2028-02-29"),
        ("one_month_after_handling", "2026-11-02", "2026-12-02"),
        ("next_year_by_date", "2026-05-20", "2027-03-31"),
        ("year_end", "2026-05-20", "2026-12-31"),
    ],
)
def test_filing_is_due_as_the_unit_chose(choice: str, finished: str, due: str) -> None:
    text = default_policy_text().replace("default: one_month_after_handling", f"default: {choice}")
    assert deadlines.archive_by(parse_policy(text), date.fromisoformat(finished)).isoformat() == due


@pytest.mark.req("R-046", "R-052")
def test_what_was_handled_is_due_for_filing_and_not_before(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(retention=Retention.PERMANENT)
    assert ("archive", "2026-12-02") in kinds(room, "2026-12-02", document)
    copy = room.copy(document)
    assert "archive" not in dict(kinds(room, "2030-01-01", document)), "handling has not ended"
    with room.station.write() as session:
        session.get_one(Copy, copy).status = "returned"
    assert "archive" in dict(kinds(room, "2030-01-01", document))


@pytest.mark.req("R-050", "R-052")
def test_what_somebody_still_holds_is_listed_with_the_holder(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document()
    copy = room.copy(document, holder="p-reader")
    with room.station.write() as session:
        timers.begin(
            room.station, session, "copy_return", kind="copy", object_id=copy,
            document=session.get_one(Document, document), holder="p-reader", due=date(2026, 11, 5),
        )  # fmt: skip
    assert "copy_return" not in dict(kinds(room, "2026-11-04"))
    value = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 30))
    held = next(one for one in value["items"] if one["kind"] == "copy_return")
    assert (held["id"], held["holder"], held["due"], held["action"]) == (
        copy,
        "p-reader",
        "2026-11-05",
        "collect",
    )
    assert "archive" not in {one["kind"] for one in value["items"]}


@pytest.mark.req("R-053")
def test_what_has_expired_is_listed_with_what_is_next(tmp_path: Path) -> None:
    room = Room(tmp_path)
    old = room.document(signed=date(2012, 3, 1))
    young = room.document(signed=date(2024, 3, 1))
    value = deadlines.due(room.station, room.as_("arch", "due"))
    ended = [one for one in value["items"] if one["kind"] == "retention_end"]
    assert [(one["id"], one["due"], one["role"], one["action"]) for one in ended] == [
        (old, "2023-01-01", "archivist", "appraise")
    ]
    assert ended[0]["days"] < 0 and value["on"] == "2026-11-02"
    appraisal.appraise(room.station, room.as_("arch", "appraise"), document=old, reason="已鉴定")
    assert ("retention_end", "2035-01-01") in kinds(room, "2035-01-01", young)
    again = deadlines.due(room.station, room.as_("arch", "due"))["items"]
    assert next(one for one in again if one["kind"] == "retention_end")["action"] == "propose_destruction"


def test_the_list_changes_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = lease(room)
    before = show(room, document)
    first = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2060, 1, 1))
    assert first == deadlines.due(room.station, room.as_("clerk", "due"), on=date(2060, 1, 1))
    assert show(room, document) == before
    with room.station.read() as session:
        assert session.get_one(Document, document).confirmed
