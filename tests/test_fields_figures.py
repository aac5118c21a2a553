"""Dates whose figures were read with doubt, or completed under a seal, are asked about and others are offered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from jiyao.models.fields import FieldEvidence, OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.doubts import list_doubts
from jiyao.stages.extract import extract

HEAD = (
    "柯河县教育局文件",
    "关于举行汇报会的通知",
    "各学校：",
    "现将有关事项通知如下，请遵照执行。",
    "柯河县教育局",
)


def paper(signed: str, scores: dict[int, float], *, seal: bool = False, more: tuple[Line, ...] = ()) -> Page:
    """A page signed at its end; `scores` are those of the date's characters that are not 1."""
    lines = [
        Line(text, Box(0.2, 0.2 + 0.08 * at, 0.8, 0.24 + 0.08 * at), 0.99, characters=(1.0,) * len(text))
        for at, text in enumerate(HEAD)
    ]
    characters = tuple(scores.get(place, 1.0) for place in range(len(signed)))
    lines.append(Line(signed, Box(0.5, 0.6, 0.75, 0.64), 0.97, characters=characters))
    seals = (Box(0.5, 0.5, 0.75, 0.65),) if seal else ()
    return Page(1, 210, 297, (*more, *lines), "ocr", "rapid", 0.98, seals=seals)


def signed(page: Page) -> tuple[OfficialFields, FieldEvidence]:
    fields = extract(Transcript((page,)))
    return fields, next(item for item in fields.evidence if item.name == "date")


@pytest.mark.req("R-023", "R-024")
def test_a_figure_read_with_doubt_is_asked_about_and_the_others_are_offered() -> None:
    page = paper("2011年1月3日", {3: 0.9, 5: 0.96})
    fields, item = signed(page)
    assert fields.signed_date == date(2011, 1, 3)
    assert item.doubt == ("low_confidence",)
    assert {"2014-01-03", "2011-04-03", "2014-04-03"} <= set(item.alternatives)
    assert "2014-01-08" not in item.alternatives
    asked = [one for one in list_doubts(Transcript((page,)), fields) if one.name == "date"]
    assert asked and asked[0].alternatives == item.alternatives


@pytest.mark.req("R-023")
def test_a_sure_date_is_not_asked_about() -> None:
    assert signed(paper("2011年1月3日", {3: 0.96, 4: 0.8}))[1].doubt == ()
    assert signed(replace(paper("2011年1月3日", {}), seals=()))[1].doubt == ()


@pytest.mark.req("R-020", "R-023")
def test_what_was_completed_may_be_any_other_day_that_there_is() -> None:
    _, item = signed(paper("2024年2月28日", {8: 0.4}, seal=True))
    assert {"covered_by_seal", "low_confidence"} <= set(item.doubt)
    assert {"2024-02-29", "2024-02-20"} <= set(item.alternatives)
    _, word = signed(paper("2024年2月28日", {9: 0.4}, seal=True))
    assert "low_confidence" in word.doubt and word.alternatives == ()


@pytest.mark.req("R-023")
def test_words_of_the_seal_behind_a_date_do_not_lose_it_to_the_day_of_receipt() -> None:
    received = tuple(
        Line(text, Box(0.7, top, 0.84, top + 0.02), 0.99, size_mm=size, characters=(1.0,) * len(text))
        for text, top, size in (("收文第0359号", 0.09, 7.9), ("2021年4月17日", 0.112, 8.4))
    )
    fields, item = signed(paper("2021年4月9日业务", {}, seal=True, more=received))
    assert fields.signed_date == date(2021, 4, 9) and "covered_by_seal" in item.doubt
    bare, _ = signed(paper("2021年4月9日", {}, more=received))
    assert bare.signed_date == date(2021, 4, 9)
    none = extract(
        Transcript((replace(paper("现予公布", {}), lines=(*received, *paper("现予公布", {}).lines)),))
    )
    assert none.signed_date is None


@pytest.mark.req("R-023")
def test_a_stamp_beside_the_signature_does_not_sign() -> None:
    page = paper("2022年2月8日", {})
    stamp = tuple(
        Line(text, Box(0.14, top, 0.31, top + 0.03), 0.99, size_mm=8.8, characters=(1.0,) * len(text))
        for text, top in (("蕉鹿县人民政府办公室", 0.52), ("收文第0327号", 0.56), ("2022年2月15日", 0.6))
    )
    fields = extract(Transcript((replace(page, lines=(*page.lines[:4], *stamp, *page.lines[4:])),)))
    assert fields.organs == ("柯河县教育局",) and fields.signed_date == date(2022, 2, 8)


@pytest.mark.req("R-023")
def test_a_ring_across_two_names_of_one_row_does_not_make_them_one() -> None:
    names = ("蕉鹿县教育局", "柯河县卫生健康局", "南柯市财政局")
    head = [Line(f"{name}文件" if name == names[-1] else name, Box(0.2, 0.05 + 0.04 * at, 0.8, 0.08 + 0.04 * at), 1.0)
            for at, name in enumerate(names)]  # fmt: skip
    text = [
        Line(one, Box(0.2, 0.2 + 0.05 * at, 0.8, 0.23 + 0.05 * at), 1.0) for at, one in enumerate(HEAD[1:4])
    ]
    signed_by = [
        Line("蕉  鹿县数育局  柯河县卫主健康局", Box(0.2, 0.5, 0.8, 0.54), 0.92),
        Line("南柯市财政局", Box(0.5, 0.58, 0.75, 0.62), 0.99),
        Line("2024年2月8日", Box(0.5, 0.64, 0.75, 0.68), 0.99),
    ]
    seals = (Box(0.2, 0.45, 0.4, 0.6), Box(0.55, 0.45, 0.75, 0.6))
    page = Page(1, 210, 297, (*head, *text, *signed_by), "ocr", "rapid", 0.98, seals=seals)
    assert extract(Transcript((page,))).organs == names
