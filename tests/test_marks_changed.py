"""Old marks beside new ones: struck out in the picture or the file, named as former, changed, or stamped 解密."""

from __future__ import annotations

import io
from dataclasses import replace

import docx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jiyao.common.limits import Limits
from jiyao.formats.docx import open_docx
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.page import Box, Finding, Line, Transcript
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.suggestion import LevelSuggestion
from jiyao.samples.judged_page import pages_of
from jiyao.samples.sheet import pixel_font
from jiyao.samples.strike import strike_out
from jiyao.stages.classify import classify
from jiyao.stages.extract import extract
from jiyao.stages.page_strike import struck_marks

POLICY = parse_policy(default_policy_text())
_LEVELS = ("绝密★30年", "机密★20年", "秘密★10年")


def judged(
    mark: str, *, struck: tuple[str, ...] = (), rest: str = ""
) -> tuple[OfficialFields, LevelSuggestion]:
    head = f"000017\n{mark}\n^鹿县水利局文件\n^鹿水〔2023〕9号\n^关于有关事项的通知\n各站：\n"
    text = f"{head}按既定分工办理。\n>鹿县水利局\n>2023年8月14日{rest}"
    transcript = pages_of(text)
    transcript = replace(
        transcript, findings=tuple(Finding("mark_struck", page=1, detail=words) for words in struck)
    )
    fields = extract(transcript)
    return fields, classify(transcript=transcript, fields=fields, policy=POLICY, profile="organ")


@pytest.mark.req("R-025")
@pytest.mark.parametrize(
    ("mark", "level", "meanwhile", "kind"),
    [
        ("秘密★10年（原机密★20年）", Level.STATE_CONFIDENTIAL, Level.STATE_SECRET, "former"),
        ("秘密★5年　原机密★20年", Level.STATE_CONFIDENTIAL, Level.STATE_SECRET, "former"),
        ("机密★10年 原秘密★10年", Level.STATE_SECRET, None, "former"),
        ("机密★20年\n2021年5月8日变更为秘密★10年", Level.STATE_CONFIDENTIAL, Level.STATE_SECRET, "changed"),
        ("机密★20年变更为秘密★10年", Level.STATE_CONFIDENTIAL, Level.STATE_SECRET, "changed"),
        ("秘密★10年　已解密", Level.STATE_CONFIDENTIAL, None, "declassified"),
        ("秘密★5年　2022年11月8日解密", Level.STATE_CONFIDENTIAL, None, "declassified"),
    ],
)
def test_words_beside_a_mark(mark: str, level: Level, meanwhile: Level | None, kind: str) -> None:
    fields, found = judged(mark)
    assert [one.kind for one in fields.mark_changes] == [kind]
    assert (found.level, found.interim, found.must_review) == (level, meanwhile, True)
    assert fields.title == "关于有关事项的通知"
    assert any(one.rule.startswith("M-") and one.page == 1 and one.box for one in found.evidence)


def test_a_stamp_gives_date_and_organ() -> None:
    for stamp in ("解密\n2022年11月8日\n鹿县水利局", "鹿县水利局2022年11月8日解密"):
        fields, found = judged(f"秘密★5年\n{stamp}")
        (change,) = fields.mark_changes
        assert (change.kind, change.on, change.organ) == ("declassified", "2022年11月8日", "鹿县水利局")
        assert fields.old_declassified and found.level is Level.STATE_CONFIDENTIAL
        assert "old_mark_declassified" in found.reasons and found.must_review


def test_a_stamp_without_a_mark_asks() -> None:
    _, found = judged("已解密")
    assert found.must_review and "old_mark_declassified" in found.reasons


@pytest.mark.parametrize(
    "mark", ["机密★至2030年12月31日解密", "机密★2030年12月31日", "秘密★启用前", "机密★20年"]
)
def test_a_term_is_no_stamp(mark: str) -> None:
    fields, found = judged(mark)
    assert not fields.mark_changes and not found.must_review


@pytest.mark.req("R-025")
@settings(max_examples=25, deadline=None)
@given(old=st.sampled_from(_LEVELS), new=st.sampled_from(_LEVELS), gap=st.sampled_from(["\n", "　　"]))
def test_a_struck_mark_never_lowers_silently(old: str, new: str, gap: str) -> None:
    if old == new:
        return
    fields, found = judged(f"{old}{gap}{new}", struck=(old,))
    assert str(found.level) == new[:2] and found.must_review and "mark_struck" in found.reasons
    held = POLICY.highest(found.level, found.interim)
    assert POLICY.rank(held) >= POLICY.rank(Level(old[:2]))
    assert fields.mark is not None and str(fields.mark.period) == new[3:]


def test_a_struck_mark_alone_still_holds() -> None:
    _, found = judged("机密★20年", struck=("机密★20年",))
    assert found.level is Level.STATE_SECRET and found.must_review


# ---------------------------------------------------------------- pictures and files


