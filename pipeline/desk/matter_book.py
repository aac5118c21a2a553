"""The book of matters: opened, carried on, cancelled, listed and shown at the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, true, tuple_

from ...common.errors import Refused, UsageFault
from ...common.paging import PAGE, cut
from ...models.rights import REGISTRARS
from ...models.tables import Matter, MatterItem, MatterStep
from ..persons import access
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import matters

_KINDS = ("carrier", "copy", "document", "person", "batch", "receipt", "matter", "incident")


def open_matter(
    station: Station,
    actor: Actor,
    kind: str,
    *,
    document: str | None = None,
    items: Sequence[str] = (),
    words: Mapping[str, Any] | None = None,
    result: str = "done",
) -> dict[str, Any]:
    """Opens a matter of any kind of the policy; `items` as `kind:id`. `result`: of its first step.

    Raises:
        UsageFault: an item that is none. As `matters.start`.
    """
    named = [_item(text) for text in items]
    _by_hand(station, kind)
    with acting(station, actor, "matter.open", objects=(document,) if document else ()) as session:
        made = matters.start(
            station, session, actor, kind, document=document, items=named, words=words, result=result
        )
        return matters.matter_json(station, session, made, actor=actor, whole=True)


def do_step(
    station: Station,
    actor: Actor,
    *,
    matter: str,
    step: str | None = None,
    result: str = "done",
    words: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The awaited step, by one person."""
    with acting(station, actor, "matter.do", objects=(matter,)) as session:
        row = matters.get_matter(session, matter)
        _by_hand(station, row.kind)
        matters.advance(station, session, actor, row, step=step, result=result, words=words)
        return matters.matter_json(station, session, row, actor=actor, whole=True)


def cancel(station: Station, actor: Actor, *, matter: str, reason: str) -> dict[str, Any]:
    """Ends a matter without its steps."""
    with acting(station, actor, "matter.cancel", objects=(matter,)) as session:
        row = matters.cancel(station, session, actor, matters.get_matter(session, matter), reason=reason)
        return matters.matter_json(station, session, row, actor=actor, whole=True)


def list_matters(
    station: Station,
    actor: Actor,
    *,
    kind: str | None = None,
    document: str | None = None,
    ended: bool = False,
    limit: int = PAGE,
    after: str | None = None,
) -> dict[str, Any]:
    """Matters that the actor may know of, the newest first; without `ended` only those that are open.

    `after`: goes on behind this matter.

    Raises:
        NotThere: no such matter to go on behind.
    """
    with station.read() as session:
        wanted = (
            select(Matter).where(_known(station, actor)).order_by(Matter.opened_at.desc(), Matter.id.desc())
        ).limit(limit + 1)
        if after is not None:
            last = matters.get_matter(session, after)
            wanted = wanted.where(tuple_(Matter.opened_at, Matter.id) < tuple_(last.opened_at, last.id))
        if kind is not None:
            wanted = wanted.where(Matter.kind == matters.rule_of(station, kind).kind)
        if document is not None:
            wanted = wanted.where(Matter.document_id == document)
        if not ended:
            wanted = wanted.where(Matter.state == matters.OPEN)
        rows, rest = cut(session.scalars(wanted).all(), limit, lambda row: row.id)
        return {
            "matters": [matters.matter_json(station, session, row, actor=actor) for row in rows], **rest
        }  # fmt: skip


def show(station: Station, actor: Actor, *, matter: str) -> dict[str, Any]:
    """One matter with its words, items and steps.

    Raises:
        NotThere: no such matter. Refused: it is none of the actor's.
    """
    with acting(station, actor, "matter.show", objects=(matter,)) as session:
        row = matters.get_matter(session, matter)
        if (
            session.execute(select(Matter.id).where(Matter.id == matter, _known(station, actor))).first()
            is None
        ):
            raise Refused("matter_not_known", matter=matter)
        return matters.matter_json(station, session, row, actor=actor, whole=True)


def kinds(station: Station) -> dict[str, Any]:
    """The kinds of matters the policy knows, with their steps."""
    return {
        "kinds": [
            {
                "kind": rule.kind, "zh": rule.zh, "steps": [step.id for step in rule.steps],
                "blocks": list(rule.blocks), "source": rule.source,
            }
            for rule in station.policy.desk.matters.values()
        ]
    }  # fmt: skip


def _by_hand(station: Station, kind: str) -> None:
    """Steps that go with movements are taken by their own command, so that list and custody never differ."""
    rule = station.policy.desk.matters.get(kind)
    if rule is not None and rule.command:
        raise UsageFault("matter_command", kind=rule.zh, command=rule.command)


def _known(station: Station, actor: Actor) -> ColumnElement[bool]:
    """Of documents the actor may know of, or that he opened or acted in, or that name or await him."""
    if actor.roles & (REGISTRARS | {"auditor"}):
        return true()
    me = actor.person
    named = select(MatterItem.matter_id).where(MatterItem.object_kind == "person", MatterItem.object_id == me)
    acted = select(MatterStep.matter_id).where(MatterStep.person == me)
    awaited = [
        and_(Matter.kind == rule.kind, Matter.step.in_(steps))
        for rule in station.policy.desk.matters.values()
        if (steps := [step.id for step in rule.steps if set(step.by) & actor.roles])
    ]
    return or_(
        Matter.opened_by == me, Matter.id.in_(named), Matter.id.in_(acted), *awaited,
        access.visible(actor, column=Matter.document_id),
    )  # fmt: skip


def _item(text: str) -> matters.Item:
    kind, colon, name = text.partition(":")
    if not colon or kind not in _KINDS or not name:
        raise UsageFault("matter_item", item=text, kinds="、".join(_KINDS))
    return kind, name
