"""What is true of a paper, as JSON: the answer sheet that stands beside a file and that `ingest` never opens."""

from __future__ import annotations

from typing import Any

from .paper import STAMP, Format, Paper
from .render import Rendered

SCHEMA = "jiyao.samples/1"


def fields_truth(paper: Paper) -> dict[str, Any]:
    """Every field of `models/fields.py` as text (dates ISO), null or empty where the paper does not say."""
    fields = paper.fields
    return {
        "serials": list(fields.serials),
        "mark": paper.mark_text or (fields.mark.raw if fields.mark else None),
        "urgency": fields.urgency,
        "organs": list(fields.organs),
        "doc_number": fields.doc_number,
        "signers": list(fields.signers),
        "title": fields.title,
        "recipients": list(fields.recipients),
        "copied_to": list(fields.copied_to),
        "signed_date": fields.signed_date.isoformat() if fields.signed_date else None,
        "signed_date_text": paper.date_text,
        "printed_date": fields.printed_date.isoformat() if fields.printed_date else None,
        "printed_by": paper.printed_by or None,
        "print_count": fields.print_count,
        "kind": fields.kind,
        "note": fields.note,
        "contact": paper.contact or None,
        "attachments": list(fields.attachments),
        "public_note": fields.public_note,
        "old_declassified": fields.old_declassified,
    }


def expected_truth(paper: Paper) -> dict[str, Any]:
    """What a careful person would answer; `retention` is null where the words alone do not settle it."""
    expected, signed = paper.expected, paper.fields.signed_date
    mark = paper.fields.mark
    until = expected.period.ends(signed) if expected.period and signed else None
    return {
        "level": expected.level.value if expected.level else None,
        "level_family": expected.level.family.value if expected.level else None,
        "basis": expected.basis,
        "star": bool(mark and mark.star),
        "owner": mark.owner if mark else None,
        "period": str(expected.period) if expected.period else None,
        "period_kind": expected.period.kind if expected.period else None,
        "secrecy_until": until.isoformat() if until else None,
        "interim": expected.interim.value if expected.interim else None,
        "overlays": list(expected.overlays),
        "findings": list(expected.findings),
        "origin": paper.origin,
        "retention": expected.retention,
        "retention_flags": list(expected.retention_flags),
        "important": expected.important,
    }


def fields_of(paper: Paper, rendered: Rendered) -> dict[str, Any]:
    """The fields that stand on the pages of this file: fewer where a one-picture format cut the paper."""
    fields = fields_truth(paper)
    if rendered.whole:
        return fields
    text = "".join(rendered.texts).replace("\n", "")
    if paper.date_text not in text:
        fields.update(signed_date=None, signed_date_text=None)
    if "印发\n" not in rendered.texts[0] + "\n":
        fields.update(printed_date=None, printed_by=None)
    if "抄送：" not in text:
        fields.update(copied_to=[])
    if fields["note"] and fields["note"] not in text:
        fields.update(note=None, contact=None, public_note=False)
    if "共印" not in text:
        fields.update(print_count=None)
    return fields


def truth_of(paper: Paper, rendered: Rendered, *, file: str, fmt: Format, seed: int) -> dict[str, Any]:
    """One entry of `truth.json`. Of a paper that is not whole, what stands on the missing pages is left out."""
    return {
        "file": file,
        "format": fmt,
        "severity": rendered.severity,
        "damage": list(rendered.damage),
        "fonts": rendered.fonts,
        "added": list(rendered.added),
        "seed": seed,
        "split": paper.split,
        "template": paper.template,
        "layout": paper.layout,
        "profile": paper.profile,
        "unit": paper.unit,
        "stamp": STAMP,
        "pages": rendered.pages,
        "whole": rendered.whole,
        "fields": fields_of(paper, rendered),
        "expected": expected_truth(paper),
        "text": list(rendered.texts),
    }
