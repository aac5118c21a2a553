"""The mark, the serials and the urgency of a head: at its left or right corner, alone or side by side."""

from __future__ import annotations

import re

from ..models.fields import FieldEvidence
from ..models.level import Family
from ..models.mark import Mark
from .fields_number import has_number
from .fields_text import DIGIT, Row, cells, digits, evidence, tight, tokens
from .mark_grammar import MarkReading, print_mark, read_mark, read_term

BARE_ROWS = 6
"""A bare level word further down is a cell of a table, not a mark."""
MOST_SERIALS = 500
"""A range of more copies than this is not taken apart."""
LEAST_DIGITS = 4
"""Of a serial's six characters so many must be digits as they were read."""
_SERIAL_LABEL = r"(?:No[.:]?|NO[.:]?|№[:.]?|份号[:：]?|编号[:：]?(?=\d{6}$))"
_SERIAL = re.compile(rf"^{_SERIAL_LABEL}?(?P<copy>{DIGIT}{{6}})(?:号)?$")
_SERIALS = re.compile(
    rf"^{_SERIAL_LABEL}?(?P<list>{DIGIT}{{6}}号?(?:(?:[-—–－~至到]{{1,2}}|[、,，;；/])(?:No[.:]?)?{DIGIT}{{2,6}}号?)+)$"
)
_LEADING = re.compile(rf"^{_SERIAL_LABEL}?(?P<copy>\d{{6}})(?=[绝机秘特加急平])")
_SHORT_SERIAL = re.compile(r"^份号[:：]?(?P<copy>\d{1,5})$")
_URGENCY = re.compile(
    r"^[\[【(〔]?(?:紧急程度|缓急|等级|急缓程度|缓急程度)?[:：]?(?P<u>特提|特急|加急|平急|急件)件?[\]】)〕]?(?:[·・.]?(?:明电|密电))?$"
)
_URGENCY_DAMAGED = {
    "特意": "特急", "特怠": "特急", "持急": "特急", "侍急": "特急", "待急": "特急", "加意": "加急", "加怠": "加急",
    "如急": "加急", "特堤": "特提", "持提": "特提", "乎急": "平急",
}  # fmt: skip
_OVERTAKING = frozenset("特") | {read[0] for read, meant in _URGENCY_DAMAGED.items() if meant[0] == "特"}
"""Letters that 特提 and 特急 begin with, as printed and as misread."""
_URGENCY_BESIDE = re.compile(
    r"(?:^|[年月期前后时\d★]|等级)(特提|特急|加急|平急|急件)(?:$|[·・]?(?:明电|密电))"
)
_LEVELS = (
    "绝密", "机密", "秘密", "公司绝密", "核心商密", "公司机密", "普通商密", "公司秘密", "工作秘密", "内部", "公开",
)  # fmt: skip


