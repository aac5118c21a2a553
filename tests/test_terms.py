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

from jiyao.common.errors import JiyaoError
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period, PeriodChange, SecrecyTerm, add_months, next_turn, term_of
from jiyao.models.retention import RetentionTerm
from jiyao.models.suggestion import Retention
from jiyao.pipeline.review import review
from room_kit import Room
from terms_kit import happen, kinds, put, show

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
from jiyao.pipeline.levels.terms import keep_retention, keep_secrecy, set_period, set_retention

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


@pytest.mark.slow
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
