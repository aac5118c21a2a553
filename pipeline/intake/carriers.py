"""The paper that the register knows already: another of its numbered originals, a rescan, a new version.

The issuer sends several originals of one paper, numbered 000012 to 000016 (来文份号). They are carriers of one
document (R-006): entered under its number, each with its own serial, its scan sealed under the document's key. The
same serial again is a rescan, another text under the same number a new version: both become entries of their own
that a person looks at, naming the former one.

What is kept to find the former paper is one keyed hash of its number (of title and date where it has none); texts are
compared from the sealed transcripts, and only with a paper of that number.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.fields import OfficialFields
from ...models.page import Finding, Transcript
from ...models.tables import Artefact, Carrier, Document, Receipt, Scan
from ...models.wire import from_plain
from ...stages.likeness import Likeness, compare
from ..desk import movements
from ..papers.documents import keep_words, words_of
from ..persons.actors import Actor
from ..rounds import return_cycle
from ..station.station import Station
from .judgement import load_judgement, load_transcript
from .paper_tag import paper_tag
from .register_entry import ReadPaper, area_of, remember, tag_of
from .source_file import remember_place

ALIVE = ("pending", "pending_second", "registered", "archived")
_SURE = 0.9
_MOST = 12
"""Former papers compared at most: of a number that stands so often, the newest."""


@dataclass(frozen=True, slots=True)
class Former:
    """A registered document that the new paper is, or nearly is; `code` is a finding code.

    `carrier`: another original of it. Else it stays a paper of its own, and `code` says what a person should know.
    """

    document: str
    kind: Literal["carrier", "rescan", "same", "version"]
    code: str = ""
    ratio: float = 1.0

    @property
    def finding(self) -> Finding:
        """For the record of the new paper."""
        return Finding(self.code, detail=f"{self.document} {self.ratio:.2f}")


def papers_known(station: Station, session: Session, papers: Iterable[OfficialFields]) -> frozenset[bytes]:
    """The tags of these papers under which the register has any."""
    tags = {tag for fields in papers if (tag := paper_tag(station, session, fields)) is not None}
    found = select(Document.paper_tag).where(Document.paper_tag.in_(tags), Document.status.in_(ALIVE))
    return frozenset(tag for tag in session.scalars(found) if tag is not None)


def find_former(
    station: Station, session: Session, fields: OfficialFields, transcript: bytes
) -> Former | None:
    """The registered paper that this one is or nearly is; None when there is none.

    Args:
        fields: of the new paper. transcript: its sealed form (JSON of a `Transcript`).
    """
    tag = paper_tag(station, session, fields)
    if tag is None:
        return None
    rows = session.scalars(
        select(Document)
        .where(Document.paper_tag == tag, Document.status.in_(ALIVE))
        .order_by(Document.year.desc(), Document.seq.desc())
        .limit(_MOST)
    ).all()
    if not rows:
        return None
    new = from_plain(Transcript, json.loads(transcript))
    best: tuple[Document, Likeness] | None = None
    for row in rows:
        old = load_transcript(station, session, row.id)
        if old is None:
            continue
        likeness = compare(old, new)
        if best is None or (likeness.same, likeness.ratio) > (best[1].same, best[1].ratio):
            best = row, likeness
    return _judge(station, session, fields, *best) if best is not None else None


def enter_carrier(
    station: Station, session: Session, actor: Actor, paper: ReadPaper, former: Former, *, receipt: Receipt
) -> Document:
    """Another original of a document enters its row: carrier, serial, count; its scan under the document's key.

    A row that was declared for it when its envelope was signed for is void from now on, naming this one.
    """
    serial = paper.fields.serials[0]
    row, carrier = _add(station, session, actor, former.document, serial=serial, receipt=receipt)
    session.add(
        Scan(
            document_id=row.id, carrier_id=carrier.id, artefact_id=seal_scan(station, session, row, paper.data),
            kind="carrier", tag=tag_of(station, session, paper.identity or paper.sha256), at=station.now(),
        )
    )  # fmt: skip
    remember_place(station, session, actor, document=row.id, path=paper.path, size=len(paper.data))
    return row


def move_scans(
    station: Station, session: Session, old: Collection[str], rows: Mapping[str, Document]
) -> None:
    """The carriers of documents that others replace have changed over: their scans follow, under the new keys.

    Args:
        old: the documents replaced. rows: those in their place, by id; one without a key keeps nothing.
    """
    for scan in session.scalars(select(Scan).where(Scan.document_id.in_(old), Scan.kind == "carrier")).all():
        row = rows.get(str(session.get_one(Carrier, scan.carrier_id).document_id))
        sealed = session.get(Artefact, scan.artefact_id) if scan.artefact_id is not None else None
        if row is None or row.key_slot is None or sealed is None or sealed.state != "live":
            continue
        data = bytes(station.vault.get(session, sealed.key_slot, sealed.path))
        scan.document_id, scan.artefact_id = row.id, seal_scan(station, session, row, data)


def seal_scan(station: Station, session: Session, row: Document, data: bytes) -> int:
    """Seals the scan of a further original under the document's key; the artefact's number."""
    slot = str(row.key_slot)
    sealed = station.vault.put(session, slot, "pages", data, area=area_of(station, row))
    scan = Artefact(
        document_id=row.id, kind="pages", key_slot=slot, path=sealed.path, size=sealed.size,
        cipher_sha256=sealed.cipher_sha256,
    )  # fmt: skip
    session.add(scan)
    session.flush()
    return scan.id


def _add(
    station: Station,
    session: Session,
    actor: Actor,
    document: str,
    *,
    serial: str,
    receipt: Receipt,
) -> tuple[Document, Carrier]:
    row = session.get_one(Document, document)
    words = words_of(station, session, row)
    serials = list(words.get("serials") or ())
    _carriers_of_first(station, session, actor, row, receipt, serials)
    declared = _declared(station, session, actor, row, receipt)
    known = session.scalars(select(Carrier).where(Carrier.document_id == row.id).order_by(Carrier.id)).all()
    carrier = next((item for item in known if item.serial == serial), None)
    if carrier is None:
        carrier = next((item for item in declared if item.serial is None), None)
    if carrier is None:
        carrier = _new_carrier(station, session, actor, row, receipt, serial, len(known) + 1)
    carrier.serial = serial
    keep_words(station, session, row, {**words, "serials": sorted({*serials, serial})})
    session.flush()
    held = session.scalars(select(Carrier.id).where(Carrier.document_id == row.id)).all()
    row.copies_received = max(row.copies_received, len(held), len({*serials, serial}))
    remember(
        station, session, row, actor.person, "carrier", "carriers",
        {"carrier": carrier.id, "serial": serial, "receipt": receipt.id},
    )  # fmt: skip
    station.log(
        session, "carrier.add", objects=(row.id, carrier.id, receipt.id), person=actor.person,
        account=actor.user, facts={"copies": row.copies_received},
    )  # fmt: skip
    return row, carrier


# ---------------------------------------------------------------- parts


def _judge(
    station: Station, session: Session, fields: OfficialFields, row: Document, likeness: Likeness
) -> Former:
    """What the likeness means, serials and marks considered."""
    if not likeness.same:
        return Former(row.id, "version", "other_version", likeness.ratio)
    judgement = load_judgement(station, session, row.id)
    day = judgement.fields.signed_date if judgement is not None else None
    if day is not None and fields.signed_date is not None and day != fields.signed_date:
        return Former(row.id, "version", "other_version", likeness.ratio)
    if judgement is not None and judgement.fields.mark != fields.mark:
        return Former(row.id, "version", "carrier_differs", likeness.ratio)
    known = set(words_of(station, session, row).get("serials") or ())
    own = set(fields.serials)
    sure = all(item.score >= _SURE and not item.doubt for item in fields.evidence if item.name == "serial")
    if own and own <= known:
        return Former(row.id, "rescan", "rescan_of", likeness.ratio)
    if len(own) == 1 and known and not own & known and sure:
        return Former(row.id, "carrier", "", likeness.ratio)
    return Former(row.id, "same", "same_text_again", likeness.ratio)


def _carriers_of_first(
    station: Station, session: Session, actor: Actor, row: Document, receipt: Receipt, serials: Sequence[str]
) -> None:
    """A document that came without being signed for has no carrier rows yet: the ones read so far get theirs."""
    if session.scalars(select(Carrier.id).where(Carrier.document_id == row.id)).first() is None:
        first = session.get(Receipt, row.receipt_id) or receipt
        for number, serial in enumerate(serials or [None], start=1):
            _new_carrier(station, session, actor, row, first, serial, number)
        session.flush()


def _new_carrier(
    station: Station, session: Session, actor: Actor, row: Document, receipt: Receipt, serial: str | None,
    number: int,
) -> Carrier:  # fmt: skip
    carrier = Carrier(
        id=f"{row.id}-Z{number}", receipt_id=receipt.id, document_id=row.id, type=receipt.carrier,
        serial=serial, holder=actor.person, place=None, state="held",
    )  # fmt: skip
    session.add(carrier)
    session.flush()
    movements.enter(station, session, actor, carrier, "receive")
    if row.confirmed:
        return_cycle.begin(station, session, row)
    return carrier


def _declared(
    station: Station, session: Session, actor: Actor, row: Document, receipt: Receipt
) -> list[Carrier]:
    """The carriers of the row that was declared for this envelope; they move over, and that row is void."""
    own = session.scalars(
        select(Document).where(
            Document.receipt_id == receipt.id, Document.status == "received", Document.id != row.id
        )
    ).first()
    if own is None:
        return []
    moved = session.scalars(select(Carrier).where(Carrier.document_id == own.id)).all()
    for carrier in moved:
        carrier.document_id = row.id
    void(station, session, actor, own, replaced_by=(row.id,), act="carrier.add")
    session.flush()
    return list(moved)


def void(
    station: Station, session: Session, actor: Actor, row: Document, *, replaced_by: Sequence[str], act: str
) -> None:
    """A row that others replace: its number is never used again, and it says which they are."""
    old = row.status
    row.status, row.confirmed, row.must_review = "void", False, False
    words = {**words_of(station, session, row), "replaced_by": list(replaced_by)}
    keep_words(station, session, row, words)
    remember(
        station, session, row, actor.person, "void", "status",
        {"old": old, "new": "void", "by": act, "replaced_by": list(replaced_by)},
    )  # fmt: skip
