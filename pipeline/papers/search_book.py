"""The search book: finds text in register words that stand encrypted, with exact results and without reading them all.

A page holds the words of some hundred documents, sealed together. Each letter and each pair of letters on it falls into
one of 65,536 keyed slots, and a slot has a sealed bit for every page. A search opens the slots of its own letters, then
only the pages that have them all, and looks there for the very text. What is not yet on a page is few, and is opened
row by row. A row's words are on exactly the page its `search_page` names: changed words leave their page at once, in
the same transaction, so that nothing that was taken out of the register stays behind in the book.

Threat: someone who holds the registry's file without the registry key. He sees how many documents there are, in which
order they came into the book, which slots were ever used, and how large a page is: no word, no frequency of a letter,
and not which documents share a word, since bits and words are sealed (tags in clear would show all three). Not met: who
watches which slots and pages the machine opens while a search runs learns which searches were alike. The book survives
a destruction, as the register's words do.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ...models.tables import Document, SearchPage, SearchSlot
from ..station.station import Station

PURPOSE: Final = "search"
PAGE: Final = 256
LOOSE: Final = 512
"""So many documents outside the book bring a new page about."""
SEARCHED: Final = ("title", "organ", "doc_number", "source_name", "signer", "recipients")
_ORGAN: Final = SEARCHED.index("organ")
_STEP: Final = 512
"""Bytes by which a slot's bits grow: all slots look alike, and say nothing about when they were last used."""
_ENTRY, _FIELDS, _FIELD = "\x1e", "\x1d", "\x1f"
_ENTRY_BYTE: Final = _ENTRY.encode()
_FIGURES: Final = re.compile(r"(?=([0-9]{4}))")
"""Pairs of figures stand on every page: four of a number at a time tell pages apart."""
_CLEAN: Final = str.maketrans(dict.fromkeys("\x1c\x1d\x1e\x1f", " "))
_MOST: Final = 900
"""Values in one condition: what every SQLite takes."""
_Value = TypeVar("_Value")


def changed(station: Station, session: Session, row: Document) -> None:
    """A row's words were sealed anew: they leave their page, and once enough rows are loose a page is bound."""
    all_changed(station, session, (row,))


def all_changed(station: Station, session: Session, rows: Sequence[Document]) -> None:
    """`changed` of several rows: each page is opened once."""
    leaving: dict[int, set[str]] = {}
    for row in rows:
        if row.search_page is not None:
            leaving.setdefault(row.search_page, set()).add(row.id)
            row.search_page = None
    for page, names in leaving.items():
        _take_out(station, session, page, names)
    session.flush()
    while bind_if_due(station, session):
        session.flush()


def bind_if_due(station: Station, session: Session) -> bool:
    """Binds a page once enough rows are loose; whether it did."""
    with session.no_autoflush:
        loose = select(Document.id).where(Document.search_page.is_(None)).limit(LOOSE).subquery()
        if session.scalar(select(func.count()).select_from(loose)) == LOOSE:
            return bind(station, session) > 0
    return False


def bind(station: Station, session: Session) -> int:
    """Binds one page of loose documents; how many they were."""
    with session.no_autoflush:
        rows = session.scalars(select(Document).where(Document.search_page.is_(None)).limit(PAGE)).all()
        if not rows:
            return 0
        page = (session.scalar(select(func.max(SearchPage.id))) or 0) + 1
        entries = {row.id: _entry(station, session, row) for row in rows}
        places = [place(row.year, row.seq) for row in rows]
        session.execute(
            insert(SearchPage),
            [
                {
                    "id": page, "documents": len(rows), "sealed": seal_page(station, session, page, entries),
                    "least": min(places), "most": max(places),
                }
            ],
        )  # fmt: skip
        mark(station, session, {page: grams_of(entries.values())})
        for row in rows:
            row.search_page = page
    return len(rows)


# ---------------------------------------------------------------- pages and slots


def place(year: int, seq: int) -> int:
    """Where a document stands in the register, as one number."""
    return year * 1_000_000_000 + seq


def seal_page(station: Station, session: Session, page: int, entries: Mapping[str, Sequence[str]]) -> bytes:
    """A page of documents with their searched words, as it is kept."""
    text = _ENTRY.join(document + _FIELDS + _FIELD.join(texts) for document, texts in entries.items())
    return station.vault.seal_register(
        session, text.encode("utf-8", "surrogatepass"), PURPOSE, bind=f"page {page}".encode()
    )


