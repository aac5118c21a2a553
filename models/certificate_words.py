"""Words for the codes of a certificate: what a reader without the program understands.

Codes are what is signed and compared; words are what is printed, and what stands beside the codes in `certificate.json`
and on the screen. A number within a code (`sampled_64_of_900`) is a fact of its sentence.
"""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING

from ..common.messages import Lang, catalogue, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .certificate import DestructionRecord

_NUMBER = re.compile(r"\d+")


def word(group: str, code: str, lang: Lang = "zh") -> str:
    """The form's word for a code of a group (`why`, `verdict`, `method` …), else the catalogue's, else the code."""
    facts = dict(zip(ascii_lowercase, _NUMBER.findall(code), strict=False))
    for key in (f"form_{group}_{code}", f"form_{group}_{_NUMBER.sub('n', code)}"):
        if key in catalogue():
            return say(key, lang, **facts)
    return said(code, lang)


def said(code: str, lang: Lang = "zh") -> str:
    """The catalogue's text of a code; a code without one as it is."""
    return say(code, lang) if code in catalogue() else code


def why(reason: str | None, lang: Lang = "zh") -> str:
    """Why a check came out as it did, in words; empty where nothing is to be said."""
    return word("why", reason, lang) if reason else ""


def glossary(record: DestructionRecord, claims: Sequence[str]) -> dict[str, dict[str, str]]:
    """Group -> code -> words, of every code the record uses: so that its JSON is read without this program."""
    artefacts = [artefact for item in record.items for artefact in item.artefacts]
    used: dict[str, set[str | None]] = {
        "act": {who.act for who in record.required},
        "claim": set(claims),
        "fate": {one.fate for one in record.written_off},
        "grade": {artefact.grade for artefact in artefacts},
        "method": {method for artefact in artefacts for method in artefact.methods},
        "outcome": {one.outcome for item in record.items for one in item.closure},
        "reason": {record.reason},
        "reservation": {entry.code for entry in record.reservations},
        "result": {check.result for check in record.checks},
        "role": {who.role for who in record.required},
        "root": {record.root.erased, *record.root.reasons},
        "verdict": {record.verdict, *(item.status for item in record.items)},
        "why": {check.reason for check in record.checks},
    }
    return {
        group: {code: word(group, code) for code in sorted(filter(None, codes))}
        for group, codes in used.items()
    }
