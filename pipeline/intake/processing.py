"""Whether a paper may be scanned, read and kept electronically 电子处理, as the unit chose (C-10; R-022).

    approved_stations       the station's level and its written approval are the approval (002-A§4, 002-C§16-18)
    per_document_approval   the matrix's rows `electronic_processing` bind each paper (004-C§8.1)
    forbidden               what those rows have approved is not taken in at all (001-C§3.4)

A level that was declared on receipt is asked about before anything is scanned. A mark that nobody declared is known
only once the confined worker has read it: then nothing of the paper is kept but its row, its level and the time, and
it comes again under an approval for that row. An approval for a lower level than the mark's does not count.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...common.errors import Refused
from ...models.level import Level
from ...models.suggestion import LevelSuggestion
from ...models.tables import Document
from ..persons import access, approvals
from ..station.station import Station

ACT = "electronic_processing"
"""Of the approval matrix."""
READ = frozenset({"marked", "derivative", "unit_list"})
"""Bases of a level that stands on paper or in the unit's list; words alone need no approval."""


def binds(station: Station, level: Level) -> bool:
    """Whether papers of a level are scanned, read and kept by approval alone, or not at all."""
    return station.policy.approval(ACT, level).mode != "register"


def protect_declared(station: Station, row: Document, level: Level | None) -> None:
    """A provisional row is handled at its declared level where that level's papers need an approval to be scanned."""
    if level is not None and binds(station, level):
        row.interim_code = level.code


def check(station: Station, session: Session, row: Document, marked: Level | None = None) -> None:
    """The paper may be read and kept at the level it is handled at, or at the mark's, where that is higher.

    Raises:
        Refused: `approval_required`, or `act_denied` by the matrix or the unit's choice.
    """
    policy = station.policy
    higher = marked is not None and policy.rank(marked) > policy.rank(access.protected_as(policy, row))
    if marked is not None and higher and binds(station, marked):
        asked = policy.approval(ACT, marked)
        if asked.mode == "deny" and not asked.override:
            raise Refused("act_denied", act=ACT, document=row.id, source=asked.source)
        roles = "、".join(approvals.approvers(asked))
        raise Refused("approval_required", act=ACT, documents=row.id, roles=roles)
    approvals.require(station, session, act=ACT, rows=(row,))


def bar(
    station: Station, session: Session, level: LevelSuggestion, row: Document
) -> tuple[str, Level] | None:
    """Why a paper that was just read is not kept: a message code and its level; None: it may be.

    Args:
        row: that it would go into.
    """
    marked = level.level if level.basis in READ else None
    if marked is None or not binds(station, marked):
        return None
    if station.policy.choices.get(ACT) == "forbidden":
        return "processing_forbidden", marked
    try:
        check(station, session, row, marked)
    except Refused:
        return "processing_unapproved", marked
    return None