def mark(station: Station, session: Session, grams: Mapping[int, Iterable[str]]) -> None:
    """Sets the bits of pages in the slots of what stands on them."""
    slots: dict[int, list[int]] = {}
    slot_of = Slots(station, session)
    for page, found in grams.items():
        for slot in {slot_of(gram) for gram in found}:
            slots.setdefault(slot, []).append(page)
    wanted = sorted(slots)
    known = dict(_bits(station, session, wanted))
    values = []
    for slot in wanted:
        bits = bytearray(known.get(slot, b""))
        last = max(slots[slot]) // 8 + 1
        bits.extend(bytes(-(-max(last, len(bits)) // _STEP) * _STEP - len(bits)))
        for page in slots[slot]:
            bits[page // 8] |= 1 << page % 8
        values.append({"slot": slot, "sealed": seal_slot(station, session, slot, bytes(bits))})
    old = [one for one in values if one["slot"] in known]
    new = [one for one in values if one["slot"] not in known]
    if old:
        session.execute(update(SearchSlot), old)
    if new:
        session.execute(insert(SearchSlot), new)


def seal_slot(station: Station, session: Session, slot: int, bits: bytes) -> bytes:
    """A slot's bits, the lowest bit of the first byte for page 0, as they are kept."""
    return station.vault.seal_register(session, bits, PURPOSE, bind=f"slot {slot}".encode())


class Slots:
    """The keyed slot of a letter or pair of letters."""

    def __init__(self, station: Station, session: Session) -> None:
        self._key = station.vault.derive(session, PURPOSE)
        self._known: dict[str, int] = {}

    def __call__(self, gram: str) -> int:
        slot = self._known.get(gram)
        if slot is None:
            digest = hmac.digest(self._key, gram.encode("utf-8", "surrogatepass"), "sha256")
            slot = self._known[gram] = int.from_bytes(digest[:2], "big")
        return slot


def grams_of(entries: Iterable[Sequence[str]]) -> set[str]:
    """Letters and pairs of letters of these texts, and of numbers four figures at a time."""
    found: set[str] = set()
    for texts in entries:
        for text in texts:
            found.update(text)
            found.update(map(str.__add__, text, text[1:]))
            found.update(_FIGURES.findall(text))
    return found


def candidates(station: Station, session: Session, sought: Iterable[str]) -> list[int]:
    """The pages that have every letter and pair of letters of what is sought."""
    slot_of, grams = Slots(station, session), set[str]()
    for text in sought:
        grams |= set(map(str.__add__, text, text[1:])) or set(text)
        grams.update(_FIGURES.findall(text))
    slots = sorted({slot_of(gram) for gram in grams})
    bits = dict(_bits(station, session, slots))
    common = (1 << 8 * max((len(one) for one in bits.values()), default=0)) - 1
    for slot in slots:
        common &= int.from_bytes(bits.get(slot, b""), "little")
    return [page for page in range(common.bit_length()) if common >> page & 1]


def _bits(station: Station, session: Session, slots: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    for part in parts(slots):
        rows = session.execute(select(SearchSlot.slot, SearchSlot.sealed).where(SearchSlot.slot.in_(part)))
        for slot, sealed in rows:
            yield slot, station.vault.open_register(session, sealed, PURPOSE, bind=f"slot {slot}".encode())


def on_page(
    station: Station, session: Session, page: SearchPage, query: str | None, organ: str | None
) -> Iterator[str]:
    """Numbers of documents on a page whose searched words contain `query` and whose organ contains `organ`."""
    plain = _plain(station, session, page)
    sought = [one.encode("utf-8", "surrogatepass") for one in (query, organ) if one]
    if any(one not in plain for one in sought):
        return
    at = 0
    # from hit to hit: entries without one are never cut out
    while (hit := plain.find(sought[0], at)) >= 0:
        start, at = plain.rfind(_ENTRY_BYTE, 0, hit) + 1, plain.find(_ENTRY_BYTE, hit)
        at = len(plain) if at < 0 else at
        document, _, fields = plain[start:at].decode("utf-8", "surrogatepass").partition(_FIELDS)
        if has(fields.split(_FIELD), query, organ):
            yield document


def _take_out(station: Station, session: Session, number: int, documents: Container[str]) -> None:
    page = session.get_one(SearchPage, number)
    entries = [entry.partition(_FIELDS) for entry in _open(station, session, page).split(_ENTRY)]
    kept = {name: fields.split(_FIELD) for name, _, fields in entries if name and name not in documents}
    page.documents, page.sealed = len(kept), seal_page(station, session, number, kept)


def _open(station: Station, session: Session, page: SearchPage) -> str:
    return _plain(station, session, page).decode("utf-8", "surrogatepass")


def _plain(station: Station, session: Session, page: SearchPage) -> bytes:
    return station.vault.open_register(session, page.sealed, PURPOSE, bind=f"page {page.id}".encode())


# ---------------------------------------------------------------- words


def _entry(station: Station, session: Session, row: Document) -> tuple[str, ...]:
    return texts_of(station.unseal(session, "document", row.sealed, bind=row.id))


def texts_of(words: Mapping[str, Any]) -> tuple[str, ...]:
    """What a document is searched by, in the order of `SEARCHED`."""
    values = (
        words.get("title"), "、".join(words.get("organs") or ()), words.get("doc_number"), words.get("source_name"),
        "、".join(words.get("signers") or ()), "、".join(words.get("recipients") or ()),
    )  # fmt: skip
    return tuple(str(value or "").translate(_CLEAN) for value in values)


def has(texts: Sequence[str], query: str | None, organ: str | None) -> bool:
    """Whether these texts of a document contain `query`, and that of its organ `organ`."""
    if organ and organ not in texts[_ORGAN]:
        return False
    return not query or any(query in text for text in texts)


def parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """A part for each question."""
    for start in range(0, len(values), _MOST):
        yield values[start : start + _MOST]
