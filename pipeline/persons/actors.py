"""Who acts: account, person, roles and the person's own signing key. The door to every act.

Order of the checks: the role first, before any secret is asked for; then the station's passphrase, then the
account's password, then the clock. A refusal of any of them is in the ledger.

Threats: guessing passwords (Argon2id, lock-out after repeated failures); borrowing rights (dated delegations only,
recorded with the giver); one person behind two accounts (all rules count persons). Not met: whoever holds the
operating system's account and the passphrase can go round roles (docs/known-limits.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import iso, today
from ...common.errors import JiyaoError, NotThere, Refused, UsageFault, WrongSecret
from ...models.rights import MAY
from ...models.tables import Account, Delegation
from ...vault import cms, kdf, pki
from ...vault.pki import Credential
from ...vault.suite import suite_named
from ...vault.wipe import wiped
from ..station import authority, clock_guard
from ..station.secrets import Secrets
from ..station.station import Station
from . import clearances

FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated account. `delegated` maps a role held by delegation to the giver's person id."""

    user: str
    person: str
    roles: frozenset[str]
    own_roles: frozenset[str]
    delegated: dict[str, str]
    clearance: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    """CMS (DER, detached) over a canonical statement by the person's own key, at the station's time."""
    today: Callable[[], str] = field(repr=False)
    """The station's date, ISO."""

    def role_for(self, wanted: frozenset[str]) -> str:
        """One of the wanted roles that this account holds, own before delegated.

        Raises:
            Refused: it holds none.
        """
        for roles in (self.own_roles, self.roles):
            if held := sorted(roles & wanted):
                return held[0]
        raise Refused("role_missing", user=self.user, roles="、".join(sorted(wanted)))


def enter(station: Station, *, user: str | None, act: str, secrets: Secrets) -> Actor:
    """Checks role, passphrase and password of the acting account, and gives it its signing key.

    Raises:
        UsageFault: no acting account was named.
        Refused: the account's roles do not reach the act.
        WrongSecret: wrong passphrase or password, locked or disabled account.
    """
    if not user:
        raise UsageFault("no_user")
    with station.read() as session:
        account = session.get(Account, user)
        if account is None:
            raise NotThere("no_account", user=user)
        own, delegated = _roles(station, session, account)
        person = account.person_id
    roles = own | frozenset(delegated)
    if not roles & MAY[act]:
        with station.write() as session:
            station.log(
                session, act, person=person, account=user, result="denied", rule="role_missing",
                facts={"authenticated": False},
            )  # fmt: skip
        raise Refused("role_missing", user=user, roles="、".join(sorted(MAY[act])))
    station.unlock(secrets.passphrase(), secrets)
    password = secrets.password(user)
    _check_password(station, user, password, act)
    with station.write() as session:
        doubt = clock_guard.look(station, session)
        if doubt is not None and not own & MAY[act]:
            station.log(
                session, act, person=person, account=user, result="denied", rule="clock_unconfirmed",
                facts={"authenticated": True},
            )  # fmt: skip
            refused = True
        else:
            account = session.get_one(Account, user)
            signer = _signer(station, session, account, password)
            clearance = clearances.of_account(session, account)
            refused = False
    if doubt is not None:
        if refused:
            raise clock_guard.refusal(station, doubt)
        roles, delegated = own, {}

    def sign(statement: bytes) -> bytes:
        return authority.sign_statement(station, statement, signer)

    return Actor(
        user=user,
        person=person,
        roles=roles,
        own_roles=own,
        delegated=delegated,
        clearance=clearance,
        sign=sign,
        today=lambda: today(station.clock).isoformat(),
    )


@contextmanager
def acting(
    station: Station, actor: Actor, act: str, *, objects: tuple[str, ...] = (), level: str | None = None
) -> Iterator[Session]:
    """A writing transaction for one act; what refuses it is written to the ledger and raised again."""
    try:
        with station.write() as session:
            yield session
    except JiyaoError as error:
        if error.exit_code in (3, 4, 7):
            with station.write() as session:
                station.log(
                    session, act, objects=objects, person=actor.person, account=actor.user, level=level,
                    result="denied" if error.exit_code == 4 else "failed", rule=error.code,
                )  # fmt: skip
        raise


def _roles(station: Station, session: Session, account: Account) -> tuple[frozenset[str], dict[str, str]]:
    own = frozenset(filter(None, account.roles.split(",")))
    day = today(station.clock).isoformat()
    delegated: dict[str, str] = {}
    for row in session.scalars(select(Delegation).where(Delegation.taker == account.user)):
        giver = session.get_one(Account, row.giver)
        if (
            row.since[:10] <= day <= row.until
            and giver.status == "active"
            and row.role in giver.roles.split(",")
        ):
            delegated[row.role] = giver.person_id
    return own, delegated


def _check_password(station: Station, user: str, password: str, act: str) -> None:
    now = station.clock.now()
    with station.write() as session:
        account = session.get_one(Account, user)
        if account.status != "active":
            code = "account_disabled"
        elif account.locked_until and account.locked_until > iso(now):
            code = "account_locked"
        elif kdf.verify_password(password, account.password_hash):
            account.failures = 0
            account.locked_until = None
            return
        else:
            code = "wrong_password"
            account.failures += 1
            if account.failures >= FAILURES:
                account.locked_until = iso(now + LOCKED_FOR)
                account.failures = 0
        station.log(
            session, "account.enter", person=account.person_id, account=user, result="denied", rule=code,
            facts={"for": act},
        )  # fmt: skip
        until = account.locked_until or ""
    raise WrongSecret(code, user=user, until=until)


def _signer(station: Station, session: Session, account: Account, password: str) -> Credential:
    """The person's key and certificate; made at the first act, the key wrapped under the password."""
    if account.signing_key is not None and account.certificate is not None:
        plain = kdf.unwrap_for_person(account.signing_key, password=password, user=account.user)
        with wiped(plain):
            key = pki.key_from_bytes(bytes(plain))
        return Credential(key=key, certificate=x509.load_der_x509_certificate(account.certificate))
    made = authority.make_person(station, session, account.person_id)
    account.signing_key = kdf.wrap_for_person(
        pki.key_to_bytes(made.key),
        password=password,
        user=account.user,
        suite=suite_named(station.settings.suite),
        profile=station.settings.kdf,
    )
    account.certificate = made.certificate_der
    station.log(
        session, "account.key", person=account.person_id, account=account.user,
        facts={"certificate_sha256": cms.certificate_sha256(made.certificate)},
    )  # fmt: skip
    return made
