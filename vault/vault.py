"""The vault's face: what the pipeline calls. It knows keys and bytes, and nothing of documents.

Threat model: see root.py, keystore.py and blob.py. Here it comes together: a destroyed slot is gone from
the value in the registry, the value's former versions lie under a root that is gone from every medium, and
a blob without its key is noise. Accepted: whoever runs code as the station's operating-system account and
knows the passphrase can read what is alive; whoever copied root, database and passphrase before a
destruction can read what was alive then.

Order of locks: `lease()` or `rotating()` first, then the database's write transaction. Keys made and blobs
put in a transaction hold a lease until that transaction ends, so end transactions soon. A destruction runs,
all of it within `rotating()`: stage_root; rewrite in one write transaction, COMMIT; check on a second
session; erase_old_root."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..common.errors import Broken, JiyaoError, NotThere, Refused
from ..models.tables import KeyStoreRow
from . import rotation
from .blob import BlobRef, Unsynced, open_file, stray_files, write_blob
from .erase import Erased, erase_file
from .head import Row, StoreHead
from .kdf import SALT_BYTES, KdfCost, kdf_cost, stretch
from .keystore import REGISTRY_SLOT, Top, replace_row, seal_top
from .lease import Lease
from .lock import Barrier
from .medium import Medium
from .register import open_value, seal_value, subkey
from .root import require_outside
from .roots import RootPlace, RootSet, RootView, StagedRoot, judge_roots, root_medium
from .rotation import Recovery, Rewritten
from .suite import KEY_BYTES, Suite, suite_named
from .tree import KeyTree
from .tree_grow import COMMON, add_keys, found_tree
from .tree_rekey import sound
from .verify import KeyWitness, opened_by, take_witness
from .wipe import Buffer, wipe, wiped


@dataclass(frozen=True, slots=True)
class RootStatus:
    """One root for `doctor` and the certificate. `clean`: it holds the current key and nothing else."""

    view: RootView
    clean: bool
    medium: Medium | None


def create_vault(
    session: Session,
    *,
    blobs: Path,
    roots: Sequence[RootPlace],
    store_uuid: bytes,
    passphrase: str,
    suite: str,
    kdf: str,
    home: Path | None = None,
) -> Vault:
    """Makes the roots, the registry key and the key store's row, in the caller's transaction.

    Args:
        blobs: folder of the sealed files, made when missing.
        roots: folders for the root file and its mirrors, outside `home` (default: the parent of `blobs`), or tokens.
        store_uuid: 16 bytes, the station's own.
        suite: `aes` or `sm`. kdf: `normal` or `test`.

    Raises:
        Refused: `root_inside_home`, `root_same`, `root_exists`, `key_store_exists`.
        UsageFault: `suite_unknown`, `kdf_unknown`. MissingTool: `suite_unavailable`. For a token: as `Token.session`.
    """
    chosen, cost = suite_named(suite), kdf_cost(kdf)
    for folder in roots:
        require_outside(folder, home or blobs.parent)
    if session.execute(select(KeyStoreRow.id)).first() is not None:
        raise Refused("key_store_exists")
    blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_set = RootSet(tuple(roots))
    root_set.login()
    root = root_set.create(suite_id=chosen.id, store_uuid=store_uuid)
    salt = secrets.token_bytes(SALT_BYTES)
    head = StoreHead(chosen, 1, store_uuid, cost, salt)
    stretched = stretch(passphrase, salt=salt, cost=cost)
    with wiped(root, stretched):
        row = seal_top(Top(bytearray(secrets.token_bytes(KEY_BYTES))), head, root=root, stretched=stretched)
        tree = KeyTree(session, row, root=root, stretched=stretched)
        found_tree(tree, session)
        row = seal_top(tree.top, head, root=root, stretched=stretched)
        session.add(KeyStoreRow(id=1, epoch=row.epoch, sealed=row.sealed))
        tree.wipe()
    session.flush()
    lease = Lease(roots=root_set, barrier=Barrier(blobs), passphrase=passphrase)
    return Vault(session, lease=lease, blobs=blobs)


class Vault:
    """An unlocked key store and its blob area. One object belongs to one thread."""

    def __init__(self, session: Session, *, lease: Lease, blobs: Path) -> None:
        self._lease = lease
        self._blobs = blobs
        self._epoch: int
        self._suite: Suite
        self._cost: KdfCost
        self.recovery: Recovery | None = None
        """What the start-up rule did when this vault was opened; None when there was nothing to do."""
        self.guard: Callable[[], None] | None = None
        """Called whenever a rotation begins, alone with the key store; raises where it must not."""
        with lease.tree(session) as tree:
            self._note(tree.row)
            registry = tree.key(REGISTRY_SLOT)
        if registry is None:
            raise Broken("key_store_altered")
        self._registry = registry

    @classmethod
    def open(
        cls,
        session: Session,
        *,
        blobs: Path,
        roots: Sequence[RootPlace],
        passphrase: str,
        home: Path | None = None,
        recover: bool = True,
        since: Mapping[str, int] | None = None,
    ) -> Vault:
        """Unlocks, and applies the start-up rule when a rotation was cut off and nobody else is in.

        Args:
            since: place -> the first epoch that a root added there later can hold.

        Raises:
            WrongSecret: `wrong_passphrase`.
            NotThere: `root_missing`, when no root can be reached.
            Broken: `key_store_rolled_back`, `root_epoch_missing`, `root_damaged`, `root_foreign`,
                `key_store_altered`, `rotation_check_failed` (then both roots stay).
        """
        for folder in roots:
            require_outside(folder, home or blobs.parent)
        blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        lease = Lease(roots=RootSet(tuple(roots), since or {}), barrier=Barrier(blobs), passphrase=passphrase)
        lease.roots.login()
        with lease.shared():
            views = lease.look(session)
            row, _ = lease.unlock(session)
            judge_roots(views, epoch=row.epoch, store_uuid=row.head.store_uuid)
            vault = cls(session, lease=lease, blobs=blobs)
        # Nobody rotates while a lease is held: what was seen under it is a former root, or one that was away.
        if recover and any(not view.clean(row.epoch) for view in views if view.state != "missing"):
            vault._recover_if_alone(session)
        return vault

    # ------------------------------------------------------------ facts

    @property
    def epoch(self) -> int:
        """The key epoch last seen."""
        return self._epoch

    @property
    def kdf_cost(self) -> KdfCost:
        """The cost of the passphrase's derivation; `.weak` is to be flagged."""
        return self._cost

    def root_status(self) -> tuple[RootStatus, ...]:
        """Each root as it is now."""
        return tuple(
            RootStatus(
                view=view,
                clean=view.clean(self._epoch),
                medium=root_medium(view.path) if view.state != "missing" else None,
            )
            for view in self._lease.roots.views()
        )

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Keeps the root unlocked over many calls (a root look-up is some milliseconds); a rotation waits.

        Take it before a write transaction that will need keys, never after.
        """
        with self._lease.shared():
            yield

    # ------------------------------------------------------------ slots and blobs

    def new_slot(self, session: Session, *, branch: str = COMMON, group: str = "") -> str:
        """A new key in a new slot (32 hex digits), in the caller's write transaction; see `new_slots`."""
        return self.new_slots(session, 1, branch=branch, group=group)[0]

    def new_slots(
        self, session: Session, count: int, *, branch: str = COMMON, group: str = ""
    ) -> tuple[str, ...]:
        """Several at once: each page is written once.

        Args:
            branch: the part of the tree, such as a level's code; parts share no page (R-144).
            group: what will fall due together, such as retention class and year: it lies together, so that one
                destruction touches few pages.

        Raises:
            Broken: `rotation_check_failed`, while the last rotation is in doubt.
            Unexpected: `key_store_raced`: the transaction was not the only writer.
        """
        self._lease.until_end(session)
        with self._lease.tree(session, for_update=True) as tree:
            former = tree.top.plain()
            with wiped(former):
                if not sound(tree):
                    raise Broken("rotation_check_failed")
                fresh = add_keys(tree, session, count, branch=branch, group=group)
                now = tree.top.plain()
                with wiped(now):
                    if now != former:
                        root, stretched = self._lease.root(tree.row), self._lease.stretched(tree.row)
                        replace_row(
                            session,
                            old=tree.row,
                            new=seal_top(tree.top, tree.head, root=root, stretched=stretched),
                        )
            self._note(tree.row)
        return tuple(slot.hex() for slot in fresh)

    def has_slot(self, session: Session, slot: str) -> bool:
        """Whether the slot still holds a key."""
        return bool(self.living(session, (slot,)))

    def living(self, session: Session, slots: Iterable[str]) -> tuple[str, ...]:
        """Those of many slots that still hold a key; each page is opened once for all."""
        with self._lease.tree(session) as tree:
            return tuple(slot for slot in sorted(slots) if tree.holds(bytes.fromhex(slot)))

    def put(self, session: Session, slot: str, kind: str, data: Buffer, *, area: str) -> BlobRef:
        """Seals `data` under the slot's key into a new file; durable when this returns.

        The row that names it is the caller's: without it the file is an orphan, swept at the next start.

        Raises:
            NotThere: `key_destroyed`. MissingTool: `disk_full`.
        """
        return self.put_all(session, slot, {kind: data}, area=area)[kind]

    def put_all(
        self, session: Session, slot: str, artefacts: Mapping[str, Buffer], *, area: str,
        later: Unsynced | None = None,
    ) -> dict[str, BlobRef]:  # fmt: skip
        """As `put`, for several (kind -> bytes); with `later` they are durable once the caller has called its `sync`,
        which is to be before the transaction commits.
        """
        self._lease.until_end(session)
        key = self._key(session, slot)
        with wiped(key):
            return {
                kind: write_blob(
                    self._blobs, data, area=area, key=key, suite=self._suite, slot=bytes.fromhex(slot),
                    kind=kind, later=later,
                )
                for kind, data in artefacts.items()
            }  # fmt: skip

    def get(self, session: Session, slot: str, path: str, *, kind: str | None = None) -> bytes:
        """What was sealed, whole and unchanged, or an error; with `kind`, of that kind only.

        Raises:
            NotThere: `key_destroyed`, `blob_missing`.
            Broken: `blob_altered`, `blob_wrong_key`, `blob_foreign`, naming the file.
        """
        key = self._key(session, slot)
        with wiped(key):
            return open_file(self._blobs, path, key=key, slot=bytes.fromhex(slot), kind=kind)

    def get_all(self, session: Session, wanted: Sequence[tuple[str, str]]) -> dict[str, bytes]:
        """What was sealed in several files, by path, of (slot, path): the keys are looked up once for all.

        Raises:
            As `get`.
        """
        found: dict[str, bytes] = {}
        if not wanted:
            return found
        with self._lease.tree(session) as tree:
            self._note(tree.row)
            for slot, path in wanted:
                key = tree.key(bytes.fromhex(slot)) if slot != REGISTRY_SLOT.hex() else None
                if key is None:
                    raise NotThere("key_destroyed", slot=slot)
                with wiped(key):
                    found[path] = open_file(self._blobs, path, key=key, slot=bytes.fromhex(slot))
        return found

    def erase_blob(self, path: str) -> Erased:
        """Overwrites and removes one sealed file; graded by the medium. Never raises for a missing file."""
        return erase_file(self._blobs / path)

    def sweep(self, known: set[str] | Callable[[], set[str]]) -> tuple[str, ...]:
        """Erases files of the area that no row names; skipped while anyone else works.

        Args:
            known: reads the relative paths that rows name; called once the lock is held, so that nothing can be
                committed in between. A ready set may be out of date: then only files older than an hour go.
        """
        if not self._lease.barrier.exclusive_held:
            try:
                with self._lease.exclusive(wait=0.0):
                    return self.sweep(known)
            except Refused:
                return ()
        fresh = callable(known)
        named = known() if callable(known) else known
        strays = [path for path in stray_files(self._blobs, named) if fresh or _older(path, 3600.0)]
        for path in strays:
            erase_file(path)
        return tuple(path.relative_to(self._blobs).as_posix() for path in strays)

    # ------------------------------------------------------------ the registry key

    def seal_register(self, _session: Session, data: Buffer, purpose: str, *, bind: bytes = b"") -> bytes:
        """A register field under the registry key; `bind` (a row's id) ties it to its row."""
        return seal_value(data, registry=self._registry, suite=self._suite, purpose=purpose, bind=bind)

    def open_register(self, _session: Session, sealed: bytes, purpose: str, *, bind: bytes = b"") -> bytes:
        """The field again.

        Raises:
            Broken: `register_altered`.
        """
        return open_value(sealed, registry=self._registry, purpose=purpose, bind=bind)

    def derive(self, _session: Session, purpose: str) -> bytes:
        """A key of 32 bytes for another room (mark key, signing of heads), fixed for the station's life."""
        return bytes(subkey(self._registry, suite=self._suite, purpose="derive:" + purpose))

    def keyed_hash(self, _session: Session, purpose: str, data: Buffer) -> bytes:
        """A keyed hash (32 bytes): equal for equal data, and says nothing to who lacks the registry key."""
        key = subkey(self._registry, suite=self._suite, purpose="hash:" + purpose)
        with wiped(key):
            return self._suite.mac(key, data)

    # ------------------------------------------------------------ destruction

    @contextmanager
    def rotating(self, *, wait: float | None = None) -> Iterator[None]:
        """Alone with the key store, from `stage_root` to `erase_old_root`; waits for every lease to end.

        Raises:
            Refused: `vault_busy`. Unexpected: `vault_lease_open`: end the transactions of this vault first.
        """
        with self._lease.exclusive(wait=wait):
            if self.guard is not None:
                self.guard()
            yield

    def stage_root(self, session: Session) -> StagedRoot:
        """Step 2; see rotation.py. Can be done again."""
        return rotation.stage(self._lease, session)

    def rewrite(self, session: Session, destroy_slots: Sequence[str], *, whole: bool = False) -> Rewritten:
        """Step 3, in the caller's write transaction; an empty list just rotates, `whole` re-keys every page."""
        return rotation.rewrite(self._lease, session, destroy_slots, whole=whole)

    def check(self, second_session: Session, rewritten: Rewritten) -> None:
        """Step 4, on a session that did not write. Raises: `rotation_check_failed`; then both roots stay."""
        rotation.check(self._lease, second_session, rewritten)
        self._epoch = rewritten.epoch_after

    def erase_old_root(self, session: Session) -> Recovery:
        """Step 5. Can be done again, also when a mirror that was missing is back."""
        outcome = rotation.erase_old(self._lease, session)
        self._epoch = outcome.epoch
        return outcome

    def recover(self, session: Session) -> Recovery:
        """The start-up rule, taking the exclusive lock unless it is held."""
        if self._lease.barrier.exclusive_held:
            return self.erase_old_root(session)
        with self.rotating():
            return self.erase_old_root(session)

    def prepare_root(self, place: RootPlace, *, home: Path | None = None) -> None:
        """An empty root in `place`, without any key; as `RootSet.prepare`. Raises also: Refused: `root_inside_home`."""
        require_outside(place, home or self._blobs.parent)
        self._lease.roots.prepare(place)

    def add_root(self, session: Session, place: RootPlace) -> Recovery:
        """Gives a prepared root the current key; within `rotating`. The caller keeps the list of roots."""
        self._lease.require_exclusive()
        self._lease.roots = self._lease.roots.with_place(place, epoch=self._epoch)
        return self.erase_old_root(session)

    def drop_root(self, place: RootPlace) -> None:
        """From here on nothing is read from or written to this root; the caller keeps the list of roots."""
        self._lease.roots = self._lease.roots.without(place)

    def witness(self, session: Session, slots: Sequence[str]) -> KeyWitness:
        """The keys of slots about to be destroyed, to look for them afterwards (V1)."""
        with self._lease.tree(session) as tree:
            return take_witness(tree, slots)

    def opened_by(self, session: Session, sealed: bytes, *, slot: str, name: str) -> tuple[str, ...]:
        """The slots, of those around it, whose key opens this envelope (V2: none may, after its destruction)."""
        with self._lease.tree(session) as tree:
            return opened_by(tree, sealed, slot=slot, name=name)

    def opens_former(self, epoch: int, sealed: bytes) -> bool:
        """Whether a former key store value opens with today's roots and passphrase (V6: it must not)."""
        with self._lease.shared():
            return self._lease.opens(Row(epoch, sealed))

    def close(self) -> None:
        """Overwrites the keys kept in memory; the object is of no use afterwards."""
        wipe(self._registry)
        self._lease.close()

    # ------------------------------------------------------------ inside

    def _key(self, session: Session, slot: str) -> bytearray:
        with self._lease.tree(session) as tree:
            self._note(tree.row)
            key = tree.key(bytes.fromhex(slot)) if slot != REGISTRY_SLOT.hex() else None
        if key is None:
            raise NotThere("key_destroyed", slot=slot)
        return key

    def _note(self, row: Row) -> None:
        head = row.head
        self._epoch = row.epoch
        self._suite = head.suite
        self._cost = head.cost

    def _recover_if_alone(self, session: Session) -> None:
        try:
            with self._lease.exclusive(wait=0.0):
                self.recovery = self.erase_old_root(session)
        except JiyaoError as error:
            if error.code != "vault_busy":
                raise


def _older(path: Path, seconds: float) -> bool:
    return time.time() - path.stat().st_mtime > seconds
