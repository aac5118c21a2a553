"""Matters 事项: what takes several acts of several persons, in the order the policy says (`matters`).

Each step is one person's signed statement. The policy names who may do it, whose hands it must not be in as well,
which approval it needs, until when, and what follows; the program adds only the effects of steps (`effects.py`).
While a matter is open it blocks the acts its rule names.

Threats: one person doing two persons' steps (persons are counted, not accounts); a step outside its order; words
changed afterwards (each statement holds a salted hash of its words, and the hash of the statement before it, so that a
decision is bound to the proposal it decides). Not met: two persons who agree to deceive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...models.ledger_entry import hash_reason, new_salt
from ...models.level import Level
from ...models.policy.desk import MatterRule, StepRule
from ...models.tables import Document, Matter, MatterItem, MatterStep
from ..persons import access, approvals, four_eyes
from ..persons.actors import Actor
from ..station.station import Station
from . import timers

WORDS = "matter"
_STEP = "matter.step"
OPEN, CLOSED, REFUSED, CANCELLED = "open", "closed", "refused", "cancelled"
_GIVEN_UP = ("refused", "withdrawn")
"""Results of a step that was not done: it needs no words."""
Item = tuple[str, str]
"""Kind and id of what a matter is about."""


def rule_of(station: Station, kind: str) -> MatterRule:
    """The policy's rule of a kind of matter.

    Raises:
        UsageFault: there is none.
    """
    rule = station.policy.desk.matters.get(kind)
    if rule is None:
        raise UsageFault("matter_unknown", kind=kind, kinds="、".join(station.policy.desk.matters))
    return rule


def start(
    station: Station,
    session: Session,
    actor: Actor,
    kind: str,
    *,
    document: str | None = None,
    items: Sequence[Item] = (),
    words: Mapping[str, Any] | None = None,
    result: str = "done",
) -> Matter:
    """Opens a matter; the actor does its first step.

    Raises:
        UsageFault: unknown kind, a word the step asks for is missing.
        Refused: one is open already, wrong role, approval missing.
    """
    rule = rule_of(station, kind)
    if document is not None:
        access.get_document(session, document)
        if rule.single and (other := _open_of(session, kind, document)):
            raise Refused("matter_open", matter=other.id, kind=rule.zh, document=document)
    year = today(station.clock).year
    number = f"M{year}-{station.next_number(session, f'matter.{year}'):05d}"
    matter = Matter(
        id=number, kind=kind, document_id=document, state=OPEN, step=rule.steps[0].id, opened_at=station.now(),
        opened_by=actor.person, sealed=station.seal(session, WORDS, {}, bind=number),
    )  # fmt: skip
    session.add(matter)
    session.flush()
    for seq, (item_kind, item) in enumerate(items, start=1):
        session.add(MatterItem(matter_id=number, seq=seq, object_kind=item_kind, object_id=item))
    session.flush()
    return advance(station, session, actor, matter, result=result, words=words)


def advance(
    station: Station,
    session: Session,
    actor: Actor,
    matter: Matter,
    *,
    step: str | None = None,
    result: str = "done",
    words: Mapping[str, Any] | None = None,
) -> Matter:
    """One person's signed act in the step that is awaited; the step ends once enough persons have done it.

    Raises:
        Refused: not open, another step is awaited, wrong role, a person who may not, approval missing.
        UsageFault: a result or word the step does not know or asks for.
    """
    words = dict(words or {})
    rule = rule_of(station, matter.kind)
    if matter.state != OPEN or matter.step is None:
        raise Refused("matter_closed", matter=matter.id, state=matter.state)
    if step is not None and step != matter.step:
        awaited = rule.step(matter.step)
        raise Refused("matter_step", matter=matter.id, step=awaited.zh if awaited else matter.step)
    now = rule.step(matter.step)
    if now is None:
        raise Refused("matter_rule_gone", matter=matter.id, step=matter.step)
    following = rule.after(now, result)
    if not following:
        raise UsageFault("matter_result", result=result, results="、".join(now.go or ("done", "refused")))
    item = _item_of(session, matter, words) if now.each else None
    role = _role(actor, now, item)
    document = session.get(Document, matter.document_id) if matter.document_id else None
    _own(session, actor, matter, rule, now, following)
    _apart(session, actor, matter, now, role)
    missing = [name for name in now.needs if not str(words.get(name, "")).strip()]
    if missing and result not in _GIVEN_UP:
        raise UsageFault("matter_needs", step=now.zh, needs="、".join(missing))
    approval = None
    if now.approval and document is not None and result != "refused":
        approval = approvals.require(
            station, session, act=now.approval, rows=(document,), recipients=(actor.person,)
        )
    _sign(station, session, actor, matter, now, role, result, words, document)
    if item is None:
        _keep(station, session, matter, words)
    station.log(
        session, f"matter.{matter.kind}"[:48],
        objects=tuple(filter(None, (matter.id, matter.document_id, item.object_id if item else None))),
        person=actor.person, account=actor.user, role=role, rule=approval or "",
        facts={"step": now.id, "result": result},
    )  # fmt: skip
    if item is not None and result != "refused":
        item.state, item.person, item.at = result, actor.person, station.now()
        if "date" in words:
            item.facts = json.dumps(
                {**json.loads(item.facts), "date": past_day(station, words, "date").isoformat()}
            )
        session.flush()
        if any(one.state == "open" for one in items_of(session, matter)):
            return matter
    elif result != "refused" and len(_persons_of(session, matter, now.id)) < _persons_needed(
        station, now, document
    ):
        return matter
    shared = _shared_clock(rule, now, following)
    timers.end(station, session, [clock for clock in _clocks(rule) if clock != shared], object_id=matter.id)
    if now.effect and result != "refused":
        from .effects import EFFECTS

        EFFECTS[now.effect](station, session, actor, matter)
    _go_on(station, session, matter, rule, following, document)
    return matter


def cancel(station: Station, session: Session, actor: Actor, matter: Matter, *, reason: str) -> Matter:
    """Ends a matter without its steps: by who opened it, with a reason.

    Raises:
        Refused: not open, or somebody else's.
    """
    why = station.reason(reason)
    if matter.state != OPEN:
        raise Refused("matter_closed", matter=matter.id, state=matter.state)
    rule = station.policy.desk.matters.get(matter.kind)
    if rule is not None and rule.binding:
        raise Refused("matter_binding", matter=matter.id, kind=rule.zh)
    if matter.opened_by != actor.person:
        raise Refused("matter_not_yours", matter=matter.id, person=matter.opened_by)
    matter.state, matter.step, matter.closed_at = CANCELLED, None, station.now()
    timers.end(
        station, session, _clocks(rule_of(station, matter.kind)), object_id=matter.id, state="cancelled"
    )
    _keep(station, session, matter, {"cancelled": why.sealed_form})
    station.log(
        session, "matter.cancel", objects=tuple(filter(None, (matter.id, matter.document_id))), person=actor.person,
        account=actor.user, reason=why,
    )  # fmt: skip
    return matter


def check_free(station: Station, session: Session, document: str, act: str) -> None:
    """No open matter of the document blocks the act.

    Raises:
        Refused: `matter_blocks`, with the matter.
    """
    for matter in session.scalars(
        select(Matter).where(Matter.document_id == document, Matter.state == OPEN).order_by(Matter.id)
    ):
        rule = station.policy.desk.matters.get(matter.kind)
        if rule is not None and act in rule.blocks:
            raise Refused("matter_blocks", matter=matter.id, kind=rule.zh, document=document)


def past_day(station: Station, words: Mapping[str, Any], name: str) -> date:
    """A day among a step's words: an ISO date that has come.

    Raises:
        UsageFault: it is none. Refused: `event_in_future`.
    """
    try:
        day = date.fromisoformat(str(words.get(name) or ""))
    except ValueError:
        raise UsageFault("bad_value", field=name, given=str(words.get(name) or "—")) from None
    if day > today(station.clock):
        raise Refused("event_in_future", on=day.isoformat())
    return day


# ---------------------------------------------------------------- reading


def get_matter(session: Session, matter: str) -> Matter:
    """A matter by its number.

    Raises:
        NotThere: no such matter.
    """
    row = session.get(Matter, matter)
    if row is None:
        raise NotThere("no_matter", matter=matter)
    return row


def words_of(station: Station, session: Session, matter: Matter) -> dict[str, Any]:
    """The matter's words as they stand: each under the name its step gave it, the newest last said."""
    return station.unseal(session, WORDS, matter.sealed, bind=matter.id)


