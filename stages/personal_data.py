"""Personal data in a paper, as overlays: protection added to a level (个人信息保护法 art. 28).

A number counts only when its checksum proves it: identity cards by GB 11643-1999, bank cards by Luhn.
The contact given in a paper's note is office data and does not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..models.policy.schema import ContentRule, PersonalPattern, Policy
from ..models.suggestion import Evidence
from .content_match import Body, Hit, score_rule

_NAMED = re.compile(
    r"(?:患者|病人|姓名|当事人|申请人|被检者|受检者)(?:姓名)?:[\u4e00-\u9fff·]{2,4}|(?:患者|病人)[\u4e00-\u9fff](?:某|×|\*)"
)
_CONTACT = re.compile(r"(?:联系人|联系电话|电话|传真|邮箱|咨询)[:：]?[^\n。;]{0,40}$")
_FACTORS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_PATTERNS = ("id_card_18", "passport")


@dataclass(frozen=True, slots=True)
class PersonalHit:
    """One proved piece of personal data; `shown` keeps it unreadable."""

    pattern: str
    hit: Hit
    shown: str


def gb11643(number: str) -> bool:
    """Whether an 18-digit identity number has the right check digit (GB 11643-1999, ISO 7064 MOD 11-2)."""
    if not re.fullmatch(r"\d{17}[\dXx]", number):
        return False
    total = sum(int(digit) * factor for digit, factor in zip(number, _FACTORS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


def luhn(number: str) -> bool:
    """Whether a card number has the right check digit (ISO/IEC 7812-1)."""
    if not number.isdigit() or len(set(number)) == 1:
        return False
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _proved(pattern: PersonalPattern, value: str) -> bool:
    if pattern.check == "gb11643":
        return gb11643(value)
    if pattern.check == "luhn":
        return luhn(value) and not gb11643(value)
    return True


def find_personal(body: Body, policy: Policy) -> dict[str, tuple[PersonalHit, ...]]:
    """Proved personal data by pattern id. Digits must stand alone, not inside a longer number."""
    found: dict[str, list[PersonalHit]] = {}
    for pattern in policy.patterns.values():
        for match in pattern.regex.finditer(body.text):
            start, end = match.span()
            before, after = body.text[max(0, start - 1) : start], body.text[end : end + 1]
            if (
                match.group(0)[0].isalnum()
                and match.group(0)[0].isascii()
                and before.isascii()
                and before.isalnum()
            ):
                continue
            if after.isascii() and after.isalnum() and match.group(0)[-1].isascii():
                continue
            if not _proved(pattern, match.group(0)) or _is_contact(body, start, pattern.id):
                continue
            value = match.group(0)
            shown = value[:2] + "*" * max(1, len(value) - 4) + value[-2:]
            found.setdefault(pattern.id, []).append(
                PersonalHit(pattern.id, body.hit(pattern.id, start, end), shown)
            )
    return {name: tuple(hits) for name, hits in found.items()}


def _is_contact(body: Body, start: int, pattern: str) -> bool:
    return pattern in ("mobile", "email", "address") and bool(
        _CONTACT.search(body.text[max(0, start - 48) : start])
    )


def has_identity(body: Body, personal: dict[str, tuple[PersonalHit, ...]]) -> bool:
    """Whether the paper says whose data it is: a proved number, or a name behind a label."""
    return any(name in personal for name in _IDENTITY_PATTERNS) or bool(_NAMED.search(body.text))


def overlays_of(
    rules: tuple[ContentRule, ...],
    *,
    body: Body,
    found: dict[str, tuple[Hit, ...]],
    policy: Policy,
    kind: str | None,
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Overlays of the paper with their evidence. Proved numbers count by themselves; words of a rule
    that also has patterns count only with an identity or when two different ones stand there."""
    personal = find_personal(body, policy)
    identity = has_identity(body, personal)
    names: list[str] = []
    evidence: list[Evidence] = []
    for rule in rules:
        if rule.kind != "overlay" or rule.overlay is None:
            continue
        proofs = [hit for name in rule.words.patterns for hit in personal.get(name, ())]
        scored = score_rule(rule, body=body, found=found, policy=policy, kind=kind)
        words = scored.hits if scored else ()
        if rule.words.with_identity and not identity:
            continue
        if not proofs and rule.words.patterns and not identity and len({hit.word for hit in words}) < 2:
            continue
        if not proofs and not words:
            continue
        if rule.overlay not in names:
            names.append(rule.overlay)
        evidence += [
            Evidence(
                "overlay",
                rule.id,
                rule.source,
                f"{proof.pattern} {proof.shown}",
                proof.hit.page,
                proof.hit.box,
                0.95,
            )
            for proof in proofs[:4]
        ]
        evidence += [
            Evidence("overlay", rule.id, rule.source, f"{hit.word}：{hit.context}", hit.page, hit.box, 0.6)
            for hit in words[:3]
        ]
    return tuple(names), tuple(evidence)
