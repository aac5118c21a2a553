"""印章: each official seal has a custodian and a place, and every use of it is written down (004-C§1.9; R-115).

A matter `seal` is opened when a seal is taken in and stays open while it is kept: its step of keeping is the
custodian's alone, and each use, move or withdrawal is one signed act of it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Level
from ...models.tables import Matter
from ..desk import matters
from ..persons import four_eyes, people
from ..persons.actors import Actor
from ..station.station import Station

KEEP = "keep"


def keep_seal(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """A seal is taken in: by whom it is kept, and where.

    Raises:
        NotThere: no such person. Refused: `place_level`, a place that is not for 绝密, with which seals are kept.
    """
    words = matters.words_of(station, session, matter)
    _give(station, session, matter, str(words["custodian"]), str(words["place"]))


def use_seal(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """It was used by approval of another person, moved to another custodian or place, or withdrawn.

    Raises:
        UsageFault: who approved the use, or what the move is to, is missing. Refused: approved by who uses it.
    """
    step = matters.steps_of(session, matter)[-1]
    words = matters.step_words(station, session, step)
    if step.result == "used":
        if not str(words.get("approved_by") or "").strip():
            raise UsageFault("matter_needs", step="用印", needs="approved_by")
        approver = people.find_person(station, session, str(words["approved_by"]))
        four_eyes.apart(
            session, actor.person, step.role, [(approver, None)], since=matter.opened_at, same="own_request"
        )
        matters.note(station, session, matter, {"approved_by": approver})
    elif step.result == "moved":
        known = matters.words_of(station, session, matter)
        _give(station, session, matter, str(known["custodian"]), str(known["place"]))


def _give(station: Station, session: Session, matter: Matter, custodian: str, place: str) -> None:
    person = people.find_person(station, session, custodian)
    if station.policy.handling.places:
        there = station.policy.handling.place(place.strip())
        if there is None or Level.STATE_TOP not in there.levels:
            fit = "、".join(
                one.name for one in station.policy.handling.places if Level.STATE_TOP in one.levels
            )
            raise Refused(
                "place_level", document=matter.id, level=Level.STATE_TOP.value, place=place, places=fit or "—"
            )
    matters.give_step(session, matter, KEEP, person)
    matters.note(station, session, matter, {"custodian": person, "place": place})