def items_of(session: Session, matter: Matter) -> list[MatterItem]:
    """What it is about, in order."""
    return list(
        session.scalars(select(MatterItem).where(MatterItem.matter_id == matter.id).order_by(MatterItem.seq))
    )


def steps_of(session: Session, matter: Matter) -> list[MatterStep]:
    """What was done, in order."""
    return list(
        session.scalars(select(MatterStep).where(MatterStep.matter_id == matter.id).order_by(MatterStep.id))
    )


def step_words(station: Station, session: Session, step: MatterStep) -> dict[str, Any]:
    """What a person wrote down in a step."""
    plain: dict[str, Any] = station.unseal(session, _STEP, step.sealed, bind=step.matter_id)["words"]
    return plain


def matter_json(
    station: Station, session: Session, matter: Matter, *, actor: Actor, whole: bool = False
) -> dict[str, Any]:
    """A matter as the command line shows it. Words show only to who may see the document's."""
    rule = station.policy.desk.matters.get(matter.kind)
    awaited = rule.step(matter.step) if rule and matter.step else None
    document = session.get(Document, matter.document_id) if matter.document_id else None
    shown = _shows_words(station, session, matter, document, actor) if whole else False
    value: dict[str, Any] = {
        "id": matter.id, "kind": matter.kind, "document": matter.document_id, "state": matter.state,
        "step": matter.step, "waits_for": list(awaited.by) if awaited else [], "opened_at": matter.opened_at,
        "opened_by": matter.opened_by, "closed_at": matter.closed_at,
    }  # fmt: skip
    if not whole:
        return value
    value["words"] = words_of(station, session, matter) if shown else None
    value["items"] = [
        {
            "seq": item.seq, "kind": item.object_kind, "id": item.object_id, "state": item.state,
            "person": item.person, "at": item.at, "due": item.due, **json.loads(item.facts),
        }
        for item in items_of(session, matter)
    ]  # fmt: skip
    value["steps"] = [
        {
            "step": step.step, "result": step.result, "person": step.person, "role": step.role, "at": step.at,
            "words": step_words(station, session, step) if shown else None,
        }
        for step in steps_of(session, matter)
    ]  # fmt: skip
    return value


