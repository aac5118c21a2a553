"""The keyed hash by which another original, a rescan or a new version of a registered paper is found.

It is made of the number (with the lead organ where the number has no organ's code of its own), or of title and date.
It stands in the register under the registry key, says nothing without it, and goes with the document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from ...common.letters import letters
from ...models.fields import OfficialFields
from ...models.tables import Document
from ..papers.documents import words_of
from ..station.station import Station
from .passages import retitle

_PURPOSE = "paper"
_OWN_CODE = re.compile(r"^[\u4e00-\u9fffA-Za-z]{2,}.*〔\d{4}〕")
_SHORTEST_TITLE = 8


def paper_tag(station: Station, session: Session, fields: OfficialFields) -> bytes | None:
    """What papers of one number share (see above); None for one that has neither number nor a telling title."""
    return _tag(
        station, session, number=fields.doc_number, organs=fields.organs, title=fields.title,
        day=fields.signed_date.isoformat() if fields.signed_date else None,
    )  # fmt: skip


def retag(station: Station, session: Session, row: Document) -> None:
    """After the register's fields were corrected: the paper is found by what they say now."""
    words = words_of(station, session, row)
    row.paper_tag = _tag(
        station, session, number=words.get("doc_number"), organs=words.get("organs") or (),
        title=words.get("title"), day=row.signed_date,
    )  # fmt: skip
    retitle(station, session, row.id, words.get("title"))


def _tag(
    station: Station, session: Session, *, number: str | None, organs: Sequence[str], title: str | None,
    day: str | None,
) -> bytes | None:  # fmt: skip
    lead = letters(organs[0]) if organs else ""
    if number:
        # a number with no organ's code (第5期, 〔2024〕3号) is many organs'
        own = _OWN_CODE.match(number) is not None
        text = f"n:{letters(number)}" if own else f"n:{letters(number)}:{lead}"
    elif title and len(title) >= _SHORTEST_TITLE and day:
        text = f"t:{letters(title)}:{day}"
    else:
        return None
    return station.vault.keyed_hash(session, _PURPOSE, text.encode())
