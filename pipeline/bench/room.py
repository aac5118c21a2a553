"""A station to measure in: weak key derivation, secrets nobody learns, one account; it lies in the run's folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...common.token_uri import TokenUri
from ...models.level import Level
from ...models.tables import Account
from ..persons import actors, people
from ..persons.actors import Actor
from ..station.founding import Plan, found_station
from ..station.station import Station

_USER = "bench"


class _Thrown:
    """Secrets made for this run and forgotten with it."""

    def __init__(self) -> None:
        self._word = secrets.token_urlsafe()
        """Also everybody's password."""

    def passphrase(self, *, new: bool = False) -> str:  # noqa: ARG002
        """The passphrase."""
        return self._word

    def password(self, user: str, *, new: bool = False) -> str:  # noqa: ARG002
        """Everybody's password."""
        return self._word

    def pin(self, token: TokenUri) -> str:  # noqa: ARG002
        """Of no use: this station's root is a file."""
        return self._word


@dataclass(frozen=True, slots=True)
class BenchRoom:
    """A station to measure in: open in this process, and `environment` for commands of their own."""

    station: Station
    actor: Actor
    environment: dict[str, str]

    @property
    def command_environment(self) -> dict[str, str]:
        """All of a command's environment: nothing of another station's in it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("JIYAO_")}
        return {**own, **self.environment}


@contextmanager
def bench_station(folder: Path) -> Iterator[tuple[Station, Actor]]:
    """As `bench_room`, for measuring in this process alone."""
    with bench_room(folder) as room:
        yield room.station, room.actor


@contextmanager
def bench_room(folder: Path) -> Iterator[BenchRoom]:
    """A new station of the highest level under `folder`, and a clerk who is an auditor too."""
    words = _Thrown()
    home, passwords = folder / "station", folder / "passwords"
    plan = Plan(
        unit="样张市测速局",
        single_root=True,
        station_level=Level.STATE_TOP,
        authorisation="bench",
        kdf="test",
    )
    found_station(home, plan, words)
    station = Station.open(home)
    try:
        station.unlock(words.passphrase())
        with station.write() as session:
            people.new_person(station, session, person=_USER, name=_USER, clearance="core", dept=None)
            people.new_account(station, session, user=_USER, person=_USER, password=words.password(_USER))
            session.get_one(Account, _USER).roles = "jiyao_clerk,scan_operator,auditor"
        passwords.touch(mode=0o600)
        passwords.write_text(f"{_USER}:{words.password(_USER)}\n", "utf-8")
        environment = {
            "JIYAO_HOME": str(home), "JIYAO_PASSPHRASE": words.passphrase(), "JIYAO_PASSWORDS_FILE": str(passwords),
        }  # fmt: skip
        yield BenchRoom(station, actors.enter(station, user=_USER, act="ingest", secrets=words), environment)
    finally:
        station.engine.dispose()
