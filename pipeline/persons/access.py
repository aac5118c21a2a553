"""Who may read what: gathers what `decision.decide` rests on (roles.md section 4; BMF art. 21; R-128, R-129)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused
from ...models.level import Level
from ...models.policy.reading import USES, Use
from ...models.policy.schema import Policy
from ...models.rights import KEEPERS, REGISTRARS, STAFF
from ...models.tables import (
    Carrier,
    CircleMember,
    Copy,
    Document,
    Hold,
    Incident,
    Matter,
    MatterItem,
    Reading,
    Timer,
)
from ..station.station import Station
from . import approvals, clearances, deputies, people
from .actors import Actor
from .decision import Decision, Standing, decide

PURPOSE = "reading"
_PART = 500
"""Documents in one question."""


def get_document(session: Session, document: str) -> Document:
    """The register's row.

    Raises:
        NotThere: no such document.
    """
    row = session.get(Document, document)
    if row is None:
        raise NotThere("no_document", document=document)
    return row


def protected_as(policy: Policy, row: Document) -> Level:
    """The level a document is handled at: the higher of its level and its interim level; 内部 before any."""
    level, interim = (Level.parse(code) if code else None for code in (row.level_code, row.interim_code))
    return _higher(policy, level, interim)


def _higher(policy: Policy, level: Level | None, interim: Level | None) -> Level:
    return policy.highest(level, interim) or Level.INTERNAL


def reaches(policy: Policy, clearance: str, level: Level) -> bool:
    """Whether a clearance reaches a level (mapping of the policy)."""
    return policy.reaches(clearance, level)


def circle_of(session: Session, document: str) -> tuple[str, ...]:
    """The persons of the reading circle 知悉范围 today; empty while none is set."""
    rows = session.scalars(
        select(CircleMember.person_id)
        .where(CircleMember.document_id == document, _lasts(session))
        .order_by(CircleMember.person_id)
    )
    return tuple(rows)


def standing_of(
    station: Station,
    session: Session,
    person: str,
    row: Document,
    *,
    roles: frozenset[str] | None = None,
    purpose: bool = False,
    by_approval: bool = False,
) -> Standing:
    """What a decision about a person and a document rests on.

    Args:
        roles: of who acts; None: those of the person's active accounts.
        purpose: he or she has said what for. by_approval: an approval decides about this person.
    """
    policy = station.policy
    held = people.roles_of(session, person) if roles is None else roles
    lapsed = clearances.state(session, person)
    marked = row.level_code is not None and (row.confirmed or row.level_basis == "marked")
    own = Level.parse(row.level_code) if row.level_code and marked else None
    level = protected_as(policy, row)
    members = circle_of(session, row.id)
    moment = station.clock.now()
    return Standing(
        level=level,
        rank=policy.effective_rank(level, tuple(filter(None, row.overlays.split(",")))),
        clearance=clearances.granted(session, person) if lapsed == "valid" else None,
        lapsed=None if lapsed == "valid" else lapsed,
        circle_set=circle_set(session, row.id),
        in_circle=person in members,
        deputy_of=None if person in members else deputies.away(session, person, members),
        staff=bool(held & STAFF),
        keeper=bool(held & KEEPERS),
        by_approval=by_approval,
        above_station=own is not None and policy.rank(own) > policy.rank(station.level),
        blocks=_blocks(session, policy, row.id),
        open_now=frozenset(use for use in USES if policy.reading.is_open(use, moment)),
        purpose=purpose or (policy.reading.purpose_from is not None and has_task(session, person, row)),
    )


def _lasts(session: Session) -> ColumnElement[bool]:
    return or_(CircleMember.until.is_(None), CircleMember.until >= session.info["day"])


def check(
    station: Station,
    session: Session,
    person: str,
    row: Document,
    use: Use,
    *,
    roles: frozenset[str] | None = None,
    purpose: bool = False,
    by_approval: bool = False,
) -> Decision:
    """The decision; a refusal is raised, and in the ledger by the act that it refuses.

    Raises:
        Refused: with the code of the rule that denies it.
    """
    standing = standing_of(
        station, session, person, row, roles=roles, purpose=purpose, by_approval=by_approval
    )
    decision = decide(station.policy, standing, use)
    if decision.allowed:
        return decision
    match decision.rule:
        case "clearance_too_low":
            raise Refused("clearance_too_low", person=person, level=standing.level.value, document=row.id)
        case "clearance_suspended":
            raise Refused("clearance_suspended", person=person)
        case "clearance_expired":
            raise Refused("clearance_expired", person=person)
        case "clearance_disabled":
            raise Refused("clearance_disabled", person=person)
        case "above_station_level":
            raise Refused("above_station_level", level=standing.level.value, station=station.level.value)
        case "use_blocked_hold":
            raise Refused("use_blocked_hold", document=row.id)
        case "use_blocked_incident":
            raise Refused("use_blocked_incident", document=row.id)
        case "outside_hours":
            raise Refused("outside_hours", document=row.id)
        case "purpose_needed":
            raise Refused("purpose_needed", document=row.id, level=standing.level.value)
        case _:
            raise Refused("not_in_circle", person=person, document=row.id)


def check_clearance(
    station: Station, session: Session, person: str, row: Document, use: Use = "handle"
) -> None:
    """The person's clearance counts and reaches the document, and nothing else than the circle stands in the way.

    Raises:
        Refused: it does not.
    """
    check(station, session, person, row, use)


def check_clearances(station: Station, session: Session, person: str, rows: Iterable[Document]) -> None:
    """`check_clearance` of many rows, for handling.

    To handling the circle says nothing: rows of one level and one marking are one question, but for those that a hold
    or an incident says something of.

    Raises:
        Refused: of one of them it does not.
    """
    listed = list(rows)
    said: set[str | None] = set()
    for start in range(0, len(listed), _PART):
        part = [row.id for row in listed[start : start + _PART]]
        held = select(Hold.document_id).where(Hold.document_id.in_(part), Hold.lifted_at.is_(None))
        lost = select(Incident.document_id).where(Incident.document_id.in_(part), Incident.state == "open")
        said |= {*session.scalars(held), *session.scalars(lost)}
    asked = set()
    for row in listed:
        alike = (row.level_code, row.interim_code, row.level_basis, row.confirmed, row.overlays)
        if row.id in said or alike not in asked:
            check_clearance(station, session, person, row)
        if row.id not in said:
            asked.add(alike)


def check_read(
    station: Station,
    session: Session,
    actor: Actor,
    row: Document,
    use: Use = "text",
    *,
    purpose: str | None = None,
) -> str:
    """May the actor read the text now? The rule that lets him, or the approval.

    The room's staff read for handling until a circle is set; the matrix's `read` rows bind everyone else, and
    everyone once it is set. Who came to know a document of the policy's `record_from` and above is on its record.

    Raises:
        Refused: clearance, circle, station level, a block, the time window, no purpose, or a missing approval of act
            `read`.
    """
    said = bool(purpose and purpose.strip())
    decision = check(station, session, actor.person, row, use, roles=actor.roles, purpose=said)
    rule = decision.rule
    if rule != "staff":
        rule = (
            approvals.require(station, session, act="read", rows=(row,), recipients=(actor.person,)) or rule
        )
    put_on_record(station, session, actor.person, row, use, rule, purpose=purpose)
    return rule


def put_on_record(
    station: Station,
    session: Session,
    person: str,
    row: Document,
    use: str,
    rule: str,
    *,
    purpose: str | None = None,
) -> None:
    """Puts a person on the reading record of a document, where the policy keeps one for its level (TL art. 20)."""
    policy = station.policy
    rank = policy.effective_rank(protected_as(policy, row), tuple(filter(None, row.overlays.split(","))))
    said = purpose.strip() if purpose else ""
    if rank < policy.rank(policy.reading.record_from) and not said:
        return
    session.add(
        Reading(
            document_id=row.id, person_id=person, act=use, rule=rule, at=station.now(),
            purpose_sealed=station.seal(session, PURPOSE, {"purpose": said}, bind=row.id) if said else None,
        )
    )  # fmt: skip


def has_task(session: Session, person: str, row: Document) -> bool:
    """A current task with it: it waits to be confirmed, a matter or a clock names the person, or he holds it."""
    if row.status in ("pending", "pending_second") and people.roles_of(session, person) & STAFF:
        return True
    named = (
        select(MatterItem.id)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(
            Matter.document_id == row.id, Matter.state == "open", MatterItem.object_kind == "person",
            MatterItem.object_id == person, MatterItem.state == "open",
        )
    )  # fmt: skip
    running = select(Timer.id).where(
        Timer.document_id == row.id, Timer.holder == person, Timer.state == "running"
    )
    has_copy = select(Copy.id).where(
        Copy.document_id == row.id, Copy.holder == person, Copy.status.in_(("issued", "recalled"))
    )
    has_original = select(Carrier.id).where(
        Carrier.document_id == row.id, Carrier.holder == person, Carrier.state.in_(("out", "lent", "carried"))
    )
    wanted = (named, running, has_copy, has_original)
    return any(session.execute(one.limit(1)).first() is not None for one in wanted)


def circle_days(session: Session, document: str) -> dict[str, str | None]:
    """The last day of everyone who was ever put into the circle as it stands; None: without end."""
    rows = session.execute(
        select(CircleMember.person_id, CircleMember.until).where(CircleMember.document_id == document)
    )
    return {row.person_id: row.until for row in rows}


def circle_set(session: Session, document: str) -> bool:
    """Whether one was ever set: also where everyone's time in it is over."""
    one = select(CircleMember.person_id).where(CircleMember.document_id == document).limit(1)
    return session.execute(one).first() is not None


