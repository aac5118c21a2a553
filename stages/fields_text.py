"""Rows of a transcript made comparable, and the small readers that every field shares: dates, names, organs.

Text is compared after NFKC; `tight` has no blanks. Values for the register keep the paper's own characters.
OCR confusions: official-documents.md section 6.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ..models.fields import FieldEvidence, FieldName
from ..models.page import Box, Line, Transcript
from .fields_date import DIGIT as DIGIT
from .fields_date import digits as digits
from .fields_date import find_date as find_date

LOW_CONFIDENCE = 0.8
_ORGAN_END = (
    "政府|国务院|办公厅|办公室|委员会|常委会|委|局|厅|部|处|科|院|会|公司|集团|中心|学校|大学|学院|医院|馆|站|所|队|社|"
    "厂|署|室|党组|党委|党总支|支部|工会|银行|军区|司令部|组|联|企业|机构|联盟|分行|支行|幼儿园|中学|小学|总队|支队|纪委|编办|法院|"
    "检察院|办|专班|基地|机关|校|产业园|园区|林场|农场|牧场|机场|矿|港|酒店|饭店|宾馆|库|台|兵团|军|师|旅|团|庭|司|部队|开发区|新区|"
    "示范区|管理区|院区|作业区|厂区|景区|保护区|高新区|经开区|度假区|自贸区|车间|项目部|门诊|药房|商行|合作社|联社|总社|基金|商会|"
    "超市|食堂|保税区|指挥所|分公司|店|苑"
)
ORGAN = re.compile(rf"^[\u4e00-\u9fffA-Za-z0-9·()“”\"×○〇]{{1,40}}?(?:{_ORGAN_END})(?:\([^()]{{1,12}}\))?$")
_NO_ORGAN = re.compile(
    r"[,。;:!?]|关于|^第.{1,4}[章条节部]|^(?:各[省市县区部级单]|特此|以上|请|该|我[省市县院校局厅部]|你|此复|会议(?:地点|时间)|地点|出席|列席|参加)"
)
FIFTEEN = (
    "决议", "决定", "命令", "令", "公报", "公告", "通告", "意见", "通知", "通报", "报告", "请示", "批复",
    "议案", "函", "纪要",
)  # fmt: skip
OTHER_KINDS = (
    "会议纪要", "会议记录", "谈话记录", "记录", "实施方案", "方案", "实施办法", "办法", "实施细则", "细则",
    "规定", "规则", "规程", "条例", "章程", "制度", "准则", "工作计划", "计划", "规划", "纲要", "工作总结",
    "总结", "工作要点", "要点", "讲话", "发言", "简报", "快报", "专报", "信息", "内参", "合同书", "合同",
    "协议书", "协议", "意向书", "备忘录", "情况反映", "情况说明", "说明", "汇报", "签报", "清单", "名单",
    "目录", "花名册", "一览表", "报表", "统计表", "表", "预案", "证明", "申请书", "申请", "邀请函",
    "倡议书", "建议书", "建议", "提案", "通讯录", "手册", "指南", "鉴定书", "批示", "传真", "电报", "大纲",
    "试题", "试卷", "公示", "启事", "声明", "承诺书", "责任书", "任务书", "病历", "病案", "出院小结",
    "小结", "同意书", "处方", "证书", "聘书", "委托书", "授权书", "决定书", "通知书", "判决书", "裁定书",
    "起诉书", "意见书", "申报书", "报告书", "建议案", "简历", "须知", "公约", "守则", "工作手册", "日程",
    "议程", "程序", "标准", "规范", "流程", "指引", "致辞", "新闻稿", "整改清单", "审批表", "登记表",
    "登记簿", "台账", "预算", "决算", "报价单", "标书", "招标文件", "投标文件", "分析", "调研报告", "年报",
)  # fmt: skip
_STATE = (
    r"(?:[(〔](?:试行|暂行|草案|修订|代拟|[A-Z一二三甲乙]卷|[^()]{0,12}[稿版]|第[^()]{1,4}[期号次]|"
    r"\d{4}年[^()]{0,8})[)〕])?"
)
KIND_END = re.compile(rf"(?P<kind>{'|'.join(sorted(FIFTEEN, key=len, reverse=True))})(?P<state>{_STATE})$")
OTHER_END = re.compile(
    rf"(?P<kind>{'|'.join(sorted(OTHER_KINDS, key=len, reverse=True))})(?P<state>{_STATE})$"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line with its place. `text` is NFKC with single blanks, `tight` without any."""

    index: int
    page: int
    line: Line
    text: str
    tight: str
    where: Box | None = None
    """Its place on the page as it came, where `line` has been turned upright."""

    @property
    def raw(self) -> str:
        """As read."""
        return self.line.text


_BLANKS = re.compile(r"\s+")
_UNSEEN = re.compile(r"[\u200b-\u200f\ufeff]")


def normal(text: str) -> str:
    """NFKC, soft hyphens and zero-width characters gone, runs of blanks to one."""
    plain = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    return _BLANKS.sub(" ", _UNSEEN.sub("", plain)).strip()


def tight(text: str) -> str:
    """`normal` without blanks."""
    return normal(text).replace(" ", "")


