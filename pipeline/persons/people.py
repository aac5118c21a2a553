"""Persons and accounts, rights and delegations. A person may exist without an account; an account has one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NotThere, Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.rights import ADMINISTRATORS, BUSINESS, CLEARANCES, ROLES
from ...models.tables import Account, Delegation, Person
from ...vault import kdf
from ..station.secrets import Secrets
from ..station.station import Station
from . import clearances, four_eyes
from .actors import Actor, acting
from .rights_record import require_rights

_PERSON = "person"


def add_person(
    station: Station,
    actor: Actor,
    *,
    person: str,
    name: str,
    clearance: str = "none",
    dept: str | None = None,
    until: date | None = None,
) -> dict[str, Any]:
    """Registers a person; `until`: the last day on which the clearance counts.

    Raises:
        Refused: the id is taken, or a day that is over.
        UsageFault: unknown clearance.
    """
    _known_clearance(clearance)
    with acting(station, actor, "person.add", objects=(person,)) as session:
        new_person(station, session, person=person, name=name, clearance=clearance, dept=dept)
        clearances.limit(session.get_one(Person, person), until, session.info["day"])
        station.log(
            session, "person.add", objects=(person,), person=actor.person, account=actor.user,
            facts={"clearance": clearance, "until": until.isoformat() if until else None},
        )  # fmt: skip
        return person_json(station, session, person)


def new_person(
    station: Station, session: Session, *, person: str, name: str, clearance: str, dept: str | None
) -> None:
    """The person's row, in the caller's transaction."""
    if not person or len(person) > 64 or any(char in person for char in ", \n\t"):
        raise UsageFault("bad_id", id=person)
    if session.get(Person, person) is not None:
        raise Refused("person_exists", person=person)
    session.add(
        Person(
            id=person,
            sealed=station.seal(session, _PERSON, {"name": name, "dept": dept}, bind=person),
            clearance=clearance,
            created_at=station.now(),
        )
    )
    session.flush()


def list_persons(station: Station, *, limit: int = PAGE, after: str | None = None) -> dict[str, Any]:
    """Persons by id, with their accounts; `after`: goes on behind this one."""
    with station.read() as session:
        wanted = select(Person).where(Person.id > (after or "")).order_by(Person.id)
        rows, rest = cut(session.scalars(wanted.limit(limit + 1)).all(), limit, lambda row: row.id)
        accounts: dict[str, list[Account]] = {row.id: [] for row in rows}
        for account in clearances.accounts_of(session, accounts):
            accounts[account.person_id].append(account)
        return {"persons": [_person(station, session, row, accounts[row.id]) for row in rows], **rest}


def person_json(station: Station, session: Session, person: str) -> dict[str, Any]:
    """A person as the command line shows it; roles and clearance are those that hold now."""
    accounts = clearances.accounts_of(session, (person,))
    return _person(station, session, session.get_one(Person, person), accounts)


def _person(station: Station, session: Session, row: Person, accounts: Sequence[Account]) -> dict[str, Any]:
    fields, account = _fields(station, session, row), next(iter(accounts), None)
    return {
        "user": account.user if account else None,
        "person": row.id,
        "name": fields["name"],
        "dept": fields["dept"],
        "roles": _split(account.roles) if account else [],
        **clearances.plain(session, row, accounts),
        "status": account.status if account else "no_account",
    }


def clearance_of(session: Session, person: str) -> str:
    """The clearance that counts today: the highest granted to an active account, else the person's own; it reaches
    nothing where it is suspended, over or closed.
    """
    return clearances.counts(session, person)


def roles_of(session: Session, person: str) -> frozenset[str]:
    """The roles of a person's active accounts."""
    rows = session.scalars(
        select(Account.roles).where(Account.person_id == person, Account.status == "active")
    )
    return frozenset(role for roles in rows for role in _split(roles))


def _fields(station: Station, session: Session, row: Person) -> dict[str, Any]:
    return station.unseal(session, _PERSON, row.sealed, bind=row.id)


def name_of(station: Station, session: Session, person: str) -> str:
    """A person's name."""
    return str(_fields(station, session, session.get_one(Person, person))["name"])


def department_of(station: Station, session: Session, person: str) -> str | None:
    """A person's department, where one was said."""
    dept = _fields(station, session, session.get_one(Person, person))["dept"]
    return str(dept) if dept else None


