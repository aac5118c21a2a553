"""The model that weighs content here: the shipped one, or one made on this station from its own documents.

Threat model: a model made of documents tells something of each of them (which words, how they were decided). So it is
sealed under a key of its own, is listed as an artefact of every document that it was made of, and goes with the first
of them that is destroyed: key in the same rotation, row and ledger entry in the same transaction. A backup from before
holds it only under a key that is gone. Workers get its bytes while they judge; who takes over a worker that reads a
hostile file has the weights, as it has the policy with the unit's list: known limits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Broken, NotThere, Refused
from ...models.tables import Approval, ApprovalAct, Artefact, LearnedModel
from ...stages.topic_model import TopicModel, read_model, shipped_model
from ..intake.desk import Job
from ..persons.actors import Actor, acting
from ..station.station import Station

KIND = "model"
_TAG = "learned_model"
_MOST_BYTES = 64 * 1024 * 1024
_GREATEST_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class InUse:
    """A station's own model, opened."""

    id: str
    version: str
    data: bytes = field(repr=False)


# ---------------------------------------------------------------- in use


@lru_cache(maxsize=1)
def base_sha256() -> str:
    """SHA-256 of the shipped model's file: a model made of another one is not used."""
    file = resources.files("jiyao.models.policy").joinpath("topics.json")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def version_of(model: str, tag: bytes) -> str:
    """As it stands in suggestions: id, and eight digits of its keyed hash."""
    return f"{model}/{tag.hex()[:8]}"


def tag_of(station: Station, session: Session, data: bytes) -> bytes:
    """The keyed hash by which a model's bytes are known again."""
    return station.vault.keyed_hash(session, _TAG, data)


def active(session: Session) -> LearnedModel | None:
    """The row of the model in use; None while it is the shipped one."""
    return session.scalars(
        select(LearnedModel).where(LearnedModel.state == "active", LearnedModel.base_sha256 == base_sha256())
    ).first()


def in_use(station: Station) -> InUse | None:
    """The station's own model, opened; None while the shipped one is in use.

    Raises:
        Broken: its sealed file was altered or is gone.
    """
    with station.read() as session:
        row = active(session)
        if row is None:
            return None
        try:
            data = bytes(station.vault.get(session, row.key_slot, row.path, kind=KIND))
        except NotThere as error:
            raise Broken("learned_model_gone", model=row.id) from error
        if not hmac.compare_digest(tag_of(station, session, data), row.tag):
            raise Broken("learned_model_gone", model=row.id)
        return InUse(row.id, version_of(row.id, row.tag), data)


def briefing(station: Station, *, policy: str | None = None, model: InUse | None = None) -> Job:
    """What every worker that judges is told first. `policy`: another one than that in force (YAML)."""
    fields: dict[str, Any] = {
        "policy": station.policy_text if policy is None else policy, "profile": station.settings.profile,
        "model": model.version if model else None,
    }  # fmt: skip
    return Job("brief", fields, model.data if model else b"")


