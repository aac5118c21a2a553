"""Passages that a paper shares with registered ones: what is found, what is not, what it costs, how it goes."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ingest_kit import ingest, letter
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.passage import SHINGLE, Prints
from jiyao.models.period import Period
from jiyao.models.tables import PassageSet, PassageTag
from jiyao.pipeline.intake import passages
from jiyao.pipeline.intake.relations import RelationIndex
from jiyao.stages.derive import source_evidence
from jiyao.stages.passages import WINDOW, cited_titles, prints_of, winnow
from room_kit import Room

SECRET = (
    "拟于今年第四季度对甲乙丙三处备用库房实施轮换，库存总量按上年末实数的百分之六十四掌握，"
    "其中甲库先行腾空，乙库与丙库依次衔接，轮换期间对外统一口径为设备检修，"
    "承运单位由主管部门在名录内随机抽取，路线与时间在出发前两小时口头告知。"
)
FORMULA = (
    "各有关单位要提高政治站位，加强组织领导，压实工作责任，细化工作措施，密切协作配合，"
    "确保各项任务落到实处，工作中的重要情况和问题请及时报告我办，联系人及电话另行通知。"
)
STATE = Mark(level=Level.STATE_SECRET, period=Period("years", number=10), star=True, raw="机密★10年")


def transcript(*pages: str) -> Transcript:
    return Transcript(
        tuple(
            Page(
                number, 210, 297,
                tuple(
                    Line(text[at : at + 28], Box(0.1, 0.1 + row * 0.02, 0.9, 0.12 + row * 0.02))
                    for row, at in enumerate(range(0, len(text), 28))
                ),
                "text_layer", "text-layer", 1.0,
            )
            for number, text in enumerate(pages, start=1)
        )
    )  # fmt: skip


def filler(seed: int, length: int) -> str:
    chosen = random.Random(seed)
    return "".join(chr(chosen.randrange(0x4E00, 0x9000)) for _ in range(length))


def misread(text: str, share: float, seed: int = 3) -> str:
    chosen = random.Random(seed)
    return "".join("囗" if chosen.random() < share else char for char in text)


def source(room: Room, text: str = SECRET, **given: object) -> str:
    return room.document(
        text=text, level=Level.STATE_SECRET, mark=STATE, signed=room.clock.now().date(), **given
    )


def related(room: Room, *pages: str, without: tuple[str, ...] = ()) -> tuple[passages.RelatedDocument, ...]:
    with room.station.read() as session:
        return passages.by_passages(room.station, session, prints_of(transcript(*pages)), without=without)


# ---------------------------------------------------------------- fingerprints


@settings(max_examples=60, deadline=None)
@given(
    st.text("甲乙丙丁戊己庚辛壬癸子丑寅卯", min_size=SHINGLE + WINDOW - 1, max_size=90),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_what_is_long_enough_and_shared_has_a_fingerprint_in_both(
    words: str, before: int, behind: int
) -> None:
    one, _ = winnow(filler(1, before) + words + filler(2, behind))
    other, _ = winnow(filler(3, behind) + words + filler(4, before))
    assert set(one) & set(other)


def test_line_ends_spaces_and_punctuation_do_not_part_a_passage() -> None:
    plain = prints_of(transcript(SECRET)).hashes
    spaced = prints_of(transcript(" ".join(SECRET).replace("，", ",\u3000"))).hashes
    assert plain == spaced != ()


def test_titles_of_statutes_are_not_looked_up() -> None:
    text = (
        "根据《中华人民共和国保守国家秘密法》和《关于物资轮换工作安排的通知》以及《样例条例(试行)修订版条例》"
    )
    assert cited_titles(transcript(text)) == ("关于物资轮换工作安排的通知",)


def test_prints_without_places_are_refused() -> None:
    with pytest.raises(ValueError, match="place"):
        Prints(hashes=(1, 2), starts=(0,))


# ---------------------------------------------------------------- what is found


@pytest.mark.req("R-044")
def test_a_repeated_passage_names_its_source_and_where_it_stands(tmp_path: Path) -> None:
    room = Room(tmp_path)
    known = source(room, SECRET + filler(5, 300))
    (found,) = related(room, filler(6, 400), filler(7, 100) + SECRET[:90] + filler(8, 50))
    assert (found.document, found.how, found.level) == (known, "near_duplicate", Level.STATE_SECRET)
    assert found.ends is not None
    (passage,) = found.passages
    assert passage.page == 2
    assert passage.box is not None and passage.box.top == pytest.approx(0.1 + 0.02 * (100 // 28), abs=0.021)
    assert 60 <= passage.characters <= 90
    assert 0.05 < found.share < 0.4


def test_a_passage_is_found_in_a_badly_read_scan(tmp_path: Path) -> None:
    room = Room(tmp_path)
    known = source(room, misread(SECRET * 1 + filler(5, 200), 0.02, 1))
    found = related(room, misread(filler(6, 300) + SECRET, 0.02, 2))
    assert [one.document for one in found] == [known]


def test_what_is_short_or_of_others_is_not_found(tmp_path: Path) -> None:
    room = Room(tmp_path)
    known = source(room, SECRET + filler(5, 200))
    assert related(room, filler(6, 200) + SECRET[:32] + filler(7, 200)) == ()
    assert related(room, filler(6, 500)) == ()
    assert related(room, SECRET, without=(known,)) == ()


def test_only_firm_levels_are_sources(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.paper(text=SECRET, level=Level.COMPANY_SECRET)  # words alone, not confirmed
    assert related(room, SECRET) == ()
    known = room.document(text=SECRET, level=Level.COMPANY_SECRET)
    assert [one.document for one in related(room, SECRET)] == [known]
    room.change(known, status="void")
    assert related(room, SECRET) == ()


def test_formulas_of_many_harmless_papers_do_not_count(tmp_path: Path) -> None:
    room = Room(tmp_path)
    known = source(room, filler(9, 900) + FORMULA)
    assert [one.document for one in related(room, filler(1, 200) + FORMULA)] == [known]
    for number in range(4):
        room.document(text=filler(20 + number, 60) + FORMULA, level=Level.INTERNAL)
    assert related(room, filler(1, 200) + FORMULA) == ()
    assert related(room, filler(1, 200) + SECRET) == ()


def test_published_words_are_no_secret(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source(room, filler(9, 400) + FORMULA)
    room.document(text=FORMULA, level=Level.PUBLIC)
    assert related(room, filler(1, 200) + FORMULA) == ()


def test_harmless_papers_do_not_hide_the_rest_of_a_source(tmp_path: Path) -> None:
    room = Room(tmp_path)
    known = source(room, SECRET + FORMULA)
    for number in range(8):
        room.paper(text=filler(20 + number, 60) + FORMULA, level=Level.INTERNAL)
    assert [one.document for one in related(room, SECRET + FORMULA)] == [known]


# ---------------------------------------------------------------- the whole way


@pytest.mark.req("R-044")
def test_a_paper_of_the_same_batch_that_repeats_a_marked_one_derives_from_it(tmp_path: Path) -> None:
    room, inbox = Room(tmp_path / "room"), tmp_path / "in"
    first = letter(
        inbox, "1.docx", number="乌有发〔2026〕71号", mark="机密★5年", title="关于甲项工作的通知", body=SECRET
    )
    second = letter(
        inbox, "2.docx", number="样局函〔2026〕72号", title="关于做好衔接工作的函", date="2026年10月8日",
        body=f"现将有关安排转告如下。\n{SECRET[:110]}\n请认真办理。",
    )  # fmt: skip
    answer = ingest(room, first, second)
    assert answer["counts"]["pending"] == 2, answer["problems"]
    marked, derived = answer["documents"]
    assert (derived["level"], derived["level_basis"]) == ("机密", "derivative")
    assert derived["secrecy_until"] == marked["secrecy_until"] == "2031-09-08"
    assert derived["must_review"] and "derivative_to_confirm" in [one["code"] for one in derived["findings"]]
    said = [one for one in derived["evidence"] if one["rule"] == "D-1"]
    assert said and marked["id"] in said[0]["text"] and said[0]["page"] == 1 and said[0]["box"]
    assert "71号" not in str(derived["evidence"]), "the reader of this paper need not know that one's number"


def test_an_enclosed_registered_document_gives_its_level(tmp_path: Path) -> None:
    room = Room(tmp_path)
    title = "甲乙丙三处库房轮换实施方案"
    known = source(room, title=title)
    with room.station.read() as session:
        index = RelationIndex(room.station)
        fields = OfficialFields(title="关于印发实施方案的函", attachments=(f"{title}。",))
        (found,) = index.of(session, fields, (), Prints()).related
        cited = index.of(session, OfficialFields(), (), Prints(titles=(title,))).related
    assert (found.document, found.how) == (known, "attachment")
    assert [(one.document, one.how) for one in cited] == [(known, "cited")]
    assert known in source_evidence((found,))[0].text


# ---------------------------------------------------------------- the index goes with its documents


def rows(room: Room) -> tuple[int, int]:
    with room.station.read() as session:
        return (
            session.scalar(select(func.count()).select_from(PassageSet)) or 0,
            session.scalar(select(func.count()).select_from(PassageTag)) or 0,
        )


@pytest.mark.req("R-127")
def test_destruction_takes_a_documents_passages_and_no_others(tmp_path: Path) -> None:
    room = Room(tmp_path)
    gone = room.expired("关于甲事项的函", text=SECRET + FORMULA, level=Level.STATE_SECRET, mark=STATE)
    kept = room.document(
        "关于乙事项的函", text=FORMULA + filler(4, 200), level=Level.STATE_SECRET, mark=STATE
    )
    with room.station.read() as session:
        sets = {row.document_id: row.tags for row in session.scalars(select(PassageSet))}
    only = {struct.pack(">q", tag) for tag in set(_unpack(sets[gone])) - set(_unpack(sets[kept]))}
    assert only and any(tag in _database(room) for tag in only)
    room.until("certified", gone, approvers=("lead",))
    with room.station.read() as session:
        left = {row.document_id: row.tags for row in session.scalars(select(PassageSet))}
    assert left == {kept: sets[kept]}
    assert rows(room) == (1, len(sets[kept]) // 8)
    room.station.engine.dispose()
    data = _database(room)
    assert not any(tag in data for tag in only), "not even on free pages"
    room.open()
    assert related(room, SECRET) == ()


def test_passages_stand_in_the_register_only_under_its_key(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source(room)
    data = _database(room)
    for one in prints_of(transcript(SECRET)).hashes:
        assert struct.pack(">Q", one) not in data and struct.pack("<Q", one) not in data


def _unpack(tags: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(tags) // 8}q", tags)


def _database(room: Room) -> bytes:
    return b"".join(path.read_bytes() for path in room.home.glob("*.db*") if path.is_file())


def test_a_paper_entered_anew_replaces_its_passages(tmp_path: Path) -> None:
    room = Room(tmp_path)
    document = source(room)
    with room.station.write() as session:
        passages.keep(room.station, session, document, prints_of(transcript(FORMULA)), "关于新题名的函件")
    assert related(room, SECRET) == ()
    assert [one.document for one in related(room, FORMULA)] == [document]
    assert rows(room)[0] == 1


# ---------------------------------------------------------------- cost


def test_a_question_costs_less_than_twenty_milliseconds(tmp_path: Path) -> None:
    """Of a paper of 3,000 characters that repeats a source; CPU time of worker and coordinator together."""
    room = Room(tmp_path)
    source(room)
    paper = transcript(filler(1, 1400), SECRET + filler(2, 1400))
    prints_of(paper)
    began = time.process_time()
    for _ in range(10):
        prints = prints_of(paper)
    read = (time.process_time() - began) / 10
    with room.station.read() as session:
        passages.by_passages(room.station, session, prints)
        began = time.process_time()
        for _ in range(10):
            passages.by_passages(room.station, session, prints)
        asked = (time.process_time() - began) / 10
    print(f"\nfingerprints {read * 1000:.1f} ms, question {asked * 1000:.1f} ms, {len(prints.hashes)} prints")
    assert read + asked < 0.02
