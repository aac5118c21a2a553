"""The registry on PostgreSQL: the same rows, the same protocol, and a server that keeps its word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test
from sqlalchemy import Engine, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import ingest_kit
import postgres_kit
import room_kit
import vault_kit
import vault_reader
from jiyao.common import settings as station_file
from jiyao.common.errors import JiyaoError
from jiyao.common.messages import advise, say
from jiyao.models import migrate
from jiyao.models.level import Level
from jiyao.models.tables import Base, Counter, KeyBranch, KeyGroup, KeyPage, KeyStoreRow
from jiyao.pipeline.copies import issuing
from jiyao.pipeline.persons import circle
from jiyao.pipeline.review import review
from jiyao.pipeline.station import backup, faults, ledgers, tallies
from jiyao.pipeline.station.founding import Plan, found_station
from jiyao.pipeline.station.registry import open_engine, reading, writing
from jiyao.pipeline.station.station import Station
from jiyao.vault.root import RootFile
from postgres_kit import Server
from test_destruction_crash import BEFORE_KEYS, POINTS, killed, text
from test_vault_model import QUICK, QUIET, Stations
from vault_kit import PASSPHRASE

WHY_NOT = postgres_kit.why_not()
needs_server = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_kit.server() as running:
        yield running


@pytest.fixture(scope="module")
def founded(server: Server) -> str:
    """A database with all tables, none of them filled: the template of others."""
    name = server.database()
    engine = open_engine(server.url(name))
    migrate.upgrade(engine)
    engine.dispose()
    return name


def error(act: Callable[[], object], code: str) -> JiyaoError:
    with pytest.raises(JiyaoError) as caught:
        act()
    assert caught.value.code == code
    assert say(code, "zh") != code and advise(code, "en")
    return caught.value


def connect(url: str) -> None:
    engine = open_engine(url)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


# ---------------------------------------------------------------- what the server must keep to


@needs_server
def test_a_server_that_forgets_or_sorts_otherwise_is_refused(server: Server, founded: str) -> None:
    url = server.url(founded)
    for setting in ("fsync", "full_page_writes"):
        server.run(f"ALTER SYSTEM SET {setting} = off")
        server.run("SELECT pg_reload_conf()")
        try:
            assert _until(lambda: _refusal(url)) == ("postgres_not_durable", setting)
        finally:
            server.run(f"ALTER SYSTEM RESET {setting}")
            server.run("SELECT pg_reload_conf()")
    assert _until(lambda: _refusal(url) is None)
    latin = server.database(more="ENCODING 'LATIN1'")
    error(lambda: connect(server.url(latin)), "postgres_order")
    error(lambda: connect(server.url("nowhere")), "postgres_no_database")
    error(lambda: connect("postgresql:///jiyao?host=/nowhere"), "postgres_unreachable")
    error(lambda: connect(f"postgresql://nobody-else@/{founded}?host={server.base}"), "postgres_unreachable")


def _refusal(url: str) -> tuple[str, object] | None:
    try:
        connect(url)
    except JiyaoError as refused:
        return refused.code, refused.facts.get("setting")
    return None


def _until(asked: Callable[[], Any]) -> Any:
    """A server takes a moment to read its settings again."""
    for _ in range(200):
        if found := asked():
            return found
        threading.Event().wait(0.05)
    return asked()


@needs_server
def test_every_commit_waits_for_the_disk(server: Server, founded: str) -> None:
    name = server.database(founded)
    server.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine = open_engine(server.url(name))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    engine.dispose()


# ---------------------------------------------------------------- one writer, one view


@needs_server
def test_one_writer_at_a_time_and_readers_keep_their_view(
    server: Server, founded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url(server.database(founded))
    engine = open_engine(url)

    def count(_number: int = 0) -> None:
        with writing(engine) as session:
            row = session.get(Counter, "n") or session.merge(Counter(name="n", last=0))
            session.flush()
            row.last += 1

    def seen(session: Session) -> int | None:
        return session.scalar(select(Counter.last))

    count()
    with reading(engine) as before:
        assert seen(before) == 1
        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen(before) == 1, "one view from beginning to end"
    with reading(engine) as after:
        assert seen(after) == 5, "nobody wrote over what he had not seen"

    monkeypatch.setattr("jiyao.pipeline.station.registry.BUSY_SECONDS", 0.05)
    impatient = open_engine(url)
    with writing(engine) as first, pytest.raises(DBAPIError) as caught:
        first.connection()
        with writing(impatient) as second:
            second.connection()
    told = faults.as_product_error(caught.value)
    assert told is not None and told.code == "registry_busy"
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
    )
    with reading(engine) as again:
        assert seen(again) == 5, "a connection that was cut is made anew"
    for one in (engine, impatient):
        one.dispose()


# ---------------------------------------------------------------- the key tree, on both in turn

TABLES: tuple[Table, ...] = tuple(
    row.__table__  # type: ignore[misc]
    for row in (KeyStoreRow, KeyPage, KeyBranch, KeyGroup)
)


class TwoHomes(vault_kit.Room):
    """A station whose registry lies on the server or in a file; it moves from one to the other."""

    server: Server
    database: str = ""

    def make_tables(self) -> None:
        if not self.database:
            super().make_tables()

    def connect(self) -> None:
        if self.database:
            self.engine = open_engine(self.server.url(self.database))
        else:
            super().connect()

    def rows(self) -> dict[Table, list[dict[str, Any]]]:
        with self.engine.connect() as connection:
            return {
                table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in TABLES
            }

    def lay(self, rows: dict[Table, list[dict[str, Any]]]) -> None:
        with writing(self.engine) as session:
            for table in TABLES:
                session.execute(delete(table))
                if rows[table]:
                    session.execute(insert(table), rows[table])


class Wandering(Stations):
    """As `Stations`: what happens, happens on PostgreSQL or on SQLite, and to the flat store as well."""

    server: Server
    template: str

    def _room(self) -> vault_kit.Room:
        TwoHomes.server = self.server
        TwoHomes.database = self.server.database(self.template)
        self.names = [TwoHomes.database, ""]
        return TwoHomes(self.base, mirrors=0)

    def _rows(self) -> Any:
        return self.homes.rows()

    def _put_back(self, rows: Any) -> None:
        self.homes.lay(rows)

    @property
    def homes(self) -> TwoHomes:
        assert isinstance(self.room, TwoHomes)
        return self.room

    @rule()
    def moved(self) -> None:
        rows = self.homes.rows()
        self.homes.engine.dispose()
        self.names.reverse()
        self.homes.database = self.names[0]
        fresh = not (self.names[0] or (self.homes.home / "registry.db").exists())
        self.homes.connect()
        if fresh:
            self.homes.make_tables()
        self.homes.lay(rows)
        assert self.homes.rows() == rows
        self._open()


@needs_server
@pytest.mark.req("R-116", "R-127", "R-146")
def test_the_key_tree_is_the_same_on_both_and_as_the_flat_store(server: Server, founded: str) -> None:
    machine = type("Here", (Wandering,), {"server": server, "template": founded})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=3, stateful_step_count=15, suppress_health_check=QUIET, phases=QUICK,
                          deadline=None),
    )  # fmt: skip


@needs_server
@pytest.mark.req("R-116")
def test_the_server_keeps_what_was_and_it_is_noise(server: Server, founded: str, tmp_path: Path) -> None:
    """Old rows do lie in its files, and nobody is asked to clean them: no key stands there, and none opens them."""
    TwoHomes.server, TwoHomes.database = server, server.database(founded)
    room = TwoHomes(tmp_path / "room", mirrors=0)
    vault = room.create()
    slot, _ = room.put(vault, b"a paper that goes")
    stays, other = room.put(vault, b"a paper that stays")
    with reading(room.engine) as session, vault._lease.tree(session) as tree:
        keys = [bytes(tree.key(bytes.fromhex(one)) or b"") for one in (slot, stays)]
    former = {sealed for _, _, sealed in room.pages()}
    room.destroy(vault, [slot])
    gone = former - {sealed for _, _, sealed in room.pages()}
    pieces = [sealed[100:600] for sealed in gone]
    files = list(server.files())
    assert pieces and all(any(piece in file for file in files) for piece in pieces), (
        "the control: they are there"
    )
    assert not any(key in file or key.hex().encode() in file for key in keys for file in files)
    (root,) = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes()).values()
    rows = {*room.pages()} | {
        (place, epoch - 1, sealed) for place, epoch, _ in room.pages() for sealed in gone
    }
    read = vault_reader.read_key_tree(room.sealed_value()[1], rows, root, PASSPHRASE)
    assert keys[0] not in {key for _, key in read} and keys[1] in {key for _, key in read}
    assert room.get(vault, stays, other) == b"a paper that stays"
    room.engine.dispose()


# ---------------------------------------------------------------- the whole registry

STAFF = ("clerk", "arch", "dir", "lead", "op1", "op2", "sup1", "sup2", "reader")


@dataclass(frozen=True)
class Waiting:
    """A room on the server whose batch waits for the second operator."""

    base: Path
    server: Server
    database: str
    batch: str
    gone: str
    copy: str
    stays: str

    def again(self, base: Path) -> room_kit.Room:
        """The same room in another place, on a database of its own."""
        room_kit.transplant(self.base, base)
        file = base / "home" / "station.json"
        name = self.server.database(self.database)
        file.write_text(file.read_text("utf-8").replace(f"/{self.database}?", f"/{name}?"), "utf-8")
        return room_kit.Room(base)


class CutOff(Exception):
    pass


def cut_off(*_: object) -> None:
    raise CutOff


@pytest.fixture(scope="module")
def waiting(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Waiting:
    base, name = tmp_path_factory.mktemp("server"), server.database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room_kit, "ACCOUNTS", {user: room_kit.ACCOUNTS[user] for user in STAFF})
        with pytest.MonkeyPatch.context() as inner, pytest.raises(CutOff):
            inner.setattr(station_file, "finished", cut_off)
            room_kit.build(base, Level.STATE_TOP, registry=server.url(name))
        room_kit.build(base, Level.STATE_TOP, registry=server.url(name))
    return Waiting(base, server, name, *room_kit.Room(base).half_executed())


@needs_server
def test_a_database_with_something_in_it_is_not_taken(waiting: Waiting, tmp_path: Path) -> None:
    """An `init` that was cut off before its end left nothing: `waiting` was founded after one."""
    plan = Plan(unit="样例单位", kdf="test", registry=waiting.server.url(waiting.database), single_root=True)
    error(lambda: found_station(tmp_path / "home", plan, room_kit.SECRETS), "registry_in_use")
    assert not (tmp_path / "home").exists() and not (tmp_path / "home.root").exists()
    other = replace(plan, registry="mysql://db")
    error(lambda: found_station(tmp_path / "home", other, room_kit.SECRETS), "registry_kind")


@needs_server
@pytest.mark.req("R-142")
def test_one_database_serves_one_home(waiting: Waiting, tmp_path: Path) -> None:
    room = waiting.again(tmp_path / "first")
    room.station.engine.dispose()
    copied = tmp_path / "second"
    room_kit.transplant(room.base, copied)
    refused = error(lambda: Station.open(copied / "home"), "registry_other_home")
    assert refused.exit_code == 4 and refused.facts["home"] == str(room.home)
    link = tmp_path / "by another way"
    link.symlink_to(room.home)
    Station.open(link).engine.dispose()
    room.home.rename(room.base / "moved")
    Station.open(copied / "home").engine.dispose()
    error(lambda: Station.open(room.base / "moved"), "registry_other_home")
    file = copied / "home" / "station.json"
    strange = file.read_text("utf-8").replace(
        str(station_file.load(copied / "home").store_uuid), str(uuid4())
    )
    file.write_text(strange, "utf-8")
    assert error(lambda: Station.open(copied / "home"), "registry_foreign").exit_code == 7


@needs_server
@pytest.mark.req("R-116", "R-117", "R-127")
@pytest.mark.parametrize("name", ["uncommitted", "one-root-erased"])
def test_killed_on_the_way_a_rerun_completes_it(waiting: Waiting, tmp_path: Path, name: str) -> None:
    room = waiting.again(tmp_path)
    number = [point[0] for point in POINTS].index(name)
    _, owner, function, when, wanted = POINTS[number]
    kept = text(room, waiting.stays)
    killed(room, lambda: room.execute(waiting.batch, "op2"), owner, function, when, wanted)
    room.open()
    assert (text(room, waiting.gone) is not None) is (number < BEFORE_KEYS)
    value = room.execute(waiting.batch, "op1")
    assert (value["state"], value["phase"]) == ("verified", "verified")
    assert text(room, waiting.gone) is None and text(room, waiting.stays) == kept
    assert all(status.clean for status in room.station.vault.root_status())
    assert ledgers.verify_log(room.station)["ok"]
    assert len([entry for entry in room.entries("destroy.keys") if entry["result"] == "done"]) == 1
    room.station.engine.dispose()


@needs_server
@pytest.mark.req("R-116", "R-125", "R-146")
def test_from_the_paper_to_the_certificate_and_to_another_database(waiting: Waiting, tmp_path: Path) -> None:
    room = waiting.again(tmp_path / "room")
    (entered,) = ingest_kit.ingest(room, ingest_kit.letter(tmp_path, "来件.docx"))["documents"]
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(entered["id"],))
    circle.set_circle(
        room.station, room.as_("lead", "circle"), document=entered["id"], persons=("p-reader", "p-clerk")
    )
    issuing.issue(
        room.station, room.as_("clerk", "copies.issue"), document=entered["id"], to=("p-reader",),
        sink=issuing.Folder(tmp_path / "out"),
    )  # fmt: skip
    number = [point[0] for point in POINTS].index("committed")
    killed(room, lambda: room.execute(waiting.batch, "op2"), *POINTS[number][1:])
    room.open()
    room.execute(waiting.batch, "op2")
    for user in ("sup1", "sup2"):
        value = room.attest(waiting.batch, user)
    assert value["state"] == "certified" and "failed" not in {check["result"] for check in value["checks"]}
    words = text(room, entered["id"])
    assert words and text(room, waiting.gone) is None and ledgers.verify_log(room.station)["ok"]

    file = tmp_path / "backup.tar"
    backup.create(room.station, room.as_("sysadmin", "backup"), out=file)
    assert backup.verify(file)["ok"]
    held = every_row(room.station.engine)
    room.station.engine.dispose()
    room.home.rename(tmp_path / "away")
    target = waiting.server.database()
    for user in ("sysadmin", "lead"):
        done = backup.restore(
            room.home, file, user=user, secrets=room_kit.SECRETS, clock=room.clock,
            registry=waiting.server.url(target),
        )  # fmt: skip
    assert done["state"] == "restored" and not list(room.home.glob("registry.db*"))
    room.open()
    assert room.station.settings.registry == waiting.server.url(target)
    assert text(room, entered["id"]) == words and text(room, waiting.gone) is None
    now = every_row(room.station.engine)
    assert {name for name in held if now[name] != held[name]} <= SINCE_BACKUP
    with room.station.write() as session:
        assert tallies.recount(session), "counts came along, and were kept on the way"
    assert room.document("关于恢复以后的函") and ledgers.verify_log(room.station)["ok"]
    room.station.engine.dispose()
    taken = waiting.server.url(target)
    error(lambda: backup.restore(tmp_path / "new", file, user="lead", secrets=room_kit.SECRETS, clock=room.clock,
                                 registry=taken), "registry_in_use")  # fmt: skip


SINCE_BACKUP = frozenset(
    {"ledger_entries", "ledger_nodes", "backups", "timers", "tallies", "ledger_heads", "meta"}
)
"""Where a row is added when a backup is written down, or restored."""


def every_row(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize(
    ("state", "code"),
    [("53100", "disk_full"), ("55P03", "registry_busy"), ("40001", "registry_busy"), ("57P01", "registry_unreachable"),
     ("XX001", "registry_damaged")],
)  # fmt: skip
def test_a_servers_faults_are_told_as_the_registrys(state: str, code: str) -> None:
    told = faults.as_product_error(DBAPIError("SELECT 1", None, RuntimeError({"C": state, "M": "words"})))
    assert told is not None and told.code == code and "words" not in str(told.facts)
    assert faults.as_product_error(DBAPIError("SELECT 1", None, RuntimeError({"C": "42601"}))) is None
