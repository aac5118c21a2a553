"""Draws 销毁证明 and 销毁清册 (destruction.md, sections 6.2 and 6.3). Layout only; nothing is signed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..common.messages import catalogue, say
from ..models.certificate import ClearTrace, DestructionRecord, InventoryLine, RequiredSigner, claims
from .certify_form import Attachment, Column, Form, label

_SHORT = 16


def draw(
    *,
    record: DestructionRecord,
    inventory: Sequence[InventoryLine],
    names: Mapping[str, str],
    fonds: str,
    attachments: Sequence[Attachment],
    at: datetime,
) -> bytes:
    """The unsigned PDF: certificate, inventory with cover, outcomes, annexes, attachments.

    Args:
        names: person id to name, for the persons who signed; an id without a name is printed as it is.
        fonds: 全宗号 or the unit's name, for the cover of the inventory.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    footer = f"{label('no').replace('　', '')} {record.certificate_no}"
    form = Form(at=at, title=f"{label('title')} {record.certificate_no}".replace("　", ""), footer=footer)
    _certificate(form, record, inventory, names)
    _cover(form, record, inventory, names, fonds)
    _inventory(form, inventory, record)
    _outcomes(form, record)
    _annexes(form, record)
    return form.finish(attachments)


def _certificate(
    form: Form, record: DestructionRecord, inventory: Sequence[InventoryLine], names: Mapping[str, str]
) -> None:
    form.page()
    form.y = 20
    form.centred(label("title"), 22, bold=True)
    form.centred(f"{label('no')}：{record.certificate_no}", 10)
    root, head, none = record.root, record.previous_head, label("none")
    form.pairs(
        [
            (label("unit"), record.unit),
            (label("batch"), record.batch),
            (label("store"), record.store),
            (label("reason"), _word("reason", record.reason)),
            (label("list_hash"), record.list_sha256),
            (label("totals"), _totals(inventory)),
            (label("levels"), _levels(inventory)),
            (label("method"), _methods(record)),
            (label("equipment"), record.equipment or none),
            (label("place"), record.place or none),
            (label("times"), f"{_time(record.started_at)} — {_time(record.finished_at)}"),
            (label("approvers"), _people(record, names, "approve")),
            (label("counters"), _people(record, names, "count")),
            (label("operators"), _people(record, names, "execute")),
            (label("supervisors"), _people(record, names, "supervise")),
            (label("verdict"), _word("verdict", record.verdict)),
            (label("epochs"), label("epochs_value", before=record.epoch_before, after=record.epoch_after)),
            (
                label("root"),
                label(
                    "root_value", kind=root.kind, root_class=root.root_class, mirrors=root.mirrors,
                    done=root.mirrors_done, erased=_said(root.erased),
                ),
            ),
            (label("holds"), _time(record.holds_checked_at)),
            (label("policy"), record.policy_version),
            (label("head"), label("head_value", size=head.size, root=head.root)),
            (label("previous"), record.previous_certificate or none),
            (label("exceptions"), "；".join(_said(code) for code in record.exceptions) or none),
        ]
    )  # fmt: skip
    form.heading(label("checks_title"))
    columns = (
        Column(label("check"), 72), Column(label("result"), 22, "C"), Column(label("why"), form.width - 94),
    )  # fmt: skip
    rows = [
        (f"{c.name}　{_word('check', c.name)}", _word("result", c.result), _said(c.reason or ""))
        for c in record.checks
    ]
    form.table(columns, rows, size=8.5)
    form.heading(label("claims_title"))
    for number, code in enumerate(claims(record), start=1):
        form.paragraph(f"{number}．{say(code, 'zh')}", 9)
    form.heading(label("signers_title"))
    signers = (
        Column(label("act"), 18, "C"),
        Column(label("role"), 24, "C"),
        Column(label("person"), 40),
        Column(label("at"), 34, "C"),
        Column(label("where"), 22),
        Column(label("fingerprint"), form.width - 138),
    )
    form.table(signers, [_signer(who, names) for who in record.required], size=8)
    form.y += 5
    form.box(f"{record.unit}　{label('seal_box')}　{label('issued')}：{_time(record.issued_at)}")


def _signer(who: RequiredSigner, names: Mapping[str, str]) -> tuple[str, ...]:
    acting, role = _word("act", who.act), _word("role", who.role)
    fingerprint = who.certificate_sha256[:_SHORT]
    return (acting, role, _name(who.person, names), _time(who.at), who.place or "", fingerprint)


