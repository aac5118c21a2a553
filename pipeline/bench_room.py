"""A station to measure in: weak key derivation, secrets nobody learns, one account; it lies in the run's folder."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..models.level import Level
from ..models.tables import Account
from . import actors, people
from .actors import Actor
from .founding import Plan, found_station
from .station import Station

_USER = "bench"


class _Thrown:
    """Secrets made for this run and forgotten with it."""

    def __init__(self) -> None:
        self._word = secrets.token_urlsafe()

    def passphrase(self, *, new: bool = False) -> str:  # noqa: ARG002
        """The passphrase."""
        return self._word

    def password(self, user: str, *, new: bool = False) -> str:  # noqa: ARG002
        """Everybody's password."""
        return self._word


@contextmanager
def bench_station(folder: Path) -> Iterator[tuple[Station, Actor]]:
    """A new station of the highest level under `folder`, and a clerk who is an auditor too."""
    words = _Thrown()
    home = folder / "station"
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
            session.get_one(Account, _USER).roles = "jiyao_clerk,auditor"
        yield station, actors.enter(station, user=_USER, act="ingest", secrets=words)
    finally:
        station.engine.dispose()
