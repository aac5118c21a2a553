"""Measures the key tree against the flat store: what one key, and ten thousand, cost to destroy among a million.

Both hold as many keys on the same file system, each change durably committed and checked. The tree reads its root from
the root file for it (split keys, some 20 ms that do not grow with the number of keys), the flat store has its own in
memory; writing and wiping roots is in `keys.destroy.whole` only.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import func, select, text

from ...models.tables import KeyPage, KeyStoreRow
from ...vault.flat_store import FlatStore, KeyTable
from ...vault.head import Row, StoreHead
from ...vault.kdf import PROFILES
from ...vault.keystore import REGISTRY_SLOT
from ...vault.rotation import Rewritten
from ...vault.suite import AES, KEY_BYTES
from ..station.station import Station
from .race import Race, Races, require, seconds
from .room import bench_station

_FULL, _QUICK = 1_000_000, 20_000
_AT_ONCE, _YEARS, _LOOKED_AT = 50_000, 20, 200
_FLAT = "the flat store with as many keys"
_WAITED, _MANY_ROUNDS = 10.0, 60
_KB = 1000


def keys(folder: Path, quick: bool) -> Races:
    """What a change costs in a tree of a million keys: time, bytes written, syncs; and what a key takes on the disk.

    Baseline: the flat store, all keys in one sealed value of an SQLite row, written whole and opened again.
    """
    size, rounds = (_QUICK, 1) if quick else (_FULL, 3)
    many = size // 100
    with bench_station(folder) as (station, _), closing(sqlite3.connect(folder / "flat.db")) as file:
        tree = _Tree(station, size, keep=(1 + 100 + many) * rounds * 3 + many)
        flat = _Flat(file, tree.slots)
        note = f"{size} keys"
        race = partial(Race, against=_FLAT, rounds=rounds, note=note)
        with station.vault.lease():
            yield race(name="keys.lookup", unit="ms", product=tree.look_up, baseline=flat.look_up)
            yield race(name="keys.add", unit="ms", product=tree.add, baseline=flat.add)
        for name, scattered, together in (
            ("one", 1, 0),
            ("100", 100, 0),
            ("many", many, 0),
            ("together", 0, many),
        ):
            pick = partial(tree.pick, scattered, together)
            yield race(
                name=f"keys.destroy.{name}", unit="ms", product=partial(_drawn, tree.destroy, pick),
                baseline=partial(_drawn, flat.destroy, pick), note=f"{scattered or together} of {note}",
            )  # fmt: skip
        yield race(
            name="keys.destroy.whole", unit="ms", against="", product=tree.destroy_with_root, baseline=None,
            note=f"1 of {note}, root staged and erased", rounds=rounds if quick else _MANY_ROUNDS,
        )  # fmt: skip
        yield race(name="keys.rekey", unit="s", product=tree.rekey, baseline=lambda: flat.destroy([]) / 1000)
        yield race(name="keys.size", unit="B/key", product=tree.size, baseline=flat.size, rounds=1)
        yield race(
            name="keys.written", unit="KB", product=tree.written, baseline=flat.written,
            note=f"1 of {note}, write-ahead log",
        )  # fmt: skip
        if _may_trace():
            for name, count in (("", 1), (".together", many)):
                yield race(
                    name=f"keys.fsyncs{name}", unit="fsyncs", against="", product=partial(tree.synced, count),
                    baseline=None, rounds=1, note=f"{count} of {note}, all steps, strace", better="less",
                )  # fmt: skip


def _drawn(destroy: Callable[[Sequence[str]], float], pick: Callable[[], list[str]]) -> float:
    return destroy(pick())


class _Tree:
    """A station's key tree."""

    def __init__(self, station: Station, size: int, *, keep: int) -> None:
        self._station, self._vault = station, station.vault
        self.slots: list[str] = []
        year = -(-size // _YEARS)
        while len(self.slots) < size:
            group = len(self.slots) // year
            count = min(_AT_ONCE, year * (group + 1) - len(self.slots), size - len(self.slots))
            with station.write() as session:
                self.slots += self._vault.new_slots(
                    session, count, branch="bench", group=f"y10.{2030 + group}"
                )
        self._checkpoint()
        self._together = self.slots[-keep:]
        draw = random.Random(1)  # noqa: S311 - repeatable, of slots
        self._scattered = draw.sample(self.slots[:-keep], min(keep, size - keep))

    def pick(self, scattered: int, together: int) -> list[str]:
        """Slots that are still alive: from all over the tree, and ones that fall due together."""
        return [self._scattered.pop() for _ in range(scattered)] + [
            self._together.pop() for _ in range(together)
        ]

    def look_up(self) -> float:
        """Milliseconds of one look-up from the root, nothing kept from before."""
        wanted = self._scattered[:_LOOKED_AT]

        def work() -> None:
            with self._station.read() as session:
                require(all(self._vault.has_slot(session, slot) for slot in wanted), "keys.lookup")

        return seconds(work) * 1000 / _LOOKED_AT

    def add(self) -> float:
        """Milliseconds of one key more."""

        def work() -> None:
            with self._station.write() as session:
                self._vault.new_slot(session, branch="bench", group="y10.2030")

        return seconds(work) * 1000

    def destroy(self, slots: Sequence[str], *, whole: bool = False, clean: bool = True) -> float:
        """Milliseconds of the rewrite and of the check on a second connection; if `clean`, what the last one left in
        the write-ahead log is put into the database before."""
        if clean:
            self._checkpoint()
        done: list[Rewritten] = []

        def work() -> None:
            with self._station.write() as session:
                done.append(self._vault.rewrite(session, slots, whole=whole))
            with self._station.read() as session:
                self._vault.check(session, done[0])

        with self._vault.rotating():
            with self._station.read() as session:
                self._vault.stage_root(session)
            took = seconds(work)
            with self._station.read() as session:
                require(self._vault.recover(session).complete, "keys.destroy")
        require(len(done[0].destroyed) == len(slots), "keys.destroy")
        return took * 1000

    def destroy_with_root(self) -> float:
        """Milliseconds of all steps, the root's included."""
        slots = self.pick(1, 0)
        return seconds(lambda: self.destroy(slots, clean=False)) * 1000

    def rekey(self) -> float:
        """Seconds in which every page gets a new key."""
        return self.destroy((), whole=True) / 1000

    def size(self) -> float:
        """Bytes of a key on the disk: all pages and the top."""
        with self._station.read() as session:
            pages = session.scalar(select(func.sum(func.length(KeyPage.sealed)))) or 0
            top = session.scalar(select(func.length(KeyStoreRow.sealed))) or 0
        return (pages + top) / len(self.slots)

    def written(self) -> float:
        """Kilobytes that destroying one key writes."""
        self._checkpoint()
        self.destroy(self.pick(1, 0))
        return _log_of(Path(str(self._station.engine.url.database))) / _KB

    def synced(self, count: int) -> float:
        """How often destroying so many keys together waits for the disk."""
        slots = self.pick(0, count)
        with _traced() as calls:
            self.destroy(slots, clean=False)
        return len(calls)

    def _checkpoint(self) -> None:
        self._station.engine.dispose()
        with self._station.engine.connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            plain.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


class _Flat:
    """The flat store in an SQLite file, with keys in the same slots."""

    def __init__(self, file: sqlite3.Connection, slots: Sequence[str]) -> None:
        self._file = file
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            file.execute(f"PRAGMA {pragma}")
        file.execute("CREATE TABLE store (id INTEGER PRIMARY KEY, sealed BLOB)")
        file.execute("INSERT INTO store VALUES (1, x'')")
        self._path = Path(file.execute("PRAGMA database_list").fetchone()[2])
        self._store = FlatStore(
            StoreHead(AES, 1, bytes(16), PROFILES["test"], bytes(16)), bytearray(KEY_BYTES), keep=self._keep
        )
        made = {bytes.fromhex(slot): secrets.token_bytes(KEY_BYTES) for slot in slots}
        self._store.write(KeyTable.of({REGISTRY_SLOT: bytes(KEY_BYTES), **made}))
        self._slots = slots

    def look_up(self) -> float:
        """As `_Tree.look_up`: the whole value is opened for it."""
        slot = bytes.fromhex(self._slots[0])
        return seconds(lambda: require(self._store.key(slot) is not None, "keys.lookup")) * 1000

    def add(self) -> float:
        """As `_Tree.add`."""
        fresh = {secrets.token_bytes(16): bytearray(secrets.token_bytes(KEY_BYTES))}
        return seconds(lambda: self._store.add(fresh)) * 1000

    def destroy(self, slots: Sequence[str]) -> float:
        """As `_Tree.destroy`."""
        return seconds(lambda: self._store.destroy(map(bytes.fromhex, slots))) * 1000

    def size(self) -> float:
        """Bytes of a key."""
        return len(self._store.row.sealed) / len(self._slots)

    def written(self) -> float:
        """Kilobytes that one destruction writes."""
        self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.destroy(())
        return _log_of(self._path) / _KB

    def _keep(self, row: Row) -> None:
        with self._file:
            self._file.execute("UPDATE store SET sealed = ? WHERE id = 1", (row.sealed,))


def _log_of(database: Path) -> int:
    log = database.with_name(database.name + "-wal")
    return log.stat().st_size if log.exists() else 0


# ---------------------------------------------------------------- counting


@contextmanager
def _traced() -> Iterator[list[str]]:
    """The calls by which this process waits for the disk meanwhile, as `strace` sees them."""
    calls: list[str] = []
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-p", str(os.getpid())],
        stderr=subprocess.PIPE, text=True,
    ) as tracer:  # fmt: skip
        _until_attached(tracer)
        yield calls
        tracer.send_signal(signal.SIGINT)
        _, said = tracer.communicate(timeout=_WAITED)
        calls += [line for line in said.splitlines() if "sync(" in line]


def _until_attached(tracer: subprocess.Popen[str]) -> None:
    """Waits until every call of this process is seen."""
    for _ in range(int(_WAITED * 100)):
        status = Path("/proc/self/status").read_text("ascii")
        if "TracerPid:\t0\n" not in status or tracer.poll() is not None:
            return
        signal.sigtimedwait([], 0.01)


def _may_trace() -> bool:
    """Whether `strace` is there and may look at this process."""
    if shutil.which("strace") is None:
        return False
    with _traced() as calls, tempfile.TemporaryFile() as file:
        os.fsync(file.fileno())
    return len(calls) == 1
