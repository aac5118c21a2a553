"""Search in register words that stand encrypted: the same answers as opening every row, and nothing in clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from jiyao.models.level import Level
from jiyao.models.tables import Document, SearchPage, SearchSlot
from jiyao.pipeline.papers import documents, search_book
from room_kit import Room

TITLES = (
    "关于样例市防汛工作的通知",
    "关于干部任免的通知",
    "防汛物资清单",
    "A&B 样例",
    "关于防汛演练的函",
    "汛防样例",
)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(search_book, "PAGE", 2)
    monkeypatch.setattr(search_book, "LOOSE", 3)
    made = Room(tmp_path)
    for number, title in enumerate(TITLES):
        made.paper(title, organs=(f"乌有{'县' if number % 2 else '市'}局",), level=Level.INTERNAL)
    return made


def listed(room: Room, user: str = "clerk", **asked: Any) -> list[str]:
    found = documents.list_documents(room.station, room.as_(user, "documents"), **asked)
    titles = [row["title"] for row in found["documents"]]
    assert "limit" in asked or found["total"] == len(titles)
    return titles


def plainly(room: Room, query: str) -> list[str]:
    """The same by opening every row."""
    with room.station.read() as session:
        rows = session.scalars(select(Document).order_by(Document.year, Document.seq)).all()
        words = [documents.words_of(room.station, session, row) for row in rows]
    return [
        str(one["title"]) for one in words
        if any(query in text for text in search_book.texts_of(one))
    ]  # fmt: skip


def test_it_finds_what_opening_every_row_finds(room: Room) -> None:
    with room.station.read() as session:
        assert session.scalar(select(func.count()).select_from(SearchPage)) == 2
        loose = select(func.count()).select_from(Document).where(Document.search_page.is_(None))
        assert session.scalar(loose) == 2
    sought = "防汛 汛 通知 的通 A&B 汛防 关于防汛演练的函 没有此词 乌有市 函〔2012〕3号 来件2 知关"
    for query in sought.split():
        assert listed(room, query=query) == plainly(room, query), query
    assert listed(room, organ="县局") == [title for number, title in enumerate(TITLES) if number % 2]
    assert listed(room, organ="县局", query="防汛") == []
    assert listed(room, organ="市局", query="防汛") == [TITLES[0], TITLES[2], TITLES[4]]
    assert listed(room, query="防汛", status="registered") == []


def test_changed_words_leave_the_book_at_once(room: Room) -> None:
    with room.station.write() as session:
        row = session.scalars(select(Document).where(Document.search_page.is_not(None))).first()
        assert row is not None
        page = row.search_page
        documents.keep_words(room.station, session, row, {"title": "改后的题名"})
        session.flush()
        assert row.search_page != page or row.search_page is None
        for one in session.scalars(select(SearchPage)):
            assert TITLES[0] not in search_book._open(room.station, session, one)
    assert listed(room, query="改后") == ["改后的题名"] and listed(room, query=TITLES[0]) == []


def test_words_beyond_the_clearance_are_not_found(room: Room) -> None:
    room.paper("防汛绝密样例", level=Level.STATE_TOP)
    clerk = room.as_("clerk", "documents")
    from dataclasses import replace

    low = replace(clerk, clearance="none")
    found = documents.list_documents(room.station, low, query="防汛绝密")
    assert found["documents"] == [] and found["total"] == 0 and not found["more"]
    assert listed(room, query="防汛绝密") == ["防汛绝密样例"]


def test_nothing_of_a_word_stands_in_the_file(room: Room) -> None:
    with room.station.read() as session:
        for table in (SearchPage, SearchSlot):
            for sealed in session.scalars(select(table.sealed)):
                for word in ("防汛", "通知"):
                    assert word.encode() not in sealed
        lengths = {len(sealed) for sealed in session.scalars(select(SearchSlot.sealed))}
        assert len(lengths) == 1


def test_pages_of_the_list_follow_each_other(room: Room) -> None:
    whole = listed(room)
    clerk = room.as_("clerk", "documents")
    for step in (1, 2, 4):
        by_offset, by_key, after = [], [], None
        for start in range(0, len(whole), step):
            by_offset += listed(room, limit=step, offset=start)
            page = documents.list_documents(room.station, clerk, limit=step, after=after)
            assert page["total"] == len(whole)
            by_key += [row["title"] for row in page["documents"]]
            after = page["documents"][-1]["id"]
        assert by_offset == by_key == whole
    assert listed(room, limit=0) == []
