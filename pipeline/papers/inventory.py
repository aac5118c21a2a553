"""清点: what the register says should be there, against what two persons find (001-C§3.7; 002-B§2.3; R-103, R-104).

A count is a matter `inventory` whose items are the originals and copies expected of a holder, a place, a level or a
paper. Barcodes of slips and copies, or numbers, are scanned one by one; at the end two persons sign one after another
for what was found. What is missing is searched for from then on, and an incident says so; another person settles it.

Threats: a count that only one has made (both sign the same numbers; the first signature ends the scanning); a copy of
another station or a forged barcode (the copy's code is checked with the mark key); papers moved while they are counted
(an item that has moved by rule meanwhile is left out, with its movement on record). Not met: two who both look away.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import HEAVY
from ...models.level import Level
from ...models.tables import Carrier, Copy, Document, Matter, MatterItem, Person
from ...stages.slip import slip_receipt
from ...watermark.payload import decode, looks_like_copy, station_tag
from ..desk import custody, matter_pages, matters, movements, timers
from ..desk.movements import Hand, Thing
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from .incidents import open_incident

KIND: Final = "inventory"
EXPECTED, FOUND, MISSING, UNEXPECTED, LEFT = "open", "found", "missing", "unexpected", "moved"
_HERE: Final = ("held", "out", "lent", "carried", "archived")
_COPIES: Final = ("issued", "recalled", "returned", "replaced")
_MOST: Final = 20_000
"""Objects in one count: more than two persons can look through at a time."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9:/ .\-]{1,64}")


def start(
    station: Station, actor: Actor, *, holder: str | None = None, place: str | None = None,
    department: str | None = None, level: Level | None = None, document: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Lists what should be there: everything, or what a person or department has, what stands in a place, of a level,
    of a paper.

    Raises:
        UsageFault: nothing is expected, or more than can be counted at a time. NotThere: no such person or document.
    """
    with acting(station, actor, "inventory.start") as session:
        persons = _persons(station, session, holder, department)
        things = _expected(session, persons=persons, place=place, level=level, document=document)
        if not things:
            raise UsageFault("inventory_empty")
        if len(things) > _MOST:
            raise UsageFault("inventory_too_wide", most=_MOST)
        scope = {
            "holder": holder, "place": place, "department": department, "document": document,
            "level": level.value if level else None,
        }  # fmt: skip
        items = [("copy" if isinstance(thing, Copy) else "carrier", thing.id) for thing in things]
        words = {name: value for name, value in scope.items() if value}
        row = matters.start(station, session, actor, KIND, items=items, words=words)
        for item, thing in zip(matters.items_of(session, row), things, strict=True):
            item.facts = json.dumps({"state": movements.state_of(thing), "holder": thing.holder})
        return inventory_json(station, session, row)


def scan(station: Station, actor: Actor, *, inventory: str, codes: Sequence[str]) -> dict[str, Any]:
    """Ticks off what lies there: barcodes as a hand scanner reads them, or numbers of originals and copies.

    What is known but not expected here, and what nobody knows, stands under `unexpected`.

    Raises:
        Refused: somebody has signed for the count already. UsageFault: a slip whose envelope held several originals.
    """
    with acting(station, actor, "inventory.scan", objects=(inventory,)) as session:
        row = _open(session, inventory)
        actor.role_for(frozenset(_counters(station, row)))
        if any(step.step == "count" for step in matters.steps_of(session, row)):
            raise Refused("inventory_signed", inventory=inventory)
        known = {item.object_id: item for item in matters.items_of(session, row)}
        read = []
        for code in codes:
            kind, name = _read(station, session, code.strip(), frozenset(known))
            item = known.get(name)
            if item is None:
                item = MatterItem(
                    matter_id=row.id, seq=len(known) + 1, object_kind=kind, object_id=name, state=UNEXPECTED
                )
                session.add(item)
                known[name] = item
            elif item.state == EXPECTED:
                item.state = FOUND
            item.person, item.at = actor.person, station.now()
            read.append({"code": code, "object": name, "state": item.state})
        session.flush()
        station.log(
            session, "inventory.scan", objects=(inventory,), person=actor.person, account=actor.user,
            facts={"codes": len(read), "unexpected": sum(one["state"] == UNEXPECTED for one in read)},
        )  # fmt: skip
        return {**inventory_json(station, session, row), "read": read}


def close(station: Station, actor: Actor, *, inventory: str, disagree: str | None = None) -> dict[str, Any]:
    """One of the two who count signs for what was found; the second signature ends the count.

    Args:
        disagree: why the second person does not sign; the count is void, and a new one is begun.

    Raises:
        Refused: the same person twice, or not who counts.
    """
    with acting(station, actor, "inventory.close", objects=(inventory,)) as session:
        row = _open(session, inventory)
        signed = any(step.step == "count" for step in matters.steps_of(session, row))
        if disagree is not None:
            if not signed:
                raise Refused("inventory_not_signed", inventory=inventory)
            matters.advance(
                station, session, actor, row, step="count", result="refused", words={"disagree": disagree}
            )
            return inventory_json(station, session, row)
        _leave_out_moved(session, row)
        items = matters.items_of(session, row)
        short = [item for item in items if item.state == EXPECTED]
        found = sum(item.state == FOUND for item in items)
        missing = [item.object_id for item in short]
        besides = [item.object_id for item in items if item.state == UNEXPECTED]
        said = {"found": found, "missing": missing, "unexpected": besides}
        if signed and matters.step_words(station, session, matters.steps_of(session, row)[-1]) != said:
            raise Refused("count_differs", matter=inventory)
        result = "short" if missing or besides else "agrees"
        matters.advance(station, session, actor, row, step="count", result=result, words=said)
        if row.step != "count":
            for item in short:
                _miss(station, session, actor, row, item)
            station.log(
                session, "inventory.close", objects=(inventory, *missing), person=actor.person,
                account=actor.user, facts={"found": found, "missing": len(missing)},
            )  # fmt: skip
        return inventory_json(station, session, row)


def settle(station: Station, actor: Actor, *, inventory: str, decision: str) -> dict[str, Any]:
    """Somebody who has not counted decides what is done about what is short or out of its place."""
    with acting(station, actor, "inventory.settle", objects=(inventory,)) as session:
        row = _open(session, inventory)
        matters.advance(station, session, actor, row, step="settle", words={"decision": decision})
        return inventory_json(station, session, row)


def show(station: Station, actor: Actor, *, inventory: str) -> dict[str, Any]:
    """One count, with a line for each object (the sheet to tick off on paper)."""
    with acting(station, actor, "inventory.show", objects=(inventory,)) as session:
        row = _get(session, inventory)
        lines = []
        for item in matters.items_of(session, row):
            known = item.object_kind in ("carrier", "copy")
            thing = custody.object_json(session, movements.find(session, item.object_id)) if known else {}
            title = _title(station, session, actor, thing.get("document"))
            lines.append(
                {"object": item.object_id, **thing, "title": title, "state": item.state, "at": item.at}
            )
        return {**inventory_json(station, session, row), "items": lines}


def list_counts(
    station: Station, *, ended: bool = False, limit: int = HEAVY, after: str | None = None
) -> dict[str, Any]:
    """Counts under way, or all, the latest first; `after`: goes on behind this one."""
    with station.read() as session:
        rows, rest = matter_pages.of_kind(
            session, KIND, ended=ended, limit=limit, after=after, newest_first=True
        )
        return {"inventories": [inventory_json(station, session, row) for row in rows], **rest}


def inventory_json(station: Station, session: Session, row: Matter) -> dict[str, Any]:
    """A count as the command line shows it: numbers of objects under each head, and how many."""
    session.flush()
    parts: dict[str, list[str]] = {FOUND: [], MISSING: [], UNEXPECTED: [], EXPECTED: [], LEFT: []}
    for item in matters.items_of(session, row):
        parts[item.state].append(item.object_id)
    expected = sorted(parts[FOUND] + parts[MISSING] + parts[EXPECTED])
    missing = parts[MISSING] + parts[EXPECTED]
    words = matters.words_of(station, session, row)
    steps = matters.steps_of(session, row)
    lists = {
        "expected": expected, "found": parts[FOUND], "missing": missing, "unexpected": parts[UNEXPECTED],
    }  # fmt: skip
    return {
        "inventory": row.id, "state": row.state, "step": row.step, "opened_at": row.opened_at,
        "scope": {name: words.get(name) for name in ("holder", "place", "department", "level", "document")},
        **lists, "moved": parts[LEFT], "counts": {name: len(found) for name, found in lists.items()},
        "signed_by": sorted({step.person for step in steps if step.step == "count" and step.result != "refused"}),
    }  # fmt: skip


# ---------------------------------------------------------------- parts


def _get(session: Session, inventory: str) -> Matter:
    row = matters.get_matter(session, inventory)
    if row.kind != KIND:
        raise NotThere("no_inventory", inventory=inventory)
    return row


def _open(session: Session, inventory: str) -> Matter:
    row = _get(session, inventory)
    if row.state != matters.OPEN:
        raise Refused("matter_closed", matter=inventory, state=row.state)
    return row


def _counters(station: Station, row: Matter) -> tuple[str, ...]:
    step = matters.rule_of(station, KIND).step(row.step or "")
    return step.by if step is not None else ()


def _persons(
    station: Station, session: Session, holder: str | None, department: str | None
) -> list[str] | None:
    if holder is not None:
        return [people.find_person(station, session, holder)]
    if department is None:
        return None
    found = [
        person
        for person in session.scalars(select(Person.id).order_by(Person.id))
        if people.department_of(station, session, person) == department
    ]
    if not found:
        raise UsageFault("department_unknown", department=department)
    return found


def _expected(
    session: Session, *, persons: Sequence[str] | None, place: str | None, level: Level | None, document: str | None
) -> list[Thing]:  # fmt: skip
    if document is not None:
        access.get_document(session, document)
    carriers = select(Carrier).where(or_(*(Carrier.state == state for state in _HERE)))
    copies = select(Copy).where(Copy.status.in_(_COPIES), Copy.sent_in.is_(None))
    if place is not None:
        carriers = carriers.where(Carrier.state.in_(("held", "archived")), Carrier.place == place)
    found: list[Thing] = list(
        session.scalars(
            _narrow(carriers, Carrier, persons, level, document).order_by(Carrier.id).limit(_MOST + 1)
        )
    )
    # copies have no place of their own: they are where their holder is
    if place is None:
        wanted = _narrow(copies, Copy, persons, level, document).order_by(Copy.id).limit(_MOST + 1)
        found += list(session.scalars(wanted))
    return found


def _narrow(
    wanted: Select[Any], table: type[Carrier] | type[Copy], persons: Iterable[str] | None, level: Level | None,
    document: str | None,
) -> Select[Any]:  # fmt: skip
    if persons is not None:
        wanted = wanted.where(table.holder.in_(sorted(persons)))
    if document is not None:
        wanted = wanted.where(table.document_id == document)
    if level is not None:
        wanted = wanted.join(Document, Document.id == table.document_id).where(
            Document.level_code == level.code
        )
    return wanted


def _read(station: Station, session: Session, code: str, expected: frozenset[str]) -> tuple[str, str]:
    """Kind and number of the object that a code names; a code that names none, as it is or as its hash."""
    receipt = slip_receipt(code)
    if receipt is not None:
        held = list(
            session.scalars(select(Carrier.id).where(Carrier.receipt_id == receipt).order_by(Carrier.id))
        )
        here = [one for one in held if one in expected] or held
        if len(here) > 1:
            raise UsageFault("slip_of_several", receipt=receipt, objects="、".join(here))
        if here:
            return "carrier", here[0]
    if looks_like_copy(code):
        secret = bytes(station.vault.derive(session, "mark"))
        verdict = decode(secret, station_tag(station.settings.store_uuid), code)
        copy = (
            session.scalars(select(Copy.id).where(Copy.forensic_id == verdict.id)).first()
            if verdict.id
            else None
        )
        if verdict.standing == "own" and copy is not None:
            return "copy", copy
    if session.get(Carrier, code) is not None:
        return "carrier", code
    if session.get(Copy, code) is not None:
        return "copy", code
    name = code if _PLAIN.fullmatch(code) else f"sha256:{hashlib.sha256(code.encode()).hexdigest()[:32]}"
    return "unknown", name


def _leave_out_moved(session: Session, row: Matter) -> None:
    """What has changed hands by rule since the list was made is on record elsewhere, and not missing."""
    for item in matters.items_of(session, row):
        if item.state == EXPECTED:
            thing, before = movements.find(session, item.object_id), json.loads(item.facts)
            if (movements.state_of(thing), thing.holder) != (before["state"], before["holder"]):
                item.state = LEFT
    session.flush()


def _miss(station: Station, session: Session, actor: Actor, row: Matter, item: MatterItem) -> None:
    thing = movements.find(session, item.object_id)
    item.state = MISSING
    document = session.get(Document, thing.document_id) if thing.document_id else None
    if isinstance(thing, Copy):
        timers.begin(
            station,
            session,
            "search",
            kind="copy",
            object_id=thing.id,
            document=document,
            holder=thing.holder,
        )
        kind = "copy_missing"
    else:
        movements.move(station, session, actor, thing, "miss", Hand(matter=row.id))
        kind = "carrier_missing"
    incident = open_incident(
        station, session, actor, kind, objects=(thing.id, row.id), document=thing.document_id,
        copy=thing.id if isinstance(thing, Copy) else None,
        level=Level.parse(document.level_code) if document is not None and document.level_code else None,
    )  # fmt: skip
    item.facts = json.dumps({**json.loads(item.facts), "incident": incident})
    session.flush()


def _title(station: Station, session: Session, actor: Actor, document: str | None) -> str | None:
    row = session.get(Document, document) if document else None
    if row is None or not access.may_see_titles(station, actor, row):
        return None
    words = station.unseal(session, "document", row.sealed, bind=row.id)
    return str(words["title"]) if words.get("title") else None
