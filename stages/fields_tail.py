"""Below the title: 署名, 成文日期, 附注, 附件说明, and the 版记 (抄送, 印发机关和印发日期, 印数).

成文日期 is not the last date of a paper: annexes, days of entry into force and the print date follow it.
Candidates are lines that are hardly more than a date; they are weighed by what stands above them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ..models.fields import FieldEvidence
from ..models.page import Box, Transcript
from .fields_head import Head
from .fields_text import Row, evidence, find_date, is_organ, split_organs, tight

_ANNEX = re.compile(r"^附件\s*[\d一二三四五六七八九十]{0,3}[:：]?$|^附[:：]?$|^附录[\dA-Z一二三四五]{0,2}$")
_SEAL_WORDS = re.compile(r"[(](?:盖章|印章|公章|章|签章)[)]|[(]印[)]")
_PRINTED = re.compile(r"(?:印发|印制|印$|封发)")
_DATE_LABEL = re.compile(
    r"^(?:成文日期|发文日期|签发日期|签署日期|日期|发布日期|制发日期|落款日期|时间)[:：]?$"
)
_CC = re.compile(r"^(?:抄送|抄报|分送|报送)[:：](?P<cc>.+)$")
_CONTACT = re.compile(
    r"联系人[:：]?(?P<name>[\u4e00-\u9fff·]{2,4}).{0,6}?(?:联系)?电话[:：]?(?P<tel>[\d\-() ]{5,20})"
)
_COUNT = re.compile(r"[(]?共印(?P<n>\d{1,6})份[)]?")
_ATTACHED = re.compile(r"^附件[:：](?P<first>.+)$")
_ITEM = re.compile(r"^(?:附件)?[(]?\d{1,2}[)]?[.、,．](?P<name>.+)$")
_PUBLIC_NOTE = re.compile(
    r"^[(]?(?:此件|本件|该件)?(?:主动|全文)?公开(?:发布)?[)]?[。]?$|此件(?:主动|全文)?公开(?:发布)?"
)
_PERSON = re.compile(r"^(?:[\u4e00-\u9fff]{2,8}(?:长|理|主席|主任|书记|席))?[\u4e00-\u9fff·]{2,4}$")


@dataclass(frozen=True, slots=True)
class Tail:
    """What stood below the title."""

    organs: tuple[str, ...]
    signed: date | None
    printed: date | None
    printed_by: str | None
    print_count: int | None
    copied_to: tuple[str, ...]
    note: str | None
    public_note: bool
    attachments: tuple[str, ...]
    evidence: tuple[FieldEvidence, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: float
    day: date
    row: Row
    repaired: bool
    organs: tuple[Row, ...]
    label: bool


def read_tail(rows: tuple[Row, ...], head: Head, transcript: Transcript) -> Tail:
    """Reads what stands below the head; `head` says what is known already."""
    found: list[FieldEvidence] = []
    annex = next(
        (row.index for row in rows[head.body :] if _ANNEX.match(row.tight) and row.index > head.body),
        len(rows),
    )
    copied = _copied(rows, found)
    printed, printed_by = _printed(rows, head, found)
    signed, organ_rows = _signed(rows, head, annex, transcript, found)
    organs = _organs(rows, head, organ_rows, found)
    note, public_note = _note(rows, head, found)
    count = _print_count(rows, found)
    return Tail(
        organs=organs,
        signed=signed,
        printed=printed,
        printed_by=printed_by,
        print_count=count,
        copied_to=copied,
        note=note,
        public_note=public_note,
        attachments=_attachments(rows, head, annex, found),
        evidence=tuple(found),
    )


def _signed(
    rows: tuple[Row, ...], head: Head, annex: int, transcript: Transcript, found: list[FieldEvidence]
) -> tuple[date | None, tuple[Row, ...]]:
    candidates = [one for row in rows if (one := _candidate(rows, row, head, annex)) is not None]
    if not candidates:
        return _by_signing_words(rows, found), ()
    candidates.sort(key=lambda one: (-one.score, one.row.index))
    best = candidates[0]
    doubt: tuple[str, ...] = ("repaired",) if best.repaired else ()
    near = [one for one in candidates[1:] if best.score - one.score < 0.75 and one.day != best.day]
    if near:
        doubt = (*doubt, "two_candidates")
    seal = next((page.seal for page in transcript.pages if page.number == best.row.page), None)
    if seal and _overlap(seal, best.row.line.box):
        doubt = (*doubt, "covered_by_seal")
    certainty = 0.98 if best.score >= 3 else 0.85 if best.score >= 1.5 else 0.6
    certainty -= 0.2 * len(doubt)
    rule = "date.signature" if best.organs else "date.label" if best.label else "date.line"
    found.append(
        evidence("date", best.day.isoformat(), [best.row], rule=rule, certainty=certainty, doubt=doubt)
    )
    return best.day, best.organs


def _candidate(rows: tuple[Row, ...], row: Row, head: Head, annex: int) -> _Candidate | None:
    read = find_date(row.tight)
    if read is None or len(row.tight) > 70 or _PRINTED.search(row.tight):
        return None
    if _followed_by_print(rows, row):
        return None
    day, (start, end), repaired = read
    before = _SEAL_WORDS.sub("", row.tight[:start]).strip("(")
    behind = _SEAL_WORDS.sub("", row.tight[end:]).strip(")")
    label = bool(_DATE_LABEL.match(before))
    if behind and not re.fullmatch(r"(?:于[\u4e00-\u9fff]{2,6})", behind):
        adopted = row.tight.startswith("(") and "通过" in behind and row.index < head.body + 2
        return _Candidate(0.8, day, row, repaired, (), False) if adopted else None
    names = re.sub(r"^第.{1,5}期", "", before)
    own = bool(names) and not label
    if own and not any(is_organ(part) for part in (names, names.split("、")[0], names[-12:])):
        return None
    signature = (row,) if own else _signature(rows, row, head)
    score = 0.0
    if signature:
        score += 3.0
    elif row.index and _PERSON.match(rows[row.index - 1].tight) and row.index > head.body:
        score += 1.5
    if label:
        score += 2.0 if row.index <= head.body + 2 else 1.0
    score += 1.0 if row.index > head.body else -0.5
    score += 1.5 if row.index < annex else -1.5
    if head.number_year is not None:
        score += 1.0 if day.year == head.number_year else 0.3 if day.year == head.number_year + 1 else -0.5
    if row.line.box.left > 0.35 and row.line.box.right > 0.55:
        score += 0.4
    if any(
        re.match(r"^(?:抄送|抄报|分送)[:：]", one.tight) for one in rows[max(0, row.index - 3) : row.index]
    ):
        score -= 2.0
    return _Candidate(score, day, row, repaired, signature, label)


def _followed_by_print(rows: tuple[Row, ...], row: Row) -> bool:
    after = rows[row.index + 1] if row.index + 1 < len(rows) else None
    return after is not None and after.tight in ("印发", "印制") and after.page == row.page


def _signature(rows: tuple[Row, ...], row: Row, head: Head) -> tuple[Row, ...]:
    """The rows of organs right above a date, at most six."""
    found: list[Row] = []
    for above in reversed(rows[max(head.body - 1, 0, row.index - 6) : row.index]):
        plain = _SEAL_WORDS.sub("", above.text).strip()
        parts = split_organs(plain)
        if (
            above.index < head.body
            or len(above.tight) > 60
            or re.match(r"^附件|^[一二三四五六七八九十]+、|^\d", above.tight)
        ):
            break
        if all(is_organ(tight(part)) for part in parts) or _names_lead(tight(plain), head):
            found.insert(0, above)
        elif not found and _PERSON.match(above.tight):
            continue
        else:
            break
    return tuple(found)


def _names_lead(text: str, head: Head) -> bool:
    title = tight(head.title or "")
    return 2 <= len(text) <= 30 and (
        title.startswith(text) or any(text in row.tight for row in head.letterhead)
    )


def _by_signing_words(rows: tuple[Row, ...], found: list[FieldEvidence]) -> date | None:
    """Papers without a date line: `签订日期:…`, `会议时间:…`, as a doubtful value."""
    for row in rows:
        label = re.match(
            r"^(?:签订|签署|签约|订立|编制|填报|填表|报告|形成|会议|印发|制表)?(?:日期|时间)[:：]", row.tight
        )
        read = find_date(row.tight) if label else None
        if read:
            found.append(
                evidence(
                    "date",
                    read[0].isoformat(),
                    [row],
                    rule="date.words",
                    certainty=0.6,
                    doubt=("two_candidates",),
                )
            )
            return read[0]
    return None


def _organs(
    rows: tuple[Row, ...], head: Head, signature: tuple[Row, ...], found: list[FieldEvidence]
) -> tuple[str, ...]:
    signed: list[str] = []
    for row in signature:
        text = _SEAL_WORDS.sub("", row.raw)
        read = find_date(tight(text))
        if read:
            text = tight(text)[: read[1][0]]
        signed += [name for name in split_organs(text) if name]
    labelled = _labelled_organ(rows)
    title = _title_organs(head.title)
    letterhead = [
        name
        for row in head.letterhead
        for name in split_organs(re.sub(r"\s*(?:文\s*件|命\s*令|令)\s*$", "", row.raw))
        if name
    ]
    letterhead = [name for name in letterhead if is_organ(tight(name))]
    for names, rule, certainty in (
        (signed, "organ.signature", 0.95),
        (labelled, "organ.label", 0.9),
        (title, "organ.title", 0.9),
        (letterhead, "organ.letterhead", 0.9),
    ):
        if not names:
            continue
        unique = tuple(dict.fromkeys(names))
        if (
            rule == "organ.signature"
            and len(title) > len(unique)
            and tight("".join(unique)) == "".join(title)
        ):
            unique = tuple(title)
        others = [tight(name) for group in (title, letterhead) for name in group]
        doubt: tuple[str, ...] = ()
        if (
            rule == "organ.signature"
            and others
            and not any(_same(tight(name), other) for name in unique for other in others)
        ):
            certainty, doubt = 0.7, ("two_candidates",)
        place = signature if rule == "organ.signature" else head.letterhead or rows[:1]
        found.append(evidence("organ", "、".join(unique), place, rule=rule, certainty=certainty, doubt=doubt))
        return unique
    return ()


def _same(one: str, other: str) -> bool:
    return (
        one in other
        or other in one
        or len(set(one) & set(other)) >= 0.7 * min(len(set(one)), len(set(other)))
    )


def _labelled_organ(rows: tuple[Row, ...]) -> list[str]:
    for row in rows[:30]:
        found = re.match(
            r"^(?:发文|发电|制发|签发|来文|印发|编制|发布)(?:机关|单位|部门)[:：](?P<o>.{2,40})$", row.tight
        )
        if found:
            return [found["o"]]
    return []


def _title_organs(title: str | None) -> list[str]:
    if not title:
        return []
    lead = re.split(r"关于|转发|印发|批转|[(（《]", title)[0].strip()
    parts = list(split_organs(lead))
    return parts if lead != title and parts and all(is_organ(tight(part)) for part in parts) else []


def _copied(rows: tuple[Row, ...], found: list[FieldEvidence]) -> tuple[str, ...]:
    names: list[str] = []
    for row in rows:
        label = _CC.match(row.tight)
        if not label:
            continue
        block, text = [row], label["cc"]
        for after in rows[row.index + 1 : row.index + 6]:
            if (
                text.endswith("。")
                or _CC.match(after.tight)
                or find_date(after.tight)
                or _COUNT.search(after.tight)
            ):
                break
            block.append(after)
            text += after.tight
        names += [part for part in re.split(r"[,，;；、。]", text) if part]
        found.append(evidence("copied_to", text.rstrip("。"), block, rule="cc", certainty=0.95))
    return tuple(dict.fromkeys(names))


def _printed(rows: tuple[Row, ...], head: Head, found: list[FieldEvidence]) -> tuple[date | None, str | None]:
    for row in reversed(rows[head.body :]):
        read = find_date(row.tight)
        if read is None or not (row.tight[read[1][1] :].startswith("印") or _followed_by_print(rows, row)):
            continue
        if len(row.tight) > 70:
            continue
        organ = row.tight[: read[1][0]].strip("()") or None
        if organ is None and row.index and is_organ(rows[row.index - 1].tight):
            organ = rows[row.index - 1].tight
        doubt = ("repaired",) if read[2] else ()
        found.append(
            evidence("printed_date", read[0].isoformat(), [row], rule="printed", certainty=0.95, doubt=doubt)
        )
        if organ:
            found.append(evidence("printed_by", organ, [row], rule="printed", certainty=0.9))
        return read[0], organ
    return None, None


def _print_count(rows: tuple[Row, ...], found: list[FieldEvidence]) -> int | None:
    for row in reversed(rows):
        count = _COUNT.search(row.tight)
        if count and len(row.tight) < 60:
            found.append(evidence("print_count", count["n"], [row], rule="print_count", certainty=0.95))
            return int(count["n"])
    return None


def _note(rows: tuple[Row, ...], head: Head, found: list[FieldEvidence]) -> tuple[str | None, bool]:
    note, public = None, False
    for row in rows:
        text = row.tight
        framed = re.fullmatch(r"[(](?P<note>.{2,80})[)]", text)
        if (
            framed
            and row.index >= head.body
            and (re.search(r"此件|本件|联系人|发至|传达|公开|登报|存档", text))
        ):
            note = note or framed["note"]
            found.append(evidence("note", framed["note"], [row], rule="note", certainty=0.95))
        if len(text) <= 30 and _PUBLIC_NOTE.search(text) and not re.search(r"不予?公开|依申请|不宜", text):
            public = public or bool(re.search(r"此件|本件|该件", text) or framed or text == "公开发布")
        contact = _CONTACT.search(text)
        if contact and row.index >= head.body:
            found.append(
                evidence(
                    "contact", f"{contact['name']} {contact['tel']}", [row], rule="contact", certainty=0.9
                )
            )
    return note, public


def _attachments(
    rows: tuple[Row, ...], head: Head, annex: int, found: list[FieldEvidence]
) -> tuple[str, ...]:
    for row in rows[head.body : annex]:
        first = _ATTACHED.match(row.tight)
        if not first:
            continue
        block, names = [row], [first["first"]]
        for after in rows[row.index + 1 : min(annex, row.index + 20)]:
            item = _ITEM.match(after.tight)
            if item:
                names.append(item["name"])
            elif is_organ(after.tight) or find_date(after.tight) or len(after.tight) > 40:
                break
            elif after.line.box.left > row.line.box.left + 0.02 and not re.search(r"[。:]", after.tight):
                names[-1] += after.tight
            else:
                break
            block.append(after)
        clean = tuple(re.sub(r"^\d{1,2}[.、．]", "", name).rstrip("。;") for name in names)
        found.append(evidence("attachments", "；".join(clean), block, rule="attachments", certainty=0.9))
        return clean
    return ()


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )
