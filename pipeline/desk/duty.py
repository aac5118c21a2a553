"""值班与电报: telegrams acknowledged, reported and handled in their time; shifts that hand over what is unfinished; the
check at closing time (001-B§3, §4; 001-D§13; R-096 … R-102, R-107).

The order and the terms are the policy's (`matters`: telegram, duty, closing_check; clocks that open an incident when
they are late). Here is only what data cannot say.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.tables import CARRIER_AWAY, COPY_OUT, Carrier, Copy, Document, Matter, MatterItem
from ..papers.incidents import open_incident
from ..persons import access, people
from ..persons.actors import Actor
from ..rounds import overnight
from ..station.station import Station
from . import matters, movements, timers

CLOCK = "telegram_handling"
_YES = ("是", "yes", "已", "已查")


# ---------------------------------------------------------------- telegrams


def begin_telegram(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """A telegram is in its register; from now on the time to handle it runs, by its urgency.

    Raises:
        UsageFault: an urgency that the policy has no term for. Refused: not cleared for it.
    """
    words = matters.words_of(station, session, matter)
    urgency, terms = str(words.get("urgency")), station.policy.deadlines.telegram_handling
    if urgency not in terms:
        raise UsageFault("telegram_urgency", urgency=urgency, urgencies="、".join(terms))
    _begin_handling(station, session, matter, _paper(station, session, actor, matter), urgency)


def check_report(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """What is most urgent, or a warning, goes to the head of the room before anybody handles it.

    Raises:
        Refused: `telegram_must_be_reported`.
    """
    _paper(station, session, actor, matter)
    words = matters.words_of(station, session, matter)
    rules = station.policy.deadlines.telegrams
    role = rules.warned if is_warning(station, words) else rules.report_to.get(str(words.get("urgency")))
    if role is not None and matters.steps_of(session, matter)[-1].result != "report":
        raise Refused("telegram_must_be_reported", matter=matter.id, role=role)


def take_charge(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Of a warning the head of the room takes charge in person."""
    _paper(station, session, actor, matter)
    if is_warning(station, matters.words_of(station, session, matter)):
        matters.give_step(session, matter, "handle", actor.person)


def end_handling(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """It has been handled: its time is met, or it was late, which an incident says."""
    _paper(station, session, actor, matter)
    timers.end(station, session, (CLOCK,), object_id=matter.id)


def check_telegram(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Somebody else looks whether it was handled rightly; what was not is an incident, and is handled again."""
    document = _paper(station, session, actor, matter)
    if matters.steps_of(session, matter)[-1].result != "wrong":
        return
    open_incident(
        station, session, actor, "telegram_wrong", objects=(matter.id,), document=matter.document_id
    )
    urgency = str(matters.words_of(station, session, matter).get("urgency"))
    _begin_handling(station, session, matter, document, urgency)


def is_warning(station: Station, words: dict[str, object]) -> bool:
    """Whether a telegram's subject is that of a warning 预警."""
    return any(
        word in str(words.get("subject") or "") for word in station.policy.deadlines.telegrams.warnings
    )


def _begin_handling(
    station: Station, session: Session, matter: Matter, document: Document | None, urgency: str
) -> None:
    timers.begin(
        station, session, CLOCK, kind="matter", object_id=matter.id, document=document, holder=None,
        urgency=urgency,
    )  # fmt: skip


def _paper(station: Station, session: Session, actor: Actor, matter: Matter) -> Document | None:
    if matter.document_id is None:
        return None
    row = access.get_document(session, matter.document_id)
    access.check_clearance(station, session, actor.person, row)
    return row


# ---------------------------------------------------------------- shifts


def list_unfinished(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Everything unfinished that the policy has passed from shift to shift is named, with the two who take over.

    Raises:
        UsageFault: main and deputy are one person.
    """
    words = matters.words_of(station, session, matter)
    main, deputy = (people.find_person(station, session, str(words[name])) for name in ("main", "deputy"))
    if main == deputy:
        raise UsageFault("duty_two_persons", person=main)
    kinds = [rule.kind for rule in station.policy.desk.matters.values() if rule.on_duty]
    rows = session.scalars(
        select(Matter.id).where(Matter.state == matters.OPEN, Matter.kind.in_(kinds)).order_by(Matter.id)
    )
    for seq, name in enumerate(rows, start=1):
        session.add(MatterItem(matter_id=matter.id, seq=seq, object_kind="matter", object_id=name))
    session.flush()
    matters.note(station, session, matter, {"main": main, "deputy": deputy})


def check_taken(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """One of the two takes over, naming every item: what is not named was not handed over.

    Raises:
        Refused: not one of the two; `duty_items_differ`.
    """
    words = matters.words_of(station, session, matter)
    if actor.person not in (words["main"], words["deputy"]):
        raise Refused(
            "matter_step_of_other",
            matter=matter.id,
            step="接班",
            person=f"{words['main']}、{words['deputy']}",
        )
    items = [item for item in matters.items_of(session, matter) if item.object_kind == "matter"]
    said = {name.strip() for name in str(words["taken"]).replace("、", ",").split(",")} - {"", "无"}
    if said != {item.object_id for item in items}:
        raise Refused(
            "duty_items_differ", matter=matter.id, items="、".join(item.object_id for item in items) or "无"
        )
    for item in items:
        item.state, item.person, item.at = "taken", actor.person, station.now()
    session.flush()


# ---------------------------------------------------------------- closing time


def list_out(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """The closing check names everything that is not back. It is not done while something is open, or must be back.

    Raises:
        UsageFault: something was not checked. Refused: `must_be_back`.
    """
    words = matters.words_of(station, session, matter)
    rule = matters.rule_of(station, matter.kind).steps[0]
    left = [name for name in rule.needs if str(words[name]).strip() not in _YES]
    if left:
        raise UsageFault("closing_not_done", what="、".join(left))
    kept = overnight.in_cabinets(station, session)
    ids = [
        *sorted(session.scalars(select(Carrier.id).where(CARRIER_AWAY))),
        *sorted(session.scalars(select(Copy.id).where(COPY_OUT, Copy.sent_in.is_(None)))),
    ]
    must = []
    for seq, name in enumerate(ids, start=1):
        thing = movements.find(session, name)
        if overnight.must_be_back(station, session, thing, kept):
            must.append(name)
        kind = "copy" if isinstance(thing, Copy) else "carrier"
        item = MatterItem(
            matter_id=matter.id, seq=seq, object_kind=kind, object_id=name, person=thing.holder, state="out"
        )
        session.add(item)
    if must and not str(words.get("reason") or "").strip():
        raise Refused("must_be_back", objects="、".join(must))
    session.flush()
    matters.note(station, session, matter, {"out": len(ids), "must_be_back": must})
