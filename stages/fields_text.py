"""Rows of a transcript made comparable, and the small readers that every field shares: dates, names, organs.

Text is compared after NFKC; `tight` has no blanks. Values for the register keep the paper's own characters.
OCR confusions: official-documents.md section 6.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from ..models.fields import FieldEvidence, FieldName
from ..models.page import Box, Line, Transcript
from .mark_grammar import chinese_number

LOW_CONFIDENCE = 0.8
DIGIT = r"[0-9OoDQlIi|丨ZzSsbBgq]"
_DIGITS = str.maketrans("OoDQlIi|丨ZzSsbBgq", "000011111225568" + "99")
_CN_DIGITS = {**{c: str(v) for v, c in enumerate("零一二三四五六七八九")}, **dict.fromkeys("〇○OoΟ0口◯", "0")}
_CN_YEAR = "[一二三四五六七八九零〇○OoΟ0口◯]"
_CN_NUMBER = "[一二三四五六七八九十廿卅元正初]"
DATE_ARABIC = re.compile(
    rf"(?P<y>(?:[1lI|]9|[2Z][0OoD]){DIGIT}{{2}})(?:年|午|牛)(?P<m>{DIGIT}{{1,2}})[月用](?P<d>{DIGIT}{{1,2}})[日曰口目]"
)
DATE_CHINESE = re.compile(
    rf"(?P<y>[一二]{_CN_YEAR}{{3}})[年午](?P<m>{_CN_NUMBER}{{1,3}})月(?P<d>{_CN_NUMBER}{{1,4}})[日曰号]"
)
DATE_PLAIN = re.compile(r"(?P<y>(?:19|20)\d{2})([./-])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?!\d)")
_ORGAN_END = (
    "政府|国务院|办公厅|办公室|委员会|常委会|委|局|厅|部|处|科|院|会|公司|集团|中心|学校|大学|学院|医院|馆|站|所|队|社|"
    "厂|署|室|党组|党委|党总支|支部|工会|银行|军区|司令部|组|联|企业|机构|联盟|分行|支行|幼儿园|中学|小学|总队|支队|纪委|编办|法院|"
    "检察院|办"
)
ORGAN = re.compile(rf"^[\u4e00-\u9fffA-Za-z0-9·()“”\"×○〇]{{1,40}}?(?:{_ORGAN_END})(?:\([^()]{{1,12}}\))?$")
FIFTEEN = (
    "决议", "决定", "命令", "令", "公报", "公告", "通告", "意见", "通知", "通报", "报告", "请示", "批复",
    "议案", "函", "纪要",
)  # fmt: skip
OTHER_KINDS = (
    "会议纪要", "会议记录", "谈话记录", "记录", "实施方案", "方案", "实施办法", "办法", "实施细则",
    "细则", "规定", "规则", "规程", "条例", "章程", "制度", "准则", "工作计划", "计划", "规划", "纲要",
    "工作总结", "总结", "工作要点", "要点", "讲话", "发言", "简报", "快报", "专报", "信息", "内参",
    "合同书", "合同", "协议书", "协议", "意向书", "备忘录", "情况反映", "情况说明", "说明", "汇报",
    "签报", "清单", "名单", "目录", "花名册", "一览表", "报表", "统计表", "表", "预案", "证明", "申请书",
    "申请", "邀请函", "倡议书", "建议书", "建议", "提案", "通讯录", "手册", "指南", "鉴定书", "批示",
    "传真", "电报", "大纲", "试题", "试卷", "公示", "启事", "声明", "承诺书", "责任书", "任务书",
    "审批表", "登记表", "登记簿", "台账", "预算", "决算", "报价单", "标书", "招标文件", "投标文件",
    "分析", "调研报告", "年报",
)  # fmt: skip
_STATE = r"(?:[(〔](?:试行|暂行|草案|修订|[^()]{0,12}稿)[)〕])?"
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

    @property
    def raw(self) -> str:
        """As read."""
        return self.line.text


def normal(text: str) -> str:
    """NFKC, soft hyphens and zero-width characters gone, runs of blanks to one."""
    plain = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    return re.sub(r"\s+", " ", re.sub(r"[\u200b-\u200f\ufeff]", "", plain)).strip()


def tight(text: str) -> str:
    """`normal` without blanks."""
    return normal(text).replace(" ", "")


_PAGE_NUMBER = re.compile(r"^(?:[—\-–―~·]{1,2}\d{1,4}[—\-–―~·]{1,2}|第\d{1,4}页(?:[,/]?共\d{1,4}页)?)$")


def rows_of(transcript: Transcript) -> tuple[Row, ...]:
    """All lines with text, page numbers left out."""
    found: list[Row] = []
    for page in transcript.pages:
        for line in page.lines:
            text = normal(line.text)
            bare = text.replace(" ", "")
            if bare and not _PAGE_NUMBER.match(bare):
                found.append(Row(len(found), page.number, line, text, bare))
    return tuple(found)


def digits(text: str) -> str:
    """Letters that OCR reads for digits turned back."""
    return text.translate(_DIGITS)


def find_date(text: str) -> tuple[date, tuple[int, int], bool] | None:
    """The first whole date in a tight text, its span, and whether it was repaired."""
    best: tuple[date, tuple[int, int], bool] | None = None
    for pattern in (DATE_ARABIC, DATE_CHINESE, DATE_PLAIN):
        for found in pattern.finditer(text):
            read = _date(pattern, found)
            if read and (best is None or found.start() < best[1][0]):
                best = (read[0], found.span(), read[1])
                break
    return best


def _date(pattern: re.Pattern[str], found: re.Match[str]) -> tuple[date, bool] | None:
    year, month, day = found["y"], found["m"], found["d"]
    if pattern is DATE_CHINESE:
        number = int("".join(_CN_DIGITS[c] for c in year))
        parts = (number, _cn(month), _cn(day))
        repaired = bool(re.search("[OoΟ0口◯]", year))
    else:
        parts = (int(digits(year)), int(digits(month)), int(digits(day)))
        repaired = found.group(0) != digits(found.group(0)) or bool(
            re.search("[午牛用曰口目]", found.group(0))
        )
    try:
        return date(*parts), repaired
    except ValueError:
        return None


def _cn(text: str) -> int:
    text = text.replace("元", "一").replace("正", "一").replace("初", "")
    return chinese_number(text) or 0


def is_organ(text: str) -> bool:
    """Whether a tight text looks like one organ's name."""
    return bool(ORGAN.match(text)) and not re.search(r"[,。;:!?]|关于|^第.{1,4}[章条节部]", text)


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
    return re.sub(r"(?<![A-Za-z0-9,.;:]) | (?![A-Za-z0-9])|(?<=\d) (?=\d)", "", text).strip()


def union(rows: list[Row] | tuple[Row, ...]) -> Box | None:
    """The box around rows of the first row's page."""
    boxes = [row.line.box for row in rows if row.page == rows[0].page]
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
    )


def tokens(row: Row) -> list[str]:
    """The row as a whole, then its parts between blanks, then without the parts in front of it."""
    parts = re.split(r"\s{2,}|\t|\u3000+", row.raw.strip())
    return [part for part in parts if part.strip()] if len(parts) > 1 else row.text.split(" ")
