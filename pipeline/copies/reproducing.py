"""复印、翻印: an original is copied by the room alone, by approval of the matrix (act `copy`), within the number that
was approved, and every sheet so made counts like the original from then on (TL art. 27; 001-D§9; R-077, R-078, R-162).

Threats: copies beyond the number (counted against the approval); a paper whose issuer forbids it (its consent is
written down); copies that nobody counts (each becomes a carrier with its own number). Not met: a copier outside the
room.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Family
from ...models.tables import Approval, Carrier, Document, Matter
from ..desk import matters, movements
from ..papers.documents import words_of
from ..papers.inbound import last_step
from ..persons import access, approvals
from ..persons.actors import Actor
from ..station.station import Station

ACT = "reproduce"
KIND = "reproduction"


def reproduce(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Enters the copies that were made as carriers of the document, in the room's hands.

    Raises:
        Refused: no approval, more than approved, not to be copied, not confirmed.
        UsageFault: no number; the issuer's consent is missing for a state secret of another organ (002-C§9).
    """
    if matter.document_id is None:
        raise UsageFault("matter_document", kind=matter.kind)
    row = access.get_document(session, matter.document_id)
    access.check_clearance(station, session, actor.person, row)
    if not row.confirmed or row.status not in ("registered", "archived"):
        raise Refused("not_confirmed", document=row.id)
    if words_of(station, session, row).get("may_copy") == "no":
        raise Refused("not_to_be_copied", document=row.id)
    _, words = last_step(station, session, matter)
    text = str(words["copies"])
    if not text.isdecimal() or not 1 <= int(text) <= 9999:
        raise UsageFault("bad_value", field="copies", given=text)
    level = access.protected_as(station.policy, row)
    if level.family is Family.STATE and row.origin != "self" and not str(words.get("consent") or "").strip():
        raise UsageFault("matter_needs", step=_step_zh(station, matter), needs="consent")
    approval = approvals.require(station, session, act="copy", rows=(row,))
    asked = matters.words_of(station, session, matter)
    _within(station, session, matter, row, approval, int(text), int(str(asked.get("asked") or text)))
    made = []
    for _ in range(int(text)):
        carrier = Carrier(
            id=f"{row.id}-Z{_next(session, row)}", receipt_id=row.receipt_id, document_id=row.id, type="paper",
            serial=None, holder=actor.person, place=None, state="held",
        )  # fmt: skip
        session.add(carrier)
        session.flush()
        movements.enter(station, session, actor, carrier, ACT)
        made.append(carrier.id)
    station.log(
        session, "documents.reproduce", objects=(row.id, matter.id, *made), person=actor.person,
        account=actor.user, level=level.value, rule=approval or "", facts={"copies": len(made)},
    )  # fmt: skip
    matters.note(station, session, matter, {"approval": approval, "carriers": made})


def _within(
    station: Station,
    session: Session,
    matter: Matter,
    row: Document,
    approval: str | None,
    more: int,
    asked: int,
) -> None:
    if more > asked:
        raise Refused("more_than_proposed", matter=matter.id, proposed=asked)
    given = session.get_one(Approval, approval) if approval is not None else None
    if given is None or given.copies is None:
        return
    made = 0
    for other in session.scalars(select(Matter).where(Matter.document_id == row.id, Matter.kind == KIND)):
        words = matters.words_of(station, session, other)
        made += len(words.get("carriers") or ()) if words.get("approval") == given.id else 0
    if made + more > given.copies:
        raise Refused("more_than_approved", approval=given.id, approved=given.copies, issued=made)


def _next(session: Session, row: Document) -> int:
    ids = session.scalars(select(Carrier.id).where(Carrier.document_id == row.id))
    numbers = [int(tail) for one in ids if (tail := one.rpartition("-Z")[2]).isdecimal()]
    return max(numbers, default=0) + 1


def _step_zh(station: Station, matter: Matter) -> str:
    step = matters.rule_of(station, matter.kind).step(matter.step or "")
    return step.zh if step else str(matter.step)
