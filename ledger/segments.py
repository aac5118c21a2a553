"""Old entries leave the registry for the archive, and everything stays provable.

What leaves is the text of entries; their hashes and every hash above them stay. So any head ever signed can still be
recomputed, any entry that stayed or left proved, and any two heads shown to be of one log. What the station itself
replays (who had which role, where an original went, which segments left) stays in full. Which segments left is written
in the log itself: nobody hides an entry by saying that it is in the archive.

Threat model: entries are taken away under the pretext of archiving (the segment's file is written, its digest is an
entry, another person releases it and the file is compared once more, hash by hash); a segment is lost later (its
entries can then no longer be read, but neither can they be replaced: the hashes stayed).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models.tables import LedgerEntry, LedgerNode
from . import merkle

WRITTEN, RELEASED = "ledger.segment", "ledger.segment.release"
KEPT = frozenset({WRITTEN, RELEASED, "account.grant", "move"})
"""Acts whose entries stay in full."""
_PART = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of entries, first to last, and the SHA-256 of the file they were written to."""

    first: int
    last: int
    sha256: str
    person: str | None
    gone: int = 0
    """Of a released one: how many entries left; the others stayed."""


def written(session: Session, act: str = WRITTEN) -> list[Segment]:
    """Segments by the log's own entries, in their order: written, or released (`act`)."""
    leaves = session.scalars(select(LedgerEntry.leaf).where(LedgerEntry.act == act).order_by(LedgerEntry.seq))
    found = []
    for leaf in leaves:
        try:
            entry = json.loads(leaf)
            facts = entry["facts"]
            if entry["result"] == "done":
                ends = int(facts["first"]), int(facts["last"])
                gone = int(facts.get("gone", 0))
                found.append(Segment(*ends, str(facts["sha256"]), entry["person"], gone))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def departed(session: Session) -> int:
    """Up to which entry the log has left for the archive; 0 when it has not."""
    return max((segment.last for segment in written(session, RELEASED)), default=0)


def leaving(session: Session, segment: Segment) -> list[int]:
    """The entries of a segment that leave: all but the first of the log and those of `KEPT`."""
    wanted = select(LedgerEntry.seq).where(
        LedgerEntry.seq.between(max(2, segment.first), segment.last), LedgerEntry.act.not_in(KEPT)
    )
    return list(session.scalars(wanted))


def release(session: Session, segment: Segment) -> int:
    """Takes the entries of a segment away that leave. How many went."""
    seqs = leaving(session, segment)
    for start in range(0, len(seqs), _PART):
        session.execute(delete(LedgerEntry).where(LedgerEntry.seq.in_(seqs[start : start + _PART])))
    return len(seqs)


def leaf_hashes(session: Session, first: int, last: int) -> list[bytes]:
    """The hashes of entries, also of those that left."""
    rows = session.scalars(
        select(LedgerNode.hash)
        .where(LedgerNode.level == 0, LedgerNode.index.between(first - 1, last - 1))
        .order_by(LedgerNode.index)
    )
    return list(rows)


def same(session: Session, entries: dict[int, bytes], segment: Segment) -> bool:
    """Whether these are exactly the entries of the segment, hash by hash.

    Args:
        entries: number -> leaf, from the segment's file.
    """
    hashes = leaf_hashes(session, segment.first, segment.last)
    numbers = range(segment.first, segment.last + 1)
    return (
        len(hashes) == len(numbers)
        and set(entries) == set(numbers)
        and all(merkle.leaf_hash(entries[seq]) == value for seq, value in zip(numbers, hashes, strict=True))
    )
