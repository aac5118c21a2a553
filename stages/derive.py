"""派生定密: what a paper inherits from the registered ones that it cites, encloses or repeats (实施条例 art. 18).

The evidence names a source by its number in the register alone, and by its 发文字号 only where the paper itself cites
it: who may see this paper need not be allowed to see its sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from ..models.level import Level
from ..models.period import Period
from ..models.policy.schema import Policy
from ..models.suggestion import Evidence, RelatedDocument, Relations

CONFIDENCE = {"cited": 0.6, "attachment": 0.8, "near_duplicate": 0.7}
_RULE, _SOURCE = "D-1", "BMF art.18; TL art.18"
_MOST_PASSAGES = 3


def live_sources(relations: Relations, signed: date | None) -> tuple[RelatedDocument, ...]:
    """Related documents with a level of secrecy that had not expired on the day the paper was signed."""
    return tuple(
        one
        for one in relations.related
        if one.level is not None
        and one.level not in (Level.PUBLIC, Level.INTERNAL)
        and not (one.ends and signed and date.fromisoformat(one.ends) <= signed)
    )


def highest_source(sources: Iterable[RelatedDocument], policy: Policy) -> RelatedDocument | None:
    """The strictest source; among equals the one that says most: a passage rather than a citation."""
    return max(sources, key=lambda one: (policy.rank(one.level), CONFIDENCE[one.how]), default=None)


def inherited_period(source: RelatedDocument, sources: Sequence[RelatedDocument]) -> Period | None:
    """Until the end of the source; of several of its level until the latest of their ends."""
    ends = max((one.ends for one in sources if one.level is source.level and one.ends), default=None)
    if ends is None:
        return source.period
    last = date.fromisoformat(ends) - timedelta(days=1)
    return Period("until", date=f"{last.year}年{last.month}月{last.day}日")


def source_evidence(sources: Iterable[RelatedDocument]) -> tuple[Evidence, ...]:
    """Each source, how it is known to be one, and where the words that it shares with the paper stand."""
    found: list[Evidence] = []
    for one in sources:
        score = CONFIDENCE[one.how]
        if not one.passages:
            number = f"（{one.doc_number}）" if one.doc_number else ""
            how = "附有" if one.how == "attachment" else "引用"
            found.append(
                Evidence("level", _RULE, _SOURCE, f"{how}登记件 {one.document}{number}", score=score)
            )
        for passage in one.passages[:_MOST_PASSAGES]:
            text = f"与登记件 {one.document} 有 {passage.characters} 字相同，占该件 {one.share:.0%}"
            found.append(Evidence("level", _RULE, _SOURCE, text, passage.page, passage.box, score))
    return tuple(found)
