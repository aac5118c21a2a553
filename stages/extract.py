"""extract: from what was read to the fields of a register, each with its evidence.

Elements after GB/T 9704-2012 chapter 7 and 党政机关公文处理工作条例 art. 9.

Pure: no clock, no files, no other documents. A field that the paper does not give stays empty; a field that
was repaired or has a rival says so in the `doubt` of its evidence.
"""

from __future__ import annotations

from dataclasses import replace

from ..models.fields import OfficialFields
from ..models.level import Family
from ..models.page import Transcript
from .fields_head import read_head
from .fields_tail import read_tail
from .fields_text import rows_of


def extract(transcript: Transcript) -> OfficialFields:
    """The fields of the paper. An empty transcript gives empty fields.

    A mark on an attachment alone (`mark.attachment` in the evidence) is not the paper's own mark: `classify`
    weighs it.
    """
    rows = rows_of(transcript)
    if not rows:
        return OfficialFields()
    head = read_head(rows)
    tail = read_tail(rows, head, transcript)
    mark = head.mark.mark if head.mark else None
    if mark is not None and mark.level.family is Family.PUBLIC:
        tail = replace(tail, public_note=True)
        mark = None
    return OfficialFields(
        serials=head.serials,
        mark=mark,
        urgency=head.urgency,
        organs=tail.organs,
        doc_number=head.number,
        signers=head.signers,
        title=head.title,
        recipients=head.recipients,
        copied_to=tail.copied_to,
        signed_date=tail.signed,
        printed_date=tail.printed,
        print_count=tail.print_count,
        kind=head.kind,
        note=tail.note,
        attachments=tail.attachments,
        public_note=tail.public_note,
        old_declassified=head.declassified,
        evidence=head.evidence + tail.evidence,
    )
