"""The judged set: papers with the level, period and retention that a classification officer would sign.

One YAML file for each author (`judged/*.yaml`): an invented organisation with its own forms, words and habits. A group
is `author/template`; the split is the author's, so that no organisation, layout or phrase of the test is in training.
A template with `variants` or `fill` gives several papers of one group. Truth is argued from the policy in `why`.

Papers are text pages (`judged_page`); nothing is scanned. Fields are read by `extract`, as they would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, cast, get_args

import yaml

from ..models.level import Level
from ..models.page import Transcript
from ..models.period import Period
from ..models.policy.schema import Origin, Profile
from ..models.suggestion import RelatedDocument, Relations, Retention
from .judged_page import pages_of

Split = Literal["train", "test", "second"]
"""`second`: another test set, by an author who knew the first by its figures alone; read once, after all tuning."""
Sort = Literal[
    "marked", "odd_mark", "damaged", "running", "plain", "paraphrase", "scary", "negation", "actor",
    "personal", "cipher", "attachment", "derivative", "unit_list", "retention",
]  # fmt: skip
"""What makes a paper easy or hard:

marked: a sound mark; odd_mark: one that breaks a rule and must be flagged; damaged: as OCR gives it; running: mark
words only in text, tables, titles or quotations; plain: no mark, the policy's words; paraphrase: sensitive without
them; scary: harmless with frightening words; negation: negated, published, or not yet; actor: the same words, decided
by who acts on what; personal: personal data and lookalikes; cipher: telegrams; attachment: marks on attachments,
compilations; derivative: sources in the register; unit_list: the unit's own list; retention: chosen for
the retention table.
"""
UNMARKED: Final[frozenset[str]] = frozenset(
    {"plain", "paraphrase", "scary", "negation", "actor", "personal", "unit_list"}
)
HARD: Final[frozenset[str]] = frozenset(
    {"damaged", "running", "paraphrase", "scary", "negation", "actor", "odd_mark"}
)
_OWN_KEYS = frozenset(
    {
        "name", "hard", "why", "frame", "text", "profile", "origin", "important", "flags", "relations", "unit_items",
        "truth", "variants", "fill", "ocr",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is right for one paper. The first of several acceptable values is the best."""

    levels: tuple[Level, ...]
    """Acceptable levels; for a state topic without a mark, acceptable interim protections."""
    period: str | None = None
    """As `str(Period)`; None: no period may be suggested."""
    asks_period: bool = False
    ends: date | None = None
    """First day no longer protected; None: no date follows."""
    asks_ends: bool = False
    retention: tuple[Retention, ...] = ()
    """Acceptable retention periods; empty: not asked."""
    review: bool | None = None
    """Whether a person must be asked; None: either is sound."""
    overlays: frozenset[str] = frozenset()
    """Overlays that must be there."""
    no_overlays: frozenset[str] = frozenset()
    """Overlays that must not be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One paper of the set, with everything that `classify` and `retain` are given."""

    id: str
    group: str
    """`author/template`."""
    split: Split
    profile: Profile
    sort: Sort
    text: str
    """As written in the set: see `judged_page`."""
    ocr: bool
    """The text comes from OCR, not from a text layer."""
    relations: Relations
    origin: Origin | None
    important: bool | None
    flags: tuple[str, ...]
    truth: Truth
    why: str

    @property
    def transcript(self) -> Transcript:
        """The paper as it was read."""
        return pages_of(self.text, ocr=self.ocr)


def load_cases(split: Split | None = None) -> tuple[Case, ...]:
    """The cases of a split, or all; always in the same order.

    Raises:
        ValueError: a file of the set is unsound; names the group.
    """
    return tuple(case for case in _all_cases() if split in (None, case.split))


@cache
def _all_cases() -> tuple[Case, ...]:
    folder = files(__package__) / "judged"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(
        case
        for name in names
        for case in _cases_of(yaml.safe_load((folder / name).read_text(encoding="utf-8")))
    )


