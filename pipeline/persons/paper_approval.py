"""Approvals given on paper: entered by one person with the scan, checked by another (roles.md: outside bodies too).

One paper is one approver's word: where the matrix asks for several, each gives his own, on paper or with his account.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotThere, Refused, UsageFault
from ...common.limits import DEFAULT_LIMITS
from ...models.rights import LEADERS
from ...models.tables import Account, Approval, ApprovalAct
from ..intake.inbox import Unreadable, read_file
from ..station.station import Station
from . import approvals, four_eyes, people
from .actors import Actor, acting


def enter(
    station: Station, actor: Actor, *, act: str, documents: Sequence[str], scan: Path, approver: str
) -> dict[str, Any]:
    """Enters a paper approval with its scan, sealed. It counts only once another person has checked it: by `check`, or
    by entering the same paper again.

    Raises:
        NotThere: no such file or person. UsageFault: as for a request.
        Refused: as for a request, or the approver's account holds none of the roles that are asked for.
    """
    try:
        data = read_file(scan, DEFAULT_LIMITS.file_bytes)
    except Unreadable as error:
        raise NotThere("no_file", file=str(scan)) from error
    with station.read() as session:
        person = people.find_person(station, session, approver)
    with acting(station, actor, "approval.paper", objects=tuple(documents)) as session:
        own, now = [(person, None)], station.now()
        four_eyes.apart(session, actor.person, None, own, since=now, same="own_request")
        role = _role_on_paper(station, session, act, documents, person)
        desk = four_eyes.acts("approval.paper")
        four_eyes.apart(session, actor.person, desk, [(person, role)], since=now)
        waiting = _entered_by_another(station, session, actor, act, documents, data)
    if waiting is not None:
        return check(station, actor, approval=waiting)
    value = approvals.request(station, actor, act=act, documents=documents, paper=True)
    with acting(station, actor, "approval.paper", objects=(value["id"],)) as session:
        row = session.get_one(Approval, value["id"])
        row.paper_slot = station.vault.new_slot(session, branch="approvals")
        row.paper_path = station.vault.put(session, row.paper_slot, "paper", data, area="approvals").path
        approvals.sign(station, session, row, actor, role, "enter", approver=person)
        station.log(
            session,
            "approval.paper",
            objects=(row.id, *documents, person),
            person=actor.person,
            account=actor.user,
        )
        return approvals.approval_json(session, row)


def check(station: Station, actor: Actor, *, approval: str) -> dict[str, Any]:
    """The second person has compared the paper; the approval is given once no other role is missing. The consent of
    a body outside the unit is then confirmed by the office director with `approvals.give` (roles.md section 1).

    Raises:
        Refused: not on paper, checked already, changed or expired meanwhile; the person who entered or who gave it,
            or one hand with either.
    """
    with acting(station, actor, "approval.check", objects=(approval,)) as session:
        row = session.get(Approval, approval)
        if row is None:
            raise NotThere("no_approval", approval=approval)
        if not row.paper or row.state != "requested":
            raise Refused("approval_closed", approval=approval, state=row.state)
        approvals.require_live(station, session, row)
        acts = {
            act.act: act
            for act in session.scalars(select(ApprovalAct).where(ApprovalAct.approval_id == approval))
        }
        entered = acts.get("enter")
        if entered is None or "check" in acts:
            raise Refused("approval_closed", approval=approval, state="checked" if entered else "-")
        approver = json.loads(entered.statement)["approver"]
        desk = four_eyes.acts("approval.paper", "approval.give")
        hands = [(entered.person, desk), (row.requested_by, desk), (str(approver), entered.role)]
        four_eyes.apart(session, actor.person, desk, hands, since=row.requested_at)
        approvals.sign(station, session, row, actor, entered.role, "check", approver=approver)
        approvals.settle(session, row)
        station.log(
            session, "approval.check", objects=(approval,), person=actor.person, account=actor.user,
            role=entered.role, facts={"for": row.act, "state": row.state, "approver": approver},
        )  # fmt: skip
        return approvals.approval_json(session, row)


def give_or_check(station: Station, actor: Actor, *, approval: str) -> dict[str, Any]:
    """`approval give`: an approver's own word, or, from the desk, the check of an approval on paper.

    Raises:
        Refused: as `approvals.give` or `check`.
    """
    with station.read() as session:
        row = session.get(Approval, approval)
        checks = row is not None and row.paper and row.state == "requested" and not actor.roles & LEADERS
    if checks:
        return check(station, actor, approval=approval)
    return approvals.give(station, actor, approval=approval)


def _entered_by_another(
    station: Station, session: Session, actor: Actor, act: str, documents: Sequence[str], data: bytes
) -> str | None:
    """The open approval of the same act, documents and scan that somebody else has entered."""
    wanted = select(Approval).where(
        Approval.act == act,
        Approval.objects == ",".join(sorted(documents)),
        Approval.paper.is_(True),
        Approval.state == "requested",
        Approval.requested_by != actor.person,
    )
    for row in session.scalars(wanted.order_by(Approval.id)):
        if (
            row.paper_slot
            and row.paper_path
            and station.vault.get(session, row.paper_slot, row.paper_path) == data
        ):
            return row.id
    return None


def _role_on_paper(
    station: Station, session: Session, act: str, documents: Sequence[str], person: str
) -> str:
    """The role that the paper speaks for: of a person with rights here one that he holds, else the first asked for."""
    needed = approvals.needed_for(station, session, act, documents)
    accounts = session.scalars(
        select(Account.roles).where(Account.person_id == person, Account.status == "active")
    )
    held = {role for roles in accounts for role in roles.split(",") if role}
    if not needed:
        raise UsageFault("no_approval_needed", act=act)
    for role in needed:
        if not held or approvals.is_outside(role) or approvals.satisfied_by(station, role, held):
            return role
    raise Refused("not_the_approver", person=person, roles="、".join(needed))
