"""Custody: who holds which original and copy, how it got there, what is not back, and whether the count adds up.

Movements themselves are the policy's (`movements.py`); here they are asked for, listed and counted (R-069, R-084,
R-107: at closing time the room lists everything that is not yet back).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ...common.errors import Broken
from ...common.paging import PAGE, cut
from ...models.level import Level
from ...models.policy.desk import STATES, ObjectKind
from ...models.rights import LEADERS, STAFF
from ...models.tables import CARRIER_AWAY, COPY_OUT, Carrier, Copy, Document, Movement
from ..papers import organs
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..rounds import overnight
from ..station import counts, recount, tallies
from ..station.station import Station
from . import lateness, movements, timers
from .movements import Hand, Thing

_AWAY = ("out", "lent", "carried", "transit", "missing")
_COPIES_OUT = ("issued", "recalled")
_KINDS: tuple[ObjectKind, ...] = ("carrier", "copy")
_PART = 400
"""Objects in one question: what every database takes."""
SEE_ALL = STAFF | LEADERS | {"head_of_room", "auditor", "committee_reviewer"}


def move(station: Station, actor: Actor, act: str, objects: Sequence[str], hand: Hand) -> dict[str, Any]:
    """One movement of one or more carriers or copies, by a row of the policy: all of them or none.

    Raises:
        NotThere: no such object, person or approval. Refused: as `movements.move`.
    """
    with acting(station, actor, f"move.{act}"[:48], objects=tuple(objects)) as session:
        taker = people.find_person(station, session, hand.taker) if hand.taker else None
        escorts = tuple(people.find_person(station, session, person) for person in hand.together_with)
        named = Hand(
            taker=taker, together_with=escorts, place=hand.place, due=hand.due, words=hand.words,
            matter=hand.matter, approval=hand.approval,
        )  # fmt: skip
        moved = []
        for object_id in objects:
            thing = movements.find(session, object_id)
            movements.move(station, session, actor, thing, act, named)
            moved.append(thing)
        return {"objects": [object_json(session, thing) for thing in moved]}


def trail(
    station: Station, actor: Actor, *, object_id: str, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """The movements of one carrier or copy, the first one first; `after`: goes on behind the one of this number.

    Raises:
        NotThere: no such object. Refused: the actor neither works in the room nor ever held it.
    """
    with acting(station, actor, "custody.trail", objects=(object_id,)) as session:
        thing = movements.find(session, object_id)
        own = select(Movement).where(Movement.object_id == object_id)
        if (
            not actor.roles & SEE_ALL
            and not session.scalars(own.where(Movement.taker == actor.person).limit(1)).first()
        ):
            actor.role_for(frozenset(SEE_ALL))
        if after is not None:
            own = own.where(Movement.id > (int(after) if after.isdigit() else 0))
        found = session.scalars(own.order_by(Movement.id).limit(limit + 1)).all()
        rows, rest = cut(found, limit, lambda row: str(row.id))
        return {
            **object_json(session, thing),
            "movements": [
                {
                    "act": row.act, "at": row.at, "before": row.before, "after": row.after, "giver": row.giver,
                    "taker": row.taker, "by": row.by, "place": row.place, "approval": row.approval_id,
                    "matter": row.matter_id, "words": _words(station, session, actor, thing, row),
                }
                for row in rows
            ],
            **rest,
        }  # fmt: skip


def list_carriers(
    station: Station, actor: Actor, *, document: str | None = None, holder: str | None = None,
    state: str | None = None, limit: int = PAGE, after: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Original carriers with holder and place, by number; a reader sees what he holds. `after`: goes on behind it."""
    with station.read() as session:
        wanted = select(Carrier).order_by(Carrier.id).limit(limit + 1)
        if after is not None:
            wanted = wanted.where(Carrier.id > after)
        if document is not None:
            access.get_document(session, document)
            wanted = wanted.where(Carrier.document_id == document)
        if holder is not None:
            wanted = wanted.where(Carrier.holder == people.find_person(station, session, holder))
        if state is not None:
            wanted = wanted.where(Carrier.state == state)
        if not actor.roles & SEE_ALL:
            wanted = wanted.where(Carrier.holder == actor.person)
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        _keep = _documents_of(session, rows)
        return {"objects": [object_json(session, row) for row in rows], **rest}


