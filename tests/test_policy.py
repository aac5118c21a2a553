"""The shipped policy loads, and a wrong one is refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.common.errors import UsageFault
from jiyao.common.messages import say
from jiyao.models.level import Family, Level
from jiyao.models.policy.loader import default_policy_text, parse_policy

TEXT = default_policy_text()
POLICY = parse_policy(TEXT)


@pytest.mark.req("R-025", "R-026")
def test_levels_and_maxima() -> None:
    assert [POLICY.max_years(Level(name)) for name in ("绝密", "机密", "秘密")] == [30, 20, 10]
    assert (
        POLICY.rank(Level.STATE_TOP) > POLICY.rank(Level.STATE_CONFIDENTIAL) > POLICY.rank(Level.COMPANY_TOP)
    )
    assert set(POLICY.levels) == set(Level)
    assert POLICY.highest(Level.WORK, None, Level.COMPANY_TOP) is Level.COMPANY_TOP
    assert POLICY.effective_rank(Level.INTERNAL, ("patient_privacy",)) == 40
    assert POLICY.must_flatten(Level.COMPANY_SECRET) and not POLICY.must_flatten(Level.COMPANY_CONFIDENTIAL)


def test_clearances_reach_as_the_contract_says() -> None:
    reach = {name: {str(level) for level in one.reaches} for name, one in POLICY.clearances.items()}
    assert reach["none"] == {"内部", "公开"}
    assert reach["general"] - reach["none"] == {"秘密", "公司机密", "公司秘密", "普通商密", "工作秘密"}
    assert reach["important"] - reach["general"] == {"机密", "公司绝密", "核心商密"}
    assert reach["core"] - reach["important"] == {"绝密"}
    assert not POLICY.reaches("unknown", Level.PUBLIC)
    assert POLICY.clearance_for(Level.SOE_CORE) == "important"


@pytest.mark.parametrize(
    ("act", "level", "subject", "mode", "by"),
    [
        ("copy", "绝密", None, "approve", ("originator_or_superior",)),
        ("distribute", "公司秘密", None, "register", ("jiyao_clerk",)),
        ("distribute", "核心商密", None, "approve", ("leader_in_charge",)),
        ("borrow", "机密", None, "approve", ("office_director",)),
        ("borrow", "绝密", "minutes", "approve", ("office_director",)),
        ("excerpt", "绝密", None, "deny", ()),
        ("excerpt", "公司秘密", None, "approve", ("principal",)),
        ("excerpt", "内部", None, "approve", ("office_director",)),
        ("declassify", "机密", "others_determination", "deny", ()),
        ("destroy", "绝密", None, "approve", ("leader_in_charge", "principal")),
        ("no_such_act", "内部", None, "deny", ()),
    ],
)
def test_matrix(act: str, level: str, subject: str | None, mode: str, by: tuple[str, ...]) -> None:
    row = POLICY.approval(act, Level(level), subject)
    assert (row.mode, row.by) == (mode, by)


def test_a_chosen_option_changes_the_matrix_but_not_below_the_law() -> None:
    text = TEXT.replace(
        "{key: copy_approval, default: strictest,", "{key: copy_approval, default: office_director,"
    )
    chosen = parse_policy(text)
    assert chosen.approval("copy", Level.STATE_SECRET).by == ("office_director",)
    assert chosen.approval("copy", Level.STATE_TOP).by == ("originator_or_superior",)


def test_destruction_routes_and_roles() -> None:
    assert POLICY.route(Level.STATE_TOP).paper == "in_house_burn"
    assert POLICY.route(Level.COMPANY_SECRET).paper == "certified_shredder"
    assert POLICY.route(Level.STATE_CONFIDENTIAL, ("cipher_telegram",)).paper == "in_house_burn"
    assert POLICY.satisfies("principal_delegate", "principal")
    assert not POLICY.satisfies("principal", "principal_delegate")
    assert not POLICY.small_room
    assert POLICY.approval_days == 30
    assert POLICY.deadlines.telegram_handling["加急"].days == 2


def test_words_alone_never_give_a_state_level() -> None:
    for rule in POLICY.rules:
        if rule.kind == "content" and rule.family is Family.STATE:
            assert rule.level is None and rule.interim is not None


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("schema: jiyao.policy/1", "schema: other/1", "schema"),
        ("min_score_content: 2.0", "min_score_content: much", "min_score_content"),
        ("  repeat_cap: 3", "  repeat_cap: 3\n  surprise: 1", "surprise"),
        ("rank: 90, max_years: 30", "rank: 60, max_years: 30", "rank"),
        ("{id: M-STATE, kind: mark", "{id: M-STATE, kind: wish", "kind"),
        ("suggest: {level: 公司绝密}", "suggest: {level: 顶级}", "level"),
        ("by: [originator_or_superior]", "by: [somebody]", "by"),
        ("{key: small_room, default: false", "{key: small_room, default: maybe", "small_room"),
        (
            "circulation: {特急: same_day, 加急: P2D",
            "circulation: {特急: same_day, 加急: 2 days",
            "circulation",
        ),
        ("sets: [not_passed]", "sets: [no_such_set]", "sets"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shanghai\ntimezone: UTC", "timezone"),
        ("check: gb11643", "check: guess", "check"),
        ("state: auto_declassify, company", "state: keep, company", "expiry"),
        ("reaches: [绝密]", "reaches: [机密]", "clearances"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_line(old: str, new: str, what: str) -> None:
    assert old in TEXT
    broken = TEXT.replace(old, new, 1)
    with pytest.raises(UsageFault) as caught:
        parse_policy(broken)
    assert caught.value.code == "policy_invalid"
    line = caught.value.facts["line"]
    assert isinstance(line, int)
    assert what in str(caught.value.facts["what"])
    place = TEXT[: TEXT.index(old)].count("\n") + 1
    assert what == "clearances" or what == "rank" or abs(line - place) <= 1
    assert str(line) in say("policy_invalid", "zh", **caught.value.facts)


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "a: &x [*x]", "? [1]\n: 2", "!!python/object:os.system {}"]
)
def test_hostile_yaml(text: str) -> None:
    with pytest.raises(UsageFault):
        parse_policy(text)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_lost_line_is_a_fault_or_a_policy(data: st.DataObject) -> None:
    lines = TEXT.split("\n")
    index = data.draw(st.integers(0, len(lines) - 1))
    try:
        parse_policy("\n".join(lines[:index] + lines[index + 1 :]))
    except UsageFault as fault:
        assert fault.code == "policy_invalid"


def test_a_policy_without_the_later_sections_inherits_them(shared: Path) -> None:
    policy = parse_policy((shared / "domain" / "policy.yaml").read_text("utf-8"))
    shipped = parse_policy(default_policy_text())
    assert policy.clearances == shipped.clearances
    assert policy.flatten_min_rank == shipped.flatten_min_rank
    assert policy.approval_days == shipped.approval_days


@pytest.mark.req("R-144", "R-142", "R-145")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("levels_separate", "true"),
        ("绝密_separate_store", "true"),
        ("encrypt_all", "true"),
        ("encrypt", "true"),
    ],
)
def test_what_cannot_be_turned_off_is_refused_and_not_ignored(key: str, value: str) -> None:
    text = default_policy_text()
    assert f"{key}: {value}" in text
    with pytest.raises(UsageFault) as caught:
        parse_policy(text.replace(f"{key}: {value}", f"{key}: false", 1))
    assert caught.value.code == "policy_invalid" and "cannot be turned off" in str(caught.value.facts["what"])


@pytest.mark.req("R-117", "R-145")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("network: offline_only", "network: online"), ("supervisors_min: 2", "supervisors_min: 1"),
        ("evidence_kept: permanent", "evidence_kept: P10Y"), ("block_if: [not_expired, hold, ", "block_if: [hold, "),
        ("order: [list, count, approve, ", "order: [list, approve, count, "),
        ("required: true, block", "required: false, block"),
    ],
)  # fmt: skip
def test_another_value_of_what_is_fixed_is_refused(old: str, new: str) -> None:
    text = default_policy_text()
    assert old in text
    with pytest.raises(UsageFault) as caught:
        parse_policy(text.replace(old, new, 1))
    assert caught.value.code == "policy_invalid"
