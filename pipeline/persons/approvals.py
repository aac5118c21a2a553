"""Approvals of the policy's matrix: asked for, given by the persons the policy names, found by later commands.

An approval binds the hash of what was approved (documents and their levels); it is void when that changes, expires
after the policy's days, and is signed with the approver's own key. Nobody approves what he or she asked for
(roles.md section 2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from ...common.canonical import canonical, digest
from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.level import Family, Level
from ...models.policy.schema import Row as MatrixRow
from ...models.rights import REGISTRARS
from ...models.tables import Approval, ApprovalAct, CircleMember, Document
from ..levels.terms import secrecy_state, term_in_force
from ..station import clock_guard
from ..station.station import Station
from . import four_eyes, people, subjects
from .actors import Actor, acting

_NOTE = "approval.note"
_FOR_OTHERS = frozenset({"borrow", "carry_out", "carry_abroad"})
"""Acts that nobody approves for himself: the approver may not be the borrower (R-071)."""
_OUTSIDE = frozenset({"originator", "originator_or_superior", "competent_authority"})
"""Bodies outside the unit: their written consent is entered on paper and confirmed by the office director."""


def matrix_row(station: Station, act: str, row: Document) -> MatrixRow:
    """What the policy asks for an act on a document, by its level and subject."""
    code = _protecting_code(station, row)
    return subjects.bound_by(station, act, Level.parse(code) if code else None, row)


def approvers(row: MatrixRow) -> tuple[str, ...]:
    """The roles of which each must approve; `a|b` stands for one of them. Empty when the act is only registered."""
    match row.mode:
        case "register":
            return ()
        case "deny":
            return (row.override,) if row.override else ()
        case "any_of" | "second_person":
            return ("|".join(row.by),)
        case _:
            return row.by


def bound_hash(station: Station, act: str, rows: Sequence[Document]) -> str:
    """The hash of what an approval is about: the act, the documents, the levels they have now."""
    objects = [[row.id, _protecting_code(station, row) or ""] for row in sorted(rows, key=lambda row: row.id)]
    return digest({"act": act, "objects": objects})


def request(
    station: Station,
    actor: Actor,
    *,
    act: str,
    documents: Sequence[str],
    recipients: Sequence[str] = (),
    copies: int | None = None,
    note: str | None = None,
    paper: bool = False,
) -> dict[str, Any]:
    """Asks for an approval; `copies`: how many may be made under it.

    Raises:
        UsageFault: the matrix knows no such act, or the act needs no approval at these levels.
        Refused: the matrix denies it.
    """
    with acting(station, actor, "approval.request", objects=tuple(documents)) as session:
        rows = [_document(session, document) for document in documents]
        recipients = [people.find_person(station, session, person) for person in recipients]
        needed = needed_for(station, session, act, documents)
        if not needed:
            raise UsageFault("no_approval_needed", act=act)
        days = station.policy.approval_days
        approval = Approval(
            id=f"A{today(station.clock).year}-{station.next_number(session, 'approval'):05d}",
            act=act,
            objects=",".join(sorted(documents)),
            objects_sha256=bound_hash(station, act, rows),
            state="requested",
            needed=",".join(needed),
            requested_by=actor.person,
            requested_at=station.now(),
            expires=(today(station.clock) + timedelta(days=days)).isoformat(),
            recipients=",".join(recipients),
            copies=copies,
            paper=paper,
        )
        if note:
            approval.note_sealed = station.seal(session, _NOTE, {"note": note}, bind=approval.id)
        session.add(approval)
        session.flush()
        station.log(
            session, "approval.request", objects=(approval.id, *documents), person=actor.person,
            account=actor.user, facts={"for": act},
        )  # fmt: skip
        return approval_json(session, approval)


def needed_for(station: Station, session: Session, act: str, documents: Sequence[str]) -> list[str]:
    """The roles that must approve an act on all these documents together; empty when it is only registered.

    Raises:
        Refused: the matrix denies it. NotThere: no such document. UsageFault: the matrix knows no such act.
    """
    if act not in _acts(station):
        raise UsageFault("unknown_approval_act", act=act, acts="、".join(sorted(_acts(station))))
    needed: list[str] = []
    for row in (_document(session, document) for document in documents):
        asked = matrix_row(station, act, row)
        if asked.mode == "deny" and not asked.override:
            raise Refused("act_denied", act=act, document=row.id, source=asked.source)
        _check_period(station, session, row, asked)
        needed += [role for role in approvers(asked) if role not in needed]
    return needed


def _check_period(station: Station, session: Session, row: Document, asked: MatrixRow) -> None:
    """What is still within its secrecy period is not published, whoever would approve (保密法 art. 20, 35; R-040)."""
    code = _protecting_code(station, row)
    if "not_within_period" not in asked.extra or code is None:
        return
    level = Level.parse(code)
    if level.family in (Family.INTERNAL, Family.PUBLIC):
        return
    term = term_in_force(station, session, row)
    if (
        not row.confirmed
        or term is None
        or row.interim_code is not None
        or secrecy_state(station, level, term) != "ended"
    ):
        raise Refused("within_secrecy_period", document=row.id, until=row.secrecy_until or "—")


def give(station: Station, actor: Actor, *, approval: str) -> dict[str, Any]:
    """One approver's signed word; the last one needed makes the approval.

    Raises:
        Refused: not asked of this person, own request, given twice, one hand with another of them, changed or expired
            meanwhile.
    """
    with acting(station, actor, "approval.give", objects=(approval,)) as session:
        clock_guard.trust_time(station, session)
        row = _approval(session, approval)
        _check_open(station, session, row, actor)
        role = _open_role(station, session, row, actor)
        _check_hands(session, row, actor, role)
        _check_scope(station, session, row, actor, role)
        sign(station, session, row, actor, role, "give")
        settle(session, row)
        station.log(
            session, "approval.give", objects=(row.id, *_split(row.objects)), person=actor.person,
            account=actor.user, role=role, facts={"for": row.act, "state": row.state},
        )  # fmt: skip
        return approval_json(session, row)


def refuse(station: Station, actor: Actor, *, approval: str, reason: str) -> dict[str, Any]:
    """An approver says no; the request ends.

    Raises:
        Refused: not asked of this person, or already ended.
    """
    why = station.reason(reason)
    with acting(station, actor, "approval.refuse", objects=(approval,)) as session:
        row = _approval(session, approval)
        _check_open(station, session, row, actor)
        role = _open_role(station, session, row, actor)
        sign(station, session, row, actor, role, "refuse")
        row.state = "refused"
        row.note_sealed = station.seal(session, _NOTE, why.sealed_form, bind=row.id)
        station.log(
            session, "approval.refuse", objects=(row.id, *_split(row.objects)), person=actor.person,
            account=actor.user, role=role, reason=why,
        )  # fmt: skip
        return approval_json(session, row)


def list_approvals(
    station: Station,
    actor: Actor,
    *,
    state: str | None = None,
    limit: int = PAGE,
    before: str | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    """Approvals, newest last: all of them for who keeps the registers or audits, else those that ask for, name or
    await the actor.

    Args:
        state: only those in this state. limit: the newest ones. before: only those before this one. after: instead the
            oldest ones behind this one; empty: from the first.

    Raises:
        NotThere: no approval `before`.
    """
    with station.read() as session:
        wanted = select(Approval).where(_concerns(actor))
        if state is not None:
            wanted = wanted.where(Approval.state == state)
        if before is not None:
            first = _approval(session, before)
            wanted = wanted.where(
                tuple_(Approval.requested_at, Approval.id) < tuple_(first.requested_at, first.id)
            )
        if after:
            last = _approval(session, after)
            wanted = wanted.where(
                tuple_(Approval.requested_at, Approval.id) > tuple_(last.requested_at, last.id)
            )
        if after is None:
            wanted = wanted.order_by(Approval.requested_at.desc(), Approval.id.desc())
        else:
            wanted = wanted.order_by(Approval.requested_at, Approval.id)
        rows, rest = cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda row: row.id)
        rows = rows[::-1] if after is None else rows
        shown = [approval_json(session, row, now=today(station.clock)) for row in rows]
        return {"approvals": shown, **rest}


def _concerns(actor: Actor) -> ColumnElement[bool]:
    if actor.roles & (REGISTRARS | {"auditor"}):
        return true()
    needed = "," + func.replace(Approval.needed, "|", ",") + ","
    recipients = "," + Approval.recipients + ","
    spoke = select(ApprovalAct.approval_id).where(ApprovalAct.person == actor.person)
    return or_(
        Approval.requested_by == actor.person,
        Approval.id.in_(spoke),
        recipients.contains(f",{actor.person},", autoescape=True),
        *(needed.contains(f",{role},", autoescape=True) for role in sorted(actor.roles)),
    )


# ---------------------------------------------------------------- found by later commands


def require(
    station: Station, session: Session, *, act: str, rows: Sequence[Document], recipients: Sequence[str] = ()
) -> str | None:
    """The id of a valid approval for the act on all these documents; None when the matrix only registers.

    Raises:
        Refused: `approval_required`, or denied by the matrix.
    """
    asked = [matrix_row(station, act, row) for row in rows]
    if all(item.mode == "register" for item in asked):
        return None
    clock_guard.trust_time(station, session)
    for row, item in zip(rows, asked, strict=True):
        if item.mode == "deny" and not item.override:
            raise Refused("act_denied", act=act, document=row.id, source=item.source)
    bound = bound_hash(station, act, rows)
    wanted = {row.id for row in rows}
    for approval in session.scalars(
        select(Approval).where(Approval.act == act, Approval.state == "given").order_by(Approval.id.desc())
    ):
        if approval.expires < today(station.clock).isoformat():
            continue
        named = _split(approval.recipients)
        if named and not set(recipients) <= set(named):
            continue
        if act in _FOR_OTHERS and _approved_by(session, approval, recipients):
            continue
        objects = set(_split(approval.objects))
        if objects == wanted and approval.objects_sha256 == bound:
            return approval.id
        if wanted < objects and _still_bound(station, session, approval):
            return approval.id
    needed = sorted({role for item in asked for role in approvers(item)})
    raise Refused("approval_required", act=act, documents="、".join(sorted(wanted)), roles="、".join(needed))


def _approved_by(session: Session, approval: Approval, recipients: Sequence[str]) -> bool:
    """Whether one of the recipients, or his hand, had part in the approval."""
    return any(
        four_eyes.same_hand(session, recipient, person, role, since=approval.requested_at)
        for person, role in _spoke(session, approval)
        for recipient in recipients
    )


def _still_bound(station: Station, session: Session, approval: Approval) -> bool:
    rows = [_document(session, document) for document in _split(approval.objects)]
    return approval.objects_sha256 == bound_hash(station, approval.act, rows)


def approval_json(session: Session, row: Approval, *, now: date | None = None) -> dict[str, Any]:
    """An approval as the command line shows it."""
    acts = session.scalars(
        select(ApprovalAct).where(ApprovalAct.approval_id == row.id, ApprovalAct.act.in_(("give", "check")))
    )
    expired = now is not None and row.state in ("requested", "given") and row.expires < now.isoformat()
    return {
        "id": row.id,
        "act": row.act,
        "objects": _split(row.objects),
        "state": "expired" if expired else row.state,
        "needed": _split(row.needed),
        "given": [{"person": act.person, "role": act.role, "at": act.at} for act in acts],
        "expires": row.expires,
        "recipients": _split(row.recipients),
        "copies": row.copies,
        "requested_by": row.requested_by,
        "paper": row.paper,
    }


# ---------------------------------------------------------------- parts


def _check_open(station: Station, session: Session, row: Approval, actor: Actor) -> None:
    if row.state != "requested":
        raise Refused("approval_closed", approval=row.id, state=row.state)
    if row.paper and not _acts_of(session, row, ("check",)):
        raise Refused("approval_on_paper", approval=row.id)
    _check_hands(session, row, actor, None)
    require_live(station, session, row)


def _check_hands(session: Session, row: Approval, actor: Actor, role: str | None) -> None:
    """Neither who asked nor who has spoken; with `role`, nobody's hand among them either."""
    asked = [(row.requested_by, None)]
    since = row.requested_at
    four_eyes.apart(session, actor.person, role, asked, since=since, same="own_request")
    spoke = _spoke(session, row) if role else [(person, None) for person, _ in _spoke(session, row)]
    four_eyes.apart(session, actor.person, role, spoke, since=since)


