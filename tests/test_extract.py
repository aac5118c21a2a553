"""Fields of official papers: the real ones, and made-up variants of every format."""

from __future__ import annotations

import csv
import time
from datetime import date
from pathlib import Path

import pytest

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.fields import OfficialFields
from jiyao.models.level import Level
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.extract import extract

OFFICIAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "official"
needs_official = pytest.mark.skipif(
    not OFFICIAL.is_dir(), reason="the real papers of ../shared/data/official are absent"
)


def transcript(text: str, confidence: float = 1.0) -> Transcript:
    pages = []
    for number, page in enumerate(text.split("\f"), 1):
        rows = page.split("\n")
        lines = tuple(
            Line(row, Box(0.12, i / max(50, len(rows)), 0.88, (i + 0.8) / max(50, len(rows))), confidence)
            for i, row in enumerate(rows)
            if row.strip()
        )
        pages.append(Page(number, 210, 297, lines, "text_layer", "text-layer", confidence))
    return Transcript(tuple(pages))


def read(text: str) -> OfficialFields:
    return extract(transcript(text))


def from_file(path: Path) -> Transcript:
    opened = open_document(path.read_bytes(), limits=DEFAULT_LIMITS)
    try:
        pages = tuple(
            Page(n, *opened.size_mm(n), opened.text_lines(n) or (), "text_layer", "text-layer", 1.0)
            for n in range(1, opened.page_count + 1)
        )
    finally:
        opened.close()
    return Transcript(pages)


def check_row(fields: OfficialFields, row: dict[str, str]) -> None:
    year, month, day = (int(row["成文日期"][a:b]) for a, b in ((0, 4), (5, 7), (8, 10)))
    assert fields.title == row["标题"]
    assert fields.doc_number == row["发文字号"]
    assert fields.signed_date == date(year, month, day)
    assert "、".join(fields.organs) == row["发文机关"]
    assert fields.kind == row["文种_derived"]
    assert fields.mark is None
    assert fields.recipients


