"""Incidents: a broken seal, a lost copy, a paper above the station's level; followed to their end."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..pipeline.papers import incidents
from . import show
from .frame import Room, argument, bounded, enter, option

incident = Room("incident")


@incident.command("list")
@bounded()
@option("--after", metavar="ID")
def incident_list(limit: int, after: str | None) -> None:
    def work() -> show.Ask:
        station, _ = enter("incident")
        return partial(incidents.list_incidents, station)

    keys = ("id", "kind", "level", "state", "document", "copy", "at", "by")
    show.listing(work, "incidents", show.rows("incidents", keys), limit=limit, after=after)


@incident.command("close")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def incident_close(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("incident.close")
        return incidents.close_incident(station, actor, incident=id_, reason=reason)

    show.run(work, show.record)
