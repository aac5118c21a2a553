"""From the pages of a file, read in any order, to its documents: kinds, split, page numbers, what the slip declared.

Pure. Runs where the pages of a file come together; what it gives is ready for `extract` (see `for_fields`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..models.fields import OfficialFields
from ..models.level import Family
from ..models.page import Finding, Page, Transcript
from .cover_list import declared_pages
from .mark_grammar import read_mark
from .page_count import check_pages, document_pages
from .page_kind import NON_DOCUMENT, page_kind, with_kinds
from .page_roles import assign_roles
from .slip import Slip
from .split import Mode, Part, split

_BEGUN = frozenset({"letterhead", "envelope", "blank"})
"""What cuts a stack by its look alone: then nothing of that stack goes unlooked at."""


@dataclass(frozen=True, slots=True)
class StackPart:
    """One document of a file: its place in it, and its transcript with pages counted from 1."""

    part: Part
    transcript: Transcript

    @property
    def count(self) -> int:
        """Pages of the document itself: no envelope, list or slip."""
        return len(document_pages(self.transcript.pages))


def take_apart(
    transcript: Transcript, *, codes: Mapping[int, Sequence[str]] | None = None, mode: Mode = "none"
) -> tuple[StackPart, ...]:
    """The documents of a file.

    Args:
        transcript: all pages of the file in order, with the findings of their reading.
        codes: page number -> texts of the barcodes found on it (looked for unless `mode` is `none`).
        mode: see `split`.
    """
    unread = _unread(transcript)
    slips: dict[int, Slip] = {}
    if mode != "none":
        for page in transcript.pages:
            found = page_kind(page, barcodes=(codes or {}).get(page.number, ())).slip
            if found is not None and page.number not in unread:
                slips[page.number] = found
    pages = with_kinds(transcript.pages, slips=slips, unread=unread)
    if mode == "none":
        pages = tuple(
            replace(page, kind="paper") if page.kind in ("slip", "separator") else page for page in pages
        )
    parts = split(pages, slips=slips, mode=mode)
    guessed = any(part.begun in _BEGUN for part in parts)
    return tuple(_part(part, pages, transcript.findings, guessed=mode if guessed else None) for part in parts)


def for_fields(transcript: Transcript) -> Transcript:
    """What `extract` and the judges read: the transcript without envelopes and lists."""
    own = document_pages(transcript.pages)
    if len(own) == len(transcript.pages):
        return transcript
    kept = {page.number for page in own}
    return Transcript(
        own, tuple(item for item in transcript.findings if item.page is None or item.page in kept)
    )


def note_envelope(transcript: Transcript, fields: OfficialFields) -> Transcript:
    """Says so when the envelope bears a mark and the paper in it bears none: then a person looks for it."""
    if fields.mark is not None:
        return transcript
    for page in transcript.pages:
        for line in page.lines if page.kind == "envelope" else ():
            read = read_mark(line.text)
            if read is not None and read.mark.level.family is Family.STATE:
                said = Finding("mark_on_envelope", page.number, read.mark.level.value, line.box)
                return replace(transcript, findings=(*transcript.findings, said))
    return transcript


def _part(
    part: Part, pages: Sequence[Page], findings: Sequence[Finding], *, guessed: Mode | None
) -> StackPart:
    place = {number: index for index, number in enumerate(part.pages, start=1)}
    own = tuple(replace(page, number=place[page.number]) for page in pages if page.number in place)
    # What repeats within this document may stand on few pages of the whole stack.
    own = assign_roles(Transcript(_never_empty(own))).pages
    moved = [
        replace(item, page=place[item.page]) if item.page is not None else item
        for item in findings
        if item.page is None or item.page in place
    ]
    declared = part.slip.pages if part.slip is not None and part.slip.pages else declared_pages(own)
    noticed = [*check_pages(own, declared=declared)]
    if guessed:
        code = "split_by_blank" if guessed == "blank" else "split_by_letterhead"
        noticed.append(Finding(code, page=1, detail=f"{part.first}-{part.last}"))
    return StackPart(part, Transcript(own, tuple(dict.fromkeys((*moved, *noticed)))))


def _unread(transcript: Transcript) -> frozenset[int]:
    """Pages without text of which a finding says something else than that they are blank."""
    said: dict[int, set[str]] = {}
    for item in transcript.findings:
        if item.page is not None:
            said.setdefault(item.page, set()).add(item.code)
    return frozenset(
        page.number
        for page in transcript.pages
        if not page.lines and said.get(page.number) and "blank_page" not in said[page.number]
    )


def _never_empty(pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """A document of nothing but an envelope or a list is that envelope or list: its pages are its paper."""
    if any(page.kind not in NON_DOCUMENT and page.kind != "blank" for page in pages):
        return pages
    return tuple(replace(page, kind="paper") if page.kind in NON_DOCUMENT else page for page in pages)
