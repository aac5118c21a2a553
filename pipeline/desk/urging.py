"""催办: who is late with what is reminded, and as it grows later those above are told, each one step later (001-D§5,
000-G§13.1; R-070). What was urged, how often, and what the holder answered goes into the register and the slip.

The steps are the clock's `remind` (or the policy's `escalate_to`), taken by time (`reminders_after`) or by further
reminders once it is late, whichever is further.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from ...common.clock import iso, today
from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.period import add_months
from ...models.policy.schema import Duration
from ...models.tables import Account, Document, Matter, Timer
from ..intake.register_entry import remember
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import lateness, timers

URGED = "urging"
_BY = ("person", "department")


def urge(station: Station, actor: Actor, *, ids: Sequence[str], reason: str | None = None) -> dict[str, Any]:
    """Reminds of every clock that runs for these objects, matters or documents; who is to be told is in the answer.

    Raises:
        NotThere: no clock runs for one of them.
    """
    why = station.reason(reason) if reason else None
    with acting(station, actor, "urge", objects=tuple(ids)) as session:
        done = []
        for name in ids:
            found = _running(session, name)
            if not found:
                raise NotThere("nothing_runs", object=name)
            for timer in found:
                done.append(_urge_one(station, session, actor, timer, why.text if why else None))
                station.log(
                    session, "urge", objects=tuple(filter(None, (timer.object_id, timer.document_id))),
                    person=actor.person, account=actor.user, reason=why,
                    facts={
                        "clock": timer.clock, "reminders": timer.reminders,
                        "roles": [one["role"] for one in done[-1]["told"]],
                    },
                )  # fmt: skip
        return {"urged": done}


def answer(station: Station, actor: Actor, *, ids: Sequence[str], text: str) -> dict[str, Any]:
    """What the person who was urged says to it (R-070: fed back in time).

    Raises:
        NotThere: no clock runs for one of them. Refused: it does not run for this person, or was never urged.
    """
    why = station.reason(text)
    if not ids:
        raise UsageFault("usage_missing", name="ID")
    with acting(station, actor, "urge.answer", objects=tuple(ids)) as session:
        found = [one for name in ids for one in _to_answer(station, session, actor, name)]
        for timer in found:
            if timer.document_id is not None:
                row = session.get_one(Document, timer.document_id)
                words = {"clock": timer.clock, "object": timer.object_id, "answer": why.text}
                remember(station, session, row, actor.person, "answer", URGED, words)
            station.log(
                session, "urge.answer", objects=tuple(filter(None, (timer.object_id, timer.document_id))),
                person=actor.person, account=actor.user, reason=why, facts={"clock": timer.clock},
            )  # fmt: skip
        return {"answered": [_item(station, session, one) for one in found]}


def overdue(
    station: Station, actor: Actor, *, by: str = "person", limit: int = PAGE, after: str | None = None
) -> dict[str, Any]:
    """What is late, by the person who has it or by his department; those with the most of it first.

    The `limit` that are late longest; `after`: goes on behind the clock of this number. What waits for a role and not
    for a person stands under that role.

    Raises:
        NotThere: no clock `after`.
    """
    now = station.clock.now()
    groups: dict[str, list[dict[str, Any]]] = {}
    known = or_(Timer.document_id.is_(None), access.visible(actor, column=Timer.document_id))
    with station.read() as session:
        late = select(Timer).where(Timer.state == timers.RUNNING, Timer.due < iso(now), known)
        if after is not None:
            last = session.get(Timer, int(after) if after.isdigit() else 0)
            if last is None:
                raise NotThere("nothing_runs", object=after)
            late = late.where(tuple_(Timer.due, Timer.id) > tuple_(last.due, last.id))
        found = session.scalars(late.order_by(Timer.due, Timer.id).limit(limit + 1)).all()
        shown, rest = cut(found, limit, lambda timer: str(timer.id))
        for timer in shown:
            item = _item(station, session, timer)
            item["urge_now"] = _is_due(station, timer, now)
            groups.setdefault(_group(station, session, timer, by), []).append(item)
    with station.write() as session:
        lateness.open_late(station, session)
        station.log(
            session, "urge.list", person=actor.person, account=actor.user,
            facts={"by": by if by in _BY else _BY[0], "items": sum(map(len, groups.values()))},
        )  # fmt: skip
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {
        "on": today(station.clock).isoformat(), "by": by,
        "groups": [{"who": who, "count": len(items), "items": items} for who, items in ordered],
        **rest,
    }  # fmt: skip


# ---------------------------------------------------------------- parts


def _running(session: Session, name: str) -> list[Timer]:
    return list(
        session.scalars(
            select(Timer)
            .where(Timer.state == timers.RUNNING, or_(Timer.object_id == name, Timer.document_id == name))
            .order_by(Timer.id)
        )
    )


def _to_answer(station: Station, session: Session, actor: Actor, name: str) -> list[Timer]:
    runs = _running(session, name)
    if not runs:
        raise NotThere("nothing_runs", object=name)
    own = [one for one in runs if _concerns(station, session, one, actor)]
    if not own:
        raise Refused("not_yours_to_answer", object=name)
    if not any(one.reminders for one in own):
        raise Refused("never_urged", object=name)
    return own


def _urge_one(
    station: Station, session: Session, actor: Actor, timer: Timer, why: str | None
) -> dict[str, Any]:
    timer.reminders += 1
    timer.reminded_at = station.now()
    told = _told(station, session, timer)
    if timer.document_id is not None:
        row = session.get_one(Document, timer.document_id)
        rule = station.policy.desk.clocks.get(timer.clock)
        remember(
            station, session, row, actor.person, "urge", URGED,
            {
                "clock": timer.clock, "zh": rule.zh if rule else timer.clock, "object": timer.object_id,
                "count": timer.reminders, "told": sorted({one for part in told for one in part["persons"]}),
                "reason": why,
            },
        )  # fmt: skip
    session.flush()
    return {**_item(station, session, timer), "reminded_at": timer.reminded_at, "told": told}


def _told(station: Station, session: Session, timer: Timer) -> list[dict[str, Any]]:
    """Whom a reminder goes to: who has it, or whose step it is; once it is late also those above, step by step."""
    first = (
        [{"role": "holder", "persons": [timer.holder]}] if timer.holder else _awaited(station, session, timer)
    )
    known = {one["role"] for one in first}
    above = [role for role in _ladder(station, timer) if role not in known]
    return [
        *first,
        *({"role": role, "persons": _holders_of(session, role)} for role in above[: _steps(station, timer)]),
    ]


def _ladder(station: Station, timer: Timer) -> tuple[str, ...]:
    rule = station.policy.desk.clocks.get(timer.clock)
    return (rule.remind if rule else ()) or station.policy.deadlines.urging.escalate_to


def _steps(station: Station, timer: Timer) -> int:
    late_from = timers.moment(timer.due)
    now = station.clock.now()
    if now <= late_from:
        return 0
    passed = sum(1 for term in station.policy.deadlines.urging.after if _after(late_from, term) <= now)
    return max(passed - 1, timer.reminders - 1, 0)


def _is_due(station: Station, timer: Timer, now: datetime) -> bool:
    """Whether a reminder of the policy's has fallen due since the last one."""
    ends = timers.moment(timer.due)
    rules = station.policy.deadlines.urging
    moments = [ends - (_after(ends, term) - ends) for term in rules.before]
    moments += [_after(ends, term) for term in rules.after]
    last = timers.moment(timer.reminded_at) if timer.reminded_at else timers.moment(timer.started_at)
    return any(last < one <= now for one in moments)


