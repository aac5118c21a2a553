"""密级标志: one parser and one printer for every mark of official-documents.md section 4.

    mark  := level ★ [term]                          (state; 保密法 art. 22, GB/T 9704-2012 7.2.2)
           | [owner] 商密 level [▲] [term]            (中央企业商业秘密保护暂行规定 art. 15)
           | 公司 level [term] | 工作秘密 [term] | 内部 wording | public note
    term  := N年 | N个月 | N日 | 长期 | 至 date | condition ending in 前, 后 or 时

A printed mark parses back to itself. Damages of section 6 (a star read as a character or lost, blanks, full
width, one wrong character in a level word, traditional forms, letters for digits) are repaired and named;
a repair is never silent, and what cannot be told apart is said to be so.
The whole of a text must be a mark: a level word inside a sentence is none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..models.level import Family, Level
from ..models.mark import Mark
from ..models.period import Period

STAR, SOE_SIGN = "★", "▲"
_VARIANTS = str.maketrans(
    {"絕": "绝", "機": "机", "祕": "秘", "長": "长", "個": "个", "內": "内", "開": "开"}
)
_STARS = "★☆✩✭✮✯✰⭐🌟✦✱✶*※⋆"
_STAR_READ_AS = "大太女六水食夫犬木本火米丈文头入人天大KkXx+·•"
_TOP, _SECRET, _CONFIDENTIAL = (
    Level.STATE_TOP, Level.STATE_SECRET, Level.STATE_CONFIDENTIAL,
)  # fmt: skip
_FIRST = {"绝": _TOP, "机": _SECRET, "秘": _CONFIDENTIAL}
_FIRST_READ_AS = {
    **dict.fromkeys("纶艳绐绍给经色", _TOP),
    **dict.fromkeys("札杌凡几仉扎枫材杋", _SECRET),
    **dict.fromkeys("私泌祕秒必柲", _CONFIDENTIAL),
}
_SECOND_READ_AS = "蜜宓宻窑密蔤崈"
_SIGN_READ_AS = "A^∧人入"
"""What ▲ is read as between a level and a term."""
_DIGITS = str.maketrans({
    "O": "0", "o": "0", "〇": "0", "○": "0", "D": "0", "Q": "0", "l": "1", "I": "1", "i": "1", "|": "1",
    "丨": "1", "Z": "2", "z": "2", "S": "5", "s": "5", "b": "6", "B": "8", "g": "9", "q": "9",
})  # fmt: skip
_DIGIT = r"[0-9OoDQ〇○lIi|丨ZzSsbBgq]"
_CHINESE = "零一二三四五六七八九十廿卅百"
_YEAR_WORD, _MONTH_WORD = "[年午牛仟]", "[月用]"
_USUAL_CONDITION = re.compile(
    r"(?:启用|公布|发布|公开|宣布|上市|实施|开标|开考|解密|(?:会议|考试|活动)?(?:开始|召开|结束))(?:前|后|时)"
)
_LEVEL_MAX_HINT = ((10, _CONFIDENTIAL), (20, _SECRET))
_COMPANY = {_TOP: Level.COMPANY_TOP, _SECRET: Level.COMPANY_SECRET, _CONFIDENTIAL: Level.COMPANY_CONFIDENTIAL}
_OWNER = r"(?P<owner>(?:[\u4e00-\u9fffA-Za-z0-9()·×○〇]{2,24}?)??)"
_INTERNAL_KINDS = (
    "内部资料|内部文件|内部材料|内部刊物|内部使用|内部传阅|内部参考|内部事项|内部信息|"
    "仅限内部使用|仅限内部传阅|仅供内部使用|仅供内部参考|限内部使用|内部公开|内部|"
    "不予公开|此件不予公开|此件不公开|不公开|依申请公开|此件依申请公开"
)
_INTERNAL = re.compile(
    rf"(?:{_INTERNAL_KINDS})(?:[,、;。!]*(?:注意保存|注意保密|妥善保管|不得外传|严禁外传|请勿外传|不得翻印))*[。!]?"
)
_PUBLIC = re.compile(r"(?:此件)?(?:主动|全文|可)?公开(?:发布)?|公开文件")
_COMPANY_MARK = re.compile(r"(?:本?公司|企业|集团)(?P<level>绝密|机密|秘密)(?P<sep>[▲△·:★☆*]?)(?P<term>.*)")
_SOE = re.compile(
    rf"{_OWNER}(?P<level>核心商密|普通商密|核心商业秘密|普通商业秘密|商业秘密|商业机密|商密)"
    r"(?P<sep>[▲△▵∆·★☆*:]?)(?P<term>.*)"
)
_WORK = re.compile(r"工作秘密(?P<sep>[▲△·:★☆*]?)(?P<term>.*)")
_FRAME = re.compile(r"^[【\[(〔](.*)[】\])〕]$")
_LABEL = re.compile(r"^(?:文件)?(?:密级|密别|秘密等级|保密级别|密级标识|密级和保密期限)[:：]?(?=.)")


@dataclass(frozen=True, slots=True)
class MarkReading:
    """A mark and what had to be repaired to read it (finding codes, empty when it stood there plainly).

    Repairs: `star_repaired`, `star_lost`, `level_repaired`, `level_unreadable`, `digits_repaired`,
    `unit_repaired`, `traditional`, `level_not_named`, `star_on_non_state`.
    """

    mark: Mark
    repairs: tuple[str, ...] = ()


def parse_mark(text: str) -> Mark | None:
    """The mark that the whole text is, or None. See `read_mark` for what was repaired."""
    reading = read_mark(text)
    return reading.mark if reading else None


def read_mark(text: str) -> MarkReading | None:
    """The mark that the whole text is, with its repairs; None when it is not a mark.

    Blanks do not count, a frame 【】 or () and a label `密级:` are allowed.
    """
    plain = _plain(text)
    if not 2 <= len(plain) <= 60:
        return None
    repairs: list[str] = ["traditional"] if any(mark in text for mark in "絕機祕") else []
    mended = _mended(plain)
    for read in (_read_state, _read_company, _read_soe, _read_work, _read_words, _read_mended):
        found = read(mended if read is _read_mended else plain)
        if found is not None:
            mark, more = found
            return MarkReading(
                Mark(mark.level, mark.period, mark.star, mark.owner, mark.wording, raw=text),
                tuple(dict.fromkeys([*repairs, *more])),
            )
    return None


def print_mark(mark: Mark) -> str:
    """The mark as it is printed on a paper; company, work and internal marks never bear the star."""
    term = str(mark.period) if mark.period else ""
    match mark.level.family:
        case Family.STATE:
            return f"{mark.level}{STAR}{term}" if mark.star else f"{mark.level} {term}".rstrip()
        case Family.SOE:
            owner = f"{mark.owner} " if mark.owner else ""
            return f"{owner}{mark.level}{SOE_SIGN}{term}"
        case Family.COMPANY | Family.WORK:
            return f"{mark.level} {term}".rstrip()
        case Family.INTERNAL:
            return mark.wording or "内部"
        case _:
            return mark.wording or "此件公开发布"


def read_term(text: str) -> tuple[Period, tuple[str, ...]] | None:
    """A secrecy period as on paper, with repairs; None when the text is none."""
    text = _plain(text)
    repairs: list[str] = []
    if re.fullmatch(r"长期|长[朗斯明]|[民氏]期|永久", text):
        return Period("forever"), () if text == "长期" else ("unit_repaired",)
    until = re.fullmatch(
        r"(?:保密)?(?:至|到)?((?:19|20)\d{2})(?:年|[./-])(?:(\d{1,2})(?:月|[./-]|$)(?:(\d{1,2})日?)?)?"
        r"(?:止|底|解密|前)?",
        text,
    )
    if until:
        return _until(*until.groups())
    number = rf"({_DIGIT}{{1,3}}|[{_CHINESE}]{{1,4}})"
    for kind, pattern, plain_unit in (
        ("years", rf"{number}({_YEAR_WORD})", "年"),
        ("months", rf"{number}(?:[个個人介](月)|({_MONTH_WORD}))", "月"),
        ("days", rf"{number}([日天])", "日天"),
    ):
        found = re.fullmatch(pattern, text)
        if not found:
            continue
        count = _count(found.group(1))
        unit = next(part for part in found.groups()[1:] if part)
        if count is None:
            return None
        if found.group(1) != str(count) and not re.fullmatch(rf"[{_CHINESE}]+", found.group(1)):
            repairs.append("digits_repaired")
        if unit not in plain_unit:
            repairs.append("unit_repaired")
        return Period(kind, number=count), tuple(repairs)  # type: ignore[arg-type]
    if re.fullmatch(r"[\u4e00-\u9fff0-9A-Za-z《》“”]{1,16}[前后时]", text) and not re.search(
        r"绝密|机密|秘密|商密|★|密级", text
    ):
        return Period("condition", condition=text), ()
    return None


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_VARIANTS)
    text = re.sub(r"\s+", "", text).replace("\ufe0f", "")
    text = _LABEL.sub("", text)
    text = re.sub(r"保密期限[:：]?", "", text)
    framed = _FRAME.match(text)
    return framed.group(1) if framed else text


def _until(year: str, month: str | None, day: str | None) -> tuple[Period, tuple[str, ...]] | None:
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    date = f"{year}年"
    if month:
        date += f"{int(month)}月"
    if day:
        date += f"{int(day)}日"
    return Period("until", date=date), ()


def _count(text: str) -> int | None:
    if re.fullmatch(rf"[{_CHINESE}]+", text):
        return chinese_number(text)
    digits = text.translate(_DIGITS)
    return int(digits) if digits.isdigit() and int(digits) > 0 else None


def chinese_number(text: str) -> int | None:
    """A Chinese numeral up to 999 (`二十`, `廿三`, `三十一`, `一百`); None when it is none, or zero."""
    text = text.replace("廿", "二十").replace("卅", "三十")
    digits = {character: value for value, character in enumerate("零一二三四五六七八九")}
    total, current = 0, 0
    for character in text:
        if character == "百":
            total, current = total + (current or 1) * 100, 0
        elif character == "十":
            total, current = total + (current or 1) * 10, 0
        elif character in digits:
            current = current * 10 + digits[character] if current else digits[character]
        else:
            return None
    return total + current or None


_Found = tuple[Mark, list[str]] | None


def _with_term(level: Level, term: str, *, star: bool = False, owner: str | None = None) -> _Found:
    if not term:
        return Mark(level, star=star, owner=owner), []
    read = read_term(term)
    return (Mark(level, read[0], star=star, owner=owner), list(read[1])) if read else None


def _read_state(text: str) -> _Found:
    if len(text) < 2:
        return None
    first, second, rest = text[0], text[1], text[2:]
    star, repairs, term = _star(rest)
    certain = star and rest[:1] in _STARS
    exact = second == "密"
    level = _FIRST.get(first)
    if level and exact:
        pass
    elif exact and first in _FIRST_READ_AS and (star or term):
        level, repairs = _FIRST_READ_AS[first], [*repairs, "level_repaired"]
    elif level and (second in _SECOND_READ_AS or certain) and (star or term):
        repairs = [*repairs, "level_repaired"]
    elif exact and certain and "\u4e00" <= first <= "\u9fff":
        level, repairs = _guess(term), [*repairs, "level_unreadable"]
    else:
        return None
    if term and not star:
        repairs = [*repairs, "star_lost"]
    found = _with_term(level, term, star=star)
    if found is None:
        return None
    if (
        found[0].period
        and found[0].period.kind == "condition"
        and not certain
        and "level_repaired" in repairs
    ):
        return None
    return found[0], repairs + found[1]


def _star(rest: str) -> tuple[bool, list[str], str]:
    """Whether a star follows the level, how it was read, and what follows it."""
    if rest[:1] == STAR:
        return True, [], rest[1:].lstrip(_STARS)
    if rest[:1] and rest[0] in _STARS:
        return True, ["star_repaired"], rest[1:].lstrip(_STARS)
    if rest[:1] and rest[0] in _STAR_READ_AS:
        read = read_term(rest[1:])
        if read and read[0].kind != "condition":
            return True, ["star_repaired"], rest[1:]
        if read and _USUAL_CONDITION.fullmatch(rest[1:]):
            return True, ["star_repaired"], rest[1:]
    return False, [], rest.lstrip(":,、/|-")


def _guess(term: str) -> Level:
    """The lowest level that may bear the period: marks mostly bear their level's maximum."""
    read = read_term(term) if term else None
    if read and read[0].kind == "years" and read[0].number:
        for years, level in _LEVEL_MAX_HINT:
            if read[0].number <= years:
                return level
        return _TOP
    return _SECRET if not read or read[0].kind != "forever" else _TOP


