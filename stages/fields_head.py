"""The head of page 1: serial, mark, urgency, letterhead, number, signer, title, addressees.

Place is a hint, patterns are evidence: company papers imitate GB/T 9704 loosely, and the text of a
DOCX has hardly any geometry. The head ends where the body begins; a mark below that line is never taken
for the paper's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..models.fields import FieldEvidence
from ..models.mark import MarkChange
from ..models.page import Finding
from .fields_addressee import HEADING, is_addressee, read_recipients
from .fields_change import settle_changes
from .fields_mark import read_head_mark, read_part_marks, read_serials, read_urgency
from .fields_number import has_number, read_number
from .fields_text import KIND_END, Row, cells, evidence, is_organ
from .fields_title import kind_of, title_rows_of, title_text
from .mark_grammar import MarkReading, read_mark

HEAD_ROWS = 40
_SIGNER = re.compile(
    r"(?:签[发友][人入]|[鉴筌]发人)[:：;.]?(?P<names>.*)$|(?:^|\s)签\s?发[:：](?P<issued>.*)$"
)
_SIGNER_NAME = re.compile(r"[\u4e00-\u9fff·]{2,6}")
_NEXT_LABEL = re.compile(r"\s?[\u4e00-\u9fff]{2,6}\s?[:：].*$")
_TELEGRAM = re.compile(r"^(?:发往|签批|签批盖章|等级|发电单位|收电单位|密级|机号|批办|页数|共\d+页)")
_FORM_LABELS = frozenset({"标题", "文件标题", "文件名称", "主题", "题目", "事由"})


@dataclass(frozen=True, slots=True)
class Head:
    """What the head gave, the rows it used, and where the body begins (index into the rows)."""

    serials: tuple[str, ...]
    mark: MarkReading | None
    changes: tuple[MarkChange, ...]
    urgency: str | None
    number: str | None
    number_year: int | None
    signers: tuple[str, ...]
    letterhead: tuple[Row, ...]
    title: str | None
    title_rows: tuple[str, ...]
    kind: str | None
    recipients: tuple[str, ...]
    evidence: tuple[FieldEvidence, ...]
    body: int


def read_head(rows: tuple[Row, ...], struck: Sequence[Finding] = ()) -> Head:
    """Reads the head of a paper from its rows (see `fields_rows.paper_rows`); `struck`: findings `mark_struck`."""
    first = rows[0].page if rows else 1
    body = _body_start(rows, first)
    settled = settle_changes(rows[:body], struck)
    head = settled.head
    used: dict[int, str] = dict(settled.used)
    found: list[FieldEvidence] = []
    serials = read_serials(head, used, found)
    mark = read_head_mark(head, used, found)
    urgency = read_urgency(head, used, found)
    number = read_number(head, used, found)
    signers = _signers(head, used, found)
    used.update({row.index: "label" for row in head if row.index not in used and _is_form_row(row)})
    title, kind, letterhead, title_rows = _title(head, used, found)
    after = title_rows[-1].index + 1 if title_rows else 0
    recipients, end = read_recipients(rows, after, used, found)
    read_part_marks(rows, body, found)
    return Head(
        serials=serials,
        mark=mark,
        changes=settled.changes,
        urgency=urgency,
        number=number.value if number else None,
        number_year=number.year if number else None,
        signers=signers,
        letterhead=letterhead,
        title=title,
        title_rows=tuple(row.tight for row in title_rows),
        kind=kind,
        recipients=recipients,
        evidence=tuple(found),
        body=max(body, end),
    )


def _is_form_row(row: Row) -> bool:
    return bool(_TELEGRAM.match(row.tight)) or any(label not in _FORM_LABELS for label, _ in cells(row))


def _title(
    head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]
) -> tuple[str | None, str | None, tuple[Row, ...], tuple[Row, ...]]:
    """Title, kind, rows of the letterhead and of the title."""
    read = title_rows_of(head, used)
    if not read.rows:
        return None, kind_of(None, read.letterhead), read.letterhead, ()
    title, repaired = title_text(read.rows)
    certainty = {"title.kind": 0.98, "title.label": 0.98, "title.about": 0.85}.get(read.rule, 0.6)
    found.append(
        evidence("title", title, read.rows, rule=read.rule, certainty=certainty - 0.2 * repaired,
                 doubt=("repaired",) if repaired else (),
                 alternatives=[title_text(rows)[0] for rows in read.others])
    )  # fmt: skip
    kind = kind_of(title, read.letterhead)
    if kind is None and any(item.name == "mark" and item.value.endswith("启用前") for item in found):
        # the usual condition of examination papers
        kind = "试卷"
    if kind:
        found.append(evidence("kind", kind, read.rows[-1:], rule="kind.title", certainty=0.95))
    return title, kind, read.letterhead, read.rows


def _body_start(rows: tuple[Row, ...], first: int) -> int:
    for row in rows[:HEAD_ROWS]:
        text = row.tight
        if row.page != first:
            return row.index
        if row.index == 0:
            continue
        if HEADING.match(text) or (re.match(r"^附件\d{0,2}$", text) and row.index > 3):
            return row.index
        if is_addressee(text):
            return row.index
        long = len(text) >= 20 and re.search(r"[,。;!?]", text)
        if long and not KIND_END.search(text) and not has_number(text) and read_mark(text) is None:
            return row.index
        if len(text) >= 12 and text.endswith(("。", "如下:", "如下")):
            return row.index
    return min(len(rows), HEAD_ROWS)


def _signers(head: tuple[Row, ...], used: dict[int, str], found: list[FieldEvidence]) -> tuple[str, ...]:
    """签发人: behind the label, and under it where there are several, also beside the number."""
    for position, row in enumerate(head):
        label = _SIGNER.search(row.text.replace(" :", ":"))
        if not label or len(row.text) > 120:
            continue
        text = _NEXT_LABEL.sub("", label["names"] or label["issued"] or "")
        rows, names = [row], _names(text)
        names, rows = _wrapped(names, rows, head, position)
        for after in head[position + len(rows) : position + len(rows) + 4]:
            more = _names_below(after, used, any_name=not names)
            if more:
                names, rows = names + more, [*rows, after]
            elif used.get(after.index) != "number":
                break
        if names:
            used.update({one.index: used.get(one.index, "signer") for one in rows})
            found.append(evidence("signer", "、".join(names), rows, rule="signer.label", certainty=0.95))
            return names
    return ()


def _wrapped(
    names: tuple[str, ...], rows: list[Row], head: tuple[Row, ...], position: int
) -> tuple[tuple[str, ...], list[Row]]:
    """The names with the end of the last one, where the row was full and broke it."""
    after = head[position + 1] if position + 1 < len(head) else None
    full = rows[0].line.box.right > 0.82
    if not names or after is None or not full:
        return names, rows
    if re.fullmatch(r"[\u4e00-\u9fff]", after.tight) and len(names[-1]) <= 3 and after.line.box.left < 0.3:
        return (*names[:-1], names[-1] + after.tight), [*rows, after]
    more = _names(after.text)
    whole = len("".join(more)) == len(after.tight) <= 16 and all(2 <= len(name) <= 4 for name in more)
    if whole and len(after.text.split()) > 1 and not any(is_organ(name) for name in more):
        return (*names, *more), [*rows, after]
    return names, rows


def _names_below(after: Row, used: dict[int, str], *, any_name: bool) -> tuple[str, ...]:
    """Names in a row under the label: the whole row at the right, or what stands right of the number."""
    if used.get(after.index) == "number":
        parts = re.split(r"[号弓]\s+", after.text, maxsplit=1)
        return _names(parts[1]) if len(parts) == 2 and len(parts[1]) <= 20 else ()
    if after.index in used or len(after.tight) > 16 or re.search(r"关于|的|[:。]", after.tight):
        return ()
    at_right = after.line.box.left > 0.5 or after.raw.startswith((" " * 8, "\u3000" * 4))
    if at_right or (any_name and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", after.tight)):
        parts = after.text.split()
        if len(parts) == 2 and all(len(part) == 1 for part in parts):
            return ("".join(parts),)
        found = _names(after.text)
        return found if all(len(name) <= 4 for name in found) else ()
    return ()


def _names(text: str) -> tuple[str, ...]:
    parts = [part for part in re.split(r"[\s、,]+", text) if part]
    if len(parts) >= 2 and all(len(part) == 1 for part in parts):
        parts = ["".join(parts)]
    # two names of three characters whose blank was lost: no name has six
    six = re.compile(r"[\u4e00-\u9fff]{6}")
    parts = [half for part in parts for half in ([part[:3], part[3:]] if six.fullmatch(part) else [part])]
    merged: list[str] = []
    for part in parts:
        if merged and len(part) == 1 and len(merged[-1]) == 1:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(part for part in merged if _SIGNER_NAME.fullmatch(part))
