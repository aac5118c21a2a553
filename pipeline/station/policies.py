"""Policy versions: the shipped one is active as `provisional` until a leader signs one (003-H§3.5; R-182).

A new version is proposed by the security administrator, who signs as its author, and comes into force with a leader's
signature over the same hash.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.canonical import canonical
from ...common.errors import NotThere, Refused
from ...models.policy.idle import idle_keys
from ...models.policy.loader import parse_policy
from ...models.policy.schema import Policy
from ...models.rights import LEADERS
from ...models.tables import PolicyVersion
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from . import policy_text
from .station import Station


def show(station: Station) -> dict[str, Any]:
    """The policy in force and its history."""
    policy = station.policy
    with station.read() as session:
        rows = session.scalars(select(PolicyVersion).order_by(PolicyVersion.id)).all()
        return {**_summary(policy), "state": _current(rows).state, "versions": [_row(row) for row in rows]}


def check(file: Path) -> dict[str, Any]:
    """Validates a policy file; needs no station. `without_effect`: its keys that the product does not act on yet.

    Raises:
        NotThere: no such file. UsageFault: invalid, with the line.
    """
    text = read_text(file)
    return {"ok": True, **_summary(parse_policy(text)), "without_effect": idle_keys(text)}


def activate(station: Station, actor: Actor, *, file: Path) -> dict[str, Any]:
    """The security administrator proposes a version; a leader's call with the same file signs it into force.

    Raises:
        Refused: a leader signs what was not proposed, or the same person does both.
    """
    text = read_text(file)
    policy = parse_policy(text)
    with acting(station, actor, "policy.activate") as session:
        row = session.scalars(
            select(PolicyVersion).where(
                PolicyVersion.sha256 == policy.sha256, PolicyVersion.state == "proposed"
            )
        ).first()
        if actor.roles & LEADERS:
            _sign(station, session, actor, row, policy)
        elif row is None:
            statement = _statement(station, policy.version, policy.sha256, actor, frozenset({"secadmin"}))
            row = PolicyVersion(
                version=policy.version, sha256=policy.sha256, state="proposed", at=station.now(),
                author=actor.person, author_statement=statement, author_signature=actor.sign(statement),
            )  # fmt: skip
            policy_text.keep(station, session, row, text)
            session.add(row)
            session.flush()
            station.log(session, "policy.propose", person=actor.person, account=actor.user,
                        facts={"policy": policy.sha256})  # fmt: skip
        state = row.state if row else "proposed"
    station.forget_policy()
    return {**_summary(policy), "state": state}


def _sign(
    station: Station, session: Session, actor: Actor, row: PolicyVersion | None, policy: Policy
) -> None:
    if row is None:
        raise Refused("policy_not_proposed", version=policy.version)
    roles = four_eyes.acts("policy.activate")
    four_eyes.apart(session, actor.person, roles, [(str(row.author), roles)], since=row.at)
    statement = _statement(station, row.version, row.sha256, actor, LEADERS)
    for old in session.scalars(
        select(PolicyVersion).where(PolicyVersion.state.in_(("active", "provisional")))
    ):
        old.state = "former"
    row.state, row.leader = "active", actor.person
    row.statement, row.signature = statement, actor.sign(statement)
    station.log(session, "policy.activate", person=actor.person, account=actor.user,
                facts={"policy": row.sha256})  # fmt: skip


def _statement(station: Station, version: str, sha256: str, actor: Actor, roles: frozenset[str]) -> bytes:
    return canonical(
        {
            "type": "jiyao.policy-approval/1", "version": version, "sha256": sha256,
            "person": actor.person, "role": actor.role_for(roles), "at": station.now(),
        }
    )  # fmt: skip


def _current(rows: Any) -> PolicyVersion:
    found: PolicyVersion = [row for row in rows if row.state in ("active", "provisional")][-1]
    return found


def _row(row: PolicyVersion) -> dict[str, Any]:
    return {
        "version": row.version, "sha256": row.sha256, "state": row.state, "at": row.at, "author": row.author,
        "leader": row.leader, "signed": [person for person, signature in (
            (row.author, row.author_signature), (row.leader, row.signature)) if signature is not None],
    }  # fmt: skip


def _summary(policy: Policy) -> dict[str, Any]:
    return {
        "version": policy.version,
        "sha256": policy.sha256,
        "levels": [level.value for level in policy.levels],
        "rules": len(policy.rules),
        "unit_items": len(policy.unit_items),
        "retention_rules": len(policy.retention.agency) + len(policy.retention.enterprise),
        "choices": {key: str(value) for key, value in policy.choices.items()},
    }


def read_text(file: Path) -> str:
    """The policy file.

    Raises:
        NotThere: no such file.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotThere("no_file", file=str(file)) from None
