"""What the small model sees of a paper: topics' words by context, cues, kind, profile, and pairs of characters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..models.fields import OfficialFields
from ..models.policy.schema import Policy, Profile, Topic
from .content_match import Body, Hit
from .context import WEIGHT, Contexts, Reading, contexts_of, signals_of
from .fields_text import tight, tight_word

MOST_TEXT = 12_000
"""Characters looked at for pairs of characters; what a paper is about stands in its beginning."""
GRAM_NORM = 4.0
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_KINDS = (
    "通知", "报告", "请示", "函", "纪要", "方案", "公告", "通告", "公示", "意见", "通报", "批复",
    "决定", "简报", "合同", "协议", "总结", "讲话", "制度", "办法", "预案", "名单", "说明", "情况",
    "记录", "清单", "表",
)  # fmt: skip
_FACTOR = {"title": 2.0, "head": 1.0, "body": 1.0}


@dataclass(frozen=True, slots=True)
class TopicHit:
    """A word of a topic at its place, and how it is said there."""

    topic: str
    hit: Hit
    reading: Reading

    @property
    def weight(self) -> float:
        """Share with which it counts (0..1), times the factor of its zone."""
        return WEIGHT[self.reading] * _FACTOR[self.hit.zone]


@dataclass(frozen=True, slots=True)
class Seen:
    """Features by name, and the hits behind those of topics."""

    features: dict[str, float]
    hits: dict[str, tuple[TopicHit, ...]]
    signals: dict[str, int]
    contexts: Contexts


def see(
    *, body: Body, found: dict[str, tuple[Hit, ...]], fields: OfficialFields, policy: Policy, profile: Profile
) -> Seen:
    """The features of a paper; pure and in a fixed order."""
    contexts = contexts_of(body.text)
    features: dict[str, float] = {"bias": 1.0, f"p:{profile}": 1.0}
    hits: dict[str, tuple[TopicHit, ...]] = {}
    readings: dict[tuple[int, int], Reading] = {}

    def read(start: int, end: int) -> Reading:
        if (start, end) not in readings:
            readings[start, end] = contexts.read(start, end)
        return readings[start, end]

    for topic in policy.topics:
        mine = tuple(
            TopicHit(topic.id, hit, read(hit.start, hit.start + len(hit.word)))
            for hit in _hits(topic, body, found, contexts)
        )
        if not mine:
            continue
        hits[topic.id] = mine
        words = {one.hit.word for one in mine if one.weight >= 1.0}
        live = sum(min(2.0, _best(mine, word)) for word in words)
        dead = sum(1.0 for one in mine if one.weight < 1.0)
        if live:
            features[f"t:{topic.id}"] = math.log1p(live)
        if dead:
            features[f"d:{topic.id}"] = math.log1p(dead)
        if any(one.hit.zone == "title" and one.weight >= 1.0 for one in mine):
            features[f"h:{topic.id}"] = 1.0
    signals = signals_of(body.text)
    for name, count in signals.items():
        features[f"x:{name}"] = math.log1p(count)
    title = tight(fields.title or "") or body.text[:60]
    for kind in _KINDS:
        if title.endswith(kind) or fields.kind == kind:
            features[f"k:{kind}"] = 1.0
    features["x:length"] = math.log1p(len(body.text)) / 8
    grams = dict.fromkeys(_grams(_content(body)))
    if grams:
        value = GRAM_NORM / math.sqrt(len(grams))
        for gram in grams:
            features[f"n:{gram}"] = value
    return Seen(features, hits, signals, contexts)


def _best(hits: tuple[TopicHit, ...], word: str) -> float:
    return max(one.weight for one in hits if one.hit.word == word)


def _hits(topic: Topic, body: Body, found: dict[str, tuple[Hit, ...]], contexts: Contexts) -> Iterator[Hit]:
    for word in topic.words:
        yield from found.get(tight_word(word), ())
    for first, second in topic.pairs:
        near = {contexts.clause(hit.start): hit for word in second for hit in found.get(tight_word(word), ())}
        for word in first:
            for hit in found.get(tight_word(word), ()):
                other = near.get(contexts.clause(hit.start))
                if other is not None and abs(other.start - hit.start) <= 30 and other.word != hit.word:
                    start = min(hit.start, other.start)
                    end = max(hit.start + len(hit.word), other.start + len(other.word))
                    yield body.hit(body.text[start:end], start, end)


@lru_cache(maxsize=8)
def all_words(policy: Policy) -> tuple[str, ...]:
    """Every word that the topics of a policy look for."""
    return tuple(
        sorted(
            {
                tight_word(word)
                for topic in policy.topics
                for group in (topic.words, *(side for pair in topic.pairs for side in pair))
                for word in group
            }
        )
    )


def _content(body: Body) -> str:
    """The title and the body: the head's names and numbers say nothing of the matter."""
    pieces = [
        row.tight + ("\n" if zone != "body" else "")
        for row, zone in zip(body.rows, body.zones, strict=True)
        if zone != "head"
    ]
    return "".join(pieces)[:MOST_TEXT]


def _grams(text: str) -> Iterator[str]:
    for run in _HAN.findall(text):
        for index in range(len(run) - 1):
            yield run[index : index + 2]
            if index + 3 <= len(run):
                yield run[index : index + 3]
