"""Closure: what a destroyed document leaves, kind by kind; what may survive, and who accepted it. With its control."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pypdf
import pytest

from jiyao.models.certificate import CLOSURE
from jiyao.models.level import Level
from jiyao.models.mark import Mark
from jiyao.models.period import Period
from jiyao.models.tables import Document
from jiyao.pipeline.destruction import certificate as destruction_certificate
from jiyao.pipeline.papers import documents
from room_kit import Room

TEXT = "本件所述虚构渠段的闸门埋深应调整为四点二五米，概算总额控制在三千六百一十二万元以内，均属试验所写。"
MARK = Mark(Level.STATE_CONFIDENTIAL, Period("years", number=5), star=True)


@pytest.mark.req("R-116", "R-127")
def test_every_kind_is_told_with_its_number(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source = room.document("关于来源的函")
    document = room.expired(text=TEXT * 3, level=MARK.level, mark=MARK)
    copy = room.copy(document, status="returned")
    with room.station.write() as session:
        row = session.get_one(Document, document)
        words = documents.words_of(room.station, session, row)
        documents.keep_words(room.station, session, row, {**words, "sources": [[source, "cited"]]})
    batch = room.until("verified", document, approvers=("lead",))
    lines = {item["id"]: item["closure"] for item in room.show(batch)["outcomes"]}
    told = {one["kind"]: (one["outcome"], one["count"]) for one in lines[document]}
    assert list(told) == list(CLOSURE)
    assert told | {
        "original": ("crypto_erase", 1), "text": ("crypto_erase", 1), "fields": ("crypto_erase", 1),
        "copies": ("crypto_erase", 1), "passages": ("removed", 1), "links": ("removed", 1), "models": ("none", 0),
        "search": ("register_only", 1), "logs": ("none", 0), "scratch": ("none", 0), "thumbnails": ("never_made", 0),
    } == told  # fmt: skip
    assert told["tags"][0] == "removed" and told["tags"][1] >= 1
    assert {one["kind"]: one["outcome"] for one in lines[copy]}["copies"] == "crypto_erase"


@pytest.mark.req("R-116", "R-127")
def test_the_control_finds_the_document_in_a_naive_store(tmp_path: Path) -> None:
    """A store that deletes rows and no more: its pages still hold the text, and the destruction says so."""
    room = Room(tmp_path)
    document = room.expired(text=TEXT)
    naive = room.home / "naive.db"
    with closing(sqlite3.connect(naive)) as database:
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("CREATE TABLE papers (id TEXT, body TEXT)")
        database.execute("INSERT INTO papers VALUES (?, ?)", (document, TEXT))
        database.commit()
        database.execute("DELETE FROM papers")
        database.commit()
        assert database.execute("SELECT count(*) FROM papers").fetchone() == (0,)
    batch = room.until("supervised", document)
    for user in ("op1", "op2"):
        value = room.execute(batch, user)
    checks = {check["name"]: (check["result"], check["reason"]) for check in value["checks"]}
    assert checks["V3"] == ("fail", "canary_found") and checks["V1"][0] == checks["V2"][0] == "pass"
    assert (value["state"], value["verdict"]) == ("failed", "failed")
    left = [one["kind"] for one in value["outcomes"][0]["closure"] if one["outcome"] == "left"]
    assert left == ["queue", "scratch", "logs"], "what V3 looks through"
    room.refused("destruction_state", room.attest, batch, "sup1")


@pytest.mark.req("R-116", "R-117")
def test_reservations_name_what_may_survive_and_who_accepted_it(tmp_path: Path) -> None:
    room = Room(tmp_path)
    source = room.base / "inbox" / "原稿.docx"
    source.parent.mkdir()
    source.write_bytes(b"clear")
    document = room.expired(path=source, level=Level.STATE_TOP)
    batch = room.until("certified", document, approvers=("lead", "prin"))
    value = room.show(batch)
    assert value["verdict"] == "complete_with_reservations"
    found = {entry["code"]: entry["subjects"] for entry in value["reservations"]}
    assert found["reservation_outside"] == [document] and found["reservation_media_due"] == [document]
    written = destruction_certificate.write_certificate(
        room.station, room.as_("clerk", "certificate"), batch=batch, out=tmp_path / "c.pdf"
    )
    files = pypdf.PdfReader(io.BytesIO(Path(written["file"]).read_bytes())).attachments
    record = json.loads(files["certificate.json"][0])
    accepted = {entry["code"]: set(entry["accepted_by"]) for entry in record["reservations"]}
    witnesses = {"attest:p-sup1", "attest:p-sup2"}
    assert set(accepted) == set(found)
    assert accepted["reservation_outside"] == witnesses, "not known when it was approved"
    assert accepted["reservation_media_due"] == witnesses | {"approve:p-lead", "approve:p-prin"}
    assert record["suite"] == "aes" and record["recovery"] == "mirrors"
    assert "claim_recovery_mirrors" in record["claims"]
