"""附注 (GB/T 9704-2012 §7.3.6): in parentheses under the date; publication, distribution, the contact of a 请示."""

from __future__ import annotations

import re

from ..models.fields import FieldEvidence
from .fields_text import Row, evidence

_CONTACT = re.compile(
    r"联系人[:：]?(?P<name>[\u4e00-\u9fff·]{2,4}).{0,6}?(?:联系)?(?:电话|手机|方式)[:：]?(?P<tel>[\d\-()]{5,20})"
)
_PUBLIC_NOTE = re.compile(
    r"^[(]?(?:此件|本件|该件)?(?:主动|全文)?公开(?:发布)?[)]?[。]?$|此件(?:主动|全文)?公开(?:发布)?"
)
_WORDS = re.compile(r"此件|本件|该件|联系人|发至|传达|公开|登报|存档|电话|阅后|翻印|联系电话")
_SEAL = re.compile(r"^[(](?:盖章|印章|公章|章|签章|印|签名|签字|代章)[)]$")
MOST_ROWS = 3


def read_note(
    rows: tuple[Row, ...],
    body: int,
    signed: int | None,
    imprint: frozenset[int],
    found: list[FieldEvidence],
) -> tuple[str | None, bool]:
    """The note, and whether it says that the paper is public.

    Args:
        rows: of the whole paper.
        body: where the head ends.
        imprint: indices of the rows of the 版记.
        signed: index of the row of the date; what stands in parentheses right under it is the note.
    """
    note, public = None, False
    for row in rows:
        text = row.tight
        if len(text) <= 30 and _PUBLIC_NOTE.search(text) and not re.search(r"不予?公开|依申请|不宜", text):
            framed = text.startswith("(") and text.endswith(")")
            public = public or bool(re.search(r"此件|本件|该件", text) or framed or text == "公开发布")
        if row.index < body or len(text) > 120 or row.index in imprint:
            continue
        block = _framed(rows, row)
        if block is not None and note is None and not _SEAL.match(text):
            whole = "".join(one.tight for one in block)
            under = signed is not None and 0 < row.index - signed <= 2 and len(whole) >= 6
            if len(whole) <= 160 and (_WORDS.search(whole) or under):
                note = whole[1:-1]
                found.append(
                    evidence("note", note, block, rule="note.date" if under else "note", certainty=0.95)
                )
        contact = _CONTACT.search(text)
        if contact:
            value = f"{contact['name']} {contact['tel']}"
            found.append(evidence("contact", value, [row], rule="contact", certainty=0.9))
    return note, public


def _framed(rows: tuple[Row, ...], row: Row) -> list[Row] | None:
    """The rows from an opening parenthesis at a row's start to the closing one at a row's end."""
    if not row.tight.startswith("(") or re.match(r"^[(][一二三四五六七八九十\d]{1,3}[)]", row.tight):
        return None
    block: list[Row] = []
    for one in rows[row.index : row.index + MOST_ROWS]:
        block.append(one)
        if one.tight.endswith((")", ")。")):
            return block if one.tight.endswith(")") and len("".join(b.tight for b in block)) >= 4 else None
    return None