def outstanding(
    station: Station, actor: Actor, *, limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """The closing-time list: every original that is not in the room and every copy that is not back.

    What another organ has stands apart, at its end: with `organ`, without a holder, in a number of its own.

    `limit`, `after`: a page of it, behind this object; the numbers of originals and copies are of the whole.

    `overnight`: what the policy does not let stay out over night (R-084; C-14).
    """
    with acting(station, actor, "custody.outstanding") as session:
        lateness.open_late(station, session)
        # sorted here: asked for in this order, the database would rather walk through all there are
        originals = sorted(session.scalars(select(Carrier.id).where(CARRIER_AWAY)))
        out = session.scalars(select(Copy.id).where(COPY_OUT)).all()
        elsewhere = sorted(session.scalars(select(Copy.id).where(Copy.sent_in.is_not(None))))
        copies = sorted(set(out) - set(elsewhere))
        page, rest = _page([*originals, *copies, *elsewhere], after, limit)
        kept = overnight.in_cabinets(station, session)
        items = []
        away = _things(session, page)
        running = {
            name: timer for part in _parts(page) for name, timer in timers.of_objects(session, part).items()
        }
        _keep = _documents_of(session, away)
        for thing in away:
            timer = running.get(thing.id)
            item = object_json(session, thing)
            item |= timers.due_item(station, timer) if timer is not None else {"due": None, "days": None}
            back = overnight.must_be_back(station, session, thing, kept)
            organ = organs.has_it(station, session, actor, thing)
            holder = {"holder": None} if organ is not None else {}
            items.append(
                {
                    **item, **holder, "id": thing.id, "overnight": back, "cabinet": kept.get(thing.id),
                    "organ": organ,
                }
            )  # fmt: skip
        station.log(
            session, "custody.outstanding", person=actor.person, account=actor.user,
            facts={"originals": len(originals), "copies": len(copies), "at_organs": len(elsewhere)},
        )  # fmt: skip
        return {
            "items": items, "originals": len(originals), "copies": len(copies), "at_organs": len(elsewhere),
            **rest,
        }  # fmt: skip


def count(
    station: Station, actor: Actor, *, document: str | None = None, level: Level | None = None,
    holder: str | None = None, since: str | None = None, until: str | None = None, audit: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The count that must add up, and whether the ledger replays to what the register says.

    Everyday counts replay what happened since the last count that agreed; `audit`: the whole ledger and every object,
    and `tallies_agree`, whether the kept counts are those of all rows (they are from then on).
    """
    with acting(station, actor, "custody.count") as session:
        person = people.find_person(station, session, holder) if holder else None
        agreed = tallies.recount(session) if audit or not tallies.kept(session) else True
        carriers, copies = (
            _balance(session, kind, document=document, level=level, holder=person, since=since, until=until)
            for kind in _KINDS
        )
        wrong = recount.differences(session, audit=audit)
        station.log(
            session, "custody.count", person=actor.person, account=actor.user,
            facts={"carriers": carriers["entered"], "copies": copies["entered"], "wrong": len(wrong)},
        )  # fmt: skip
        found = {"originals": carriers, "copies": copies, "differences": wrong}
        return {**found, "tallies_agree": agreed} if audit else found


def _balance(
    session: Session, kind: ObjectKind, *, document: str | None, level: Level | None, holder: str | None,
    since: str | None, until: str | None,
) -> dict[str, int]:  # fmt: skip
    """As `movements.balance`, of counts that are kept; rows are counted where those do not say it."""
    found = None
    if document is None:
        code = level.code if level else None
        found = counts.counted(session, kind, level=code, holder=holder, since=since, until=until)
    if found is None:
        return movements.balance(
            session, kind, document=document, level=level, holder=holder, since=since, until=until
        )
    if unknown := set(found) - set(STATES[kind]):
        raise Broken("movements_broken", object=f"{kind} {min(unknown)}", entry=0)
    numbers = dict.fromkeys(STATES[kind].values(), 0)
    for state, number in found.items():
        numbers[STATES[kind][state]] += number
    return {"entered": sum(numbers.values()), **numbers}


def object_json(session: Session, thing: Thing) -> dict[str, Any]:
    """A carrier or copy as the command line shows it."""
    document = session.get(Document, thing.document_id) if thing.document_id else None
    copy = isinstance(thing, Copy)
    return {
        "object": thing.id,
        "kind": "copy" if copy else "carrier",
        "document": thing.document_id,
        "level": Level.parse(document.level_code).value
        if document is not None and document.level_code
        else None,
        "serial": f"{thing.number}" if isinstance(thing, Copy) else thing.serial,
        "state": movements.state_of(thing),
        "counts_as": STATES["copy" if copy else "carrier"][movements.state_of(thing)],
        "holder": None if isinstance(thing, Copy) and thing.sent_in else thing.holder,
        "place": None if isinstance(thing, Copy) else thing.place,
    }


def _page(ids: Sequence[str], after: str | None, limit: int) -> tuple[list[str], dict[str, Any]]:
    """The part of a list behind one of its numbers; nothing where that is not on it (any more)."""
    start = 0 if after is None else ids.index(after) + 1 if after in ids else len(ids)
    return cut(ids[start : start + limit + 1], limit, str)


def _things(session: Session, ids: Sequence[str]) -> list[Thing]:
    """The originals and copies of these numbers, in their order."""
    found: dict[str, Thing] = {}
    for part in _parts(ids):
        found |= {row.id: row for row in session.scalars(select(Carrier).where(Carrier.id.in_(part)))}
        found |= {row.id: row for row in session.scalars(select(Copy).where(Copy.id.in_(part)))}
    return [found[name] for name in ids]


def _documents_of(session: Session, things: Sequence[Thing]) -> list[Document]:
    """Their documents, read at once: while the list is kept, the session has them at hand."""
    ids = sorted({thing.document_id for thing in things if thing.document_id})
    return [
        row for part in _parts(ids) for row in session.scalars(select(Document).where(Document.id.in_(part)))
    ]


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _PART):
        yield values[start : start + _PART]


def held_by(session: Session, person: str) -> list[Thing]:
    """Everything a person holds now, originals first."""
    carriers = session.scalars(
        select(Carrier)
        .where(Carrier.holder == person, or_(*(Carrier.state == state for state in ("held", *_AWAY))))
        .order_by(Carrier.id)
    ).all()
    copies = session.scalars(
        select(Copy)
        .where(Copy.holder == person, Copy.status.in_(_COPIES_OUT), Copy.sent_in.is_(None))
        .order_by(Copy.id)
    ).all()
    return [*carriers, *copies]


def _words(
    station: Station, session: Session, actor: Actor, thing: Thing, row: Movement
) -> dict[str, Any] | None:
    if row.note_sealed is None:
        return {}
    document = session.get(Document, thing.document_id) if thing.document_id else None
    if document is not None and not access.may_see_titles(station, actor, document):
        return None
    return station.unseal(session, movements.NOTE, row.note_sealed, bind=row.object_id)
