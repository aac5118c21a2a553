"""Ten thousand documents with copies in one batch, one certificate, bounded memory; and a few hundred in every run."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from jiyao.models.tables import Artefact, Copy, Document
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.destruction.certificate_check import verify_file
from jiyao.pipeline.papers.documents import words_of
from room_kit import Room

KINDS = ("original", "transcript", "judgement")


def many(room: Room, count: int, *, copies: int) -> list[str]:
    """So many confirmed and expired papers, each with its own key and files; every tenth with copies given back.

    Written past the review: rows of one paper that went through it, with the numbers changed.
    """
    first = room.expired()
    station = room.station
    with station.read() as session:
        row = session.get_one(Document, first)
        plain = {
            column.key: getattr(row, column.key)
            for column in Document.__mapper__.column_attrs
            if not column.columns[0].computed
        }
        words = words_of(station, session, row)
        texts = {
            one.kind: station.vault.get(session, one.key_slot, one.path)
            for one in session.scalars(select(Artefact).where(Artefact.document_id == first))
        }
        (area,) = {one.path.split("/")[0] for one in session.scalars(select(Artefact))}
    done = [first]
    for start in range(1, count, 1000):
        numbers = range(start, min(count, start + 1000))
        with station.write() as session:
            slots = station.vault.new_slots(session, len(numbers))
            rows, files = [], []
            for number, slot in zip(numbers, slots, strict=True):
                name = f"{first[:5]}-{900000 + number:06d}"
                body = {**words, "title": f"关于第{number}号样例事项的函"}
                rows.append({**plain, "id": name, "seq": 900000 + number, "key_slot": slot, "duplicate_tag": None,
                             "paper_tag": None, "search_page": None,
                             "sealed": station.seal(session, "document", body, bind=name)})  # fmt: skip
                sealed = station.vault.put_all(session, slot, texts, area=area)
                files += [
                    {"document_id": name, "kind": kind, "key_slot": slot, "path": ref.path, "size": ref.size,
                     "cipher_sha256": ref.cipher_sha256, "state": "live"}
                    for kind, ref in sealed.items()
                ]  # fmt: skip
                done.append(name)
            session.execute(insert(Document), rows)
            session.execute(insert(Artefact), files)
    for name in done[:: max(1, len(done) // copies)]:
        room.copy(name, status="returned")
    return done


def run(room: Room, tmp_path: Path, count: int, *, copies: int) -> dict[str, float]:
    """Destroys them all in one batch; CPU seconds of each part, peak memory in MB, size of the file in MB."""
    documents = many(room, count, copies=copies)
    spent: dict[str, float] = {}

    def timed(name: str, begun: float) -> None:
        spent[name] = round(time.process_time() - begun, 1)

    begun = time.process_time()
    batch = room.until("supervised", *documents)
    timed("propose…supervise", begun)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    for user in ("op1", "op2"):
        room.execute(batch, user)
    timed("execute", begun)
    begun = time.process_time()
    for user in ("sup1", "sup2"):
        value = room.attest(batch, user)
    timed("attest, certificate", begun)
    assert value["state"] == "certified" and len(value["items"]) >= count + copies
    assert {check["name"]: check["result"] for check in value["checks"]} == dict.fromkeys(
        ("V1", "V2", "V3", "V4", "V5", "V6", "V7"), "pass"
    )
    written = destruction_certificate.write_certificate(
        room.station, room.as_("clerk", "certificate"), batch=batch, out=tmp_path / "c.pdf"
    )
    begun = time.process_time()
    report = verify_file(
        tmp_path / "c.pdf", trust=Path(written["ca"]), proof=Path(written["proof"]), home=tmp_path
    )
    timed("verify", begun)
    assert report["valid"] and report["trusted"] and report["items"] == len(value["items"])
    with room.station.read() as session:
        assert not session.scalars(select(Artefact.id).where(Artefact.state != "destroyed")).first()
        assert session.scalars(select(Copy.status)).all() == ["destroyed"] * copies
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent |= {"peak MB": after // 1024, "peak MB before": before // 1024}
    return spent | {"certificate MB": round((tmp_path / "c.pdf").stat().st_size / 2**20, 1)}


@pytest.mark.req("R-116", "R-118")
def test_forty_documents_in_one_batch(tmp_path: Path) -> None:
    spent = run(Room(tmp_path / "room"), tmp_path, 40, copies=4)
    assert spent["certificate MB"] < 1


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.req("R-116", "R-118")
def test_ten_thousand_documents_in_one_certificate(tmp_path: Path) -> None:
    spent = run(Room(tmp_path / "room"), tmp_path, int(os.environ.get("JIYAO_MANY", "10000")), copies=1000)
    print(spent)
    assert spent["peak MB"] < 1024
