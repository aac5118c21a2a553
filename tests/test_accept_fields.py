"""What papers of strangers taught the field grammar: telegrams, titles with signs, joint papers under seals."""

from __future__ import annotations

from datetime import date

import pytest

from jiyao.models.fields import FieldEvidence, OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.extract import extract
from jiyao.stages.fields_rows import paper_rows
from jiyao.stages.fields_text import Row
from jiyao.stages.fields_title import is_furniture

Rows = tuple[tuple[str, float, float, float, float], ...]
BODY = ("因工作需要，现将有关事项通知如下，请结合实际认真贯彻执行，遇有问题及时报告。", 0.18, 0.56, 0.88, 5.6)


def page(*rows: tuple[str, float, float, float, float], seal: Box | None = None, scan: bool = True) -> Page:
    lines = tuple(Line(t, Box(a, b, c, b + 0.022), 0.99, size) for t, a, b, c, size in rows)
    return Page(1, 210, 297, lines, "ocr" if scan else "digital", "made up", 0.98, seal=seal)


def read(*rows: tuple[str, float, float, float, float], seal: Box | None = None) -> OfficialFields:
    return extract(Transcript((page(*rows, seal=seal),)))


def said(fields: OfficialFields, name: str) -> FieldEvidence:
    return next(item for item in fields.evidence if item.name == name)


@pytest.mark.req("R-023")
def test_a_telegrams_row_gives_urgency_and_number_without_the_other() -> None:
    fields = read(
        ("内部传真电报", 0.25, 0.1, 0.75, 14.0),
        ("发电单位：云梦省人民政府办公厅　签批盖章：史无言", 0.13, 0.2, 0.86, 5.6),
        ("等级特提·明电云政办发明电〔2025〕92号　云机发452号", 0.13, 0.24, 0.88, 5.6),
        ("云梦省人民政府办公厅关于推进参保扩面的通知", 0.2, 0.32, 0.8, 7.9),
        ("各市（州）人民政府：", 0.13, 0.5, 0.54, 5.6), BODY,
    )  # fmt: skip
    assert (fields.urgency, fields.doc_number) == ("特提", "云政办发明电〔2025〕92号")
    assert fields.title == "云梦省人民政府办公厅关于推进参保扩面的通知"


@pytest.mark.req("R-023")
@pytest.mark.parametrize("text", ["452号", "号", "机发452号", "云机452号"])
def test_the_end_of_a_telegrams_number_is_no_part_of_the_title(text: str) -> None:
    assert is_furniture(Row(3, 1, Line(text, Box(0.13, 0.3, 0.2, 0.32), 0.99), text, text))


@pytest.mark.req("R-023")
def test_signs_alone_are_the_middle_of_a_title() -> None:
    head: Rows = (
        ("无极市水务局文件", 0.15, 0.15, 0.86, 13.0), ("极水发〔2023〕40号", 0.36, 0.28, 0.64, 5.6),
        ("无极市水务局关于解决S212线", 0.25, 0.36, 0.75, 7.9), ("K118+300", 0.41, 0.4, 0.59, 7.6),
        ("段水毁修复资金的通知", 0.3, 0.44, 0.7, 7.9), ("各县（市、区）水务局：", 0.13, 0.5, 0.5, 5.6), BODY,
    )  # fmt: skip
    fields = read(*head)
    assert fields.title == "无极市水务局关于解决S212线K118+300段水毁修复资金的通知"
    assert fields.recipients == ("各县（市、区）水务局",)
    aside = read(*head[:3], ("2023-40", 0.1, 0.4, 0.2, 3.0), *head[4:])
    assert aside.title is not None and "2023-40" not in aside.title


HEAD: Rows = (
    ("镜花市应急管理局", 0.2, 0.1, 0.7, 11.0), ("镜花市医疗保障局", 0.2, 0.14, 0.7, 11.0),
    ("文件", 0.74, 0.14, 0.85, 11.0),
    ("镜花市统计局", 0.2, 0.18, 0.7, 11.0), ("镜应急联发〔2025〕159号", 0.36, 0.28, 0.64, 5.6),
    ("关于变更水闸联系方式的通知", 0.26, 0.4, 0.75, 7.9), ("各县（市、区）水务局：", 0.13, 0.5, 0.5, 5.6), BODY,
)  # fmt: skip


@pytest.mark.req("R-023")
def test_a_joint_paper_whose_signature_is_lost_has_the_organs_of_its_letterhead() -> None:
    seal = Box(0.5, 0.7, 0.9, 0.9)
    fields = read(
        *HEAD, ("镜花市应急管理局", 0.55, 0.72, 0.77, 5.6), ("百★色年月", 0.6, 0.8, 0.7, 5.6), seal=seal
    )
    assert fields.organs == ("镜花市应急管理局", "镜花市医疗保障局", "镜花市统计局")
    assert "repaired" in said(fields, "organ").doubt


