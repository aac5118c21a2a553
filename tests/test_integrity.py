"""One flipped bit in any authenticated record is noticed: exit 7, named. Records put in another's place too."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jiyao.common.errors import Broken
from jiyao.models.tables import Artefact
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction import certificate_check
from jiyao.pipeline.intake import receipt
from jiyao.pipeline.papers import documents
from jiyao.pipeline.persons import circle, people
from jiyao.pipeline.review import review
from jiyao.pipeline.station import ledgers
from jiyao.pipeline.station.station import Station
from room_kit import PASSPHRASE, Room


class Kept:
    """One room for all tests of this file; each puts back what it flips."""

    def __init__(self, base: Path) -> None:
        self.room = Room(base / "room")
        gone = self.room.expired()
        self.first, self.second = self.room.document("关于甲事的函"), self.room.document("关于乙事的函")
        self.certified = self.room.until("certified", gone)
        self.open_batch = self.room.until("verified", self.room.expired())
        self.room.attest(self.open_batch, "sup1")
        self.pdf = base / "certificate.pdf"
        answer = destruction_certificate.write_certificate(
            self.room.station, self.room.as_("arch", "certificate"), batch=self.certified, out=self.pdf
        )
        self.proof, self.ca = Path(answer["proof"]), Path(answer["ca"])
        ledgers.head(self.room.station)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.room.home / "registry.db", timeout=30)) as database, database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def changed(self, table: str, column: str, where: str, value: Any) -> Iterator[None]:
        ((before,),) = self.sql(f'SELECT "{column}" FROM {table} WHERE {where}')
        self.sql(f'UPDATE {table} SET "{column}" = ? WHERE {where}', value)
        try:
            yield
        finally:
            self.sql(f'UPDATE {table} SET "{column}" = ? WHERE {where}', before)

    def bits(
        self, table: str, column: str, where: str, places: int = 5
    ) -> Iterator[tuple[int, Callable[[], Any]]]:
        """Places spread over a value, each with a context in which one bit of it is flipped."""
        ((value,),) = self.sql(f'SELECT "{column}" FROM {table} WHERE {where}')
        text = isinstance(value, str)
        data = value.encode() if text else value
        for number in range(places):
            at = number * (len(data) - 1) // max(1, places - 1)
            bad = bytearray(data)
            bad[at] ^= 1 << (number % 7 if not text else 0)
            new = bad.decode("ascii", "replace") if text else bytes(bad)
            yield at, lambda new=new: self.changed(table, column, where, new)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("integrity"))


def broken(code: str, act: Callable[[], object]) -> Broken:
    with pytest.raises(Broken) as caught:
        act()
    assert (caught.value.code, caught.value.exit_code) == (code, 7)
    return caught.value


@pytest.mark.req("R-139", "R-142")
@pytest.mark.parametrize("kind", ["original", "transcript", "judgement"])
def test_sealed_files(kept: Kept, kind: str) -> None:
    from jiyao.pipeline.intake.judgement import open_artefact

    room = kept.room
    with room.station.read() as session:
        (name,) = session.scalars(
            select(Artefact.path).where(Artefact.document_id == kept.first, Artefact.kind == kind)
        ).all()
    path = room.station.blobs / name
    sealed = path.read_bytes()

    def read() -> object:
        with room.station.read() as session:
            return open_artefact(room.station, session, kept.first, kind)

    assert read()
    try:
        for at in (*range(0, 96, 5), len(sealed) // 2, len(sealed) - 17, len(sealed) - 1):
            bad = bytearray(sealed)
            bad[at] ^= 1 << (at % 8)
            path.write_bytes(bad)
            with pytest.raises(Broken) as caught:
                read()
            assert caught.value.exit_code == 7 and name in str(caught.value.facts), at
        for cut in (0, 40, 95, len(sealed) - 1):
            path.write_bytes(sealed[:cut])
            with pytest.raises(Broken):
                read()
    finally:
        path.write_bytes(sealed)
    assert read()


@pytest.mark.req("R-139", "R-142")
def test_a_file_in_another_ones_place(kept: Kept) -> None:
    room = kept.room
    ((one,),) = kept.sql(
        f"SELECT path FROM artefacts WHERE document_id = '{kept.first}' AND kind = 'transcript'"
    )
    ((two,),) = kept.sql(
        f"SELECT path FROM artefacts WHERE document_id = '{kept.second}' AND kind = 'transcript'"
    )
    where = f"document_id = '{kept.first}' AND kind = 'transcript'"
    with kept.changed("artefacts", "path", where, two), pytest.raises(Broken) as caught:
        documents.text_of(room.station, room.as_("clerk", "text"), document=kept.first)
    assert two in str(caught.value.facts)
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=kept.first) and one


@pytest.mark.req("R-139", "R-142")
def test_the_key_store(kept: Kept) -> None:
    """Head, salt, check value, keys, tag: in the running station and at the next start."""

    def start() -> None:
        station = Station.open(kept.room.home)
        try:
            station.unlock(PASSPHRASE)
        finally:
            station.engine.dispose()

    start()
    for _, flip in kept.bits("key_store", "sealed", "id = 1", places=14):
        with flip(), pytest.raises(Broken) as caught:
            start()
        assert caught.value.exit_code == 7
        with flip(), pytest.raises(Broken):
            documents.text_of(kept.room.station, kept.room.as_("clerk", "text"), document=kept.first)
    ((slot,),) = kept.sql(f"SELECT key_slot FROM documents WHERE id = '{kept.first}'")
    leaf = f"place = {int(slot[:4], 16) << 40 | int(slot[4:12], 16)}"
    for _, flip in kept.bits("key_pages", "sealed", leaf, places=6):
        with flip():
            broken(
                "key_store_altered",
                lambda: documents.text_of(
                    kept.room.station, kept.room.as_("clerk", "text"), document=kept.first
                ),
            )
    ((epoch,),) = kept.sql("SELECT epoch FROM key_store")
    for other in (epoch - 1, epoch + 1):
        with kept.changed("key_store", "epoch", "id = 1", other), pytest.raises(Broken):
            start()


@pytest.mark.req("R-139", "R-131")
def test_the_ledger(kept: Kept) -> None:
    verify = lambda: ledgers.verify_log(kept.room.station)  # noqa: E731
    assert verify()["ok"]
    for column in ("leaf", "at", "act", "person"):
        for at, flip in kept.bits("ledger_entries", column, "seq = 30", places=3):
            with flip():
                error = broken("ledger_broken", verify)
            assert error.value is not None and error.value["first_bad"] <= 30
            assert 30 in {flaw["seq"] for flaw in error.value["flaws"]}, (column, at)
    for where in ('level = 0 AND "index" = 29', 'level = 2 AND "index" = 3'):
        for _, flip in kept.bits("ledger_nodes", "hash", where, places=3):
            with flip():
                error = broken("ledger_broken", verify)
            assert error.value is not None and {flaw["part"] for flaw in error.value["flaws"]} == {"node"}
    for column in ("root", "signature", "at"):
        for _, flip in kept.bits(
            "ledger_heads", column, "size = (SELECT max(size) FROM ledger_heads)", places=3
        ):
            with flip():
                error = broken("ledger_broken", verify)
            assert error.value is not None and "head" in {flaw["part"] for flaw in error.value["flaws"]}
    assert verify()["ok"]


@pytest.mark.req("R-139")
def test_a_ledger_cut_short_or_with_a_gap(kept: Kept) -> None:
    rows = kept.sql("SELECT * FROM ledger_entries WHERE seq >= (SELECT max(seq) - 1 FROM ledger_entries)")
    marks = ",".join("?" * len(rows[0]))
    try:
        kept.sql("DELETE FROM ledger_entries WHERE seq >= (SELECT max(seq) - 1 FROM ledger_entries)")
        broken("ledger_broken", lambda: ledgers.verify_log(kept.room.station))
    finally:
        for row in rows:
            kept.sql(f"INSERT INTO ledger_entries VALUES ({marks})", *row)
    assert ledgers.verify_log(kept.room.station)["ok"]


@pytest.mark.req("R-139", "R-142")
def test_sealed_register_fields(kept: Kept) -> None:
    room = kept.room
    clerk = room.as_("clerk", "documents")
    ((receipt_id,),) = kept.sql(f"SELECT receipt_id FROM documents WHERE id = '{kept.first}'")

    def organ() -> str:
        with room.station.read() as session:
            return receipt.organ_of(room.station, session, receipt.get_receipt(session, receipt_id))

    cases: list[tuple[str, str, str, Callable[[], object]]] = [
        ("documents", "sealed", f"id = '{kept.first}'",
         lambda: documents.show_document(room.station, clerk, document=kept.first)),
        ("persons", "sealed", "id = 'p-reader'", lambda: people.list_persons(room.station)),
        ("receipts", "sealed", f"id = '{receipt_id}'", organ),
        ("events", "sealed", f"id = (SELECT min(id) FROM events WHERE document_id = '{kept.first}')",
         lambda: review.show_review(room.station, clerk, document=kept.first)),
        ("clear_places", "sealed", f"document_id = '{kept.first}'",
         lambda: documents.show_document(room.station, clerk, document=kept.first)),
        ("certificates", "pdf_sealed", "id = 'C2026-00001'",
         lambda: destruction_certificate.write_certificate(
             room.station, room.as_("arch", "certificate"), batch=kept.certified, out=room.base / "again.pdf")),
    ]  # fmt: skip
    for table, column, where, act in cases:
        for _, flip in kept.bits(table, column, where, places=4):
            with flip():
                broken("register_altered", act)
        act()


@pytest.mark.req("R-139", "R-142")
def test_sealed_fields_swapped_between_rows(kept: Kept) -> None:
    room = kept.room
    clerk = room.as_("clerk", "documents")

    def swapped(table: str, key: str, one: str, two: str, act: Callable[[], object]) -> None:
        ((a,),) = kept.sql(f"SELECT sealed FROM {table} WHERE {key} = '{one}' LIMIT 1")
        ((b,),) = kept.sql(f"SELECT sealed FROM {table} WHERE {key} = '{two}' LIMIT 1")
        with (
            kept.changed(table, "sealed", f"{key} = '{one}'", b),
            kept.changed(table, "sealed", f"{key} = '{two}'", a),
        ):
            broken("register_altered", act)
        act()

    swapped("documents", "id", kept.first, kept.second,
            lambda: documents.show_document(room.station, clerk, document=kept.first))  # fmt: skip
    swapped("persons", "id", "p-reader", "p-lead",
            lambda: circle.set_circle(room.station, room.as_("dir", "circle"), document=kept.first,
                                      persons=["人员reader"]))  # fmt: skip
    ((one,),) = kept.sql(f"SELECT min(id) FROM events WHERE document_id = '{kept.first}'")
    ((two,),) = kept.sql(f"SELECT min(id) FROM events WHERE document_id = '{kept.second}'")
    swapped("events", "id", one, two, lambda: review.show_review(room.station, clerk, document=kept.first))


@pytest.mark.req("R-139", "R-117")
def test_what_persons_signed_about_a_destruction(kept: Kept) -> None:
    """A statement changed between act and certificate: no certificate."""
    room = kept.room
    for act in ("propose", "count", "approve", "supervise", "execute", "attest"):
        mine = f"destruction_id = '{kept.open_batch}' AND act = '{act}'"
        where = f"id = (SELECT max(id) FROM destruction_acts WHERE {mine})"
        for column in ("statement", "signature"):
            for _, flip in kept.bits("destruction_acts", column, where, places=2):
                with flip(), pytest.raises(Broken) as caught:
                    room.attest(kept.open_batch, "sup2")
                assert caught.value.exit_code == 7, (act, column)
    assert room.show(kept.open_batch)["state"] == "verified"


@pytest.mark.req("R-139", "R-117")
def test_the_certificate_file(kept: Kept) -> None:
    data = kept.pdf.read_bytes()
    report = certificate_check.verify_file(kept.pdf, trust=kept.ca, proof=kept.proof, home=kept.room.home)
    assert report["valid"] and report["trusted"] and report["id"]
    bad = kept.pdf.with_name("bad.pdf")
    for at in (9, len(data) // 3, len(data) // 2, len(data) - 40):
        broken_pdf = bytearray(data)
        broken_pdf[at] ^= 4
        bad.write_bytes(broken_pdf)
        error = broken(
            "certificate_not_valid",
            lambda: certificate_check.verify_file(bad, trust=kept.ca, proof=kept.proof, home=kept.room.home),
        )
        assert error.value is not None and error.value["reasons"], at


@pytest.mark.req("R-139")
def test_the_stations_own_keys_and_certificates(kept: Kept) -> None:
    head = lambda: ledgers.head(kept.room.station)  # noqa: E731
    for _, flip in kept.bits("meta", "value", "key = 'key.ledger'", places=4):
        with flip(), pytest.raises(Broken):
            head()
    ((seal,),) = kept.sql("SELECT value FROM meta WHERE key = 'key.seal'")
    with kept.changed("meta", "value", "key = 'key.ledger'", seal), pytest.raises(Broken):
        head()
    assert head()["ok"]
