"""The second look at weak fields: it points at contradictions and never replaces a value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_page import DATE, Pictures, official_page, scanned
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.models.fields import FieldEvidence, OfficialFields
from jiyao.models.page import Box, Transcript
from jiyao.stages.engines.tesseract import TesseractEngine
from jiyao.stages.ocr import ocr
from jiyao.stages.second_look import contradiction, second_look, strip_quad


def evidence(name: str, value: str, raw: str, **more: object) -> FieldEvidence:
    return FieldEvidence(name=name, value=value, raw=raw, page=1, box=None, score=0.5, rule="x", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "raw", "seen", "other"),
    [
        ("date", "2024-05-01", "2024年5月1日", "2021年5月1日", "2021-05-01"),
        ("date", "2024-05-01", "2024年5月1日", "2024 年 5 月 1 日", None),
        ("date", "2010-09-20", "二〇一〇年九月二日", "二○一一年九月二日", "2011-09-20"),
        ("date", "2024-05-01", "2024年5月1日", "204年5月日", None),
        (
            "doc_number",
            "青测发〔2024〕17号",
            "青测发〔2024〕17号  签发人：张三",
            "青测发[2024]11号",
            "青测发〔2024〕11号",
        ),
        ("doc_number", "青测发〔2024〕17号", "青测发〔2024〕17号", "无法辨认", None),
        ("serial", "000123", "000123", "000128", "000128"),
        ("serial", "000123", "000123", "123", None),
        ("mark", "机密★20年", "机密★20年", "秘密 20年", "秘密★20年"),
        ("mark", "机密★20年", "机密★20年", "机密太20年", None),
        ("mark", "机密★20年", "机密★20年", "几个字", None),
    ],
)
def test_only_what_can_be_compared_contradicts(
    name: str, value: str, raw: str, seen: str, other: str | None
) -> None:
    assert contradiction(evidence(name, value, raw), seen) == other


@given(st.text(max_size=40))
def test_any_reading_is_endured(seen: str) -> None:
    for name in ("mark", "date", "serial"):
        contradiction(evidence(name, "2024-05-01", "2024年5月1日"), seen)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.req("R-024")
def test_a_contradicted_date_is_a_doubt_and_keeps_its_value(turns: int) -> None:
    if lack := TesseractEngine().missing():
        pytest.skip(lack)
    page = np.ascontiguousarray(np.rot90(scanned(official_page(seal=False), skew=1.0), turns))
    opened = Pictures((page,))
    outcome = ocr(opened, engine="rapidocr", first=1, last=1, limits=DEFAULT_LIMITS)
    transcript = getattr(outcome, "value", None)
    if transcript is None:
        pytest.skip(f"rapidocr is not ready: {outcome}")
    line = next(line for line in transcript.pages[0].lines if line.text == DATE)
    right = replace(evidence("date", "2024-05-01", DATE), box=line.box)
    wrong = replace(evidence("date", "2029-05-01", DATE.replace("2024", "2029")), box=line.box)
    sure = replace(wrong, score=0.99)
    fields = OfficialFields(evidence=(right, wrong, sure))
    looked = second_look(opened, transcript, fields, engine="auto", limits=DEFAULT_LIMITS)
    assert looked.evidence[0] == right
    assert looked.evidence[1] == replace(wrong, doubt=("engines_disagree",), alternatives=("2024-05-01",))
    assert looked.evidence[2] == sure, "a field read well is not looked at"


def test_nothing_weak_costs_nothing() -> None:
    fields = OfficialFields()
    looked = second_look(Pictures(()), Transcript(()), fields, engine="auto", limits=DEFAULT_LIMITS)
    assert looked is fields


@given(st.floats(-8, 8), st.sampled_from([0, 90, 180, 270]))
def test_the_strip_is_the_line_inside_its_rectangle(skew: float, quarter: int) -> None:
    angle = np.radians(skew + quarter)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = [np.array([500, 400]) + x * along * 150 + y * down * 20 for x in (-1, 1) for y in (-1, 1)]
    (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
    box = Box(left / 1000, top / 800, right / 1000, bottom / 800)
    quad = strip_quad(box, skew + quarter, width=1000, height=800)
    assert np.hypot(*np.subtract(quad[1], quad[0])) == pytest.approx(2 * (150 + 8), rel=0.02)
    assert np.hypot(*np.subtract(quad[3], quad[0])) == pytest.approx(2 * (20 + 8), rel=0.02)
    assert np.dot(np.subtract(quad[1], quad[0]), along) > 0
