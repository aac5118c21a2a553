"""What the machine read and suggested about one document: sealed with it, gone with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models.fields import OfficialFields
from ...models.page import Finding, Transcript
from ...models.suggestion import LevelSuggestion, RetentionSuggestion
from ...models.tables import Artefact
from ...models.wire import from_plain, to_plain
from ..station.station import Station


@dataclass(frozen=True, slots=True)
class Judgement:
    """Fields and suggestions with their evidence, as the workers gave them."""

    sha256: str
    """Of the original's bytes."""
    format: str
    fields: OfficialFields
    level: LevelSuggestion
    retention: RetentionSuggestion
    findings: tuple[Finding, ...] = ()
    password: str | None = field(default=None, repr=False)
    """The one that opens the original, where it came encrypted and a password was given for it."""

    @property
    def passwords(self) -> list[str]:
        """What a job gets that is to open the original again."""
        return [] if self.password is None else [self.password]

    def pack(self) -> bytes:
        """As sealed."""
        return json.dumps(to_plain(self), ensure_ascii=False).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Judgement:
        """As opened."""
        return from_plain(cls, json.loads(data))


def load_judgement(station: Station, session: Session, document: str) -> Judgement | None:
    """The judgement of a document; None when it was never read or is destroyed."""
    data = open_artefact(station, session, document, "judgement")
    return Judgement.unpack(data) if data is not None else None


def load_judgements(station: Station, session: Session, documents: Sequence[str]) -> dict[str, Judgement]:
    """The judgements of several documents; none of those never read or destroyed."""
    rows = session.scalars(
        select(Artefact)
        .where(
            Artefact.document_id.in_(documents), Artefact.kind == "judgement", Artefact.state == "live",
            Artefact.copy_id.is_(None),
        )
        .order_by(Artefact.id)
    )  # fmt: skip
    newest = {row.document_id: row for row in rows}
    sealed = station.vault.get_all(session, [(row.key_slot, row.path) for row in newest.values()])
    return {document: Judgement.unpack(sealed[row.path]) for document, row in newest.items()}


def load_transcript(station: Station, session: Session, document: str) -> Transcript | None:
    """The text of a document; None when it was never read or is destroyed."""
    data = open_artefact(station, session, document, "transcript")
    return from_plain(Transcript, json.loads(data)) if data is not None else None


def open_artefact(
    station: Station, session: Session, document: str, kind: str, *, copy: str | None = None
) -> bytes | None:
    """The bytes of a living artefact; None when there is none.

    Raises:
        Broken: the sealed file was altered.
    """
    row = session.scalars(
        select(Artefact)
        .where(
            Artefact.document_id == document,
            Artefact.kind == kind,
            Artefact.state == "live",
            Artefact.copy_id.is_(None) if copy is None else Artefact.copy_id == copy,
        )
        .order_by(Artefact.id.desc())
    ).first()
    if row is None:
        return None
    return bytes(station.vault.get(session, row.key_slot, row.path))


def pack_transcript(transcript: Transcript) -> bytes:
    """As sealed."""
    plain: Any = to_plain(transcript)
    return json.dumps(plain, ensure_ascii=False).encode()
