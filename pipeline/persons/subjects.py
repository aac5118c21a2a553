"""Which row of the approval matrix binds an act on a paper: by its level, and by its subject where the matrix has one.

Subjects (minutes, personnel files) and how a paper is told to be of one are the policy's (`handling`). A row of a
subject never asks less for 绝密 than the level's own row does, and never makes an approval a mere entry. Minutes of
plenary, executive and party group meetings have an approver of their own (R-090); who lets see minutes is the unit's
choice `minutes_lookup` (C-17).
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import object_session

from ...models.level import Level
from ...models.policy.handling import Subject
from ...models.policy.schema import Policy, Row
from ...models.tables import Document, Matter
from ..station.station import Station

_HIGHEST = (Level.STATE_TOP, Level.COMPANY_TOP)


def subject_of(policy: Policy, row: Document) -> Subject | None:
    """The subject of a paper that the matrix may have rows of its own for."""
    return policy.handling.subject(tuple(filter(None, row.overlays.split(","))), row.kind)


def all_of(station: Station, row: Document) -> tuple[str, ...]:
    """Ids of every subject that a paper is of: by overlays, 文种, words of its title, or a matter that says so."""
    overlays = tuple(filter(None, row.overlays.split(",")))
    title: str | None = None
    found = []
    for subject in station.policy.handling.subjects:
        if subject.fits(overlays, row.kind) or _told_by_matter(subject, row):
            found.append(subject.id)
        elif subject.titles:
            title = _title(station, row) if title is None else title
            if any(word in title for word in subject.titles):
                found.append(subject.id)
    return tuple(found)


def bound_by(station: Station, act: str, level: Level | None, row: Document) -> Row:
    """The matrix's row for an act on a paper that is handled at a level."""
    policy = station.policy
    plain = policy.approval(act, level)
    subject = subject_of(policy, row)
    if subject is None:
        return plain
    own = policy.approval(act, level, subject.id)
    if own.subject is None:
        return own
    if own.restricted and own.mode == "approve":
        own = replace(own, by=_of_part(station, own, subject, level, row))
    weaker = own.mode == "register"
    if plain.mode == "approve" and (level in _HIGHEST or weaker):
        by = plain.by if weaker else tuple(dict.fromkeys((*own.by, *plain.by)))
        own = replace(own, mode="approve", by=by, extra=tuple(dict.fromkeys((*own.extra, *plain.extra))))
    return own


def as_read(policy: Policy, row: Document) -> bool:
    """Whether a paper goes back as soon as it is read: 绝密, telegrams in cipher, papers of high rank; by the unit's
    choice `as_read_scope` every paper with a mark of state secrets (C-20).
    """
    levels = [Level.parse(code) for code in (row.level_code, row.interim_code) if code]
    if Level.STATE_TOP in levels or set(policy.handling.restricted_overlays) & set(row.overlays.split(",")):
        return True
    marked = any(level.family.value == "state" for level in levels)
    return marked and policy.choices.get("as_read_scope") == "all_marked"


def of_superior(policy: Policy, row: Document) -> bool:
    """Whether it is a superior's secret paper, whose originals go back and are never destroyed here (R-087)."""
    levels = [Level.parse(code) for code in (row.level_code, row.interim_code) if code]
    secret = any(level.family.value not in ("internal", "public") for level in levels)
    return row.origin == "superior" and secret and policy.conditions.superior_paper_goes_back


def _told_by_matter(subject: Subject, row: Document) -> bool:
    session = object_session(row)
    if session is None or not subject.matters:
        return False
    wanted = select(Matter.id).where(
        Matter.document_id == row.id, Matter.kind.in_(subject.matters), Matter.state != "cancelled"
    )
    return session.execute(wanted.limit(1)).first() is not None


def _of_part(
    station: Station, own: Row, subject: Subject, level: Level | None, row: Document
) -> tuple[str, ...]:
    restricted = own.restricted or {}
    highest = tuple(dict.fromkeys(role for roles in restricted.values() for role in roles))
    match station.policy.choices.get("minutes_lookup"):
        case "office_director":
            return own.by
        case "leader_in_charge":
            return highest
        case _ if level in _HIGHEST:
            return highest
        case _:
            part = subject.part(_title(station, row))
            return restricted.get(part, own.by) if part is not None else own.by


def _title(station: Station, row: Document) -> str:
    session = object_session(row)
    if session is None:
        return ""
    return str(station.unseal(session, "document", row.sealed, bind=row.id).get("title") or "")