def read_serials(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> tuple[str, ...]:
    """来文份号: one, a list or a range; six digits each."""
    for row in head[:14]:
        if several := _SERIALS.match(row.tight):
            values, doubt = _several(several["list"])
            if values:
                used[row.index] = "serial"
                found.append(
                    evidence("serial", "、".join(values), [row], rule="serial.several",
                             certainty=0.9 - 0.2 * len(doubt), doubt=doubt)
                )  # fmt: skip
                return values
        whole = _SERIAL.match(row.tight)
        part = whole or next((m for m in map(_SERIAL.match, tokens(row)[:1]) if m), None)
        part = part or _LEADING.match(row.tight)
        short = _SHORT_SERIAL.match(row.tight) if part is None else None
        if part is None and short is None:
            continue
        text = part["copy"] if part else short["copy"] if short else ""
        value = digits(text).zfill(6)
        if part and (sum(c.isdigit() for c in text) < LEAST_DIGITS or not value.isdigit()):
            continue
        doubt = ("repaired",) if value != text else ()
        if int(value) == 0:
            doubt = (*doubt, "number_out_of_range")
        if whole or short:
            used[row.index] = "serial"
        found.append(
            evidence("serial", value, [row], rule="serial", certainty=0.98 - 0.28 * len(doubt), doubt=doubt)
        )
        return (value,)
    return ()


def is_serial(text: str) -> bool:
    """Whether a tight line is one serial and nothing else."""
    found = _SERIAL.match(text)
    return found is not None and sum(char.isdigit() for char in found["copy"]) >= LEAST_DIGITS


def is_urgency(text: str) -> bool:
    """Whether a tight line says how urgent the paper is and nothing else."""
    return _URGENCY.match(text) is not None


def is_secret_mark(text: str) -> bool:
    """Whether a tight line is a mark that is not one of openness, perhaps behind its serial."""
    reading = read_mark(_LEADING.sub("", text))
    return reading is not None and reading.mark.level.family is not Family.PUBLIC


def _several(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The serials of `000012-000016` or `000012、000013`, and what is doubtful about them."""
    values: list[str] = []
    doubt: list[str] = []
    plain = digits(text).replace("号", "")
    if plain != text.replace("号", ""):
        doubt.append("repaired")
    for part in re.split(r"[、,，;；/]", plain.replace("No.", "").replace("No", "")):
        ends = [end for end in re.split(r"[-—–－~至到]+", part) if end]
        if not ends or not all(end.isdigit() for end in ends) or len(ends) > 2:
            return (), ()
        # a short end names the last digits alone: 000012-16
        first = (values[-1][: 6 - len(ends[0])] if values and len(ends[0]) < 6 else "") + ends[0]
        first = first.zfill(6)
        last = first[: 6 - len(ends[-1])] + ends[-1] if len(ends) == 2 else first
        if int(last) < int(first) or int(last) - int(first) >= MOST_SERIALS or int(first) == 0:
            doubt.append("number_out_of_range")
            values += [first, last]
        else:
            values += [f"{number:06d}" for number in range(int(first), int(last) + 1)]
    return tuple(dict.fromkeys(values)), tuple(doubt)


def read_head_mark(
    head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]
) -> MarkReading | None:
    """The highest mark of the head; others are its alternatives."""
    candidates = _candidates(head, used)
    bare_levels = {reading.mark.level for reading, _ in candidates if _is_bare(reading)}
    if len(bare_levels) > 2:
        candidates = [one for one in candidates if not _is_bare(one[0])]
    # levels one below the other without sign or term are a legend or a table
    legend = {reading.mark.level for reading, _ in candidates if _is_plain_word(reading)}
    if len(legend) > 1:
        candidates = [one for one in candidates if not _is_plain_word(one[0])]
    if not candidates:
        return None
    secret = [one for one in candidates if one[0].mark.level.family is not Family.PUBLIC] or candidates
    secret = sorted(secret, key=lambda one: _LEVELS.index(str(one[0].mark.level)))
    chosen, rows = secret[0]
    doubt = tuple(chosen.repairs)
    if len({(one[0].mark.level, one[0].mark.period) for one in secret}) > 1:
        doubt = (*doubt, "two_marks")
    certainty = 0.99 - 0.15 * len([code for code in doubt if code != "traditional"])
    if "level_unreadable" in doubt:
        certainty = 0.4
    if _is_bare(chosen):
        certainty -= 0.15
    found.append(
        evidence(
            "mark", print_mark(chosen.mark), rows, rule="mark.head", certainty=certainty, doubt=doubt,
            alternatives=[print_mark(one.mark) for one, _ in secret[1:]],
        )
    )  # fmt: skip
    return MarkReading(chosen.mark, doubt)


def _candidates(head: tuple[Row, ...], used: dict[int, str]) -> list[tuple[MarkReading, list[Row]]]:
    candidates: list[tuple[MarkReading, list[Row]]] = []
    for position, row in enumerate(head):
        if row.index in used:
            continue
        reading, whole = _row_mark(row)
        if reading is None or (_is_bare(reading) and position > BARE_ROWS):
            continue
        rows = [row]
        if reading.mark.period is None and position + 1 < len(head) and whole:
            after = head[position + 1]
            if after.index not in used and (merged := _with_next(reading, row, after)):
                reading = merged
                rows.append(after)
        candidates.append((reading, rows))
        if whole:
            used.update({one.index: "mark" for one in rows})
    return candidates


def _with_next(reading: MarkReading, row: Row, after: Row) -> MarkReading | None:
    """The mark with a term that stands on the next row."""
    term = read_term(re.sub(r"^保密期限[:：]?|^★", "", after.tight))
    if term is None or term[0].kind == "condition":
        return None
    mark = reading.mark
    merged = Mark(mark.level, term[0], mark.star, mark.owner, mark.wording, f"{row.raw}\n{after.raw}")
    return MarkReading(merged, reading.repairs + term[1])


def _is_bare(reading: MarkReading) -> bool:
    mark = reading.mark
    return mark.level.family is Family.STATE and not mark.star and mark.period is None


def _is_plain_word(reading: MarkReading) -> bool:
    mark = reading.mark
    company = mark.level.family in (Family.COMPANY, Family.SOE, Family.WORK)
    return company and mark.period is None and not any(sign in mark.raw for sign in "▲△★")


def _row_mark(row: Row) -> tuple[MarkReading | None, bool]:
    """A mark in a head row: the whole row, or a part of it beside 份号, urgency, or other cells."""
    if len(row.tight) > 120:
        return None, False
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
    for label, value in cells(row):
        if label in ("密级", "密别", "密级和保密期限") and (reading := read_mark(value)):
            return reading, False
    if reading := _beside_known(row):
        return reading, False
    parts = tokens(row)[:12]
    for start in range(len(parts)):
        for end in range(min(len(parts), start + 4), start, -1):
            if (start, end) == (0, len(parts)):
                continue
            reading = read_mark("".join(parts[start:end]))
            if reading and (
                reading.mark.star
                or (reading.mark.period and reading.mark.level.family is not Family.INTERNAL)
            ):
                return reading, False
    return None, False


def _beside_known(row: Row) -> MarkReading | None:
    """A mark without star or term that stands apart from a number, a serial or an urgency in its row."""
    runs = [tight(run) for run in re.split(r"\s{2,}|\u3000+", row.raw.strip()) if run]
    if not 2 <= len(runs) <= 4:
        return None
    known = [
        bool(has_number(run) or _SERIAL.match(run) or _SERIALS.match(run) or _URGENCY.match(run))
        for run in runs
    ]
    rest = [run for run, is_known in zip(runs, known, strict=True) if not is_known]
    return read_mark(rest[0]) if len(rest) == 1 and any(known) else None


def read_part_marks(rows: tuple[Row, ...], body: int, found: list[FieldEvidence]) -> None:
    """Starred marks of parts: beside the `附件N` line, or alone at the head of a later page of a compilation."""
    places: dict[int, Row] = {}
    for row in rows[body:]:
        if re.match(r"^附件\d{0,2}$", row.tight):
            near = [rows[index] for index in (row.index - 1, row.index + 1) if 0 <= index < len(rows)]
            places |= {one.index: one for one in near if one.page == row.page}
        elif row.page > rows[0].page and _heads_its_page(rows, row):
            places[row.index] = row
    for row in places.values():
        reading = read_mark(row.text)
        if reading and reading.mark.star and not reading.repairs:
            found.append(
                evidence("mark", print_mark(reading.mark), [row], rule="mark.attachment", certainty=0.7)
            )


def _heads_its_page(rows: tuple[Row, ...], row: Row) -> bool:
    """The first row of its page, or the second below a serial, with something else than a mark below it."""
    before = [one for one in rows[max(0, row.index - 2) : row.index] if one.page == row.page]
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    first = not before or (len(before) == 1 and _SERIAL.match(before[0].tight) is not None)
    return first and after is not None and after.page == row.page and read_mark(after.text) is None


def may_overtake(rows: tuple[Row, ...]) -> bool:
    """Whether any of these rows can be read as 特提 or 特急; False spares the reading of the head."""
    return any(not _OVERTAKING.isdisjoint(row.tight) for row in rows)


def read_urgency(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> str | None:
    """紧急程度 of a document or a telegram."""
    for row in head[:18]:
        if len(row.tight) > 60:
            continue
        whole = _URGENCY.match(row.tight)
        doubt: tuple[str, ...] = ()
        value = whole["u"] if whole else None
        if value is None:
            labelled = [
                value for label, value in cells(row) if label in ("紧急程度", "缓急", "缓急程度", "等级")
            ]
            beside = _URGENCY_BESIDE.search(row.tight) if len(row.tight) < 40 else None
            part = next((m for m in map(_URGENCY.match, [*labelled, *map(tight, tokens(row))]) if m), None)
            value = part["u"] if part else beside[1] if beside else None
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
