"""From the YAML text to a `Policy`; everything the program uses is checked here, with the line of a fault."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from importlib import resources
from typing import cast, get_args

from ..copy import MarkProfile
from ..level import Family, Level
from .authority import Authority, read_authority
from .calendar import read_calendar
from .desk import read_desk
from .handling import read_handling
from .learning import read_learning
from .nodes import Reader, compose
from .reading import read_reading
from .retaining import read_retention
from .schema import (
    SCHEMA,
    Clearance,
    ContentRule,
    Engine,
    FamilyRule,
    LevelRule,
    Overlay,
    PersonalPattern,
    Policy,
    Row,
    SecrecyPeriods,
    Words,
    Zone,
)
from .sections import (
    CONF,
    read_choices,
    read_deadlines,
    read_destruction,
    read_level,
    read_matrix,
    read_optional_level,
)
from .storage import check_storage
from .topics import read_abstaining, read_topics
from .unit_items import read_unit_items

_TOP = (
    "schema", "version", "approved_by", "effective_from", "timezone", "families", "levels", "overlays",
    "clearances", "copies", "secrecy_period", "changes", "authority", "derivative", "engine",
    "abstaining", "learning",
    "classification_rules", "topics", "patterns_pi", "retention", "approval_matrix", "deadlines",
    "destruction",
    "devices", "storage", "conflicts", "unit_secret_items", "movements", "clocks", "matters",
    "handling", "reading", "calendar",
)  # fmt: skip
_INHERITED = (
    "clearances",
    "copies",
    "abstaining",
    "learning",
    "topics",
    "reading",
    "movements",
    "clocks",
    "matters",
    "handling",
    "calendar",
)
_OPTIONAL = ("changes", "authority", "devices", "storage", "unit_secret_items")
_NEED = tuple(key for key in _TOP if key not in (*_INHERITED, *_OPTIONAL))
_SHIPPED = ("default.yaml", "desk.yaml")
_FAMILIES = tuple(str(family) for family in Family)


def default_policy_text() -> str:
    """The shipped policy, YAML: the rules on papers, then those of the desk, as one text with one hash."""
    shipped = resources.files(__package__)
    return "".join(shipped.joinpath(name).read_text("utf-8") for name in _SHIPPED)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Reader]:
    return _composed(default_policy_text()).map(need=_NEED, may=_TOP)


@lru_cache(maxsize=1)
def _composed(text: str) -> Reader:
    """The policy in force mostly is the shipped one: it is read once for both."""
    return compose(text)


def _shipped_rows() -> tuple[Row, ...]:
    return read_matrix(_shipped()["approval_matrix"])[3]


@lru_cache(maxsize=8)
def parse_policy(text: str) -> Policy:
    """Reads and checks a policy. The same text gives the same object.

    Sections added after the first edition (`_INHERITED`) are taken from the shipped policy when a unit's own leaves
    them out.

    Raises:
        UsageFault: `policy_invalid` with `line` (from 1) and `what` (the key and what is wrong with it).
    """
    top = _composed(text).map(need=_NEED, may=_TOP)
    inherited = "topics" not in top
    own_desk = "movements" in top and "matters" in top
    for name in _INHERITED:
        if name not in top:
            top[name] = _shipped()[name]
    top["schema"].one_of((SCHEMA,))
    families = _families(top["families"])
    levels = _levels(top["levels"], families)
    overlays = _overlays(top["overlays"])
    patterns = _patterns(top["patterns_pi"])
    lookup, conditions, approval_days, rows = read_matrix(top["approval_matrix"])
    rules = _rules(top["classification_rules"], overlays, patterns)
    derivative = dict(top["derivative"].items())
    if "similarity_threshold" not in derivative:
        top["derivative"].wrong("key 'similarity_threshold' is missing")
    choices = read_choices(top["conflicts"])
    if "storage" in top:
        check_storage(top["storage"])
    copies = top["copies"].map(need=("flatten_min_rank",), may=("conf", "marks", "text_layer"))
    return Policy(
        version=top["version"].text(),
        approved_by=top["approved_by"].optional_text(),
        effective_from=top["effective_from"].optional_text(),
        timezone=top["timezone"].text(),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        levels=levels,
        families=families,
        overlays=overlays,
        clearances=_clearances(top["clearances"]),
        flatten_min_rank=copies["flatten_min_rank"].integer(0, 100),
        marks=_marks(copies["marks"]) if "marks" in copies else (),
        text_layer=copies["text_layer"].truth() if "text_layer" in copies else False,
        periods=_periods(top["secrecy_period"]),
        engine=_engine(top["engine"]),
        rules=rules,
        topics=read_topics(
            top["topics"],
            # topics of the shipped policy cite its rules, a unit's own only its own
            _rules(_shipped()["classification_rules"], overlays, patterns) + rules if inherited else rules,
        ),
        abstaining=read_abstaining(top["abstaining"]),
        learning=read_learning(top["learning"], overlays),
        patterns=patterns,
        similarity_threshold=derivative["similarity_threshold"].number(0.0, 1.0),
        retention=read_retention(top["retention"], _shipped()["retention"]),
        lookup=lookup,
        conditions=conditions,
        approval_days=approval_days,
        rows=rows,
        deadlines=read_deadlines(top["deadlines"], choices),
        desk=read_desk(
            top["movements"],
            top["clocks"],
            top["matters"],
            # the shipped desk may ask for approvals that a unit's own matrix lacks: there they are denied
            frozenset(row.action for row in (rows if own_desk else rows + _shipped_rows())),
        ),
        handling=read_handling(top["handling"], frozenset(overlays)),
        reading=read_reading(top["reading"]),
        calendar=read_calendar(top["calendar"]),
        destruction=read_destruction(top["destruction"]),
        choices=choices,
        authority=read_authority(top["authority"]) if "authority" in top else Authority(),
        unit_items=read_unit_items(top["unit_secret_items"]) if "unit_secret_items" in top else (),
    )


def _marks(reader: Reader) -> tuple[tuple[int, MarkProfile], ...]:
    """Rank from which on, and profile; ranks rise."""
    found: list[tuple[int, MarkProfile]] = []
    for item in reader.list():
        entry = item.map(need=("min_rank", "profile"))
        rank = entry["min_rank"].integer(0, 100)
        if found and rank <= found[-1][0]:
            entry["min_rank"].wrong("ranks must rise")
        found.append((rank, cast(MarkProfile, entry["profile"].one_of(get_args(MarkProfile)))))
    return tuple(found)


def _families(reader: Reader) -> dict[Family, FamilyRule]:
    found: dict[Family, FamilyRule] = {}
    for item in reader.list():
        entry = item.map(need=("id", "zh", "star_mark", "levels"))
        family = Family(entry["id"].one_of(_FAMILIES))
        named = tuple(read_level(one) for one in entry["levels"].list())
        if any(level.family is not family for level in named):
            entry["levels"].wrong(f"a level of another family than {family}")
        if entry["star_mark"].truth() and family is not Family.STATE:
            entry["star_mark"].wrong("only state secrets bear the star (保密法 art. 22)")
        found[family] = FamilyRule(family, entry["zh"].text(), entry["star_mark"].truth(), named)
    for family in Family:
        if family not in found:
            reader.wrong(f"family {family} is missing")
    return found


def _levels(reader: Reader, families: dict[Family, FamilyRule]) -> dict[Level, LevelRule]:
    found: dict[Level, LevelRule] = {}
    for item in reader.list():
        entry = item.map(need=("id", "code", "family", "rank", "max_years"), may=("damage", "conf", "source"))
        level = read_level(entry["id"])
        if level in found:
            item.wrong(f"level {level} stands twice")
        if entry["code"].text() != level.code:
            entry["code"].wrong(f"the code of {level} is {level.code}")
        if entry["family"].text() != level.family or level not in families[level.family].levels:
            entry["family"].wrong(f"{level} is of family {level.family}")
        years = entry["max_years"]
        found[level] = LevelRule(
            level=level,
            rank=entry["rank"].integer(0, 100),
            max_years=None if years.plain() is None else years.integer(0, 100),
            damage=entry["damage"].text() if "damage" in entry else "",
            conf=entry["conf"].one_of(CONF) if "conf" in entry else "own",
            source=entry["source"].text() if "source" in entry else "",
        )
    for level in Level:
        if level not in found:
            reader.wrong(f"level {level} is missing")
    state = [found[level].rank for level in (Level.STATE_TOP, Level.STATE_SECRET, Level.STATE_CONFIDENTIAL)]
    others = [rule.rank for level, rule in found.items() if level.family is not Family.STATE]
    if state != sorted(state, reverse=True) or len(set(state)) != 3 or min(state) <= max(others):
        reader.wrong("ranks: 绝密 > 机密 > 秘密 > every other level")
    for family in families.values():
        ranks = [found[level].rank for level in family.levels]
        if ranks != sorted(ranks, reverse=True):
            reader.wrong(f"ranks of family {family.family} do not fall with its levels")
    return found


def _overlays(reader: Reader) -> dict[str, Overlay]:
    found: dict[str, Overlay] = {}
    for item in reader.list():
        entry = item.map(need=("id", "zh", "min_rank"), may=("source", "conf"))
        name = entry["id"].text()
        found[name] = Overlay(
            name,
            entry["zh"].text(),
            entry["min_rank"].integer(0, 100),
            entry["conf"].one_of(CONF) if "conf" in entry else "own",
            entry["source"].text() if "source" in entry else "",
        )
    return found


def _clearances(reader: Reader) -> dict[str, Clearance]:
    found: dict[str, Clearance] = {}
    reached: frozenset[Level] = frozenset()
    for item in reader.list():
        entry = item.map(need=("id", "zh", "reaches"), may=("conf",))
        name = entry["id"].one_of(("none", "general", "important", "core"))
        reached |= {read_level(one) for one in entry["reaches"].list()}
        found[name] = Clearance(name, entry["zh"].text(), reached)
    for level in Level:
        if level not in reached:
            reader.wrong(f"no clearance reaches {level}")
    return found


def _periods(reader: Reader) -> SecrecyPeriods:
    section = reader.map(
        need=("forever", "expiry", "expiry_notice_days", "condition_based"),
        may=(
            "start", "unit_rule", "month_add", "end_inclusive", "unmarked_term", "above_maximum",
            "published_means_declassified", "annual_review", "ask_determiner",
        ),
    )  # fmt: skip
    forever = section["forever"].map(need=("allowed_levels",), may=("other_levels",))
    expiry: dict[Family, str] = {}
    for name, value in section["expiry"].items():
        if name not in _FAMILIES:
            value.wrong(f"unknown family {name!r}")
        expiry[Family(name)] = value.one_of(("auto_declassify", "review"))
    condition = section["condition_based"].map(need=("review_every_months",), may=("needs",))
    notice_days = tuple(day.integer(0, 3660) for day in section["expiry_notice_days"].list())
    # a policy from before this key asks with its first notice
    ask_days = max(notice_days, default=0)
    if "ask_determiner" in section:
        asked = section["ask_determiner"].map(need=("days_before",), may=("conf", "since"))
        ask_days = asked["days_before"].integer(0, 3660)
    return SecrecyPeriods(
        forever_levels=frozenset(read_level(one) for one in forever["allowed_levels"].list()),
        expiry=expiry,
        notice_days=notice_days,
        ask_days=ask_days,
        condition_review_months=condition["review_every_months"].integer(1, 120),
    )


def _engine(reader: Reader) -> Engine:
    keys = (
        "precedence", "interim_level_state_topic", "min_score_content", "title_weight", "head_weight",
        "body_weight", "repeat_cap", "always_reviewed",
    )  # fmt: skip
    section = reader.map(need=keys, may=("reason_fields",))
    order = section["precedence"].texts()
    if order != ("mark", "derivative", "content", "negative"):
        section["precedence"].wrong("the order is mark, derivative, content, negative")
    weights: dict[Zone, float] = {
        "title": section["title_weight"].number(0.0, 100.0),
        "head": section["head_weight"].number(0.0, 100.0),
        "body": section["body_weight"].number(0.0, 100.0),
    }
    return Engine(
        min_score=section["min_score_content"].number(0.0, 1000.0),
        zone_weights=weights,
        repeat_cap=section["repeat_cap"].integer(1, 100),
        interim_state_topic=read_level(section["interim_level_state_topic"]),
        always_reviewed=frozenset(
            Family(family.one_of(_FAMILIES)) for family in section["always_reviewed"].list()
        ),
    )


def _rules(
    reader: Reader, overlays: dict[str, Overlay], patterns: dict[str, PersonalPattern]
) -> tuple[ContentRule, ...]:
    rules: list[ContentRule] = []
    seen: set[str] = set()
    for item in reader.list():
        rule = _rule(item, overlays, patterns)
        if rule.id in seen:
            item.wrong(f"rule {rule.id} stands twice")
        seen.add(rule.id)
        rules.append(rule)
    return tuple(rules)


def _rule(item: Reader, overlays: dict[str, Overlay], patterns: dict[str, PersonalPattern]) -> ContentRule:
    entry = item.map(
        need=("id", "kind"),
        may=(
            "profile", "family", "overlay", "suggest", "topic", "title", "use", "when", "evidence", "weight",
            "source", "conf",
        ),
    )  # fmt: skip
    kind = entry["kind"].one_of(("mark", "derivative", "content", "negative", "overlay"))
    family = Family(entry["family"].one_of(_FAMILIES)) if "family" in entry else None
    suggest = entry["suggest"].map(may=("level", "interim")) if "suggest" in entry else {}
    level, interim = read_optional_level(suggest.get("level")), read_optional_level(suggest.get("interim"))
    words = _words(entry["evidence"], patterns) if "evidence" in entry else Words()
    overlay = entry["overlay"].one_of(tuple(overlays)) if "overlay" in entry else None
    if kind in ("content", "negative"):
        if family is None or "weight" not in entry or not (words.any or words.patterns):
            item.wrong("a content rule needs family, weight and evidence")
        if level is None and interim is None:
            item.wrong("a content rule suggests a level or an interim level")
        if family is Family.STATE and level is not None:
            item.wrong("words alone give no state level (实施条例 art. 12-13)")
    if kind == "overlay" and (overlay is None or not (words.any or words.patterns)):
        item.wrong("an overlay rule needs overlay and evidence")
    profile = (
        entry["profile"].one_of(("any", "agency", "institution", "company", "soe"))
        if "profile" in entry
        else "any"
    )
    topic = entry.get("topic") or entry.get("title")
    return ContentRule(
        id=entry["id"].text(),
        kind=kind,  # type: ignore[arg-type]
        profile=profile,
        family=family,
        overlay=overlay,
        level=level,
        interim=interim,
        topic=topic.text() if topic else "",
        words=words,
        weight=entry["weight"].number(0.0, 100.0) if "weight" in entry else 1.0,
        source=entry["source"].text() if "source" in entry else "",
        conf=entry["conf"].one_of(CONF) if "conf" in entry else "own",
        line=item.line,
    )


def _words(reader: Reader, patterns: dict[str, PersonalPattern]) -> Words:
    entry = reader.map(
        may=("any", "and_any", "none", "patterns", "doc_kinds", "where", "min_hits", "with_identity")
    )
    where = entry["where"].one_of(("title", "head", "body", "any")) if "where" in entry else "any"
    return Words(
        any=entry["any"].texts() if "any" in entry else (),
        and_any=entry["and_any"].texts() if "and_any" in entry else (),
        none=entry["none"].texts() if "none" in entry else (),
        patterns=tuple(one.one_of(tuple(patterns)) for one in entry["patterns"].list())
        if "patterns" in entry
        else (),
        doc_kinds=entry["doc_kinds"].texts() if "doc_kinds" in entry else (),
        where=where,  # type: ignore[arg-type]
        min_hits=entry["min_hits"].integer(1, 100) if "min_hits" in entry else 1,
        with_identity=entry["with_identity"].truth() if "with_identity" in entry else False,
    )


def _patterns(reader: Reader) -> dict[str, PersonalPattern]:
    found: dict[str, PersonalPattern] = {}
    for name, value in reader.items():
        entry = value.map(need=("re",), may=("check",))
        try:
            regex = re.compile(entry["re"].text())
        except re.error as error:
            entry["re"].wrong(f"regular expression: {error.msg}")
        check = entry["check"].one_of(("gb11643", "luhn")) if "check" in entry else None
        found[name] = PersonalPattern(name, regex, check)  # type: ignore[arg-type]
    return found