@needs_official
@pytest.mark.req("R-023")
@pytest.mark.parametrize("number", [f"{n:03}" for n in range(1, 21)])
def test_real_papers_as_docx(number: str) -> None:
    with (OFFICIAL / "index.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == number)
    check_row(extract(from_file(OFFICIAL / row["docx"])), row)
    check_row(read((OFFICIAL / row["txt"]).read_text("utf-8")), row)


@needs_official
@pytest.mark.req("R-023")
def test_real_notice_as_pdf() -> None:
    fields = extract(from_file(OFFICIAL / "govdoc-cn" / "397.pdf"))
    assert fields.title == "关于加强个人所得税纳税信用建设的通知"
    assert fields.doc_number == "发改办财金规〔2019〕860号"
    assert fields.signed_date == date(2019, 8, 20)
    assert fields.organs == ("国家发展改革委办公厅", "税务总局办公厅")
    assert fields.recipients[0].startswith("各省、自治区、直辖市")


STANDARD = """000123
机密★20年
加急
某某市人民政府文件
某政发[2024]15 号
某某市人民政府关于印发《某某市应急物资储备
工作方案》的通知
各县（市、区）人民政府，市政府各部门：
现将《方案》印发给你们，请认真组织实施，并于2024年6月30日前上报。
附件：1.任务分工表
2.联络员名单
某某市人民政府
2024年5月1日
（此件发至县团级）
抄送：市委办公室，市人大常委会办公室。
某某市人民政府办公室 2024年5月6日印发
共印50份"""


@pytest.mark.req("R-023")
def test_standard_format_in_full() -> None:
    fields = read(STANDARD)
    assert fields.serials == ("000123",)
    assert fields.mark and (fields.mark.level, str(fields.mark.period), fields.mark.star) == (
        Level.STATE_SECRET,
        "20年",
        True,
    )
    assert fields.urgency == "加急"
    assert fields.organs == ("某某市人民政府",)
    assert fields.doc_number == "某政发〔2024〕15号"
    assert fields.title == "某某市人民政府关于印发《某某市应急物资储备工作方案》的通知"
    assert fields.kind == "通知"
    assert fields.recipients == ("各县（市、区）人民政府", "市政府各部门")
    assert fields.signed_date == date(2024, 5, 1)
    assert fields.printed_date == date(2024, 5, 6)
    assert fields.print_count == 50
    assert fields.copied_to == ("市委办公室", "市人大常委会办公室")
    assert fields.note == "此件发至县团级"
    assert fields.attachments == ("任务分工表", "联络员名单")
    names = {item.name for item in fields.evidence}
    assert {"serial", "mark", "doc_number", "title", "date", "organ", "recipients"} <= names
    assert all(0 <= item.score <= 1 and item.page == 1 for item in fields.evidence)


@pytest.mark.req("R-023")
def test_format_of_1999_with_mark_at_the_right_and_chinese_date() -> None:
    fields = read(
        "                    秘密★6个月\n                    特急\n某某省教育厅文件\n某教发〔2003〕17号\n"
        "关于做好二○○四年全省招生考试\n安全保密工作的通知\n各市教育局、各高等学校：\n"
        "现将有关事项通知如下，请认真遵照执行，确保万无一失。\n本通知自2004年1月1日起执行。\n"
        "某某省教育厅\n二○○三年十一月四日\n主题词：招生 考试 通知\n"
        "某某省教育厅办公室   2003年11月6日印发\n附件1\n保密责任书\n2003年12月1日"
    )
    assert fields.mark and str(fields.mark.period) == "6个月"
    assert fields.urgency == "特急"
    assert fields.title == "关于做好二○○四年全省招生考试安全保密工作的通知"
    assert fields.signed_date == date(2003, 11, 4)
    assert fields.printed_date == date(2003, 11, 6)


@pytest.mark.req("R-023")
def test_serial_mark_and_urgency_on_one_line_and_a_letter() -> None:
    fields = read(
        "000012  绝密★30年  特急\n某某省人民政府办公厅\n某政办函〔2023〕8号\n"
        "某某省人民政府办公厅关于商请协助\n核查有关情况的函\n某某部办公厅：\n"
        "为做好有关工作，现商请贵部协助核查，具体事项如下。\n某某省人民政府办公厅\n2023年3月9日\n"
        "（联系人：张明，电话：010-12345678）"
    )
    assert fields.serials == ("000012",)
    assert fields.mark and fields.mark.level is Level.STATE_TOP
    assert fields.urgency == "特急"
    assert fields.title == "某某省人民政府办公厅关于商请协助核查有关情况的函"
    assert fields.kind == "函"


@pytest.mark.req("R-023")
def test_upward_paper_with_signer() -> None:
    fields = read(
        "秘密★5年\n某某县卫生健康局文件\n某卫〔2024〕22号                 签发人：王小明\n"
        "某某县卫生健康局\n关于申请拨付专项经费的请示\n县人民政府：\n"
        "根据工作需要，特申请拨付专项经费50万元，请予批准。\n某某县卫生健康局\n2024年4月8日"
    )
    assert fields.signers == ("王小明",)
    assert fields.doc_number == "某卫〔2024〕22号"
    assert fields.kind == "请示"
    assert fields.recipients == ("县人民政府",)


@pytest.mark.req("R-023")
@pytest.mark.parametrize(
    ("text", "number", "day"),
    [
        (
            "中华人民共和国国务院令\n第785号\n《某某管理条例》已经2024年6月21日国务院第35次常务会议通过，"
            "现予公布，自2024年9月1日起施行。\n总理  某某\n2024年7月1日",
            "第785号",
            date(2024, 7, 1),
        ),
        (
            "国令第721号\n某某资源管理条例\n第一章 总则\n"
            "第一条 为了保护和利用资源，制定本条例。\n2019年5月28日",
            "国令第721号",
            date(2019, 5, 28),
        ),
        (
            "某某学院院长办公会议纪要\n〔2024〕3号\n某某学院办公室            2024年3月12日\n"
            "3月10日，院长主持召开院长办公会议，研究了有关事项。纪要如下：\n出席：赵一、钱二",
            "〔2024〕3号",
            date(2024, 3, 12),
        ),
    ],
)
def test_orders_and_minutes(text: str, number: str, day: date) -> None:
    fields = read(text)
    assert fields.doc_number == number
    assert fields.signed_date == day
    assert fields.recipients == ()


@pytest.mark.req("R-023")
def test_joint_issue() -> None:
    fields = read(
        "某某委员会办公厅\n某某部办公厅      文件\n某某总局办公厅\n某委办发〔2022〕101号\n"
        "某某委员会办公厅  某某部办公厅\n某某总局办公厅关于开展联合检查的通知\n各省某某委员会：\n"
        "为贯彻落实有关部署，决定开展联合检查，现通知如下。\n某某委员会办公厅  某某部办公厅\n"
        "某某总局办公厅\n2022年8月20日"
    )
    assert fields.organs == ("某某委员会办公厅", "某某部办公厅", "某某总局办公厅")
    assert fields.title and fields.title.endswith("关于开展联合检查的通知")


@pytest.mark.req("R-023")
def test_telegram_keeps_mark_and_number_in_cells() -> None:
    fields = read(
        "内部传真电报\n发往：各市、县人民政府        签批盖章：刘某\n"
        "等级：特急·明电   密级：秘密★1年   某政明电〔2024〕6号   某机 123号\n"
        "关于做好强降雨防范应对工作的紧急通知\n各市、县人民政府：\n"
        "据气象部门预报，近期将有强降雨，请做好防范。\n某某省人民政府办公厅\n2024年7月3日"
    )
    assert fields.mark and str(fields.mark.level) == "秘密"
    assert fields.doc_number == "某政明电〔2024〕6号"
    assert fields.urgency == "特急"


@pytest.mark.req("R-023")
def test_company_paper_and_person_addressed() -> None:
    fields = read(
        "华瑞制衣有限公司文件\n公司机密\n华瑞司发【2024】8号\n关于2024年度财务预算方案的通知\n各部门：\n"
        "现将2024年度预算下发，请注意保密。\n华瑞制衣有限公司\n2024.1.15"
    )
    assert fields.mark and fields.mark.level is Level.COMPANY_SECRET and not fields.mark.star
    assert fields.doc_number == "华瑞司发〔2024〕8号"
    assert fields.signed_date == date(2024, 1, 15)
    letter = read(
        "某某大学\n某大函〔2021〕45号\n某某大学关于复核科研数据的复函\n李明同志：\n"
        "你的来信收悉，经研究，现函复如下。\n某某大学\n2021年6月7日"
    )
    assert letter.recipients == ("李明同志",)
    assert letter.kind == "函"


@pytest.mark.req("R-023")
def test_damaged_reading_is_repaired_and_doubted() -> None:
    fields = read(
        "O0O123\n机蜜大2O年\n某某市公安局文件\n某公发(2O24)l5号\n美于加强某某管理的通知\n各分局：\n"
        "现将有关事项通知如下，请遵照执行。\n某某市公安局\n2O24年5月l日"
    )
    assert fields.serials == ("000123",)
    assert fields.mark and str(fields.mark.period) == "20年"
    assert fields.doc_number == "某公发〔2024〕15号"
    assert fields.title == "关于加强某某管理的通知"
    assert fields.signed_date == date(2024, 5, 1)
    doubts = {item.name: item.doubt for item in fields.evidence}
    assert "repaired" in doubts["date"] and "repaired" in doubts["serial"]
    assert "star_repaired" in doubts["mark"] and "level_repaired" in doubts["mark"]


@pytest.mark.req("R-023")
def test_marks_in_running_text_tables_and_samples_are_no_marks() -> None:
    training = read(
        "某某局\n关于举办机密级文件管理培训班的通知\n各科室：\n"
        "为提高文件管理水平，定于下周举办培训班，讲解“机密★20年”等标志的含义。\n标志样式如下：\n"
        "机密★20年\n绝密★30年\n某某局办公室\n2024年2月2日"
    )
    assert training.mark is None
    table = read("国家秘密事项一览表\n序号\n事项\n密级\n保密期限\n1\n考试试题\n绝密\n启用前")
    assert table.mark is None


@pytest.mark.req("R-023")
def test_low_confidence_is_said() -> None:
    fields = extract(transcript(STANDARD, confidence=0.6))
    mark = next(item for item in fields.evidence if item.name == "mark")
    assert "low_confidence" in mark.doubt and mark.score < 0.7


def test_empty_and_odd_input() -> None:
    assert read("") == OfficialFields()
    for text in ("机密", "：", "〔〕号", "2024年13月45日", "附件1\n附件2", "(\n)\n《", "一"):
        read(text)


@needs_official
def test_reading_is_fast() -> None:
    papers = [
        transcript(path.read_text("utf-8")) for path in sorted((OFFICIAL / "gov" / "txt").glob("*.txt"))
    ]
    start = time.perf_counter()
    for paper in papers:
        extract(paper)
    assert (time.perf_counter() - start) / len(papers) < 0.2
