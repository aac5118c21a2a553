"""The handling slip of one document, made from the register and the signed steps, in memory; the only file in clear is
the one that was asked for, and it is written down as such (R-009, R-010, R-070).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import Refused
from ...common.files import write_new
from ...models.level import Level
from ...models.tables import Clear, Document, Event, Matter, MatterItem, Movement, Receipt
from ...stages.handling_slip import HIDDEN, HandlingSlip, Reader, Signed, draw_handling_slip
from ..desk import matters
from ..intake.receipt import organ_of
from ..intake.register_entry import EVENT
from ..intake.source_file import CLEAR
from ..persons import access, people
from ..persons.actors import Actor, acting
from ..station import ledgers
from ..station.station import Station
from .documents import words_of
from .inbound import KIND, flow_of

_ZH = {"handle": "送承办", "both": "送承办并传阅", "read": "送传阅", "instruct": "再请示", "file": "直接办结"}
_LISTS = ("circulation",)
URGED = "urging"
"""The events of a document that its slip shows as urged and answered."""


def write_slip(station: Station, actor: Actor, *, document: str, out: Path) -> dict[str, Any]:
    """Draws the slip and writes it; counted among what lies in clear.

    Words of the paper and of those who dealt with it are left out where the actor's clearance does not reach.

    Raises:
        NotThere: no such document. Refused: not in its circle, or the file exists. OSError: the disk.
    """
    with acting(station, actor, "documents.slip", objects=(document,)) as session:
        row = access.get_document(session, document)
        if not access.may_know(session, actor, document):
            raise Refused("not_in_circle", person=actor.person, document=document)
        shown = access.may_see_titles(station, actor, row)
        slip = _slip(station, session, actor, row, shown=shown)
        level = Level.parse(row.level_code).value if row.level_code else None
    pdf = draw_handling_slip(slip)
    with acting(station, actor, "documents.slip", objects=(document,)) as session:
        session.add(
            Clear(
                document_id=document, kind="sheet", at=station.now(), holder=actor.person,
                sealed=station.seal(session, CLEAR, {"path": str(out.absolute()), "size": len(pdf)}),
            )
        )  # fmt: skip
        station.log(
            session, "documents.slip", objects=(document,), person=actor.person, account=actor.user, level=level,
            facts={"words": shown},
        )  # fmt: skip
        digest = write_new(out, pdf)
    return {"document": document, "file": str(out), "sha256": digest, "words": shown, "step": slip.step}


def _slip(station: Station, session: Session, actor: Actor, row: Document, *, shown: bool) -> HandlingSlip:
    words = words_of(station, session, row)
    receipt = session.get_one(Receipt, row.receipt_id)
    matter = session.scalars(
        select(Matter).where(Matter.document_id == row.id, Matter.kind == KIND).order_by(Matter.id.desc())
    ).first()
    said = _said(station, session, matter) if matter is not None and shown else {}
    told = matters.words_of(station, session, matter) if matter is not None else {}
    flow = flow_of(station, session, row.id) or {}
    head = ledgers.signed_head(station, session)
    handler = str(told.get("handler") or "")
    sender = "、".join(words.get("organs") or ()) or organ_of(station, session, receipt)
    return HandlingSlip(
        unit=station.settings.unit,
        number=row.id,
        sender=sender if shown else HIDDEN,
        doc_number=(words.get("doc_number") or "") if shown else HIDDEN,
        title=(words.get("title") or "") if shown else HIDDEN,
        level=_level(row),
        urgency=row.urgency or "一般",
        copies=f"{row.copies_received} 份　每份 {row.pages} 页" if row.pages else f"{row.copies_received} 份",
        serials="、".join(words.get("serials") or ()) if shown else "",
        received=row.received_at[:10],
        scope=str(told.get("scope") or "") if shown else "",
        read_by=str(told.get("read_by") or ""),
        handle_by=str(flow.get("due") or "") if flow.get("step") == "handle" else "",
        handler=_name(station, session, handler) if handler else "",
        proposals=tuple(said.get("propose", ())),
        instructions=tuple(said.get("instruct", ())),
        distributions=tuple(said.get("distribute", ())),
        outcomes=(*said.get("handle", ()), *said.get("finish", ())),
        urgings=_urgings(station, session, row) if shown else (),
        readers=_readers(station, session, row),
        step=str(flow.get("zh") or ""),
        day=today(station.clock),
        checkpoint=f"{head.size} 条　{head.root.hex()}",
        printed_by=_name(station, session, actor.person),
    )


def _level(row: Document) -> str:
    if row.level_code:
        return f"{Level.parse(row.level_code).value}{' ' + row.period if row.period else ''}"
    return f"（暂按{Level.parse(row.interim_code).value}管理）" if row.interim_code else ""


_TEXT = {
    "propose": "opinion", "instruct": "instruction", "handle": "outcome", "finish": "outcome", "distribute": "note",
}  # fmt: skip


def _said(station: Station, session: Session, matter: Matter) -> dict[str, list[Signed]]:
    found: dict[str, list[Signed]] = {}
    for step in matters.steps_of(session, matter):
        if step.step not in _TEXT:
            continue
        words = matters.step_words(station, session, step)
        text = str(words.get(_TEXT[step.step]) or "")
        if step.step == "distribute":
            named = f"：{_name(station, session, str(words['handler']))}" if words.get("handler") else ""
            text = "　".join(filter(None, (f"{_ZH.get(step.result, '分发')}{named}", text)))
        if step.step == "finish":
            text = text or ("办结" if step.result == "done" else "退回续办")
        found.setdefault(step.step, []).append(
            Signed(text=text, name=_name(station, session, step.person), day=step.at[:10])
        )
    return found


def _readers(station: Station, session: Session, row: Document) -> tuple[Reader, ...]:
    """Who read an original, in order, and who still is to, by the lists that are open."""
    found: list[Reader] = []
    open_at: dict[str, int] = {}
    for move in session.scalars(
        select(Movement)
        .where(Movement.document_id == row.id, Movement.act.in_(("circulate", "keep_for", "read_back")))
        .order_by(Movement.id)
    ):
        day = move.at[5:10]
        if move.act == "read_back":
            if move.object_id in open_at:
                place = open_at.pop(move.object_id)
                found[place] = Reader(name=found[place].name, given=found[place].given, back=day)
        elif move.taker is not None:
            open_at[move.object_id] = len(found)
            found.append(Reader(name=_name(station, session, move.taker), given=day))
    had = {one.name for one in found}
    planned = session.scalars(
        select(MatterItem.object_id)
        .join(Matter, Matter.id == MatterItem.matter_id)
        .where(
            Matter.document_id == row.id, Matter.kind.in_(_LISTS), Matter.state == matters.OPEN,
            MatterItem.object_kind == "person",
        )
        .order_by(MatterItem.matter_id, MatterItem.seq)
    )  # fmt: skip
    names = [_name(station, session, person) for person in planned]
    return (*found, *(Reader(name=name) for name in dict.fromkeys(names) if name not in had))


def _urgings(station: Station, session: Session, row: Document) -> tuple[Signed, ...]:
    found = []
    for event in session.scalars(
        select(Event).where(Event.document_id == row.id, Event.what == URGED).order_by(Event.id)
    ):
        words = station.unseal(session, EVENT, event.sealed, bind=row.id)
        day = datetime.fromisoformat(event.at).date().isoformat()
        name = _name(station, session, str(event.person))
        if event.act == "urge":
            told = "、".join(_name(station, session, person) for person in words["told"])
            text = f"{day} {words['zh']}第 {words['count']} 次催办（{told}）"
            why = words.get("reason")
            text += f"：{why}" if why else ""
        else:
            text = f"{day} {name} 反馈：{words['answer']}"
        found.append(Signed(text=text, name=name, day=day))
    return tuple(found)


def _name(station: Station, session: Session, person: str) -> str:
    return people.name_of(station, session, person)
