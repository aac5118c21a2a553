"""A rotation of the root, in steps that can each be done again and broken off anywhere.

    stage_root      the next root key is durable beside the current one         crash: still the old epoch
    rewrite         the caller's transaction: slots gone, paths re-keyed        before COMMIT old, after new
    check           a second session sees the slots gone and all others unchanged; else both roots stay
    erase_old_root  the former key is overwritten on every root                  crash: done again at start

The next root is durable before the commit and the former one is erased after it: there is no moment without a
root for the committed value. Everything runs under the exclusive lock, held from the first step to the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from ..common.errors import Broken, Refused
from .head import Row
from .keystore import NO_ROTATION, REGISTRY_SLOT, open_top, replace_row, seal_top
from .lease import Lease
from .roots import RootOutcome, StagedRoot, judge_roots
from .tree import KeyTree
from .tree_rekey import carried_now, rekey, sound
from .wipe import wipe, wiped


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the rewrite did. `absent`: slots asked for that were gone already. `survivors`: keys left on the leaf pages
    that were re-keyed; `pages`: how many pages were. `carried`: keyed check over all that stayed, hex.
    """

    epoch_before: int
    epoch_after: int
    destroyed: tuple[str, ...]
    absent: tuple[str, ...]
    survivors: int
    pages: int
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
    with lease.tree(session, committed=True) as tree:
        head = tree.head
        return lease.roots.stage(
            epoch=head.epoch, key=lease.root(tree.row), suite_id=head.suite.id, store_uuid=head.store_uuid
        )


def rewrite(lease: Lease, session: Session, slots: Sequence[str], *, whole: bool = False) -> Rewritten:
    """Step 3: the tree without `slots`, under the next root, in the caller's write transaction.

    With `whole` every page gets a new key, not only those on the paths to `slots`.

    Raises:
        Broken: `root_not_staged`, when the next key is not the same and whole on every reachable root.
        Refused: `registry_key_stays`, for the one slot that must survive.
    """
    lease.require_exclusive()
    wanted = [bytes.fromhex(slot) for slot in slots]
    if any(slot[:2] == REGISTRY_SLOT[:2] for slot in wanted):
        raise Refused("registry_key_stays")
    with lease.tree(session, for_update=True) as tree:
        _require_sound(sound(tree))
        next_root = _staged_key(lease, tree.row)
        with wiped(next_root):
            done = rekey(tree, session, wanted, whole=whole)
            replace_row(session, old=tree.row, new=_sealed_and_proved(lease, tree, next_root))
        return Rewritten(
            epoch_before=tree.head.epoch,
            epoch_after=tree.head.epoch + 1,
            destroyed=tuple(slot.hex() for slot in done.destroyed),
            absent=tuple(slot.hex() for slot in done.absent),
            survivors=done.survivors,
            pages=done.pages,
            carried=done.carried.hex(),
        )


def check(lease: Lease, session: Session, rewritten: Rewritten) -> None:
    """Step 4, on a second connection: what counts is what was committed.

    Raises:
        Broken: `rotation_not_committed`; `rotation_check_failed`, and then both roots must stay.
    """
    lease.require_exclusive()
    with lease.tree(session, committed=True) as tree:
        if tree.head.epoch != rewritten.epoch_after:
            raise Broken("rotation_not_committed", epoch=tree.head.epoch)
        carried = tree.top.carried
        _require_sound(carried != NO_ROTATION and carried.hex() == rewritten.carried)
        try:
            now = carried_now(tree, map(bytes.fromhex, rewritten.destroyed + rewritten.absent))
        except Broken as error:
            raise Broken("rotation_check_failed") from error
        _require_sound(not now.alive and now.carried == carried and now.survivors == rewritten.survivors)


def erase_old(lease: Lease, session: Session) -> Recovery:
    """Step 5, and the start-up rule: every slot but the current epoch's is overwritten, on every root.

    Raises:
        Broken: `rotation_check_failed`: what the last rotation carried is not whole; both roots stay.
    """
    lease.require_exclusive()
    with lease.tree(session, committed=True) as tree:
        head = tree.head
        judge_roots(lease.roots.views(), epoch=head.epoch, store_uuid=head.store_uuid)
        _require_sound(sound(tree))
        outcomes = lease.roots.settle(
            epoch=head.epoch, key=lease.root(tree.row), suite_id=head.suite.id, store_uuid=head.store_uuid
        )
    return Recovery(head.epoch, outcomes)


def _staged_key(lease: Lease, row: Row) -> bytearray:
    holders = lease.roots.holders(row.epoch)
    keys = list(lease.roots.keys(row.epoch + 1))
    if not keys or len(keys) != len(holders) or any(key != keys[0] for key in keys):
        wipe(*keys)
        raise Broken("root_not_staged", epoch=row.epoch + 1)
    wipe(*keys[1:])
    return keys[0]


def _sealed_and_proved(lease: Lease, tree: KeyTree, next_root: bytearray) -> Row:
    stretched = lease.stretched(tree.row)
    new = seal_top(
        tree.top, replace(tree.head, epoch=tree.head.epoch + 1), root=next_root, stretched=stretched
    )
    again = open_top(new, root=next_root, stretched=stretched)
    one, other = again.plain(), tree.top.plain()
    with wiped(one, other):
        again.wipe()
        _require_sound(one == other)
    return new


def _require_sound(sound: bool) -> None:
    if not sound:
        raise Broken("rotation_check_failed")
