"""Small papers, stacks and batches for the tests of the main job; a room to take them in."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import docx
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from sqlalchemy import select

from engines_here import NO_ENGINE, WHY
from jiyao.common.errors import JiyaoError
from jiyao.models.tables import Artefact, Document
from jiyao.pipeline.intake import receipt as receipts
from jiyao.pipeline.intake.inbox import files_of
from jiyao.pipeline.intake.runner import BatchRun, Request
from jiyao.pipeline.station.ledgers import verify_log
from jiyao.stages.slip import SlipSpec, draw_slip
from room_kit import Room

ORGAN = "云梦省乌有局"


def letter(
    folder: Path,
    name: str,
    *,
    title: str = "关于报送样例材料的函",
    number: str | None = "乌有函〔2026〕1号",
    mark: str | None = None,
    body: str = "现将有关样例材料报送你局，请予审阅。本件内容纯属虚构。",
    date: str = "2026年9月8日",
) -> Path:
    """A letter as DOCX: mark, red head, number, title, addressee, body, signature."""
    paper = docx.Document()
    for text in (mark, f"{ORGAN}文件", number, title, "样例市虚构局："):
        if text:
            paper.add_paragraph(text)
    for text in body.split("\n"):
        paper.add_paragraph(f"　　{text}")
    for text in (ORGAN, date):
        paper.add_paragraph(text)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    paper.save(str(path))
    return path


def letters(folder: Path, count: int) -> list[Path]:
    """So many different small letters."""
    return [
        letter(
            folder,
            f"来件{number}.docx",
            title=f"关于报送第{number}批样例材料的函",
            number=f"乌有函〔2026〕{number}号",
            body=f"现将第{number}批样例材料报送你局，请予审阅。本件内容纯属虚构，编号{number * 7919}。",
        )
        for number in range(1, count + 1)
    ]


def ingest(room: Room, *paths: Path, user: str = "clerk", **request: Any) -> dict[str, Any]:
    """One run of the main job over files and folders; the command's value. One worker unless said: starting costs."""
    if NO_ENGINE:
        pytest.skip(WHY)
    with BatchRun(room.station, room.as_(user, "ingest"), Request(**{"jobs": 1, **request})) as run:
        run.process(files_of(paths))
        return run.answer()


def counts(answer: dict[str, Any]) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in answer["counts"].items() if count}


def snapshot(*folders: Path) -> dict[Path, tuple[bytes, int]]:
    """Content and time of every file."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def documents(room: Room) -> list[Document]:
    """All rows of the register, in order of number."""
    with room.station.read() as session:
        rows = list(session.scalars(select(Document).order_by(Document.year, Document.seq)))
        session.expunge_all()
        return rows


def blobs(room: Room) -> set[str]:
    """Files that lie in the blob area."""
    return {path.relative_to(room.station.blobs).as_posix() for path in room.station.blobs.rglob("*.jyb")} | {
        path.name for path in room.station.blobs.rglob(".new-*")
    }


def named_blobs(room: Room) -> set[str]:
    """Files that rows name and that should be there."""
    with room.station.read() as session:
        return set(session.scalars(select(Artefact.path).where(Artefact.state != "destroyed")))


def check_whole(room: Room) -> None:
    """Numbers without gaps or doubles, the ledger verifies, no orphan, no document twice, no scratch left."""
    rows = documents(room)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    tags = [row.duplicate_tag for row in rows if row.duplicate_tag]
    assert len(tags) == len(set(tags))
    assert verify_log(room.station)["ok"]
    room.station.sweep_orphans()
    assert blobs(room) == named_blobs(room)
    assert scratch_of(room) == []


def scratch_of(room: Room) -> list[Path]:
    """Scratch folders of the room's station, wherever they may be."""
    scratch = room.station.scratch()
    prefix, base = scratch.path.name[:16], scratch.path.parent
    scratch.close()
    return sorted({*base.glob(prefix + "*"), *(room.home / "scratch").glob(prefix + "*")})


def holds_words(home: Path, *words: bytes) -> list[str]:
    """Files under a folder that hold one of the byte strings; names count too."""
    found = []
    for path in home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if any(word in data or word in bytes(path) for word in words):
            found.append(str(path))
    return found


@cache
def slip_pdf(receipt: str) -> bytes:
    """The separating slip of a receipt; drawing one takes seconds."""
    return draw_slip(SlipSpec(receipt=receipt, at=datetime(2026, 11, 2, tzinfo=UTC), sender=""))


def pdf_stack(path: Path, *pieces: bytes) -> Path:
    """PDF files put together, as a scanner with a feeder would."""
    writer = PdfWriter()
    for piece in pieces:
        writer.append(PdfReader(io.BytesIO(piece)))
    with path.open("wb") as file:
        writer.write(file)
    return path


def tiff_stack(path: Path, pages: Iterable[Image.Image], dpi: int) -> Path:
    """1-bit pages as one TIFF."""
    frames = [page.convert("1", dither=Image.Dither.NONE) for page in pages]
    frames[0].save(path, save_all=True, append_images=frames[1:], compression="group4", dpi=(dpi, dpi))
    return path


def broken(call: Callable[[], object]) -> JiyaoError | None:
    """The product's error that a call ends with; None when it does not."""
    try:
        call()
    except JiyaoError as error:
        return error
    return None


def sqlite_says(room: Room, query: str) -> list[Any]:
    """Rows straight from the registry's file."""
    with sqlite3.connect(room.home / "registry.db") as connection:
        return list(connection.execute(query))


def receipt_of(room: Room) -> dict[str, str]:
    """A receipt with its provisional row, its slip left undrawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receipts, "draw_slip", lambda spec: b"drawn elsewhere")
        return receipts.receive(
            room.station, room.as_("clerk", "receive"), receipts.Arrival(organ="乌有县局")
        )
