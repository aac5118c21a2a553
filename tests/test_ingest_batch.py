"""The inbound batch: order, numbers, duplicates, quarantine, refusal, receipts, slips, derivation, sources."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ingest_kit import (
    check_whole,
    counts,
    documents,
    holds_words,
    ingest,
    letter,
    letters,
    receipt_of,
    snapshot,
)  # fmt: skip
from jiyao.common.errors import NotThere
from jiyao.common.limits import Limits
from jiyao.models.level import Level
from jiyao.models.tables import Artefact, Clear, Incident, LedgerEntry
from jiyao.pipeline.intake import executor
from jiyao.pipeline.intake import receipt as receipts
from jiyao.pipeline.intake.judgement import open_artefact
from jiyao.pipeline.papers import documents as register
from jiyao.pipeline.review import review
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from room_kit import Room

BODY = "现将第九百九十九号绝无仅有之事项函告如下"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, Level.COMPANY_TOP)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


# ---------------------------------------------------------------- order and numbers


@pytest.mark.req("R-001", "R-002")
def test_documents_stand_in_file_order_and_numbers_follow(room: Room, inbox: Path) -> None:
    letters(inbox, 12)  # 来件2 stands before 来件10
    before = snapshot(inbox)
    answer = ingest(room, inbox, batch="早班", jobs=2)
    assert counts(answer) == {"received": 12, "pending": 12}
    assert [item["source_name"] for item in answer["documents"]] == [f"来件{n}.docx" for n in range(1, 13)]
    assert [item["id"] for item in answer["documents"]] == [f"D2026-{n:06d}" for n in range(1, 13)]
    assert {item["receipt"] for item in answer["documents"]} == {answer["receipt"]}
    first = answer["documents"][0]
    assert (first["doc_number"], first["date"]) == ("乌有函〔2026〕1号", "2026-09-08")
    assert first["title"] == "关于报送第1批样例材料的函" and first["confirmed"] is False
    assert first["sha256"] == hashlib.sha256((inbox / "来件1.docx").read_bytes()).hexdigest()
    assert snapshot(inbox) == before, "sources are never changed"
    check_whole(room)


@pytest.mark.req("R-001")
def test_numbers_follow_receipt_time_and_are_never_used_again(room: Room, inbox: Path) -> None:
    one, two, three = letters(inbox, 3)
    ingest(room, one)
    room.clock.forward(hours=1)
    arrived = receipt_of(room)
    room.clock.forward(hours=1)
    ingest(room, two)
    late = ingest(room, three, receipt=arrived["receipt"])
    # the paper of the earlier receipt takes the number that the receipt was given
    assert late["documents"][0]["id"] == arrived["id"] == "D2026-000002"
    rows = documents(room)
    assert [row.received_at for row in rows] == sorted(row.received_at for row in rows)
    room.change("D2026-000003", status="void", duplicate_tag=None)
    again = ingest(room, two)
    assert again["documents"][0]["id"] == "D2026-000004"
    assert documents(room)[2].status == "void", "a number that is not in use says why"
    check_whole(room)


# ---------------------------------------------------------------- duplicates


def test_duplicates_within_a_batch_and_across_batches(room: Room, inbox: Path) -> None:
    first = letters(inbox, 2)[0]
    copy = inbox / "来件1-副本.docx"
    shutil.copy(first, copy)
    answer = ingest(room, inbox)
    assert counts(answer) == {"received": 3, "pending": 2, "duplicate": 1}
    problem = answer["problems"][0]
    assert problem["code"] == "duplicate"
    document = problem["document"]
    again = ingest(room, inbox)
    assert counts(again) == {"received": 3, "duplicate": 3} and again["batch"] is None
    shown = room.row(document)
    assert shown.status == "pending"
    with room.station.read() as session:
        history = register.document_json(room.station, session, shown)["cleartext_history"]
    assert {Path(place["path"]).name for place in history} == {"来件1.docx", "来件1-副本.docx"}, (
        "every place where it lies in clear is known, each once"
    )
    assert len(history) == 2
    check_whole(room)


def test_a_paper_that_was_destroyed_is_new_again(room: Room, inbox: Path) -> None:
    path = letter(inbox, "旧件.docx", date="2005年3月1日")
    document = ingest(room, path)["documents"][0]["id"]
    review.accept(room.station, room.as_("clerk", "review.accept"), documents=(document,))
    room.change(
        document, retention="10年", retention_until="2016-01-01", appraised_at=room.station.now(),
        appraised_by="p-arch", retention_open=False,
    )  # fmt: skip
    batch = room.until("verified", document)
    assert room.show(batch)["verdict"] == "complete_with_reservations", "its file still lies in the inbox"
    assert room.row(document).duplicate_tag is None, "what told duplicates went with it"
    answer = ingest(room, path)
    assert counts(answer) == {"received": 1, "pending": 1}
    assert answer["documents"][0]["id"] != document
    check_whole(room)


# ---------------------------------------------------------------- what cannot be read


def test_quarantine_keeps_the_bytes_and_a_rerun_tries_again(
    room: Room, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = letter(inbox, "好.docx")
    bad = inbox / "坏.docx"
    bad.write_bytes(good.read_bytes()[:700])
    twin = inbox / "坏-又.docx"
    shutil.copy(bad, twin)
    answer = ingest(room, bad, twin, good)
    assert counts(answer) == {"received": 3, "pending": 1, "quarantined": 2}
    kept = answer["problems"][0]["document"]
    assert answer["problems"][1]["document"] == kept, "the same bytes stand once"
    with room.station.read() as session:
        assert open_artefact(room.station, session, kept, "original") == bad.read_bytes()
    assert not holds_words(room.home, bad.read_bytes()[:64]), "nothing in clear"
    again = ingest(room, inbox)
    assert counts(again) == {"received": 3, "duplicate": 1, "quarantined": 2}
    assert {item["document"] for item in again["problems"] if item["status"] == "quarantined"} == {kept}
    with room.station.read() as session:
        assert len(session.scalars(select(Artefact).where(Artefact.document_id == kept)).all()) == 1
    check_whole(room)


def too_slow(room: Room, path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """`path` taken in with less time than any file needs, under a clock that is looked at often enough."""
    with monkeypatch.context() as patch:
        patch.setattr(executor, "_LOOK_SECONDS", 0.001)
        return ingest(room, path, limits=Limits(seconds_per_document=0.0001))


def test_a_file_that_was_too_slow_gets_through_later(
    room: Room, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = letter(inbox, "慢.docx")
    slow = too_slow(room, path, monkeypatch)
    assert (slow["problems"][0]["code"], counts(slow)) == ("timed_out", {"received": 1, "quarantined": 1})
    later = ingest(room, path)
    assert counts(later) == {"received": 1, "pending": 1}
    assert later["documents"][0]["id"] == slow["problems"][0]["document"], "it keeps its number"
    check_whole(room)


def test_unreadable_files_are_named_once(room: Room, inbox: Path) -> None:
    letter(inbox, "好.docx")
    os.mkfifo(inbox / "管道.pdf")
    (inbox / "链接.pdf").symlink_to("/etc/hostname")
    large = inbox / "太大.pdf"
    large.write_bytes(b"%PDF-1.7" + bytes(60_000))
    answer = ingest(room, inbox, limits=Limits(file_bytes=50_000))
    assert counts(answer) == {"received": 4, "pending": 1, "failed": 3}
    assert {item["code"] for item in answer["problems"]} == {"not_a_regular_file", "too_large"}
    again = ingest(room, inbox, limits=Limits(file_bytes=50_000))
    assert counts(again) == {"received": 4, "duplicate": 1, "failed": 3}
    assert len(documents(room)) == 4, "no row twice"
    large.write_bytes(letter(inbox, "好2.docx", title="关于第二件事的函").read_bytes())
    now = ingest(room, large)
    before = {Path(item["path"]).name: item["document"] for item in answer["problems"]}
    assert now["documents"][0]["id"] == before["太大.pdf"], "readable at last, in its own row"
    check_whole(room)


def test_a_folder_that_cannot_be_listed_is_named(
    room: Room, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter(inbox, "好.docx")
    closed = inbox / "锁住"
    closed.mkdir()
    plain = Path.iterdir

    def iterdir(self: Path):  # type: ignore[no-untyped-def]
        if self == closed:
            raise PermissionError(13, "denied")
        return plain(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    answer = ingest(room, inbox)
    assert counts(answer) == {"received": 2, "pending": 1, "failed": 1}
    assert answer["problems"][0]["path"] == str(closed)


def test_a_name_that_is_no_unicode(room: Room, inbox: Path) -> None:
    path = letter(inbox, "好.docx")
    odd = Path(os.fsdecode(os.fsencode(inbox) + b"/\xb9\xfa\xb7\xa2.docx"))
    path.rename(odd)
    assert counts(ingest(room, inbox)) == {"received": 1, "pending": 1}
    assert counts(ingest(room, inbox)) == {"received": 1, "duplicate": 1}


# ---------------------------------------------------------------- above the station's level


@pytest.mark.req("R-021")
def test_above_the_stations_level_only_the_fact_stays(room: Room, inbox: Path) -> None:
    path = letter(inbox, "密件-九头鸟.docx", mark="机密★10年", title="关于九头鸟工程的通知", body=BODY)
    before = snapshot(inbox)
    answer = ingest(room, inbox, consume=True)
    assert counts(answer) == {"received": 1, "refused": 1} and answer["documents"] == []
    problem = answer["problems"][0]
    assert (problem["code"], problem["level"]) == ("above_station_level", "机密")
    row = room.row(problem["document"])
    assert (row.status, row.level_code, row.key_slot) == ("refused", Level.STATE_SECRET.code, None)
    with room.station.read() as session:
        assert not session.scalars(select(Artefact)).all() and not session.scalars(select(Clear)).all()
        words = register.words_of(room.station, session, row)
        incidents = [(item.kind, item.document_id, item.state) for item in session.scalars(select(Incident))]
        leaves = [entry.leaf for entry in session.scalars(select(LedgerEntry))]
    assert not any(value for value in words.values())
    assert incidents == [("above_station_level", row.id, "open")]
    for word in ("九头鸟", BODY[:8]):
        assert not holds_words(
            room.base / "home", *(word.encode(code) for code in ("utf-8", "utf-16-le", "gbk"))
        )
        assert not any(word.encode() in bytes(leaf) for leaf in leaves)
    assert snapshot(inbox) == before, "the source is the room's to hand on, also with --consume"
    again = ingest(room, path)
    assert counts(again) == {"received": 1, "refused": 1}
    assert again["problems"][0]["document"] == row.id
    assert len(documents(room)) == 1
    with room.station.read() as session:
        assert len(session.scalars(select(Incident)).all()) == 1, "not doubled"
    check_whole(room)


@pytest.mark.req("R-021")
def test_quarantined_bytes_go_when_the_paper_proves_too_high(
    room: Room, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = letter(inbox, "慢密件.docx", mark="机密★10年", body=BODY)
    slow = too_slow(room, path, monkeypatch)
    kept = slow["problems"][0]["document"]
    with room.station.read() as session:
        artefact = session.scalars(select(Artefact).where(Artefact.document_id == kept)).one()
        slot, blob = artefact.key_slot, artefact.path
    answer = ingest(room, path)
    assert counts(answer) == {"received": 1, "refused": 1}
    with room.station.read() as session:
        assert not room.station.vault.has_slot(session, slot), "the key is gone"
        assert not register.words_of(room.station, session, room.row(kept))
    assert not (room.station.blobs / blob).exists()
    check_whole(room)


def test_a_companys_own_mark_is_not_a_state_mark(room: Room, inbox: Path) -> None:
    path = letter(inbox, "公司.docx", mark="公司机密★5年", title="关于经营计划的通知")
    answer = ingest(room, path)
    assert counts(answer) == {"received": 1, "pending": 1}
    assert answer["documents"][0]["level"] == "公司机密"
    area = Level.COMPANY_SECRET.code.lower()
    with room.station.read() as session:
        places = {item.path.partition("/")[0] for item in session.scalars(select(Artefact))}
    assert places == {area}, "levels are stored apart"


# ---------------------------------------------------------------- what the operator says


def test_origin_and_urgency_as_said(room: Room, inbox: Path) -> None:
    one, two = letters(inbox, 2)
    said = ingest(room, one, origin="superior", urgent=True)["documents"][0]
    assert (said["origin"], said["urgency"]) == ("superior", "加急")
    silent = ingest(room, two)["documents"][0]
    assert (silent["origin"], silent["urgency"]) == (None, None)


def test_an_unknown_receipt_stops_before_anything_is_read(room: Room, inbox: Path) -> None:
    letters(inbox, 1)
    with pytest.raises(NotThere) as caught:
        ingest(room, inbox, receipt="R2026-99999")
    assert caught.value.code == "no_receipt"
    assert documents(room) == []
    check_whole(room)


@pytest.mark.req("R-001", "R-002")
def test_the_receipts_row_is_filled_by_its_first_paper(room: Room, inbox: Path) -> None:
    arrived = receipts.receive(
        room.station,
        room.as_("clerk", "receive"),
        receipts.Arrival(
            organ="乌有县局", title="按信封", number="乌有〔2026〕77号", copies=2, urgency="特急"
        ),
    )
    assert room.row(arrived["id"]).status == "received", "in the register before anything is read"
    letters(inbox, 2)
    answer = ingest(room, inbox, receipt=arrived["receipt"])
    first, second = answer["documents"]
    assert (first["id"], first["status"], first["receipt"]) == (arrived["id"], "pending", arrived["receipt"])
    assert first["doc_number"] == "乌有函〔2026〕1号", "the paper's own word goes before the envelope's"
    assert (first["copies_received"], first["urgency"], len(first["carriers"])) == (2, "特急", 2)
    assert second["receipt"] == arrived["receipt"] and second["id"] != first["id"]


def test_consume_erases_what_is_sealed_and_leaves_what_changed(
    room: Room, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two, three = letters(inbox, 3)
    known = ingest(room, three)["documents"][0]["id"]
    from jiyao.pipeline.intake import batch_books

    plain = batch_books.enter

    def meddle(*args, **given):  # type: ignore[no-untyped-def]
        if args[3].path == two:
            two.write_bytes(two.read_bytes() + b"more")
        return plain(*args, **given)

    monkeypatch.setattr(batch_books, "enter", meddle)
    answer = ingest(room, inbox, consume=True)
    assert counts(answer) == {"received": 3, "pending": 2, "duplicate": 1}
    assert [path.name for path in sorted(inbox.iterdir())] == [two.name]
    left = [item for item in answer["problems"] if item["code"] == "source_left"]
    assert [item["path"] for item in left] == [str(two)]
    with room.station.read() as session:
        rows = {row.document_id: (row.state, row.grade) for row in session.scalars(select(Clear))}
    gone, changed = answer["documents"][0]["id"], answer["documents"][1]["id"]
    assert {rows[gone][0], rows[known][0]} == {"erased"}
    assert rows[gone][1] in ("erased_clear", "erased_memory", "overwritten_unproven", "unlinked_only")
    assert rows[changed] == ("outstanding", "changed_left")
    check_whole(room)


# ---------------------------------------------------------------- derivation, review


def test_a_paper_that_cites_a_marked_one_derives_its_level(room: Room, inbox: Path) -> None:
    source = letter(
        inbox, "1.docx", number="乌有发〔2026〕31号", mark="公司机密★5年", title="关于经营计划的通知"
    )
    citing = letter(
        inbox, "2.docx", number="乌有函〔2026〕32号", title="关于落实经营计划的函",
        body="根据《关于经营计划的通知》（乌有发〔2026〕31号）要求，现将落实情况函告如下。",
    )  # fmt: skip
    answer = ingest(room, source, citing)
    marked, derived = answer["documents"]
    assert (marked["level"], marked["level_basis"]) == ("公司机密", "marked")
    assert (derived["level"], derived["level_basis"]) == ("公司机密", "derivative")
    assert any(
        "31号" in item["text"] or item["rule"] for item in derived["evidence"] if item["for"] == "level"
    )


def test_derivation_knows_a_paper_that_filled_an_earlier_row(room: Room, inbox: Path) -> None:
    arrived = receipt_of(room)
    other = letter(inbox, "0.docx", number="乌有函〔2026〕30号", title="关于无关事项的函")
    ingest(room, other)
    source = letter(
        inbox, "1.docx", number="乌有发〔2026〕31号", mark="公司机密★5年", title="关于经营计划的通知"
    )
    citing = letter(
        inbox,
        "2.docx",
        number="乌有函〔2026〕32号",
        title="关于落实的函",
        body="依据乌有发〔2026〕31号文件办理。",
    )
    answer = ingest(room, other, source, citing, receipt=arrived["receipt"])
    assert [item["id"] for item in answer["documents"]] == [arrived["id"], "D2026-000003"]
    assert answer["documents"][1]["level_basis"] == "derivative"


@pytest.mark.slow
def test_must_review_tells_the_doubtful_from_the_sure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Precision and recall over made-up papers: wrong is a level, number, title or date other than the truth's."""
    room, inbox = Room(tmp_path / "room", Level.STATE_TOP), tmp_path / "in"
    inbox.mkdir()
    made = [make_paper(seed, "test") for seed in range(100, 148)]
    for number, paper in enumerate(made):
        (inbox / f"{number:03d}.docx").write_bytes(render(paper, "docx"))
    answer = ingest(room, inbox)
    read = {item["source_name"]: item for item in answer["documents"]}
    assert len(read) == len(made)
    caught = missed = spared = vain = 0
    for number, paper in enumerate(made):
        item, truth = read[f"{number:03d}.docx"], paper.fields
        expected = paper.expected
        wrong = (
            item["level"] != (expected.level.value if expected.level else None)
            or item["doc_number"] != truth.doc_number
            or item["title"] != truth.title
            or item["date"] != (truth.signed_date.isoformat() if truth.signed_date else None)
            or bool(expected.findings)
        )
        caught += wrong and item["must_review"]
        missed += wrong and not item["must_review"]
        vain += not wrong and item["must_review"]
        spared += not wrong and not item["must_review"]
    precision = caught / (caught + vain) if caught + vain else 1.0
    recall = caught / (caught + missed) if caught + missed else 1.0
    with capsys.disabled():
        print(
            f"\nmust_review on {len(made)} samples: precision {precision:.2f}, recall {recall:.2f} "
            f"(caught {caught}, missed {missed}, in vain {vain}, spared {spared})"
        )
    assert 0 < caught + vain < len(made), "neither always nor never"
    assert spared > 0
    state_or_content = [item for item in answer["documents"] if item["level_basis"] in ("content", "none")]
    assert all(item["must_review"] or item["level"] for item in state_or_content)


# ---------------------------------------------------------------- the truth is never read

_opened: list[str] | None = None


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(args[0], str | bytes):
        _opened.append(os.fsdecode(args[0]))


sys.addaudithook(_hook)


def test_the_answer_sheet_is_never_opened(room: Room, inbox: Path) -> None:
    global _opened
    letters(inbox, 2)
    sheet = inbox.parent / "truth.json"
    sheet.write_text('{"papers": []}', "utf-8")
    assert (Path(register.__file__).parents[1] / "samples" / "truth.json").name == sheet.name
    _opened = []
    try:
        answer = ingest(room, inbox)
    finally:
        seen, _opened = _opened, None
    assert counts(answer) == {"received": 2, "pending": 2}
    assert any(name.endswith("来件1.docx") for name in seen), "the hook sees"
    assert not [name for name in seen if "truth" in name]
    # in the folder itself it is a file like any other: opened, named, not believed
    shutil.copy(sheet, inbox / "truth.json")
    answer = ingest(room, inbox)
    assert counts(answer) == {"received": 3, "duplicate": 2, "quarantined": 1}
    assert answer["problems"][-1]["code"] == "unsupported_format"
