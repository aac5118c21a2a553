"""发文机关: what letterhead, title, signature, 版记 and labels say of it, and which of them is believed.

A signature stands under a seal: characters of the seal's ring come before its name, and some of its own are lost.
Where a clean name elsewhere on the paper agrees with what is left, that name is taken and the repair is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..models.fields import FieldEvidence
from ..models.page import Box
from .fields_text import Row, evidence, is_organ, join, normal, split_organs, tight

SEAL_WORDS = re.compile(r"[(](?:盖章|印章|公章|章|签章|印|代章|签字|盖印)[)]")
NEAR = 0.5
"""Share of a clean name that must be left of a damaged one."""
BROKEN = 2
"""No name is so short: characters that stand so far apart from it begin the next."""
SURE = 0.97
"""A row read with less confidence may have lost a character without anybody's notice."""
_HIGHER = re.compile(
    r"(?:^(?:中华人民共和国|国家|中共|中央|共青团|中国|全国)|[省市县区州旗盟镇乡村国]|街道|集团|公司|大学|学院|医院|[厅局部委])$"
)
_LEFT_OUT = frozenset(
    [
        "和", "与", "及", "、", "员会", "委员会", "有限", "责任", "股份", "有限责任", "股份有限", "省", "市", "县",
        "区", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "人民", "办公", "管理", "中华人民共和国", "国家",
        "中国", "中共",
    ]
)  # fmt: skip
"""What short forms of organs' names leave out: 国家发展和改革委员会 is 国家发展改革委."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the paper gives elsewhere than in its signature."""

    letterhead: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    """A letterhead of several lines read as one name."""
    printed_by: str | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """All of them, tight, without doubles."""
        names = (*self.letterhead, *self.title, *self.label, *self.whole)
        return tuple(dict.fromkeys(tight(name) for name in names))


