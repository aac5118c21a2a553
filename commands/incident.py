"""Incidents: a broken seal, a lost copy, a paper above the station's level; followed to their end."""

from __future__ import annotations

from typing import Any

from ..pipeline.papers import incidents
from . import show
from .frame import Room, argument, enter, option

incident = Room("incident")


@incident.command("list")
def incident_list() -> None:
    def work() -> dict[str, Any]:
        station, _ = enter("incident")
        return incidents.list_incidents(station)

    keys = ("id", "kind", "level", "state", "document", "copy", "at", "by")
    show.run(work, lambda value: show.table(keys, [[row[key] for key in keys] for row in value["incidents"]]))


@incident.command("close")
@argument("id_", metavar="ID")
@option("--reason", required=True, metavar="T")
def incident_close(id_: str, reason: str) -> None:
    def work() -> dict[str, Any]:
        station, actor = enter("incident.close")
        return incidents.close_incident(station, actor, incident=id_, reason=reason)

    show.run(work, show.record)
