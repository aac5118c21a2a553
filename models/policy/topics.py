"""Topics of the policy: what papers are about, in the words people use, and which rule a topic cites."""

from __future__ import annotations

from .nodes import Reader
from .schema import Abstaining, ContentRule, Topic

_KEYS = ("id", "zh", "rules", "words", "pairs", "harmless", "conf")


def read_topics(reader: Reader, rules: tuple[ContentRule, ...]) -> tuple[Topic, ...]:
    """The topics; each names rules that exist and give a level or an interim protection.

    The words of a rule that one topic alone cites are words of the topic too.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    known = {rule.id: rule for rule in rules if rule.kind in ("content", "negative")}
    all_cited = [item.map(need=("rules",), may=_KEYS)["rules"].texts() for item in reader.list()]
    found: list[Topic] = []
    for item in reader.list():
        entry = item.map(need=("id", "zh", "rules", "words"), may=_KEYS)
        name = entry["id"].text()
        if any(topic.id == name for topic in found):
            item.wrong(f"topic {name} stands twice")
        cited = tuple(one.one_of(tuple(known)) for one in entry["rules"].list())
        if not cited:
            entry["rules"].wrong("a topic cites at least one rule")
        own = [rule for rule in cited if sum(rule in other for other in all_cited) == 1]
        found.append(
            Topic(
                id=name,
                zh=entry["zh"].text(),
                rules=tuple(known[one] for one in cited),
                words=tuple(
                    dict.fromkeys(
                        [*entry["words"].texts(), *(word for rule in own for word in known[rule].words.any)]
                    )
                ),
                pairs=tuple(_pair(pair) for pair in entry["pairs"].list()) if "pairs" in entry else (),
                harmless="harmless" in entry and entry["harmless"].truth(),
            )
        )
    if sum(topic.harmless for topic in found) == 0:
        reader.wrong("at least one topic is harmless")
    return tuple(found)


def _pair(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sides = [one.texts() for one in reader.list()]
    if len(sides) != 2 or not all(sides):
        reader.wrong("a pair is two lists of words")
    return sides[0], sides[1]


def read_abstaining(reader: Reader) -> Abstaining:
    """The bounds below which a person decides."""
    entry = reader.map(
        need=("least_confidence", "least_harmless"),
        may=("protect_below", "ask_below", "ask_below_worded", "error_bound", "conf", "source"),
    )
    least = entry["least_harmless"].number(0.0, 1.0)
    return Abstaining(
        least_confidence=entry["least_confidence"].number(0.0, 1.0),
        least_harmless=least,
        ask_below=entry["ask_below"].number(0.0, 1.0) if "ask_below" in entry else least,
        ask_below_worded=entry["ask_below_worded"].number(0.0, 1.0) if "ask_below_worded" in entry else least,
        protect_below=entry["protect_below"].number(0.0, 1.0) if "protect_below" in entry else 0.6,
    )
