"""收文办理: registered, proposed on, instructed, distributed, read, handled, concluded (000-G§13.1; R-008, R-009).

The order is the policy's (`matters`, kind `inbound`); here is only what data cannot say: who has to be cleared for what
he decides on, to whom a step is given, and that nothing is concluded while an original is still with a reader.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.rights import STAFF
from ...models.tables import Carrier, Document, Matter, MatterStep, Timer
from ..desk import matters, timers
from ..persons import access, people
from ..persons.actors import Actor
from ..station.station import Station

KIND = "inbound"
OUTBOUND = ("outbound", "outbound_committee")
_HANDLE = "handle"
_READING = "circulation"
_HANDLING = "handling"


def mark_limits(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The reading limit 阅读时限 by level and urgency is written beside the distribution scope (004-B§4.1; R-010)."""
    row = _document(session, matter)
    access.check_clearance(station, session, actor.person, row)
    rule = station.policy.desk.clocks.get(_READING)
    if rule is None:
        return
    ends = timers.term_ends(
        station.policy, rule, level=access.protected_as(station.policy, row), urgency=row.urgency,
        start=station.clock.now(),
    )  # fmt: skip
    last = (ends - timedelta(seconds=1)).date()
    matters.note(station, session, matter, {"read_by": last.isoformat()})


def must_be_cleared(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Who decides on a paper or handles it is cleared for it and, but for the room, in its circle where one is set.

    Raises:
        Refused: not.
    """
    row = _document(session, matter)
    access.check_clearance(station, session, actor.person, row)
    if not actor.roles & STAFF:
        _in_circle(session, actor.person, row)


def assign_handler(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Distribution: where the paper is to be handled, by whom, and that person alone then handles it. Where it is to be
    read as well (`both`), its circulation list is opened with it: the `readers` named, else the rest of its circle.

    Raises:
        UsageFault: nobody is named. NotThere: nobody of that name.
        Refused: not cleared, or outside the circle; as a circulation list.
    """
    row = _document(session, matter)
    access.check_clearance(station, session, actor.person, row)
    step, words = last_step(station, session, matter)
    named = str(words.get("handler") or "").strip()
    rule = matters.rule_of(station, matter.kind).step(step.step)
    if not named:
        if step.result in (_HANDLE, "both"):
            raise UsageFault("matter_needs", step=rule.zh if rule else step.step, needs="handler")
        return
    person = people.find_person(station, session, named)
    access.check_clearance(station, session, person, row)
    _in_circle(session, person, row)
    matters.give_step(session, matter, _HANDLE, person)
    matters.note(station, session, matter, {"handler": person, **_handle_by(station, row)})
    if step.result == "both":
        opened = _open_list(station, session, actor, row, words, handler=person)
        matters.note(station, session, matter, {"circulation": opened})


def _open_list(
    station: Station, session: Session, actor: Actor, row: Document, words: dict[str, Any], *, handler: str
) -> str:
    """The circulation list beside the handling; its number."""
    from ..rounds import circulation

    said = str(words.get("readers") or "").replace(",", "、").replace(" ", "、")
    readers = [part for part in said.split("、") if part]
    if not readers:
        readers = [person for person in access.circle_of(session, row.id) if person != handler]
    if not readers:
        raise UsageFault("matter_needs", step="传阅", needs="readers")
    thing = str(words.get("object") or "").strip() or None
    return circulation.open_list(station, session, actor, row.id, readers, thing).id


def check_back(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Nothing of the paper is still with a reader, and no circulation list of it is open.

    Raises:
        Refused: `object_is_out`, `handling_open`.
    """
    row = _document(session, matter)
    out = session.scalars(
        select(Carrier.id).where(Carrier.document_id == row.id, Carrier.state == "out").order_by(Carrier.id)
    ).first()
    if out is not None:
        raise Refused("object_is_out", document=row.id, object=out)
    reading = session.scalars(
        select(Matter.id).where(
            Matter.document_id == row.id, Matter.kind == _READING, Matter.state == matters.OPEN
        )
    ).first()
    if reading is not None:
        raise Refused("handling_open", document=row.id, matter=reading)


def name_bringer(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Who brought a meeting's paper back: the clock of handing it in runs for that person (002-C§12; R-015)."""
    _, words = last_step(station, session, matter)
    person = people.find_person(station, session, str(words.get("brought_by") or ""))
    if matter.document_id is not None:
        access.check_clearance(station, session, person, _document(session, matter))
    matters.note(station, session, matter, {"brought_by": person})
    matters.give_step(session, matter, "holder", person)


def flow_of(station: Station, session: Session, document: str) -> dict[str, Any] | None:
    """Where a document's handling stands: the newest matter of the flow with the step that is awaited.

    None where it never was in the flow. `step` is `done` once it has ended as its rule says.
    """
    row = session.scalars(
        select(Matter)
        .where(Matter.document_id == document, Matter.kind.in_((KIND, *OUTBOUND)))
        .order_by(Matter.id.desc())
    ).first()
    if row is None:
        return None
    rule = station.policy.desk.matters.get(row.kind)
    awaited = rule.step(row.step) if rule and row.step else None
    timer = session.scalars(
        select(Timer).where(Timer.object_id == row.id, Timer.state == timers.RUNNING)
    ).first()
    ended = {"closed": "办结", "refused": "退回", "cancelled": "撤销"}
    return {
        "matter": row.id,
        "kind": row.kind,
        "step": row.step or ("done" if row.state == matters.CLOSED else row.state),
        "zh": awaited.zh if awaited else ended.get(row.state, row.step or row.state),
        "waits_for": list(awaited.by) if awaited else [],
        "persons": sorted(matters.named_for(session, row, row.step)) if row.step else [],
        "due": timers.last_day(timer).isoformat() if timer else None,
        "reminders": timer.reminders if timer else 0,
    }


def last_step(station: Station, session: Session, matter: Matter) -> tuple[MatterStep, dict[str, Any]]:
    """The step that was just done, with its words."""
    step = matters.steps_of(session, matter)[-1]
    return step, matters.step_words(station, session, step)


def _handle_by(station: Station, row: Document) -> dict[str, str]:
    """The last day of handling, as the clock of that step will have it."""
    rule = station.policy.desk.clocks.get(_HANDLING)
    if rule is None:
        return {}
    ends = timers.term_ends(
        station.policy, rule, level=access.protected_as(station.policy, row), urgency=row.urgency,
        start=station.clock.now(),
    )  # fmt: skip
    return {"handle_by": (ends - timedelta(seconds=1)).date().isoformat()}


def _in_circle(session: Session, person: str, row: Document) -> None:
    circle = access.circle_of(session, row.id)
    if circle and person not in circle:
        raise Refused("not_in_circle", person=person, document=row.id)


def _document(session: Session, matter: Matter) -> Document:
    if matter.document_id is None:
        raise UsageFault("matter_document", kind=matter.kind)
    return access.get_document(session, matter.document_id)