def find_person(station: Station, session: Session, word: str) -> str:
    """A person's id from the id, or from a name that is unique.

    Raises:
        NotThere: nobody; UsageFault: more than one of that name.
    """
    if session.get(Person, word) is not None:
        return word
    found = [
        row.id
        for row in session.scalars(select(Person).order_by(Person.id))
        if _fields(station, session, row)["name"] == word
    ]
    if not found:
        raise NotThere("no_person", person=word)
    if len(found) > 1:
        raise UsageFault("ambiguous_person", person=word, ids="、".join(found))
    return found[0]


# ---------------------------------------------------------------- accounts


def add_account(
    station: Station, actor: Actor, secrets: Secrets, *, user: str, name: str, person: str
) -> dict[str, Any]:
    """Makes an account without any right. A person not yet registered is registered with this name.

    Raises:
        Refused: the account exists.
    """
    password = secrets.password(user, new=True)
    with acting(station, actor, "account.add", objects=(user,)) as session:
        if session.get(Person, person) is None:
            new_person(station, session, person=person, name=name, clearance="none", dept=None)
        new_account(station, session, user=user, person=person, password=password)
        station.log(session, "account.add", objects=(user, person), person=actor.person, account=actor.user)
        return account_json(station, session, user)


def new_account(station: Station, session: Session, *, user: str, person: str, password: str) -> Account:
    """The account's row, in the caller's transaction."""
    if not user or len(user) > 64 or any(char in user for char in ":, \n\t"):
        raise UsageFault("bad_id", id=user)
    if session.get(Account, user) is not None:
        raise Refused("account_exists", user=user)
    account = Account(
        user=user,
        person_id=person,
        roles="",
        clearance=session.get_one(Person, person).clearance,
        status="active",
        password_hash=kdf.hash_password(password, profile=station.settings.kdf),
        failures=0,
        created_at=station.now(),
    )
    session.add(account)
    session.flush()
    return account


def grant(
    station: Station,
    actor: Actor,
    *,
    user: str,
    roles: tuple[str, ...],
    clearance: str | None,
    until: date | None = None,
) -> dict[str, Any]:
    """Grants roles (added to those held) and sets the clearance.

    The three administrators stay apart from each other and from every business role, by person
    (roles.md section 3; TL art. 34).

    Raises:
        Refused: roles that may not meet in one person, one's own rights, or what the committee has not approved.
    """
    for role in roles:
        if role not in ROLES:
            raise UsageFault("unknown_role", role=role, roles="、".join(sorted(ROLES)))
    if clearance is not None:
        _known_clearance(clearance)
    with acting(station, actor, "account.grant", objects=(user,)) as session:
        account = _account(session, user)
        _not_own(station, session, actor, account)
        wanted = set(_split(account.roles)) | set(roles)
        approval = require_rights(
            station, session, account.person_id, wanted - set(_split(account.roles)),
            clearance if clearance != account.clearance else None,
        )  # fmt: skip
        _roles_apart(session, account, wanted, small_room=station.policy.choices["small_room"] is True)
        account.roles = ",".join(sorted(wanted))
        if clearance is not None:
            account.clearance = clearance
        if until is not None:
            clearances.limit(session.get_one(Person, account.person_id), until, session.info["day"])
        station.log(
            session, "account.grant", objects=(user,), person=actor.person, account=actor.user, rule=approval or "",
            facts={
                "roles": [*sorted(roles)], "clearance": clearance, "until": until.isoformat() if until else None,
            },
        )  # fmt: skip
        return account_json(station, session, user)


def _not_own(station: Station, session: Session, actor: Actor, account: Account) -> None:
    """Nobody changes his own rights, nor those of whose hand he is."""
    four_eyes.apart(
        session, actor.person, four_eyes.acts("account.grant", "account.disable"), [(account.person_id, None)],
        since=station.now(), same="own_rights", user=account.user,
    )  # fmt: skip


def _roles_apart(session: Session, account: Account, wanted: set[str], *, small_room: bool) -> None:
    others = session.scalars(
        select(Account).where(Account.person_id == account.person_id, Account.user != account.user)
    )
    held = wanted.union(*(_split(other.roles) for other in others))
    administrators = held & ADMINISTRATORS
    together = {"sysadmin", "secadmin"} if small_room else set()
    if len(administrators) > 1 and administrators != together:
        raise Refused("administrators_apart", user=account.user)
    if administrators and held & BUSINESS:
        raise Refused("administrator_no_business", user=account.user)


