"""Borrowing 借阅: originals from the room, papers from the archive; with a due date, told precautions, pages counted on
return, extended before the end by approval (R-071 … R-076, R-089 … R-092).

Movements `lend` and `consult` (from the archive, in the reading room) carry the rules; here is what they do not say:
that who belongs to no department of the unit brings a letter of introduction, and what an extension needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.tables import Account, Approval, Carrier, Copy, Document, Movement, Timer
from ..desk import custody, movements, timers
from ..desk.movements import Hand
from ..persons import access, approvals, conditions, people, subjects
from ..persons.actors import Actor, acting
from ..station.station import Station

LEND, CONSULT = "lend", "consult"
_BACK = {LEND: "lend_back", CONSULT: "consult_back"}
_CLOCKS = ("borrow", "copy_return")


def lend(
    station: Station,
    actor: Actor,
    *,
    objects: Sequence[str],
    to: str,
    precautions: str,
    due: date | None = None,
    place: str | None = None,
    unit: str | None = None,
    letter: str | None = None,
    content: str | None = None,
) -> dict[str, Any]:
    """Lends originals, all or none of them; from the archive they are consulted in the reading room.

    Args:
        precautions: what the borrower was told face to face. place: where it is read.
        unit, letter, content: a borrower from outside, his letter of introduction, and what he may consult.

    Raises:
        Refused: as `movements.move`; `introduction_needed` for a borrower from outside.
    """
    with acting(station, actor, "borrow.lend", objects=tuple(objects)) as session:
        person = people.find_person(station, session, to)
        words = {
            name: said
            for name, said in (
                ("precautions", precautions), ("unit", unit), ("letter", letter), ("content", content),
            )
            if said
        }  # fmt: skip
        lent = []
        for object_id in objects:
            thing = _original(session, object_id)
            act = CONSULT if thing.state == "archived" else LEND
            if (unit or (act == CONSULT and _from_outside(station, session, person))) and not (
                letter and content
            ):
                raise Refused("introduction_needed", person=person)
            hand = Hand(taker=person, due=due, place=place, words=words)
            movements.move(station, session, actor, thing, act, hand)
            lent.append(_loan(station, session, thing))
        return {"loans": lent}


def back(
    station: Station, actor: Actor, *, objects: Sequence[str], pages: int, place: str | None = None,
    irregular: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Takes loans back, counted page by page; what came from the archive goes back to its place there.

    Raises:
        Refused: not on loan. UsageFault: no place for an archived original.
    """
    with acting(station, actor, "borrow.back", objects=tuple(objects)) as session:
        words = {"pages": str(pages), **({"irregular": irregular} if irregular else {})}
        things = []
        for object_id in objects:
            thing = _original(session, object_id)
            act = way_back(session, thing)
            movements.move(station, session, actor, thing, act, Hand(place=place, words=words))
            things.append(custody.object_json(session, thing))
        return {"objects": things}


def extend(station: Station, actor: Actor, *, thing: str, due: date, reason: str) -> dict[str, Any]:
    """A later due date, before the loan is late: by an approval that was asked for after the loan began.

    Raises:
        Refused: not on loan, late already, a paper that is read on the spot or in the room only, no new approval,
            later than another whole term.
    """
    why = station.reason(reason)
    with acting(station, actor, "borrow.extend", objects=(thing,)) as session:
        found = movements.find(session, thing)
        timer = _running(session, thing)
        document = session.get(Document, found.document_id) if found.document_id else None
        if timer is None or document is None:
            raise Refused("not_on_loan", object=thing)
        access.check_clearance(station, session, actor.person, document)
        if timers.moment(timer.due) <= station.clock.now():
            raise Refused("extension_late", object=thing, due=timers.last_day(timer).isoformat())
        act = "distribute" if isinstance(found, Copy) else "borrow"
        row = approvals.matrix_row(station, act, document)
        if subjects.as_read(station.policy, document) or conditions.stays_in_room(None, row):
            raise Refused("extension_as_read", document=document.id)
        holder = found.holder or ""
        approval = approvals.require(station, session, act=act, rows=(document,), recipients=(holder,))
        if approval is not None:
            asked = session.get_one(Approval, approval).requested_at
            if timers.moment(asked) <= timers.moment(timer.started_at):
                raise Refused("extension_unapproved", object=thing, act=act)
        before = timers.last_day(timer)
        if due <= before:
            raise UsageFault("extension_earlier", date=due.isoformat(), due=before.isoformat())
        new = timers.begin(
            station, session, timer.clock, kind=timer.object_kind, object_id=thing, document=document,
            holder=holder, due=due,
        )  # fmt: skip
        if isinstance(found, Copy):
            found.due = timers.last_day(new).isoformat()
        station.log(
            session, "borrow.extend", objects=(thing, document.id), person=actor.person, account=actor.user,
            rule=approval or "", reason=why, facts={"from": before.isoformat(), "until": due.isoformat()},
        )  # fmt: skip
        return _loan(station, session, found)