@lru_cache(maxsize=32_768)
def tight_word(word: str) -> str:
    """`tight`, remembered: for the words of a policy, which every paper is searched for; never for words of papers."""
    return tight(word)


PAGE_NUMBER = re.compile(r"^(?:[—\-–―~·]{1,2}\d{1,4}[—\-–―~·]{1,2}|第\d{1,4}页(?:[,/]?共\d{1,4}页)?)$")


def rows_of(transcript: Transcript) -> tuple[Row, ...]:
    """All lines with text, page numbers left out."""
    found: list[Row] = []
    for page in transcript.pages:
        for line in page.lines:
            text = normal(line.text)
            bare = text.replace(" ", "")
            if bare and not PAGE_NUMBER.match(bare):
                found.append(Row(len(found), page.number, line, text, bare))
    return tuple(found)


def is_organ(text: str) -> bool:
    """Whether a tight text looks like one organ's name."""
    return len(text) <= 60 and bool(ORGAN.match(text)) and not _NO_ORGAN.search(text)


def split_organs(text: str) -> tuple[str, ...]:
    """One or several organs out of a line, by blanks and 、; a name broken by blanks stays one."""
    for pattern in (r"[、,，\s]+", r"[、,，]+|\s{2,}"):
        parts = [part for part in re.split(pattern, text.strip()) if part]
        if len(parts) > 1 and all(is_organ(tight(part)) and len(tight(part)) > 2 for part in parts):
            return tuple(join(part) for part in parts)
    return (join(text),)


def join(*parts: str) -> str:
    """Lines put together: blanks stay only between Latin words."""
    text = " ".join(part.strip() for part in parts)
    text = re.sub(r"[\u200b-\u200f\ufeff\u00ad]", "", re.sub(r"\s+", " ", text))
    # engines read one bracket of a pair narrow and the other wide
    text = re.sub(r"\(([^()（）]*)）|（([^()（）]*)\)", lambda pair: f"（{pair[1] or pair[2] or ''}）", text)
    return re.sub(r"(?<![A-Za-z0-9,.;:]) | (?![A-Za-z0-9])|(?<=\d) (?=\d)", "", text).strip()


def union(rows: list[Row] | tuple[Row, ...]) -> Box | None:
    """The box around rows of the first row's page."""
    boxes = [row.where or row.line.box for row in rows if row.page == rows[0].page]
    if not boxes:
        return None
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def evidence(
    name: FieldName,
    value: str,
    rows: list[Row] | tuple[Row, ...],
    *,
    rule: str,
    certainty: float,
    doubt: tuple[str, ...] = (),
    alternatives: Iterable[str] = (),
) -> FieldEvidence:
    """Evidence for one field; the score is the weakest line's confidence times the rule's certainty."""
    confidence = min((row.line.confidence for row in rows), default=0.0)
    if confidence < LOW_CONFIDENCE:
        doubt = (*doubt, "low_confidence")
    return FieldEvidence(
        name=name,
        value=value,
        raw="\n".join(row.raw for row in rows),
        page=rows[0].page if rows else 1,
        box=union(rows) if rows else None,
        score=round(max(0.0, min(1.0, confidence * certainty)), 4),
        rule=rule,
        doubt=tuple(dict.fromkeys(doubt)),
        alternatives=tuple(dict.fromkeys(one for one in alternatives if one and one != value)),
    )


def tokens(row: Row) -> list[str]:
    """The row as a whole, then its parts between blanks, then without the parts in front of it."""
    parts = re.split(r"\s{2,}|\t|\u3000+", row.raw.strip())
    return [part for part in parts if part.strip()] if len(parts) > 1 else row.text.split(" ")


_LABEL = re.compile(
    r"(?P<label>发往单位|发往|收电单位|发电单位|签批盖章|签批|签发人|签发|核稿人|核稿|拟稿人|拟稿单位|拟稿|会签|审核人|审核|审批人|审批|批准人|批准|"
    r"部门号|机号|密级和保密期限|密级|密别|保密期限|紧急程度|缓急程度|缓急|等级|份号|页数|发文字号|公文编号|文件编号|发文编号|合同编号|编号|"
    r"文号|字号|版本号|版本|版次|生效日期|实施日期|发布日期|发文日期|印发日期|签发日期|成文日期|拟稿日期|日期|主送单位|主送机关|主送|抄送|抄报|文件标题|标题|"
    r"文件名称|主题词|主题|题目|事由|发文机关|发文单位|发文部门|制定部门|起草部门|编制部门|责任部门|承办部门|编制|打字|打印|校对|份数|印数|联系人|"
    r"联系电话|电话|传真|附件|备注|经办人|经办)[:：]"
)


def cells(row: Row) -> tuple[tuple[str, str], ...]:
    """Label and value of each `label:value` of a row, as forms and telegrams have them side by side."""
    if len(row.tight) > 200:
        return ()
    found = list(_LABEL.finditer(row.tight))
    if not found:
        return ()
    ends = [one.start() for one in found[1:]] + [len(row.tight)]
    return tuple((one["label"], row.tight[one.end() : end]) for one, end in zip(found, ends, strict=True))
