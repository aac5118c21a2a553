"""A person's clearance as it counts today: reviewed, dated, suspended, renewed (roles.md section 4; BMF art. 43, 46).

It counts from the person's active account with the highest one, or from the person where there is no account. A
clearance that is suspended or over reaches nothing, and so does that of a person whose every account is closed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.rights import CLEARANCES
from ...models.tables import Account, Person

State = Literal["valid", "suspended", "expired", "disabled"]
NOTHING = ""
"""No clearance of the policy: reaches no level."""


def granted(session: Session, person: str) -> str:
    """The highest clearance granted to an active account, else the person's own."""
    return _granted(session.get_one(Person, person), accounts_of(session, (person,)))


def _granted(row: Person, accounts: Sequence[Account]) -> str:
    active = [account.clearance for account in accounts if account.status == "active"]
    return max(active or [row.clearance], key=CLEARANCES.index)


def state(session: Session, person: str) -> State:
    """Whether it counts today, and if not, why."""
    return _state(session, session.get_one(Person, person), accounts_of(session, (person,)))


def _state(session: Session, row: Person, accounts: Sequence[Account]) -> State:
    if row.suspended_at is not None:
        return "suspended"
    if row.clearance_until is not None and row.clearance_until < session.info["day"]:
        return "expired"
    if accounts and all(account.status != "active" for account in accounts):
        return "disabled"
    return "valid"


def counts(session: Session, person: str) -> str:
    """The clearance that counts today; `NOTHING` where it is suspended, over, or closed."""
    return granted(session, person) if state(session, person) == "valid" else NOTHING


def of_account(session: Session, account: Account) -> str:
    """What the account's clearance reaches today."""
    return account.clearance if state(session, account.person_id) == "valid" else NOTHING


def limit(row: Person, until: date | None, day: str) -> None:
    """Sets the last day on which it counts.

    Raises:
        Refused: `date_past`.
    """
    if until is not None and until.isoformat() < day:
        raise Refused("date_past", date=until.isoformat())
    row.clearance_until = until.isoformat() if until else None


def plain(session: Session, row: Person, accounts: Sequence[Account]) -> dict[str, Any]:
    """What the command line shows of it. `accounts`: the person's."""
    return {
        "clearance": _granted(row, accounts),
        "clearance_until": row.clearance_until,
        "clearance_state": _state(session, row, accounts),
    }


def accounts_of(session: Session, persons: Collection[str]) -> list[Account]:
    """All accounts of these persons, each one's first account first."""
    return list(
        session.scalars(
            select(Account).where(Account.person_id.in_(persons)).order_by(Account.created_at, Account.user)
        )
    )
