"""What a destroyed document leaves nowhere: passages, tags, links to its sources; V4 looks and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.suggestion import RelatedDocument, Relations
from jiyao.models.tables import Document, PassageSet, PassageTag
from jiyao.pipeline.intake import passages
from jiyao.pipeline.papers import documents
from jiyao.stages.classify import classify
from room_kit import Room

MARK = Mark(Level.STATE_CONFIDENTIAL, Period("years", number=5), star=True)
TEXT = "本件所述虚构方案的第一步是把样例物资由甲库移到乙库，第二步是在丙日前清点完毕，第三步另行通知，均属试验所写。"


def v4(room: Room, batch: str) -> tuple[str, str | None]:
    check = next(one for one in room.show(batch)["checks"] if one["name"] == "V4")
    return check["result"], check["reason"]


def marked(room: Room, title: str = "关于样例方案的函") -> str:
    return room.expired(title, text=TEXT * 3, level=MARK.level, mark=MARK)


@pytest.mark.req("R-127")
def test_the_check_says_that_no_passage_is_left(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = marked(room)
    with room.station.read() as session:
        assert passages.remains(session, [document])
    batch = room.until("verified", document, approvers=("lead",))
    assert v4(room, batch) == ("pass", "no_passages_left")


@pytest.mark.req("R-127")
def test_a_passage_that_stayed_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path)
    document = marked(room)
    monkeypatch.setattr(passages, "forget", lambda *_: None)
    batch = room.until("supervised", document, approvers=("lead",))
    for user in ("op1", "op2"):
        value = room.execute(batch, user)
    assert value["state"] == "failed" and v4(room, batch) == ("fail", "passages_left")


@pytest.mark.req("R-127")
def test_a_passage_that_belongs_to_nobody_is_found(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = room.document(level=MARK.level, mark=MARK)
    with room.station.write() as session:
        assert not passages.remains(session, ["D-none"])
        number = session.scalars(select(PassageSet.id)).one()
        session.execute(insert(PassageTag), [{"tag": 7, "set_id": number + 1}])
        assert passages.remains(session, ["D-none"])
        assert session.get_one(Document, document)
        session.rollback()


@pytest.mark.req("R-044")
def test_links_to_sources_stand_in_the_register_and_go_with_the_paper(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source = room.document("关于来源的函", level=Level.INTERNAL)
    document = marked(room)
    with room.station.write() as session:
        row = session.get_one(Document, document)
        words = documents.words_of(room.station, session, row)
        documents.keep_words(room.station, session, row, {**words, "sources": [[source, "cited"]]})
    shown = show(room, document)["sources"]
    assert shown == [{"document": source, "how": "cited", "status": "registered", "above": False}]
    room.change(source, level_code=Level.STATE_SECRET.code)
    assert show(room, document)["sources"][0]["above"], "its level can be checked against its sources"
    room.until("verified", document, approvers=("lead",))
    assert show(room, document)["sources"] == []


@pytest.mark.req("R-044")
def test_a_suggestion_names_the_sources_that_still_have_a_level() -> None:
    line = Line("现转发来文，请遵照执行。", Box(0.1, 0.1, 0.9, 0.2))
    transcript = Transcript((Page(1, 210, 297, (line,), "text_layer", "text-layer", 1.0),))
    alive = RelatedDocument("D1", None, Level.STATE_SECRET, None, None, "cited")
    public = RelatedDocument("D2", None, Level.PUBLIC, None, None, "attachment")
    found = classify(
        transcript=transcript, fields=OfficialFields(title="关于转发来文的通知", kind="通知"),
        policy=parse_policy(default_policy_text()), profile="organ", relations=Relations((alive, public)),
    )  # fmt: skip
    assert found.sources == (("D1", "cited"),)


def show(room: Room, document: str) -> dict[str, object]:
    return documents.show_document(room.station, room.as_("clerk", "documents"), document=document)