# ---------------------------------------------------------------- parts


def _shows_words(
    station: Station, session: Session, matter: Matter, document: Document | None, actor: Actor
) -> bool:
    """Whether the matter's words show. Of a paper that is only being drafted the level is among its own words."""
    if document is not None:
        return access.may_see_titles(station, actor, document)
    words = words_of(station, session, matter)
    if "level" not in words:
        return True
    try:
        level = Level.parse(str(words["level"]))
    except ValueError:
        return False
    return access.reaches(station.policy, actor.clearance, level)


def _open_of(session: Session, kind: str, document: str) -> Matter | None:
    return session.scalars(
        select(Matter).where(Matter.kind == kind, Matter.document_id == document, Matter.state == OPEN)
    ).first()


def _item_of(session: Session, matter: Matter, words: Mapping[str, Any]) -> MatterItem:
    """The open item that an act of a step for each item names (`item`, or `person`)."""
    named = str(words.get("item") or words.get("person") or "")
    for item in items_of(session, matter):
        if item.object_id == named and item.state == "open":
            return item
    left = [item.object_id for item in items_of(session, matter) if item.state == "open"]
    raise UsageFault("matter_each", item=named or "—", items="、".join(left))


def _shared_clock(rule: MatterRule, now: StepRule, following: str) -> str | None:
    """A clock that the next step has too goes on running: its term is that of both steps together."""
    after = rule.step(following)
    return now.clock if after is not None and after.clock == now.clock else None


def _role(actor: Actor, step: StepRule, item: MatterItem | None = None) -> str:
    wanted = frozenset(step.by)
    if (
        item is not None
        and "holder" in wanted
        and (item.object_kind, item.object_id) == ("person", actor.person)
    ):
        return "holder"
    if not actor.roles & wanted:
        raise Refused("role_missing", user=actor.user, roles="、".join(sorted(wanted)))
    return actor.role_for(wanted)


def _own(
    session: Session, actor: Actor, matter: Matter, rule: MatterRule, step: StepRule, following: str
) -> None:
    """A step that is given to a person is that person's; whoever else its rule allows may only send it back."""
    named = named_for(session, matter, step.id)
    order = [one.id for one in rule.steps]
    back = following in order and order.index(following) < order.index(step.id)
    if named and actor.person not in named and not back:
        raise Refused("matter_step_of_other", matter=matter.id, step=step.zh, person="、".join(sorted(named)))


def named_for(session: Session, matter: Matter, step: str) -> set[str]:
    """The persons to whom a step is given: items of the matter whose state is the step."""
    return {
        item.object_id
        for item in items_of(session, matter)
        if item.object_kind == "person" and item.state == step
    }


def give_step(session: Session, matter: Matter, step: str, person: str) -> None:
    """Gives a step to a person alone; whom it was given to before has it no longer."""
    seq = 0
    for item in items_of(session, matter):
        seq = max(seq, item.seq)
        if item.object_kind == "person" and item.state == step:
            item.state = "relieved"
    session.add(
        MatterItem(matter_id=matter.id, seq=seq + 1, object_kind="person", object_id=person, state=step)
    )
    session.flush()


