"""The nouns of the generator: a made-up paper before it has pages, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..models.fields import OfficialFields
from ..models.level import Level
from ..models.period import Period
from ..models.suggestion import Basis

Split = Literal["train", "test"]
Format = Literal["pdf", "scan", "tiff", "tiff-grey", "fax", "jpeg", "png", "docx", "ofd"]
Severity = Literal["clean", "office", "bad", "awful"]
Layout = Literal["standard", "upward", "letter", "order", "minutes", "old", "telegram", "company", "plain"]
Origin = Literal["self", "superior", "peer", "subordinate"]
Profile = Literal["organ", "company", "soe", "hospital", "college"]
BlockKind = Literal["para", "head", "sub", "item", "table", "ticks"]

SPLITS: tuple[Split, ...] = ("train", "test")
FORMATS: tuple[Format, ...] = ("pdf", "scan", "tiff", "tiff-grey", "fax", "jpeg", "png", "docx", "ofd")
SEVERITIES: tuple[Severity, ...] = ("clean", "office", "bad", "awful")
SUFFIX: dict[Format, str] = {
    "pdf": ".pdf", "scan": ".pdf", "tiff": ".tif", "tiff-grey": ".tif", "fax": ".tif", "jpeg": ".jpg",
    "png": ".png", "docx": ".docx", "ofd": ".ofd",
}  # fmt: skip
STAMP = "样张　虚构文件　不具任何效力"
"""What stands on every page, drawn into it."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of the body. `text` for all but a table, which has `rows` (the first is its head).

    `ticks`: a line with tick boxes, which counts outside the paper's text.
    """

    kind: BlockKind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Annex:
    """An annex 附件: begins a new page with `附件1` (`附件` when it is the only one), then its title."""

    title: str
    body: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a careful person would answer about the paper."""

    level: Level | None
    basis: Basis
    period: Period | None = None
    interim: Level | None = None
    overlays: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """What deserves a warning: `term_above_maximum`, `forever_below_top`, `mark_on_public_kind` …"""
    retention: str | None = None
    """永久, 30年, 10年, 不归档, or None where the words do not settle it."""
    retention_flags: tuple[str, ...] = ()
    """Flags of the policy's retention rules that a person sees on the paper."""
    important: bool | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A made-up paper: what it says and how it is laid out, before any page is drawn."""

    id: str
    split: Split
    template: str
    profile: Profile
    layout: Layout
    unit: str
    """The receiving unit from whose place `origin` is told."""
    origin: Origin
    letterhead: tuple[str, ...]
    """Names in the letterhead, the lead organ first; without 文件."""
    fields: OfficialFields
    mark_text: str
    """The mark as it prints, empty when there is none."""
    date_text: str
    body: tuple[Block, ...]
    expected: Expected
    seal: bool = True
    subject_words: str = ""
    """主题词, before 2012 only."""
    printed_by: str = ""
    signed_by: str = ""
    """Who signs an order."""
    contact: str = ""
    telegram: tuple[tuple[str, str], ...] = ()
    """Head of a telegram: (label, value)."""
    annexes: tuple[Annex, ...] = ()
    red_head: bool = True
    """False: the letterhead is black, as many companies print it."""
    running_head: str = ""
    """Printed above the text of every page but the first."""