def _cases_of(author: Mapping[str, Any]) -> Iterator[Case]:
    for template in author["templates"]:
        group = f"{author['author']}/{template['name']}"
        for number, values in enumerate(_variants(template), start=1):
            try:
                yield _case(author, template, values, group=group, id_=f"{group}/{number}")
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{group}/{number}: {error!r}") from error


def _variants(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The explicit variants, or one for each row of `fill` (its lists side by side, shorter ones over again)."""
    if "variants" in template:
        return list(template["variants"])
    fill: Mapping[str, Sequence[Any]] = template.get("fill", {})
    rows = max((len(values) for values in fill.values()), default=1)
    return [{name: values[row % len(values)] for name, values in fill.items()} for row in range(rows)]


def _case(
    author: Mapping[str, Any],
    template: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    group: str,
    id_: str,
) -> Case:
    merged = {**author.get("defaults", {}), **template, **values}
    slots = {
        name: str(value) for name, value in merged.items() if name not in _OWN_KEYS and value is not None
    }
    text = merged["text"] if "text" in merged else author["frames"][merged.get("frame", "paper")]
    sort, profile, split = merged["hard"], merged.get("profile", author["profile"]), author["split"]
    for value, known in ((sort, Sort), (profile, Profile), (split, Split)):
        if value not in get_args(known):
            raise ValueError(value)
    truth = {**template.get("truth", {}), **values.get("truth", {})}
    return Case(
        id=id_, group=group, split=split, profile=profile, sort=sort, text=filled(text, slots),
        ocr=bool(merged.get("ocr", sort == "damaged")), relations=_relations(merged, slots),
        origin=cast("Origin | None", merged.get("origin")), important=merged.get("important"),
        flags=tuple(merged.get("flags", ())), truth=_truth(truth, slots), why=merged["why"],
    )  # fmt: skip


def filled(text: str, slots: Mapping[str, str]) -> str:
    """The text with its slots `{name}`; a line that is one empty slot goes. Slots may stand in slots.

    Raises:
        ValueError: a slot is left unfilled.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        bare = line.strip().lstrip("^>")
        if bare.startswith("{") and bare.endswith("}") and bare.count("{") == 1 and not slots.get(bare[1:-1]):
            continue
        lines.append(line)
    whole = "\n".join(lines)
    for _ in range(3):
        for name, value in slots.items():
            whole = whole.replace(f"{{{name}}}", value.rstrip("\n"))
    if "{" in whole:
        raise ValueError(whole[whole.index("{") :][:20])
    return whole


def _truth(raw: Mapping[str, Any], slots: Mapping[str, str]) -> Truth:
    def text(value: Any) -> str | None:
        return None if value is None else filled(str(value), slots)

    unknown = set(raw) - {"levels", "period", "ends", "retention", "review", "overlays", "no_overlays"}
    if unknown:
        raise ValueError(sorted(unknown))
    ends = text(raw.get("ends"))
    return Truth(
        levels=tuple(Level(filled(str(one), slots)) for one in raw["levels"]),
        period=text(raw.get("period")),
        asks_period="period" in raw,
        ends=date.fromisoformat(ends) if ends else None,
        asks_ends="ends" in raw,
        retention=tuple(Retention(filled(str(one), slots)) for one in raw.get("retention", ())),
        review=raw.get("review"),
        overlays=frozenset(raw.get("overlays", ())),
        no_overlays=frozenset(raw.get("no_overlays", ())),
    )


def _relations(merged: Mapping[str, Any], slots: Mapping[str, str]) -> Relations:
    related = tuple(
        RelatedDocument(
            document=f"D-{number}",
            doc_number=one.get("number"),
            level=Level(filled(one["level"], slots)) if one.get("level") else None,
            period=Period("years", number=one["years"]) if one.get("years") else None,
            ends=filled(str(one["ends"]), slots) if one.get("ends") else None,
            how=one.get("how", "cited"),
        )
        for number, one in enumerate(merged.get("relations", ()), start=1)
    )
    items = tuple(
        (str(one["item"]), str(one["level"]), str(one["period"]), tuple(one["words"]))
        for one in merged.get("unit_items", ())
    )
    return Relations(related=related, unit_items=items)