def _spoke(session: Session, row: Approval) -> list[four_eyes.Hand]:
    """Who has spoken, in which role; an approver whose word is on paper stands beside who entered it."""
    acts = session.scalars(select(ApprovalAct).where(ApprovalAct.approval_id == row.id)).all()
    on_paper = [(json.loads(act.statement)["approver"], act.role) for act in acts]
    return [(act.person, act.role) for act in acts] + [hand for hand in on_paper if hand[0] is not None]


def require_live(station: Station, session: Session, row: Approval) -> None:
    """What is to be approved is what was asked for, and the time for it has not run out.

    Raises:
        Refused: expired, `approval_void`, or the clock waits for two persons.
    """
    clock_guard.trust_time(station, session)
    if row.expires < today(station.clock).isoformat():
        raise Refused("approval_closed", approval=row.id, state="expired")
    if not _still_bound(station, session, row):
        raise Refused("approval_void", approval=row.id)


def settle(session: Session, row: Approval) -> None:
    """Given once no role is missing."""
    if not set(_split(row.needed)) - set(_given_roles(session, row)):
        row.state = "given"


def _open_role(station: Station, session: Session, row: Approval, actor: Actor) -> str:
    """The still missing role that the actor can fill; each role is given by a person of its own."""
    missing = [role for role in _split(row.needed) if role not in _given_roles(session, row)]
    for role in missing:
        if fills(station, actor, role):
            return role
    raise Refused("not_the_approver", person=actor.person, roles="、".join(missing))


