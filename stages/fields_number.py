"""发文字号: regular numbers, also damaged; orders, announcements, minutes, company numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..models.fields import FieldEvidence
from .fields_text import DIGIT, Row, digits, evidence, tokens

_LEFT, _RIGHT = r"[〔\[(【「{﹝〈<『]", r"[〕\])】」}﹞〉>』]"
_BROKEN = r"[1lI|丨]"
_PREFIX = re.compile(r"^(?:发文字号|发文文号|文件编号|公文编号|发文编号|发文号|文号|字号|编号|部门号)[:：]?")
_NUMBER = re.compile(
    rf"(?P<code>[\u4e00-\u9fffA-Za-z×○〇]{{1,20}}?)"
    rf"(?:{_LEFT}{{1,2}}(?P<y1>{DIGIT}{{4}})(?:{_RIGHT}{{1,2}}|{_BROKEN})|{_BROKEN}(?P<y2>{DIGIT}{{4}}){_RIGHT})"
    rf"第?(?P<seq>{DIGIT}{{1,5}})(?P<hao>[号弓另兮號])"
)
_MINUTES = re.compile(rf"^{_LEFT}(?P<y>{DIGIT}{{4}}){_RIGHT}第?(?P<seq>{DIGIT}{{1,5}})号$")
_ORDER = re.compile(
    r"^(?P<code>[\u4e00-\u9fff]{0,24}令?)[(]?第(?P<seq>\d{1,5}|[零一二三四五六七八九十百〇]{1,7})号[)]?$"
)
_ANNOUNCE = re.compile(r"^[(]?(?P<y>(?:19|20)\d{2})年第(?P<seq>\d{1,4}|[一二三四五六七八九十]{1,4})号[)]?$")
_ISSUE = re.compile(
    r"^[(]?(?:(?:19|20)\d{2}年)?第(?P<seq>\d{1,4}|[一二三四五六七八九十百]{1,5})[期次][)]?(?:[(]总第\d+期[)])?$"
)
_COMPANY_NUMBER = re.compile(r"^[A-Za-z]{1,10}(?:[-—/_][A-Za-z0-9]{1,12}){1,5}(?:号)?$")
_SIGNER = re.compile(r"(?:签[发友]人|鉴发人)[:：;.]?.*$")


@dataclass(frozen=True, slots=True)
class NumberRead:
    value: str
    year: int | None
    rule: str
    certainty: float
    repaired: bool = False


def read_number(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> NumberRead | None:
    best: tuple[float, Row, NumberRead] | None = None
    for row in head:
        if used.get(row.index) in ("serial", "mark") or len(row.tight) > 60:
            continue
        read = _row_number(row)
        if read and (best is None or read.certainty > best[0]):
            best = (read.certainty, row, read)
    if best is None:
        return None
    _, row, read = best
    if read.rule != "number.inside":
        used[row.index] = "number"
    doubt = ("repaired",) if read.repaired else ()
    found.append(
        evidence("doc_number", read.value, [row], rule=read.rule, certainty=read.certainty, doubt=doubt)
    )
    return read


def _row_number(row: Row) -> NumberRead | None:
    text = _SIGNER.sub("", row.tight)
    for token in tokens(row):
        cell = _NUMBER.fullmatch(re.sub(r"\s", "", unicodedata.normalize("NFKC", token)))
        if cell and token.strip() != row.raw.strip() and (read := _regular(cell)):
            return NumberRead(read[0], read[1], "number.cell", 0.75 if read[2] else 0.95, read[2])
    labelled = _PREFIX.match(text)
    text = _PREFIX.sub("", text)
    text = re.sub(
        r"^(?:\d{6})?(?:(?:绝密|机密|秘密)★?(?:\d+[年月]|长期)?)?(?:特急|加急|特提|平急)?(?:[·・]?(?:明电|密电))?",
        "",
        text,
    )
    framed = re.fullmatch(r"[(](.+)[)]", text)
    inner = framed.group(1) if framed else text
    whole = _NUMBER.fullmatch(inner)
    if whole and (read := _regular(whole)):
        value, year, repaired = read
        return NumberRead(value, year, "number.line", 0.75 if repaired else 0.9 if framed else 0.99, repaired)
    if minutes := _MINUTES.fullmatch(text):
        year_text = digits(minutes["y"])
        return NumberRead(
            f"〔{year_text}〕{int(digits(minutes['seq']))}号", int(year_text), "number.minutes", 0.9
        )
    if order := _ORDER.fullmatch(text):
        value = f"{order['code']}第{order['seq']}号"
        return None if re.search(r"[章条]", text) else NumberRead(value, None, "number.order", 0.88)
    if announce := _ANNOUNCE.fullmatch(text):
        return NumberRead(text.strip("()"), int(announce["y"]), "number.announcement", 0.88)
    if _ISSUE.fullmatch(text):
        return NumberRead(text.strip("()") if text.count("(") < 2 else text, None, "number.issue", 0.8)
    if labelled and 3 <= len(text) <= 30:
        return NumberRead(text, None, "number.label", 0.9)
    if _COMPANY_NUMBER.fullmatch(text) and re.search(r"\d{2}", text):
        return NumberRead(text, None, "number.company", 0.7)
    inside = _NUMBER.search(text)
    if inside and len(text) <= 45 and not re.search(r"[《》,。]|关于", text) and (read := _regular(inside)):
        value, year, repaired = read
        return NumberRead(value, year, "number.inside", 0.5 if repaired else 0.7, repaired)
    return None


def _regular(found: re.Match[str]) -> tuple[str, int, bool] | None:
    year, sequence = digits(found["y1"] or found["y2"]), digits(found["seq"])
    if not year.isdigit() or not 1949 <= int(year) <= 2099 or not sequence.isdigit() or int(sequence) == 0:
        return None
    value = f"{found['code']}〔{year}〕{int(sequence)}号"
    text = found.group(0)
    plain = re.fullmatch(r".+[〔\[(](?:19|20)\d{2}[〕\])]第?\d{1,5}号", text) is not None
    return value, int(year), not plain


def has_number(text: str) -> bool:
    return bool(_NUMBER.search(text)) and len(text) < 30
