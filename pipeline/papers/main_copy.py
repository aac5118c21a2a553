"""Which of a document's originals is kept as its main copy 存档正本, and which are surplus 重份 (令第8号 art. 4, 11).

Only the main copy bears the document's retention; every further original and every copy that the room issued is surplus
and not filed. The main copy is the one in the archive, else the first that is in the room's hands; without any original
on paper it is the sealed file itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.suggestion import Retention
from ...models.tables import Artefact, Carrier, Document

_IN_HAND = ("archived", "held", "out", "lent", "carried", "transit")
_LOST = ("missing", "lost")
RULE = "A-NA4"
"""重份文件不归档."""


def main_of(carriers: Sequence[Carrier]) -> Carrier | None:
    """The main copy among a document's originals; None when none is in the room's hands."""
    at_hand = [one for one in carriers if one.state in _IN_HAND]
    return min(at_hand, key=lambda one: (one.state != "archived", one.id), default=None)


def retention_of(carrier: Carrier, carriers: Sequence[Carrier], document: Document) -> str | None:
    """How long an original is kept: as the document, where it is the main copy; else it is not filed."""
    main = main_of(carriers)
    if carrier.state not in _IN_HAND:
        return None
    return document.retention if main is not None and carrier.id == main.id else Retention.NOT_FILED.value


def archive_copy_at(session: Session, document: Document) -> str | None:
    """Where the main copy is kept: the original's place or number, else `vault`; None when nothing is kept any more.

    An original that is missing leaves its document without a main copy until it is found.
    """
    carriers = session.scalars(
        select(Carrier).where(Carrier.document_id == document.id).order_by(Carrier.id)
    ).all()
    main = main_of(carriers)
    if main is not None:
        return main.place or main.id
    if any(one.state in _LOST for one in carriers):
        return None
    sealed = session.scalars(
        select(Artefact.id).where(
            Artefact.document_id == document.id, Artefact.kind == "original", Artefact.state == "live"
        )
    ).first()
    return "vault" if sealed is not None else None