def checked(data: bytes) -> TopicModel:
    """A model that a worker gave, believed only when it is one: topics as shipped, weights finite and bounded.

    Raises:
        ValueError: it is none.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError("too long")
    model, shipped = read_model(data.decode("utf-8")), shipped_model()
    if (model.topics, model.temperature) != (shipped.topics, shipped.temperature):
        raise ValueError("other topics")
    for name, row in model.weights.items():
        if len(row) != len(model.topics) or len(name) > 80:
            raise ValueError("not a row")
        if not all(math.isfinite(weight) and abs(weight) <= _GREATEST_WEIGHT for weight in row):
            raise ValueError("not a weight")
    return model


# ---------------------------------------------------------------- its end


def put_out_of_use(station: Station, session: Session, slots: Collection[str], *, by: str) -> list[str]:
    """The models whose keys go with these slots: out of use at once, in the transaction that destroys the keys.

    Their rows at the other documents they were made of end as well. `by`: what destroys them, in the ledger.
    """
    gone = session.scalars(
        select(LearnedModel).where(LearnedModel.key_slot.in_(slots), LearnedModel.state != "out_of_use")
    ).all()
    for model in gone:
        was, model.state = model.state, "out_of_use"
        model.ended_at, model.ended_by = station.now(), by
        for artefact in session.scalars(
            select(Artefact).where(
                Artefact.key_slot == model.key_slot, Artefact.state.in_(("live", "superseded"))
            )
        ):
            artefact.state = "shredding"
        station.log(
            session, "learn.out_of_use", objects=(model.id, by), rule="source_destroyed",
            facts={"was": was, "documents": model.documents},
        )  # fmt: skip
    return [model.id for model in gone]


def slots_of(session: Session, documents: Collection[str]) -> list[str]:
    """Key slots of models that are sealed and were made of any of these documents."""
    return list(
        session.scalars(
            select(Artefact.key_slot)
            .where(
                Artefact.document_id.in_(documents), Artefact.kind == KIND,
                Artefact.state.in_(("live", "superseded")),
            )
            .distinct()
        )
    )  # fmt: skip


def erase_left(station: Station) -> None:
    """Erases files of models whose keys are gone; a destruction erases those of its own documents itself."""
    left = select(Artefact.path).where(Artefact.kind == KIND, Artefact.state == "shredding").distinct()
    with station.read() as session:
        paths = list(session.scalars(left))
    for path in paths:
        erased = station.vault.erase_blob(path)
        with station.write() as session:
            note_erased(session, path, gone=erased.gone, grade=str(erased.grade))


def note_erased(session: Session, path: str, *, gone: bool, grade: str) -> None:
    """What became of a sealed file, at every document that names it."""
    note_all_erased(session, {path: (gone, grade)})


def note_all_erased(session: Session, found: Mapping[str, tuple[bool, str]]) -> None:
    """`note_erased` of many: path -> whether it is gone, grade. At most some hundred at once."""
    for artefact in session.scalars(
        select(Artefact).where(Artefact.path.in_(found), Artefact.state == "shredding")
    ).all():
        gone, artefact.outcome = found[artefact.path]
        artefact.state = "destroyed" if gone else "shredding"


def models_of(session: Session, document: str) -> list[str]:
    """Every model that was ever made of a document, also those that are gone."""
    slots = select(Artefact.key_slot).where(Artefact.document_id == document, Artefact.kind == KIND)
    return list(
        session.scalars(
            select(LearnedModel.id).where(LearnedModel.key_slot.in_(slots)).order_by(LearnedModel.id)
        )
    )


def remains(session: Session, slots: Collection[str]) -> bool:
    """Whether a model of these slots is still in use, or listed at any document as something that could be opened."""
    model = select(LearnedModel.id).where(
        LearnedModel.key_slot.in_(slots), LearnedModel.state != "out_of_use"
    )
    listed = select(Artefact.id).where(
        Artefact.key_slot.in_(slots), Artefact.kind == KIND, Artefact.state != "destroyed"
    )
    return any(session.scalars(question.limit(1)).first() is not None for question in (model, listed))


def named(session: Session, slots: Collection[str]) -> dict[str, str]:
    """Slot -> model, of those slots that are a model's."""
    rows = session.execute(
        select(LearnedModel.key_slot, LearnedModel.id).where(LearnedModel.key_slot.in_(slots))
    )
    return {slot: model for slot, model in rows}  # noqa: C416 - rows are not pairs


def supersede(session: Session, model: LearnedModel, state: str, *, at: str, by: str) -> None:
    """A model that is no longer in use stays sealed, and goes with the first of its documents."""
    model.state, model.ended_at, model.ended_by = state, at, by
    for artefact in session.scalars(
        select(Artefact).where(Artefact.key_slot == model.key_slot, Artefact.state == "live")
    ):
        artefact.state = "superseded"


