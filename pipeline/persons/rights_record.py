"""Whether the committee approved the rights that a person is about to be given (`rights.py` tells how; R-130).

Binding where the unit chose so (`rights_approval: committee`): new roles, a higher or other clearance, and a role that
somebody delegates.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused
from ...models.tables import Matter
from ..station.station import Station

KIND: Final = "rights"
_WORDS: Final = "matter"
"""Purpose under which the desk seals a matter's words."""


def require_rights(
    station: Station, session: Session, person: str, roles: Iterable[str], clearance: str | None
) -> str | None:
    """The matter in which the committee approved all of these for the person; None where nothing needs it.

    Args:
        roles: those that are new. clearance: the new one; None where it stays.

    Raises:
        Refused: `rights_not_approved`.
    """
    wanted = frozenset(roles)
    if station.policy.choices.get("rights_approval") != "committee" or not (wanted or clearance):
        return None
    oldest = (today(station.clock) - timedelta(days=station.policy.approval_days)).isoformat()
    rows = session.scalars(
        select(Matter)
        .where(Matter.kind == KIND, Matter.state == "closed", Matter.closed_at >= oldest)
        .order_by(Matter.id.desc())
    )
    for matter in rows:
        words = station.unseal(session, _WORDS, matter.sealed, bind=matter.id)
        approved = frozenset(split_roles(words.get("roles")))
        if (
            words.get("person") == person
            and wanted <= approved
            and clearance in (None, words.get("clearance"))
        ):
            return matter.id
    asked = "、".join(filter(None, (*sorted(wanted), clearance)))
    raise Refused("rights_not_approved", person=person, rights=asked)


def split_roles(text: object) -> list[str]:
    """Roles as a person writes them, one after another."""
    return [part.strip() for part in str(text or "").replace("、", ",").split(",") if part.strip()]