def title_organs(
    title: str | None, rows: tuple[str, ...] = (), letterhead: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The organs that a title begins with.

    Args:
        title: in one line.
        rows: its tight rows: organs of a joint paper stand in one each.
        letterhead: names that part what stands together.
    """
    if not title:
        return ()
    several = _several(re.split(r"关于|转发|印发|批转|[(（《]", tight(title))[0], rows, letterhead)
    if several:
        return several
    lead = re.split(r"关于|转发|印发|批转|[(（《]", title)[0].strip()
    parts = split_organs(lead)
    return parts if lead != title and parts and all(is_organ(tight(part)) for part in parts) else ()


def _several(lead: str, rows: tuple[str, ...], letterhead: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a lead that has more than one, parted by the letterhead or by the rows."""
    found: list[str] = []
    rest = lead
    while rest:
        name = max((tight(one) for one in letterhead if rest.startswith(tight(one))), key=len, default="")
        if not name:
            break
        found.append(name)
        rest = rest[len(name) :]
    if not rest and len(found) > 1:
        return tuple(found)
    own: list[str] = []
    for row in rows:
        part = re.split(r"关于|转发|印发|批转|[(（《]", row)[0]
        if not part:
            break
        if not is_organ(part) or len(part) < 5:
            return ()
        own.append(part)
        if part != row:
            break
    return tuple(own) if len(own) > 1 and "".join(own) == lead else ()


def letterhead_organs(letterhead: tuple[Row, ...]) -> tuple[str, ...]:
    """The organs of a letterhead; names broken over two lines are put together."""
    texts = [
        re.sub(r"\s*(?:红\s*头)?\s*(?:文\s*件|命\s*令|令)(?:\s*[(（].{1,8}[)）])?\s*$", "", normal(row.raw))
        for row in letterhead
        if tight(row.raw) != "文件"
    ]
    found: list[str] = []
    pending = ""
    for text in filter(None, texts):
        if pending and is_organ(tight(pending + text)):
            found.append(join(pending + text))
            pending = ""
            continue
        parts = split_organs(text)
        good = all(is_organ(tight(part)) for part in parts)
        if good:
            found += parts
        pending = text if not good and len(tight(text)) > 4 else ""
    return tuple(dict.fromkeys(found))


def broken_name(letterhead: tuple[Row, ...]) -> tuple[str, ...]:
    """A letterhead of several lines that is one name: `镜花实业有限公司董事` / `会文件`."""
    whole = re.sub(r"文件$", "", "".join(row.tight for row in letterhead))
    return (whole,) if len(letterhead) > 1 and len(whole) <= 40 and is_organ(whole) else ()


def labelled_organs(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """`发文机关:…` as forms have it."""
    for row in rows[:30]:
        found = re.match(
            r"^(?:发文|发电|制发|签发|来文|印发|编制|发布|制定)(?:机关|单位|部门)[:：](?P<o>[^:：]{2,40}?)(?:[\u4e00-\u9fff]{2,4}[:：].*)?$",
            row.tight,
        )
        if found and not re.search(r"\d", found["o"]):
            return (found["o"],)
    return ()


def signature_names(row: Row) -> tuple[str, ...]:
    """The names in a signature row, seal words and date taken off."""
    text = SEAL_WORDS.sub("", row.text)
    return tuple(name for name in split_organs(text) if name)


@dataclass(frozen=True, slots=True)
class _Signed:
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    doubt: tuple[str, ...]
    others: tuple[str, ...]


def read_organs(
    signature: tuple[tuple[Row, str], ...],
    names: Names,
    *,
    fallback: tuple[Row, ...],
    covered: tuple[tuple[int, Box], ...],
    scanned: frozenset[int],
    found: list[FieldEvidence],
    dated: bool = True,
) -> tuple[str, ...]:
    """发文机关, the lead organ first.

    Args:
        signature: rows above the date with the text in each that names somebody.
        names: what the rest of the paper says.
        fallback: rows for the evidence where no signature was found.
        covered: page and box of every seal.
        scanned: numbers of the pages that were read from a picture; on others no character is doubted.
        dated: the signature's date was found; without it rows of the signature may be lost too.
    """
    signed = _signed(signature, names, covered, scanned, dated=dated) if signature else None
    if signed and signed.names:
        values, rule, certainty, rows = signed.names, "organ.signature", 0.95, signed.rows
        doubt, others = signed.doubt, signed.others
        known = names.known
        if not doubt and known and not any(_alike(tight(n), k) for n in values for k in known):
            certainty, doubt = 0.7, ("two_candidates",)
            others = (*others, *known)
        certainty -= 0.15 * ("repaired" in doubt)
    else:
        ranked = (
            (names.label, "organ.label"), (names.title, "organ.title"), (names.letterhead, "organ.letterhead"),
        )  # fmt: skip
        values, rule = next(((group, rule) for group, rule in ranked if group), ((), ""))
        if not values:
            return ()
        certainty, rows, doubt = 0.9, fallback, ()
        others = tuple("、".join(group) for group, _ in ranked if group and group != values)
    found.append(
        evidence("organ", "、".join(values), rows, rule=rule, certainty=certainty, doubt=doubt,
                 alternatives=others)
    )  # fmt: skip
    return values


def _signed(
    signature: tuple[tuple[Row, str], ...],
    names: Names,
    covered: tuple[tuple[int, Box], ...],
    scanned: frozenset[int],
    *,
    dated: bool,
) -> _Signed:
    known = names.known
    values: list[str] = []
    rows: list[Row] = []
    doubt: list[str] = []
    others: list[str] = []
    title = names.title
    whole = "".join(tight(text) for _, text in signature)
    parted = [name for _, text in signature for name in split_organs(text)]
    clear = len(parted) > 1 and all(is_organ(tight(name)) for name in parted)
    if len(title) > 1 and not clear and whole == "".join(map(tight, title)):
        return _Signed(tuple(title), tuple(row for row, _ in signature), (), ())
    for row, text in signature:
        under = _is_covered(row, covered)
        for name in _runs(row, text, known):
            clean, how = _clean(tight(name), known, under=under, row=row, scanned=row.page in scanned)
            if clean is None:
                others.append(name)
                continue
            values.append(clean if how else name)
            rows.append(row)
            if how:
                doubt.append("repaired")
                others.append(name)
        if under:
            doubt.append("covered_by_seal")
    kept = _supported(values, rows, known, others)
    kept = [name for name in kept if tight(name) in known or not _is_scrap(tight(name), kept)]
    joint = tuple(map(tight, names.letterhead))
    if len(joint) > 1 and kept and {tight(name) for name in kept} <= set(joint):
        # names stand in the signature in the order of the letterhead; under seals some are lost
        lost = len(set(joint)) > len({tight(name) for name in kept})
        scan = any(row.page in scanned for row in rows)
        if not lost or (scan and (others or doubt or not dated)):
            kept = list(names.letterhead)
            doubt += ["repaired"] * lost
    return _Signed(tuple(dict.fromkeys(kept)), tuple(rows), tuple(dict.fromkeys(doubt)), tuple(others))


def _runs(row: Row, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a row; runs that stand apart are names of their own, also damaged ones."""
    names = split_organs(text)
    runs = [run for run in re.split(r"\s{2,}|\u3000+", SEAL_WORDS.sub("", row.raw).strip()) if run]
    for at in reversed(range(len(runs) - 1)):
        if len(runs[at]) <= BROKEN:  # the ring of a seal crosses a name behind its first characters
            runs[at : at + 2] = ["".join(runs[at : at + 2])]
    if len(names) > 1 or len(runs) < 2 or tight("".join(runs)) != tight(text):
        return names
    like = [any(share_of(tight(run), name) >= NEAR for name in known) for run in runs]
    return tuple(runs) if all(like) else names


def _is_scrap(name: str, names: list[str]) -> bool:
    """Whether a name is the middle or the end of another one: a seal's ring leaves such pieces beside it."""
    return any(name != tight(one) and name in tight(one)[1:] for one in names)


def _supported(values: list[str], rows: list[Row], known: tuple[str, ...], others: list[str]) -> list[str]:
    """Without names that only the ring of a seal gives, where the others are borne out by the paper."""
    firm = [value for value in values if tight(value) in known]
    if not firm:
        return values
    kept: list[str] = []
    for value, row in zip(values, rows, strict=False):
        weak = row.line.confidence < 0.9 or (row.line.size_mm is None and row.line.confidence < SURE)
        if tight(value) in known or not weak:
            kept.append(value)
        else:
            others.append(value)
    return kept


def _clean(
    name: str, known: tuple[str, ...], *, under: bool, row: Row, scanned: bool
) -> tuple[str | None, bool]:
    """The name to believe for one read in a signature, and whether that is a repair; None for no name at all."""
    if name in known:
        return name, False
    best = max(known, key=lambda one: share_of(name, one), default=None)
    if best is None or not scanned:
        return (name, False) if is_organ(name) or (best and share_of(name, best) >= NEAR) else (None, False)
    if best in name:
        # the ring of a seal was read in front of the name, or behind it
        before, behind = name.split(best, 1)
        legitimate = (bool(_HIGHER.search(before)) and not behind) or (
            not before and is_organ(name) and len(behind) > 2
        )
        return (name, False) if legitimate and not (under and row.line.confidence < 0.9) else (best, True)
    if _stutters(name, best):
        return best, True
    ends = [one for one in known if one != name and one.endswith(name)]
    whole = min(ends, key=len, default="")
    alike = all(one.endswith(whole) for one in ends)
    # cut in the middle of a word (`生健康局`) it is no short form of the organ
    if whole and alike and len(name) > 1 and not _HIGHER.search(whole[: len(whole) - len(name)]):
        return whole, True
    share = share_of(name, best)
    if not is_organ(name):
        return (best, True) if share >= NEAR else (None, False)
    if _is_form_of(name, best, sure=row.line.confidence >= SURE and not under):
        return name, False
    # a well-formed name may be another organ's; one that lost or changed a few characters is the same organ's
    only_lost = share * len(best) >= len(name) - 0.01
    changed = abs(len(name) - len(best)) <= 1 and share >= 0.6 and (under or row.line.confidence < SURE)
    one_wrong = len(name) == len(best) >= 8 and share >= 0.8
    if changed or one_wrong or (only_lost and share >= NEAR - 0.1):
        return best, True
    return name, False


def _stutters(name: str, whole: str) -> bool:
    """Whether the name is `whole` with some of its characters read twice: pieces of one row that overlap."""
    more = len(name) - len(whole)
    if not 2 <= more <= len(whole) // 2:
        return False
    return any(
        name[:at] + name[at + more :] == whole and name[at : at + more] == name[at - more : at]
        for at in range(more, len(name) - more + 1)
    )


def _is_form_of(name: str, whole: str, *, sure: bool) -> bool:
    """Whether the name is another usual form of the organ: an end left off, 和 or 有限 left out."""
    if whole.startswith(name):
        return True
    if not sure:
        return False
    if whole.endswith(name) and _HIGHER.search(whole[: len(whole) - len(name)]):
        return True
    steps = SequenceMatcher(None, whole, name, autojunk=False).get_opcodes()
    return all(
        kind == "equal" or (kind == "delete" and whole[start:end] in _LEFT_OUT)
        for kind, start, end, _, _ in steps
    )


def share_of(part: str, whole: str) -> float:
    """How much of a clean name is found again in a read one, in order."""
    blocks = SequenceMatcher(None, part, whole, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(1, len(whole))


def _alike(one: str, other: str) -> bool:
    return (
        one in other
        or other in one
        or len(set(one) & set(other)) >= 0.7 * min(len(set(one)), len(set(other)))
    )


def _is_covered(row: Row, covered: tuple[tuple[int, Box], ...]) -> bool:
    return any(page == row.page and overlap(box, row.line.box) for page, box in covered)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes of one page share a place."""
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )
