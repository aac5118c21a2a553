"""No sequence of acts of one person lowers a level, shortens a term or widens a circle; marks of copies follow."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import copy_kit
from jiyao.common.errors import JiyaoError
from jiyao.models.copy import FormerMark, MarkStyle
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period, PeriodChange, SecrecyTerm
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.tables import Matter
from jiyao.pipeline.desk import matter_book
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.persons import access, approvals, circle, people
from jiyao.pipeline.review import review
from jiyao.watermark.layout import lay_out
from jiyao.watermark.visible import draw_marks, level_mark
from room_kit import SECRETS, Room, transplant

ROLES = ("jiyao_clerk", "scan_operator", "determination_reviewer", "determiner", "archivist", "office_director",
         "leader_in_charge", "principal", "handler", "head_of_room", "release_reviewer")  # fmt: skip
CIRCLE = ("p-alone", "p-reader")
YEARS = Period("years", number=20)
LEVELS = ("绝密", "机密", "秘密", "公司机密", "工作秘密", "内部", "公开")
KINDS = ("level_change", "level_notice", "level_suggestion", "level_dispute", "level_unclear", "level_review")
RESULTS = ("done", "refused", "withdrawn", "wrong", "settled", "agreed", "submit", "unsettled")


@cache
def _founded() -> Path:
    """A room with a person who holds every role of the house, and the two papers of the law."""
    base = Path(tempfile.mkdtemp(prefix="jiyao-alone-"))
    room = Room(base)
    people.add_account(
        room.station,
        room.as_("sysadmin", "account.add"),
        SECRETS,
        user="alone",
        name="独自一人",
        person="p-alone",
    )
    people.grant(
        room.station, room.as_("secadmin", "account.grant"), user="alone", roles=ROLES, clearance="core"
    )
    for origin in ("self", "peer"):
        document = room.document(
            mark=Mark(Level.STATE_SECRET, YEARS, star=True), level=Level.STATE_SECRET, period=YEARS,
            signed=date(2020, 3, 1),
        )  # fmt: skip
        room.change(document, origin=origin)
        circle.set_circle(room.station, room.as_("lead", "circle"), document=document, persons=CIRCLE)
    room.station.engine.dispose()
    return base


class Alone(RuleBasedStateMachine):
    """Everything that one person with every role may try on an own paper and on another organ's."""

    words = st.fixed_dictionaries(
        {
            "change": st.sampled_from(
                ("upgrade", "downgrade", "early_declassify", "extend", "change_scope", "correct")
            ),
            "level": st.sampled_from(LEVELS),
            "period": st.sampled_from(("1年", "10年", "20年", "30年", "长期")),
            "outcome": st.sampled_from(("keep", "lift", "lapse")),
            "claims": st.sampled_from(LEVELS),
            "scope": st.sampled_from(("p-alone、p-reader、p-reader2", "p-alone", "p-reader2")),
        }
    )
    which = st.sampled_from(("D2026-000001", "D2026-000002"))

    @initialize()
    def room_of_one(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="jiyao-alone-")
        base = Path(self.folder.name)
        transplant(_founded(), base)
        self.room = Room(base)
        self.ends = {document: str(self.room.row(document).secrecy_until) for document in self.documents}
        self.rank = dict.fromkeys(self.documents, self.room.station.policy.rank(Level.STATE_SECRET))

    documents = ("D2026-000001", "D2026-000002")

    def act(self, what: Callable[..., Any], *args: Any, **given: Any) -> Any:
        try:
            return what(*args, **given)
        except JiyaoError:
            return None

    def who(self, act: str) -> Any:
        return self.room.as_("alone", act)

    @rule(kind=st.sampled_from(KINDS), document=which, words=words)
    def open(self, kind: str, document: str, words: dict[str, str]) -> None:
        given = {**words, "reason": "试", "notice": "函1号", "organ": "乌有县局", "date": "2026-11-01"}
        self.act(
            matter_book.open_matter,
            self.room.station,
            self.who("matter.open"),
            kind,
            document=document,
            words=given,
        )

    @rule(result=st.sampled_from(RESULTS), words=words, data=st.data())
    def step(self, result: str, words: dict[str, str], data: st.DataObject) -> None:
        with self.room.station.read() as session:
            ids = [row.id for row in session.query(Matter).all() if row.state == "open"]
        if not ids:
            return
        given = {
            **words, "letter_no": "函2号", "authority": "保密局", "organ": "保密局", "decision_no": "决1号",
            "person": "p-alone", "answer_no": "函3号", "date": "2026-11-02", "signed": "签", "reason": "试",
        }  # fmt: skip
        matter = data.draw(st.sampled_from(sorted(ids)))
        self.act(
            matter_book.do_step,
            self.room.station,
            self.who("matter.do"),
            matter=matter,
            result=result,
            words=given,
        )

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        with self.room.station.read() as session:
            ids = [row.id for row in session.query(Matter).all() if row.state == "open"]
        if ids:
            matter = data.draw(st.sampled_from(sorted(ids)))
            self.act(
                matter_book.cancel, self.room.station, self.who("matter.do"), matter=matter, reason="算了"
            )

    @rule(
        document=which,
        level=st.none() | st.sampled_from(list(Level)),
        period=st.none() | st.sampled_from(("1年", "30年")),
        fields=st.sampled_from((None, {"origin": "self"}, {"copies_received": "2"}, {"date": "2001-01-01"})),
        misread=st.booleans(),
    )
    def review_set(self, document: str, **given: Any) -> None:
        self.act(
            review.set_values, self.room.station, self.who("review"), document=document, reason="试", **given
        )

    @rule(document=which)
    def accept(self, document: str) -> None:
        self.act(review.accept, self.room.station, self.who("review.accept"), documents=(document,))

    @rule(document=which, happening=st.sampled_from(("extended", "declassified", "condition_met")))
    def event(self, document: str, happening: Any) -> None:
        self.act(
            term_events.record, self.room.station, self.who("documents.event"), document=document, happening=happening,
            on=date(2026, 11, 1), reason="试", notice="函1号",
            until=date(2045, 1, 1) if happening == "extended" else None,
        )  # fmt: skip

    @rule(document=which, persons=st.sampled_from((("p-alone",), (*CIRCLE, "p-reader2"), ("p-reader2",), ())))
    def circle(self, document: str, persons: tuple[str, ...]) -> None:
        self.act(circle.set_circle, self.room.station, self.who("circle"), document=document, persons=persons)

    @rule(document=which)
    def approve(self, document: str) -> None:
        asked = self.act(
            approvals.request, self.room.station, self.who("approval.request"), act="widen_scope",
            documents=(document,), recipients=("p-reader2",),
        )  # fmt: skip
        if asked:
            self.act(approvals.give, self.room.station, self.who("approval.give"), approval=asked["id"])

    @invariant()
    def nothing_is_lowered(self) -> None:
        if not hasattr(self, "room"):
            return
        policy = self.room.station.policy
        for document in self.documents:
            row = self.room.row(document)
            assert policy.rank(access.protected_as(policy, row)) >= self.rank[document]
            if row.confirmed:
                assert row.secrecy_until is None or row.secrecy_until >= self.ends[document]
            with self.room.station.read() as session:
                assert set(access.circle_of(session, document)) <= set(CIRCLE)

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.room.station.engine.dispose()
            self.folder.cleanup()


Alone.TestCase.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.req("R-039", "R-041", "R-042")
class TestAlone(Alone.TestCase):
    """The law, as a test."""


# ---------------------------------------------------------------- marks of copies


def _words(**changes: Any) -> str:
    sheet = lay_out(210, 297, copy_kit.np.zeros((297, 210), bool))
    document = pypdfium2.PdfDocument(io.BytesIO(draw_marks([sheet], copy_kit.spec(**changes))))
    return str(document[0].get_textpage().get_text_range()).replace(" ", "")


@pytest.mark.req("R-039")
def test_the_old_mark_stands_struck_beside_the_new_and_a_declassified_copy_says_so() -> None:
    old = FormerMark(Level.STATE_SECRET, YEARS)
    ten = Period("years", number=10)
    changed = _words(level=Level.STATE_CONFIDENTIAL, period=ten, former=(old,))
    assert "机密★20年" in changed and "秘密★10年" in changed and "解密" not in changed
    lifted = _words(declassified=date(2026, 11, 2))
    assert "机密★20年" in lifted and "解密2026年11月2日" in lifted


@pytest.mark.parametrize(
    ("style", "words"),
    [("prefixed_no_star", "公司机密 3年"), ("soe_shangmi", "普通商密 3年"), ("bare_words", "机密 3年")],
)
def test_company_marks_are_worded_as_the_unit_chose_and_never_bear_the_star(
    style: MarkStyle, words: str
) -> None:
    assert level_mark(Level.COMPANY_SECRET, Period("years", number=3), style) == words
    assert level_mark(Level.STATE_SECRET, Period("years", number=3), style) == "机密★3年"


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (date(2040, 3, 1), "20年"),
        (date(2030, 9, 1), "至2030年8月31日"),
        (date(2031, 1, 1), "至2030年12月31日"),
    ],
)
def test_an_extended_term_is_marked_by_its_whole_length_or_its_last_day(ends: date, words: str) -> None:
    change = PeriodChange("extend", date(2026, 11, 2), ends)
    term = SecrecyTerm(Period("years", number=10), date(2020, 3, 1), changes=(change,))
    assert str(term.marked) == words


# ---------------------------------------------------------------- choices


@pytest.mark.req("R-042")
@pytest.mark.parametrize(
    ("choice", "by"),
    [
        ("leader_in_charge", "leader_in_charge"),
        ("office_director", "office_director"),
        ("originator_only", "originator"),
    ],
)
def test_who_may_widen_the_circle_is_the_units_choice(choice: str, by: str) -> None:
    text = default_policy_text().replace(
        "key: secret_reuse_of_scope, default: leader_in_charge",
        f"key: secret_reuse_of_scope, default: {choice}",
    )
    row = parse_policy(text).approval("widen_scope", Level.STATE_SECRET)
    assert (row.mode, row.by) == ("approve", (by,))
    top = parse_policy(text).approval("widen_scope", Level.STATE_TOP)
    assert top.by == (("originator",) if choice == "originator_only" else ("leader_in_charge",))
