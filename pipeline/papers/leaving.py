"""保密审查: what leaves the unit, or is published, was reviewed before (先审后发; BMF art. 35; TL art. 42; R-170).

A review is a matter of its own (`release_review`): asked for by one person, given by the 保密审查员, bound to the
document and the level it had. Which acts need one, the matrix says (`release_review` among a row's `extra`); what is
sent to another organ needs one always, its own outbound procedure counts.

Threats: a review of another act or of a document whose level has changed since (bound by hash); one person asking and
reviewing (the policy's `apart_from`). Not met: an oral disclosure that nobody records.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Refused, UsageFault
from ...models.level import Family
from ...models.tables import Document, Matter
from ..desk import matters, movements
from ..intake.register_entry import remember
from ..persons import access, approvals
from ..persons.actors import Actor, acting
from ..station.station import Station
from . import organs
from .documents import document_json, words_of
from .inbound import last_step
from .release_record import outbound_of, require_review

WAYS: Final = ("publish", "provide_external", "relay", "dispatch", "export", "carry_abroad")
RELEASES: Final = ("publish", "provide_external", "relay")
FORMS: Final = ("paper", "oral", "electronic")
"""书面、口头、电子 (001-E§13; R-085)."""
_AT_HAND = ("held", "transit", "issued")


def bind_review(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """The review that is asked for is of one way of leaving, and of the document as it is now."""
    _, words = last_step(station, session, matter)
    way = str(words.get("way") or "")
    if way not in WAYS:
        raise UsageFault("release_way", way=way, ways="、".join(WAYS))
    if matter.document_id is None:
        raise UsageFault("matter_document", kind=matter.kind)
    row = access.get_document(session, matter.document_id)
    if not row.confirmed:
        raise Refused("not_confirmed", document=row.id)
    matters.note(station, session, matter, {"way": way, "bound": approvals.bound_hash(station, way, (row,))})


def check_dispatch(station: Station, session: Session, actor: Actor, matter: Matter) -> None:
    """What is sent to another organ: its own paper within the approved number, another's with that organ's consent.

    Raises:
        Refused: not reviewed, more copies than approved, no consent of the issuer (002-C§9), a channel that is none of
            the confidential ones (004-B§4.4).
    """
    if matter.document_id is None:
        raise UsageFault("matter_document", kind=matter.kind)
    row = access.get_document(session, matter.document_id)
    access.check_clearance(station, session, actor.person, row)
    if not row.confirmed or row.status not in ("registered", "archived"):
        raise Refused("not_confirmed", document=row.id)
    issued = outbound_of(session, row.id)
    if issued is None:
        if row.origin != "self":
            approvals.require(station, session, act="relay", rows=(row,))
        require_review(station, session, row, "dispatch" if row.origin == "self" else "relay", always=True)
    _, words = last_step(station, session, matter)
    channels = station.policy.handling.channels
    if words["channel"] not in channels:
        raise Refused("channel_refused", channels="、".join(channels))
    count = _count(words)
    _check_items(session, matter, row, count)
    if issued is not None:
        approved = int(words_of(station, session, row)["copies_approved"])
        sent = sum(
            _sent(station, session, one) for one in _dispatches(session, row.id) if one.id != matter.id
        )
        if sent + count > approved:
            raise Refused("more_than_approved", approval=issued.id, approved=approved, issued=sent)
        _tell(
            station,
            session,
            issued,
            "recipients",
            f"{words['organ']} {count}份（{words['channel']} {words['envelope']}）",
        )
    organs.send(station, session, actor, matter, row, words)


def note_receipt(station: Station, session: Session, actor: Actor, matter: Matter) -> None:  # noqa: ARG001
    """What the other organ signed for stands with the outbound paper, too (发文登记簿)."""
    issued = outbound_of(session, matter.document_id) if matter.document_id is not None else None
    step, words = last_step(station, session, matter)
    if issued is not None and step.result == "done":
        sent = matters.words_of(station, session, matter)
        told = f"{sent['organ']} {words['signed_by']} {words['receipt_no']}"
        _tell(station, session, issued, "receipts", told)


def release(
    station: Station,
    actor: Actor,
    *,
    document: str,
    way: str,
    to: str,
    form: str,
    agreement: str | None = None,
    receipt_no: str | None = None,
) -> dict[str, Any]:
    """Writes down that a document was published, provided or relayed: reviewed and approved before, by which form.

    Args:
        way: of `RELEASES`. to: the place or organ. form: of `FORMS`. agreement: number of the confidentiality
            agreement, where the matrix asks for one.

    Raises:
        Refused: not confirmed, within its secrecy period (publishing), no approval, no review, a state secret by
            electronic means (004-B§4.4). UsageFault: unknown way or form, the agreement is missing.
    """
    if way not in RELEASES:
        raise UsageFault("release_way", way=way, ways="、".join(RELEASES))
    if form not in FORMS:
        raise UsageFault("release_form", form=form, forms="、".join(FORMS))
    with acting(station, actor, "documents.release", objects=(document,)) as session:
        row = access.get_document(session, document)
        access.check_clearance(station, session, actor.person, row)
        if not row.confirmed or row.status not in ("registered", "archived"):
            raise Refused("not_confirmed", document=document)
        matters.check_free(station, session, document, f"documents.release.{way}")
        level = access.protected_as(station.policy, row)
        secret = level.family is Family.STATE or "cipher_telegram" in row.overlays.split(",")
        if form == "electronic" and way != "publish" and secret:
            raise Refused("no_electronic_way", document=document, level=level.value)
        # asked anew: a period may have been extended since the approval
        approvals.needed_for(station, session, way, (document,))
        approval = approvals.require(station, session, act=way, rows=(row,))
        review = require_review(station, session, row, way)
        if "confidentiality_agreement" in approvals.matrix_row(station, way, row).extra and not agreement:
            raise UsageFault("agreement_needed", document=document)
        told = {
            "way": way, "to": to, "form": form, "agreement": agreement, "receipt_no": receipt_no,
            "approval": approval, "review": review,
        }  # fmt: skip
        remember(station, session, row, actor.person, "release", "released", told)
        station.log(
            session, "documents.release", objects=(document,), person=actor.person, account=actor.user,
            level=level.value, rule=approval or "", facts={"way": way, "form": form, "review": review or ""},
        )  # fmt: skip
        return {**document_json(station, session, row, actor=actor), "release": told}


def _tell(station: Station, session: Session, matter: Matter, name: str, words: str) -> None:
    before = str(matters.words_of(station, session, matter).get(name) or "")
    matters.note(station, session, matter, {name: "；".join(filter(None, (before, words)))})


def _check_items(session: Session, matter: Matter, row: Document, count: int) -> None:
    """Originals or copies that are named are of this document, in the room's or the messenger's hands, and as many."""
    named = [one for one in matters.items_of(session, matter) if one.object_kind in ("carrier", "copy")]
    for item in named:
        thing = movements.find(session, item.object_id)
        if thing.document_id != row.id:
            raise UsageFault("matter_item", item=item.object_id, kinds=row.id)
        if movements.state_of(thing) not in _AT_HAND:
            raise Refused("object_is_out", document=row.id, object=item.object_id)
    if named and len(named) != count:
        raise UsageFault("bad_value", field="copies", given=str(count))


def _dispatches(session: Session, document: str) -> list[Matter]:
    return list(
        session.scalars(
            select(Matter).where(
                Matter.document_id == document, Matter.kind == "dispatch",
                Matter.state.in_((matters.OPEN, matters.CLOSED)),
            )
        )
    )  # fmt: skip


def _sent(station: Station, session: Session, matter: Matter) -> int:
    return int(matters.words_of(station, session, matter).get("copies") or 0)


def _count(words: dict[str, Any]) -> int:
    text = str(words.get("copies") or "")
    if not text.isdecimal() or int(text) < 1:
        raise UsageFault("bad_value", field="copies", given=text or "—")
    return int(text)