@pytest.mark.req("R-023")
def test_a_date_that_was_not_read_is_asked_for_with_what_it_may_be() -> None:
    seal = Box(0.5, 0.7, 0.9, 0.9)
    fields = read(
        *HEAD, ("镜花市应急管理局", 0.55, 0.76, 0.77, 5.6), ("925年6月18日i", 0.55, 0.8, 0.77, 5.6), seal=seal
    )
    item = said(fields, "date")
    assert fields.signed_date is None and item.value == "" and item.score == 0
    assert set(item.doubt) == {"date_not_read", "covered_by_seal"} and item.alternatives == ("2025-06-18",)
    far = read(*HEAD, ("镜花市应急管理局", 0.55, 0.76, 0.77, 5.6), ("2625年6月18日", 0.55, 0.8, 0.77, 5.6))
    assert far.signed_date is None and "2025-06-18" in said(far, "date").alternatives


@pytest.mark.req("R-023")
def test_a_day_sign_read_as_a_month_sign_is_repaired() -> None:
    fields = read(
        *HEAD[:1],
        *HEAD[4:],
        ("镜花市应急管理局", 0.55, 0.76, 0.77, 5.6),
        ("2025年6月15月", 0.55, 0.8, 0.77, 5.6),
    )
    assert fields.signed_date == date(2025, 6, 15) and "repaired" in said(fields, "date").doubt


@pytest.mark.req("R-023")
def test_a_worn_print_line_is_no_part_of_the_copy_list() -> None:
    fields = read(
        *HEAD[:1], *HEAD[4:], ("镜花市应急管理局", 0.55, 0.72, 0.77, 5.6), ("2025年6月15日", 0.55, 0.76, 0.77, 5.6),
        ("抄送：市委办公室，市统计局，市人民法院", 0.15, 0.82, 0.8, 4.9),
        ("华镜花市应急管理局办公室　二活一年年月二十五日印发", 0.13, 0.86, 0.88, 4.9),
    )  # fmt: skip
    assert fields.copied_to == ("市委办公室", "市统计局", "市人民法院")


@pytest.mark.req("R-023")
def test_a_name_with_characters_read_twice_is_the_letterheads() -> None:
    company = "镜花城市轨道交通集团有限公司"
    fields = read(
        (company, 0.15, 0.15, 0.86, 11.0), ("镜轨交办〔2023〕40号", 0.36, 0.28, 0.64, 5.6), *HEAD[5:],
        ("镜花城市轨道轨道交通集团有限公司", 0.5, 0.72, 0.83, 5.6), ("2023年6月15日", 0.55, 0.76, 0.77, 5.6),
    )  # fmt: skip
    assert fields.organs == (company,)
    assert len(paper_rows(Transcript((page(*HEAD),)))) == len(HEAD)


@pytest.mark.req("R-023")
def test_brackets_of_a_pair_are_alike() -> None:
    fields = read(
        *HEAD[:1], HEAD[4], ("关于征求《停放管理办法(征求意见稿）》意见的函", 0.26, 0.4, 0.75, 7.9), *HEAD[6:],
    )  # fmt: skip
    assert fields.title == "关于征求《停放管理办法（征求意见稿）》意见的函"


@pytest.mark.req("R-023")
def test_a_telegrams_label_at_the_end_of_its_row_is_no_addressee() -> None:
    fields = read(
        ("内部传真电报", 0.25, 0.1, 0.75, 14.0),
        ("发电单位：云梦省人民政府办公厅　签批盖章：", 0.13, 0.2, 0.86, 5.6), ("史无言", 0.13, 0.22, 0.2, 5.6),
        ("等级　加急·明电　云政办发明电〔2025〕92号　云机发452号", 0.13, 0.24, 0.88, 5.6),
        ("云梦省人民政府办公厅关于推进参保扩面的通知", 0.2, 0.32, 0.8, 7.9),
        ("各市（州）人民政府：", 0.13, 0.5, 0.54, 5.6), BODY,
    )  # fmt: skip
    assert (fields.urgency, fields.doc_number) == ("加急", "云政办发明电〔2025〕92号")
    assert fields.title == "云梦省人民政府办公厅关于推进参保扩面的通知"
    assert fields.recipients == ("各市（州）人民政府",)


@pytest.mark.req("R-023")
def test_names_cut_in_the_middle_of_a_word_are_the_letterheads() -> None:
    fields = read(
        ("镜花市卫生健康局", 0.2, 0.1, 0.7, 11.0), ("文件", 0.74, 0.12, 0.85, 11.0),
        ("镜花市水利局", 0.2, 0.14, 0.7, 11.0),
        *HEAD[4:], ("生健康局", 0.35, 0.72, 0.45, 5.6), ("利局", 0.75, 0.72, 0.8, 5.6),
        ("2025年6月15日", 0.55, 0.76, 0.77, 5.6),
    )  # fmt: skip
    assert fields.organs == ("镜花市卫生健康局", "镜花市水利局")
    assert "repaired" in said(fields, "organ").doubt
