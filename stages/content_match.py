"""Finding the policy's words in a paper: where they stand, in which zone, how often.

The text is cut into characters; spaCy's `PhraseMatcher` with every word of the policy then finds all of them in one
pass, over line ends too. It is built once for each policy and kept.
Titles of laws and rules in 《》 are references, not content, and do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..models.page import Box, Transcript
from ..models.policy.schema import ContentRule, Policy, Words, Zone
from .fields_head import read_head
from .fields_text import Row, rows_of, tight_word
from .phrases import Doc, PhraseMatcher, Vocab

CHUNK = 200_000
_CITED = re.compile(r"《[^《》]{2,80}?(?:法|条例|规定|办法|细则|规则|准则|规程)(?:[(][^()]{1,10}[)])?》")
_SENTENCE_END = ("。", ":", ";", "!", "?")


@dataclass(frozen=True, slots=True)
class Hit:
    """One occurrence of a word: its zone and place, and the words around it."""

    word: str
    zone: Zone
    page: int
    box: Box | None
    context: str
    start: int


@dataclass(frozen=True, slots=True)
class Body:
    """A paper's text as one tight string, with the row of each character."""

    text: str
    rows: tuple[Row, ...]
    starts: tuple[int, ...]
    zones: tuple[Zone, ...]
    cited: tuple[tuple[int, int], ...]

    def row_at(self, position: int) -> int:
        """Index into `rows` of a character."""
        low, high = 0, len(self.starts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.starts[middle] <= position else (low, middle - 1)
        return low

    def is_cited(self, position: int) -> bool:
        """Whether a character stands inside the cited title of a law."""
        return any(start <= position < end for start, end in self.cited)

    def hit(self, word: str, start: int, end: int) -> Hit:
        """The place of one occurrence."""
        index = self.row_at(start)
        row = self.rows[index]
        around = self.text[max(0, start - 12) : end + 12].replace("\n", " ")
        return Hit(word, self.zones[index], row.page, row.line.box, around, start)


def body_of(transcript: Transcript) -> Body:
    """The paper as one searchable text with zones: title, head (page 1 before the body), body."""
    rows = rows_of(transcript)
    head = read_head(rows)
    titles = [item for item in head.evidence if item.name == "title"]
    title_lines = {line for item in titles for line in item.raw.split("\n")}
    title_page = titles[0].page if titles else 0
    pieces: list[str] = []
    starts: list[int] = []
    zones: list[Zone] = []
    position = 0
    for row in rows:
        zone: Zone = "head" if row.index < head.body else "body"
        if row.index < head.body and row.page == title_page and row.raw in title_lines:
            zone = "title"
        changed = bool(zones) and zones[-1] != zone
        if pieces and (changed or pieces[-1].endswith(_SENTENCE_END) or zone == "head"):
            pieces[-1] += "\n"
            position += 1
        starts.append(position)
        zones.append(zone)
        pieces.append(row.tight)
        position += len(row.tight)
    text = "".join(pieces)
    cited = tuple(found.span() for found in _CITED.finditer(text))
    return Body(text, rows, tuple(starts), tuple(zones), cited)


@lru_cache(maxsize=1)
def vocabulary() -> Vocab:
    """What all texts and words share."""
    return Vocab()


def _doc(text: str) -> Doc:
    return Doc(vocabulary(), words=list(text), spaces=[False] * len(text))


@lru_cache(maxsize=8)
def _matcher(policy: Policy, extra: tuple[str, ...]) -> Any:
    matcher = PhraseMatcher(vocabulary())
    words = {tight_word(word) for rule in policy.rules for word in _all_words(rule.words)} | set(extra)
    for word in sorted(words):
        matcher.add(word, [_doc(word)])
    return matcher


def _all_words(words: Words) -> tuple[str, ...]:
    return words.any + words.and_any + words.none


def prepare(policy: Policy, extra: tuple[str, ...] = ()) -> None:
    """Builds what `find_words` will need."""
    _matcher(policy, extra)


def find_words(body: Body, policy: Policy, extra: tuple[str, ...] = ()) -> dict[str, tuple[Hit, ...]]:
    """Every occurrence of every word of the policy (and of `extra`) in the paper, in order."""
    matcher = _matcher(policy, extra)
    strings = vocabulary().strings
    found: dict[str, list[Hit]] = {}
    for offset in range(0, len(body.text), CHUNK):
        # chunks overlap by the longest word, so that none is cut in two
        doc = _doc(body.text[offset : offset + CHUNK + 64])
        for key, start, end in matcher(doc):
            if start >= CHUNK:
                continue
            word = strings[key]
            found.setdefault(word, []).append(body.hit(word, offset + start, offset + end))
    return {word: tuple(hits) for word, hits in found.items()}


@dataclass(frozen=True, slots=True)
class RuleScore:
    """How strongly one rule fired: its score and the hits that made it."""

    rule: ContentRule
    score: float
    hits: tuple[Hit, ...]

    @property
    def distinct(self) -> int:
        """Different words found."""
        return len({hit.word for hit in self.hits})


def score_rule(
    rule: ContentRule, *, body: Body, found: dict[str, tuple[Hit, ...]], policy: Policy, kind: str | None
) -> RuleScore | None:
    """A rule's score (weight × zone weight × hits, capped); None when it does not fire at all."""
    words = rule.words
    if words.doc_kinds and kind not in words.doc_kinds:
        return None

    def hits_of(group: tuple[str, ...], *, where: bool) -> list[Hit]:
        return [
            hit
            for word in group
            for hit in found.get(tight_word(word), ())
            if (
                not where
                or words.where in ("any", hit.zone)
                or (words.where == "head" and hit.zone == "title")
            )
            and not body.is_cited(hit.start)
        ]

    if hits_of(words.none, where=False):
        return None
    if words.and_any and not hits_of(words.and_any, where=False):
        return None
    hits = hits_of(words.any, where=True)
    if len({hit.word for hit in hits}) < words.min_hits:
        return None
    weights = policy.engine.zone_weights
    hits.sort(key=lambda hit: (-weights[hit.zone], hit.start))
    counted = hits[: policy.engine.repeat_cap]
    score = rule.weight * sum(weights[hit.zone] for hit in counted)
    return RuleScore(rule, score, tuple(hits[:8]))
