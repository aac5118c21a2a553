"""The grammar of fields over any text: it answers in time, keeps its promises, and the same twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fuzz_kit as kit
from jiyao.samples.layout import lay_out
from jiyao.samples.make import make_paper
from jiyao.samples.sheet import font_path

PIECES = st.sampled_from([
    "机密★20年", "绝密大1年", "秘密★", "★", "000012", "特急", "签发人：", "梅子陵", "柯政发〔2024〕5号", "〔", "〕",
    "[2024]", "第5号", "（第3期）", "关于", "的通知", "请示", "文件", "南柯市人民政府", "各县人民政府：",
    "2024年2月30日", "二〇二四年五月一日", "二○○四年十三月", "附件：1.", "附件1", "附件", "抄送：", "印发",
    "（共印50份）", "（此件公开发布）", "— 1 —", "解密", "出席：", "主题词：", "联系人：", "电话：", "一、", "0",
    "999999999999", "l", "O", "年", "月", "日", "号", "：", "。", "　", " ",
])  # fmt: skip
TEXT = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=40))
HOW = st.sampled_from(["drop", "twice", "swap", "cut", "noise"])
LINES = st.lists(st.tuples(st.integers(1, 3), TEXT), max_size=24)


@pytest.mark.req("R-020")
@settings(max_examples=150)
@given(lines=LINES)
def test_any_lines_give_fields_in_time_and_the_same_twice(lines: list[tuple[int, str]]) -> None:
    with kit.in_time():
        assert kit.read_fields(lines) == kit.read_fields(lines)


@pytest.mark.req("R-020")
@settings(max_examples=60)
@given(
    seed=st.integers(0, 40),
    edits=st.lists(st.tuples(st.integers(0, 60), HOW, TEXT), max_size=6),
)
def test_the_lines_of_a_paper_in_disorder_give_fields(seed: int, edits: list[tuple[int, str, str]]) -> None:
    try:
        font_path("serif")
    except Exception:
        pytest.skip("the Noto CJK fonts are not installed")
    lines = [(sheet.number, line) for sheet in lay_out(make_paper(seed, "test")) for line in sheet.lines]
    for where, how, text in edits:
        at = where % len(lines)
        page, line = lines[at]
        match how:
            case "drop" if len(lines) > 1:
                del lines[at]
            case "twice":
                lines.insert(at, (page, line))
            case "swap":
                lines[at], lines[-1] = (page, lines[-1][1]), (lines[-1][0], line)
            case "cut":
                lines[at] = (page, line[: len(line) // 2])
            case _:
                lines[at] = (page, line + text)
    with kit.in_time():
        kit.read_fields(lines)


@pytest.mark.parametrize("char", ["〔", "★", "一", "0", "年", "　", "（", "：", "、", "附件"])
def test_a_very_long_line_of_one_character_is_no_trap(char: str) -> None:
    with kit.in_time(5.0):
        kit.read_fields([(1, char * 4000), (1, f"关于{char * 2000}的通知")])
