"""The head of page 1: serial, mark, urgency, letterhead, number, signer, title, addressees.

Place is a hint, patterns are evidence: company papers imitate GB/T 9704 loosely, and the text of a
DOCX has hardly any geometry. The head ends where the body begins; a mark below that line is never taken
for the paper's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..models.fields import FieldEvidence
from ..models.level import Family
from ..models.mark import Mark
from .fields_number import has_number, read_number
from .fields_text import DIGIT, KIND_END, Row, digits, evidence, is_organ, join, tight, tokens
from .fields_title import is_furniture, kind_of, title_rows_of, title_text
from .mark_grammar import MarkReading, print_mark, read_mark, read_term

HEAD_ROWS = 40
BARE_ROWS = 6
"""A bare level word further down is a cell of a table, not a mark."""
_SERIAL = re.compile(rf"^(?:No[.:]?|№|份号[:：]?|№[:：])?(?P<copy>{DIGIT}{{6}})$")
_URGENCY = re.compile(
    r"^(?:紧急程度|缓急|等级|急缓程度)?[:：]?(?P<u>特提|特急|加急|平急|急件)(?:[·・.]?(?:明电|密电))?$"
)
_URGENCY_DAMAGED = {
    "特意": "特急",
    "特怠": "特急",
    "持急": "特急",
    "侍急": "特急",
    "加意": "加急",
    "加怠": "加急",
    "特堤": "特提",
}
_SIGNER = re.compile(r"(?:签[发友]人|鉴发人)[:：;.]?(?P<names>.*)$")
_SIGNER_NAME = re.compile(r"[\u4e00-\u9fff·]{2,6}")
_TELEGRAM = re.compile(r"^(?:发往|签批|签批盖章|等级|发电单位|收电单位|密级|机号|批办|页数|共\d+页)")
_HEADING = re.compile(r"^(?:一、|第一[章条]|[(]一[)]|1[.、]\D|目录$|摘要[:：])")
_NOT_ADDRESSEE = re.compile(
    r"^(?:签发人|联系人|附件|抄送|抄报|主题词|密级|紧急程度|发往|编号|日期|时间|地点|主持|出席|列席|请假|缺席|参加|记录|甲方|乙方|"
    r"部门|姓名|说明|备注|标题|主题|事由|注|会议)|(?:如下|以下|以下几点|规定|要求|通知如下|决定|强调|指出|认为|议定|主要是)$|[。;!]"
)


@dataclass(frozen=True, slots=True)
class Head:
    """What the head gave, the rows it used, and where the body begins (index into the rows)."""

    serials: tuple[str, ...]
    mark: MarkReading | None
    attachment_mark: MarkReading | None
    declassified: bool
    urgency: str | None
    number: str | None
    number_year: int | None
    signers: tuple[str, ...]
    letterhead: tuple[Row, ...]
    title: str | None
    kind: str | None
    recipients: tuple[str, ...]
    evidence: tuple[FieldEvidence, ...]
    body: int


def read_head(rows: tuple[Row, ...]) -> Head:
    """Reads the head of a paper from its rows (see `fields_text.rows_of`)."""
    first = rows[0].page if rows else 1
    body = _body_start(rows, first)
    head = rows[:body]
    used: dict[int, str] = {}
    found: list[FieldEvidence] = []
    serials = _serials(head, used, found)
    mark = _mark(head, used, found)
    urgency = _urgency(head, used, found)
    number = read_number(head, used, found)
    signers = _signers(head, used, found)
    declassified = any(row.tight in ("解密", "已解密", "★解密") for row in head)
    used.update({row.index: "stamp" for row in head if row.tight in ("解密", "已解密", "★解密")})
    used.update({row.index: "label" for row in head if _TELEGRAM.match(row.tight) and row.index not in used})
    title_rows, letterhead, rule = title_rows_of(head, used)
    title = None
    if title_rows:
        title = title_text(title_rows)
        certainty = {"title.kind": 0.98, "title.label": 0.98, "title.about": 0.85}.get(rule, 0.6)
        found.append(evidence("title", title, title_rows, rule=rule, certainty=certainty))
    kind = kind_of(title, letterhead)
    if kind and title_rows:
        found.append(evidence("kind", kind, title_rows[-1:], rule="kind.title", certainty=0.95))
    after = title_rows[-1].index + 1 if title_rows else 0
    recipients, end = _recipients(rows, after, used, found)
    attachment_mark = _attachment_mark(rows, body, found)
    return Head(
        serials=serials,
        mark=mark,
        attachment_mark=attachment_mark,
        declassified=declassified,
        urgency=urgency,
        number=number.value if number else None,
        number_year=number.year if number else None,
        signers=signers,
        letterhead=letterhead,
        title=title,
        kind=kind,
        recipients=recipients,
        evidence=tuple(found),
        body=max(body, end),
    )


def _body_start(rows: tuple[Row, ...], first: int) -> int:
    for row in rows[:HEAD_ROWS]:
        text = row.tight
        if row.page != first:
            return row.index
        if row.index == 0:
            continue
        if _HEADING.match(text) or (re.match(r"^附件\d{0,2}$", text) and row.index > 3):
            return row.index
        if is_addressee(text):
            return row.index
        long = len(text) >= 20 and re.search(r"[,。;!?]", text)
        if long and not KIND_END.search(text) and not has_number(text) and read_mark(text) is None:
            return row.index
        if len(text) >= 12 and text.endswith(("。", "如下:", "如下")):
            return row.index
    return min(len(rows), HEAD_ROWS)


def is_addressee(text: str) -> bool:
    """Whether a tight line can close the 主送机关 (ends with a colon and is no label or lead-in)."""
    return text.endswith(":") and 3 <= len(text) <= 160 and not _NOT_ADDRESSEE.search(text[:-1])


def _serials(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> tuple[str, ...]:
    for row in head[:12]:
        whole = _SERIAL.match(row.tight)
        # 份号 and mark often come as one line: the six digits then stand in front
        part = whole or next((m for m in map(_SERIAL.match, tokens(row)[:1]) if m), None)
        if part is None:
            lead = re.match(r"^(?:No\.?|№|份号[:：]?)?(?P<copy>\d{6})(?=绝|机|秘|特|加)", row.tight)
            part = lead
        if part is None:
            continue
        value = digits(part["copy"])
        if sum(c.isdigit() for c in part["copy"]) < 4 or not value.isdigit():
            continue
        repaired = value != part["copy"]
        if whole:
            used[row.index] = "serial"
        found.append(
            evidence(
                "serial",
                value,
                [row],
                rule="serial",
                certainty=0.7 if repaired else 0.98,
                doubt=("repaired",) if repaired else (),
            )
        )
        return (value,)
    return ()


def _mark(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> MarkReading | None:
    candidates: list[tuple[MarkReading, list[Row]]] = []
    for position, row in enumerate(head):
        if row.index in used:
            continue
        reading, whole = _row_mark(row)
        if reading is None:
            continue
        if _is_bare(reading) and position > BARE_ROWS:
            continue
        rows = [row]
        if reading.mark.period is None and position + 1 < len(head) and whole:
            after = head[position + 1]
            term = (
                read_term(re.sub(r"^保密期限[:：]?|^★", "", after.tight)) if after.index not in used else None
            )
            if term and term[0].kind != "condition":
                merged = Mark(
                    reading.mark.level, term[0], reading.mark.star, reading.mark.owner,
                    reading.mark.wording, f"{row.raw}\n{after.raw}",
                )  # fmt: skip
                reading = MarkReading(merged, reading.repairs + term[1])
                rows.append(after)
        candidates.append((reading, rows))
        if whole:
            used.update({one.index: "mark" for one in rows})
    bare_levels = {reading.mark.level for reading, _ in candidates if _is_bare(reading)}
    if len(bare_levels) > 2:
        candidates = [one for one in candidates if not _is_bare(one[0])]
    if not candidates:
        return None
    secret = [one for one in candidates if one[0].mark.level.family is not Family.PUBLIC] or candidates
    order = (
        "绝密",
        "机密",
        "秘密",
        "公司绝密",
        "核心商密",
        "公司机密",
        "普通商密",
        "公司秘密",
        "工作秘密",
        "内部",
        "公开",
    )
    chosen, rows = min(secret, key=lambda one: order.index(str(one[0].mark.level)))
    doubt = tuple(chosen.repairs)
    if len({(one[0].mark.level, one[0].mark.period) for one in secret}) > 1:
        doubt = (*doubt, "two_marks")
    bare = _is_bare(chosen)
    certainty = 0.99 - 0.15 * len([code for code in doubt if code != "traditional"])
    if "level_unreadable" in doubt:
        certainty = 0.4
    if bare:
        certainty -= 0.15
    found.append(
        evidence("mark", print_mark(chosen.mark), rows, rule="mark.head", certainty=certainty, doubt=doubt)
    )
    return MarkReading(chosen.mark, doubt)


def _is_bare(reading: MarkReading) -> bool:
    mark = reading.mark
    return mark.level.family is Family.STATE and not mark.star and mark.period is None


def _row_mark(row: Row) -> tuple[MarkReading | None, bool]:
    """A mark in a head row: the whole row, or a part of it beside 份号, urgency, or other cells."""
    whole = read_mark(row.text)
    if whole:
        return whole, True
    stripped = re.sub(r"^(?:No\.?|№|份号[:：]?)?\d{6}", "", row.tight)
    stripped = re.sub(
        r"^(?:紧急程度[:：]?)?(?:特急|加急|特提|平急|急件)|(?:紧急程度[:：]?)?(?:特急|加急|特提|平急|急件)$",
        "",
        stripped,
    )
    if stripped != row.tight and (reading := read_mark(stripped)):
        return reading, True
    parts = tokens(row)
    for start in range(len(parts)):
        for end in range(len(parts), start, -1):
            if end - start > 4 or (start, end) == (0, len(parts)):
                continue
            reading = read_mark("".join(parts[start:end]))
            if reading and (
                reading.mark.star
                or (reading.mark.period and reading.mark.level.family is not Family.INTERNAL)
            ):
                return reading, False
    cell = re.search(r"密级[:：]?(?P<mark>(?:绝密|机密|秘密).*)$", row.tight)
    if cell and (reading := read_mark(cell["mark"])):
        return reading, False
    return None, False


def _attachment_mark(rows: tuple[Row, ...], body: int, found: list[FieldEvidence]) -> MarkReading | None:
    """A starred mark right beside the `附件N` line on top of a later page (the whole paper then bears it)."""
    for row in rows[body:]:
        if not re.match(r"^附件\d{0,2}$", row.tight):
            continue
        for index in (row.index - 1, row.index + 1):
            near = rows[index] if 0 <= index < len(rows) else None
            reading = read_mark(near.text) if near and near.page == row.page else None
            if near and reading and reading.mark.star and not reading.repairs:
                found.append(
                    evidence("mark", print_mark(reading.mark), [near], rule="mark.attachment", certainty=0.7)
                )
                return reading
    return None


def _urgency(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> str | None:
    for row in head[:16]:
        whole = _URGENCY.match(row.tight)
        doubt: tuple[str, ...] = ()
        value = whole["u"] if whole else None
        if value is None:
            tail = re.search(
                r"(?:^|[年月期前后时\d★])(特提|特急|加急|平急)(?:$|[·・]?(?:明电|密电))", row.tight
            )
            part = next((m for m in map(_URGENCY.match, map(tight, tokens(row))) if m), None)
            value = tail[1] if tail and len(row.tight) < 40 else part["u"] if part else None
        if value is None and row.index < 6 and row.tight in _URGENCY_DAMAGED:
            value, doubt = _URGENCY_DAMAGED[row.tight], ("repaired",)
        if value:
            if whole or doubt:
                used[row.index] = "urgency"
            found.append(
                evidence(
                    "urgency", value, [row], rule="urgency", certainty=0.6 if doubt else 0.97, doubt=doubt
                )
            )
            return value
    return None


def _signers(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> tuple[str, ...]:
    for position, row in enumerate(head):
        label = _SIGNER.search(row.text.replace(" :", ":"))
        if not label:
            continue
        rows, names = [row], _names(label["names"])
        for after in head[position + 1 : position + (2 if names else 3)]:
            more = _names(after.text) if after.index not in used and after.line.box.left > 0.5 else ()
            if not names and not more and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", after.tight):
                more = (after.tight,)
            if more and len(after.tight) <= 12 and not re.search(r"关于|的", after.tight):
                names, rows = names + more, [*rows, after]
        if names:
            used.update({one.index: used.get(one.index, "signer") for one in rows})
            found.append(evidence("signer", "、".join(names), rows, rule="signer.label", certainty=0.95))
            return names
    return ()


def _names(text: str) -> tuple[str, ...]:
    parts = [part for part in re.split(r"[\s、,]+", text) if part]
    if len(parts) >= 2 and all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]
    merged: list[str] = []
    for part in parts:
        if merged and len(part) == 1 and len(merged[-1]) == 1:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(part for part in merged if _SIGNER_NAME.fullmatch(part))


def _recipients(
    rows: tuple[Row, ...], after: int, used: dict[int, str], found: list[FieldEvidence]
) -> tuple[tuple[str, ...], int]:
    block: list[Row] = []
    for row in rows[after : after + 12]:
        if row.index in used or (not block and is_furniture(row)):
            continue
        labelled = re.match(r"^(?:主送|发往|收电单位|主送机关)[:：](?P<to>.{2,})$", row.tight)
        if labelled and not block:
            value = labelled["to"].rstrip(":")
            found.append(evidence("recipients", value, [row], rule="recipients.label", certainty=0.95))
            return split_recipients(value), row.index + 1
        block.append(row)
        text = "".join(one.tight for one in block)
        if row.tight.endswith(":"):
            if len(text) > 1 and not _NOT_ADDRESSEE.search(text[:-1]):
                value = join(*(one.raw for one in block)).rstrip(":： ")
                found.append(evidence("recipients", value, block, rule="recipients.colon", certainty=0.97))
                return split_recipients(value), row.index + 1
            break
        if "。" in text or len(text) > 400 or _HEADING.match(row.tight):
            break
    return (), 0


def split_recipients(value: str) -> tuple[str, ...]:
    """Addressees apart: by ，always, by 、 only where every part is an organ or a person of its own."""
    found: list[str] = []
    for group in re.split(r"[，,；;]", value):
        parts = [part for part in group.split("、") if part]
        whole = all(is_organ(part) or re.search(r"(?:同志|先生|女士|各单位|各部门)$", part) for part in parts)
        found += parts if whole and len(parts) > 1 else [group.strip()]
    return tuple(part for part in found if part)
