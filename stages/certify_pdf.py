"""Draws 销毁证明 and 销毁清册 (destruction.md, sections 6.2 and 6.3). Layout only; nothing is signed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..common.messages import say
from ..models.certificate import DestructionRecord, InventoryLine, RequiredSigner, claims
from . import certify_words as words
from .certify_annex import draw_annexes, draw_outcomes, draw_physical, draw_reservations
from .certify_approval import draw_approval
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
    draft: bool = False,
) -> bytes:
    """The unsigned PDF: certificate, approval, inventory with cover, outcomes, annexes, attachments.

    Args:
        draft: what a dry run shows: marked as a specimen on every page.
        names: person id to name, for the persons who signed; an id without a name is printed as it is.
        fonds: 全宗号 or the unit's name, for the cover of the inventory.

    Raises:
        MissingTool: `font_missing`, `glyph_missing`.
    """
    footer = f"{label('no').replace('　', '')} {record.certificate_no}"
    form = Form(
        at=at, title=f"{label('title')} {record.certificate_no}".replace("　", ""), footer=footer,
        watermark=label("draft") if draft else "",
    )  # fmt: skip
    _certificate(form, record, inventory, names, draft=draft)
    draw_approval(form, record, inventory, names)
    _cover(form, record, inventory, names, fonds)
    _inventory(form, inventory, record)
    draw_outcomes(form, record)
    draw_annexes(form, record)
    return form.finish(attachments)


def _certificate(
    form: Form,
    record: DestructionRecord,
    inventory: Sequence[InventoryLine],
    names: Mapping[str, str],
    *,
    draft: bool,
) -> None:
    form.page()
    form.y = 20
    form.centred(label("title"), 22, bold=True)
    if draft:
        form.centred(label("draft_note"), 10, bold=True)
    form.centred(f"{label('no')}：{record.certificate_no}", 10)
    form.pairs(_facts(record, inventory, names))
    if record.physical is not None:
        draw_physical(form, record.physical, names)
    form.heading(label("checks_title"))
    columns = (
        Column(label("check"), 72), Column(label("result"), 22, "C"), Column(label("why"), form.width - 94),
    )  # fmt: skip
    rows = [
        (
            f"{c.name}　{words.word('check', c.name)}",
            words.word("result", c.result),
            words.why(c.reason),
        )
        for c in record.checks
    ]
    form.table(columns, rows, size=8.5)
    draw_reservations(form, record, names)
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
    sealed = f"{label('issued')}：{words.time(record.issued_at)}"
    form.box(f"{record.unit}　{label('draft_note') if draft else label('seal_box') + '　' + sealed}")


def _facts(
    record: DestructionRecord, inventory: Sequence[InventoryLine], names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The face of the certificate: label and value."""
    head, none = record.previous_head, label("none")
    clear = label("cleartext_value", count=len(record.cleartext_history))
    outside = label("cleartext_value", count=len(record.outside_scope))
    rows = [
        (label("unit"), record.unit),
        (label("batch"), record.batch or label("draft_no")),
        (label("store"), record.store),
        (label("reason"), words.word("reason", record.reason)),
        (label("list_hash"), record.list_sha256),
        (label("totals"), words.totals(inventory)),
        (label("levels"), words.levels(inventory)),
        (label("method"), words.methods(record)),
        (label("equipment"), record.equipment or none),
        (label("place"), record.place or none),
        (label("times"), f"{words.time(record.started_at)} — {words.time(record.finished_at)}"),
        (label("approvers"), words.people(record, names, "approve")),
        (label("counters"), words.people(record, names, "count")),
        (label("operators"), words.people(record, names, "execute")),
        (label("supervisors"), words.people(record, names, "supervise")),
        (label("verdict"), words.word("verdict", record.verdict)),
    ]
    if record.physical is None:
        rows += _electronic(record, names)
        rows += [
            (label("cleartext"), clear if record.cleartext_history else none),
            (label("outside"), outside if record.outside_scope else none),
        ]
    if record.sm2 is not None:
        rows.append(
            (label("sm2"), label("sm2_" + record.sm2.state, fingerprint=record.sm2.certificate_sha256))
        )
    return [
        *rows,
        (label("holds"), words.time(record.holds_checked_at)),
        (label("policy"), record.policy_version),
        (label("head"), label("head_value", size=head.size, root=head.root)),
        (label("previous"), record.previous_certificate or none),
        (label("exceptions"), "；".join(words.said(code) for code in record.exceptions) or none),
    ]


def _electronic(record: DestructionRecord, names: Mapping[str, str]) -> list[tuple[str, str]]:
    root = record.root
    facts = label(
        "root_value", kind=words.word("rootkind", root.kind), root_class=root.root_class, mirrors=root.mirrors,
        done=root.mirrors_done, erased=words.said(root.erased),
        why="".join(f"（{words.said(code)}）" for code in root.reasons[:1]),
    )  # fmt: skip
    rows = [
        (label("epochs"), label("epochs_value", before=record.epoch_before, after=record.epoch_after)),
        (label("root"), facts),
    ]
    for number, one in enumerate(record.written_off, start=1):
        told = label(
            "written_off_value", at=words.time(one.at)[:10], fate=words.word("fate", one.fate), epoch=one.epoch,
            names="、".join(words.name(person, names) for person in one.accepted_by),
        )  # fmt: skip
        rows.append((label("written_off", number=number), told))
    if record.suite:
        rows.append((label("suite"), words.word("suite", record.suite)))
    if record.recovery:
        rows.append((label("recovery"), words.word("recovery", record.recovery)))
    return rows


def _signer(who: RequiredSigner, names: Mapping[str, str]) -> tuple[str, ...]:
    acting, role = words.word("act", who.act), words.word("role", who.role)
    fingerprint = who.certificate_sha256[:_SHORT]
    return (acting, role, words.name(who.person, names), words.time(who.at), who.place or "", fingerprint)


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
    times = f"{words.time(record.started_at)} — {words.time(record.finished_at)}"
    where = f"{times}　{record.place or ''}　{words.methods(record)}"
    form.pairs(
        [
            (label("fonds"), fonds),
            (label("year"), record.issued_at[:4]),
            (label("batch"), record.batch),
            (label("list_hash"), record.list_sha256),
            (label("totals"), words.totals(inventory)),
            (label("levels"), words.levels(inventory)),
            (label("counters"), words.people(record, names, "count", dated=True)),
            (label("approvers"), words.people(record, names, "approve", dated=True)),
            (label("supervisors"), words.people(record, names, "attest", dated=True)),
            (label("operators"), words.people(record, names, "execute", dated=True)),
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
    commitments = words.commitments(record)
    form.table(columns, [_line(line, commitments) for line in inventory], size=6.2)


def _line(line: InventoryLine, commitments: Mapping[int, str]) -> tuple[str, ...]:
    hidden = label("commitment", value=commitments.get(line.item, "")[:_SHORT])
    retention = "\n".join(part for part in (line.retention, line.retention_until) if part)
    return (
        str(line.item), line.register_no, line.title or hidden, line.doc_number, line.level,
        line.secrecy_period, line.serial, str(line.copies), "" if line.pages is None else str(line.pages),
        line.attachments, line.organ, line.signed_date, line.received_date, line.carrier, line.carrier_no,
        line.place, line.archived, retention, line.kept_years, words.word("reason", line.reason), line.remark,
    )  # fmt: skip
