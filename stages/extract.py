"""extract: from what was read to the fields of a register, each with its evidence.

Elements after GB/T 9704-2012 chapter 7 and 党政机关公文处理工作条例 art. 9, in three zones: 版头 (`fields_head`), 主体
(`fields_sign`, `fields_annex`, `fields_note`), 版记 (`fields_imprint`). A zone is a hint, a pattern is evidence.

Pure: no clock, no files, no other documents. A field that the paper does not give stays empty; a field that
was repaired or has a rival says so in the `doubt` and the `alternatives` of its evidence.
"""

from __future__ import annotations

from ..models.fields import OfficialFields
from ..models.level import Family
from ..models.page import Transcript
from .fields_annex import annex_start, read_annexes
from .fields_change import holding_mark, with_old_mark
from .fields_check import cross_doubts
from .fields_head import read_head
from .fields_imprint import read_imprint
from .fields_note import read_note
from .fields_organ import Names, broken_name, labelled_organs, letterhead_organs, read_organs, title_organs
from .fields_rows import paper_rows
from .fields_sign import Place, covered_places, date_not_read, read_signature


def extract(transcript: Transcript) -> OfficialFields:
    """The fields of the paper. An empty transcript gives empty fields.

    A mark on an attachment alone (`mark.attachment` in the evidence) is not the paper's own mark: `classify`
    weighs it.
    """
    rows = paper_rows(transcript)
    if not rows:
        return OfficialFields()
    head = read_head(rows, [one for one in transcript.findings if one.code == "mark_struck"])
    found = list(head.evidence)
    annex = annex_start(rows, head.body)
    imprint = read_imprint(rows, head.body, found)
    heads = letterhead_organs(head.letterhead)
    names = Names(
        letterhead=heads,
        title=title_organs(head.title, head.title_rows, heads),
        label=labelled_organs(rows),
        whole=broken_name(head.letterhead),
        printed_by=imprint.printed_by,
    )
    place = Place(
        body=head.body, annex=annex, number_year=head.number_year, known=names.known, title=head.title,
        kind=head.kind, imprint=imprint.rows, covered=covered_places(transcript),
    )  # fmt: skip
    signature = read_signature(rows, place, found)
    scanned = frozenset(page.number for page in transcript.pages if page.source == "ocr")
    organs = read_organs(
        signature.organs,
        names,
        fallback=head.letterhead or rows[:1],
        covered=place.covered,
        scanned=scanned,
        found=found,
        dated=signature.row is not None,
    )
    if signature.signed is None and head.number is not None and all(item.name != "date" for item in found):
        found += date_not_read(rows, place, scanned)
    note, public_note = read_note(rows, head.body, signature.row, imprint.rows, found)
    attachments = read_annexes(rows, head.body, annex, found)
    stated = head.mark.mark if head.mark else None
    changes = with_old_mark(head.changes, stated)
    mark = holding_mark(stated, changes)
    if mark is not None and mark.level.family is Family.PUBLIC:
        public_note, mark = True, None
    evidence = cross_doubts(
        tuple(found), number_year=head.number_year, signed=signature.signed, printed=imprint.printed
    )
    return OfficialFields(
        serials=head.serials,
        mark=mark,
        urgency=head.urgency,
        organs=organs,
        doc_number=head.number,
        signers=head.signers,
        title=head.title,
        recipients=head.recipients,
        copied_to=imprint.copied_to,
        signed_date=signature.signed,
        adopted_date=signature.adopted,
        printed_date=imprint.printed,
        print_count=imprint.print_count,
        kind=head.kind,
        note=note,
        attachments=attachments,
        public_note=public_note,
        old_declassified=any(one.kind == "declassified" for one in changes),
        mark_changes=changes,
        evidence=evidence,
    )
