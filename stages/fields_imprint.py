"""版记: 抄送机关, 印发机关和印发日期, 印数 (GB/T 9704-2012 §7.4), at the foot of the last page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ..models.fields import FieldEvidence
from .fields_date import read_dates
from .fields_figures import unsure_date
from .fields_text import Row, evidence, is_organ, tight

CC = re.compile(
    r"^(?:抄送|抄报|分送|报送|抄发|抄致)(?:机关|单位)?(?:[:：;.](?P<cc>.*)|(?P<lost>[\u4e00-\u9fff].*[,，、。]))$"
)
_BRIEFING = re.compile(r"^(?:报|送|发)[:：](?P<cc>.+)(?P<lost>$)")
COUNT = re.compile(r"[(]?(?:共印|印数[:：]|印制)(?P<n>\d{1,6})[份册本][)]?")
_PRINTED_BEHIND = re.compile(r"^(?:印发|印制|印|封发|付印)")
_PRINTED_LABEL = re.compile(r"^(?:印发日期|印发时间|印制日期)[:：]")
_FURTHER = re.compile(r"^(?:主送|主题词|附件|联系人|承办|校对|打字|拟稿|共印|印数)")


@dataclass(frozen=True, slots=True)
class Imprint:
    """What the 版记 says. `rows` are the indices of its rows."""

    copied_to: tuple[str, ...] = ()
    printed: date | None = None
    printed_by: str | None = None
    print_count: int | None = None
    rows: frozenset[int] = frozenset()


def read_imprint(rows: tuple[Row, ...], body: int, found: list[FieldEvidence]) -> Imprint:
    """Reads the 版记 from the rows; `body` is where the head ends."""
    taken: set[int] = set()
    copied = _copied(rows, body, taken, found)
    printed, printed_by = _printed(rows, body, taken, found)
    count = _count(rows, taken, found)
    return Imprint(copied, printed, printed_by, count, frozenset(taken))


def _copied(rows: tuple[Row, ...], body: int, taken: set[int], found: list[FieldEvidence]) -> tuple[str, ...]:
    names: list[str] = []
    for row in rows:
        label = CC.match(row.tight) or (_BRIEFING.match(row.tight) if row.index > body else None)
        if not label or len(row.tight) > 400:
            continue
        block, text = [row], label["cc"] or label["lost"] or ""
        for after in rows[row.index + 1 : row.index + 9]:
            if (
                text.endswith("。")
                or CC.match(after.tight)
                or _BRIEFING.match(after.tight)
                or _FURTHER.match(after.tight)
                or read_dates(after.tight)
                or COUNT.search(after.tight)
                or len(after.tight) > 120
                or after.tight.endswith(("印发", "印制"))
                or (is_organ(after.tight) and not text.endswith(("，", ",", "、")) and _dated(rows, after))
            ):
                break
            block.append(after)
            text += after.tight
        parts = [part for part in _split(text) if part]
        if not parts:
            continue
        names += parts
        taken.update(one.index for one in block)
        found.append(evidence("copied_to", text.rstrip("。."), block, rule="cc", certainty=0.95))
    return tuple(dict.fromkeys(names))


def _split(text: str) -> list[str]:
    """Names apart by ，、；。, but not inside parentheses."""
    return re.split(r"[,，;；、。](?![^()]{0,40}\))", text)


def _dated(rows: tuple[Row, ...], row: Row) -> bool:
    """Whether the print date follows on the next row: then the row is the printing office."""
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    if after is None:
        return False
    # a date too worn to be read still ends in the word
    return after.tight.endswith("印发") or (bool(read_dates(after.tight)) and "印" in after.tight)


def _printed(
    rows: tuple[Row, ...], body: int, taken: set[int], found: list[FieldEvidence]
) -> tuple[date | None, str | None]:
    for row in reversed(rows[body:]):
        if len(row.tight) > 70:
            continue
        dates = read_dates(row.tight)
        if not dates:
            continue
        read = dates[-1]
        behind = row.tight[read.end :]
        after = rows[row.index + 1] if row.index + 1 < len(rows) else None
        alone = (
            not behind and after is not None and after.tight in ("印发", "印制") and after.page == row.page
        )
        labelled = bool(_PRINTED_LABEL.match(row.tight))
        if not (_PRINTED_BEHIND.match(behind) or alone or labelled):
            continue
        taken.add(row.index)
        organ = re.sub(r"^.*?印发(?:机关|单位)[:：]|印发日期[:：]|印发时间[:：]", "", row.tight[: read.start])
        organ = organ.strip("()（）")
        place = [row]
        if not organ and row.index:
            before = rows[row.index - 1]
            plain = re.sub(r"^印发(?:机关|单位)[:：]", "", before.tight)
            if is_organ(plain) and before.page == row.page and not CC.match(before.tight):
                organ, place = plain, [before, row]
                taken.add(before.index)
        doubt = ("repaired",) if read.repaired else ()
        if read.day is None:
            doubt = (*doubt, "impossible_date")
        unsure, others = unsure_date(row, read)
        if unsure:
            doubt = (*doubt, "low_confidence")
        value = read.day.isoformat() if read.day else read.text
        found.append(
            evidence("printed_date", value, [row], rule="printed", certainty=0.95 if read.day else 0.3,
                     doubt=doubt, alternatives=[one.isoformat() for one in (*read.offers, *others)])
        )  # fmt: skip
        if organ:
            found.append(evidence("printed_by", organ, place, rule="printed", certainty=0.9))
        return read.day, organ or None
    return None, None


def _count(rows: tuple[Row, ...], taken: set[int], found: list[FieldEvidence]) -> int | None:
    for row in reversed(rows):
        if len(row.tight) > 60:
            continue
        count = COUNT.search(tight(row.raw))
        if count:
            taken.add(row.index)
            doubt = ("number_out_of_range",) if int(count["n"]) == 0 else ()
            found.append(
                evidence("print_count", count["n"], [row], rule="print_count",
                         certainty=0.95 - 0.5 * len(doubt), doubt=doubt)
            )  # fmt: skip
            return int(count["n"])
    return None
