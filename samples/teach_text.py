"""Papers to teach the small model with: hand-written short papers (`teach/*.txt`) and the judged set's training half.

Every hand-written paper is laid out several times: alone, among ordinary sentences, and with sentences of
other harmless papers, so that one sentence has to be enough. A group is one hand-written line, or one judged template.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import cast, get_args

from ..models.page import Box, Line, Page, Transcript
from ..models.policy.schema import Policy, Profile
from .judged_set import UNMARKED, load_cases

SEED = 20261122
_TEXTS = ("secret.txt", "plain.txt", "secret_plain.txt", "plain_hard.txt")
LAYOUTS = 3
_OPENERS = (
    "现将有关情况报告如下。", "根据工作安排，现就有关事项通知如下。",
    "为做好相关工作，提出如下意见。", "按照要求，现将情况汇总如下。",
    "经研究，现将有关事项说明如下。", "", "", "接上级通知后，我们作了认真研究。",
    "近日，我单位就此进行了摸底。",
)  # fmt: skip
_FILLERS = (
    "各单位要高度重视，加强领导，明确责任，确保各项工作落到实处。",
    "请有关部门密切配合，有情况及时沟通。", "具体工作由办公室负责协调。",
    "以上事项，请结合实际抓好落实。", "工作中遇到的问题，请及时反馈。", "妥否，请批示。",
    "联系人及电话见附件。", "特此报告。", "总的看，各项工作进展平稳，也还存在一些不足。",
    "下一步，将继续完善措施，按时间节点推进。", "会议由分管同志主持，相关科室负责人参加。",
    "前期，我们多次召开协调会，听取了各方面意见。", "请于收到后五个工作日内反馈办理情况。",
    "有关费用从年度经费中列支。",
)  # fmt: skip
_BLAND_SHARE = 0.35
_BLAND = (
    "关于有关情况的报告", "关于做好有关工作的通知", "关于有关事项的通知", "关于商请支持有关工作的函",
    "关于有关问题的请示", "情况说明", "工作简报", "有关事项", "关于进一步落实有关安排的通知",
)  # fmt: skip
"""Titles that say nothing, so that the kind of a paper alone says neither harmless nor secret."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One paper to learn from: its text, profile, and the topics that would be right."""

    group: str
    profile: Profile
    transcript: Transcript
    right: frozenset[str]
    author: str
    weight: float = 1.0


def lessons(policy: Policy) -> tuple[Lesson, ...]:
    """All lessons, always in the same order. Papers with a mark or a unit's list teach nothing here."""
    return (*_written(policy), *_judged(policy))


def _written(policy: Policy) -> Iterator[Lesson]:
    lines = [line for name in _TEXTS for line in _lines(name)]
    harmless = [text.split("|", 1)[1] for topic, _, text in lines if topic in ("admin", "public")]
    known = {topic.id for topic in policy.topics}
    chance = random.Random(SEED)
    for number, (topic, profiles, line) in enumerate(lines):
        if topic not in known:
            raise ValueError(topic)
        title, text = line.split("|", 1)
        for layout in range(LAYOUTS):
            profile = profiles[(number + layout) % len(profiles)]
            body = [text]
            if layout:
                body = [chance.choice(_OPENERS), text, chance.choice(_FILLERS), chance.choice(_FILLERS)]
            if layout == 2:
                body.insert(chance.randrange(1, 3), chance.choice(harmless))
            if layout and chance.random() < _BLAND_SHARE:
                title = chance.choice(_BLAND)
            yield Lesson(
                group=f"written/{number}", profile=profile, transcript=_page([title, *filter(None, body)]),
                right=frozenset({topic}), author=f"written/{number % 10}", weight=1.0 / LAYOUTS,
            )  # fmt: skip


def _lines(name: str) -> Iterator[tuple[str, tuple[Profile, ...], str]]:
    topic, profiles = "", cast("tuple[Profile, ...]", ())
    for line in (files(__package__) / "teach" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("=="):
            topic, *rest = line[2:].split()
            if not rest or any(one not in get_args(Profile) for one in rest):
                raise ValueError(line)
            profiles = cast("tuple[Profile, ...]", tuple(rest))
            continue
        yield topic, profiles, line


def _judged(policy: Policy) -> Iterator[Lesson]:
    for case in load_cases("train"):
        if case.sort not in UNMARKED or case.sort == "unit_list":
            continue
        right = frozenset(
            topic.id
            for topic in policy.topics
            if (rule := topic.rule(case.profile)) and (rule.level or rule.interim) in case.truth.levels
        )
        if right:
            yield Lesson(
                group=case.group, profile=case.profile, transcript=case.transcript, right=right,
                author=case.group.split("/")[0],
            )  # fmt: skip


def _page(paragraphs: list[str]) -> Transcript:
    rows = [paragraph[at : at + 28] for paragraph in paragraphs for at in range(0, len(paragraph), 28)]
    height = 0.9 / max(24, len(rows))
    lines = tuple(
        Line(row, Box(0.15, 0.05 + index * height, 0.85, 0.05 + (index + 0.7) * height))
        for index, row in enumerate(rows)
    )
    return Transcript((Page(1, 210, 297, lines, "text_layer", "text-layer", 1.0),))
