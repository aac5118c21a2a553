"""The append-only log: one leaf for each act, written in the same transaction as the act.

Threat model: the database is edited, an entry is changed, dropped, inserted or swapped, the tail is
cut off, the log is replaced. Every entry is a leaf of a Merkle tree (RFC 6962), every node is stored and
recomputed by `verify`, and signed heads bind what was there when they were made. What was appended after the
newest head is bound by nothing yet; `LedgerReport.unsigned` counts it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ..common.canonical import canonical
from ..common.clock import iso
from ..common.errors import NotThere
from ..models.ledger_entry import Entry
from ..models.tables import LedgerEntry, LedgerHead, LedgerNode
from . import merkle, segments
from .heads import VERSION, HeadSigner, LogIdentity, TreeHead, head_json, sign

LEAF_FORMAT = "jiyao.ledger_entry"
EXPORT_FORMAT = "jiyao.ledger_export"
PROOF_FORMAT = "jiyao.ledger_proof"
CONSISTENCY_FORMAT = "jiyao.ledger_consistency"


def leaf_bytes(seq: int, entry: Entry) -> bytes:
    """The leaf: canonical JSON of the entry with its number and the format's version."""
    return canonical(
        {
            "account": entry.account,
            "act": entry.act,
            "at": iso(entry.at),
            "facts": dict(entry.facts),
            "format": LEAF_FORMAT,
            "level": entry.level,
            "objects": list(entry.objects),
            "person": entry.person,
            "reason_hash": entry.reason_hash,
            "result": entry.result,
            "role": entry.role,
            "rule_or_approval": entry.rule_or_approval,
            "seq": seq,
            "version": VERSION,
        }
    )


def size(session: Session) -> int:
    """How many entries there are; the newest has this number."""
    return session.execute(select(func.max(LedgerEntry.seq))).scalar() or 0


def append(session: Session, entry: Entry) -> int:
    """Writes the entry and the tree nodes it completes; it commits with the caller's transaction.

    Returns:
        The entry's number; numbers count from 1 without gaps.

    Raises:
        sqlalchemy.exc.IntegrityError: when another writer took the number (there is one writer).
    """
    return append_all(session, [entry])


def append_all(session: Session, entries: Sequence[Entry]) -> int:
    """As `append`, one behind the other: the tree is read and written once for all.

    Returns:
        The last one's number.
    """
    session.flush()
    size_now = size(session)
    stored, fresh = _node(session), dict[tuple[int, int], bytes]()

    def node(level: int, index: int) -> bytes:
        return fresh.get((level, index)) or stored(level, index)

    rows = []
    for entry in entries:
        leaf = leaf_bytes(size_now + 1, entry)
        made = merkle.completed(size_now, merkle.leaf_hash(leaf), node)
        fresh |= {(level, index): value for level, index, value in made}
        size_now += 1
        rows.append(
            {"seq": size_now, "at": iso(entry.at), "act": entry.act, "person": entry.person, "leaf": leaf}
        )
    if rows:
        session.execute(insert(LedgerEntry), rows)
        session.execute(
            insert(LedgerNode),
            [{"level": level, "index": index, "hash": value} for (level, index), value in fresh.items()],
        )
    return size_now


def head(session: Session) -> TreeHead:
    """The tree as it stands, unsigned."""
    count = size(session)
    return TreeHead(size=count, root=merkle.root(count, _node(session)))


def sign_head(session: Session, signer: HeadSigner, at: datetime) -> TreeHead:
    """Signs the tree as it stands and keeps the head; a tree signed before gives that head again."""
    last = newest_head(session)
    current = head(session)
    if last is not None and last.size == current.size and last.root == current.root:
        return last
    signed = sign(current, signer, at)
    row = {"size": signed.size, "root": signed.root, "at": signed.at, "signature": signed.signature}
    session.execute(insert(LedgerHead), [row])
    return signed


def newest_head(session: Session) -> TreeHead | None:
    """The signed head over the most entries."""
    row = session.execute(select(*_HEAD).order_by(LedgerHead.size.desc()).limit(1)).first()
    return None if row is None else TreeHead(*row)


def newest_at(session: Session) -> datetime | None:
    """Time of the newest entry: what the clock guard compares with."""
    text = session.execute(select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(1)).scalar()
    return None if text is None else datetime.fromisoformat(text)