def _cover(
    form: Form,
    record: DestructionRecord,
    inventory: Sequence[InventoryLine],
    names: Mapping[str, str],
    fonds: str,
) -> None:
    form.page(landscape=True)
    form.y = 26
    form.centred(label("inventory_title"), 24, bold=True)
    form.y += 4
    where = (
        f"{_time(record.started_at)} — {_time(record.finished_at)}　{record.place or ''}　{_methods(record)}"
    )
    form.pairs(
        [
            (label("fonds"), fonds),
            (label("year"), record.issued_at[:4]),
            (label("batch"), record.batch),
            (label("list_hash"), record.list_sha256),
            (label("totals"), _totals(inventory)),
            (label("levels"), _levels(inventory)),
            (label("counters"), _people(record, names, "count", dated=True)),
            (label("approvers"), _people(record, names, "approve", dated=True)),
            (label("supervisors"), _people(record, names, "attest", dated=True)),
            (label("operators"), _people(record, names, "execute", dated=True)),
            (label("when_where"), where),
        ],
        label_width=56,
        size=11,
    )


def _inventory(form: Form, inventory: Sequence[InventoryLine], record: DestructionRecord) -> None:
    form.page(landscape=True)
    form.centred(label("inventory_title"), 14, bold=True)
    widths = {
        "item": 8, "register": 18, "title": 38, "doc_number": 20, "level": 10, "period": 10, "serial": 11,
        "copies": 7, "pages": 7, "attachments": 10, "organ": 20, "signed": 14, "received": 14, "carrier": 9,
        "carrier_no": 12, "place": 11, "archived": 11, "retention": 15, "kept": 8, "reason": 14, "remark": 10,
    }  # fmt: skip
    left = {"title", "doc_number", "organ", "reason", "remark", "place", "attachments"}
    columns = [
        Column(label(f"col_{key}"), width, "L" if key in left else "C") for key, width in widths.items()
    ]
    commitments = _commitments(record)
    form.table(columns, [_line(line, commitments) for line in inventory], size=6.2)


def _line(line: InventoryLine, commitments: Mapping[int, str]) -> tuple[str, ...]:
    hidden = label("commitment", value=commitments.get(line.item, "")[:_SHORT])
    retention = "\n".join(part for part in (line.retention, line.retention_until) if part)
    return (
        str(line.item), line.register_no, line.title or hidden, line.doc_number, line.level,
        line.secrecy_period, line.serial, str(line.copies), "" if line.pages is None else str(line.pages),
        line.attachments, line.organ, line.signed_date, line.received_date, line.carrier, line.carrier_no,
        line.place, line.archived, retention, line.kept_years, _word("reason", line.reason), line.remark,
    )  # fmt: skip


def _outcomes(form: Form, record: DestructionRecord) -> None:
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
    rows: list[tuple[str, ...]] = []
    for item in record.items:
        start = (
            str(item.item), item.id, item.level or "", _word("verdict", item.status), " ".join(item.slots),
        )  # fmt: skip
        if not item.artefacts:
            rows.append((*start, "", "", "", ""))
        for number, artefact in enumerate(item.artefacts):
            what = f"{_word('kind', artefact.kind)} {artefact.artefact}"
            methods = "、".join(_word("method", method) for method in artefact.methods)
            done = (what, artefact.sha256 or "", methods, _said(artefact.grade))
            rows.append((*(start if number == 0 else ("",) * 5), *done))
    form.table(columns, rows, size=6.5)


def _annexes(form: Form, record: DestructionRecord) -> None:
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
        rows = [(b.id, _time(b.at), str(b.epoch), _word("state", b.state)) for b in record.backups]
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
        (t.item, _word("kind", t.kind), t.id or "", _time(t.at or ""), _said(t.state or "")) for t in traces
    ]
    form.table(columns, rows)


def _totals(inventory: Sequence[InventoryLine]) -> str:
    copies, pages = sum(line.copies for line in inventory), sum(line.pages or 0 for line in inventory)
    return label("totals_value", items=len(inventory), copies=copies, pages=pages)


def _levels(inventory: Sequence[InventoryLine]) -> str:
    counted = Counter(line.level for line in inventory)
    return "　".join(label("level_value", level=level, count=count) for level, count in counted.items())


def _methods(record: DestructionRecord) -> str:
    seen = {method: None for item in record.items for art in item.artefacts for method in art.methods}
    return "、".join(_word("method", method) for method in seen) or label("none")


def _people(record: DestructionRecord, names: Mapping[str, str], act: str, *, dated: bool = False) -> str:
    found = [who for who in record.required if who.act == act]
    return "　".join(
        _name(who.person, names) + (f" {_time(who.at)[:10]}" if dated else "") for who in found
    ) or label("none")


def _name(person: str, names: Mapping[str, str]) -> str:
    name = names.get(person)
    return f"{name}（{person}）" if name and name != person else person


def _time(text: str) -> str:
    return text[:16].replace("T", " ")


def _word(group: str, code: str) -> str:
    key = f"form_{group}_{code}"
    return say(key, "zh") if key in catalogue() else _said(code)


def _said(code: str) -> str:
    return say(code, "zh") if code in catalogue() else code


def _commitments(record: DestructionRecord) -> dict[int, str]:
    listed: Any = record.list if isinstance(record.list, list) else record.list.get("items", [])
    return {
        int(entry["item"]): str(entry.get("title_commitment") or "")
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("item"), int)
    }
