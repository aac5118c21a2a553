"""Papers of every form that offices write, each with all that is asked of it, also what it does not say."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest

from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.extract import extract

CASES: list[tuple[str, dict[str, object]]] = []
CROSS = frozenset(
    {"annex_missing", "annex_unlisted", "impossible_date", "number_year_differs", "printed_before_signed"}
)


def case(text: str, **wanted: object) -> None:
    CASES.append((text, wanted))


B = "为进一步做好有关工作，经研究，现将有关事项通知如下，请认真贯彻执行。\n一、加强领导。各单位要高度重视。\n"
case(
    "无极市防汛抗旱指挥部文件\n极汛〔2023〕7号\n关于做好主汛期值班值守工作的通知\n"
    "各县（市、区）防汛抗旱指挥部，市防指各成员单位：\n"
    + B
    + "无极市防汛抗旱指挥部\n2023年6月30日\n（联系人：张三，电话：0311-1234567）\n"
    "抄送：省防汛抗旱指挥部办公室，市委办公室，\n市政府办公室。\n"
    "无极市防汛抗旱指挥部办公室    2023年7月1日印发",
    organs=("无极市防汛抗旱指挥部",),
    doc_number="极汛〔2023〕7号",
    title="关于做好主汛期值班值守工作的通知",
    recipients=("各县（市、区）防汛抗旱指挥部", "市防指各成员单位"),
    signed_date=date(2023, 6, 30),
    printed_date=date(2023, 7, 1),
    copied_to=("省防汛抗旱指挥部办公室", "市委办公室", "市政府办公室"),
    note="联系人:张三,电话:0311-1234567",
)
case(
    "000012-000016\n机密★10年 特急\n中共镜花市委文件\n镜委﹝2024﹞12号\n"
    "中共镜花市委 镜花市人民政府\n关于进一步加强城市规划建设管理\n工作的若干意见（试行）\n"
    "各县（市）区委、人民政府，市委各部委，市直各单位：\n"
    + B
    + "附件：1.重点任务分工表\n      2.考核办法\n中共镜花市委 镜花市人民政府\n2024年3月15日\n"
    "（此件发至县团级）\n\f附件1\n重点任务分工表\n2025年12月31日前完成。\n\f附件2\n考核办法\n"
    "本办法自2024年5月1日起施行。\n抄送：省委办公厅、省政府办公厅。\n"
    "中共镜花市委办公室  2024年3月18日印发\n（共印30份）",
    serials=("000012", "000013", "000014", "000015", "000016"),
    urgency="特急",
    organs=("中共镜花市委", "镜花市人民政府"),
    doc_number="镜委〔2024〕12号",
    title="中共镜花市委镜花市人民政府关于进一步加强城市规划建设管理工作的若干意见（试行）",
    kind="意见",
    signed_date=date(2024, 3, 15),
    attachments=("重点任务分工表", "考核办法"),
    note="此件发至县团级",
    print_count=30,
    printed_date=date(2024, 3, 18),
    _doubt=(),
)
case(
    "000012、000013\n秘密★6个月\n急件\n某某局文件\n某局发[2O24]l2弓\n美于开展专项检査的通知\n各分局:\n"
    + B
    + "某某局\n2024年5月1曰",
    serials=("000012", "000013"),
    urgency="急件",
    doc_number="某局发〔2024〕12号",
    signed_date=date(2024, 5, 1),
)
case(
    "华瑞科技有限公司文件\n文件编号：HR-2024-015    版本号：A/0\n"
    "签发：王建国  核稿：李梅  拟稿：赵强\n关于修订《考勤管理制度》的通知\n公司各部门、各分公司：\n"
    + B
    + "华瑞科技有限公司\n2024年8月9日",
    doc_number="HR-2024-015",
    signers=("王建国",),
    title="关于修订《考勤管理制度》的通知",
    recipients=("公司各部门", "各分公司"),
    signed_date=date(2024, 8, 9),
    organs=("华瑞科技有限公司",),
)
case(
    "发文编号：行政[2024]第008号\n员工手册修订公告\n全体员工：\n" + B + "华瑞科技有限公司行政部\n2024-08-09",
    doc_number="行政〔2024〕8号",
    kind="公告",
    signed_date=date(2024, 8, 9),
    recipients=("全体员工",),
)
case(
    "内部传真电报\n发往：各市州人民政府        签批盖章：刘某\n"
    "等级：特提   某政明电〔2024〕6号   机号：某机123号\n关于做好强降雨防范应对工作的紧急通知\n"
    "各市州人民政府：\n据气象部门预报，近期将有强降雨，请做好防范。\n某某省人民政府办公厅\n"
    "2024年7月3日",
    doc_number="某政明电〔2024〕6号",
    urgency="特提",
    signed_date=date(2024, 7, 3),
    title="关于做好强降雨防范应对工作的紧急通知",
    organs=("某某省人民政府办公厅",),
)
case(
    "中华人民共和国\n国家发展和改革委员会\n财政部\n令\n第12号\n"
    "《某某管理办法》已经2024年1月5日第3次委务会议审议通过，现予公布，自2024年3月1日起施行。\n"
    "主任：郑某某\n部长：蓝某某\n2024年1月20日",
    doc_number="第12号",
    kind="令",
    signed_date=date(2024, 1, 20),
)
case(
    "云梦省人民政府令\n第 231 号\n"
    "《云梦省某某条例实施办法》已经2024年1月5日省人民政府第3次常务会议通过，现予公布，自"
    "2024年3月1日起施行。\n省长  王某\n2024年1月20日\n云梦省某某条例实施办法\n"
    "第一条 为了规范管理，制定本办法。\n第二十条 本办法自2024年3月1日起施行。",
    doc_number="第231号",
    kind="令",
    signed_date=date(2024, 1, 20),
    title="云梦省人民政府令",
    organs=("云梦省人民政府",),
)
case(
    "太虚大学校长办公会会议纪要\n第3期\n太虚大学校长办公室          2024年3月12日\n"
    "2024年3月10日，校长李某主持召开校长办公会。现纪要如下。\n一、会议听取了汇报。\n出席：张三 李四\n"
    "列席：王五",
    doc_number="第3期",
    kind="纪要",
    signed_date=date(2024, 3, 12),
    organs=("太虚大学校长办公室",),
    signers=(),
    recipients=(),
)
case(
    "镜花市人民政府办公室\n镜政办函〔2024〕9号\n关于商请支持水质监测工作的函\n"
    "无极市人民政府办公室；\n为做好跨界水质监测工作，现商请贵单位支持，有关事项如下，请予函复。\n"
    "镜花市人民政府办公室\n2024年2月30日",
    recipients=("无极市人民政府办公室",),
    signed_date=None,
    doc_number="镜政办函〔2024〕9号",
    _doubt=("impossible_date",),
)
case(
    "某某市第十六届人民代表大会常务委员会关于批准2023年市本级决算的决议\n"
    "（2024年6月28日某某市第十六届人民代表大会\n常务委员会第十次会议通过）\n"
    "某某市第十六届人民代表大会常务委员会第十次会议听取了报告，决定批准该决算。",
    kind="决议",
    adopted_date=date(2024, 6, 28),
    signed_date=date(2024, 6, 28),
)
case(
    "签收  2024/5/3 10:22  FAX 0311-8888888  P.1\n某某市卫生健康委员会文件\n"
    "某卫发〔2024〕3号      签发人：李明\n                       王小红\n关于申请专项资金的请示\n"
    "某某市人民政府：\n为改善基层医疗条件，恳请市政府安排专项资金，妥否，请批示。\n"
    "某某市卫生健康委员会\n某某市财政局\n2024年5月1日\n（联系人：张三，联系电话：13900000000）",
    signers=("李明", "王小红"),
    organs=("某某市卫生健康委员会", "某某市财政局"),
    doc_number="某卫发〔2024〕3号",
    signed_date=date(2024, 5, 1),
    kind="请示",
    recipients=("某某市人民政府",),
)
case(
    "国务院办公厅转发\n国家发展改革委关于恢复和扩大消费\n措施的通知\n国办函〔2023〕70号\n"
    "各省、自治区、直辖市人民政府，国务院各部委、各直属机构：\n"
    "国家发展改革委《关于恢复和扩大消费的措施》已经国务院同意，现转发给你们，请认真贯彻落实。\n"
    "国务院办公厅\n2023年7月28日\n（本文有删减）\n关于恢复和扩大消费的措施\n国家发展改革委\n"
    "为深入贯彻党的二十大精神，现提出以下措施。\n截至2023年12月31日。",
    title="国务院办公厅转发国家发展改革委关于恢复和扩大消费措施的通知",
    organs=("国务院办公厅",),
    signed_date=date(2023, 7, 28),
    doc_number="国办函〔2023〕70号",
)
case(
    "某某街道办事处文件\n某街办发〔2024〕33号\n某某街道办事处关于印发《某某街道网格化服务管理\n"
    "工作实施方案（2024—2026年）》的通知\n各村（居）委会、机关各科室：\n"
    + B
    + "附件：某某街道网格化服务管理工作实施方案\n某某街道办事处\n2024年11月20日",
    title="某某街道办事处关于印发《某某街道网格化服务管理工作实施方案（2024—2026年）》的通知",
    organs=("某某街道办事处",),
    attachments=("某某街道网格化服务管理工作实施方案",),
    _doubt=("annex_missing",),
    signed_date=date(2024, 11, 20),
    kind="通知",
)
case(
    "秘密★启用前\n2024年普通高等学校招生考试模拟试卷\n语文（A卷）\n注意事项：\n1.答卷前填写姓名。\n"
    "一、现代文阅读（36分）",
    doc_number=None,
    signed_date=None,
    organs=(),
    recipients=(),
)
case(
    "某某医院感染科会议记录\n时间：2024年3月5日下午\n地点：示教室\n主持人：王某\n参加人员：李某、张某\n会议内容：讨论病例。",
    kind="会议记录",
    recipients=(),
    doc_number=None,
    signed_date=date(2024, 3, 5),
)
case(
    "云梦能源集团 核心商密▲5年\n云梦能源集团有限公司文件\n云能发〔2024〕18号\n"
    "关于印发《年度投资计划》的通知\n所属各单位：\n" + B + "云梦能源集团有限公司\n2024年1月12日",
    doc_number="云能发〔2024〕18号",
    recipients=("所属各单位",),
    title="关于印发《年度投资计划》的通知",
    signed_date=date(2024, 1, 12),
    organs=("云梦能源集团有限公司",),
)
case(
    "李明同志：\n你提出的申请收悉，经研究答复如下，同意你的申请。\n某某大学人事处\n2024年3月3日",
    recipients=("李明同志",),
    signed_date=date(2024, 3, 3),
    organs=("某某大学人事处",),
)
case(
    "某某县村民委员会\n关于低保评议结果的公示\n根据有关规定，现将评议结果公示如下，公示期七天。\n"
    "某某县某某村村民委员会\n二〇二四年元月初五日",
    kind="公示",
    signed_date=date(2024, 1, 5),
    recipients=(),
)
case(
    "某某省教育厅\n关于2024年高考工作的通知\n教考〔2023〕188号\n各市教育局：\n"
    + B
    + "本通知自2024年1月1日起施行，有效期至2028年12月31日。\n某某省教育厅\n2021年12月20日\n"
    "某某省教育厅办公室 2021年12月18日印发",
    doc_number="教考〔2023〕188号",
    signed_date=date(2021, 12, 20),
    printed_date=date(2021, 12, 18),
    _doubt=("number_year_differs", "printed_before_signed"),
)
case(
    "无极市乡村振兴工作专班\n极乡振专班函〔2024〕2号\n特急\n关于报送工作进展的函\n市农业农村局、市财政局、各乡镇（街道）：\n"
    + B
    + "无极市乡村振兴工作专班（代章）\n2024年5月6日",
    urgency="特急",
    doc_number="极乡振专班函〔2024〕2号",
    organs=("无极市乡村振兴工作专班",),
    recipients=("市农业农村局、市财政局、各乡镇（街道）",),
)
case(
    "某某市人民政府文件\n某政发〔2024〕15号\n关于表彰先进的决定\n"
    + B
    + "某某市人民政府\n2024年5月1日\n主送：各县（市、区）人民政府，市政府各部门。\n抄送：市委办公室。\n"
    "某某市人民政府办公室\n2024年5月6日印发",
    recipients=("各县（市、区）人民政府", "市政府各部门"),
    printed_by="某某市人民政府办公室",
    copied_to=("市委办公室",),
    printed_date=date(2024, 5, 6),
    organs=("某某市人民政府",),
)
case(
    "镜花市水务局\n收 文 章\n收文第0123号\n2024年6月9日\n太虚省地质调查院文件\n太地调〔2024〕8号\n"
    "关于提供资料的函\n镜花市水务局：\n来函收悉，现将有关资料随函送上，请查收并妥善保管。\n"
    "太虚省地质调查院\n2024年6月1日",
    organs=("太虚省地质调查院",),
    doc_number="太地调〔2024〕8号",
    signed_date=date(2024, 6, 1),
)


def transcript(text: str) -> Transcript:
    pages = []
    for number, page in enumerate(text.split("\f"), 1):
        rows = page.split("\n")
        step = 1 / max(50, len(rows) + 8)
        lines = tuple(
            Line(row, Box(0.12, 0.12 + i * step, 0.88, 0.12 + (i + 0.8) * step), 0.99)
            for i, row in enumerate(rows)
            if row.strip()
        )
        pages.append(Page(number, 210, 297, lines, "ocr", "made up", 0.99))
    return Transcript(tuple(pages))


def plain(value: object) -> object:
    if isinstance(value, str):
        return re.sub(r"\s", "", unicodedata.normalize("NFKC", value))
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


@pytest.mark.req("R-023")
@pytest.mark.parametrize("number", range(len(CASES)))
def test_forms(number: int) -> None:
    text, wanted = CASES[number]
    fields = extract(transcript(text))
    said = {item.name: item for item in fields.evidence}
    for name, value in wanted.items():
        if name == "_doubt":
            assert {code for item in fields.evidence for code in item.doubt} & CROSS == set(value)  # type: ignore[call-overload]
        elif name == "printed_by":
            assert said["printed_by"].value == value
        else:
            assert plain(getattr(fields, name)) == plain(value), name
