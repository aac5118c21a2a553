"""销毁审批表 (destruction.md 6.1) and the batch's summary: what was asked for, and who agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..models.certificate import DestructionRecord, InventoryLine, RequiredSigner
from . import certify_words as words
from .certify_form import Column, Form, label

_OPINIONS = (
    ("leader", ("leader_in_charge", "principal_delegate")),
    ("principal", ("principal",)),
)
_ROOM = ("office_director", "determiner")


def draw_approval(
    form: Form, record: DestructionRecord, inventory: Sequence[InventoryLine], names: Mapping[str, str]
) -> None:
    """One page: what is to be destroyed and why; opinions with signature and date as the matrix asked."""
    form.page()
    form.y = 20
    form.centred(label("approval_title"), 22, bold=True)
    proposer = next((who for who in record.required if who.act == "propose"), None)
    physical = record.physical
    planned = word_of_route(record)
    form.pairs(
        [
            (label("batch"), record.batch or label("draft_no")),
            (label("unit"), record.unit),
            (label("applicant"), _signed(proposer, names) if proposer else label("none")),
            (label("reason"), words.word("reason", record.reason)),
            (label("basis"), label("basis_value", version=record.policy_version)),
            (label("totals"), words.totals(inventory)),
            (label("levels"), words.levels(inventory)),
            (label("planned"), f"{planned}　{record.place or (physical.place if physical else '') or ''}"),
            (label("times"), f"{words.time(record.started_at)} — {words.time(record.finished_at)}"),
            (label("list_hash"), record.list_sha256),
            (
                label("retention_check"),
                label("retention_check_value", at=words.time(record.holds_checked_at)),
            ),
            (label("opinion_department"), _counted(record, names)),
            (label("opinion_room"), _opinion(record, names, _ROOM)),
            *((label(f"opinion_{key}"), _opinion(record, names, roles)) for key, roles in _OPINIONS),
        ],
        size=10.5,
    )
    _summary(form, record, inventory)


def word_of_route(record: DestructionRecord) -> str:
    """How it was to be done."""
    if record.physical is not None:
        return words.word("route", record.physical.route)
    return words.methods(record)


def _summary(form: Form, record: DestructionRecord, inventory: Sequence[InventoryLine]) -> None:
    """批次汇总: by level, and in all."""
    form.heading(label("summary_title"))
    form.table(_SUMMARY(form), summary_rows(record, inventory), size=9.5)


def _SUMMARY(form: Form) -> tuple[Column, ...]:  # noqa: N802
    heads = ("col_level", "col_count", "col_copies_sum", "col_pages_sum", "col_keys", "col_files")
    return tuple(Column(label(head), form.width / len(heads), "C") for head in heads)


def summary_rows(record: DestructionRecord, inventory: Sequence[InventoryLine]) -> list[tuple[str, ...]]:
    """Rows of the summary: level, items, copies, pages, key slots, files; the last one is the sum."""
    outcomes = {item.item: item for item in record.items}
    rows: dict[str, list[int]] = {}
    for line in inventory:
        row = rows.setdefault(line.level, [0, 0, 0, 0, 0])
        outcome = outcomes.get(line.item)
        row[0] += 1
        row[1] += line.copies
        row[2] += line.pages or 0
        row[3] += len(outcome.slots) if outcome else 0
        row[4] += len(outcome.artefacts) if outcome else 0
    whole = [sum(column) for column in zip(*rows.values(), strict=True)] or [0] * 5
    return [
        (level, *(str(number) for number in row)) for level, row in [*rows.items(), (label("sum"), whole)]
    ]


def _counted(record: DestructionRecord, names: Mapping[str, str]) -> str:
    who = "　".join(_signed(one, names) for one in record.required if one.act == "count")
    return label("opinion_counted", names=who) if who else label("to_sign")


def _opinion(record: DestructionRecord, names: Mapping[str, str], roles: Sequence[str]) -> str:
    given = [who for who in record.required if who.act == "approve" and who.role in roles]
    if not given:
        return label("opinion_not_asked")
    if any(not who.at for who in given):
        return label("to_sign")
    accepted = sorted(
        {
            words.said(entry.code)
            for entry in record.reservations
            if {f"approve:{who.person}" for who in given} & set(entry.accepted_by)
        }
    )
    text = label("opinion_given", names="　".join(_signed(who, names) for who in given))
    return f"{text}　{label('accepts', codes='；'.join(accepted))}" if accepted else text


def _signed(who: RequiredSigner, names: Mapping[str, str]) -> str:
    return f"{words.name(who.person, names)} {words.time(who.at)}".strip()
