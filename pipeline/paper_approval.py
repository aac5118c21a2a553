"""Approvals given on paper: entered by one person with the scan, checked by another (roles.md: outside bodies too)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..common.errors import NotThere, Refused
from ..common.limits import DEFAULT_LIMITS
from ..models.tables import Approval, ApprovalAct
from . import approvals, people
from .actors import Actor, acting
from .inbox import Unreadable, read_file
from .station import Station


def enter(
    station: Station, actor: Actor, *, act: str, documents: Sequence[str], scan: Path, approver: str
) -> dict[str, Any]:
    """Enters a paper approval with its scan, sealed. It counts only once another person has checked it.

    Raises:
        NotThere: no such file or person. Refused, UsageFault: as for a request.
    """
    try:
        data = read_file(scan, DEFAULT_LIMITS.file_bytes)
    except Unreadable as error:
        raise NotThere("no_file", file=str(scan)) from error
    with station.read() as session:
        person = people.find_person(station, session, approver)
    if person == actor.person:
        raise Refused("own_request", person=person)
    value = approvals.request(station, actor, act=act, documents=documents, paper=True)
    with acting(station, actor, "approval.paper", objects=(value["id"],)) as session:
        row = session.get_one(Approval, value["id"])
        row.paper_slot = station.vault.new_slot(session)
        row.paper_path = station.vault.put(session, row.paper_slot, "paper", data, area="approvals").path
        approvals.sign(station, session, row, actor, row.needed, "enter", approver=person)
        station.log(
            session,
            "approval.paper",
            objects=(row.id, *documents, person),
            person=actor.person,
            account=actor.user,
        )
        return approvals.approval_json(session, row)


def check(station: Station, actor: Actor, *, approval: str) -> dict[str, Any]:
    """The second person has compared the paper; the approval is given.

    Raises:
        Refused: not on paper, closed, or the person who entered it.
    """
    with acting(station, actor, "approval.check", objects=(approval,)) as session:
        row = session.get(Approval, approval)
        if row is None:
            raise NotThere("no_approval", approval=approval)
        if not row.paper or row.state != "requested":
            raise Refused("approval_closed", approval=approval, state=row.state)
        entered = session.scalars(
            select(ApprovalAct.person).where(ApprovalAct.approval_id == approval, ApprovalAct.act == "enter")
        ).one()
        if actor.person in (entered, row.requested_by):
            raise Refused("same_person_twice", person=actor.person)
        approvals.sign(station, session, row, actor, row.needed, "check")
        row.state = "given"
        station.log(session, "approval.check", objects=(approval,), person=actor.person, account=actor.user)
        return approvals.approval_json(session, row)