def list_loans(
    station: Station, actor: Actor, *, overdue: bool = False, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """Originals on loan, by number; a reader sees his own. `after`: goes on behind this one."""
    with station.read() as session:
        wanted = select(Carrier).where(Carrier.state == "lent").order_by(Carrier.id)
        if not actor.roles & custody.SEE_ALL:
            wanted = wanted.where(Carrier.holder == actor.person)
        if after is not None:
            wanted = wanted.where(Carrier.id > after)
        if overdue:
            late = select(Timer.object_id).where(Timer.state == timers.RUNNING, Timer.due <= station.now())
            wanted = wanted.where(Carrier.id.in_(late))
        loans = [_loan(station, session, row) for row in session.scalars(wanted.limit(limit + 1))]
        shown, rest = cut(loans, limit, lambda loan: str(loan["object"]))
        return {"loans": [loan for loan in shown if not overdue or (loan["days"] or 0) < 0], **rest}


# ---------------------------------------------------------------- parts


def _original(session: Session, object_id: str) -> Carrier:
    thing = movements.find(session, object_id)
    if not isinstance(thing, Carrier):
        raise UsageFault("borrow_originals", object=object_id)
    return thing


def way_back(session: Session, thing: Carrier) -> str:
    """The movement that takes a loan back."""
    return _BACK[_lent_by(session, thing)]


def _lent_by(session: Session, thing: Carrier) -> str:
    """The movement by which an original is on loan now."""
    act = session.scalars(
        select(Movement.act)
        .where(Movement.object_id == thing.id, Movement.after == "lent")
        .order_by(Movement.id.desc())
        .limit(1)
    ).first()
    return act if act in _BACK else LEND


def _from_outside(station: Station, session: Session, person: str) -> bool:
    """Nobody of the unit: neither an account nor a department."""
    account = session.scalars(
        select(Account.user).where(Account.person_id == person, Account.status == "active")
    ).first()
    return account is None and not people.person_json(station, session, person)["dept"]


def _running(session: Session, thing: str) -> Timer | None:
    return session.scalars(
        select(Timer).where(Timer.object_id == thing, Timer.clock.in_(_CLOCKS), Timer.state == timers.RUNNING)
    ).first()


def _loan(station: Station, session: Session, thing: Carrier | Copy) -> dict[str, Any]:
    session.flush()
    timer = _running(session, thing.id)
    document = session.get(Document, thing.document_id) if thing.document_id else None
    act = _lent_by(session, thing) if isinstance(thing, Carrier) else None
    row = approvals.matrix_row(station, "borrow", document) if document is not None else None
    rule = station.policy.desk.movement(act, "carrier") if act else None
    timed = timers.due_item(station, timer) if timer is not None else {}
    return {
        **custody.object_json(session, thing), "due": timed.get("due"), "days": timed.get("days"),
        "in_room_only": conditions.stays_in_room(rule, row),
        "same_day": document is not None
        and (subjects.as_read(station.policy, document) or (row is not None and "return_same_day" in row.extra)),
        "conditions": list(row.extra) if row is not None else [],
    }  # fmt: skip