def _after(start: datetime, term: Duration) -> datetime:
    day = add_months(start.date(), term.months)
    moved = start.replace(year=day.year, month=day.month, day=day.day)
    return moved + timedelta(days=term.days, seconds=term.seconds)


def _awaited(station: Station, session: Session, timer: Timer) -> list[dict[str, Any]]:
    """The roles whose step a matter waits for."""
    matter = session.get(Matter, timer.object_id) if timer.object_kind == "matter" else None
    rule = station.policy.desk.matters.get(matter.kind) if matter is not None else None
    step = rule.step(matter.step) if matter is not None and rule and matter.step else None
    return [{"role": role, "persons": _holders_of(session, role)} for role in (step.by if step else ())]


def _holders_of(session: Session, role: str) -> list[str]:
    rows = session.execute(select(Account.person_id, Account.roles).where(Account.status == "active"))
    return sorted({person for person, roles in rows if role in roles.split(",")})


def _concerns(station: Station, session: Session, timer: Timer, actor: Actor) -> bool:
    if timer.holder is not None:
        return timer.holder == actor.person
    return any(actor.person in one["persons"] for one in _awaited(station, session, timer))


def _item(station: Station, session: Session, timer: Timer) -> dict[str, Any]:
    name = people.name_of(station, session, timer.holder) if timer.holder else None
    return {**timers.due_item(station, timer), "clock": timer.clock, "name": name}


def _group(station: Station, session: Session, timer: Timer, by: str) -> str:
    if timer.holder is None:
        return "、".join(one["role"] for one in _awaited(station, session, timer)) or "—"
    if by == "department":
        return str(people.person_json(station, session, timer.holder)["dept"] or "—")
    return timer.holder


def _visible(session: Session, actor: Actor, document: str | None) -> bool:
    return document is None or access.may_know(session, actor, document)
