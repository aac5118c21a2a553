"""发文字号: regular numbers, also damaged; orders, announcements, minutes, company numbers.

Regular: 机关代字 + 〔year〕 + sequence + 号, no 第, no leading zeros (GB/T 9704-2012 §7.2.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..common.letters import squeezed
from ..models.fields import FieldEvidence
from .fields_text import DIGIT, Row, cells, digits, evidence, tokens

_LEFT, _RIGHT = r"[〔\[(【「{﹝〈<《『\u3014]", r"[〕\])】」}﹞〉>》』\u3015]"
_BROKEN = r"[1lI|丨]"
_WHOLE = 0.8
"""Certainty of what by its form alone is a number."""
_NUMBER_LABEL = frozenset(
    {"发文字号", "公文编号", "文件编号", "发文编号", "合同编号", "编号", "文号", "字号", "部门号"}
)
_PREFIX = re.compile(
    r"^(?:发文字号|发文文号|文件编号|公文编号|发文编号|发文号|合同编号|文号|字号|编号|部门号)[:：]?"
)
_NUMBER = re.compile(
    rf"(?P<code>[\u4e00-\u9fffA-Za-z×○〇]{{1,20}}?)"
    rf"(?:{_LEFT}{{1,2}}(?P<y1>{DIGIT}{{4}})年?(?:{_RIGHT}{{1,2}}|{_BROKEN})|{_BROKEN}(?P<y2>{DIGIT}{{4}}){_RIGHT})"
    rf"(?:字?第)?[-—]?(?P<seq>{DIGIT}{{1,6}})(?P<hao>[号弓另兮號])"
)
_HALF = re.compile(
    rf"(?P<code>[\u4e00-\u9fff]{{2,12}}?)"
    rf"(?:{_LEFT}(?P<y1>(?:19|20)\d{{2}})|(?P<y2>(?:19|20)\d{{2}}){_RIGHT}|(?P<y3>(?:19|20)\d{{2}})(?=\D|\d{{1,3}}号))"
    rf"第?(?P<seq>\d{{1,4}})[号弓另兮號]"
)
_NO_HAO = re.compile(
    rf"(?P<code>[\u4e00-\u9fffA-Za-z]{{1,16}}?){_LEFT}(?P<y1>(?:19|20)\d{{2}}){_RIGHT}第?(?P<seq>\d{{1,5}})"
)
_MINUTES = re.compile(rf"^{_LEFT}(?P<y>{DIGIT}{{4}}){_RIGHT}第?(?P<seq>{DIGIT}{{1,5}})[号期次]$")
_YEAR_FIRST = re.compile(
    rf"^{_LEFT}(?P<y>(?:19|20)\d{{2}}){_RIGHT}(?P<code>[\u4e00-\u9fffA-Za-z0-9]{{1,14}}?字?)第?(?P<seq>\d{{1,6}})号$"
)
_ORDER = re.compile(
    r"^(?P<code>[\u4e00-\u9fff]{0,24}令?)[(]?第(?P<seq>\d{1,5}|[零一二三四五六七八九十百〇]{1,7})号[)]?$"
)
_ANNOUNCE = re.compile(r"^[(]?(?P<y>(?:19|20)\d{2})年第(?P<seq>\d{1,4}|[一二三四五六七八九十]{1,4})号[)]?$")
_ISSUE = re.compile(
    r"^[(]?(?:(?:19|20)\d{2}年(?:度)?)?第(?P<seq>\d{1,4}|[一二三四五六七八九十百]{1,5})[期次][)]?(?:[(]?总第?\d+期[)]?)?$"
)
_COMPANY_NUMBER = re.compile(r"^[A-Za-z]{1,10}\d{0,4}(?:[-—/_][A-Za-z0-9]{1,12}){1,5}(?:号)?$")
_STANDARD = re.compile(r"^(?:GB|DB|ISO|IEC|QB|JB|YY|WS|GA|BMB|Q)[-/T\d]", re.IGNORECASE)
_SIGNER = re.compile(r"(?:签[发友][人入]|[鉴筌]发人|签发)[:：;.]?.*$")
_BEHIND = re.compile(r"(?<=号)[\u4e00-\u9fff]{1,6}?机(?:发|字)?第?\d{1,6}号?$")
"""机号 of a telegram in the row of its 部门号."""
_AHEAD = re.compile(
    r"^(?:\d{6})?(?:(?:等级|紧急程度|缓急)[:：]?(?=[特加平急]))?(?:(?:绝密|机密|秘密)★?(?:\d+[年月]|\d+个月|长期)?)?(?:特急|加急|特提|平急|急件)?(?:[·・]?(?:明电|密电))?"
)


@dataclass(frozen=True, slots=True)
class NumberRead:
    """A number as a register writes it. `year` is the number's own, where it has one."""

    value: str
    year: int | None
    rule: str
    certainty: float
    repaired: bool = False
    doubt: tuple[str, ...] = ()


def read_number(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> NumberRead | None:
    """The number in the head; other readings of other rows are its alternatives."""
    reads: list[tuple[Row, NumberRead]] = []
    for row in head:
        if used.get(row.index) in ("serial", "mark") or len(row.tight) > 80:
            continue
        if read := max(_row_numbers(row), key=lambda one: one.certainty, default=None):
            reads.append((row, read))
    if not reads:
        return None
    row, read = max(reads, key=lambda one: one[1].certainty)
    if read.rule != "number.inside":
        used[row.index] = "number"
    doubt = (*(("repaired",) if read.repaired else ()), *read.doubt)
    found.append(
        evidence(
            "doc_number", read.value, [row], rule=read.rule, certainty=read.certainty, doubt=doubt,
            alternatives=[other.value for _, other in sorted(reads, key=lambda one: -one[1].certainty)],
        )
    )  # fmt: skip
    return read


def _row_numbers(row: Row) -> Iterator[NumberRead]:
    labels = cells(row)
    for label, value in labels:
        if label not in _NUMBER_LABEL:
            continue
        if whole := _NUMBER.fullmatch(value):
            if read := _regular(whole, "number.label", 0.99):
                yield read
        elif inside := _NUMBER.match(value):
            if read := _regular(inside, "number.label", 0.95):
                yield read
        elif 3 <= len(value) <= 30 and re.search(r"\d", value) and not re.search(r"[,。:]", value):
            yield NumberRead(value, _year_in(value), "number.label", 0.9 if len(labels) == 1 else 0.85)
    parted = False
    for token in tokens(row):
        text = squeezed(token)
        cell = _NUMBER.fullmatch(text)
        if cell and token.strip() != row.raw.strip() and (read := _regular(cell, "number.cell", 0.95)):
            parted = parted or len(re.split(r"\s{2,}", row.raw.strip())) > 1
            yield read
    if parted:
        # what stands apart from the number is no part of its code
        return
    if labels and not _SIGNER.search(row.tight):
        return
    yield from _line_numbers(row.tight)


def _line_numbers(tight: str) -> Iterator[NumberRead]:
    text = _BEHIND.sub("", _AHEAD.sub("", _PREFIX.sub("", _SIGNER.sub("", tight))))
    framed = re.fullmatch(r"[(](.+)[)]", text)
    inner = framed.group(1) if framed else text
    whole = _NUMBER.fullmatch(inner)
    if whole and (read := _regular(whole, "number.line", 0.9 if framed else 0.99)):
        yield read
        return
    if minutes := _MINUTES.fullmatch(text) or _MINUTES.fullmatch(inner):
        year = digits(minutes["y"])
        value = f"〔{year}〕{int(digits(minutes['seq']))}{text.rstrip(')')[-1]}"
        yield NumberRead(value, int(year), "number.minutes", 0.9)
    elif first := _YEAR_FIRST.fullmatch(text):
        tail = text[first.start("code") :]
        yield NumberRead(f"〔{first['y']}〕{tail}", int(first["y"]), "number.year_first", 0.85)
    elif (order := _ORDER.fullmatch(text)) and not re.search(r"[章条款项届]", text):
        yield NumberRead(f"{order['code']}第{order['seq']}号", None, "number.order", 0.88)
    elif announce := _ANNOUNCE.fullmatch(text):
        yield NumberRead(text.strip("()"), int(announce["y"]), "number.announcement", 0.88)
    elif _ISSUE.fullmatch(text):
        yield NumberRead(text.strip("()") if text.count("(") < 2 else text, None, "number.issue", 0.8)
    elif _COMPANY_NUMBER.fullmatch(text) and re.search(r"\d{2}", text) and not _STANDARD.match(text):
        yield NumberRead(text, _year_in(text), "number.company", 0.7)
    elif half := _HALF.fullmatch(inner) or _NO_HAO.fullmatch(inner):
        groups = half.groupdict()
        year = groups.get("y1") or groups.get("y2") or groups["y3"]
        if int(half["seq"]) and not re.search(r"[年月日第]", half["code"]):
            value = f"{half['code']}〔{year}〕{int(half['seq'])}号"
            yield NumberRead(value, int(year), "number.half", 0.6, repaired=True)
    inside = _NUMBER.search(text)
    short = len(text) <= 45 and not re.search(r"[《》,。]|关于", text)
    if inside and short and (read := _regular(inside, "number.inside", 0.7)):
        yield read


def _regular(found: re.Match[str], rule: str, certainty: float) -> NumberRead | None:
    year, sequence = digits(found["y1"] or found["y2"]), digits(found["seq"])
    if not year.isdigit() or not sequence.isdigit():
        return None
    plain = re.fullmatch(r".+[〔\[(【]\d{4}[〕\])】](?:字?第)?\d{1,6}号", found.group(0)) is not None
    in_range = 1949 <= int(year) <= 2099 and 0 < int(sequence) <= 99999
    doubt = () if in_range else ("number_out_of_range",)
    value = f"{found['code']}〔{year}〕{int(sequence)}号"
    lowered = certainty - 0.24 * (not plain) - 0.3 * (not in_range)
    return NumberRead(value, int(year) if in_range else None, rule, lowered, not plain, doubt)


def _year_in(text: str) -> int | None:
    found = re.search(r"(?<!\d)((?:19|20)\d{2})(?!\d)", text)
    return int(found.group(1)) if found else None


def is_number(text: str) -> bool:
    """Whether a tight line is a number and nothing else but what stands beside one: label, serial, mark, signer."""
    return any(read.certainty >= _WHOLE and read.rule != "number.inside" for read in _line_numbers(text))


def has_number(text: str) -> bool:
    """Whether a tight line holds a regular number and hardly anything else."""
    return len(text) < 40 and bool(_NUMBER.search(text))