def fills(station: Station, actor: Actor, role: str) -> bool:
    """Whether the actor holds a role of the matrix, pseudo-roles of roles.md included."""
    return satisfied_by(station, role, actor.roles)


def satisfied_by(station: Station, role: str, held: Iterable[str]) -> bool:
    """Whether one of these roles may act where `role` (or one of `a|b`) is asked for."""
    wanted = ["office_director" if name in _OUTSIDE else name for name in role.split("|")]
    return any(station.policy.satisfies(name, own) for name in wanted for own in held)


def is_outside(role: str) -> bool:
    """Whether a body outside the unit must consent."""
    return any(name in _OUTSIDE for name in role.split("|"))


def _check_scope(station: Station, session: Session, row: Approval, actor: Actor, role: str) -> None:
    """Where a circle is set, the approver stands in it, except who only signs for the medium."""
    conditions = station.policy.conditions
    if row.act in conditions.scope_exempt_acts:
        return
    if role in conditions.scope_exempt or conditions.approver_must_be_in_scope != "where_circle_is_set":
        return
    for document in _split(row.objects):
        members = session.scalars(
            select(CircleMember.person_id).where(CircleMember.document_id == document)
        ).all()
        if members and actor.person not in members:
            raise Refused("not_in_circle", person=actor.person, document=document)


