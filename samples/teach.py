"""`python -m jiyao.samples.teach`: makes the small model (`models/policy/topics.json`) anew from the repository's data.

Multinomial logistic regression with partial labels (a judged paper names acceptable levels, so several topics may be
right), pulled towards a prior in which a topic's own words speak for it. Full-batch, a fixed number of steps, sums by
`bincount`: the same data give the same file, byte for byte, on the same numpy. The temperature comes from predictions
on groups that were left out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..models.policy.loader import default_policy_text, parse_policy
from ..models.policy.schema import Policy
from ..stages.content_match import body_of, find_words
from ..stages.extract import extract
from ..stages.topic_features import all_words, see
from .teach_text import Lesson, lessons

STEPS = 120
RATE = 0.08
FOLDS = 5
LEAST_PAPERS = 3
"""Pairs of characters in fewer papers are left out."""
SCALE = 1000
PULL_GRAM, PULL_NAMED = 2.0e-3, 6.0e-4
PRIOR_LIVE, PRIOR_TITLE = 0.9, 0.6

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """All lessons as numbers: sparse features, right topics, possible topics, weights, groups."""

    names: tuple[str, ...]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Array
    right: Array
    possible: Array
    weight: Array
    groups: tuple[str, ...]
    authors: tuple[str, ...]

    @property
    def count(self) -> int:
        """Lessons."""
        return len(self.weight)


def tabulate(taught: tuple[Lesson, ...], policy: Policy) -> Table:
    """Features of every lesson."""
    topics = [topic.id for topic in policy.topics]
    seen: list[dict[str, float]] = []
    words = all_words(policy)
    for lesson in taught:
        body = body_of(lesson.transcript)
        found = find_words(body, policy, words)
        fields = extract(lesson.transcript)
        seen.append(
            see(body=body, found=found, fields=fields, policy=policy, profile=lesson.profile).features
        )
    papers: dict[str, set[str]] = {}
    for lesson, features in zip(taught, seen, strict=True):
        for name in features:
            papers.setdefault(name, set()).add(lesson.group)
    names = tuple(
        sorted(
            name for name, held in papers.items() if not name.startswith("n:") or len(held) >= LEAST_PAPERS
        )
    )
    index = {name: number for number, name in enumerate(names)}
    triples = [
        (row, index[name], value)
        for row, features in enumerate(seen)
        for name, value in sorted(features.items())
        if name in index
    ]
    return Table(
        names=names,
        rows=np.array([one[0] for one in triples]),
        columns=np.array([one[1] for one in triples]),
        values=np.array([one[2] for one in triples]),
        right=np.array([[float(topic in one.right) for topic in topics] for one in taught]),
        possible=np.array(
            [[float(topic.rule(one.profile) is not None) for topic in policy.topics] for one in taught]
        ),
        weight=np.array([one.weight for one in taught]),
        groups=tuple(one.group for one in taught),
        authors=tuple(one.author for one in taught),
    )


def prior(table: Table, policy: Policy) -> Array:
    """Where the weights are pulled to: a topic's words, and those in the title, speak for it."""
    start = np.zeros((len(table.names), len(policy.topics)))
    index = {name: number for number, name in enumerate(table.names)}
    for number, topic in enumerate(policy.topics):
        for kind, value in (("t", PRIOR_LIVE), ("h", PRIOR_TITLE)):
            if f"{kind}:{topic.id}" in index:
                start[index[f"{kind}:{topic.id}"], number] = value
    return start


def scores(table: Table, weights: Array, keep: NDArray[np.bool_] | None = None) -> Array:
    """Scores of every lesson (or of those kept), topics that cannot be at minus infinity."""
    at = keep[table.rows] if keep is not None else np.ones(len(table.rows), dtype=bool)
    rows, columns, values = table.rows[at], table.columns[at], table.values[at]
    found = np.stack(
        [
            np.bincount(rows, weights=values * weights[columns, topic], minlength=table.count)
            for topic in range(weights.shape[1])
        ],
        axis=1,
    )
    return np.where(table.possible > 0, found, -np.inf)


def softmax(found: Array) -> Array:
    """Probabilities by row."""
    raised = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def fit(table: Table, policy: Policy, keep: NDArray[np.bool_]) -> Array:
    """Weights after a fixed number of steps (Adam without noise) on the lessons kept."""
    start = prior(table, policy)
    weights = start.copy()
    pull = np.array([PULL_GRAM if name.startswith("n:") else PULL_NAMED for name in table.names])[:, None]
    at = keep[table.rows]
    rows, columns, values = table.rows[at], table.columns[at], table.values[at]
    share = np.where(keep, table.weight, 0.0)
    share = share / share.sum()
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        guess = softmax(scores(table, weights, keep))
        allowed = guess * table.right
        aim = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1e-12)
        wrong = (guess - aim) * share[:, None]
        slope = np.stack(
            [
                np.bincount(columns, weights=values * wrong[rows, topic], minlength=len(table.names))
                for topic in range(weights.shape[1])
            ],
            axis=1,
        )
        slope += pull * (weights - start)
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        weights -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return weights


def left_out(table: Table, policy: Policy) -> Array:
    """Scores of every lesson by a model that saw nothing of its group."""
    order = sorted(set(table.groups))
    fold = {name: int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS for name in order}
    folds = np.array([fold[name] for name in table.groups])
    found = np.full((table.count, len(policy.topics)), -np.inf)
    for number in range(FOLDS):
        weights = fit(table, policy, folds != number)
        found[folds == number] = scores(table, weights)[folds == number]
    return found


def temperature(found: Array, table: Table) -> float:
    """What divides the scores so that left-out lessons are likeliest."""
    best, least = 1.0, np.inf
    for hundredth in range(60, 301, 5):
        guess = (softmax(found / (hundredth / 100)) * table.right).sum(axis=1)
        loss = -float((np.log(np.maximum(guess, 1e-9)) * table.weight).sum())
        if loss < least:
            best, least = hundredth / 100, loss
    return best


def make_model(without: str | None = None) -> str:
    """The model as JSON text; `without` leaves out the lessons of one author, to measure on them."""
    policy = parse_policy(default_policy_text())
    taught = tuple(one for one in lessons(policy) if one.author != without)
    table = tabulate(taught, policy)
    weights = fit(table, policy, np.ones(table.count, dtype=bool))
    heat = temperature(left_out(table, policy), table)
    rounded = np.rint(weights * SCALE).astype(int)
    rows = {
        name: [int(one) for one in rounded[number]]
        for number, name in enumerate(table.names)
        if np.abs(rounded[number]).max() >= SCALE // 50
    }
    plain = {
        "version": "2026.11", "topics": [topic.id for topic in policy.topics], "scale": SCALE, "temperature": heat,
        "weights": rows,
    }  # fmt: skip
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).replace("],", "],\n") + "\n"


def main() -> int:
    """Writes the model beside the policy."""
    text = make_model()
    target = Path(str(files("jiyao.models.policy"))) / "topics.json"
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(
        f"{target.name}: {len(text.encode()) // 1024} KiB, sha256 {hashlib.sha256(text.encode()).hexdigest()}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
