"""What is a secret and what is not: the law's topics; an organisation's, a company's, an institution's scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.models.fields import OfficialFields
from jiyao.models.level import Family, Level
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.models.period import Period
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.policy.schema import Profile
from jiyao.models.suggestion import LevelSuggestion, Retention
from jiyao.models.tables import Artefact, Document
from jiyao.pipeline.levels import term_events
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import approvals
from jiyao.stages.classify import classify
from jiyao.stages.retain import retain
from room_kit import Room

POLICY = parse_policy(default_policy_text())


PETITION = (
    "现将举报件办理情况报告如下：举报人王某反映该单位负责人问题，检举控告内容涉及财务，"
    "查处情况暂不告知举报对象，举报人姓名、住址须严格保密。"
)


def judge(title: str, *body: str, profile: Profile = "organ", kind: str = "报告") -> LevelSuggestion:
    texts = (title, *body, *body)
    lines = tuple(
        Line(text, Box(0.1, 0.1 + 0.03 * at, 0.9, 0.12 + 0.03 * at)) for at, text in enumerate(texts)
    )
    return classify(
        transcript=Transcript((Page(1, 210, 297, lines, "text_layer", "text-layer", 1.0),)),
        fields=OfficialFields(title=title, kind=kind), policy=POLICY, profile=profile,
    )  # fmt: skip


def rules_of(found: LevelSuggestion) -> set[str]:
    return {one.rule for one in found.evidence if one.for_ in ("level", "interim")}


@pytest.mark.req("R-028", "R-041")
@pytest.mark.parametrize(
    ("rule", "title", "body"),
    [
        ("S-1", "关于尚未公布的价格改革方案的请示", "现将拟出台的重大决策方案报上，内容尚未公布，不得外传。"),
        ("S-2", "关于某部队战备与弹药储存情况的报告", "部队番号、编制员额、武器装备和战备值班部署如下。"),
        ("S-3", "关于边界谈判底线的请示", "对外谈判的底线和让步方案如下，外交照会尚未发出。"),
        ("S-4", "关于粮食储备计划的报告", "国家战略储备和粮食储备数量、布局尚未公布，内部掌握。"),
        ("S-5", "关于国防科研关键技术指标的报告", "国家科技秘密项目的关键技术指标、未公开的科研成果如下。"),
        ("S-6", "关于专案组侦查方案的请示", "专案组拟采取技术侦查措施，线人情况和抓捕时间如下。"),
        ("S-7", "关于国家统一考试试题命题的报告", "试卷、标准答案在启用前由命题组保管，试题内容如下。"),
    ],
)
def test_the_seven_topics_are_topic_rules(rule: str, title: str, body: str) -> None:
    """Words alone never give a state level: topic, protection meanwhile, and a person who determines it."""
    found = judge(title, body)
    assert rule in rules_of(found) and found.level is None and found.must_review
    assert found.interim is not None and found.interim.family is Family.STATE
    assert all(one.source for one in found.evidence if one.rule == rule)


@pytest.mark.req("R-029")
@pytest.mark.parametrize(
    ("profile", "rule", "title", "body"),
    [
        ("company", "C-ABS", "关于并购方案的报告", "公司拟收购标的公司，估值与报价底线如下，尚未公布。"),
        ("company", "C-LOW", "新产品配方与制作工艺", "产品配方比例、工艺参数、温度曲线，尚未申请专利。"),
        ("organ", "I-MINUTES", "党委会议记录", "党委会议记录：各委员发言和表决情况如下，未公布。"),
        ("organ", "I-PETITION", "关于信访举报件查处情况的报告", PETITION),
        ("organ", "I-COMMS", "关于密码机密钥更换的报告", "密码机、密钥、密码本更换安排如下。"),
        ("organ", "I-LEADER", "关于领导行程和警卫方案的通知", "领导行程、视察路线、警卫方案如下，尚未公开。"),
        ("organ", "I-SUPERIOR", "关于印送参阅件的函", "现送上内参和参阅件，上级要求暂不公开，请勿外传。"),
    ],
)  # fmt: skip
def test_other_secrets_of_an_organisation(profile: Profile, rule: str, title: str, body: str) -> None:
    found = judge(title, body, profile=profile)
    assert rule in rules_of(found)
    assert POLICY.rank(POLICY.highest(found.level, found.interim)) >= POLICY.rank(Level.INTERNAL)


COMPANY = [
    (Level.COMPANY_TOP, "关于并购方案的报告", "公司拟收购标的公司，估值与报价底线如下，董事会尚未公布。"),
    (
        Level.COMPANY_TOP,
        "关于引入战略投资者与股权转让的请示",
        "拟向标的方转让控股权，对价与底线如下，停牌前严禁外传。",
    ),
    (Level.COMPANY_SECRET, "三年经营战略规划", "未来三年市场布局、产能目标和新品上市节奏如下，尚未实施。"),
    (Level.COMPANY_SECRET, "三季度财务报表", "资产负债表、利润表、现金流量表如下，毛利率和资金缺口见附表。"),
    (Level.COMPANY_SECRET, "总经理经营例会会议纪要", "会议研究经营状况、销售数据和降价应对方案，议定如下。"),
    (
        Level.COMPANY_CONFIDENTIAL,
        "与虚构供应商的采购合同",
        "甲方、乙方就供货单价、账期、返利和违约责任约定如下。",
    ),
    (Level.COMPANY_CONFIDENTIAL, "客户名单和报价单", "重点客户名单、联系方式、成交价、底价如下。"),
    (Level.COMPANY_CONFIDENTIAL, "劳动合同与工资标准", "员工劳动合同、工资薪酬和奖金发放标准如下。"),
    (Level.COMPANY_CONFIDENTIAL, "新款样品设计图", "尚未上市的新款设计图、版型和打样数据如下。"),
]


@pytest.mark.req("R-030", "R-032")
@pytest.mark.parametrize(("level", "title", "body"), COMPANY)
def test_a_companys_scope_and_levels_follow_from_content(level: Level, title: str, body: str) -> None:
    found = judge(title, body, profile="company")
    named = {found.level, *(one.level for one in found.candidates[:2])}
    assert level in named, (found.level, named)
    guarded = POLICY.rank(POLICY.highest(found.level, found.interim))
    assert found.must_review or guarded >= POLICY.rank(Level.COMPANY_CONFIDENTIAL)


@pytest.mark.req("R-031")
@pytest.mark.parametrize("profile", ["company", "soe"])
@pytest.mark.parametrize(
    ("kind", "title", "body"),
    [
        ("通知", "关于国庆节放假的通知", "各部门：国庆放假安排和值班安排如下。"),
        ("通知", "关于调整食堂就餐时间的通知", "食堂就餐时间调整如下，请周知。"),
        ("决定", "关于表彰先进员工的决定", "经研究，决定表彰下列员工，希望再接再厉。"),
        ("通告", "关于停水检修的通告", "因管道检修，周六停水，请提前储水。"),
        ("通知", "会议通知", "定于周五召开例会，请准时参加，请带好笔记本。"),
        ("通知", "关于领用办公用品的通知", "请各部门按月领用办公用品，做好登记。"),
    ],
)
def test_ordinary_administration_is_no_secret(profile: Profile, kind: str, title: str, body: str) -> None:
    found = judge(title, body, profile=profile, kind=kind)
    assert found.level in (Level.INTERNAL, Level.PUBLIC) and found.interim is None


@pytest.mark.req("R-035")
@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("院长办公会议记录", "院长办公会议记录：讨论经费分配，各人发言如下，会议原始记录不外传。"),
        ("民主生活会记录", "民主生活会记录：班子成员相互批评意见如下。"),
        ("关于后备干部考察材料的报告", "拟任人选考察材料、民主测评情况和谈话记录如下，未公布。"),
        ("关于领导班子调整酝酿情况的报告", "领导班子调整方案正在酝酿，人事安排未公布，注意保密。"),
        ("关于反映干部问题来信的处理报告", "举报信反映某干部问题，问题线索和谈话记录如下。"),
    ],
)
def test_an_institutions_scope(title: str, body: str) -> None:
    found = judge(title, body, profile="college")
    assert Level.WORK in {found.level, found.interim, *(one.level for one in found.candidates[:2])}
    assert POLICY.rank(POLICY.highest(found.level, found.interim)) >= POLICY.rank(Level.WORK)


@pytest.mark.req("R-036")
@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("技术数据汇总", "源代码、模型参数和测试数据如下，未发布，不得外带。"),
        ("下年度商业计划", "明年市场布局、降价计划和扩产投入如下，未公开。"),
        ("专利申请前技术交底书", "专利申请前的技术交底书，技术方案和参数如下，尚未申请。"),
        ("会计核算与成本构成表", "单位成本构成、费用明细、现金流和应收账款如下。"),
        ("市场分析报告", "主要竞争对手市占率、竞品定价策略和应对方案分析如下。"),
        ("员工薪酬花名册", "员工工资、薪酬、奖金和绩效考核结果明细如下。"),
        ("重点客户资料", "大客户名单、采购量、折扣和联系人如下。"),
    ],
)
def test_confidential_business_data_of_every_kind(title: str, body: str) -> None:
    found = judge(title, body, profile="company", kind="表")
    guarded = POLICY.highest(found.level, found.interim)
    assert guarded is not None and POLICY.rank(guarded) >= POLICY.rank(Level.COMPANY_CONFIDENTIAL)


# ---------------------------------------------------------------- in the register


def show(room: Room, document: str) -> dict[str, Any]:
    return documents.show_document(room.station, room.as_("clerk", "documents"), document=document)


DAMAGE = {
    Level.STATE_TOP: "特别严重损害", Level.STATE_SECRET: "严重损害", Level.STATE_CONFIDENTIAL: "损害",
    Level.COMPANY_TOP: "特别严重损害(公司)", Level.COMPANY_SECRET: "严重损害(公司)",
    Level.COMPANY_CONFIDENTIAL: "损害(公司)",
}  # fmt: skip


@pytest.mark.req("R-025", "R-033")
def test_each_suggested_level_says_what_damage_it_guards_against(tmp_path: Path) -> None:
    room = Room(tmp_path)
    for level, damage in DAMAGE.items():
        value = show(room, room.paper(level=level, period=Period("years", number=5)))
        assert (value["level"], value["level_damage"], value["confirmed"]) == (level.value, damage, False)
    assert show(room, room.paper(level=Level.INTERNAL))["level_damage"] is None


@pytest.mark.req("R-045", "R-144")
def test_every_level_is_labelled_sorted_and_encrypted(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = "这一句虚构的正文不得以明文留在任何地方。"
    made = {
        level: room.document(level=level, text=text, period=Period("years", number=5))
        for level in (Level.STATE_SECRET, Level.COMPANY_TOP, Level.WORK, Level.INTERNAL)
    }
    with room.station.read() as session:
        for level, document in made.items():
            assert session.get_one(Document, document).level_code == level.code
            rows = session.scalars(select(Artefact).where(Artefact.document_id == document)).all()
            assert len(rows) == 3 and {row.path.split("/")[0] for row in rows} == {level.code.lower()}
            slots = {row.key_slot for row in rows}
            assert len(slots) == 1, "a key of its own"
    room.station.engine.dispose()
    for path in (one for one in room.home.rglob("*") if one.is_file()):
        assert text.encode() not in path.read_bytes(), path.name


@pytest.mark.req("R-040")
def test_nothing_within_its_period_is_published(tmp_path: Path) -> None:
    from datetime import date

    room = Room(tmp_path)
    open_ended = room.document(level=Level.STATE_CONFIDENTIAL, period=Period("forever"))
    running = room.document(
        level=Level.STATE_CONFIDENTIAL, period=Period("years", number=5), signed=date(2024, 3, 1)
    )
    without = room.document(level=Level.COMPANY_SECRET)
    ended = room.document(level=Level.STATE_CONFIDENTIAL, period=Period("years", number=5))

    def ask(document: str) -> dict[str, Any]:
        clerk = room.as_("clerk", "approval.request")
        return approvals.request(room.station, clerk, act="publish", documents=(document,))

    for document in (open_ended, running, without):
        room.refused("within_secrecy_period", ask, document)
    assert ask(ended)["state"] == "requested", "and even then two persons approve"
    room.change(running, origin="self")
    for user in ("rev", "det"):
        room.refused("within_secrecy_period", ask, running)
        term_events.record(
            room.station, room.as_(user, "documents.event"), document=running, happening="declassified",
            on=date(2026, 11, 1), reason="不再需要保密",
        )  # fmt: skip
    assert ask(running)["state"] == "requested"


@pytest.mark.req("R-054")
def test_committee_minutes_are_kept_for_ever_and_found(tmp_path: Path) -> None:
    title = "样例局保密委员会第三次会议纪要"
    kept = retain(
        transcript=Transcript(()), fields=OfficialFields(title=title, kind="纪要"), policy=POLICY,
        profile="organ", origin="self",
    )  # fmt: skip
    assert kept.retention is Retention.PERMANENT
    room = Room(tmp_path)
    document = room.document(title, retention=kept.retention)
    room.document("关于别事的函")
    clerk = room.as_("clerk", "documents")
    found = documents.list_documents(room.station, clerk, query="保密委员会")["documents"]
    assert [(one["id"], one["retention"], one["status"]) for one in found] == [
        (document, "永久", "registered")
    ]