def withdraw(station: Station, actor: Actor, *, reason: str) -> dict[str, Any]:
    """Back to the shipped model.

    Raises:
        Refused: it is the shipped one already.
    """
    why = station.reason(reason)
    with acting(station, actor, "learn.withdraw") as session:
        row = session.scalars(select(LearnedModel).where(LearnedModel.state == "active")).first()
        if row is None:
            raise Refused("no_learned_model")
        supersede(session, row, "withdrawn", at=station.now(), by=actor.person)
        station.log(
            session, "learn.withdraw", objects=(row.id,), person=actor.person, account=actor.user, reason=why,
            facts={"documents": row.documents},
        )  # fmt: skip
        return _told(station, session)


# ---------------------------------------------------------------- what is told


def show(station: Station, actor: Actor) -> dict[str, Any]:
    """Which model is in use, since when, by whom, approved by whom, of how many documents; and those before it."""
    with acting(station, actor, "learn.show") as session:
        station.log(session, "learn.show", person=actor.person, account=actor.user)
        return _told(station, session)


def _told(station: Station, session: Session) -> dict[str, Any]:
    rows = session.scalars(select(LearnedModel).order_by(LearnedModel.id)).all()
    used = active(session)
    return {
        "in_use": version_of(used.id, used.tag) if used else shipped_model().version,
        "shipped": shipped_model().version,
        "own": used is not None,
        "models": [model_json(station, session, row) for row in rows],
    }


def model_json(station: Station, session: Session, row: LearnedModel) -> dict[str, Any]:
    """One model with every key of the contract."""
    state = row.state
    if state == "active" and row.base_sha256 != base_sha256():
        state = "other_release"
    elif state == "active" and not station.vault.has_slot(session, row.key_slot):
        state = "out_of_use"
    return {
        "model": row.id,
        "version": version_of(row.id, row.tag),
        "state": state,
        "since": row.at,
        "by": row.by,
        "approval": row.approval_id,
        "approved_by": approved_by(session, row.approval_id),
        "documents": row.documents,
        "policy": row.policy,
        "until": row.ended_at,
        "ended_by": row.ended_by,
        **json.loads(row.figures),
    }


def approved_by(session: Session, approval: str) -> list[dict[str, str]]:
    """Who gave an approval."""
    acts = session.scalars(
        select(ApprovalAct)
        .where(ApprovalAct.approval_id == approval, ApprovalAct.act == "give")
        .order_by(ApprovalAct.id)
    )
    return [{"person": act.person, "role": act.role, "at": act.at} for act in acts]


def keep(
    station: Station, session: Session, actor: Actor, *, data: bytes, documents: Collection[str], area: str,
    approval: Approval, figures: dict[str, Any],
) -> LearnedModel:  # fmt: skip
    """Seals a model, lists it at each of its documents, and puts it into use in place of the one before."""
    identifier = f"M{station.clock.now().year}-{station.next_number(session, 'learned_model'):05d}"
    slot = station.vault.new_slot(session, branch=area, group="models")
    sealed = station.vault.put(session, slot, KIND, data, area=area)
    session.add_all(
        Artefact(
            document_id=document, kind=KIND, key_slot=slot, path=sealed.path, size=sealed.size,
            cipher_sha256=sealed.cipher_sha256,
        )
        for document in sorted(documents)
    )  # fmt: skip
    for former in session.scalars(select(LearnedModel).where(LearnedModel.state == "active")):
        supersede(session, former, "former", at=station.now(), by=actor.person)
    row = LearnedModel(
        id=identifier, state="active", at=station.now(), by=actor.person, approval_id=approval.id,
        base_sha256=base_sha256(), policy=station.policy.version, tag=tag_of(station, session, data),
        key_slot=slot, path=sealed.path, documents=len(documents),
        figures=json.dumps(figures, ensure_ascii=False, sort_keys=True).encode(),
    )  # fmt: skip
    session.add(row)
    approval.state = "used"
    session.flush()
    return row
