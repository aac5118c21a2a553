"""离岗移交: who leaves a post hands over everything, item by item, signed by both sides and a supervisor; with the last
signature the rights end (004-B§4.7; 003-L§6; roles.md section 6; R-108, R-109).

Threats: something left out of the list (it is drawn up from the register, and looked at again before the leaver
signs); a signature for another (steps are given to persons); rights that go on (accounts and clearance end in the
transaction of the supervisor's signature). Not met: what the register does not know of; keys, seals and the like are
one item of the list, which a person looks through.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.rights import ADMINISTRATORS
from ...models.tables import Account, Clear, Copy, Matter, MatterItem, Person, Timer
from ..desk import custody, matters
from ..station.station import Station
from . import clearances, four_eyes, people
from .actors import Actor

POST = "post"


def list_departure(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Everything the person has: originals, copies, files in clear, what waits for him, and what his post holds.

    Raises:
        UsageFault: leaver and receiver are one person. Refused: an administrator.
    """
    words = matters.words_of(station, session, matter)
    leaver = people.find_person(station, session, str(words["person"]))
    receiver = people.find_person(station, session, str(words["receiver"]))
    if leaver == receiver:
        raise UsageFault("leaving_two_persons", person=leaver)
    if people.roles_of(session, leaver) & ADMINISTRATORS:
        raise Refused("leaving_administrator", person=leaver)
    # keys, tokens, seals and notes of the post are one item: the register does not know them one by one
    listed = [*_has(session, leaver, apart_from=matter.id), (POST, POST)]
    for seq, (kind, name) in enumerate(listed, start=1):
        session.add(MatterItem(matter_id=matter.id, seq=seq, object_kind=kind, object_id=name))
    session.flush()
    matters.note(station, session, matter, {"person": leaver, "receiver": receiver})
    matters.give_step(session, matter, "sign", leaver)
    matters.give_step(session, matter, "receive", receiver)


def check_departure(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """Nothing is left with the person.

    Raises:
        Refused: `still_has`.
    """
    leaver = str(matters.words_of(station, session, matter)["person"])
    left = [name for _, name in _has(session, leaver, apart_from=matter.id)]
    if left:
        raise Refused("still_has", person=leaver, items="、".join(left[:20]))


def end_rights(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The accounts are closed and the clearance suspended, in the moment of the supervisor's signature.

    Raises:
        Refused: `still_has`; one's own.
    """
    check_departure(station, session, actor, matter)
    leaver = str(matters.words_of(station, session, matter)["person"])
    four_eyes.apart(
        session,
        actor.person,
        None,
        [(leaver, None)],
        since=matter.opened_at,
        same="own_rights",
        user=actor.user,
    )
    for account in session.scalars(
        select(Account).where(Account.person_id == leaver, Account.status == "active")
    ):
        account.status = "disabled"
        station.log(
            session, "account.disable", objects=(account.user, matter.id), person=actor.person, account=actor.user,
            rule=matter.id,
        )  # fmt: skip
    row = session.get_one(Person, leaver)
    if clearances.state(session, leaver) != "suspended":
        row.suspended_at = station.now()
        station.log(
            session, "person.suspend", objects=(leaver, matter.id), person=actor.person, account=actor.user,
            rule=matter.id,
        )  # fmt: skip
    session.flush()


def _has(session: Session, person: str, *, apart_from: str) -> list[tuple[str, str]]:
    """Kind and number of what is with a person: of things, files in clear, and what waits for him to be done."""
    things = [
        ("copy" if isinstance(thing, Copy) else "carrier", thing.id)
        for thing in custody.held_by(session, person)
    ]
    clear = session.scalars(
        select(Clear.id)
        .where(Clear.holder == person, Clear.state == "outstanding", Clear.copy_id.is_(None))
        .order_by(Clear.id)
    )
    waiting = session.execute(
        select(Matter.id, Matter.kind)
        .join(MatterItem, MatterItem.matter_id == Matter.id)
        .where(
            Matter.state == matters.OPEN, Matter.id != apart_from, MatterItem.object_kind == "person",
            MatterItem.object_id == person, MatterItem.state == Matter.step,
        )
        .order_by(Matter.id)
    )  # fmt: skip
    timers = session.scalars(
        select(Timer.object_id)
        .where(Timer.holder == person, Timer.state == "running", Timer.object_id != apart_from)
        .order_by(Timer.id)
    )
    found = [*things, *(("clear", f"clear:{one}") for one in clear), *(("matter", one) for one, _ in waiting)]
    known = {name for _, name in found}
    return [*found, *(("timer", one) for one in dict.fromkeys(timers) if one not in known)]
