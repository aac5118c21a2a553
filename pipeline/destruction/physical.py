"""Paper and media: what persons did outside, stated by two operators and attested by two supervisors.

The station destroys nothing here, and so it asks for what makes a statement worth something: the route that the policy
sets for the level, a place, times, named persons, the plant's receipt, standard and number of the equipment. The first
operator states it (`record`), the second confirms exactly that (`confirm`); both sign its digest. Sources: 004-B§4.10,
002-C§11, TL art. 28, 58号 art. 33; destruction.md sections 1, 3 and 6.

Threats: paper that was sold or kept and is written off alone (two operators, two supervisors, escorts, receipt); facts
changed afterwards (their digest is signed). Not met: persons who agree to state what did not happen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.errors import NotThere, Refused, UsageFault
from ...models.certificate import ArtefactOutcome, Check, CheckName, Derived, ItemOutcome, ListItem
from ...models.level import Level
from ...models.physical import LEAVES_MEDIUM, PHYSICAL_GRADE, SOFT_RANK, Load, PhysicalFacts, faults
from ...models.tables import Carrier, Destruction, DestructionAct, DestructionItem
from ...models.wire import from_plain, to_plain
from ..desk import movements
from ..intake.inbox import Unreadable, read_file
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import asked, hands
from . import batch as destruction
from .inventory import document_of

PAPER = frozenset({"paper", "film", "object", "electronic"})
"""Types of carriers that are no storage medium."""
_UNIT = "certified_shredder"
_LEADERS = ("office_director", "leader_in_charge", "principal")
"""From below."""
_MEDIA_BYTES = 1024 * 1024
_NO_KEYS: tuple[CheckName, ...] = ("V1", "V2", "V3", "V4", "V5", "V6", "V7")


def is_physical(items: Sequence[ListItem]) -> bool:
    """Whether the batch is of paper or media."""
    return all(item.kind in ("carrier", "medium") for item in items)


def record(
    station: Station, actor: Actor, *, batch: str, facts: PhysicalFacts, dry_run: bool = False
) -> dict[str, Any]:
    """The first operator states what was done; stated again it replaces what nobody has confirmed yet.

    Args:
        facts: persons by id, account or name; `route` is filled in from the policy.

    Raises:
        Refused: as `execute`, and every fault of `models.physical.faults`.
    """
    with acting(station, actor, "destroy.execute", objects=(batch,)) as session:
        row, items = _open(station, session, batch, actor)
        found = _named(station, session, facts, items)
        load = _load(station, session, items)
        for code, said in faults(found, load):
            raise Refused(code, value=None, **said)
        _require_reuse_approved(station, session, row, items, found)
        for item in items:
            document = document_of(session, item)
            for person in {*found.performed_by, *found.escorts}:
                if document is not None:
                    access.check_clearance(station, session, person, document)
        if not dry_run:
            for act in _operators(session, row):
                session.delete(act)
            session.flush()
            row.outcomes = canonical({"physical": to_plain(found)})
            row.state = "executing"
            hands.sign(
                station, session, actor, row, "execute", "destroy_operator", place=found.place,
                outcomes=found.digest(),
            )  # fmt: skip
            station.log(
                session, "destroy.execute", objects=(batch,), person=actor.person, account=actor.user,
                role="destroy_operator", facts={"list": row.list_sha256, "step": 1, "physical": found.digest()},
            )  # fmt: skip
        return destruction.batch_json(station, session, row, items, dry_run=dry_run)


def confirm(station: Station, actor: Actor, *, batch: str, dry_run: bool = False) -> dict[str, Any]:
    """The second operator confirms what the first one stated; then originals are written off and the batch is
    verified: what can be checked of it is the ledger.

    Raises:
        Refused: `physical_facts_first`, as `execute`.
    """
    with acting(station, actor, "destroy.execute", objects=(batch,)) as session:
        row, items = _open(station, session, batch, actor)
        first = _operators(session, row)
        if not first or row.outcomes is None:
            raise Refused("physical_facts_first", batch=batch)
        hands.check_apart(
            session, row, actor, (), same="same_person_twice", also=[act.person for act in first]
        )
        if dry_run:
            return destruction.batch_json(station, session, row, items, dry_run=True)
        facts = from_plain(PhysicalFacts, json.loads(row.outcomes)["physical"])
        hands.sign(
            station, session, actor, row, "execute", "destroy_operator", place=facts.place, outcomes=facts.digest()
        )  # fmt: skip
        for item in items:
            _write_off(station, session, actor, row, item)
        row.epoch_before = row.epoch_after = station.vault.epoch
        row.outcomes = canonical(_outcomes(items, facts))
        row.state, row.phase, row.verdict = "verified", "verified", "complete"
        for entry in session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == batch)):
            entry.open = False
        station.log(
            session, "destroy.execute", objects=(batch, *(item.id for item in items)), person=actor.person,
            account=actor.user, role="destroy_operator",
            facts={"list": row.list_sha256, "step": 2, "physical": facts.digest()},
        )  # fmt: skip
        return destruction.batch_json(station, session, row, items)


def _open(
    station: Station, session: Session, batch: str, actor: Actor
) -> tuple[Destruction, tuple[ListItem, ...]]:
    row, items = destruction.get(session, batch)
    if not is_physical(items):
        raise Refused("physical_not_here", batch=batch)
    if row.state not in ("supervised", "executing"):
        raise Refused("destruction_state", batch=batch, state=row.state)
    destruction.require_approved(station, session, row)
    destruction.require_unblocked(station, session, row, items)
    apart = ["approve", "supervise", "propose"] + ([] if station.policy.small_room else ["count"])
    hands.check_apart(session, row, actor, apart)
    return row, items


def _operators(session: Session, row: Destruction) -> list[DestructionAct]:
    return list(
        session.scalars(
            select(DestructionAct).where(
                DestructionAct.destruction_id == row.id, DestructionAct.act == "execute"
            )
        )
    )


def _named(
    station: Station, session: Session, facts: PhysicalFacts, items: Sequence[ListItem]
) -> PhysicalFacts:
    """With persons as ids, and the route that the policy sets."""
    routes = {_route(station, session, item) for item in items if not _is_medium(session, item)}
    if len(routes) > 1:
        raise Refused("physical_routes_differ", routes="、".join(sorted(routes)))
    return replace(
        facts,
        route=next(iter(routes), _UNIT),
        performed_by=tuple(people.find_person(station, session, one) for one in facts.performed_by),
        escorts=tuple(people.find_person(station, session, one) for one in facts.escorts),
    )


def _route(station: Station, session: Session, item: ListItem) -> str:
    document = document_of(session, item)
    overlays = tuple(filter(None, document.overlays.split(","))) if document is not None else ()
    return station.policy.route(_level(item), overlays).paper


def _level(item: ListItem) -> Level | None:
    return Level.parse(item.level) if item.level else None


def _is_medium(session: Session, item: ListItem) -> bool:
    return item.kind == "medium" or session.get_one(Carrier, item.id).type not in PAPER


def _load(station: Station, session: Session, items: Sequence[ListItem]) -> Load:
    limits = station.policy.destruction
    return Load(
        ranks={item.item: station.policy.rank(_level(item)) for item in items},
        routes={item.item: _route(station, session, item) for item in items},
        media=frozenset(item.item for item in items if _is_medium(session, item)),
        pages=sum(item.pages or 0 for item in items),
        most_items=limits.small_items,
        most_pages=limits.small_pages,
    )


def _require_reuse_approved(
    station: Station, session: Session, row: Destruction, items: Sequence[ListItem], facts: PhysicalFacts
) -> None:
    """A medium that was treated and not destroyed is used again: at its level, where the matrix allows it, and with
    the word of a leader whom it names, or of one above (000-I§7; 004-C§8.2; R-125).
    """
    if not set(facts.methods) <= LEAVES_MEDIUM:
        return
    given = set(asked.roles_given(session, row))
    for item in items:
        level = _level(item)
        if not _is_medium(session, item) or station.policy.rank(level) < SOFT_RANK:
            continue
        rule = station.policy.approval("media_reuse", level)
        if rule.mode == "deny":
            raise Refused("media_reuse_denied", item=item.item, level=item.level or "")
        least = min((_LEADERS.index(role) for role in rule.by if role in _LEADERS), default=0)
        if rule.mode != "register" and not given & set(_LEADERS[least:]):
            raise Refused("media_reuse_approval", item=item.item, roles="、".join(rule.by))


def _write_off(station: Station, session: Session, actor: Actor, row: Destruction, item: ListItem) -> None:
    """The original leaves the register as destroyed; its movement names the batch."""
    if item.kind != "carrier":
        return
    carrier = session.get_one(Carrier, item.id)
    movements.record(
        station, session, actor, kind="carrier", object_id=carrier.id, document=document_of(session, item),
        act="destroy", before=carrier.state, after="destroyed", giver=carrier.holder, taker=None,
        hand=movements.Hand(words={"destruction": row.id}),
    )  # fmt: skip
    carrier.state, carrier.holder, carrier.place = "destroyed", None, None


def _outcomes(items: Sequence[ListItem], facts: PhysicalFacts) -> dict[str, Any]:
    outcomes = tuple(
        ItemOutcome(
            item=item.item,
            kind=item.kind,
            id=item.id,
            level=item.level,
            status="complete",
            slots=(),
            artefacts=(
                ArtefactOutcome(
                    artefact=item.id, kind=item.kind, sha256=None, methods=facts.methods, grade=PHYSICAL_GRADE
                ),
            ),
            closure=tuple[Derived, ...](),
        )
        for item in items
    )
    checks = tuple(Check(name=name, result="not_applicable", reason="physical_batch") for name in _NO_KEYS)
    return {
        "items": to_plain(outcomes), "checks": to_plain(checks), "verdict": "complete", "outside_scope": [],
        "roots": [], "reservations": [], "physical": to_plain(facts),
    }  # fmt: skip


def media_of(file: Path | None) -> list[dict[str, Any]]:
    """The records of media in a JSON file: a list of objects with the fields of `MediumRecord`.

    Raises:
        NotThere: it cannot be read. UsageFault: `bad_value`.
    """
    if file is None:
        return []
    try:
        value = json.loads(read_file(file, _MEDIA_BYTES))
    except Unreadable:
        raise NotThere("no_file", file=str(file)) from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise UsageFault("bad_value", field="--media", given=file.name)
    return value


def stated(facts: dict[str, Any]) -> PhysicalFacts:
    """Facts from the words of a command or file.

    Raises:
        UsageFault: `bad_value`, something in it has not the shape of the record.
    """
    try:
        return from_plain(PhysicalFacts, {"route": "", **facts})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageFault("bad_value", field="--media", given="…") from None
