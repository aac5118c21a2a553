"""What was declared against what came: number, level, serials, copies, completeness (R-004: 核对文件编号、密级、份数).

A difference opens a matter `discrepancy`, which blocks acceptance until somebody has said that it was a misreading, or
the sender has answered and a second person has settled it. Declared and found values are words of the matter, sealed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ...common.letters import squeezed
from ...models.fields import OfficialFields
from ...models.level import Level
from ...models.tables import Document, Matter, Receipt
from ..desk import matters
from ..persons.actors import Actor
from ..station.station import Station

KIND = "discrepancy"


def of_count(
    station: Station, session: Session, actor: Actor, row: Document, *, declared: int, counted: int
) -> Matter | None:
    """Copies declared against copies counted on receipt; None when they agree."""
    if declared == counted:
        return None
    words = {"differs": "copies", "declared": {"copies": declared}, "found": {"copies": counted}}
    opened = matters.start(station, session, actor, KIND, document=row.id, words=words)
    # a count by hand is no misreading: the sender is asked at once
    return matters.advance(station, session, actor, opened, step="check", result="real")


def of_reading(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    *,
    receipt: Receipt,
    declared: dict[str, Any],
    fields: OfficialFields,
) -> Matter | None:
    """What the envelope or list declared against what was read; None when nothing that both have differs."""
    said: dict[str, Any] = {}
    found: dict[str, Any] = {}
    number = declared.get("doc_number")
    if number and fields.doc_number and squeezed(number) != squeezed(fields.doc_number):
        said["number"], found["number"] = number, fields.doc_number
    if receipt.level_code and row.read_level_code and receipt.level_code != row.read_level_code:
        said["level"] = Level.parse(receipt.level_code).value
        found["level"] = Level.parse(row.read_level_code).value
    serials = declared.get("serials") or []
    if (
        serials
        and fields.serials
        and not {squeezed(one) for one in serials} & {squeezed(one) for one in fields.serials}
    ):
        said["serials"], found["serials"] = list(serials), list(fields.serials)
    pages = station.unseal(session, "receipt", receipt.sealed, bind=receipt.id).get("pages")
    if pages and row.pages and row.pages < pages:
        said["pages"], found["pages"] = pages, row.pages
    if not said:
        return None
    words = {"differs": "、".join(said), "declared": said, "found": found}
    return matters.start(station, session, actor, KIND, document=row.id, words=words)
