"""Reader of the policy's section `retention`: tables of periods, exclusions, clocks, filing deadlines."""

from __future__ import annotations

from datetime import date
from typing import get_args

from ..suggestion import Retention
from .nodes import Reader
from .schema import Origin, RetentionPolicy, RetentionRule
from .sections import CONF

_ARCHIVING = ("within_months_after_handling", "next_year_by_date", "year_end_clearing")
_ORIGINS: tuple[Origin, ...] = get_args(Origin)


def read_retention(reader: Reader, shipped: Reader) -> RetentionPolicy:
    """The section `retention`; what a unit's own leaves out of the filing deadlines comes from `shipped`."""
    need = (
        "periods", "defaults", "keyword_sets", "archive_exclusions", "agency_rules", "enterprise_rules",
        "accounting", "proof_records",
    )  # fmt: skip
    may = (
        "enterprise_minimum", "start", "origins", "origin_detection", "joint", "file_with", "electronic",
        "unit_table_needed", "agency_categories", "enterprise_separate_regimes", "archiving_deadlines",
        "transfer_to_state_archive", "expired_appraisal", "organ_table", "event_clocks",
    )  # fmt: skip
    section = reader.map(need=need, may=may)
    sets = {name: words.texts() for name, words in section["keyword_sets"].items()}
    defaults = section["defaults"].map(need=_ORIGINS, may=("conf",))
    organs = section["organ_table"].map(may=_ORIGINS) if "organ_table" in section else {}
    agency, enterprise = "令第8号 附表", "令第10号 附表"
    return RetentionPolicy(
        exclusions=tuple(
            _exclusion(item, sets, "令第8号 art.4") for item in section["archive_exclusions"].list()
        ),
        agency=tuple(_row(item, sets, agency) for item in section["agency_rules"].list()),
        enterprise=tuple(_row(item, sets, enterprise) for item in section["enterprise_rules"].list()),
        common=tuple(
            _simple(item, source)
            for name, source in (
                ("accounting", "财政部 国家档案局令第79号"),
                ("proof_records", "retention.proof_records"),
            )
            for item in section[name].list()
        ),
        defaults={origin: _period(defaults[origin]) for origin in _ORIGINS},
        keyword_sets=sets,
        event_clocks=tuple(_clock(item) for item in section["event_clocks"].list())
        if "event_clocks" in section
        else (),
        archiving=_archiving(section.get("archiving_deadlines"), shipped),
        organs={origin: organs[origin].texts() for origin in _ORIGINS if origin in organs},
    )


def _archiving(reader: Reader | None, of_shipped: Reader) -> dict[str, tuple[int, ...]]:
    """Of several days for one rule the first; rules that a unit's policy leaves out are the shipped ones."""
    found: dict[str, tuple[int, ...]] = {}
    shipped = dict(of_shipped.items())["archiving_deadlines"]
    for item in (*(reader.list() if reader is not None else ()), *shipped.list()):
        entry = item.map(need=("id", "rule"), may=("months", "month_day", "source", "conf"))
        rule = entry["rule"].one_of(_ARCHIVING)
        wanted = "months" if rule == "within_months_after_handling" else "month_day"
        if wanted not in entry:
            item.wrong(f"key {wanted!r} is missing")
        found.setdefault(
            rule, (entry[wanted].integer(1, 60),) if wanted == "months" else _month_day(entry[wanted])
        )
    return found


def _month_day(reader: Reader) -> tuple[int, int]:
    month, _, day = reader.text().partition("-")
    try:
        # no leap day: every year has the day
        found = date(2001, int(month), int(day))
    except ValueError:
        reader.wrong("not a day of the year, MM-DD")
    return found.month, found.day


def _clock(item: Reader) -> tuple[tuple[str, ...], str]:
    entry = item.map(need=("any", "event"), may=("conf", "source"))
    return entry["any"].texts(), entry["event"].text()


def _period(reader: Reader) -> Retention:
    return Retention(reader.one_of(tuple(one.value for one in Retention)))


def _row(item: Reader, sets: dict[str, tuple[str, ...]], source: str) -> RetentionRule:
    entry = item.map(need=("ref", "when", "period"), may=("conf", "note"))
    return _when(
        entry["when"],
        sets,
        ref=entry["ref"].text(),
        retention=_period(entry["period"]),
        conf=entry["conf"].one_of(CONF) if "conf" in entry else "own",
        note=entry["note"].text() if "note" in entry else "",
        text="",
        source=source,
    )


def _exclusion(item: Reader, sets: dict[str, tuple[str, ...]], source: str) -> RetentionRule:
    entry = item.map(need=("id", "when", "zh"), may=("conf",))
    return _when(
        entry["when"],
        sets,
        ref=entry["id"].text(),
        retention=Retention.NOT_FILED,
        conf="web",
        note="",
        text=entry["zh"].text(),
        source=source,
    )


def _simple(item: Reader, source: str) -> RetentionRule:
    """A row that names papers only; without words of its own, the names in its text are what is looked for."""
    entry = item.map(need=("zh", "period"), may=("ref", "any", "conf", "note"))
    text = entry["zh"].text()
    return RetentionRule(
        ref=entry["ref"].text() if "ref" in entry else text,
        retention=_period(entry["period"]),
        conf=entry["conf"].one_of(CONF) if "conf" in entry else "own",
        text=text,
        any=entry["any"].texts() if "any" in entry else tuple(text.split("、")),
        source=source,
        note=entry["note"].text() if "note" in entry else "",
        line=item.line,
    )


def _when(
    reader: Reader,
    sets: dict[str, tuple[str, ...]],
    *,
    ref: str,
    retention: Retention,
    conf: str,
    note: str,
    text: str,
    source: str,
) -> RetentionRule:
    entry = reader.map(may=("origin", "kinds", "any", "sets", "flags", "flags_mode", "important"))
    if not entry:
        reader.wrong("a rule without a condition")
    origins: tuple[Origin, ...] = ()
    if "origin" in entry:
        for name in entry["origin"].texts():
            if name not in _ORIGINS:
                entry["origin"].wrong(f"unknown origin {name!r}")
        origins = tuple(one for one in _ORIGINS if one in entry["origin"].texts())
    return RetentionRule(
        ref=ref,
        retention=retention,
        conf=conf,
        text=text,
        origins=origins,
        kinds=entry["kinds"].texts() if "kinds" in entry else (),
        any=entry["any"].texts() if "any" in entry else (),
        sets=tuple(one.one_of(tuple(sets)) for one in entry["sets"].list()) if "sets" in entry else (),
        flags=entry["flags"].texts() if "flags" in entry else (),
        flags_any="flags_mode" in entry and entry["flags_mode"].one_of(("any", "all")) == "any",
        important=entry["important"].truth() if "important" in entry else None,
        source=source,
        note=note,
        line=reader.line,
    )