def _read_company(text: str) -> _Found:
    found = _COMPANY_MARK.fullmatch(text)
    if not found:
        return None
    level = _COMPANY[Level(found["level"])]
    read = _with_term(level, found["term"])
    return (read[0], _sign(found["sep"]) + read[1]) if read else None


def _read_soe(text: str) -> _Found:
    found = _SOE.fullmatch(text)
    if not found:
        return None
    word = found["level"]
    level = Level.SOE_CORE if word.startswith("核心") else Level.SOE_ORDINARY
    more = [] if word.startswith(("核心", "普通")) else ["level_not_named"]
    if found["owner"] and more and not found["sep"] and not found["term"]:
        return None
    read = _with_term(level, found["term"], owner=found["owner"] or None)
    return (read[0], more + _sign(found["sep"]) + read[1]) if read else None


def _read_work(text: str) -> _Found:
    found = _WORK.fullmatch(text)
    if not found:
        return None
    read = _with_term(Level.WORK, found["term"])
    return (read[0], _sign(found["sep"]) + read[1]) if read else None


_DAMAGED = re.compile(
    rf"^(?P<before>.{{0,24}}?)(?P<kind>公司|企业|集团|核[心必芯]|普[通诵]|工[作怍])"
    rf"(?P<first>[绝机秘商{''.join(_FIRST_READ_AS)}])(?P<second>[密{_SECOND_READ_AS}])(?P<rest>.+)$"
)
_KIND = {"核": "核心", "普": "普通", "工": "工作"}