def _apart(session: Session, actor: Actor, matter: Matter, step: StepRule, role: str) -> None:
    # what takes one person may come back to that person; what takes several counts each once
    own = (step.id,) if step.persons is not None else ()
    for other in (*step.apart_from, *own):
        four_eyes.apart(
            session, actor.person, role, _hands_of(session, matter, other), since=matter.opened_at
        )


def _hands_of(session: Session, matter: Matter, step: str) -> list[four_eyes.Hand]:
    """Who did a step, in which role."""
    rows = session.execute(
        select(MatterStep.person, MatterStep.role).where(
            MatterStep.matter_id == matter.id, MatterStep.step == step, MatterStep.result != "refused"
        )
    )
    return [(person, role) for person, role in rows]


def _persons_of(session: Session, matter: Matter, step: str) -> set[str]:
    return {person for person, _ in _hands_of(session, matter, step)}


def _persons_needed(station: Station, step: StepRule, document: Document | None) -> int:
    if step.persons is None:
        return 1
    level = access.protected_as(station.policy, document).value if document is not None else "default"
    return step.persons.get(level, step.persons.get("default", 1))


def _clocks(rule: MatterRule) -> tuple[str, ...]:
    return tuple({step.clock for step in rule.steps if step.clock})


def _sign(
    station: Station,
    session: Session,
    actor: Actor,
    matter: Matter,
    step: StepRule,
    role: str,
    result: str,
    words: dict[str, Any],
    document: Document | None,
) -> None:
    at, salt = station.now(), new_salt()
    earlier = steps_of(session, matter)
    said = canonical(words).decode()
    statement = canonical(
        {
            "type": "jiyao.matter/1", "matter": matter.id, "kind": matter.kind, "step": step.id, "result": result,
            "document": matter.document_id,
            "level": access.protected_as(station.policy, document).value if document is not None else None,
            "items": [[item.object_kind, item.object_id] for item in items_of(session, matter)],
            "words_sha256": hash_reason(said, salt),
            "after_sha256": sha256(earlier[-1].statement).hexdigest() if earlier else None,
            "person": actor.person, "role": role,
            "delegated_by": actor.delegated.get(role) if role not in actor.own_roles else None,
            "policy": station.policy.sha256, "at": at,
        }
    )  # fmt: skip
    session.add(
        MatterStep(
            matter_id=matter.id, step=step.id, result=result, person=actor.person, role=role, at=at,
            sealed=station.seal(session, _STEP, {"words": words, "salt": salt.hex()}, bind=matter.id),
            statement=statement, signature=actor.sign(statement),
        )
    )  # fmt: skip
    session.flush()


def note(station: Station, session: Session, matter: Matter, words: Mapping[str, Any]) -> None:
    """Words that the program adds to a matter, such as how things stood when it was proposed."""
    _keep(station, session, matter, words)


def _keep(station: Station, session: Session, matter: Matter, words: Mapping[str, Any]) -> None:
    if words:
        kept = {**words_of(station, session, matter), **words}
        matter.sealed = station.seal(session, WORDS, kept, bind=matter.id)


def _go_on(
    station: Station, session: Session, matter: Matter, rule: MatterRule, following: str,
    document: Document | None,
) -> None:  # fmt: skip
    if following in ("end", "refused"):
        matter.state = CLOSED if following == "end" else REFUSED
        matter.step, matter.closed_at = None, station.now()
    else:
        matter.step = following
        awaited = rule.step(following)
        if awaited is not None and awaited.clock and not timers.is_running(session, awaited.clock, matter.id):
            timers.begin(
                station,
                session,
                awaited.clock,
                kind="matter",
                object_id=matter.id,
                document=document,
                holder=next(
                    iter(
                        sorted(named_for(session, matter, following) or named_for(session, matter, "holder"))
                    ),
                    None,
                ),
                **_said(station, session, matter),
            )
    session.flush()


def _said(station: Station, session: Session, matter: Matter) -> dict[str, Any]:
    """What was said of the term of the next step: its last day (`deadline`), and the urgency of what has no paper."""
    last = step_words(station, session, steps_of(session, matter)[-1])
    day = str(last.get("deadline") or "").strip()
    try:
        due = date.fromisoformat(day) if day else None
    except ValueError:
        raise UsageFault("bad_value", field="deadline", given=day) from None
    return {"due": due, "urgency": words_of(station, session, matter).get("urgency")}
