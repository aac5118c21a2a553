"""主送机关 (GB/T 9704-2012 §7.3.2): under the title to a colon, over several lines, or moved to the 版记."""

from __future__ import annotations

import re

from ..models.fields import FieldEvidence
from .fields_text import Row, cells, evidence, is_organ, join
from .fields_title import is_furniture

HEADING = re.compile(r"^(?:一、|第一[章条]|[(]一[)]|1[.、]\D|目录$|摘要[:：])")
_NOT_ADDRESSEE = re.compile(
    r"^(?:签发|签批|发电单位|收电单位|等级|联系人|附件|抄送|抄报|主题词|密级|紧急程度|发往|编号|日期|时间|地点|主持|出席|列席|请假|缺席|参加|记录|甲方|乙方|丙方|"
    r"部门[:]|姓名|说明|备注|标题|主题|事由|注[:]|会议(?!.{0,8}(?:单位|代表))|根据|为[了做加进贯认深切推规]|按照|经研究|经.{0,12}(?:同意|批准)|现将|现就|近日|近期|日前|自.{1,12}起|因工作|"
    r"由于|鉴于|遵照|考生|电话|传真|地址|网址|单位名称|报告人|主办|承办|案由|原告|被告|申请人|患者|诊断|病史|问[:]|答[:])|"
    r"(?:如下|以下|以下几点|规定|通知如下|决定|强调|指出|认为|议定|主要是|包括|例如|要求是|明确|事宜|事项)$|[。;!]"
)
_WORD = re.compile(
    r"^(?:各|全[省市县区国院校公体]|有关|相关|本[市县区院校部局公]|市直|省直|区直|县直|中央|局机关|机关各|部属|所属|委属|院属|校属|驻|在[京省市]|尊敬的|"
    r"国务院|人民|你|贵)|(?:同志|先生|女士|老师|同学|教授|单位|部门|机构|机关|企业|院校|学校|员工|职工|干部|代表|委员|常委|董事|监事|股东|主任|市长|书记|"
    r"处室|科室|车间|班组|团队|朋友|家长|业主|居民|用户|客户|商户|村民|社区|街道|乡镇|镇|乡|高校|政府|支部|总支)(?:\([^()]{1,14}\))?$"
)
_LABELS = frozenset({"主送", "主送机关", "主送单位", "发往", "发往单位", "收电单位"})
MOST_ROWS = 14


def is_addressee(text: str) -> bool:
    """Whether a tight line can close the 主送机关 (ends with a colon and is no label or lead-in)."""
    return text.endswith(":") and 3 <= len(text) <= 160 and not _NOT_ADDRESSEE.search(text[:-1])


def looks_addressed(text: str) -> bool:
    """Whether every part of a tight text can be an addressee; for texts whose colon was lost."""
    plain = re.sub(r"\([^()]{1,30}\)", "", text.rstrip(":;,.、。"))
    parts = [part for part in re.split(r"[,，、;；]", plain) if part]
    if not parts or _NOT_ADDRESSEE.search(plain):
        return False
    good = [bool(is_organ(part) or _WORD.search(part)) for part in parts]
    return good[-1] and sum(good) >= 0.6 * len(good)


def read_recipients(
    rows: tuple[Row, ...], after: int, used: dict[int, str], found: list[FieldEvidence]
) -> tuple[tuple[str, ...], int]:
    """The addressees and the index of the row behind them (0 when there are none).

    Args:
        rows: of the whole paper.
        after: index of the first row under the title.
    """
    return (
        _by_label(rows[: after + MOST_ROWS], found)
        or _by_colon(rows, after, used, found)
        or _colon_lost(rows, after, used, found)
        or _by_label(rows[after + MOST_ROWS :], found, moved=True)
        or ((), 0)
    )


def _by_label(
    rows: tuple[Row, ...], found: list[FieldEvidence], *, moved: bool = False
) -> tuple[tuple[str, ...], int] | None:
    for place, row in enumerate(rows):
        label = re.match(r"^(?:致|TO|To)[:：](?P<to>.{3,60})$", row.tight) if not moved else None
        value = label["to"] if label else ""
        for name, text in cells(row):
            if name in _LABELS and len(text) >= 2:
                value = text
        if not value:
            continue
        block = [row]
        for more in rows[place + 1 : place + 5]:
            open_end = value.endswith(("、", ",", "，"))
            if not open_end and not (moved and row.line.box.right > 0.8 and looks_addressed(more.tight)):
                break
            if cells(more):
                break
            value += more.tight
            block.append(more)
        value = value.rstrip(":：。")
        rule = "recipients.imprint" if moved else "recipients.label"
        found.append(evidence("recipients", value, block, rule=rule, certainty=0.95))
        return split_recipients(value), 0 if moved else block[-1].index + 1
    return None


def _by_colon(
    rows: tuple[Row, ...], after: int, used: dict[int, str], found: list[FieldEvidence]
) -> tuple[tuple[str, ...], int] | None:
    block: list[Row] = []
    for row in rows[after : after + MOST_ROWS]:
        if row.index in used or (not block and is_furniture(row)):
            continue
        block.append(row)
        text = "".join(one.tight for one in block)
        if row.tight.endswith(":"):
            if 1 < len(text) <= 600 and not _NOT_ADDRESSEE.search(text[:-1]):
                value = join(*(one.raw for one in block)).rstrip(":： ")
                found.append(evidence("recipients", value, block, rule="recipients.colon", certainty=0.97))
                return split_recipients(value), row.index + 1
            return None
        if "。" in text or len(text) > 600 or HEADING.match(row.tight):
            return None
    return None


def _colon_lost(
    rows: tuple[Row, ...], after: int, used: dict[int, str], found: list[FieldEvidence]
) -> tuple[tuple[str, ...], int] | None:
    """Addressees whose colon was not read: names alone, in unindented rows right above an indented body."""
    block: list[Row] = []
    for row in rows[after : after + MOST_ROWS]:
        if row.index in used or (not block and is_furniture(row)):
            continue
        text = "".join(one.tight for one in (*block, row))
        # every row is read as the end of the list; the first row that is none ends it
        listed = not block and re.search(r"[,，、]", row.tight)
        if len(row.tight) > 60 or not (listed or looks_addressed(text)):
            break
        block.append(row)
        ends = re.search(r"[;；,.、。:]$", row.tight)
        following = rows[row.index + 1] if row.index + 1 < len(rows) else None
        indented = following is not None and following.line.box.left > row.line.box.left + 0.03
        body = following is not None and len(following.tight) >= 8 and not is_organ(following.tight)
        if looks_addressed(text) and body and (indented or ends):
            value = join(*(one.raw for one in block)).rstrip(":：;；,，.、。 ")
            found.append(
                evidence("recipients", value, block, rule="recipients.place", certainty=0.75,
                         doubt=("repaired",))
            )  # fmt: skip
            return split_recipients(value), row.index + 1
    return None


def split_recipients(value: str) -> tuple[str, ...]:
    """Addressees apart: by ，always, by 、 only where every part is an organ or a person of its own."""
    found: list[str] = []
    for group in re.split(r"[，,；;](?![^()（）]{0,40}[)）])", value):
        parts = [part for part in re.split(r"、(?![^()（）]{0,40}[)）])", group) if part]
        whole = all(is_organ(part) or re.search(r"(?:同志|先生|女士|各单位|各部门)$", part) for part in parts)
        found += parts if whole and len(parts) > 1 else [group.strip()]
    return tuple(part for part in found if part)