def drawn(
    words: tuple[str, ...], *, struck: tuple[int, ...] = (), dpi: int = 150, slope: float = 0.0, middle: float = 0.5,
    face: str = "sans-bold",
) -> tuple[NDArray[np.uint8], list[Line]]:  # fmt: skip
    size = int(8.27 * dpi), int(3 * dpi)
    image = Image.new("RGB", size, (251, 251, 248))
    pen = ImageDraw.Draw(image)
    font = pixel_font(face, int(16 / 72 * dpi))  # type: ignore[arg-type]
    x, top, lines = int(1.1 * dpi), int(0.8 * dpi), []
    for place, text in enumerate(words):
        left, upper, right, lower = pen.textbbox((x, top), text, font=font)
        pen.text((x, top), text, font=font, fill=(15, 15, 15))
        box = (left - 3, upper - 3, right + 3, lower + 4)
        if place in struck:
            strike_out(pen, box, dpi=dpi, slope=slope, middle=middle, seed=place)
        lines.append(Line(text, Box(box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1])))
        x = int(right + 0.3 * dpi)
    return np.asarray(image, dtype=np.uint8), lines


@pytest.mark.parametrize("dpi", [100, 150, 300])
@pytest.mark.parametrize(("slope", "middle"), [(0.0, 0.5), (0.06, 0.45), (-0.08, 0.55)])
@pytest.mark.parametrize("old", ["机密★20年", "秘密★长期", "公司机密 3年", "机密"])
def test_a_line_through_a_mark_is_seen(old: str, slope: float, middle: float, dpi: int) -> None:
    picture, lines = drawn((old, "秘密★10年"), struck=(0,), dpi=dpi, slope=slope, middle=middle)
    assert [one.detail for one in struck_marks(picture, lines, page=1)] == [old]


@pytest.mark.parametrize("dpi", [100, 150, 300])
@pytest.mark.parametrize("face", ["sans-bold", "serif"])
def test_a_line_below_or_none_is_no_strike(face: str, dpi: int) -> None:
    words = ("机密★20年", "秘密★长期", "普通商密▲2年")
    for middle, struck in ((0.5, ()), (1.02, (0, 1, 2))):
        picture, lines = drawn(words, struck=struck, dpi=dpi, middle=middle, face=face)
        assert not struck_marks(picture, lines, page=1)


def test_two_marks_read_as_one_line_are_told_apart() -> None:
    picture, (first, second) = drawn(("机密★20年", "秘密★10年"), struck=(0,))
    box = Box(first.box.left, first.box.top, second.box.right, first.box.bottom)
    line = Line(f"{first.text}  {second.text}", box, parts=(first.box, second.box))
    (found,) = struck_marks(picture, [line], page=1)
    assert found.detail == first.text and found.box == first.box


def test_a_struck_run_of_a_docx_is_told() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph()
    for piece in ("机密", "★20年"):
        paragraph.add_run(piece).font.strike = True
    paragraph.add_run("　秘密★10年")
    document.add_paragraph("关于有关事项的通知")
    document.add_paragraph().add_run("不要的词").font.strike = True
    held = io.BytesIO()
    document.save(held)
    opened = open_docx(held.getvalue(), limits=Limits())
    told = [one for one in opened.findings if one.code == "mark_struck"]
    assert [one.detail for one in told] == ["机密★20年"]
    transcript = Transcript(
        pages_of("机密★20年　秘密★10年\n^关于有关事项的通知\n请办理。").pages, tuple(told)
    )
    fields = extract(transcript)
    assert fields.mark is not None and fields.mark.level is Level.STATE_CONFIDENTIAL
    assert fields.mark_changes[0].mark is not None and fields.mark_changes[0].mark.level is Level.STATE_SECRET


# ---------------------------------------------------------------- parts

_TERMS = ("3年", "10年", "18个月")


@pytest.mark.req("R-025")
@settings(max_examples=25, deadline=None)
@given(
    own=st.none() | st.tuples(st.sampled_from(["绝密", "机密", "秘密"]), st.sampled_from(_TERMS)),
    parts=st.lists(
        st.tuples(st.sampled_from(["绝密", "机密", "秘密"]), st.sampled_from(_TERMS), st.booleans()),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
def test_a_paper_bears_the_highest_level_and_longest_period_of_its_parts(
    own: tuple[str, str] | None, parts: list[tuple[str, str, bool]]
) -> None:
    rest = "".join(
        f"\n===\n附件{number}\n{level}★{term}\n表格\n内容。"
        if annex
        else f"\n===\n{level}★{term}\n^文件\n内容。"
        for number, (level, term, annex) in enumerate(parts, start=1)
    )
    _, found = judged("★".join(own) if own else "", rest=rest)
    marks = [*([own] if own else []), *((level, term) for level, term, _ in parts)]
    months = {"3年": 36, "10年": 120, "18个月": 18}
    assert str(found.level) == max((level for level, _ in marks), key=lambda one: POLICY.rank(Level(one)))
    assert str(found.period) == max((term for _, term in marks), key=lambda one: months[one])
    if own is None or (str(found.level), str(found.period)) != own:
        assert found.must_review
