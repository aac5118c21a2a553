"""Papers, blanks and codes that the tests of mail in the room share."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from pypdf import PdfReader, PdfWriter

from jiyao.samples.make import make_paper
from jiyao.samples.render import render


@cache
def mail_paper(seed: int) -> bytes:
    """A letter as a PDF with text."""
    return render(make_paper(seed, "test", layout="letter", mark="none"), "pdf")


def page_count(pdf: bytes) -> int:
    """Pages of a PDF."""
    return len(PdfReader(io.BytesIO(pdf)).pages)


def blank_page() -> bytes:
    """A PDF of one empty page."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def finding_codes(document: dict[str, Any]) -> set[str]:
    """Codes of what was found."""
    return {item["code"] for item in document["findings"]}
