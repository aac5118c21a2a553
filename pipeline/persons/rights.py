"""权限审批: a person's roles and clearance are asked for, and approved by the secrecy committee (003-I§3.2; R-130).

The matter `rights` says who asks and who approves; here is only that what is asked for exists, and that nobody takes
part in a decision about himself.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...common.errors import NotThere, UsageFault
from ...models.rights import CLEARANCES, ROLES
from ...models.tables import Account, Matter
from ..desk import matters
from ..station.station import Station
from . import four_eyes
from .actors import Actor
from .rights_record import split_roles


def check_rights(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """What is asked for: roles or a clearance of an account, whose person is noted.

    Raises:
        UsageFault: an unknown role or clearance, or neither. NotThere: no such account. Refused: one's own rights.
    """
    words = matters.words_of(station, session, matter)
    account = session.get(Account, str(words.get("account") or ""))
    if account is None:
        raise NotThere("no_account", user=str(words.get("account") or "—"))
    roles, clearance = split_roles(words.get("roles")), str(words.get("clearance") or "")
    for role in roles:
        if role not in ROLES:
            raise UsageFault("unknown_role", role=role, roles="、".join(sorted(ROLES)))
    if clearance and clearance not in CLEARANCES:
        raise UsageFault("unknown_clearance", clearance=clearance, clearances="、".join(CLEARANCES))
    if not roles and not clearance:
        raise UsageFault(
            "matter_needs", step=matters.rule_of(station, matter.kind).zh, needs="roles、clearance"
        )
    _not_own(station, session, actor, account.person_id, account.user)
    matters.note(station, session, matter, {"person": account.person_id})


def approve_rights(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """A member of the committee enters its decision, never about himself.

    Raises:
        Refused: `own_rights`.
    """
    words = matters.words_of(station, session, matter)
    _not_own(station, session, actor, str(words.get("person")), str(words.get("account")))


def _not_own(station: Station, session: Session, actor: Actor, person: str, user: str) -> None:
    """The person has no part in it, nor has whose hand he is."""
    roles = four_eyes.acts("matter.do")
    four_eyes.apart(
        session, actor.person, roles, [(person, None)], since=station.now(), same="own_rights", user=user
    )
