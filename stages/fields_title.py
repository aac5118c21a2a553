"""标题 and 发文机关标志: which rows of the head are which, and the 文种 at the end of the title."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .fields_text import KIND_END, OTHER_END, Row, cells, find_date, is_organ, join

_TITLE_LABEL = re.compile(r"^(?:标题|主题|题目|事由|文件名称|文件标题|名称)[:：](?P<title>.{2,})$")

_EXAM = re.compile(r"(?:考试|试题|试卷|测试|测验|考查|竞赛).{0,24}$|[(（][A-Z一二三甲乙]卷[)）]$")
_SAME_KIND = {"试题": "试卷"}
MIXED = 1.45
"""Rows whose type differs more than this in height are not one title."""


@dataclass(frozen=True, slots=True)
class TitleRead:
    """The title's rows, the letterhead's rows, the rule that found the title, and what else it may be."""

    rows: tuple[Row, ...]
    letterhead: tuple[Row, ...]
    rule: str
    others: tuple[tuple[Row, ...], ...] = ()


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
            return _SAME_KIND.get(other["kind"], other["kind"])
    return "试卷" if title and _EXAM.search(title) else None


def title_rows_of(head: tuple[Row, ...], used: dict[int, str]) -> TitleRead:
    """Which rows of the head are its title and its letterhead."""
    for row in head:
        labelled = _TITLE_LABEL.match(row.tight)
        if labelled and len(labelled["title"]) >= 4 and len(cells(row)) <= 1:
            return TitleRead((row,), tuple(_letterhead(head, used, row.index)), "title.label")
    free = [
        row for row in head
        if row.index not in used and (not is_furniture(row) or _is_middle(head, row, used))
    ]  # fmt: skip
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
    scored.sort(key=lambda one: (-one[0], one[1][0].index))
    order = [row for row in letterhead if re.search(r"(?:令|公告|公报)$", row.tight)]
    if scored and not (order and scored[0][2] == "title.place"):
        best, rows, rule = scored[0]
        above = tuple(row for row in letterhead if row.index < rows[0].index or row.tight.endswith("文件"))
        others = tuple(tuple(run) for score, run, _ in scored[1:3] if best - score < 2.0)
        return TitleRead(tuple(rows), above, rule, others)
    if letterhead:
        with_kind = [row for row in letterhead if kind_of(row.tight, ())]
        if with_kind and len(with_kind[0].tight) <= 3:
            # the organs of a joint order stand above its one word
            return TitleRead(letterhead, letterhead, "title.letterhead")
        return TitleRead(tuple((with_kind or [letterhead[-1]])[:1]), letterhead, "title.letterhead")
    return TitleRead((), (), "title.none")


def _letterhead(head: tuple[Row, ...], used: dict[int, str], before: int) -> tuple[Row, ...]:
    number = next((index for index, use in used.items() if use == "number"), None)
    found: list[Row] = []
    for row in head[:before]:
        if row.index in used or re.search("关于|转发|印发|批转|[:。;]", row.tight) or len(row.tight) > 40:
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


def _is_middle(head: tuple[Row, ...], row: Row, used: dict[int, str]) -> bool:
    """Whether signs alone (`K118+300`) are the middle row of a title: centred in type of its size, words around."""
    place = next((place for place, one in enumerate(head) if one is row), 0)
    if not re.search(r"[A-Za-z\d]", row.tight) or not 0 < place < len(head) - 1:
        return False
    around = (head[place - 1], head[place + 1])
    if any(one.index in used or is_furniture(one) or one.page != row.page for one in around):
        return False
    sizes = [one.line.size_mm for one in (row, *around) if one.line.size_mm]
    alike = len(sizes) == 3 and max(sizes) <= MIXED * min(sizes)
    return alike and all(abs(one.line.box.centre[0] - row.line.box.centre[0]) < 0.06 for one in around)


def is_furniture(row: Row) -> bool:
    text = row.tight
    dated = find_date(text)
    if dated and len(text) - (dated[1][1] - dated[1][0]) <= 24 and not KIND_END.search(text):
        return True
    return bool(
        re.fullmatch(r"[\W_\dA-Za-z]{0,12}|(?:[\u4e00-\u9fff]?机发?)?\d{0,6}号", text)
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
            if not 4 <= len(text) <= 220 or re.search(r"[。;!?]|:$", text):
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
            own = [row.line.size_mm for row in rows if row.line.size_mm]
            score -= 1.5 if own and max(own) > MIXED * min(own) else 0.0
            score -= 2.0 if text.count("(") != text.count(")") else 0.0
            if number is not None:
                score += 0.5 if abs(rows[0].index - number) == 1 or rows[-1].index == number - 1 else 0.0
            if max(sizes) > 0 and min(row.line.size_mm or 0.0 for row in rows) >= 0.9 * max(sizes):
                score += 0.5
            rule = "title.kind" if kind or other else "title.about" if about else "title.place"
            found.append((score, rows, rule))
    return found


def title_text(rows: tuple[Row, ...]) -> tuple[str, bool]:
    """The title as one line, and whether 关于 had to be repaired in it."""
    text = join(*(row.raw for row in rows))
    labelled = re.match(r"^(?:标题|主题|题目|事由|文件名称|文件标题|名称)\s*[:：]\s*(.{2,})$", text)
    text = labelled.group(1) if labelled else text
    plain = text
    if "关于" not in text.split("《", 1)[0]:
        plain = re.sub(r"^(.{0,40}?)(?:[美天]于|关[干丁千亍])", r"\1关于", text, count=1)
    return plain, plain != text
