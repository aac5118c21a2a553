"""The ledger in later years: outside vectors, consistency, slips on paper, segments that left for the archive."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from jiyao.common.errors import Broken, NotThere, Refused, UsageFault
from jiyao.ledger import log, merkle, segments, verifier
from jiyao.ledger.verify import verify
from jiyao.models.ledger_entry import Entry
from jiyao.models.tables import LedgerEntry, LedgerNode
from jiyao.pipeline.station import ledgers, witness
from jiyao.pipeline.station import segments as segment_room
from jiyao.stages.checkpoint_slip import slip_of
from jiyao.watermark import barcode
from room_kit import Room
from test_ledger import AT, CA_PEM, IDENTITY, ORIGIN, SIGNER, entry
from test_ledger import session as _session

session = _session
TEXTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The reference tests of certificate transparency (merkle_tree_test): eight leaves, the root over each beginning."""
PATHS = {
    (1, 8): ("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
    (6, 8): ("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    (2, 5): ("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
}  # fmt: skip
"""The consistency proofs of the same tests."""


def tree(leaves: list[bytes]) -> merkle.Node:
    known = merkle.nodes_of(merkle.leaf_hash(leaf) for leaf in leaves)
    return lambda level, index: known[level, index]


@pytest.mark.req("R-131")
def test_outside_vectors() -> None:
    node = tree([bytes.fromhex(text) for text in TEXTS])
    assert [merkle.root(size, node).hex() for size in range(1, 9)] == list(ROOTS)
    for (old, new), path in PATHS.items():
        assert [step.hex() for step in merkle.consistency(old, new, node)] == list(path)


@settings(max_examples=80, deadline=None)
@given(size=st.integers(0, 40), data=st.data())
def test_the_stand_alone_check_of_consistency_agrees(size: int, data: st.DataObject) -> None:
    node = tree([bytes([number]) for number in range(size)])
    old = data.draw(st.integers(0, size))
    path = merkle.consistency(old, size, node)
    roots = merkle.root(old, node), merkle.root(size, node)
    assert verifier._consistent(old, size, *roots, path)
    for bent in (
        [*path, bytes(32)],
        path[:-1] if path else [bytes(32)],
        [bytes(32), *path[1:]] if path else [b"x"],
    ):
        assert verifier._consistent(old, size, *roots, bent) is merkle.consistent(
            old, roots[0], size, roots[1], bent
        )
        assert not verifier._consistent(old, size, *roots, bent)
    if old:
        assert not verifier._consistent(old, size, bytes(32), roots[1], path)


def filled(session: Session, count: int = 30) -> None:
    for number in range(1, count + 1):
        log.append(session, entry(number))
        if number % 7 == 0:
            log.sign_head(session, SIGNER, AT)
    session.commit()


@pytest.mark.req("R-131")
def test_two_heads_are_proved_to_be_of_one_log(session: Session) -> None:
    filled(session)
    text = json.dumps(log.consistency_proof(session, 7, 28, IDENTITY))
    report = verifier.check_consistency(text, origin=ORIGIN, trust_pem=CA_PEM)
    assert report == {"ok": True, "old": 7, "new": 28, "signed": True, "trusted": True, "reasons": []}
    root = log.head_at(session, 7).root.hex()
    assert verifier.check_consistency(text, known=[(7, root)])["ok"]
    assert verifier.check_consistency(text, known=[(7, "00" * 32)])["reasons"] == ["known_head"]
    assert verifier.check_consistency(text, origin="another")["reasons"] == ["other_log"]
    assert verifier.check_consistency("[]")["reasons"] == ["unreadable"]
    plain = json.loads(text)
    plain["path"][0] = "00" * 32
    assert "path" in verifier.check_consistency(json.dumps(plain))["reasons"]
    plain = json.loads(text)
    plain["old"]["root"] = "00" * 32
    assert set(verifier.check_consistency(json.dumps(plain))["reasons"]) == {"path", "head"}
    assert not json.loads(json.dumps(log.consistency_proof(session, 3, 30, IDENTITY)))["old"]["signature"]


@pytest.mark.req("R-131", "R-141")
def test_segments_leave_and_everything_stays_provable(session: Session, tmp_path: Path) -> None:
    filled(session)
    heads = [log.head_at(session, size) for size in range(31)]
    proofs = {seq: log.proof(session, seq, IDENTITY) for seq in (3, 25)}
    common: dict[str, Any] = {"at": AT, "person": "P09", "account": "z", "role": None}
    files = []
    for first, last in ((1, 12), (13, 21)):
        lines = list(log.export(session, IDENTITY, first, last))
        assert verifier.check_export(lines, origin=ORIGIN, trust_pem=CA_PEM)["ok"]
        files.append(lines)
        segment = segments.Segment(first, last, "ab" * 32, "P09")
        gone = len(segments.leaving(session, segment))
        facts = {"first": first, "last": last, "sha256": "ab" * 32, "gone": gone}
        log.append(session, Entry(**common, act=segments.RELEASED, facts=facts))
        assert segments.release(session, segment) == gone == last - first + 1 - (first == 1)
    log.sign_head(session, SIGNER, AT)
    session.commit()
    assert session.scalars(select(LedgerEntry.seq).order_by(LedgerEntry.seq)).all() == [1, *range(22, 33)]
    report = verify(session, IDENTITY)
    assert report.ok and report.entries == 32, report.flaws
    assert [log.head_at(session, size).root for size in range(31)] == [head.root for head in heads]
    assert log.proof(session, 25, IDENTITY)["leaf"] == proofs[25]["leaf"]
    with pytest.raises(NotThere) as away:
        log.proof(session, 3, IDENTITY)
    assert away.value.code == "ledger_entry_departed" and away.value.facts["last"] == 12
    old = verifier.check_consistency(json.dumps(log.consistency_proof(session, 7, 32, IDENTITY)))
    assert old["ok"], "an early head is still shown to be the beginning"

    rest = list(log.export(session, IDENTITY))
    assert json.loads(rest[0])["since"] == 22
    whole = verifier.check_segments(
        [*files, rest], origin=ORIGIN, trust_pem=CA_PEM, known=[(7, heads[7].root.hex())]
    )
    assert whole["ok"] and whole["entries"] == 32, whole
    assert "not_continued" in verifier.check_segments([files[0], rest])["reasons"]
    assert "not_continued" in verifier.check_segments([files[1], files[0], rest])["reasons"]
    assert verifier.check_segments([*files, rest], known=[(7, "00" * 32)])["reasons"] == ["known_head"]
    names = []
    for number, lines in enumerate([*files, rest]):
        names.append(tmp_path / f"{number}.jsonl")
        names[-1].write_text("".join(line + "\n" for line in lines), "utf-8")
    command = [sys.executable, "-I", str(verifier.__file__), "ledger", *map(str, names)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.req("R-131", "R-139")
def test_nothing_hides_behind_a_segment(session: Session) -> None:
    filled(session)
    for number in (5, 9):
        session.execute(update(LedgerEntry).where(LedgerEntry.seq == number).values(act="move"))
    session.execute(delete(LedgerEntry).where(LedgerEntry.seq == 4))
    assert verify(session, IDENTITY).first_bad == 4, "no segment says that it left"
    session.rollback()
    common: dict[str, Any] = {"at": AT, "person": "P09", "account": "z", "role": None}
    segment = segments.Segment(1, 12, "ab" * 32, "P09")
    facts = {"first": 1, "last": 12, "sha256": "ab" * 32, "gone": 11}
    log.append(session, Entry(**common, act=segments.RELEASED, facts=facts))
    segments.release(session, segment)
    log.sign_head(session, SIGNER, AT)
    session.commit()
    assert verify(session, IDENTITY).ok
    session.execute(delete(LedgerEntry).where(LedgerEntry.seq == 1))
    flaws = verify(session, IDENTITY).flaws
    assert [flaw.code for flaw in flaws] == ["kept_missing"], "one that had to stay is gone too"
    session.rollback()
    where = (LedgerNode.level == 0, LedgerNode.index == 6)
    session.execute(update(LedgerNode).where(*where).values(hash=bytes(32)))
    assert not verify(session, IDENTITY).ok
    session.rollback()
    session.execute(delete(LedgerEntry).where(LedgerEntry.seq == 20))
    assert verify(session, IDENTITY).first_bad == 20


def code_on(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as opened:
        picture = np.asarray(opened[0].render(scale=2).to_pil().convert("L"))
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1
    return str(found[0].text)


@pytest.mark.req("R-131", "R-139")
def test_the_days_slip_is_drawn_read_and_checked_in_later_years(tmp_path: Path) -> None:
    room, next_door = Room(tmp_path / "a"), Room(tmp_path / "b")
    room.document()
    auditor = room.as_("auditor", "ledger")
    made = witness.write_slip(room.station, auditor, out=tmp_path / "slip.pdf")
    code = code_on((tmp_path / "slip.pdf").read_bytes())
    assert code == made["code"]
    room.document()
    assert witness.check_slip(room.station, code=code)["ok"]
    slip = verifier.read_slip(code)
    with pytest.raises(UsageFault):
        witness.check_slip(room.station, code=code[:-3])
    other = "|".join(["JYHEAD1", "other", *code.split("|")[2:]])
    with pytest.raises(Refused):
        witness.check_slip(room.station, code=other)
    forged = code.replace(slip["root"], "00" * 32)
    with pytest.raises(Broken) as broken:
        witness.check_slip(room.station, code=forged)
    assert broken.value.exit_code == 7

    guard = next_door.as_("auditor", "ledger")
    next_door.refused("own_slip", lambda: witness.witness(next_door.station, guard, code=code))
    told = witness.witness(next_door.station, guard, code=other)
    assert (told["size"], told["earlier"]) == (slip["size"], 0)
    assert witness.witness(next_door.station, guard, code=other)["earlier"] == 1
    contradicts = (
        forged.replace(slip["origin"], "other"),
        other.replace(f"|{slip['size']}|", f"|{slip['size'] - 1}|"),
    )
    for bent in contradicts:
        with pytest.raises(Broken):
            witness.witness(next_door.station, guard, code=bent)
        assert next_door.last_entry()["rule_or_approval"] == "witness_contradicts"

    export = tmp_path / "export.jsonl"
    ledgers.export(room.station, out=export)
    command = [sys.executable, "-I", str(verifier.__file__), "ledger", str(export), "--slip"]
    assert subprocess.run([*command, code], capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, forged], capture_output=True, check=False).returncode == 7
    proof = ledgers.consistency(room.station, old=slip["size"])
    assert verifier.check_consistency(json.dumps(proof), known=[(slip["size"], slip["root"])])["ok"]
    with pytest.raises(UsageFault):
        ledgers.consistency(room.station, old=10**6)


def test_a_slip_holds_all_of_its_code() -> None:
    slip = slip_of(
        origin=ORIGIN, size=10**9, root=b"\xff" * 32, at="2026-11-02T09:00:00+08:00", signature=b"x" * 70
    )
    dots = np.kron(np.where(barcode.modules(slip.code), 0, 255), np.ones((4, 4)))
    picture = np.pad(dots, 16, constant_values=255).astype(np.uint8)
    assert [one.text for one in zxingcpp.read_barcodes(picture)] == [slip.code]


@pytest.mark.req("R-131", "R-141")
def test_two_persons_send_a_segment_to_the_archive(tmp_path: Path) -> None:
    room = Room(tmp_path / "a")
    for _ in range(3):
        room.document()
    auditor, system = room.as_("auditor", "ledger"), room.as_("sysadmin", "ledger")
    size = ledgers.head(room.station)["entries"]
    file = tmp_path / "segment.jsonl"
    write = (segment_room.write, room.station, auditor)
    room.refused("segment_not_newest", *write, until=size + 9, out=file)
    told = segment_room.write(room.station, auditor, until=size - 2, out=file)
    room.refused("same_person_twice", segment_room.release, room.station, auditor, file=file)
    bent = tmp_path / "bent.jsonl"
    bent.write_bytes(file.read_bytes().replace(b"p-clerk", b"p-other"))
    room.refused("segment_unknown", segment_room.release, room.station, system, file=bent)
    done = segment_room.release(room.station, system, file=file)
    assert done["last"] == told["last"] and done["gone"] > 10
    assert ledgers.verify_log(room.station)["ok"]
    room.refused("segment_unknown", segment_room.release, room.station, system, file=file)
    again = segment_room.write(room.station, system, until=size - 1, out=tmp_path / "next.jsonl")
    assert again["first"] == told["last"] + 1
    room.until("verified", room.expired())
    rest = tmp_path / "rest.jsonl"
    ledgers.export(room.station, out=rest)
    lines = [path.read_text("utf-8").splitlines() for path in (file, rest)]
    assert verifier.check_segments(lines)["ok"]
