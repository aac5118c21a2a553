"""溯源报告: what a trace says, as a paper for whoever decides. Drawn in the worker, from the files and the answers.

Threats: a report that accuses (its words call a copy number a lead, and weak evidence a weak lead, which nothing else
does); a way round the reading rights (the master page is opened only for a person who may read the document now, and
that reading is on record; for auditors and security administrators the page stays an outline).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import JiyaoError, Refused
from ...common.messages import Lang
from ...models.rights import MAY
from ...models.tables import Copy, Document
from ...models.wire import to_plain
from ..intake.executor import Job, LocalExecutor
from ..intake.judgement import open_artefact
from ..persons import access
from ..persons.actors import Actor
from ..station.station import Station

if TYPE_CHECKING:
    from .tracing import Looked

_SECONDS = 300.0


def draw(
    station: Station,
    actor: Actor,
    worker: LocalExecutor,
    *,
    looked: Sequence[Looked],
    results: Sequence[dict[str, Any]],
    joint: dict[str, Any] | None,
    lang: Lang,
) -> bytes:
    """The report as a PDF.

    Raises:
        JiyaoError: it could not be drawn; the code says why.
    """
    items, blobs = [], []
    for one, result in zip(looked, results, strict=True):
        with station.write() as session:
            master = _master(station, session, actor, result)
            weak = _weak(session, one, result)
        view = max(one.views, key=lambda view: (bool(view.matches), view.clarity), default=None)
        items.append(
            {
                "name": one.file.name, "result": result, "weak": weak, "size": len(one.data), "tried": _tried(one),
                "view": to_plain(view) if view is not None else None, "master": len(master) if master else 0,
            }
        )  # fmt: skip
        blobs += [one.data, master or b""]
    if joint is not None:
        names = "、".join(one.file.name for one in looked if str(one.file) in joint["files"])
        items.append(
            {
                "name": names,
                "result": joint,
                "weak": [],
                "size": 0,
                "tried": ["together"],
                "view": None,
                "master": 0,
            }
        )
    head = {
        "report": f"TR-{station.now()[:19].replace(':', '').replace('-', '').replace('T', '-')}",
        "unit": station.settings.unit, "at": station.now()[:16].replace("T", " "), "by": actor.user,
    }  # fmt: skip
    job = Job(
        act="trace_report",
        fields={"head": head, "items": items, "lang": lang},
        data=b"".join(blobs),
        seconds=_SECONDS,
    )
    reply = worker.submit(job).result()
    if reply.outcome != "done":
        raise JiyaoError("trace_report_failed", detail=reply.code or "")
    return reply.data


def _master(station: Station, session: Session, actor: Actor, result: dict[str, Any]) -> bytes | None:
    """The document's original, for a person who may read it now."""
    row = session.get(Document, result["document"]) if result["document"] else None
    if row is None or not actor.roles & MAY["text"]:
        return None
    try:
        access.check_read(station, session, actor, row, purpose="trace")
    except Refused:
        return None
    return open_artefact(station, session, row.id, "original")


def _weak(session: Session, one: Looked, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Weak leads, only where nothing better was found."""
    # the arithmetic lies beside code that loads numpy, which `trace` and `copies` start without
    from ...watermark.tint_match import chance

    if result["verdict"] != "none":
        return []
    leads: dict[int, tuple[float, float]] = {
        id: (z, tests) for view in one.views for id, z, tests in view.weak
    }
    said = []
    for id, (z, tests) in sorted(leads.items(), key=lambda item: -item[1][0]):
        copy = session.scalars(select(Copy).where(Copy.forensic_id == id)).first()
        if copy is not None:
            said.append({"copy": copy.id, "z": f"{z:.1f}", "rate": f"{chance(z, tests):.1g}"})
    return said


def _tried(one: Looked) -> list[str]:
    tried = ["barcode", "visible", "metadata", "tint_brief" if one.brief else "tint"]
    return [*tried, "thorough"] if one.thorough else tried
