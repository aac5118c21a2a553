"""发文: drafted, its mark reviewed, its level determined, reviewed for release, signed off, issued, filed (R-011).

The steps are the policy's (`matters`, kinds `outbound` and `outbound_committee`). Until the final paper is taken in
there is no document: title, level, period, scope and number of copies are the matter's own words, under the registry
key, shown to whom the proposed level admits. Drafts are copies that are counted one by one (`draft_copy`; R-043), at
the level of the paper they become.

Threats: a final paper whose mark differs from what was determined (compared); more copies than signed for
(`within`); a level below the sources that it draws on (compared; R-044).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Family, Level
from ...models.period import Period
from ...models.tables import Copy, Document, Matter, MatterItem
from ..desk import matters
from ..intake.judgement import load_judgement
from ..intake.register_entry import remember
from ..intake.sources import WORD as SOURCES
from ..levels.authority import check_authority
from ..levels.periods import parse_period
from ..levels.terms import recount, set_period
from ..persons import access, people
from ..persons.actors import Actor
from ..station.station import Station
from .archiving import file_one
from .documents import keep_words, words_of
from .inbound import OUTBOUND, last_step

DRAFT_COPY: Final = "draft_copy"
_NO_PERIOD: Final = ("无", "—", "-")
"""How a draft without a secrecy period says so; a state secret always has one (BMF art. 20)."""
_PAPER: Final = ("title", "level", "period", "basis", "scope", "may_copy")
_SETTLED_IN: Final = {"draft": (*_PAPER, "copies"), "determine": _PAPER, "sign": ("copies",)}
"""Which step says what of a paper."""
_OPEN_FAMILIES = (Family.INTERNAL, Family.PUBLIC)
_STANDS = ("issued", "recalled", "lost")


def check_draft(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The drafter's proposal, or what the determiner made of it: level, period within its maximum, scope, number of
    copies, whether it may be copied (002-C§8, 004-B§4.3; R-037, R-038).

    Raises:
        UsageFault: a value that is none. Refused: above the station, above the drafter's clearance, period too long, a
            level that the unit may not determine (the word `derived` names the paper that it follows from).
    """
    words = settled(station, session, matter)
    level, _ = _proposed(station, words)
    step, told = last_step(station, session, matter)
    if step.step == "determine":
        derived = bool(str(told.get("derived") or "").strip())
        check_authority(station, level, derived=derived, about=matter.id)
    matters.note(station, session, matter, words)
    if not access.reaches(station.policy, people.clearance_of(session, actor.person), level):
        raise Refused("clearance_too_low", person=actor.person, level=level.value, document=matter.id)


