"""Who may hold the root key, and for how long: only under the barrier's shared lock, never longer.

Outside a lease nothing of root or keys is kept in memory, only the stretched passphrase and the registry
key (which survives rotations). So a process that runs for weeks cannot write keys back that were destroyed
meanwhile: every look at a key reads the registry's value, and the root of its epoch, anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from ..common.errors import Broken, JiyaoError, Unexpected
from .head import Row, head_matches
from .kdf import stretch
from .keystore import open_top, read_row
from .lock import Barrier
from .roots import RootSet, RootView, judge_roots
from .tree import KeyTree
from .tree_rows import Source
from .wipe import wipe, wiped

_NOTHING = ExitStack()


class Lease:
    """Unwraps the key store for one station and one passphrase. Belongs to one thread."""

    def __init__(self, *, roots: RootSet, barrier: Barrier, passphrase: str) -> None:
        self.roots = roots
        self.barrier = barrier
        self._passphrase = bytearray(passphrase.encode())
        self._stretched: dict[bytes, bytearray] = {}
        self._root: bytearray | None = None
        self._root_epoch = 0
        self._holds = 0
        self._listening: WeakSet[Session] = WeakSet()
        self._until: WeakKeyDictionary[Session, ExitStack] = WeakKeyDictionary()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keeps the root in memory for the block; a rotation waits until it ends."""
        with self.barrier.shared(), self._holding():
            yield

    @contextmanager
    def exclusive(self, *, wait: float | None = None) -> Iterator[None]:
        """Alone with the key store, for a rotation."""
        with self.barrier.exclusive(wait=wait), self._holding():
            yield

    def until_end(self, session: Session) -> None:
        """Holds shared until the session's transaction ends: what it wrote is then committed or gone."""
        if session not in self._listening:
            self._listening.add(session)
            event.listen(session, "after_transaction_end", self._release)
        if session not in self._until:
            held = self._until[session] = ExitStack()
            held.enter_context(self.shared())

    def _release(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            self._until.pop(session, _NOTHING).close()

    def require_exclusive(self) -> None:
        """Refuses a step of a rotation outside `exclusive`.

        Raises:
            Unexpected: `vault_not_rotating`.
        """
        if not self.barrier.exclusive_held:
            raise Unexpected("vault_not_rotating")

    def look(self, session: Session) -> tuple[RootView, ...]:
        """Each root as found now. Inside `shared` the key in use is kept on the way: `unlock` need not read it again.

        Raises:
            Broken: `key_store_missing`.
        """
        row = read_row(session)
        views, keys = self.roots.look(row.epoch)
        for key in keys:
            if self._holds and self._root is None and head_matches(row, key):
                self._root, self._root_epoch = key, row.epoch
            else:
                wipe(key)
        return views

    def unlock(self, session: Session) -> tuple[Row, bytearray]:
        """The registry's value and its root key, which stays ours to wipe.

        Raises:
            NotThere: `root_missing`.
            Broken: as `judge_roots`; `key_store_altered`; `key_store_missing`.
        """
        with ExitStack() as stack:
            _, row, root = self._unlocked(session, stack, for_update=False)
        return row, root

    @contextmanager
    def tree(
        self, session: Session, *, for_update: bool = False, committed: bool = False
    ) -> Iterator[KeyTree]:
        """The key tree for the block; what was opened is overwritten when it ends. Takes a lease of its own when
        none is held.

        With `committed` it is the tree as committed now, whatever the session's transaction sees: what decides over
        the life of a root may rest neither on an old view nor on a write that can still be rolled back.

        Raises:
            Broken: `rotation_not_committed`, when the session has a newer value than the registry; as `unlock`.
            Unexpected: `key_store_raced`, when a write would build on a value already replaced.
        """
        with ExitStack() as stack:
            if self._holds == 0:
                stack.enter_context(self.shared())
            source: Source
            if committed:
                source = stack.enter_context(_committed(session))
                row = read_row(source)
                if read_row(session).epoch > row.epoch:
                    raise Broken("rotation_not_committed", epoch=row.epoch)
                root = self._require_root(row)
            else:
                source, row, root = self._unlocked(session, stack, for_update=for_update)
            tree = KeyTree(source, row, root=root, stretched=self.stretched(row))
            try:
                yield tree
            finally:
                tree.wipe()

    def root(self, row: Row) -> bytearray:
        """The root key under which `row` was sealed; it stays ours to wipe. As `unlock`."""
        return self._require_root(row)

    def opens(self, row: Row) -> bool:
        """Whether any key on any root, of whatever epoch, opens this value with our passphrase."""
        for root in self.roots.all_keys():
            with wiped(root):
                try:
                    open_top(row, root=root, stretched=self.stretched(row)).wipe()
                except JiyaoError:
                    continue
                return True
        return False

    def stretched(self, row: Row) -> bytearray:
        """The passphrase's key at the cost and salt of the value's head; computed once."""
        head = row.head
        mark = head.salt + repr(head.cost).encode()
        if mark not in self._stretched:
            self._stretched[mark] = stretch(self._passphrase.decode(), salt=head.salt, cost=head.cost)
        return self._stretched[mark]

    def close(self) -> None:
        """Overwrites everything kept."""
        wipe(self._root, self._passphrase, *self._stretched.values())
        self._root = None
        self._stretched.clear()
        self.roots.close()

    @contextmanager
    def _holding(self) -> Iterator[None]:
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._holds == 0:
                wipe(self._root)
                self._root = None

    def _root_for(self, row: Row) -> bytearray | None:
        if self._root is not None and self._root_epoch == row.epoch and head_matches(row, self._root):
            return self._root
        for key in self.roots.keys(row.epoch):
            if head_matches(row, key):
                wipe(self._root)
                self._root, self._root_epoch = key, row.epoch
                return key
            wipe(key)
        return None

    def _require_root(self, row: Row) -> bytearray:
        root = self._root_for(row)
        if root is None:
            judge_roots(self.roots.views(), epoch=row.epoch, store_uuid=row.head.store_uuid)
            raise Broken("key_store_altered")
        return root

    def _unlocked(
        self, session: Session, stack: ExitStack, *, for_update: bool
    ) -> tuple[Source, Row, bytearray]:
        """Where to read, the value there, and its root: the session's own view, or the newest when that is dead."""
        row = read_row(session, for_update=for_update)
        root = self._root_for(row)
        if root is not None:
            return session, row, root
        source = stack.enter_context(_committed(session))
        fresh = read_row(source)
        if fresh.epoch <= row.epoch:
            return session, row, self._require_root(row)
        if for_update:
            raise Unexpected("key_store_raced")
        return source, fresh, self._require_root(fresh)


@contextmanager
def _committed(session: Session) -> Iterator[Connection]:
    """One view of what is committed now, on a connection of its own that never writes."""
    # A session that writes has the registry's write lock: a second writer would wait for ourselves.
    engine = session.get_bind().engine.execution_options(writes=False)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