def proof(session: Session, seq: int, identity: LogIdentity) -> dict[str, object]:
    """Proof that an entry stands in the log, as JSON (grammar in docs/spec/ledger.md).

    It leads to the newest signed head that covers the entry, else to the unsigned tree of now.

    Raises:
        NotThere: `no_ledger_entry`.
    """
    leaf = session.execute(select(LedgerEntry.leaf).where(LedgerEntry.seq == seq)).scalar()
    if leaf is None:
        gone = next(
            (one for one in segments.written(session, segments.RELEASED) if one.first <= seq <= one.last),
            None,
        )
        if gone is not None:
            raise NotThere(
                "ledger_entry_departed", seq=seq, first=gone.first, last=gone.last, sha256=gone.sha256
            )
        raise NotThere("no_ledger_entry", seq=seq)
    signed = newest_head(session)
    towards = signed if signed is not None and signed.size >= seq else head(session)
    path = merkle.inclusion(seq - 1, towards.size, _node(session))
    return {
        "certificate": base64.b64encode(identity.certificate).decode(),
        "format": PROOF_FORMAT,
        "head": head_json(towards),
        "leaf": leaf.decode(),
        "origin": identity.origin,
        "path": [step.hex() for step in path],
        "seq": seq,
        "version": VERSION,
    }


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Proof that the log of `old` entries is the beginning of that of `new` entries (RFC 6962, 2.1.2).

    Raises:
        NotThere: `no_ledger_entry` when there are fewer than `new` entries.
        ValueError: when `old` is larger.
    """
    if new > size(session):
        raise NotThere("no_ledger_entry", seq=new)
    return merkle.consistency(old, new, _node(session))


def consistency_proof(session: Session, old: int, new: int, identity: LogIdentity) -> dict[str, object]:
    """Proof that the log of `old` entries is the beginning of that of `new` entries, as JSON (docs/spec/ledger.md).

    Both heads are the signed ones where they were signed at these sizes.

    Raises:
        NotThere: `no_ledger_entry`. ValueError: when `old` is larger.
    """
    path = consistency(session, old, new)
    return {
        "certificate": base64.b64encode(identity.certificate).decode(),
        "format": CONSISTENCY_FORMAT,
        "new": head_json(head_at(session, new)),
        "old": head_json(head_at(session, old)),
        "origin": identity.origin,
        "path": [step.hex() for step in path],
        "version": VERSION,
    }


def head_at(session: Session, count: int) -> TreeHead:
    """The head over the first `count` entries: as it was signed at that size, else recomputed and unsigned."""
    row = session.execute(select(*_HEAD).where(LedgerHead.size == count)).first()
    return TreeHead(*row) if row is not None else TreeHead(count, merkle.root(count, _node(session)))


def export(
    session: Session, identity: LogIdentity, since: int = 1, until: int | None = None
) -> Iterator[str]:
    """The log as JSON lines: header, entries from `since` on, all heads (docs/spec/ledger.md).

    Entries that left for the archive are not among them: then it begins behind the last of these. `until`: only up to
    this entry, as a segment.
    """
    since = max(1, since, segments.departed(session) + 1)
    current = head(session) if until is None else head_at(session, until)
    node = _node(session)
    below = merkle.peaks(min(since - 1, current.size))
    yield _line(
        {
            "base": [node(level, index).hex() for level, index in below],
            "certificate": base64.b64encode(identity.certificate).decode(),
            "format": EXPORT_FORMAT,
            "origin": identity.origin,
            "root": current.root.hex(),
            "since": since,
            "size": current.size,
            "version": VERSION,
        }
    )
    entries = select(LedgerEntry.seq, LedgerEntry.leaf).where(
        LedgerEntry.seq >= since, LedgerEntry.seq <= current.size
    )
    for seq, leaf in session.execute(entries.order_by(LedgerEntry.seq).execution_options(yield_per=1000)):
        yield _line({"leaf": leaf.decode(), "seq": seq})
    heads = select(*_HEAD).where(LedgerHead.size <= current.size).order_by(LedgerHead.size)
    for row in session.execute(heads):
        yield _line({"head": head_json(TreeHead(*row))})


_HEAD = (LedgerHead.size, LedgerHead.root, LedgerHead.at, LedgerHead.signature)


def _line(value: object) -> str:
    return canonical(value).decode()


def _node(session: Session) -> merkle.Node:
    def read(level: int, index: int) -> bytes:
        wanted = select(LedgerNode.hash).where(LedgerNode.level == level, LedgerNode.index == index)
        return session.execute(wanted).scalar_one()

    return read