def _mended(text: str) -> str:
    """A company's, enterprise's or work mark with one wrong character, and with ▲ read as a letter, put right."""
    found = _DAMAGED.match(text)
    if not found:
        return ""
    kind = _KIND.get(found["kind"][0], found["kind"])
    first = found["first"]
    if kind in ("核心", "普通"):
        word = f"{kind}商密"
    elif kind == "工作":
        word = "工作秘密"
    else:
        level = _FIRST.get(first) or _FIRST_READ_AS.get(first)
        word = f"{kind}{level}" if level else ""
    if not word:
        return ""
    wrong = sum(
        one != other for one, other in zip(word, found["kind"] + first + found["second"], strict=False)
    )
    rest = found["rest"]
    if rest[0] in _SIGN_READ_AS and read_term(rest[1:]):
        rest = SOE_SIGN + rest[1:]
    elif wrong == 0:
        return ""
    return found["before"] + word + rest if wrong <= 1 else ""


def _read_mended(text: str) -> _Found:
    """A mended mark: only with a term, and never silently."""
    for read in (_read_company, _read_soe, _read_work):
        found = read(text) if text else None
        if found is not None and found[0].period is not None:
            return found[0], ["level_repaired", *found[1]]
    return None


def _sign(separator: str) -> list[str]:
    return ["star_on_non_state"] if separator and separator in "★☆" else []


def _read_words(text: str) -> _Found:
    if _INTERNAL.fullmatch(text):
        return Mark(Level.INTERNAL, wording=text), []
    if _PUBLIC.fullmatch(text):
        return Mark(Level.PUBLIC, wording=text), []
    return None
