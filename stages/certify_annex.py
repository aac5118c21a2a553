"""Tables of a certificate of destruction: outcomes item by item, what was made of them, paper and media, annexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from ..models.certificate import ClearTrace, Derived, DestructionRecord
from ..models.physical import MediumRecord, PhysicalFacts
from . import certify_words as words
from .certify_form import Column, Form, label

_SUBJECTS = 6


def draw_outcomes(form: Form, record: DestructionRecord) -> None:
    """逐件处理结果, and the closure below it."""
    form.page(landscape=True)
    form.centred(label("outcomes_title"), 14, bold=True)
    columns = (
        Column(label("col_item"), 10, "C"),
        Column(label("col_id"), 30),
        Column(label("col_level"), 16, "C"),
        Column(label("col_status"), 20, "C"),
        Column(label("col_slots"), 40),
        Column(label("col_artefact"), 36),
        Column(label("col_sha"), 58),
        Column(label("col_methods"), 32),
        Column(label("col_grade"), form.width - 242),
    )
    form.table(columns, _rows(record), size=6.5)
    _closure(form, record)


def _rows(record: DestructionRecord) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for item in record.items:
        start = (
            str(item.item), item.id, item.level or "", words.word("verdict", item.status), " ".join(item.slots),
        )  # fmt: skip
        if not item.artefacts:
            rows.append((*start, "", "", "", ""))
        for number, artefact in enumerate(item.artefacts):
            what = f"{words.word('kind', artefact.kind)} {artefact.artefact}"
            methods = "、".join(words.word("method", method) for method in artefact.methods)
            done = (what, artefact.sha256 or "", methods, words.said(artefact.grade))
            rows.append((*(start if number == 0 else ("",) * 5), *done))
    return rows


def _closure(form: Form, record: DestructionRecord) -> None:
    """Items of which the same became are one row."""
    groups: dict[tuple[Derived, ...], list[int]] = {}
    for item in record.items:
        if item.closure:
            groups.setdefault(item.closure, []).append(item.item)
    if not groups:
        return
    form.heading(label("closure_title"))
    columns = (Column(label("col_item"), 40), Column(label("col_closure"), form.width - 40))
    form.table(columns, [(words.numbers(lines), _told(kinds)) for kinds, lines in groups.items()], size=8)


def _told(kinds: Sequence[Derived]) -> str:
    by: dict[str, list[str]] = {}
    for one in kinds:
        name = words.word("derived", one.kind)
        by.setdefault(one.outcome, []).append(f"{name} {one.count}" if one.count else name)
    return "；".join(f"{words.word('outcome', outcome)}：{'、'.join(names)}" for outcome, names in by.items())


def draw_reservations(form: Form, record: DestructionRecord, names: Mapping[str, str]) -> None:
    """What may survive, and who accepted it by which signed act."""
    if not record.reservations:
        return
    form.heading(label("reservations_title"))
    columns = (
        Column(label("col_reservation"), 76),
        Column(label("col_subjects"), 34),
        Column(label("col_accepted"), form.width - 110),
    )
    rows = []
    for entry in record.reservations:
        shown = "、".join(entry.subjects[:_SUBJECTS])
        if len(entry.subjects) > _SUBJECTS:
            shown = label("more_subjects", shown=shown, count=len(entry.subjects))
        accepted = []
        for one in entry.accepted_by:
            act, _, person = one.partition(":")
            accepted.append(f"{words.name(person, names)} {words.word('act', act)}")
        rows.append((words.said(entry.code), shown or label("whole_batch"), "、".join(accepted)))
    form.table(columns, rows, size=8.5)


def draw_physical(form: Form, facts: PhysicalFacts, names: Mapping[str, str]) -> None:
    """实物销毁情况, and a record for each medium."""
    form.heading(label("physical_title"))
    none = label("none")
    route = words.word("route", facts.route)

    def persons(ids: Sequence[str]) -> str:
        return "　".join(words.name(person, names) for person in ids) or none

    form.pairs(
        [
            (label("route"), f"{route}（{label('small')}）" if facts.small_amount else route),
            (label("method"), "、".join(words.word("method", method) for method in facts.methods)),
            (label("place"), facts.place),
            (label("times"), f"{words.time(facts.began)} — {words.time(facts.ended)}"),
            (label("performed"), persons(facts.performed_by)),
            (label("equipment"), " ".join(filter(None, (facts.equipment, facts.equipment_no))) or none),
            (label("standard"), " ".join(filter(None, (facts.standard, facts.grade))) or none),
            (label("plant"), facts.plant or none),
            (label("plant_receipt"), facts.plant_receipt or none),
            (label("escorts"), persons(facts.escorts)),
            (label("way"), " ".join(filter(None, (facts.way, facts.vehicle))) or none),
            (label("seal_no"), facts.seal_no or none),
            (label("transit"), " — ".join(filter(None, map(words.time, (facts.departed, facts.arrived)))) or none),
        ]
    )  # fmt: skip
    if facts.media:
        form.heading(label("media_title"))
    for record in facts.media:
        rows = [(label("col_item"), str(record.item))]
        rows += [
            (label(f"medium_{field.name}"), _of_medium(field.name, str(getattr(record, field.name))) or none)
            for field in fields(MediumRecord)
            if field.name != "item"
        ]
        form.pairs(rows, size=8.5)
        form.y += 2


def _of_medium(name: str, value: str) -> str:
    """A field of a medium's record: codes as words, free text as it was entered."""
    group = {"sanitization": "sanitized", "verification": "verified"}.get(name)
    return words.word(group, value) if group and value else value


def draw_annexes(form: Form, record: DestructionRecord) -> None:
    """Backups, places in clear, what lies outside the scope."""
    if not (record.backups or record.cleartext_history or record.outside_scope):
        return
    form.page(landscape=True)
    form.centred(label("annex_title"), 14, bold=True)
    if record.backups:
        form.heading(label("backups_title"))
        columns = (
            Column(label("col_id"), 70), Column(label("at"), 50, "C"), Column(label("col_epoch"), 30, "C"),
            Column(label("col_status"), 60, "C"),
        )  # fmt: skip
        rows = [(b.id, words.time(b.at), str(b.epoch), words.word("state", b.state)) for b in record.backups]
        form.table(columns, rows)
    for heading, traces in (
        ("clear_title", record.cleartext_history),
        ("outside_title", record.outside_scope),
    ):
        if traces:
            form.heading(label(heading))
            _traces(form, traces)


def _traces(form: Form, traces: Sequence[ClearTrace]) -> None:
    columns = (
        Column(label("col_item"), 50), Column(label("col_kind"), 40, "C"), Column(label("col_id"), 70),
        Column(label("at"), 50, "C"), Column(label("col_status"), 50, "C"),
    )  # fmt: skip
    rows = [
        (
            t.item,
            words.word("kind", t.kind),
            t.id or "",
            words.time(t.at or ""),
            words.word("state", t.state or ""),
        )
        for t in traces
    ]
    form.table(columns, rows)
