"""Marks of every grammar of official-documents.md section 4, each with what it means."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..models.level import Level
from ..models.mark import Mark
from ..models.period import Period, add_months

MAX_YEARS: dict[Level, int] = {Level.STATE_TOP: 30, Level.STATE_SECRET: 20, Level.STATE_CONFIDENTIAL: 10}
"""保守国家秘密法 (2024) art. 20; here so that a made-up term is lawful, never to judge a real one."""
STAR = "★"
INTERNAL_WORDS = ("内部资料 注意保存", "内部文件 不得外传", "内部使用", "内部资料")
PUBLIC_NOTE = "此件公开发布"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark and how it prints; `findings` are what a careful reader would object to."""

    mark: Mark | None
    text: str = ""
    note: str | None = None
    findings: tuple[str, ...] = ()


def draw_mark(kind: str, *, family: Mapping[str, Any], signed: date, owner: str, rng: random.Random) -> Drawn:
    """A mark of the kind that the template asks for (`s_years … s_bare`, `work`, `company`, `soe`, `none` …).

    Raises:
        KeyError: for a kind that does not exist.
    """
    if kind == "none":
        return Drawn(mark=None)
    if kind == "public":
        return Drawn(mark=Mark(level=Level.PUBLIC, wording=PUBLIC_NOTE, raw=PUBLIC_NOTE), note=PUBLIC_NOTE)
    if kind == "internal":
        words = rng.choice(INTERNAL_WORDS)
        return Drawn(mark=Mark(level=Level.INTERNAL, wording=words, raw=words), text=words)
    if kind == "work":
        period = rng.choice((None, None, Period(kind="years", number=rng.choice((1, 2, 3, 5)))))
        text = "工作秘密" + (f" {period}" if period else "")
        return Drawn(mark=Mark(level=Level.WORK, period=period, wording="工作秘密", raw=text), text=text)
    levels = [Level(name) for name in family["levels"]]
    level = rng.choice(levels)
    if kind.startswith("s_"):
        return _state(kind, level=level, family=family, signed=signed, rng=rng)
    return {"company": _company, "c_bare": _company_bare, "soe": _soe}[kind](level, owner, rng)


def _state(kind: str, *, level: Level, family: Mapping[str, Any], signed: date, rng: random.Random) -> Drawn:
    if kind == "s_bare":
        return Drawn(mark=Mark(level=level, raw=level.value), text=level.value)
    if kind == "s_star":
        text = level.value + STAR
        return Drawn(mark=Mark(level=level, star=True, raw=text), text=text)
    findings: tuple[str, ...] = ()
    top = MAX_YEARS[level]
    match kind:
        case "s_years":
            period = Period(kind="years", number=rng.choice((1, 2, 3, 5, 10, 15, 20, 25, 30)))
            if (period.number or 0) > top:
                period = Period(kind="years", number=top)
        case "s_months":
            period = Period(kind="months", number=rng.choice((1, 2, 3, 6, 9, 11)))
        case "s_forever":
            period = Period(kind="forever")
            findings = () if level is Level.STATE_TOP else ("forever_below_top",)
        case "s_until":
            end = add_months(signed, 12 * rng.randint(1, top - 1))
            words = rng.choice(
                (f"{end.year}年{end.month}月{end.day}日", f"{end.year}年{end.month}月", f"{end.year}年")
            )
            period = Period(kind="until", date=words)
        case "s_cond":
            period = Period(kind="condition", condition=rng.choice(family["conditions"]))
        case _:
            raise KeyError(kind)
    text = f"{level.value}{STAR}{period}"
    return Drawn(mark=Mark(level=level, period=period, star=True, raw=text), text=text, findings=findings)


def _company(level: Level, _owner: str, rng: random.Random) -> Drawn:
    period = rng.choice((None, Period(kind="years", number=rng.choice((1, 2, 3, 5, 10)))))
    text = level.value + (f" {period}" if period else "")
    return Drawn(mark=Mark(level=level, period=period, raw=text), text=text)


def _company_bare(level: Level, _owner: str, rng: random.Random) -> Drawn:
    """Seeds let a company write its levels without 公司; never with a star, which is the nation's."""
    period = Period(kind="years", number=rng.choice((1, 3, 5)))
    text = f"{level.value.removeprefix('公司')} {period}"
    return Drawn(mark=Mark(level=level, period=period, raw=text), text=text)


def _soe(level: Level, owner: str, rng: random.Random) -> Drawn:
    period = rng.choice((
        Period(kind="years", number=rng.choice((1, 3, 5, 10))), Period(kind="months", number=6),
        Period(kind="forever"), Period(kind="condition", condition="公布前"),
    ))  # fmt: skip
    text = f"{owner} {level.value}▲{period}"
    return Drawn(mark=Mark(level=level, period=period, owner=owner, raw=text), text=text)