def sign(
    station: Station,
    session: Session,
    row: Approval,
    actor: Actor,
    role: str,
    act: str,
    *,
    approver: str | None = None,
) -> None:
    """The person's own signed statement; `approver`: who gave it on paper."""
    at = station.now()
    statement = canonical(
        {
            "type": "jiyao.approval/1",
            "act": act,
            "approval": row.id,
            "approves": row.act,
            "objects": _split(row.objects),
            "objects_sha256": row.objects_sha256,
            "recipients": _split(row.recipients),
            "copies": row.copies,
            "person": actor.person,
            "role": role,
            "approver": approver,
            "delegated_by": actor.delegated.get(role) if role not in actor.own_roles else None,
            "at": at,
        }
    )
    session.add(
        ApprovalAct(
            approval_id=row.id, person=actor.person, role=role, act=act, at=at, statement=statement,
            signature=actor.sign(statement),
        )
    )  # fmt: skip
    session.flush()


def _given_roles(session: Session, row: Approval) -> list[str]:
    """Roles whose word is there. The consent of an outside body counts once the office director has confirmed it."""
    return [
        act.role
        for act in _acts_of(session, row, ("give", "check"))
        if act.act == "give" or not is_outside(act.role)
    ]


def _acts_of(session: Session, row: Approval, acts: tuple[str, ...]) -> Sequence[ApprovalAct]:
    return session.scalars(
        select(ApprovalAct).where(ApprovalAct.approval_id == row.id, ApprovalAct.act.in_(acts))
    ).all()


def _protecting_code(station: Station, row: Document) -> str | None:
    codes = [code for code in (row.level_code, row.interim_code) if code]
    return max(codes, key=lambda code: station.policy.rank(Level.parse(code))) if codes else None


def _approval(session: Session, approval: str) -> Approval:
    row = session.get(Approval, approval)
    if row is None:
        raise NotThere("no_approval", approval=approval)
    return row


def _document(session: Session, document: str) -> Document:
    row = session.get(Document, document)
    if row is None:
        raise NotThere("no_document", document=document)
    return row


def _acts(station: Station) -> set[str]:
    return {row.action for row in station.policy.rows}


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]
