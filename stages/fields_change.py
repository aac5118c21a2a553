"""Old marks on page 1 that no longer hold by themselves: struck out, named as former, changed, or stamped 解密.

保密法 art. 24 and its 实施条例: a changed mark stands beside the old one, which is struck out; a declassified paper
bears 解密 at the place of the mark. What is found here is said with its date and organ and always asked about; it
never makes a paper less protected by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..models.mark import Mark, MarkChange
from ..models.page import Box, Finding
from .fields_text import Row, is_organ, tight
from .mark_grammar import read_mark

_DATE = r"(?:19|20)\d{2}(?:年|[./-])\d{1,2}(?:月|[./-])\d{1,2}日?"
_ORGAN = r"[\u4e00-\u9fff]{2,24}?(?:局|厅|部|委|委员会|办公室|办公厅|政府|院|公司|集团|中心|室|处|科)"
_TRAIL = rf"[,，;；:：、()（）]*(?P<before>(?:{_DATE}|{_ORGAN}|经|由|于|自|起|[,，、()（）])*)"
_AFTER = rf"(?P<after>(?:{_DATE}|{_ORGAN}|\d{{1,4}}(?:年\d{{0,2}}月?)?$|[,，、;；:：()（）章起])*)"
_LIFTED = re.compile(rf"^{_TRAIL}[【\[(（]?★?(?:已|予以|提前|准予|同意)?解密[】\])）]?{_AFTER}$")
_CHANGED = re.compile(
    rf"^{_TRAIL}[【\[(（]?(?:已|经批准)?(?:密级)?(?:变更|更改|改|调整|降低?|升高?|延长)(?:密级)?(?:为|成|至|到)[:：]?(?P<rest>.+)$"
)
_CHANGED_BY = re.compile(rf"^[】\])）]?{_AFTER}$")
_FORMER = re.compile(
    r"^[,，;；、(（\[【]*(?:原|旧)(?:密级|标志|标密|定密?)?(?:为|是|系|定)?[:：]?(?P<mark>.+?)[)）\]】]?$"
)
_LEVEL = re.compile(r"绝密|机密|秘密|核心商密|普通商密|公司[绝机秘]密|工作秘密|内部")
_NEAR_ROWS = 3
_MOST = 90


@dataclass(frozen=True, slots=True)
class Settled:
    """The head's rows as they hold now, the changes found, and the rows (by index) that are stamps or struck marks."""

    head: tuple[Row, ...]
    changes: tuple[MarkChange, ...]
    used: dict[int, str]


def settle_changes(head: tuple[Row, ...], struck: Sequence[Finding]) -> Settled:
    """Takes struck marks, former marks and stamps out of the head's rows, so that only what holds is read there.

    Args:
        struck: findings `mark_struck` of the transcript.
    """
    rows: list[Row] = []
    changes: list[MarkChange] = []
    used: dict[int, str] = {}
    for row in head:
        left, found = _without_struck(row, struck)
        left, more = _without_words(left)
        found += more
        if found and not tight(left.text):
            used[row.index] = "stamp"
        elif found:
            row = left
        changes += found
        rows.append(row)
    signed = [_with_neighbours(one, rows, used) for one in changes]
    return Settled(tuple(rows), tuple(signed), used)


def _without_struck(row: Row, struck: Sequence[Finding]) -> tuple[Row, list[MarkChange]]:
    found: list[MarkChange] = []
    for finding in struck:
        words = tight(finding.detail)
        if not words or words not in row.tight or finding.page not in (None, row.page):
            continue
        place = row.where or row.line.box
        if finding.box is not None and not _overlap(finding.box, place):
            continue
        reading = read_mark(finding.detail)
        found.append(
            MarkChange(
                "struck", reading.mark if reading else None, finding.detail, row.page, finding.box or place
            )
        )
        row = _cut(row, words)
    return row, found


