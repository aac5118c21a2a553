"""Doubts: what a reviewer is asked, in the order that saves most time (R-023, R-024)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.models.fields import FieldEvidence, FieldName, OfficialFields
from jiyao.models.page import Box, Finding, Line, Page, Transcript, Unread
from jiyao.pipeline.review import review
from jiyao.stages.doubts import WEAK_CHARACTER, list_doubts, part_of
from room_kit import Room

WIDE = Box(0.1, 0.2, 0.9, 0.22)


def field(name: FieldName, *, score: float = 0.99, doubt: tuple[str, ...] = ()) -> FieldEvidence:
    return FieldEvidence(name, "乌有函〔2024〕5号", "", 1, WIDE, score, "rule", doubt, ("乌有函〔2024〕6号",))


def page(*lines: Line, number: int = 1, **more: object) -> Page:
    return Page(number, 210, 297, lines, "ocr", "engine", 0.9, **more)  # type: ignore[arg-type]


def line(text: str, *scores: float, **more: object) -> Line:
    return Line(text, WIDE, 0.9, characters=scores or (0.99,) * len(text), **more)  # type: ignore[arg-type]


@pytest.mark.req("R-023")
def test_what_harms_most_comes_first() -> None:
    fields = OfficialFields(
        evidence=(
            field("note", doubt=("repaired",)),
            field("doc_number", doubt=("repaired",)),
            field("mark", doubt=("star_lost",)),
            field("title"),
        )
    )
    text = Transcript((page(line("甲乙丙", 0.9, 0.3, 0.99)),))
    asked = list_doubts(text, fields)
    assert [item.name or item.what for item in asked] == ["mark", "doc_number", "text", "note"]
    assert asked[1].alternatives == ("乌有函〔2024〕6号",)


def test_a_sound_paper_asks_nothing() -> None:
    assert (
        list_doubts(Transcript((page(line("关于样例的通知")),)), OfficialFields(evidence=(field("title"),)))
        == ()
    )


def test_weak_runs_are_asked_with_their_place() -> None:
    text = Transcript((page(line("甲乙丙丁戊己庚辛壬癸", *(0.9,) * 4, 0.2, 0.4, *(0.9,) * 4)),))
    (asked,) = list_doubts(text, OfficialFields())
    assert (asked.what, asked.text, asked.score, asked.reasons) == ("text", "戊己", 0.2, ("weak_characters",))
    assert asked.box is not None
    assert (asked.box.left, asked.box.right) == (pytest.approx(0.42), pytest.approx(0.58))


def test_a_page_full_of_weak_characters_is_one_question() -> None:
    (asked,) = list_doubts(
        Transcript((page(line("甲乙丙丁" * 4, *(0.3, 0.9, 0.3, 0.3) * 4)),)), OfficialFields()
    )
    assert (asked.what, asked.reasons) == ("page", ("many_weak_characters",))


@pytest.mark.req("R-023")
@pytest.mark.parametrize(
    "code", ["ocr_page_timeout", "ocr_page_failed", "page_not_drawn", "low_confidence_page"]
)
def test_a_page_that_was_not_read_is_asked_about(code: str) -> None:
    transcript = Transcript((page(), page(line("正文"), number=2)), (Finding(code, page=1),))
    (asked,) = list_doubts(transcript, OfficialFields())
    assert (asked.what, asked.page, asked.reasons) == ("page", 1, (code,))


def test_handwriting_is_shown_not_guessed() -> None:
    (asked,) = list_doubts(Transcript((page(unread=(Unread(WIDE, "handwriting"),)),)), OfficialFields())
    assert (asked.what, asked.text, asked.box, asked.reasons) == ("unread", "", WIDE, ("unread_handwriting",))


_lines = st.lists(
    st.lists(st.tuples(st.sampled_from("甲乙丙1a "), st.floats(0, 1)), min_size=1, max_size=30), max_size=8
)


@given(_lines)
def test_every_weak_character_is_in_one_question(lines: list[list[tuple[str, float]]]) -> None:
    made = tuple(line("".join(c for c, _ in row), *(s for _, s in row)) for row in lines)
    asked = list_doubts(Transcript((page(*made),)), OfficialFields())
    assert [item.gain for item in asked] == sorted((item.gain for item in asked), reverse=True)
    if all(item.what == "text" for item in asked):
        shown = "".join(sorted("".join(item.text for item in asked).replace(" ", "")))
        weak = (c for row in lines for c, score in row if score < WEAK_CHARACTER and c != " ")
        assert shown == "".join(sorted(weak))
    else:
        assert [item.what for item in asked] == ["page"]


@given(st.text("甲乙1ab", min_size=1, max_size=20), st.data(), st.booleans())
def test_a_part_lies_in_its_line(text: str, data: st.DataObject, vertical: bool) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    box = part_of(Line(text, WIDE, vertical=vertical), start, end)
    edge = 1e-9
    assert WIDE.left - edge <= box.left <= box.right <= WIDE.right + edge
    assert WIDE.top - edge <= box.top <= box.bottom <= WIDE.bottom + edge


@pytest.mark.req("R-023")
def test_review_shows_doubts_until_a_person_has_set_the_field(tmp_path: Path) -> None:
    room = Room(tmp_path)
    evidence = (field("doc_number", doubt=("two_candidates",)), field("serial", score=0.4))
    document = room.paper(evidence=evidence)
    rev = room.as_("rev", "review")
    shown = review.show_review(room.station, rev, document=document)["doubts"]
    assert [(item["what"], item["name"]) for item in shown] == [("field", "serial"), ("field", "doc_number")]
    assert shown[1]["box"] == [0.1, 0.2, 0.9, 0.22]
    clerk = room.as_("clerk", "review")
    review.set_values(room.station, clerk, document=document, reason="核对原件", fields={"serials": "000012"})
    left = review.show_review(room.station, rev, document=document)["doubts"]
    assert [item["name"] for item in left] == ["doc_number"]