def _blocks(session: Session, policy: Policy, document: str) -> frozenset[str]:
    found = {
        "hold": select(Hold.id).where(Hold.document_id == document, Hold.lifted_at.is_(None)),
        "incident": select(Incident.id).where(Incident.document_id == document, Incident.state == "open"),
    }
    return frozenset(
        name
        for name, wanted in found.items()
        if policy.reading.blocked_by.get(name) and session.execute(wanted.limit(1)).first() is not None
    )


def may_know(session: Session, actor: Actor, document: str) -> bool:
    """Whether the actor may know that a document exists: `visible`, of one."""
    if actor.roles & REGISTRARS:
        return True
    wanted = select(Document.id).where(Document.id == document, visible(actor))
    return session.execute(wanted).first() is not None


def visible(actor: Actor, *, column: Any = Document.id) -> ColumnElement[bool]:
    """Whether the actor may know that a document exists, as a condition of a query.

    Who keeps the registers or decides on papers knows every row; everyone else those of whose circle he is one today,
    what he holds, and what an open matter asks of him. Whether its words show is `may_see_titles`.

    Args:
        column: holds the document's number.
    """
    if actor.roles & REGISTRARS:
        return true()
    me, day = actor.person, actor.today()
    own = (
        select(CircleMember.document_id).where(
            CircleMember.person_id == me, or_(CircleMember.until.is_(None), CircleMember.until >= day)
        ),
        select(Copy.document_id).where(Copy.holder == me, Copy.status.in_(("issued", "recalled"))),
        select(Carrier.document_id).where(
            Carrier.holder == me, Carrier.state != "archived", Carrier.document_id.is_not(None)
        ),
        select(Matter.document_id)
        .join(MatterItem, MatterItem.matter_id == Matter.id)
        .where(
            MatterItem.object_kind == "person", MatterItem.object_id == me, MatterItem.state == "open",
            Matter.state == "open", Matter.document_id.is_not(None),
        ),
    )  # fmt: skip
    return or_(*(column.in_(one) for one in own))


def titles_open(station: Station, actor: Actor) -> ColumnElement[bool]:
    """`may_see_titles` as a condition of a query on documents."""
    codes: list[Level | None] = [None, *Level]
    shown = [
        f"{level.code if level else ''}/{interim.code if interim else ''}"
        for level in codes
        for interim in codes
        if reaches(station.policy, actor.clearance, _higher(station.policy, level, interim))
    ]
    if len(shown) == len(codes) ** 2:
        return true()
    pair = func.coalesce(Document.level_code, "") + "/" + func.coalesce(Document.interim_code, "")
    return cast(ColumnElement[bool], pair.in_(shown))


def may_see_titles(station: Station, actor: Actor, row: Document) -> bool:
    """Whether the row's words show: a title is content, so the clearance must reach it."""
    return reaches(station.policy, actor.clearance, protected_as(station.policy, row))
