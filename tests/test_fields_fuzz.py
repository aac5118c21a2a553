"""Laws of `extract`: it never raises, always says the same, points at places that exist, and keeps to its time."""

from __future__ import annotations

import random
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.models.fields import OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.wire import from_plain, to_plain
from jiyao.stages.extract import extract
from jiyao.stages.fields_date import read_dates, torn_date

PIECES = (
    "国发〔2024〕5号", "〔2024〕", "第12号", "签发人：张三", "附件：1.名单", "附件1", "附件",
    "抄送：市委。", "2024年13月45日", "二〇二四年五月廿三日", "某某市人民政府", "文件", "关于", "的通知",
    "各县（市、区）：", "机密★20年", "000012-000016", "特急", "（此件公开发布）", "共印50份", "印发",
    "主送：", "：", "（", "）", "《", "》", "“", "1.", "一、", "总理　某某", "令", "密级：", "22年11月1",
    "通过）", "\u3000", "  ", "样张", "收文章", "联系人", "电话：12345",
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text("年月日号〔〕()（）[]0123456789lO一二三四十〇，。：、 ", max_size=60),
)
fractions = st.floats(0, 1, allow_nan=False)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    left, right = sorted((draw(fractions), draw(fractions)))
    top, bottom = sorted((draw(fractions), draw(fractions)))
    return Line(
        draw(texts), Box(left, top, right, bottom), draw(fractions),
        size_mm=draw(st.one_of(st.none(), st.floats(0.5, 40))),
        colour=draw(st.sampled_from((None, "black", "red", "other"))),
        role=draw(st.sampled_from(("body", "header", "footer", "page_number", "cell", "stamp"))),
        vertical=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    pages = draw(st.lists(st.lists(lines(), max_size=14), max_size=4))
    seal = Box(0.4, 0.4, 0.8, 0.7) if draw(st.booleans()) else None
    return Transcript(
        tuple(
            Page(
                number,
                210,
                297,
                tuple(page),
                draw(st.sampled_from(("ocr", "text_layer"))),
                "made up",
                0.9,
                seal=seal,
            )
            for number, page in enumerate(pages, 1)
        )
    )


def check(made: Transcript) -> OfficialFields:
    fields = extract(made)
    assert extract(made) == fields
    numbers = {page.number for page in made.pages}
    for item in fields.evidence:
        assert item.page in numbers and 0 <= item.score <= 1 and item.rule
        assert item.value or item.rule == "date.not_read"
        assert item.box is None or 0 <= item.box.left <= item.box.right <= 1
        assert item.value not in item.alternatives
    said = {item.name for item in fields.evidence}
    held = {
        "serial": fields.serials, "mark": fields.mark, "urgency": fields.urgency, "organ": fields.organs,
        "doc_number": fields.doc_number, "signer": fields.signers, "title": fields.title,
        "recipients": fields.recipients, "copied_to": fields.copied_to, "date": fields.signed_date,
        "adopted_date": fields.adopted_date, "printed_date": fields.printed_date,
        "print_count": fields.print_count, "note": fields.note, "attachments": fields.attachments,
    }  # fmt: skip
    for name, value in held.items():
        assert value in (None, ()) or name in said, name
    return fields


@pytest.mark.req("R-023")
@settings(max_examples=150, deadline=None)
@given(transcripts())
def test_nothing_makes_it_fail(made: Transcript) -> None:
    fields = check(made)
    assert from_plain(OfficialFields, to_plain(fields)) == fields


@settings(max_examples=200, deadline=None)
@given(texts, st.one_of(st.none(), st.integers(1949, 2099)))
def test_dates_never_fail(text: str, year: int | None) -> None:
    for one in read_dates(text):
        assert text[one.start : one.end] == one.text
        assert one.day is None or isinstance(one.day, date)
    torn_date(text, year=year)


LONG = (
    "一" * 100_000, "附件：" + "1.名单" * 20_000, "〔" * 100_000, "2024年" * 25_000,
    "国" * 50_000 + "〔2024〕5号", "各" * 99_999 + "：", "签发人：" + "张三 " * 30_000,
    "(" * 50_000 + ")" * 50_000, "抄送：" + "市委、" * 30_000, "密级：" * 30_000, "a-1" * 30_000,
    "关于" * 40_000 + "的通知", "000012-" * 14_000, "《" * 100_000, "（" + "通过" * 50_000,
    "联系人" * 30_000,
)  # fmt: skip


@pytest.mark.req("R-023")
@pytest.mark.parametrize("number", range(len(LONG)))
def test_long_lines_take_no_long_time(number: int) -> None:
    text = LONG[number]
    rows = tuple(
        Line(row, Box(0.1, 0.1 + i / 20, 0.9, 0.12 + i / 20))
        for i, row in enumerate(("某市文件", text, text[:5000]))
    )
    start = time.process_time()
    check(Transcript((Page(1, 210, 297, rows, "ocr", "made up", 0.9),)))
    assert time.process_time() - start < 3.0


@pytest.mark.req("R-023")
def test_five_hundred_pages_within_a_second() -> None:
    rng = random.Random(7)
    body = "会议强调要进一步加强和改进有关工作于年月日前完成各项任务并报送书面材料"
    pages = []
    for number in range(1, 501):
        rows = tuple(
            Line(
                "".join(rng.choices(body, k=28)) + "，",
                Box(0.13, 0.12 + i * 0.034, 0.88, 0.14 + i * 0.034),
                0.98,
                5.6,
            )
            for i in range(22)
        )
        pages.append(Page(number, 210, 297, rows, "ocr", "made up", 0.98))
    made = Transcript(tuple(pages))
    start = time.process_time()
    extract(made)
    assert time.process_time() - start < 1.5
