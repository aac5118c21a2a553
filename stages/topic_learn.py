"""learn: the small model's weights, moved a little towards what persons of this station decided.

The shipped weights are the prior: each weight is pulled back to its shipped value as if `strength` papers stood
behind it (multinomial logistic regression with partial labels, as in `samples/teach`). Since the change is a weighted
sum of the lessons' features, it is found among the lessons (N x N products) and written into weights once, at the end.

Threat model: the lessons are features of sealed papers, pairs of characters among them; they live in this process only.
The weights that come out are derived from every lesson: they are to be sealed and to die with any of the papers.
A word that stands in fewer than three papers gets no weight of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.level import Family, Level
from ..models.policy.schema import Policy, Profile
from .topic import HARMLESS
from .topic_model import TopicModel

PULL_GRAM, PULL_NAMED = 1.6e-2, 4.8e-3
"""By paper that stands behind the weights; eight times those of teaching: fewer papers, less trust."""
LEAST_PAPERS = 3
STEPS = 160
SCALE = 1000
_BLOCK = 4096

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One confirmed paper: its features, the level that a person confirmed, and whose paper it is (a number)."""

    features: dict[str, float]
    level: Level
    group: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What a model says of papers whose level is known, by content alone. Counts of papers; `loss` in nats a paper."""

    papers: int
    right: int
    """The likeliest level is the confirmed one."""
    too_low: int
    """Protected meanwhile below the confirmed level, of `secret` papers."""
    too_low_unflagged: int
    """So, and no person would be asked."""
    secret: int
    too_high: int
    """Harmless papers protected as secret, of `papers - secret`."""
    flagged: int
    """Papers of which a person would be asked."""
    cost: float
    """Of a paper: too low 12 (5 when a person is asked), too high 7, another level 2 (1), a needless question 0.5."""
    loss: float


@dataclass(frozen=True, slots=True)
class Learned:
    """A model as text, and how the shipped and the learnt one did on papers that the learnt one had not seen."""

    text: str
    before: Measure
    after: Measure
    levels: tuple[tuple[str, int], ...]
    """Level -> papers that taught."""


def topics_of(level: Level, policy: Policy, profile: Profile) -> frozenset[str]:
    """Topics that may be right for a paper of a confirmed level: those of the level, else of its family."""
    levels = topic_levels(policy, profile)
    exact = frozenset(topic for topic, one in levels.items() if one is level)
    if exact or level.family in HARMLESS:
        return exact or frozenset(topic for topic, one in levels.items() if one.family in HARMLESS)
    return frozenset(topic for topic, one in levels.items() if one.family is level.family)


def topic_levels(policy: Policy, profile: Profile) -> dict[str, Level]:
    """The level, or interim protection, of each topic that the profile has."""
    found = {}
    for topic in policy.topics:
        rule = topic.rule(profile)
        level = rule and (rule.level or rule.interim)
        if level:
            found[topic.id] = level
    return found


def learn(
    lessons: Sequence[Lesson],
    *,
    base: TopicModel,
    policy: Policy,
    profile: Profile,
    folds: int,
    strength: float,
) -> Learned:
    """The learnt model, and both measured by cross-validation: papers of one group are never on both sides.

    Raises:
        ValueError: fewer than two lessons, or a level without a topic.
    """
    table = _Table(lessons, base, policy, profile)
    if len(lessons) < 2 or not table.right.any(axis=1).all():
        raise ValueError("nothing to learn from")
    products = table.products(strength)
    fold = _folds([one.group for one in lessons], folds)
    left_out = np.array(table.shipped)
    for number in range(folds):
        seen, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(out) and len(seen):
            shares = _fit(products[np.ix_(seen, seen)], table, seen)
            left_out[out] += products[np.ix_(out, seen)] @ shares
    everyone = np.arange(len(lessons))
    weights = table.weights(_fit(products, table, everyone), strength)
    counts: dict[str, int] = {}
    for one in lessons:
        counts[one.level.value] = counts.get(one.level.value, 0) + 1
    return Learned(
        text=_text(weights, base),
        before=table.measure(table.shipped, base.temperature),
        after=table.measure(left_out, base.temperature),
        levels=tuple(sorted(counts.items())),
    )


class _Table:
    """All lessons as numbers."""

    def __init__(self, lessons: Sequence[Lesson], base: TopicModel, policy: Policy, profile: Profile) -> None:
        self._lessons, self._base, self._policy = lessons, base, policy
        levels = topic_levels(policy, profile)
        self._levels = [levels.get(topic) for topic in base.topics]
        self.possible = np.array([level is not None for level in self._levels])
        right = [topics_of(one.level, policy, profile) for one in lessons]
        self.right = np.array([[topic in some for topic in base.topics] for some in right], dtype=np.float64)
        counted: dict[str, int] = {}
        for one in lessons:
            for name in one.features:
                counted[name] = counted.get(name, 0) + 1
        self.names = sorted(name for name, count in counted.items() if count >= LEAST_PAPERS)
        self.index = {name: number for number, name in enumerate(self.names)}
        self.shipped = np.array([base.scores(one.features) for one in lessons])
        frequency: dict[Level, int] = {}
        for one in lessons:
            frequency[one.level] = frequency.get(one.level, 0) + 1
        weight = np.array([frequency[one.level] ** -0.5 for one in lessons])
        self.weight = weight * len(lessons) / weight.sum()

    def pull(self, strength: float) -> Array:
        """How hard each feature's weights are held, for all lessons together."""
        papers = len(self._lessons) + strength
        return papers * np.array(
            [PULL_GRAM if name.startswith("n:") else PULL_NAMED for name in self.names], dtype=np.float64
        )

    def products(self, strength: float) -> Array:
        """Of each two lessons: how much what is learnt from one moves the scores of the other."""
        found = np.zeros((len(self._lessons), len(self._lessons)))
        pull = self.pull(strength)
        for start in range(0, len(self.names), _BLOCK):
            part = self._dense(start, start + _BLOCK)
            found += (part / pull[start : start + _BLOCK]) @ part.T
        return found

    def weights(self, shares: Array, strength: float) -> dict[str, Array]:
        """The change of each feature's weights."""
        pull = self.pull(strength)
        changed: dict[str, Array] = {}
        for start in range(0, len(self.names), _BLOCK):
            part = (self._dense(start, start + _BLOCK).T @ shares) / pull[start : start + _BLOCK, None]
            changed |= dict(zip(self.names[start : start + _BLOCK], part, strict=True))
        return changed

    def _dense(self, start: int, end: int) -> Array:
        part = np.zeros((len(self._lessons), min(end, len(self.names)) - start))
        for row, one in enumerate(self._lessons):
            for name, value in one.features.items():
                at = self.index.get(name)
                if at is not None and start <= at < end:
                    part[row, at - start] = value
        return part

    def measure(self, scores: Array, temperature: float) -> Measure:
        """How often a model with these scores is right, too low, too high (policy `abstaining`)."""
        chances = _softmax(np.where(self.possible, scores / temperature, -np.inf))
        policy, bounds = self._policy, self._policy.abstaining
        right = too_low = unflagged = secret = too_high = flagged = 0
        cost = 0.0
        for one, shares in zip(self._lessons, chances, strict=True):
            totals: dict[Level, float] = {}
            for level, share in zip(self._levels, shares, strict=True):
                if level is not None:
                    totals[level] = totals.get(level, 0.0) + float(share)
            ordered = sorted(totals, key=lambda level: (-totals[level], -policy.rank(level)))
            top = ordered[0]
            harmless = sum(share for level, share in totals.items() if level.family in HARMLESS)
            above = [level for level in ordered if level.family not in HARMLESS]
            asked = True
            if not above or harmless >= bounds.protect_below:
                protected = next(level for level in ordered if level.family in HARMLESS)
                asked = harmless < bounds.ask_below
                shown = protected
            else:
                shown = top
                sure = top.family not in HARMLESS and totals[top] >= bounds.least_confidence
                protected = top if sure else policy.highest(top, above[0], *ordered[1:2]) or top
            is_secret = one.level.family not in HARMLESS
            secret += is_secret
            # words say only that it is a state matter, and protect it meanwhile
            hit = shown is one.level or Family.STATE is one.level.family is shown.family
            right += hit
            low = is_secret and policy.rank(protected) < policy.rank(one.level)
            too_low += low
            unflagged += low and not asked
            high = not is_secret and protected.family not in HARMLESS
            too_high += high
            flagged += asked
            if low:
                cost += 5.0 if asked else 12.0
            elif high:
                cost += 7.0
            elif not hit:
                cost += 1.0 if asked else 2.0
            elif asked and not is_secret:
                cost += 0.5
        mine = np.maximum((chances * self.right).sum(axis=1), 1e-9)
        return Measure(
            papers=len(self._lessons), right=right, too_low=too_low, too_low_unflagged=unflagged, secret=secret,
            too_high=too_high, flagged=flagged, cost=round(cost / len(self._lessons), 4),
            loss=round(float(-np.log(mine).mean()), 4),
        )  # fmt: skip


