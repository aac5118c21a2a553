"""A rotation of the root, in steps that can each be done again and broken off anywhere.

    stage_root      the next root key is durable beside the current one         crash: still the old epoch
    rewrite         the caller's transaction: slots gone, value resealed        before COMMIT old, after new
    check           a second session sees the slots gone and all others unchanged; else both roots stay
    erase_old_root  the former key is overwritten on every root                  crash: done again at start

The next root is durable before the commit and the former one is erased after it: there is no moment without a
root for the committed value. Everything runs under the exclusive lock, held from the first step to the last.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from ..common.errors import Broken, Refused
from .keystore import (
    NO_ROTATION,
    REGISTRY_SLOT,
    KeyTable,
    Row,
    StoreHead,
    open_table,
    replace_row,
    seal_table,
)
from .lease import Lease
from .roots import RootOutcome, StagedRoot, judge_roots
from .wipe import wipe, wiped


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the rewrite did. `absent`: slots asked for that were gone already. `carried`: keyed check, hex."""

    epoch_before: int
    epoch_after: int
    destroyed: tuple[str, ...]
    absent: tuple[str, ...]
    survivors: int
    carried: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """The state after the start-up rule: one epoch, nothing left over on the roots that could be reached."""

    epoch: int
    roots: tuple[RootOutcome, ...]

    @property
    def complete(self) -> bool:
        """Whether the former key is erased on every root; otherwise a destruction is `pending_key_epoch`."""
        return all(root.state == "erased" for root in self.roots)


def stage(lease: Lease, session: Session) -> StagedRoot:
    """Step 2: the next key beside the current one, on every root that can be reached, read back."""
    lease.require_exclusive()
    row, root = lease.unlock_committed(session)
    head = row.head
    return lease.roots.stage(epoch=row.epoch, key=root, suite_id=head.suite.id, store_uuid=head.store_uuid)


def rewrite(lease: Lease, session: Session, slots: Sequence[str]) -> Rewritten:
    """Step 3: the value without `slots`, under the next root, in the caller's write transaction.

    Raises:
        Broken: `root_not_staged`, when the next key is not the same and whole on every reachable root.
        Refused: `registry_key_stays`, for the one slot that must survive.
    """
    lease.require_exclusive()
    wanted = [bytes.fromhex(slot) for slot in slots]
    if REGISTRY_SLOT in wanted:
        raise Refused("registry_key_stays")
    with lease.table(session, for_update=True) as (row, table):
        _require_sound(table.sound())
        present = set(table)
        gone = [slot for slot in wanted if slot in present]
        survivors = table.without(gone)
        head = replace(row.head, epoch=row.epoch + 1)
        next_root = _staged_key(lease, row)
        with wiped(next_root):
            new = _sealed_and_proved(lease, row, survivors, head, next_root)
        replace_row(session, old=row, new=new)
        result = Rewritten(
            epoch_before=row.epoch,
            epoch_after=new.epoch,
            destroyed=tuple(slot.hex() for slot in gone),
            absent=tuple(slot.hex() for slot in wanted if slot not in present),
            survivors=len(survivors),
            carried=survivors.carried.hex(),
        )
        survivors.wipe()
        return result


def check(lease: Lease, session: Session, rewritten: Rewritten) -> None:
    """Step 4, on a second connection: what counts is what was committed.

    Raises:
        Broken: `rotation_not_committed`; `rotation_check_failed`, and then both roots must stay.
    """
    lease.require_exclusive()
    with lease.table(session, committed=True) as (row, table):
        if row.epoch != rewritten.epoch_after:
            raise Broken("rotation_not_committed", epoch=row.epoch)
        slots = set(table)
        gone = not any(bytes.fromhex(slot) in slots for slot in rewritten.destroyed + rewritten.absent)
        same = table.carried != NO_ROTATION and hmac.compare_digest(table.carried.hex(), rewritten.carried)
        _require_sound(gone and same and len(table) == rewritten.survivors and table.sound())


def erase_old(lease: Lease, session: Session) -> Recovery:
    """Step 5, and the start-up rule: every slot but the current epoch's is overwritten, on every root.

    Raises:
        Broken: `rotation_check_failed`: what the last rotation carried is not whole; both roots stay.
    """
    lease.require_exclusive()
    with lease.table(session, committed=True) as (row, table):
        head = row.head
        judge_roots(lease.roots.views(), epoch=row.epoch, store_uuid=head.store_uuid)
        _require_sound(table.sound())
        _, root = lease.unlock_committed(session)
        outcomes = lease.roots.settle(
            epoch=row.epoch, key=root, suite_id=head.suite.id, store_uuid=head.store_uuid
        )
    return Recovery(row.epoch, outcomes)


def _staged_key(lease: Lease, row: Row) -> bytearray:
    holders = lease.roots.holders(row.epoch)
    keys = list(lease.roots.keys(row.epoch + 1))
    if not keys or len(keys) != len(holders) or any(key != keys[0] for key in keys):
        wipe(*keys)
        raise Broken("root_not_staged", epoch=row.epoch + 1)
    wipe(*keys[1:])
    return keys[0]


def _sealed_and_proved(
    lease: Lease, row: Row, survivors: KeyTable, head: StoreHead, next_root: bytearray
) -> Row:
    stretched = lease.stretched(row)
    new = Row(head.epoch, seal_table(survivors, head, root=next_root, stretched=stretched))
    again = open_table(new, root=next_root, stretched=stretched)
    same = again.plain() == survivors.plain()
    again.wipe()
    _require_sound(same)
    return new


def _require_sound(sound: bool) -> None:
    if not sound:
        raise Broken("rotation_check_failed")
