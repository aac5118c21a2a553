"""The small model: probabilities of topics from a paper's features (multinomial logistic regression).

Weights are a JSON file that `python -m jiyao.samples.teach` makes anew from the data in the repository; nothing of any
paper of a room is in it. It is plain arithmetic: no tensor library, no code in the file, a few milliseconds a paper.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True, eq=False)
class TopicModel:
    """Weights by feature, one for each of `topics`."""

    version: str
    topics: tuple[str, ...]
    weights: dict[str, tuple[float, ...]]
    temperature: float
    """Divides the scores, so that probabilities are honest on papers not seen (fitted by cross-validation)."""

    def scores(self, features: dict[str, float]) -> list[float]:
        """The linear score of each topic."""
        total = [0.0] * len(self.topics)
        for name, value in features.items():
            row = self.weights.get(name)
            if row is not None:
                for index, weight in enumerate(row):
                    if weight:
                        total[index] += weight * value
        return total

    def probabilities(self, features: dict[str, float], known: frozenset[str]) -> dict[str, float]:
        """Probability of each topic in `known`; topics that the profile has not are left out."""
        scores = {
            topic: score / self.temperature
            for topic, score in zip(self.topics, self.scores(features), strict=True)
            if topic in known
        }
        if not scores:
            return {}
        highest = max(scores.values())
        raised = {topic: math.exp(score - highest) for topic, score in scores.items()}
        total = sum(raised.values())
        return {topic: value / total for topic, value in raised.items()}


def read_model(text: str) -> TopicModel:
    """A model from its JSON text."""
    plain = json.loads(text)
    scale = plain["scale"]
    weights = {name: tuple(number / scale for number in row) for name, row in plain["weights"].items()}
    return TopicModel(plain["version"], tuple(plain["topics"]), weights, plain["temperature"])


@lru_cache(maxsize=1)
def shipped_model() -> TopicModel:
    """The model of this release."""
    text = resources.files("jiyao.models.policy").joinpath("topics.json").read_text("utf-8")
    return read_model(text)