def _folds(groups: Sequence[int], folds: int) -> NDArray[np.int64]:
    """A fold for each lesson; papers of a group together, the largest groups dealt first.

    A group that is more than half of all is dealt out paper by paper: else nothing could be measured.
    """
    sizes: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        sizes.setdefault(group, []).append(number)
    pieces: list[list[int]] = []
    for members in sizes.values():
        pieces += [[one] for one in members] if 2 * len(members) > len(groups) else [members]
    held = [0] * folds
    fold = np.zeros(len(groups), dtype=np.int64)
    for members in sorted(pieces, key=lambda one: (-len(one), one[0])):
        least = held.index(min(held))
        held[least] += len(members)
        fold[members] = least
    return fold


def _fit(products: Array, table: _Table, rows: NDArray[np.int64]) -> Array:
    """How much each lesson pulls each topic's weights: accelerated steps, always the same number."""
    start, right, weight = table.shipped[rows], table.right[rows], table.weight[rows][:, None]
    # the scores' curvature is at most a half; power iteration gives the largest product
    probe = np.ones(len(rows))
    for _ in range(20):
        probe = products @ probe
        probe /= max(float(np.linalg.norm(probe)), 1e-12)
    pace = 1.0 / (1.0 + 0.5 * float(probe @ products @ probe) * float(weight.max()))
    shares, ahead, before = np.zeros_like(start), np.zeros_like(start), 1.0
    for _ in range(STEPS):
        guess = _softmax(np.where(table.possible, start + products @ ahead, -np.inf))
        allowed = guess * right
        aim = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1e-12)
        moved = ahead - pace * (ahead + weight * (guess - aim))
        following = (1 + np.sqrt(1 + 4 * before**2)) / 2
        ahead = moved + (before - 1) / following * (moved - shares)
        shares, before = moved, float(following)
    return shares


def _softmax(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def _text(changes: dict[str, Array], base: TopicModel) -> str:
    """The model in the form of the shipped one."""
    nothing = (0.0,) * len(base.topics)
    rows: dict[str, list[int]] = {}
    for name in sorted(set(base.weights) | set(changes)):
        row = np.array(base.weights.get(name, nothing)) + changes.get(name, 0.0)
        rounded = [int(one) for one in np.rint(row * SCALE)]
        if name in base.weights or max(map(abs, rounded)) >= SCALE // 50:
            rows[name] = rounded
    plain = {
        "version": base.version, "topics": list(base.topics), "scale": SCALE, "temperature": base.temperature,
        "weights": rows,
    }  # fmt: skip
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).replace("],", "],\n") + "\n"
