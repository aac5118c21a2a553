"""Persons, accounts, rights and delegations."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from ..models.rights import CLEARANCES
from ..pipeline.persons import deputies, people, vetting
from . import show
from .frame import DATE, Room, argument, bounded, current, enter, option, secrets

person = Room("person")
account = Room("account")
_COLUMNS = ("user", "person", "name", "roles", "clearance", "status")
_CLEARANCE = "|".join(CLEARANCES)
_DEPUTY = ("id", "person", "name", "deputy", "deputy_name", "since", "until")


@person.command("add")
@argument("id_", metavar="ID")
@option("--name", required=True, metavar="N")
@option("--clearance", default="none", metavar=_CLEARANCE)
@option("--dept", metavar="D")
@option("--until", type=DATE, metavar="DATE")
def person_add(id_: str, **given: Any) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person")
        return people.add_person(station, actor, person=id_, **given)

    show.run(work, _draw)


@person.command("renew")
@argument("id_", metavar="ID")
@option("--until", required=True, type=DATE, metavar="DATE")
@option("--clearance", metavar=_CLEARANCE)
def person_renew(id_: str, until: date, clearance: str | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person.vet")
        return vetting.renew(station, actor, person=id_, until=until, clearance=clearance)

    show.run(work, _draw)


@person.command("suspend")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def person_suspend(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person.vet")
        return vetting.suspend(station, actor, person=id_, reason=reason)

    show.run(work, _draw)


@person.command("resume")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def person_resume(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person.vet")
        return vetting.resume(station, actor, person=id_, reason=reason)

    show.run(work, _draw)


@person.command("deputy")
@argument("id_", metavar="ID")
@option("--to", required=True, metavar="PERSON")
@option("--until", required=True, type=DATE, metavar="DATE")
@option("--since", type=DATE, metavar="DATE")
def person_deputy(id_: str, to: str, until: date, since: date | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("person.deputy")
        return deputies.appoint(station, actor, person=id_, deputy=to, until=until, since=since)

    show.run(work, show.record)


@person.command("deputies")
@option("--end", type=int, metavar="N")
@option("--all", "ended", is_flag=True)
@bounded()
@option("--after", metavar="N")
def person_deputies(end: int | None, ended: bool, limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, actor = enter("person.deputy" if end is not None else "person.deputies")
        if end is not None:
            return lambda **_: {**one(station, actor, end), "more": False, "next": None}
        return partial(deputies.list_deputies, station, actor, ended=ended)

    def one(station: Any, actor: Any, number: int) -> dict[str, Any]:
        return {"deputies": [deputies.end(station, actor, deputy=number)]}

    show.listing(work, "deputies", show.rows("deputies", _DEPUTY), limit=limit, after=after)


@person.command("list")
@bounded()
@option("--after", metavar="ID")
def person_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, _ = enter("person.list")
        return partial(people.list_persons, station)

    show.listing(work, "persons", lambda value: _draw_all(value["persons"]), limit=limit, after=after)


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
@option("--until", type=DATE, metavar="DATE")
def account_grant(user_: str, role: tuple[str, ...], clearance: str | None, until: date | None) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("account.grant")
        return people.grant(station, actor, user=user_, roles=role, clearance=clearance, until=until)

    show.run(work, _draw)


@account.command("list")
@bounded()
@option("--after", metavar="USER")
def account_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, _ = enter("account.list")
        return partial(people.list_accounts, station)

    show.listing(work, "accounts", lambda value: _draw_all(value["accounts"]), limit=limit, after=after)


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
    show.record(value, (*_COLUMNS, "clearance_until", "clearance_state", "delegated"))


def _draw_all(rows: list[dict[str, Any]]) -> None:
    show.table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
