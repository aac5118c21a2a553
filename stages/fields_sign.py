"""署名 and 成文日期 (GB/T 9704-2012 §7.3.5): the signature block and which date of a paper is its date of issue.

成文日期 is not the last date of a paper: annexes, days of entry into force and the print date follow it, days of
meetings and of cited papers precede it. Candidates are rows that are hardly more than a date; they are weighed by
what stands above and beside them. Under a seal a date may have lost characters: what is sure is repaired, the rest is
offered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ..models.fields import FieldEvidence
from ..models.page import Box, Transcript
from .fields_date import DateRead, read_dates, torn_date, worn_date
from .fields_figures import unsure_date
from .fields_organ import NEAR, SEAL_WORDS, overlap, share_of
from .fields_rows import turned, turns_of
from .fields_text import Row, evidence, is_organ, split_organs, tight

PRINTED = re.compile(r"(?:印发|印制|印$|封发|付印)")
_LABEL = re.compile(
    r"^(?:成文日期|发文日期|签发日期|签署日期|签订日期|签约日期|日期|发布日期|发布时间|制发日期|落款日期|编制日期|填报日期|报告日期|出具日期|年月日)[:：]?$"
)
_WORDS = re.compile(r"^(?:签订|签署|签约|订立|编制|填报|填表|报告|形成|印发|制表|出具)?(?:日期|时间)[:：]")
_MEETING = re.compile(r"^(?:会议|讨论|谈话|召开)?(?:日期|时间)[:：]")
_ADOPTED = re.compile(r"^[(].*(?:通过|批准|修订|修正|公布|发布)")
_PERSON = re.compile(
    r"^(?:[\u4e00-\u9fff]{1,8}(?:长|理|主席|主任|书记|席|总监|总裁|院士|经理|董事)[:：]?)?[\u4e00-\u9fff·]{2,4}(?:[(]签[名字章][)])?$"
)
_NOT_SIGNATURE = re.compile(
    r"^附件|^[一二三四五六七八九十]+、|^[(][一二三四五六七八九十]+[)]|^\d+[.、]|[。;!?]$|[:：]$"
)
_JUNK = re.compile(r"[^\d自从于在至到截前经由即日因年月以定为:：(（,，、]{1,3}")
_STRAY = re.compile(r"[\u4e00-\u9fff]{1,4}(?<![前后起止内至到])")
"""Words inside a seal that were read behind the date it lies on."""
MOST_ROWS = 12
"""Rows of a signature block: a joint paper has as many names as organs."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the paper before its signature is looked for."""

    body: int
    annex: int
    number_year: int | None
    known: tuple[str, ...]
    title: str | None
    kind: str | None
    imprint: frozenset[int]
    covered: tuple[tuple[int, Box], ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The date of issue and the rows that name the signers, with the part of their text that does."""

    signed: date | None = None
    adopted: date | None = None
    organs: tuple[tuple[Row, str], ...] = ()
    row: int | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: float
    read: DateRead
    row: Row
    organs: tuple[tuple[Row, str], ...]
    rule: str


def covered_places(transcript: Transcript) -> tuple[tuple[int, Box], ...]:
    """Page and box of every seal, and of every place that something covers."""
    found: list[tuple[int, Box]] = []
    for page in transcript.pages:
        turns = turns_of(page)
        seals = page.seals or ((page.seal,) if page.seal else ())
        found += [(page.number, turned(seal, turns)) for seal in seals]
        found += [(page.number, turned(place.box, turns)) for place in page.unread if place.why == "covered"]
    return tuple(found)


def read_signature(rows: tuple[Row, ...], place: Place, found: list[FieldEvidence]) -> Signature:
    """Finds the signature; evidence for `date` and `adopted_date` goes into `found`."""
    adopted = _adopted(rows, place, found)
    candidates = [one for row in rows for one in _candidates(rows, row, place)]
    candidates = [one for one in candidates if one.score >= 1.0]
    if not any(one.score >= 3.5 and one.read.day for one in candidates):
        candidates += [one for row in rows if (one := _torn(rows, row, place)) is not None]
    if not candidates:
        day = _by_words(rows, place, found)
        organs = _unsigned(rows, place)
        if day is None and adopted is not None and not organs:
            item = next(one for one in found if one.name == "adopted_date")
            day = adopted
            found.append(_as_date(item))
        return Signature(day, adopted, organs)
    candidates.sort(key=lambda one: (-one.score, one.row.index))
    best = candidates[0]
    _say(best, candidates[1:], place, found)
    return Signature(best.read.day, adopted, best.organs, best.row.index)


def date_not_read(rows: tuple[Row, ...], place: Place, scanned: frozenset[int]) -> tuple[FieldEvidence, ...]:
    """The doubt that a numbered paper read from a picture gave no date (`date_not_read`), at the likeliest place."""
    end = min([place.annex, *place.imprint]) if place.imprint else place.annex
    tail = [row for row in rows[place.body + 1 : end] if row.page in scanned]
    if not tail:
        return ()
    worn = [
        row for row in tail if len(row.tight) <= 16 and re.search(r"\d[年午]\d|月\d{1,2}[日曰]", row.tight)
    ]
    under = [
        row
        for row in tail
        if any(page == row.page and overlap(box, row.line.box) for page, box in place.covered)
    ]
    dated = [row for row in under if re.search("[年月日]", row.tight)]
    row = (worn or dated or under or tail)[-1]
    hidden = ("covered_by_seal",) if row in under else ()
    offers = [day.isoformat() for day in worn_date(row.tight, year=place.number_year)]
    return (
        evidence("date", "", [row], rule="date.not_read", certainty=0.0, doubt=("date_not_read", *hidden),
                 alternatives=offers),
    )  # fmt: skip


def _as_date(item: FieldEvidence) -> FieldEvidence:
    return FieldEvidence(
        "date", item.value, item.raw, item.page, item.box, item.score, "date.adopted", item.doubt
    )


def _say(best: _Candidate, others: list[_Candidate], place: Place, found: list[FieldEvidence]) -> None:
    read = best.read
    doubt: tuple[str, ...] = ("repaired",) if read.repaired else ()
    if read.day is None:
        doubt = (*doubt, "two_candidates" if read.repaired else "impossible_date")
    rivals = [one for one in others if one.read.day and one.read.day != read.day]
    if read.day and any(best.score - one.score < 0.75 for one in rivals):
        doubt = (*doubt, "two_candidates")
    if _is_covered(best.row, place):
        doubt = (*doubt, "covered_by_seal")
    unsure, others_near = unsure_date(best.row, read)
    if unsure:
        doubt = (*doubt, "low_confidence")
    certainty = 0.98 if best.score >= 3 else 0.85 if best.score >= 1.5 else 0.6
    certainty = 0.3 if read.day is None else certainty - 0.2 * len(doubt)
    others_of = [day.isoformat() for day in read.offers]
    others_of += [one.read.day.isoformat() for one in rivals[:4] if one.read.day]
    others_of += [day.isoformat() for day in others_near]
    if read.day is None:
        others_of += [day.isoformat() for day in worn_date(read.text, year=place.number_year)]
    value = read.day.isoformat() if read.day else read.text
    found.append(
        evidence("date", value, [best.row], rule=best.rule, certainty=certainty, doubt=doubt,
                 alternatives=others_of)
    )  # fmt: skip


def _is_covered(row: Row, place: Place) -> bool:
    return any(page == row.page and overlap(box, row.line.box) for page, box in place.covered)


def _candidates(rows: tuple[Row, ...], row: Row, place: Place) -> list[_Candidate]:
    if len(row.tight) > 80 or row.index in place.imprint or PRINTED.search(row.tight):
        return []
    if _printed_next(rows, row):
        return []
    return [one for read in read_dates(row.tight) if (one := _candidate(rows, row, read, place)) is not None]


def _candidate(rows: tuple[Row, ...], row: Row, read: DateRead, place: Place) -> _Candidate | None:
    before = SEAL_WORDS.sub("", row.tight[: read.start]).strip("(")
    behind = SEAL_WORDS.sub("", row.tight[read.end :]).strip(")")
    stray = bool(_STRAY.fullmatch(behind)) and _is_covered(row, place)
    label = bool(_LABEL.match(before)) or bool(
        re.search(r"(?:发文|签发|成文|发布|制发|编制)(?:日期|时间)[:：]$", before)
    )
    if (
        behind
        and not stray
        and not re.fullmatch(r"(?:于[\u4e00-\u9fff]{2,6})|(?:[\u4e00-\u9fff]{2,6}[:：].*)", behind)
    ):
        return None
    names = re.sub(r"^[(]?第.{1,5}[期次号][)]?", "", before)
    own = bool(names) and not label
    if own and _JUNK.fullmatch(names) and not is_organ(names) and _above(rows, row, place):
        # a piece of a seal or of a word across the page was read in front of the date
        own = False
    if own and (re.match(r"[\d(]", names) or len(re.split(r"\s{2,}", row.raw.strip())) > 3):
        return None
    if own:
        text = row.text if not read.start else _before_date(row, names)
        if not any(is_organ(part) for part in (names, names.split("、")[0], names[-12:])) and not _leads(
            names, place
        ):
            return None
        signature: tuple[tuple[Row, str], ...] = ((row, text),)
    else:
        signature = _beside(rows, row, place) or _above(rows, row, place) or _below(rows, row, place)
    if stray and not signature:
        return None
    score = _weigh(rows, row, read, place, signed=bool(signature), label=label)
    rule = "date.signature" if signature else "date.label" if label else "date.line"
    return _Candidate(score, read, row, signature, rule)


def _weigh(
    rows: tuple[Row, ...], row: Row, read: DateRead, place: Place, *, signed: bool, label: bool
) -> float:
    in_body = row.index > place.body
    score = 3.0 if signed else 0.0
    if not signed and row.index and _PERSON.match(rows[row.index - 1].tight) and in_body:
        score += 1.5
    if label:
        score += 2.0 if row.index <= place.body + 2 else 1.0
    score += 1.0 if in_body else -0.5
    score += 1.5 if row.index < place.annex else -2.5
    year = read.day.year if read.day else None
    if place.number_year is not None and year is not None:
        differs = year - place.number_year
        score += 1.0 if differs == 0 else 0.3 if differs == 1 else -0.5
    if row.line.box.left > 0.35 and row.line.box.right > 0.55:
        score += 0.4
    if row.line.role == "cell":
        score -= 2.0
    if any(
        re.match(r"^(?:抄送|抄报|分送)[:：]", one.tight) for one in rows[max(0, row.index - 3) : row.index]
    ):
        score -= 2.0
    if not signed and not label and in_body:
        # a date that stands alone while the text goes on behind it is a heading or a cell, not the end
        goes_on = [
            one for one in rows[row.index + 1 : min(place.annex, row.index + 6)]
            if one.index not in place.imprint and len(one.tight) >= 20 and not one.tight.startswith("(")
        ]  # fmt: skip
        score -= 2.0 if goes_on else 0.0
    return score


def _before_date(row: Row, names: str) -> str:
    """The names with their blanks: what of the row stands before its date."""
    kept, left = "", len(names)
    for character in row.text:
        if left <= 0:
            break
        kept += character
        left -= character != " "
    return kept.strip() if tight(kept) == names else names


def _printed_next(rows: tuple[Row, ...], row: Row) -> bool:
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    return after is not None and after.tight in ("印发", "印制") and after.page == row.page


def _beside(rows: tuple[Row, ...], row: Row, place: Place) -> tuple[tuple[Row, str], ...]:
    """Names in the same row of the page, left or right of the date, as in minutes."""
    found: list[tuple[Row, str]] = []
    for near in (*rows[max(0, row.index - 2) : row.index], *rows[row.index + 1 : row.index + 2]):
        height = min(near.line.box.bottom - near.line.box.top, row.line.box.bottom - row.line.box.top)
        shared = min(near.line.box.bottom, row.line.box.bottom) - max(near.line.box.top, row.line.box.top)
        apart = near.line.box.right <= row.line.box.left or near.line.box.left >= row.line.box.right
        if near.page == row.page and shared > 0.6 * height and apart and _names(near, place):
            found.append((near, SEAL_WORDS.sub("", near.text)))
    return tuple(found)


def _above(rows: tuple[Row, ...], row: Row, place: Place) -> tuple[tuple[Row, str], ...]:
    """The rows of names right above a date."""
    found: list[tuple[Row, str]] = []
    skipped = 0
    lowest = max(place.body, row.index - MOST_ROWS)
    for above in reversed(rows[lowest : row.index]):
        if above.index in place.imprint:
            break
        person = _PERSON.match(above.tight) and len(above.tight) <= 10
        if _names(above, place):
            found.insert(0, (above, SEAL_WORDS.sub("", above.text).strip()))
        elif skipped < 3 and (
            person or len(above.tight) <= 2 or re.fullmatch(r"\W+|[(].{1,4}[)]", above.tight)
        ):
            skipped += 1
        else:
            break
    return tuple(found)


def _below(rows: tuple[Row, ...], row: Row, place: Place) -> tuple[tuple[Row, str], ...]:
    """One name right under a date, where offices put it the other way round."""
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    if after is None or after.index in place.imprint or after.page != row.page or row.index <= place.body:
        return ()
    return (
        ((after, SEAL_WORDS.sub("", after.text)),)
        if is_organ(after.tight) and after.tight in place.known
        else ()
    )


def _names(row: Row, place: Place) -> bool:
    """Whether a row can name signers: organs, the title's or letterhead's own words, or what a seal left of them."""
    plain = SEAL_WORDS.sub("", row.text).strip()
    text = tight(plain)
    if not text or len(text) > 70 or _NOT_SIGNATURE.search(text):
        return False
    if all(is_organ(tight(part)) for part in split_organs(plain)) or _leads(text, place):
        return True
    return len(text) >= 3 and any(
        share_of(text, name) >= NEAR and len(text) <= 1.6 * len(name) + 4 for name in place.known
    )


def _leads(text: str, place: Place) -> bool:
    title = tight(place.title or "")
    return 2 <= len(text) <= 30 and (title.startswith(text) or any(text in name for name in place.known))


def _torn(rows: tuple[Row, ...], row: Row, place: Place) -> _Candidate | None:
    """A date that lost characters, right under names."""
    if row.index <= place.body or row.index >= place.annex or row.index in place.imprint:
        return None
    text = re.sub(r"[^\w]", "", row.tight)
    if not 5 <= len(text) <= 12 or read_dates(row.tight):
        return None
    read = torn_date(text, year=place.number_year)
    signature = _above(rows, row, place) if read else ()
    if read is None or not signature:
        return None
    return _Candidate(3.2 if read.day else 3.1, read, row, signature, "date.torn")


def _unsigned(rows: tuple[Row, ...], place: Place) -> tuple[tuple[Row, str], ...]:
    """Names at the end of a paper whose date was not read: only names that the paper gives elsewhere too."""
    end = min([place.annex, *place.imprint]) if place.imprint else place.annex
    for row in reversed(rows[max(place.body + 1, end - 6) : end]):
        if tight(SEAL_WORDS.sub("", row.text)) in place.known and row.line.box.left > 0.3:
            return ((row, SEAL_WORDS.sub("", row.text)),)
    return ()


def _adopted(rows: tuple[Row, ...], place: Place, found: list[FieldEvidence]) -> date | None:
    """会议通过日期 in parentheses under the title; a note of revisions gives its last date as well as its first."""
    for row in rows[: place.body + 4]:
        if not row.tight.startswith("("):
            continue
        block = [row]
        while not block[-1].tight.endswith(")") and len(block) < 6 and block[-1].index + 1 < len(rows):
            block.append(rows[block[-1].index + 1])
        text = "".join(one.tight for one in block)
        if len(text) > 240 or not _ADOPTED.search(text):
            continue
        dates = [one for one in read_dates(text) if one.day]
        if not dates:
            continue
        first = dates[0]
        doubt = ("repaired",) if first.repaired else ()
        if len(block) == 1 and unsure_date(block[0], first)[0]:
            doubt = (*doubt, "low_confidence")
        found.append(
            evidence("adopted_date", first.day.isoformat() if first.day else "", block, rule="date.adopted",
                     certainty=0.9 - 0.2 * len(doubt), doubt=doubt,
                     alternatives=[one.day.isoformat() for one in dates[1:] if one.day])
        )  # fmt: skip
        return first.day
    return None


def _by_words(rows: tuple[Row, ...], place: Place, found: list[FieldEvidence]) -> date | None:
    """Papers without a date line: `签订日期:…`; `会议时间:…` in records alone."""
    record = place.kind is not None and place.kind.endswith(("记录", "纪要"))
    for row in rows:
        if len(row.tight) > 80 or row.index in place.imprint:
            continue
        if not (
            (_WORDS.match(row.tight) and not row.tight.startswith("时间"))
            or (record and _MEETING.match(row.tight))
        ):
            continue
        read = next((one for one in read_dates(row.tight) if one.day), None)
        if read and read.day:
            found.append(
                evidence("date", read.day.isoformat(), [row], rule="date.words", certainty=0.6,
                         doubt=("two_candidates",),
                         alternatives=[day.isoformat() for day in unsure_date(row, read)[1]])
            )  # fmt: skip
            return read.day
    return None
