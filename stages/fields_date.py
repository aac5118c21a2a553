"""Dates as papers write them: Arabic (GB/T 9704-2012 §7.3.5.4), Chinese numerals (before 2012), with points.

A damaged date is repaired only letter by letter inside something that has the form of a date; one that is no day
of the calendar is said to be impossible, and what it may have been is offered, never taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from .mark_grammar import chinese_number

DIGIT = r"[0-9OoDQlIi|丨ZzSsbBgq]"
_DIGITS = str.maketrans("OoDQlIi|丨ZzSsbBgq", "0000111112255689" + "9")
_CN_DIGITS = {
    **{c: str(v) for v, c in enumerate("零一二三四五六七八九")},
    **dict.fromkeys("〇○OoΟ0口◯。", "0"),
}
_CN_YEAR = "[一二三四五六七八九零〇○OoΟ0口◯。]"
_CN_NUMBER = "[一二三四五六七八九十廿卅元正初]"
_ARABIC = re.compile(
    rf"(?P<y>(?:[1lI|]9|[2Z][0OoD]){DIGIT}{{2}})(?:年|午|牛)(?P<m>{DIGIT}{{1,2}})[月用](?P<d>{DIGIT}{{1,2}})[日曰口目]"
)
_CHINESE = re.compile(
    rf"(?P<y>[一二]{_CN_YEAR}{{3}})[年午](?P<m>{_CN_NUMBER}{{1,3}})月(?P<d>{_CN_NUMBER}{{1,4}})[日曰号]"
)
_PLAIN = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<sep>[./-])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?!\d)")
_ANY = re.compile(r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]")
_TORN = re.compile(
    rf"(?P<y>{DIGIT}{{0,4}})[年午](?P<m>{DIGIT}{{1,2}})月?(?P<d>{DIGIT}{{0,2}})(?P<end>[日曰口目四田白月]?)"
)
_TORN_CHINESE = re.compile(
    rf"(?P<y>{_CN_YEAR}{{2,3}})[年午](?P<m>{_CN_NUMBER}{{1,3}})月(?P<d>{_CN_NUMBER}{{1,4}})[日曰]"
)
_LIKE = {
    "0": "68", "1": "47", "2": "7", "3": "8", "4": "1", "5": "6", "6": "58", "7": "1", "8": "3", "9": "0",
}  # fmt: skip
"""Digits that a reader takes for one another."""
MOST_CHANGES, MOST_OFFERED = 5, 16
FIRST_YEAR, LAST_YEAR = 1949, 2099


@dataclass(frozen=True, slots=True)
class DateRead:
    """One date of a text. `day` is None when there is no such day; then `offers` may name some that there are."""

    day: date | None
    text: str
    start: int
    end: int
    repaired: bool = False
    offers: tuple[date, ...] = ()


def digits(text: str) -> str:
    """Letters that OCR reads for digits turned back."""
    return text.translate(_DIGITS)


def figures_like(figure: str) -> str:
    """The figures that a reader takes for this one; none for what is no figure."""
    return _LIKE.get(figure, "")


def read_dates(text: str) -> tuple[DateRead, ...]:
    """All whole dates of a tight text, in order; also those that no calendar has."""
    found: list[DateRead] = []
    for pattern in (_ARABIC, _CHINESE, _PLAIN, _ANY):
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or match.start() >= one.end for one in found):
                found.append(_read(pattern, match))
    return tuple(sorted(found, key=lambda one: one.start))


def find_date(text: str) -> tuple[date, tuple[int, int], bool] | None:
    """The first date of a tight text that the calendar has, its span, and whether it was repaired."""
    for one in read_dates(text):
        if one.day is not None:
            return one.day, (one.start, one.end), one.repaired
    return None


def torn_date(text: str, *, year: int | None) -> DateRead | None:
    """A date that lost characters at its ends, as under a seal; the whole tight text must be it.

    A lost part of the year is taken from `year` (that of the 发文字号) when what is left agrees with it. A day
    without 日 may have lost a digit: then there is no day, only offers.
    """
    if match := _TORN_CHINESE.fullmatch(text):
        number = "".join(_CN_DIGITS[c] for c in match["y"])
        if year is None or not _subsequence(number, str(year)):
            return None
        day = _day(year, _cn(match["m"]), _cn(match["d"]))
        return DateRead(day, text, 0, len(text), repaired=True) if day else None
    match = _TORN.fullmatch(text)
    if match is None or len(text) < 5:
        return None
    number, month, day_text = digits(match["y"]), digits(match["m"]), digits(match["d"])
    if len(number) == 4:
        year = int(number)
    if (
        year is None
        or not _subsequence(number, str(year))
        or not month.isdigit()
        or not 1 <= int(month) <= 12
    ):
        return None
    whole = match["end"] or len(day_text) == 2
    if whole and day_text.isdigit() and "月" in text:
        day = _day(year, int(month), int(day_text))
        return DateRead(day, text, 0, len(text), repaired=True) if day else None
    starts = [d for d in range(1, 32) if str(d).startswith(day_text)] if "月" in text else []
    offers = tuple(one for d in starts if (one := _day(year, int(month), d)))
    return DateRead(None, text, 0, len(text), repaired=True, offers=offers[:12])


def worn_date(text: str, *, year: int | None) -> tuple[date, ...]:
    """Days that the rest of a worn date may have been, the likeliest first: by month and day where both are left.

    Args:
        text: tight, what was read where the date stands.
        year: that of the 发文字号, where it is known.
    """
    match = re.search(
        rf"(?<![0-9])(?P<y>{DIGIT}{{0,4}})[年午](?P<m>{DIGIT}{{1,2}})月(?P<d>{DIGIT}{{1,2}})", text
    )
    if match is not None and year is not None:
        month, day = digits(match["m"]), digits(match["d"])
        found = _day(year, int(month), int(day)) if month.isdigit() and day.isdigit() else None
        if found:
            return (found,)
    return near_dates(text, year=year)


def _read(pattern: re.Pattern[str], match: re.Match[str]) -> DateRead:
    year, month, day = match["y"], match["m"], match["d"]
    text = match.group(0)
    if pattern is _CHINESE:
        parts = (int("".join(_CN_DIGITS[c] for c in year)), _cn(month), _cn(day))
        repaired = bool(re.search("[OoΟ0口◯。]", year) or text[-1] == "曰" or "午" in text)
    else:
        parts = (int(digits(year)), int(digits(month)), int(digits(day)))
        repaired = text != digits(text) or bool(re.search("[午牛用曰口目]", text))
    value = _day(*parts)
    if value is not None:
        return DateRead(value, text, match.start(), match.end(), repaired)
    offers = () if pattern is _CHINESE else _offers(*parts)
    return DateRead(None, text, match.start(), match.end(), repaired, offers)


def _day(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _offers(year: int, month: int, day: int) -> tuple[date, ...]:
    """Days that differ from what was read in one digit that is often misread, at most four."""
    text = (f"{year:04d}", str(month), str(day))
    found: list[date] = []
    for place, part in enumerate(text):
        for at, digit in enumerate(part):
            for other in _LIKE[digit]:
                changed = [*text]
                changed[place] = part[:at] + other + part[at + 1 :]
                if one := _day(*(int(value) for value in changed)):
                    found.append(one)
    return tuple(dict.fromkeys(found))[:4]


def _subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


def _cn(text: str) -> int:
    text = text.replace("元", "一").replace("正", "一").replace("初", "")
    return chinese_number(text) or 0


def near_dates(text: str, *, year: int | None) -> tuple[date, ...]:
    """Days whose writing needs the fewest changes to become what was read, and those that need one more.

    Characters under a seal's star or ring are lost or read as others. At most `MOST_OFFERED`, and none where the text
    is too far from any date. Without `year` the text must name one.
    """
    named = re.search(r"(?:19|20)\d{2}", digits(text))
    years = (year,) if year is not None else (int(named[0]),) if named else ()
    if not years or not 4 <= len(text) <= 16 or len(re.findall("[年月日]", text)) < 1:
        return ()
    chinese = len(re.findall("[一二三四五六七八九十〇]", text)) > len(re.findall(r"\d", text))
    weighed: list[tuple[int, date]] = []
    for one in years:
        for ordinal in range(date(one, 1, 1).toordinal(), date(one, 12, 31).toordinal() + 1):
            day = date.fromordinal(ordinal)
            weighed.append((_changes(text, _written(day, chinese=chinese)), day))
    weighed.sort()
    least = weighed[0][0]
    if least > MOST_CHANGES:
        return ()
    return tuple(day for changes, day in weighed[:MOST_OFFERED] if changes <= least + 1)


def _written(day: date, *, chinese: bool) -> str:
    if not chinese:
        return f"{day.year}年{day.month}月{day.day}日"
    figures = "〇一二三四五六七八九"
    year = "".join(figures[int(one)] for one in str(day.year))
    return f"{year}年{_chinese(day.month)}月{_chinese(day.day)}日"


def _chinese(number: int) -> str:
    figures = "〇一二三四五六七八九"
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{figures[tens]}十"
    return head + (figures[ones] if ones else "")


def _changes(one: str, other: str) -> int:
    """Characters to be put in, taken out or changed to make one text the other."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, 1):
        before, row[0] = row[0], place
        for index, wanted in enumerate(other, 1):
            before, row[index] = (
                row[index], min(row[index] + 1, row[index - 1] + 1, before + (character != wanted))
            )  # fmt: skip
    return row[-1]
