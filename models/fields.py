"""The fields of an official document (GB/T 9704-2012 chapter 7; 党政机关公文处理工作条例 art. 9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from .mark import Mark, MarkChange
from .page import Box

FieldName = Literal[
    "serial", "mark", "urgency", "organ", "doc_number", "signer", "title", "recipients", "copied_to",
    "date", "adopted_date", "printed_date", "printed_by", "print_count", "kind", "note", "attachments", "contact",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """Where one field's value was read, and how sure that is (0..1)."""

    name: FieldName
    value: str
    raw: str
    page: int
    box: Box | None
    score: float
    rule: str
    """Which pattern or place gave it: `doc_no`, `title.under_rule`, …"""
    doubt: tuple[str, ...] = ()
    """Finding codes: `low_confidence`, `covered_by_seal`, `repaired`, `two_candidates`, `impossible_date` …"""
    alternatives: tuple[str, ...] = ()
    """Other values that the paper may be read to give, the likeliest first."""


@dataclass(frozen=True, slots=True)
class OfficialFields:
    """What a register needs to know of a paper; None where it does not say."""

    serials: tuple[str, ...] = ()
    """来文份号, six digits each."""
    mark: Mark | None = None
    """密级★保密期限 as printed on the paper."""
    urgency: str | None = None
    organs: tuple[str, ...] = ()
    """发文机关, the lead organ first."""
    doc_number: str | None = None
    """发文字号, normalised: `国发〔2024〕5号`."""
    signers: tuple[str, ...] = ()
    title: str | None = None
    recipients: tuple[str, ...] = ()
    """主送机关."""
    copied_to: tuple[str, ...] = ()
    """抄送机关."""
    signed_date: date | None = None
    """成文日期."""
    adopted_date: date | None = None
    """会议通过日期, in parentheses under the title."""
    printed_date: date | None = None
    """印发日期."""
    print_count: int | None = None
    kind: str | None = None
    """文种: one of the fifteen, or the literal word."""
    note: str | None = None
    attachments: tuple[str, ...] = ()
    public_note: bool = False
    """此件公开发布."""
    old_declassified: bool = False
    """A 解密 stamp stands at the mark."""
    mark_changes: tuple[MarkChange, ...] = ()
    """Old marks struck out, named as former or changed, and 解密 stamps, with date and organ."""
    evidence: tuple[FieldEvidence, ...] = field(default=())
