"""The head of page 1: serial, mark, urgency, letterhead, number, signer, title, addressees.

Place is a hint, patterns are evidence: company papers imitate GB/T 9704 loosely, and the text of a
DOCX has hardly any geometry. The head ends where the body begins; a mark below that line is never taken for the paper's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..models.fields import FieldEvidence
from ..models.mark import Mark
from .fields_text import DIGIT, KIND_END, OTHER_END, Row, digits, evidence, find_date, is_organ, join
from .mark_grammar import MarkReading, print_mark, read_mark, read_term

HEAD_ROWS = 40
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
_SERIAL = re.compile(rf"^(?:No[.:]?|№|份号[:：]?|№[:：])?(?P<copy>{DIGIT}{{6}})$")
_URGENCY = re.compile(r"^(?:紧急程度|缓急|等级|急缓程度)?[:：]?(?P<u>特提|特急|加急|平急|急件)$")
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
_TITLE_LABEL = re.compile(r"^(?:标题|主题|题目|事由|文件名称|文件标题|名称)[:：](?P<title>.{2,})$")
_HEADING = re.compile(r"^(?:一、|第一[章条]|[(]一[)]|1[.、]\D|目录$|摘要[:：])")
_NOT_ADDRESSEE = re.compile(
    r"^(?:签发人|联系人|附件|抄送|抄报|主题词|密级|紧急程度|发往|编号|日期|时间|地点|主持|出席|列席|请假|缺席|参加|记录|甲方|乙方|"
    r"部门|姓名|说明|备注|标题|主题|事由|注|会议)|(?:如下|以下|以下几点|规定|要求|通知如下|决定|强调|指出|认为|议定|主要是)$|[。;!]"
)
_LETTERHEAD = re.compile(r"^.{2,60}(?:文件|[(].{1,16}[)])$")


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


@dataclass(frozen=True, slots=True)
class _Number:
    value: str
    year: int | None
    rule: str
    certainty: float
    repaired: bool = False


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
    number = _number(head, used, found)
    signers = _signers(head, used, found)
    declassified = any(row.tight in ("解密", "已解密", "★解密") for row in head)
    used.update({row.index: "stamp" for row in head if row.tight in ("解密", "已解密", "★解密")})
    used.update({row.index: "label" for row in head if _TELEGRAM.match(row.tight) and row.index not in used})
    title_rows, letterhead, rule = _title_rows(head, used)
    title = None
    if title_rows:
        title = _title_text(title_rows)
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


def kind_of(title: str | None, letterhead: tuple[Row, ...]) -> str | None:
    """文种 from the end of the title, else from the letterhead (纪要, 令, 简报)."""
    texts = [title.replace(" ", "")] if title else []
    texts += [row.tight for row in letterhead]
    for text in texts:
        plain = re.sub(r"[）)]$", ")", text.replace("（", "(").replace("）", ")"))
        found = KIND_END.search(plain)
        other = OTHER_END.search(plain)
        if found and other and len(other["kind"]) > len(found["kind"]) and found["kind"] == "报告":
            return "报告"
        if found:
            return "命令" if found["kind"] == "命令" else found["kind"]
        if other:
            return other["kind"]
    return None


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
        if long and not KIND_END.search(text) and not _has_number(text) and read_mark(text) is None:
            return row.index
        if len(text) >= 12 and text.endswith(("。", "如下:", "如下")):
            return row.index
    return min(len(rows), HEAD_ROWS)


def _has_number(text: str) -> bool:
    return bool(_NUMBER.search(text)) and len(text) < 30


def is_addressee(text: str) -> bool:
    """Whether a tight line can close the 主送机关 (ends with a colon and is no label or lead-in)."""
    return text.endswith(":") and 3 <= len(text) <= 160 and not _NOT_ADDRESSEE.search(text[:-1])


def _tokens(row: Row) -> list[str]:
    """The row as a whole, then its parts between blanks, then without the parts in front of it."""
    parts = re.split(r"\s{2,}|\t|\u3000+", row.raw.strip())
    return [part for part in parts if part.strip()] if len(parts) > 1 else row.text.split(" ")


def _serials(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> tuple[str, ...]:
    for row in head[:12]:
        whole = _SERIAL.match(row.tight)
        # 份号 and mark often come as one line: the six digits then stand in front
        part = whole or next((m for m in map(_SERIAL.match, _tokens(row)[:1]) if m), None)
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
    if not candidates:
        return None
    secret = [one for one in candidates if one[0].mark.level.family.value != "public"] or candidates
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
    title_before = any(used.get(i) == "title" for i in range(rows[0].index))
    bare = not chosen.mark.star and chosen.mark.period is None and chosen.mark.level.family.value == "state"
    certainty = 0.99 - 0.15 * len([code for code in doubt if code != "traditional"])
    if "level_unreadable" in doubt:
        certainty = 0.4
    if bare or title_before:
        certainty -= 0.15
    found.append(
        evidence("mark", print_mark(chosen.mark), rows, rule="mark.head", certainty=certainty, doubt=doubt)
    )
    return MarkReading(chosen.mark, doubt)


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
    parts = _tokens(row)
    for start in range(len(parts)):
        for end in range(len(parts), start, -1):
            if end - start > 4 or (start, end) == (0, len(parts)):
                continue
            reading = read_mark("".join(parts[start:end]))
            if reading and (
                reading.mark.star or (reading.mark.period and reading.mark.level.family.value != "internal")
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
            part = next((m for m in map(_URGENCY.match, _tokens(row)) if m), None)
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


def _number(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> _Number | None:
    best: tuple[float, Row, _Number] | None = None
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


def _row_number(row: Row) -> _Number | None:
    text = _SIGNER.sub("", row.tight)
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
        return _Number(value, year, "number.line", 0.75 if repaired else 0.9 if framed else 0.99, repaired)
    if minutes := _MINUTES.fullmatch(text):
        year_text = digits(minutes["y"])
        return _Number(
            f"〔{year_text}〕{int(digits(minutes['seq']))}号", int(year_text), "number.minutes", 0.9
        )
    if order := _ORDER.fullmatch(text):
        value = f"{order['code']}第{order['seq']}号"
        return None if re.search(r"[章条]", text) else _Number(value, None, "number.order", 0.88)
    if announce := _ANNOUNCE.fullmatch(text):
        return _Number(text.strip("()"), int(announce["y"]), "number.announcement", 0.88)
    if _ISSUE.fullmatch(text):
        return _Number(text.strip("()") if text.count("(") < 2 else text, None, "number.issue", 0.8)
    if labelled and 3 <= len(text) <= 30:
        return _Number(text, None, "number.label", 0.9)
    if _COMPANY_NUMBER.fullmatch(text) and re.search(r"\d{2}", text):
        return _Number(text, None, "number.company", 0.7)
    inside = _NUMBER.search(text)
    if inside and len(text) <= 45 and not re.search(r"[《》,。]|关于", text) and (read := _regular(inside)):
        value, year, repaired = read
        return _Number(value, year, "number.inside", 0.5 if repaired else 0.7, repaired)
    return None


def _regular(found: re.Match[str]) -> tuple[str, int, bool] | None:
    year, sequence = digits(found["y1"] or found["y2"]), digits(found["seq"])
    if not year.isdigit() or not 1949 <= int(year) <= 2099 or not sequence.isdigit() or int(sequence) == 0:
        return None
    value = f"{found['code']}〔{year}〕{int(sequence)}号"
    text = found.group(0)
    plain = re.fullmatch(r".+[〔\[(](?:19|20)\d{2}[〕\])]第?\d{1,5}号", text) is not None
    return value, int(year), not plain


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


def _title_rows(head: tuple[Row, ...], used: dict[int, str]) -> tuple[list[Row], tuple[Row, ...], str]:
    """The title's rows, the letterhead's rows, and the rule that found the title."""
    for row in head:
        labelled = _TITLE_LABEL.match(row.tight)
        if labelled and len(labelled["title"]) >= 4:
            return [row], tuple(_letterhead(head, used, row.index)), "title.label"
    free = [row for row in head if row.index not in used and not _is_furniture(row)]
    letterhead = _letterhead(head, used, len(head))
    heads = {row.index for row in letterhead}
    runs: list[list[Row]] = []
    for row in free:
        if row.index in heads:
            continue
        if runs and runs[-1][-1].index == row.index - 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    scored = [(score, run, rule) for run in runs for score, run, rule in _title_candidates(run, used)]
    if scored:
        _, rows, rule = max(scored, key=lambda one: (one[0], -one[1][0].index))
        above = tuple(row for row in letterhead if row.index < rows[0].index or row.tight.endswith("文件"))
        return rows, above, rule
    if letterhead:
        with_kind = [row for row in letterhead if kind_of(row.tight, ())]
        return (with_kind or [letterhead[-1]])[:1], letterhead, "title.letterhead"
    return [], (), "title.none"


def _letterhead(head: tuple[Row, ...], used: dict[int, str], before: int) -> tuple[Row, ...]:
    number = next((index for index, use in used.items() if use == "number"), None)
    found: list[Row] = []
    for row in head[:before]:
        if row.index in used or re.search("关于|转发|印发|批转", row.tight) or len(row.tight) > 40:
            continue
        # reprints without letterhead put the number under the title, whose first line may be the organ
        above_number = (
            number is not None and row.index < number and not _title_between(head, row.index, number)
        )
        plain = re.sub(r"文件$", "", row.tight)
        if (
            (row.tight.endswith("文件") and len(row.tight) > 4)
            or row.tight == "文件"
            or (row.line.colour == "red" and row.index <= 8 and not find_date(row.tight))
            or (
                above_number
                and (is_organ(plain) or re.search(r"(?:纪要|简报|令|命令|电报|快报|专报|内参)$", plain))
            )
            or (above_number is False and number is None and row.index <= 2 and is_organ(plain))
        ):
            found.append(row)
    return tuple(found)


def _title_between(head: tuple[Row, ...], start: int, number: int) -> bool:
    between = [row.tight for row in head if start < row.index < number]
    return any("关于" in text or KIND_END.search(text) for text in between)


def _is_furniture(row: Row) -> bool:
    text = row.tight
    dated = find_date(text)
    if dated and len(text) - (dated[1][1] - dated[1][0]) <= 24 and not KIND_END.search(text):
        return True
    return bool(
        re.fullmatch(r"[\W_\dA-Za-z]{0,12}", text)
        or re.match(r"^[(].*(?:通过|此件|会议|批准|修订).*[)]$", text)
        or text in ("文件", "样张", "(盖章)", "(印章)")
        or re.match(
            r"^(?:共印|(?:抄送|主题词|页数|发文机关|发文单位|发文部门|拟稿|签发|核稿|日期|部门)[:：])", text
        )
    )


def _title_candidates(run: list[Row], used: dict[int, str]) -> list[tuple[float, list[Row], str]]:
    number = next((index for index, use in used.items() if use == "number"), None)
    sizes = [row.line.size_mm or 0.0 for row in run]
    found: list[tuple[float, list[Row], str]] = []
    for start in range(min(len(run), 6)):
        for end in range(start + 1, min(len(run), start + 7) + 1):
            rows = run[start:end]
            text = "".join(row.tight for row in rows)
            if not 4 <= len(text) <= 220 or re.search(r"[。;!?]", text):
                continue
            about, kind, other = (
                "关于" in text or "美于" in text or "关干" in text,
                KIND_END.search(text),
                OTHER_END.search(text),
            )
            score = 3.0 * about + 3.0 * bool(kind) + (2.0 * bool(other) if not kind else 0.0)
            if score == 0 and (start, end) != (0, len(run)):
                continue
            if text.count("《") != text.count("》") or text.count("“") != text.count("”"):
                score -= 2.0
            if text.count("关于") and rows[0].tight.startswith(("的", "》", "、")):
                score -= 3.0
            score += 0.05 * len(text) / 10 - 0.02 * start
            score -= 1.0 if any(mark in text for mark in ",:") else 0.0
            if number is not None:
                score += 0.5 if abs(rows[0].index - number) == 1 or rows[-1].index == number - 1 else 0.0
            if max(sizes) > 0 and min(row.line.size_mm or 0.0 for row in rows) >= 0.9 * max(sizes):
                score += 0.5
            rule = "title.kind" if kind or other else "title.about" if about else "title.place"
            found.append((score, rows, rule))
    return found


def _title_text(rows: list[Row]) -> str:
    text = join(*(row.raw for row in rows))
    labelled = re.match(r"^(?:标题|主题|题目|事由|文件名称|文件标题|名称)\s*[:：]\s*(.{2,})$", text)
    text = labelled.group(1) if labelled else text
    return re.sub(r"^[美]于", "关于", re.sub(r"关[干丁](?=[\u4e00-\u9fff]{2,}的)", "关于", text))


def _recipients(
    rows: tuple[Row, ...], after: int, used: dict[int, str], found: list[FieldEvidence]
) -> tuple[tuple[str, ...], int]:
    block: list[Row] = []
    for row in rows[after : after + 12]:
        if row.index in used or (not block and _is_furniture(row)):
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