def list_accounts(station: Station, *, limit: int = PAGE, after: str | None = None) -> dict[str, Any]:
    """Accounts by name; `after`: goes on behind this one."""
    with station.read() as session:
        wanted = select(Account.user).where(Account.user > (after or "")).order_by(Account.user)
        users, rest = cut(session.scalars(wanted.limit(limit + 1)).all(), limit, str)
        return {"accounts": [account_json(station, session, user) for user in users], **rest}


def disable(station: Station, actor: Actor, *, user: str) -> dict[str, Any]:
    """Closes an account for good.

    Raises:
        Refused: one's own account.
    """
    with acting(station, actor, "account.disable", objects=(user,)) as session:
        account = _account(session, user)
        _not_own(station, session, actor, account)
        account.status = "disabled"
        station.log(session, "account.disable", objects=(user,), person=actor.person, account=actor.user)
        return account_json(station, session, user)


def change_password(station: Station, actor: Actor, secrets: Secrets, *, user: str) -> dict[str, Any]:
    """Sets a new password: one's own, or a forgotten one by the system administrator.

    The signing key stands under the password, so a new one is made at the next act; the old certificate keeps
    what was signed with it verifiable.

    Raises:
        Refused: somebody else's password without being the system administrator.
    """
    with station.read() as session:
        _account(session, user)
    if user != actor.user and "sysadmin" not in actor.own_roles:
        raise Refused("not_your_account", user=user)
    password = secrets.password(user, new=True)
    with acting(station, actor, "account.password", objects=(user,)) as session:
        account = _account(session, user)
        account.password_hash = kdf.hash_password(password, profile=station.settings.kdf)
        account.signing_key = account.certificate = None
        account.failures, account.locked_until = 0, None
        station.log(session, "account.password", objects=(user,), person=actor.person, account=actor.user)
        return account_json(station, session, user)


def delegate(
    station: Station, actor: Actor, *, giver: str, taker: str, role: str, until: date
) -> dict[str, Any]:
    """Delegates a role that the giver holds to another account until a date (inclusive): by the giver, or entered by
    the security administrator, who could grant it as well.

    Raises:
        Refused: somebody else's role, a role the giver does not hold, an administrator's role, to oneself, to an
            administrator, or until a past date.
    """
    with acting(station, actor, "account.delegate", objects=(giver, taker)) as session:
        from_account, to_account = _account(session, giver), _account(session, taker)
        if giver != actor.user and "secadmin" not in actor.own_roles:
            raise Refused("not_your_role", user=giver, role=role)
        if role in ADMINISTRATORS or role not in _split(from_account.roles):
            raise Refused("not_your_role", user=giver, role=role)
        if to_account.person_id == from_account.person_id or set(_split(to_account.roles)) & ADMINISTRATORS:
            raise Refused("delegate_to", user=taker)
        if until < today(station.clock):
            raise Refused("date_past", date=until.isoformat())
        new = {role} - set(_split(to_account.roles))
        approval = require_rights(station, session, to_account.person_id, new, None)
        session.add(
            Delegation(giver=giver, taker=taker, role=role, since=station.now(), until=until.isoformat())
        )
        station.log(
            session, "account.delegate", objects=(giver, taker), person=actor.person, account=actor.user,
            rule=approval or "", facts={"role": role, "until": until.isoformat()},
        )  # fmt: skip
        return {
            **account_json(station, session, taker),
            "delegated": {"from": giver, "role": role, "until": until.isoformat()},
        }


def account_json(station: Station, session: Session, user: str) -> dict[str, Any]:
    """An account as the command line shows it."""
    account = _account(session, user)
    return {
        "user": user,
        "person": account.person_id,
        "name": name_of(station, session, account.person_id),
        "roles": _split(account.roles),
        "clearance": account.clearance,
        "status": account.status,
    }


def _account(session: Session, user: str) -> Account:
    account = session.get(Account, user)
    if account is None:
        raise NotThere("no_account", user=user)
    return account


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _known_clearance(clearance: str) -> None:
    if clearance not in CLEARANCES:
        raise UsageFault("unknown_clearance", clearance=clearance, clearances="、".join(CLEARANCES))