def _without_words(row: Row) -> tuple[Row, list[MarkChange]]:
    """A row that is a stamp, or a mark followed by what was done to it."""
    if not 2 <= len(row.tight) <= _MOST or not re.search(r"解密|原|旧|为|成|至|到", row.tight):
        return row, []
    if read_mark(row.tight) is not None:
        # 至2030年12月31日解密 is a term
        return row, []
    starts = [
        0,
        *(
            found.start()
            for found in re.finditer(
                r"[(（\[【]?(?:原|旧)|[(（\[【]?[已经于由]|[(（\[【]|(?:19|20)\d\d年|解密|变更|改为|调整|降为|\s",
                row.tight,
            )
        ),
    ]
    place = row.where or row.line.box
    for at in sorted({*starts, *_ends_of_marks(row.tight)}):
        front, tail = row.tight[:at], row.tight[at:]
        if front and read_mark(front) is None:
            continue
        if found := _FORMER.match(tail):
            reading = read_mark(found["mark"])
            if reading and _LEVEL.search(found["mark"]):
                return _cut(row, tail), [MarkChange("former", reading.mark, tail, row.page, place)]
        if (found := _CHANGED.match(tail)) and (new := _new_mark(found["rest"])):
            old = read_mark(front) if front else None
            change = MarkChange("changed", old.mark if old else None, row.tight, row.page, place, to=new[0])
            return _text(row, ""), [_dated(change, found["before"] + new[1])]
        if found := _LIFTED.match(tail):
            change = MarkChange("declassified", None, tail, row.page, place)
            return _cut(row, tail), [_dated(change, found["before"] + found["after"])]
    return row, []


def _new_mark(text: str) -> tuple[Mark, str] | None:
    """The longest mark that a text begins with, and the date and organ behind it."""
    for end in range(len(text), 1, -1):
        reading = read_mark(text[:end]) if _LEVEL.search(text[:end]) else None
        if reading and _CHANGED_BY.match(text[end:]):
            return reading.mark, text[end:]
    return None


def _ends_of_marks(text: str) -> list[int]:
    """Where a mark at the beginning of a text may end: after its star or its term."""
    return [
        found.end() for found in re.finditer(r"★|☆|\*|年|月|日|长期|密|前", text) if found.end() < len(text)
    ]


def _dated(change: MarkChange, words: str) -> MarkChange:
    day = re.search(_DATE, words)
    organ = re.search(_ORGAN, re.sub(_DATE, "", words).lstrip("经由于自,，、()（）"))
    return replace(
        change,
        on=change.on or (day.group() if day else None),
        organ=change.organ or (organ.group() if organ else None),
    )


def _with_neighbours(change: MarkChange, rows: Sequence[Row], used: dict[int, str]) -> MarkChange:
    """Date and organ of a stamp that stand on rows of their own right below it."""
    if change.kind not in ("declassified", "changed") or change.box is None or (change.on and change.organ):
        return change
    below = [row for row in rows if row.page == change.page and row.line.box.top >= change.box.top]
    for row in [row for row in below if row.index not in used][:_NEAR_ROWS]:
        box = row.line.box
        if (
            box.left > change.box.right + 0.08
            or box.right < change.box.left - 0.08
            or box.top - change.box.bottom > 0.09
        ):
            break
        if change.on is None and re.fullmatch(_DATE, row.tight):
            change = replace(change, on=row.tight)
        elif (
            change.organ is None
            and len(row.tight) <= 24
            and is_organ(row.tight)
            and box.right - box.left < 0.42
        ):
            change = replace(change, organ=row.tight)
        else:
            break
        used[row.index] = "stamp"
    return change


def _cut(row: Row, words: str) -> Row:
    return _text(row, row.tight.replace(words, "", 1))


def _text(row: Row, text: str) -> Row:
    return replace(row, text=text, tight=text, line=replace(row.line, text=text, parts=()))


def _overlap(first: Box, second: Box) -> bool:
    return min(first.right, second.right) > max(first.left, second.left) and min(
        first.bottom, second.bottom
    ) > max(first.top, second.top)


def with_old_mark(changes: Sequence[MarkChange], mark: Mark | None) -> tuple[MarkChange, ...]:
    """A change that stands on a row of its own changes the mark that the head bears."""
    return tuple(
        replace(one, mark=mark) if one.kind == "changed" and one.mark is None else one for one in changes
    )


def holding_mark(mark: Mark | None, changes: Sequence[MarkChange]) -> Mark | None:
    """The mark that holds by what page 1 says: a changed one; with nothing beside it, the one that was struck."""
    to = next((one.to for one in changes if one.kind == "changed" and one.to is not None), None)
    if to is not None:
        return to
    return mark or next((one.mark for one in changes if one.mark is not None), None)
