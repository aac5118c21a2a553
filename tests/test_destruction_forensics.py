"""After a destruction: what a thief of disks finds, with every old copy, today's root and the passphrase in hand.

Two attackers: one who searches every byte of the station for pieces of the text, and one who keeps old copies of the
home and opens them, with the product and with a reader written from the specifications (tests/vault_reader.py). A
control gives the second one an old image of the root besides: there the same search must succeed.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from jiyao.common.errors import JiyaoError
from jiyao.models.tables import Artefact, Document
from jiyao.pipeline.papers import documents
from jiyao.vault.scratch import scratch_place
from room_kit import Room, transplant
from thief_kit import root_files, spied

TITLE = "关于乌有县虚构渠段工程建设方案有关事项的函"
SHARED = "以上意见请一并研究并按照职责分工抓好贯彻落实。"
BODY = f"""{TITLE}
乌有县局：经实地勘察，虚构渠段第七标段的闸门埋深应调整为四点二五米，
其余各段仍按原批复的断面尺寸施工，概算总额控制在三千六百一十二万元以内。
联系人：纪不平，电话零零零零一二三四，勘测底图编号庚戌九四七八号。
{SHARED}"""
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gbk")


def windows(text: str) -> set[bytes]:
    """Every 16-byte piece of the text that begins at a character, in each encoding."""
    pieces = set()
    for encoding in ENCODINGS:
        data = text.encode(encoding)
        at = 0
        for char in text:
            if len(piece := data[at : at + 16]) == 16:
                pieces.add(piece)
            at += len(char.encode(encoding))
    return pieces


def binary_windows(data: bytes) -> set[bytes]:
    return {data[at : at + 16] for at in range(0, len(data) - 15, 16)}


def found(files: Iterable[Path], pieces: set[bytes]) -> list[tuple[str, bytes]]:
    """Where a piece stands, at whatever offset."""
    hits = []
    for path in files:
        data = path.read_bytes()
        hits += [
            (path.name, data[at : at + 16]) for at in range(len(data) - 15) if data[at : at + 16] in pieces
        ]
    return hits


def station_files(room: Room) -> Iterator[Path]:
    place = scratch_place(room.home)
    for folder in (room.home, *room.roots, *place.base.glob(place.prefix + "*")):
        yield from (path for path in folder.rglob("*") if path.is_file())


def steal(room: Room, name: str) -> Path:
    """A copy of home and roots, as a backup of the whole disk takes it; the first page of the log included."""
    target = room.base.parent / name
    transplant(room.base, target)
    return target


def watcher(room: Room, stop: Path) -> int:
    """Another process on the same home that goes on taking in papers, and some more after the destruction."""
    child = os.fork()
    if child:
        return child
    try:
        room.open()
        after = 0
        while after < 2:
            document = room.paper(
                "关于后来收到的函", text=f"监视目录收到的第{room._made}件，之后还要能打开。"
            )
            with (stop.parent / "watched.txt").open("a") as out:
                out.write(document + "\n")
            after += stop.exists()
            time.sleep(0.02)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.req("R-116", "R-127", "R-126", "R-142", "R-146")
@pytest.mark.parametrize("watched", [False, True], ids=["alone", "beside-a-watcher"])
def test_a_destroyed_document_is_gone_from_every_byte(
    tmp_path: Path, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "system-temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    room = Room(tmp_path / "room")
    picture = random.Random(7).randbytes(8192)
    original = BODY.encode() + picture
    gone = room.expired(TITLE, text=BODY, data=original)
    copy = room.copy(gone, status="returned", data=picture[:2048])
    stays = room.document("关于另一件事的函", text=f"另一件还要留存的正文。\n{SHARED}")
    with room.station.read() as session:
        rows = session.scalars(select(Artefact).where(Artefact.document_id == gone)).all()
        slots = sorted({row.key_slot for row in rows})
        sealed = {row.path: (room.station.blobs / row.path).read_bytes() for row in rows}
        witness = room.station.vault.witness(session, slots)
    assert len(slots) == 2 and len(sealed) == 4
    stolen = [steal(room, "stolen-1")]
    batch = room.until("supervised", gone)
    stolen.append(steal(room, "stolen-2"))

    stop = tmp_path / "stop"
    room.station.engine.dispose()
    child = watcher(room, stop) if watched else 0
    try:
        while watched and not (tmp_path / "watched.txt").exists():
            time.sleep(0.02)
        for user in ("op1", "op2"):
            value = room.execute(batch, user)
    finally:
        stop.touch()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert value["verdict"] == "complete_with_reservations"
    assert {check["name"]: check["result"] for check in value["checks"]} == dict.fromkeys(
        ("V1", "V2", "V3", "V4", "V5", "V6", "V7"), "pass"
    )
    room.open()

    # every byte the station keeps
    register = TITLE + SHARED
    pieces = windows(BODY) - windows(register) - windows(TITLE + "\n") - windows("\n" + SHARED)
    assert len(pieces) > 300
    files = [*station_files(room), *(path for path in temporary.rglob("*") if path.is_file())]
    assert found(files, pieces | binary_windows(picture)) == []
    assert witness.found_in(files) == ()
    assert not any((room.station.blobs / path).exists() for path in sealed)
    control = tmp_path / "control.bin"
    control.write_bytes(b"x" * 777 + BODY.encode("gbk")[100:160] + picture[4000:4040])
    assert len(found([control], pieces | binary_windows(picture))) >= 2, "the search must be able to find"

    # every old copy, with today's roots and the passphrase, by the specifications alone
    texts = spied([home / "home" for home in stolen] + [room.home], root_files(room))
    assert not any(BODY.encode()[:48] in text or picture[:64] in text for text in texts)
    alive = "另一件还要留存的正文".encode()
    assert any(alive in text for text in texts), "what lives still opens"
    old = spied([home / "home" for home in stolen], [path for home in stolen for path in _roots(home)])
    assert any(picture in text for text in old), (
        "the control: with an old image of the root the same search succeeds"
    )
    assert sum(text == original for text in old) == 1

    # by the product: the old home under today's roots; the old registry, or the old files, in today's home
    for home in stolen:
        mixed = Path(str(home) + "-mixed")
        transplant(home, mixed)
        for folder, mine in zip(("home.root", "home.root.mirror"), root_files(room), strict=True):
            (mixed / folder / mine.name).write_bytes(mine.read_bytes())
        with pytest.raises(JiyaoError) as caught:
            Room(mixed)
        assert (caught.value.code, caught.value.exit_code) == ("key_store_rolled_back", 7)
    for path, data in sealed.items():
        (room.station.blobs / path).write_bytes(data)
    with pytest.raises(JiyaoError) as dead:
        documents.text_of(room.station, room.as_("clerk", "text"), document=gone)
    assert dead.value.exit_code == 3
    with room.station.write() as session:
        for row in session.scalars(select(Artefact).where(Artefact.document_id == gone)):
            row.state = "live"
        session.get_one(Document, gone).status = "registered"
    with pytest.raises(JiyaoError) as dead:
        documents.text_of(room.station, room.as_("clerk", "text"), document=gone)
    assert dead.value.code == "key_destroyed"

    # everything else opens, what came during and after it included
    others = [stays]
    if watched:
        others += (tmp_path / "watched.txt").read_text().split()
        assert len(others) >= 3
    room.open()
    for document in others:
        value = documents.text_of(room.station, room.as_("clerk", "text"), document=document)
        assert "还要" in value["pages"][0]["text"]
    assert copy in [item["id"] for item in room.show(batch)["items"]]


def _roots(base: Path) -> list[Path]:
    return [next((base / part).iterdir()) for part in ("home.root", "home.root.mirror")]
