"""The passage index: which registered papers share passages, or a title, with the one that is being judged.

Threat model: the database is read by somebody without the station's keys. A passage stands in it as 64 bits of an HMAC
under a key derived from the registry key: nobody else can test a sentence against it. The rows of a document are
erased with it, in the transaction that destroys its key.

What many harmless papers say (formulas, statutes, published words) makes nothing derivative: such passages do not
count. Nor does what very many papers say, unless the greater part of a document comes back.
"""

from __future__ import annotations

import hmac
import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from ...common.letters import letters
from ...models.level import Level
from ...models.passage import SHINGLE, Prints
from ...models.suggestion import RelatedDocument, SharedPassage
from ...models.tables import Document, PassageSet, PassageTag
from ..levels.periods import parse_period
from ..station.station import Station

ALIVE = ("pending", "pending_second", "registered", "archived")
_PURPOSE = "passages"
_CHUNK = 500
_MOST_HOLDERS = 64
"""Documents that are kept for one passage; what more of them say is known to be common."""
_LEAST_PRINTS = 4
_LEAST_RUN, _LONG_RUN, _LONG_TOTAL = 32, 56, 120
"""Characters in a row that count; in one row that suffice; in several together that suffice. Measured between the
first and the last fingerprint: what two papers really share is some ten characters longer."""
_MOST_MISSED = 3
"""Fingerprints between two matched ones that a misread character may have cost: it stands in twelve shingles."""
_COMMON = 8
_WIDESPREAD = 12
"""Documents beyond which a passage is a formula, whatever their levels."""
_MOST_SOURCES = 12
_MOST_PASSAGES = 5
_SHORTEST_TITLE = 8
_MOST_TITLES = 300
_FIRM = frozenset({"marked", "derivative", "unit_list"})
_OPEN_LEVELS = frozenset({Level.PUBLIC.code, Level.INTERNAL.code})


# ---------------------------------------------------------------- entries


def keep(station: Station, session: Session, document: str, prints: Prints, title: str | None) -> None:
    """Enters a document's passages and title, in place of what was there of it."""
    forget(session, [document])
    keep_new(station, session, [(document, prints, title)])


def keep_new(station: Station, session: Session, papers: Sequence[tuple[str, Prints, str | None]]) -> None:
    """As `keep`, for documents (id, passages, title) of which nothing is there yet; they are in the register."""
    key = station.vault.derive(session, _PURPOSE)
    tags = {document: sorted(set(_tags(key, prints.hashes))) for document, prints, _ in papers}
    full = _full(session, sorted({tag for own in tags.values() for tag in own}))
    rows = []
    for document, _, title in papers:
        tags[document] = kept = [tag for tag in tags[document] if tag not in full]
        packed = struct.pack(f">{len(kept)}q", *kept)
        rows.append({"document_id": document, "tags": packed, "title_tag": _title_tag(key, title)})
    session.execute(insert(PassageSet), rows)
    made = session.execute(
        select(PassageSet.id, PassageSet.document_id).where(PassageSet.document_id.in_(tags))
    )
    entries = [{"tag": tag, "set_id": number} for number, document in made for tag in tags[document]]
    if entries:
        session.execute(insert(PassageTag), entries)


def retitle(station: Station, session: Session, document: str, title: str | None) -> None:
    """After the title in the register was corrected."""
    row = session.scalars(select(PassageSet).where(PassageSet.document_id == document)).first()
    if row is not None:
        row.title_tag = _title_tag(station.vault.derive(session, _PURPOSE), title)


def forget(session: Session, documents: Collection[str]) -> None:
    """Erases what the index has of these documents."""
    for row in session.scalars(select(PassageSet).where(PassageSet.document_id.in_(documents))).all():
        for chunk in _chunks(_unpacked(row.tags)):
            session.execute(delete(PassageTag).where(PassageTag.tag.in_(chunk), PassageTag.set_id == row.id))
        session.delete(row)
    session.flush()


