"""Persons, accounts, rights and delegations."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..models.rights import CLEARANCES
from ..pipeline import people
from . import show
from .frame import DATE, Room, argument, current, enter, option, secrets

person = Room("person")
account = Room("account")
_COLUMNS = ("user", "person", "name", "roles", "clearance", "status")
_CLEARANCE = "|".join(CLEARANCES)


@person.command("add")
@argument("id_", metavar="ID")
@option("--name", required=True, metavar="N")
@option("--clearance", default="none", metavar=_CLEARANCE)
@option("--dept", metavar="D")
def person_add(id_: str, name: str, clearance: str, dept: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person")
        return people.add_person(station, actor, person=id_, name=name, clearance=clearance, dept=dept)

    show.run(work, _draw)


@person.command("list")
def person_list() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("person.list")
        return people.list_persons(station)

    show.run(work, lambda value: _draw_all(value["persons"]))


@account.command("add")
@argument("user_", metavar="USER")
@option("--name", required=True, metavar="N")
@option("--person", required=True, metavar="ID")
def account_add(user_: str, name: str, person: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("account.add")
        return people.add_account(station, actor, secrets(), user=user_, name=name, person=person)

    show.run(work, _draw)


@account.command("grant")
@argument("user_", metavar="USER")
@option("--role", multiple=True, metavar="R")
@option("--clearance", metavar=_CLEARANCE)
def account_grant(user_: str, role: tuple[str, ...], clearance: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("account.grant")
        return people.grant(station, actor, user=user_, roles=role, clearance=clearance)

    show.run(work, _draw)


@account.command("list")
def account_list() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("account.list")
        return people.list_accounts(station)

    show.run(work, lambda value: _draw_all(value["accounts"]))


@account.command("disable")
@argument("user_", metavar="USER")
def account_disable(user_: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("account.disable")
        return people.disable(station, actor, user=user_)

    show.run(work, _draw)


@account.command("password")
@argument("user_", metavar="[USER]", required=False)
def account_password(user_: str | None) -> None:
    def work() -> dict[str, Any]:
        own = user_ is None or user_ == current().user
        station, actor = enter("account.password" if own else "account.reset")
        return people.change_password(station, actor, secrets(), user=user_ or actor.user)

    show.run(work, _draw)


@account.command("delegate")
@argument("from_", metavar="FROM")
@option("--to", required=True, metavar="USER")
@option("--role", required=True, metavar="R")
@option("--until", required=True, type=DATE, metavar="DATE")
def account_delegate(from_: str, to: str, role: str, until: date) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("delegate")
        return people.delegate(station, actor, giver=from_, taker=to, role=role, until=until)

    show.run(work, _draw)


def _draw(value: dict[str, Any]) -> None:
    show.record(value, (*_COLUMNS, "delegated"))


def _draw_all(rows: list[dict[str, Any]]) -> None:
    show.table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
