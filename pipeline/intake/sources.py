"""What a registered paper draws on (派生定密; R-044): the numbers of its sources, by which its level can be checked.

The link is made when the paper is read and stays in the register under its key, as a number and a word for how it is
known; what the two papers share stands only in the paper's own sealed judgement. With the paper its links go; a link to
a source that was destroyed stays a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...models.level import Level
from ...models.suggestion import LevelSuggestion
from ...models.tables import Document
from ..station.station import Station

WORD = "sources"
MADE_OF: Mapping[str, str] = {"compile": "compiled", "excerpt": "excerpted"}
"""How a paper that was made of others is linked to them, by the act of the matrix that let it be made."""


def links_of(suggestion: LevelSuggestion) -> list[list[str]]:
    """As kept among the register's words."""
    return [[document, how] for document, how in suggestion.sources]


def kept_links(words: Mapping[str, Any]) -> list[list[str]]:
    """Links to what a paper was made of: no reading of its scan takes them away."""
    return [[document, how] for document, how in words.get(WORD) or () if how in MADE_OF.values()]


def sources_json(
    station: Station, session: Session, row: Document, words: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Each source: whether it still stands, and whether its level is now above that of this paper.

    Neither its words nor its level: who may see this paper need not be allowed to see its sources.
    """
    rank = station.policy.rank
    own = rank(Level.parse(row.level_code)) if row.level_code else 0
    found = []
    for document, how in words.get(WORD) or ():
        source = session.get(Document, document)
        level = Level.parse(source.level_code) if source is not None and source.level_code else None
        status = source.status if source is not None else None
        above = status not in (None, "void", "refused") and rank(level) > own
        found.append({"document": document, "how": how, "status": status, "above": above})
    return found


def without_links(words: Mapping[str, Any]) -> dict[str, Any]:
    """The register's words of a paper whose content is gone."""
    return {name: value for name, value in words.items() if name != WORD}
