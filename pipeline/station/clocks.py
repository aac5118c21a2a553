"""The station's clock as its users see it: what it shows, whether it is trusted, and the word of two persons."""

from __future__ import annotations

from typing import Any

from ..persons.actors import Actor, acting
from . import clock_guard
from .station import Station


def show(station: Station) -> dict[str, Any]:
    """The clock, and whether time is trusted now."""
    with station.write() as session:
        doubt = clock_guard.look(station, session)
    return {"now": station.now(), "trusted": doubt is None, "doubt": doubt}


def confirm(station: Station, actor: Actor) -> dict[str, Any]:
    """One person's word that the clock is right; two persons' end the doubt.

    Raises:
        Refused: the same person twice.
    """
    with acting(station, actor, "clock.confirm") as session:
        value = clock_guard.confirm(session, actor.person)
        station.log(
            session, "clock.confirm", person=actor.person, account=actor.user,
            facts={"trusted": value["trusted"]},
        )  # fmt: skip
        return {"now": station.now(), **value}
