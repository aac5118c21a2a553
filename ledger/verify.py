"""Recomputes the whole log and says what is wrong and from which entry on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..common.canonical import canonical
from ..models.tables import LedgerEntry, LedgerHead, LedgerNode
from . import merkle, segments
from .heads import LogIdentity, TreeHead, genuine
from .log import LEAF_FORMAT

Part = Literal["entry", "node", "head"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: in which table, at which entry, and why (a code).

    For a node, `seq` is the entry that completed it; for a head, its size, or the first entry that it covers
    and no earlier good head does, when the head is genuine and the entries are not what it signed.
    """

    part: Part
    seq: int
    code: str


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """Outcome of `verify`. `heads`: heads checked; `unsigned`: entries after the newest good one."""

    ok: bool
    entries: int
    root: bytes
    first_bad: int | None
    heads: int
    unsigned: int
    flaws: tuple[Flaw, ...] = ()


def verify(session: Session, identity: LogIdentity, known: Sequence[TreeHead] = ()) -> LedgerReport:
    """Recomputes every leaf, node and root; checks the numbering, the columns and every head.

    Args:
        identity: the log's origin and head-signing certificate, from where the station trusts it.
        known: heads kept elsewhere (printed, exported, in a backup); they must be genuine and still hold.
    """
    flaws: list[Flaw] = []
    leaves: list[bytes] = []
    away = segments.departed(session)
    archived = dict(enumerate(segments.leaf_hashes(session, 1, away), start=1)) if away else {}
    absent: list[int] = []
    columns = (LedgerEntry.seq, LedgerEntry.at, LedgerEntry.act, LedgerEntry.person, LedgerEntry.leaf)
    rows = session.execute(select(*columns).order_by(LedgerEntry.seq).execution_options(yield_per=2000))
    for seq, at, act, person, leaf in rows:
        # the hashes of what is in the archive stayed; the heads above them are checked as ever
        while isinstance(seq, int) and len(leaves) + 1 < seq and len(leaves) + 1 in archived:
            absent.append(len(leaves) + 1)
            leaves.append(archived[len(leaves) + 1])
        if seq != len(leaves) + 1:
            flaws.append(Flaw("entry", len(leaves) + 1, "gap"))
            break
        code = _leaf_flaw(seq, at, act, person, leaf)
        if code is not None:
            flaws.append(Flaw("entry", seq, code))
        # Whoever writes past the program may leave another type in the column; its hash then fits no node.
        leaves.append(merkle.leaf_hash(leaf if isinstance(leaf, bytes) else str(leaf).encode()))
    for segment in segments.written(session, segments.RELEASED):
        if sum(segment.first <= seq <= segment.last for seq in absent) != segment.gone:
            flaws.append(Flaw("entry", segment.first, "kept_missing"))
    computed = merkle.nodes_of(leaves)
    flaws += _nodes(session, computed, len(leaves))

    def node(level: int, index: int) -> bytes:
        return computed[level, index]

    columns_of_head = (LedgerHead.size, LedgerHead.root, LedgerHead.at, LedgerHead.signature)
    stored = session.execute(select(*columns_of_head).order_by(LedgerHead.size))
    heads = [TreeHead(*row) for row in stored]
    covered = 0
    for head in sorted([*heads, *known], key=lambda item: item.size):
        flaw = _head_flaw(head, identity, node, len(leaves), covered)
        if flaw is None:
            covered = head.size
        else:
            flaws.append(flaw)
    flaws.sort(key=lambda flaw: flaw.seq)
    return LedgerReport(
        ok=not flaws,
        entries=len(leaves),
        root=merkle.root(len(leaves), node),
        first_bad=flaws[0].seq if flaws else None,
        heads=len(heads) + len(known),
        unsigned=max(0, len(leaves) - covered),
        flaws=tuple(flaws),
    )


def _leaf_flaw(seq: int, at: str, act: str, person: str | None, leaf: bytes) -> str | None:
    try:
        value = json.loads(leaf)
        if canonical(value) != leaf:
            return "not_canonical"
    except (ValueError, TypeError, RecursionError):
        return "not_json"
    if not isinstance(value, dict) or value.get("format") != LEAF_FORMAT:
        return "wrong_format"
    named = tuple(value.get(key) for key in ("seq", "at", "act", "person"))
    return None if named == (seq, at, act, person) else "columns_differ"


def _nodes(session: Session, computed: dict[tuple[int, int], bytes], count: int) -> list[Flaw]:
    flaws: list[Flaw] = []
    seen = 0
    rows = session.execute(
        select(LedgerNode.level, LedgerNode.index, LedgerNode.hash).execution_options(yield_per=5000)
    )
    for level, index, value in rows:
        good = computed.get((level, index))
        # The flipped bit may be in the level itself, so the number is held inside the log.
        seq = min(max((index + 1) << min(max(level, 0), 62), 1), count + 1)
        if good is None:
            flaws.append(Flaw("node", seq, "stray_node"))
            continue
        seen += 1
        if good != value:
            # A changed leaf shows in all nodes above it; the nodes of the leaf itself name the entry.
            flaws.append(Flaw("node", seq, "hash_differs"))
    if seen != len(computed):
        stored = {(lv, ix) for lv, ix in session.execute(select(LedgerNode.level, LedgerNode.index))}
        lost = min((index + 1) << level for level, index in computed if (level, index) not in stored)
        flaws.append(Flaw("node", lost, "node_missing"))
    return flaws


def _head_flaw(
    head: TreeHead, identity: LogIdentity, node: merkle.Node, count: int, covered: int
) -> Flaw | None:
    if not genuine(head, identity):
        return Flaw("head", min(max(head.size, 1), count + 1), "head_signature")
    if head.size > count:
        return Flaw("head", count + 1, "entries_missing")
    if merkle.root(head.size, node) != head.root:
        return Flaw("head", covered + 1, "head_root")
    return None