def approve_copies(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The leader signs for a number of copies, never more than were asked for.

    Raises:
        Refused: `more_than_proposed`.
    """
    check_draft(station, session, actor, matter)
    asked: list[int] = []
    for step in matters.steps_of(session, matter):
        if step.step == "draft":
            asked.append(_number(matters.step_words(station, session, step), "copies"))
    _, words = last_step(station, session, matter)
    if _number(words, "copies") > asked[-1]:
        raise Refused("more_than_proposed", matter=matter.id, proposed=asked[-1])
    matters.note(station, session, matter, {"signer": actor.person})


def attach_final(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """The final paper, taken in as the unit's own, becomes a document at the level that was determined.

    Raises:
        Refused: not the unit's own, confirmed already, another mark than determined, below one of its sources.
    """
    words = settled(station, session, matter)
    level, period = _proposed(station, words)
    _, given = last_step(station, session, matter)
    row = access.get_document(session, str(given["document"]))
    access.check_clearance(station, session, actor.person, row)
    if row.origin != "self":
        raise Refused("final_not_own", document=row.id)
    if row.confirmed or row.status not in ("pending", "pending_second"):
        raise Refused("not_in_review", document=row.id, status=row.status)
    matters.check_free(station, session, row.id, "review.accept")
    _same_mark(station, session, row, level, period)
    _not_below_sources(station, session, row, level)
    matter.document_id = row.id
    row.level_code, row.interim_code = level.code, None
    if row.level_basis == "none":
        row.level_basis = "content"
    set_period(row, period)
    row.status, row.confirmed = "registered", True
    recount(station, session, row)
    kept = {
        "outbound": matter.id, "scope": words["scope"], "may_copy": words["may_copy"],
        "copies_approved": _number(words, "copies"),
    }  # fmt: skip
    keep_words(station, session, row, {**words_of(station, session, row), **kept})
    determiner = next(
        step.person for step in reversed(matters.steps_of(session, matter)) if step.step == "determine"
    )
    remember(
        station, session, row, determiner, "accept", "accepted",
        {"old": None, "new": level.code, "period": row.period, "matter": matter.id},
    )  # fmt: skip
    station.log(
        session, "outbound.attach", objects=(matter.id, row.id), person=actor.person, account=actor.user,
        level=level.value, rule=matter.id,
    )  # fmt: skip


def within(station: Station, session: Session, row: Document, more: int) -> None:
    """As many numbered copies of the unit's own paper as were signed for, no more (R-058).

    Raises:
        Refused: `more_than_approved`.
    """
    words = words_of(station, session, row)
    approved = words.get("copies_approved")
    if approved is None:
        return
    out = len(
        session.scalars(
            select(Copy.id).where(
                Copy.document_id == row.id, Copy.status.in_(_STANDS), Copy.replaced_by.is_(None)
            )
        ).all()
    )
    if out + more > int(approved):
        raise Refused("more_than_approved", approval=words["outbound"], approved=approved, issued=out)


def file_outbound(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """Filed with its drafts settled and every dispatch signed for (R-012, R-043).

    Raises:
        Refused: drafts or dispatches are open; as `archiving.file_one`.
    """
    if matter.document_id is None:
        raise UsageFault("matter_document", kind=matter.kind)
    row = access.get_document(session, matter.document_id)
    access.check_clearance(station, session, actor.person, row)
    open_draft = session.scalars(
        select(Matter.id)
        .join(MatterItem, MatterItem.matter_id == Matter.id)
        .where(
            Matter.kind == DRAFT_COPY, Matter.state == matters.OPEN, MatterItem.object_kind == "matter",
            MatterItem.object_id == matter.id,
        )
        .order_by(Matter.id)
    ).first()  # fmt: skip
    if open_draft is not None:
        raise Refused("drafts_open", matter=open_draft, document=row.id)
    _, words = last_step(station, session, matter)
    file_one(
        station, session, actor, row, place=str(words["place"]), number=words.get("number"), matter=matter.id
    )


def check_draft_copy(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """A draft or proof is handed to a person who is cleared for the level that the paper is to have.

    Raises:
        UsageFault: it belongs to no outbound paper. Refused: that one has ended, or the person is not cleared.
    """
    named = next(
        (one.object_id for one in matters.items_of(session, matter) if one.object_kind == "matter"), ""
    )
    parent = session.get(Matter, named)
    if parent is None or parent.kind not in OUTBOUND:
        raise UsageFault("matter_item", item=named or "—", kinds="matter:M…")
    if parent.state != matters.OPEN:
        raise Refused("matter_closed", matter=parent.id, state=parent.state)
    _, words = last_step(station, session, matter)
    level = Level.parse(str(settled(station, session, parent)["level"]))
    person = people.find_person(station, session, str(words["holder"]))
    _number(words, "pages")
    if not access.reaches(station.policy, people.clearance_of(session, person), level):
        raise Refused("clearance_too_low", person=person, level=level.value, document=parent.id)
    matters.give_step(session, matter, "holder", person)
    number = station.next_number(session, f"draft.{parent.id}")
    matters.note(
        station, session, matter,
        {"holder": person, "level": level.value, "outbound": parent.id, "number": number},
    )  # fmt: skip


def check_draft_back(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """A draft comes back with all its pages.

    Raises:
        Refused: `pages_differ`.
    """
    given = [
        _number(matters.step_words(station, session, step), "pages")
        for step in matters.steps_of(session, matter)
        if step.step in ("hand_out", "back")
    ]
    step, _ = last_step(station, session, matter)
    if step.result == "done" and given[-1] != given[0]:
        raise Refused("draft_pages_differ", matter=matter.id, given=given[0], back=given[-1])


def settled(station: Station, session: Session, matter: Matter) -> dict[str, Any]:
    """Title, level, period, basis, scope and copying as last drafted or determined, and the number of copies as last
    drafted or signed for. Words that somebody says of them in another step count for nothing.
    """
    words: dict[str, Any] = {}
    for step in matters.steps_of(session, matter):
        told = matters.step_words(station, session, step)
        for name in _SETTLED_IN.get(step.step, ()):
            if str(told.get(name, "")).strip() and step.result != "refused":
                words[name] = told[name]
    return words


# ---------------------------------------------------------------- parts


def _proposed(station: Station, words: dict[str, Any]) -> tuple[Level, Period | None]:
    try:
        level = Level.parse(str(words.get("level") or ""))
    except ValueError:
        names = "、".join(f"{item.value} {item.code}" for item in Level)
        raise UsageFault("unknown_level", level=words.get("level") or "—", levels=names) from None
    if station.policy.rank(level) > station.policy.rank(station.level):
        raise Refused("above_station_level", level=level.value, station=station.level.value)
    _number(words, "copies")
    if words.get("may_copy") not in ("yes", "no"):
        raise UsageFault("bad_value", field="may_copy", given=str(words.get("may_copy") or "—"))
    text = str(words.get("period") or "")
    if text in _NO_PERIOD and level.family is not Family.STATE:
        return level, None
    period = parse_period(text)
    if period is None or level.family in _OPEN_FAMILIES:
        raise UsageFault("bad_period", period=text or "—")
    _within_maximum(station, level, period)
    return level, period


def _within_maximum(station: Station, level: Level, period: Period) -> None:
    years = station.policy.max_years(level)
    if not years:
        return
    if period.kind == "years" and (period.number or 0) > years:
        raise Refused("draft_period_too_long", level=level.value, years=years)
    if period.kind == "months" and (period.number or 0) > 12 * years:
        raise Refused("draft_period_too_long", level=level.value, years=years)


def _number(words: dict[str, Any], name: str) -> int:
    text = str(words.get(name) or "")
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise UsageFault("bad_value", field=name, given=text or "—")
    return int(text)


def _same_mark(
    station: Station, session: Session, row: Document, level: Level, period: Period | None
) -> None:
    read = Level.parse(row.read_level_code) if row.read_level_code else None
    if (read is None and level.family not in _OPEN_FAMILIES) or read not in (None, level):
        raise Refused(
            "final_mark_differs", document=row.id, read=read.value if read else "—", determined=level.value
        )
    judgement = load_judgement(station, session, row.id)
    mark = judgement.fields.mark if judgement else None
    if mark is not None and mark.period is not None and mark.period != period:
        raise Refused(
            "final_mark_differs", document=row.id, read=str(mark.period), determined=str(period or "—")
        )


def _not_below_sources(station: Station, session: Session, row: Document, level: Level) -> None:
    rank = station.policy.rank
    for source, _how in words_of(station, session, row).get(SOURCES) or ():
        found = session.get(Document, source)
        if found is None or not found.level_code or found.status in ("void", "refused"):
            continue
        if rank(Level.parse(found.level_code)) > rank(level):
            raise Refused("source_above", document=row.id, source=source, level=level.value)