def remains(session: Session, documents: Collection[str]) -> bool:
    """Whether anything of these documents still stands in the index, or any passage that belongs to no document."""
    kept = session.scalars(select(PassageSet.id).where(PassageSet.document_id.in_(documents))).first()
    nobodys = session.scalars(
        select(PassageTag.tag).where(PassageTag.set_id.not_in(select(PassageSet.id))).limit(1)
    ).first()
    return kept is not None or nobodys is not None


def _full(session: Session, tags: Sequence[int]) -> set[int]:
    full: set[int] = set()
    for chunk in _chunks(tags):
        counted = (
            select(PassageTag.tag)
            .where(PassageTag.tag.in_(chunk))
            .group_by(PassageTag.tag)
            .having(func.count() >= _MOST_HOLDERS)
        )
        full.update(session.scalars(counted))
    return full


# ---------------------------------------------------------------- questions


def by_passages(
    station: Station, session: Session, prints: Prints, *, without: Collection[str] = ()
) -> tuple[RelatedDocument, ...]:
    """Classified documents of which passages stand in a paper, the strictest first.

    `without`: documents that it replaces.
    """
    if len(prints.hashes) < _LEAST_PRINTS:
        return ()
    key = station.vault.derive(session, _PURPOSE)
    tags = _tags(key, prints.hashes)
    holders = _holders(session, tags)
    sets = _sets(session, {one for found in holders.values() for one in found})
    weights = {number: _weight(document) for number, (document, _) in sets.items()}
    common = {tag for tag, found in holders.items() if sum(weights.get(one, 0) for one in found) >= _COMMON}
    wide = {tag for tag, found in holders.items() if len(found) >= _WIDESPREAD}
    matched: dict[int, list[int]] = defaultdict(list)
    for place, tag in enumerate(tags):
        if tag not in common:
            for number in holders.get(tag, ()):
                matched[number].append(place)
    related = []
    for number, places in matched.items():
        document, total = sets.get(number, (None, 0))
        if document is None or document.id in without or not _is_source(document):
            continue
        share = min(1.0, len({tags[place] for place in places}) / max(1, total))
        whole = share >= station.policy.similarity_threshold
        counting = places if whole else [place for place in places if tags[place] not in wide]
        runs = _runs(prints.starts, counting)
        if _is_enough(runs, whole=whole):
            shared = _passages(prints, runs)
            related.append(_related(document, how="near_duplicate", passages=shared, share=round(share, 2)))
    rank = station.policy.rank
    related.sort(key=lambda one: (-rank(one.level), -one.characters, one.document))
    return tuple(related[:_MOST_SOURCES])


def by_titles(
    station: Station, session: Session, titles: Mapping[str, str], *, without: Collection[str] = ()
) -> tuple[RelatedDocument, ...]:
    """Classified documents of these titles. Values: how the paper refers to it, `cited` or `attachment`."""
    key = station.vault.derive(session, _PURPOSE)
    wanted: dict[int, str] = {}
    for title, how in list(titles.items())[:_MOST_TITLES]:
        tag = _title_tag(key, title)
        if tag is not None:
            wanted.setdefault(tag, how)
    if not wanted:
        return ()
    rows = session.execute(
        select(PassageSet.title_tag, Document)
        .join(Document, PassageSet.document_id == Document.id)
        .where(PassageSet.title_tag.in_(wanted))
        .order_by(Document.year.desc(), Document.seq.desc())
        .limit(100)
    )
    found = [(str(wanted[tag]), row) for tag, row in rows if tag is not None]
    return tuple(_related(row, how=how) for how, row in found if row.id not in without and _is_source(row))[
        :_MOST_SOURCES
    ]


def is_alike(one: Prints, other: Prints) -> bool:
    """Whether two papers may share a passage: for papers that are not yet in the index."""
    return len(set(one.hashes) & set(other.hashes)) >= _LEAST_PRINTS


def same_title(one: str | None, other: str | None) -> bool:
    """Whether two titles are found as one."""
    return one is not None and other is not None and letters(one) == letters(other) != ""


