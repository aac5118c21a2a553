"""Stacks with separating slips: each part is a document of its own, told by its pages, in its receipt's row."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from ingest_kit import check_whole, counts, ingest, pdf_stack, receipt_of, slip_pdf, snapshot, tiff_stack
from jiyao.models.level import Level
from jiyao.pipeline.intake.judgement import load_judgement, open_artefact
from jiyao.samples.grammar import book
from jiyao.samples.make import make_paper
from jiyao.samples.render import render
from jiyao.stages.engines.choose import choose
from room_kit import Room

pytestmark = pytest.mark.slow  # drawing a slip takes seconds


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, Level.COMPANY_TOP)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def _engine() -> bool:
    try:
        choose("auto")
    except Exception:
        return False
    return True


needs_engine = pytest.mark.skipif(not _engine(), reason="neither RapidOCR nor Tesseract is installed")


def _slip(received: dict[str, str]) -> bytes:
    return slip_pdf(received["receipt"])


def _pages(pdf: bytes, dpi: int) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dpi / 72).to_pil() for page in document]


@pytest.fixture(scope="module")
def papers() -> list[bytes]:
    return [render(make_paper(seed, "test", layout="letter", mark="none"), "pdf") for seed in (3, 5)]


def test_a_stack_is_split_at_its_slips(room: Room, inbox: Path, papers: list[bytes]) -> None:
    first, second = receipt_of(room), receipt_of(room)
    loose = render(make_paper(8, "test", layout="letter", mark="none"), "pdf")
    pdf_stack(
        inbox / "叠.pdf", loose, _slip(first), papers[0], _slip(second), papers[1],
        slip_pdf("R2020-00009"), loose + b"\n",
    )  # fmt: skip
    before = snapshot(inbox)
    answer = ingest(room, inbox, split="slip")
    assert answer["counts"]["received"] == 1 and answer["counts"]["pending"] == 4, answer["problems"]
    by_receipt = {item["receipt"]: item for item in answer["documents"]}
    assert by_receipt[first["receipt"]]["id"] == first["id"]
    assert by_receipt[second["receipt"]]["id"] == second["id"]
    sizes = [len(pypdfium2.PdfDocument(pdf)) for pdf in (loose, papers[0], papers[1], loose)]
    assert [item["pages"] for item in answer["documents"]] == sizes
    strange = [item for item in answer["problems"] if item["code"] == "slip_unknown"]
    assert [item["detail"] for item in strange] == ["R2020-00009"]
    with room.station.read() as session:
        for item in answer["documents"]:
            judged = load_judgement(room.station, session, item["id"])
            pages = {evidence.page for evidence in judged.fields.evidence}
            assert pages <= set(range(1, item["pages"] + 1)), "pages are counted within the part"
            data = open_artefact(room.station, session, item["id"], "original")
            assert len(pypdfium2.PdfDocument(data)) == item["pages"]
            assert hashlib.sha256(data).hexdigest() == item["sha256"]
    again = ingest(room, inbox, split="slip")
    assert counts(again) == {"received": 1, "duplicate": 4}, "cut again, nothing stands twice"
    assert snapshot(inbox) == before
    check_whole(room)


def test_one_paper_behind_one_slip_loses_the_slip(room: Room, inbox: Path, papers: list[bytes]) -> None:
    arrived = receipt_of(room)
    pdf_stack(inbox / "一件.pdf", _slip(arrived), papers[0])
    answer = ingest(room, inbox, split="slip")
    document = answer["documents"][0]
    assert document["id"] == arrived["id"]
    with room.station.read() as session:
        data = open_artefact(room.station, session, document["id"], "original")
    assert len(pypdfium2.PdfDocument(data)) == len(pypdfium2.PdfDocument(papers[0]))


@pytest.mark.req("R-021")
def test_a_refused_part_does_not_hide_the_others(room: Room, inbox: Path, papers: list[bytes]) -> None:
    marked = next(family["id"] for family in book("test").families if "s_years" in family["marks"])
    high = render(make_paper(11, "test", template=marked, mark="s_years"), "pdf")
    receipts_ = [receipt_of(room), receipt_of(room)]
    pdf_stack(
        inbox / "混.pdf",
        _slip(receipts_[0]),
        high,
        _slip(receipts_[1]),
        papers[0],
    )
    answer = ingest(room, inbox, split="slip", consume=True)
    assert counts(answer) == {"received": 1, "refused": 1, "pending": 1}
    assert (inbox / "混.pdf").exists(), "not every part is sealed"
    again = ingest(room, inbox, split="slip")
    assert counts(again) == {"received": 1, "refused": 1, "duplicate": 1}
    check_whole(room)


@needs_engine
def test_a_scanned_tiff_stack(room: Room, inbox: Path, papers: list[bytes]) -> None:
    first, second = receipt_of(room), receipt_of(room)
    pages = [_pages(piece, 200)[0] for piece in (_slip(first), papers[0], _slip(second), papers[1])]
    tiff_stack(inbox / "扫描.tif", pages, 200)
    answer = ingest(room, inbox, split="slip")
    assert [item["id"] for item in answer["documents"]] == [first["id"], second["id"]], answer["problems"]
    with room.station.read() as session:
        data = open_artefact(room.station, session, first["id"], "original")
    (inbox / "part.tif").write_bytes(data)
    with Image.open(inbox / "part.tif") as part:
        assert (part.mode, part.n_frames, part.info["compression"]) == ("1", 1, "group4")
        bits = np.asarray(part)
    assert (bits == np.asarray(pages[1].convert("1", dither=Image.Dither.NONE))).all(), "without loss"
