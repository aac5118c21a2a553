"""附件说明 as a list, and whether the annexes behind it are those it names (GB/T 9704-2012 §7.3.4, §7.3.7)."""

from __future__ import annotations

import re

from ..models.fields import FieldEvidence
from .fields_date import find_date
from .fields_text import Row, evidence, is_organ

ANNEX = re.compile(
    r"^附件?(?P<n>[\d一二三四五六七八九十]{0,3})[:：]?$|^附录[\dA-Z一二三四五]{0,2}$|^附表\d{0,2}$"
)
_ATTACHED = re.compile(r"^附件?(?:目录|清单)?[:：](?P<first>.*)$")
_NUMBERED = re.compile(r"^附件(?P<n>\d{1,2})[:：](?P<name>.+)$")
_ITEM = re.compile(r"^(?:附件)?[(]?(?P<n>\d{1,2})[)]?[.、,．·](?!\d{1,3}(?!\d))(?P<name>.+)$")
_SPLIT = re.compile(
    r"(?<=[\u4e00-\u9fff)》”])(?:[;；]?)(?=\d{1,2}[.、．](?!\d{1,3}(?!\d))[\u4e00-\u9fff《“])"
)
FULL = 0.8
"""A name goes on to the next row only from one that reaches this far to the right."""
MOST = 60
_CN = "一二三四五六七八九十"


def annex_start(rows: tuple[Row, ...], body: int) -> int:
    """Index of the first annex's head; the number of rows when there is none.

    The head stands alone in its row, below the body; the 附件说明 has more on its row or a list under it.
    """
    for row in rows[body + 1 :]:
        if ANNEX.match(row.tight) and row.line.role != "cell" and not _opens_list(rows, row):
            return row.index
    return len(rows)


def _opens_list(rows: tuple[Row, ...], row: Row) -> bool:
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    return (
        row.tight.endswith((":", "：")) and after is not None and bool(_ITEM.match(after.tight))
        and after.page == row.page and not any(_ITEM.match(one.tight) for one in rows[:0])
    )  # fmt: skip


def read_annexes(rows: tuple[Row, ...], body: int, annex: int, found: list[FieldEvidence]) -> tuple[str, ...]:
    """The names in the 附件说明; what of them is missing behind the paper, or there without being named, is doubted."""
    heads = _heads(rows, annex)
    for row in rows[body:annex]:
        first = _ATTACHED.match(row.tight) or _NUMBERED.match(row.tight)
        if not first or len(row.tight) > 400:
            continue
        names, block = _listed(rows, row, annex)
        if not names:
            continue
        doubt = _compare(len(names), heads)
        found.append(
            evidence("attachments", "；".join(names), block, rule="attachments",
                     certainty=0.9 - 0.2 * len(doubt), doubt=doubt)
        )  # fmt: skip
        return names
    if heads and body:
        head = rows[heads[0][0]]
        found.append(
            evidence("attachments", head.tight, [head], rule="attachments.head", certainty=0.5,
                     doubt=("annex_unlisted",))
        )  # fmt: skip
    return ()


def _listed(rows: tuple[Row, ...], row: Row, annex: int) -> tuple[tuple[str, ...], list[Row]]:
    numbered = _NUMBERED.match(row.tight)
    attached = _ATTACHED.match(row.tight)
    text = numbered["name"] if numbered else attached["first"] if attached else ""
    pieces = _SPLIT.split(text) if text else []
    block, names = [row], [_bare(piece) for piece in pieces]
    listed = bool(pieces and _ITEM.match(pieces[0])) or numbered is not None or not pieces
    for after in rows[row.index + 1 : min(annex, row.index + MOST)]:
        item = _NUMBERED.match(after.tight) if numbered else _ITEM.match(after.tight)
        if item and (listed or not names):
            names += [_bare(piece) for piece in _SPLIT.split(item.group(0))]
        elif names and _goes_on(block[-1], after):
            names[-1] += after.tight
        else:
            break
        block.append(after)
    clean = tuple(name for name in (re.sub(r"[。;；]$", "", name) for name in names) if name)
    return clean, block


def _bare(text: str) -> str:
    return re.sub(r"^(?:附件)?[(]?\d{1,2}[)]?[.、,．·:：](?!\d{1,3}(?!\d))", "", text)


def _goes_on(before: Row, after: Row) -> bool:
    if is_organ(after.tight) or find_date(after.tight) or len(after.tight) > 40:
        return False
    if re.search(r"[。:;]$|^[(]", after.tight) or re.match(r"^(?:附件|抄送|联系人|特此)", after.tight):
        return False
    if before.page != after.page:
        return before.line.box.right >= FULL
    return before.line.box.right >= FULL and after.line.box.left > 0.1


def _heads(rows: tuple[Row, ...], annex: int) -> tuple[tuple[int, int | None], ...]:
    """Index and number of every annex head from the first on; the same number counts once."""
    found: dict[int | None, int] = {}
    for row in rows[annex:]:
        head = ANNEX.match(row.tight)
        if head is None or row.line.role == "cell" or not row.tight.startswith("附件"):
            continue
        text = head["n"] or ""
        number = int(text) if text.isdigit() else _CN.index(text) + 1 if text and text in _CN else None
        found.setdefault(number, row.index)
    return tuple((index, number) for number, index in found.items())


def _compare(listed: int, heads: tuple[tuple[int, int | None], ...]) -> tuple[str, ...]:
    numbers = {number if number is not None else 1 for _, number in heads}
    named = set(range(1, listed + 1))
    doubt: list[str] = []
    if named - numbers:
        doubt.append("annex_missing")
    if numbers - named:
        doubt.append("annex_unlisted")
    return tuple(doubt)