# ---------------------------------------------------------------- parts


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring passages that two papers share: the first and last character here."""

    start: int
    end: int

    @property
    def characters(self) -> int:
        return self.end - self.start


def _runs(starts: Sequence[int], places: Sequence[int]) -> list[_Run]:
    """Runs of matched passages; a misread character in between does not part them."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place - runs[-1][-1] <= _MOST_MISSED + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    found = [_Run(starts[run[0]], starts[run[-1]] + SHINGLE) for run in runs if len(run) >= _LEAST_PRINTS]
    return [run for run in found if run.characters >= _LEAST_RUN]


def _is_enough(runs: Sequence[_Run], *, whole: bool) -> bool:
    longest = max((run.characters for run in runs), default=0)
    total = sum(run.characters for run in runs)
    return longest >= (_LEAST_RUN if whole else _LONG_RUN) or total >= _LONG_TOTAL


def _passages(prints: Prints, runs: Sequence[_Run]) -> tuple[SharedPassage, ...]:
    begins = [line.start for line in prints.lines]
    found = []
    for run in runs:
        line = prints.lines[max(0, bisect_right(begins, run.start) - 1)] if prints.lines else None
        found.append(SharedPassage(line.page if line else 1, line.box if line else None, run.characters))
    return tuple(sorted(found, key=lambda one: -one.characters)[:_MOST_PASSAGES])


def _holders(session: Session, tags: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for chunk in _chunks(list(dict.fromkeys(tags))):
        rows = session.execute(select(PassageTag.tag, PassageTag.set_id).where(PassageTag.tag.in_(chunk)))
        for tag, number in rows:
            found[tag].append(number)
    return found


def _sets(session: Session, numbers: Iterable[int]) -> dict[int, tuple[Document, int]]:
    """The documents of the sets that share most, and how many passages each has."""
    found: dict[int, tuple[Document, int]] = {}
    for chunk in _chunks(sorted(numbers)):
        rows = session.execute(
            select(PassageSet.id, func.length(PassageSet.tags), Document)
            .join(Document, PassageSet.document_id == Document.id)
            .where(PassageSet.id.in_(chunk))
        )
        found |= {number: (document, size // 8) for number, size, document in rows}
    return found


def _is_source(row: Document) -> bool:
    """A living classified document whose level does not rest on words alone, or that a person confirmed."""
    return (
        row.status in ALIVE
        and row.level_code is not None
        and row.level_code not in _OPEN_LEVELS
        and (row.confirmed or row.level_basis in _FIRM)
    )


def _weight(row: Document) -> int:
    """How much one more paper speaks for a passage being common knowledge."""
    if row.status not in ALIVE or row.level_code not in _OPEN_LEVELS or row.interim_code is not None:
        return 0
    if not row.confirmed:
        return 1
    return _COMMON if row.level_code == Level.PUBLIC.code else 2


def _related(
    row: Document, *, how: str, passages: tuple[SharedPassage, ...] = (), share: float = 0.0
) -> RelatedDocument:
    return RelatedDocument(
        document=row.id,
        doc_number=None,
        level=Level.parse(str(row.level_code)),
        period=parse_period(row.period) if row.period else None,
        ends=row.secrecy_until,
        how=how,  # type: ignore[arg-type]
        passages=passages,
        share=share,
    )


def _tags(key: bytes, hashes: Iterable[int]) -> list[int]:
    return [
        int.from_bytes(hmac.digest(key, struct.pack(">Q", one % 2**64), "sha256")[:8], "big", signed=True)
        for one in hashes
    ]


def _title_tag(key: bytes, title: str | None) -> int | None:
    plain = letters(title or "")
    if len(plain) < _SHORTEST_TITLE:
        return None
    tag = hmac.digest(key, b"title:" + plain.encode("utf-8", "surrogatepass"), "sha256")[:8]
    return int.from_bytes(tag, "big", signed=True)


def _unpacked(tags: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(tags) // 8}q", tags)


def _chunks(items: Sequence[int]) -> Iterable[Sequence[int]]:
    for at in range(0, len(items), _CHUNK):
        yield items[at : at + _CHUNK]
