"""The virus scanner at the door: a fake clamd on a Unix socket, honest, silent, late and mad."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_kit import check_whole, counts, ingest, letter
from jiyao.common.errors import Refused
from jiyao.pipeline.intake import virus
from jiyao.pipeline.intake.virus import Scanner
from jiyao.pipeline.papers import documents
from jiyao.pipeline.review import rescan
from jiyao.pipeline.station.doctor import examine
from room_kit import Room

REAL_WORKERS = True
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
Answer = Callable[[bytes], bytes | None]


class FakeClamd:
    """Speaks INSTREAM; `answer` says what to reply to the bytes it got, None to say nothing."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path, self.answer, self.seen = path, answer, []
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.bind(str(path))
        self._line.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._line.accept()
            except OSError:
                return
            with caller:
                data = self._take(caller)
                self.seen.append(data)
                reply = self.answer(data)
                if reply is None:
                    time.sleep(1.5)
                else:
                    caller.sendall(reply)

    def _take(self, caller: socket.socket) -> bytes:
        with caller.makefile("rb") as source:
            assert source.read(10) == b"zINSTREAM\0"
            data = b""
            while size := struct.unpack(">I", source.read(4))[0]:
                data += source.read(size)
            return data

    def close(self) -> None:
        self._line.close()


def honest(data: bytes) -> bytes:
    return b"stream: Eicar-Signature FOUND\0" if EICAR in data else b"stream: OK\0"


@pytest.fixture
def clamd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], FakeClamd]]:
    made: list[FakeClamd] = []

    def start(answer: Answer) -> FakeClamd:
        made.append(FakeClamd(tmp_path / "clamd.ctl", answer))
        monkeypatch.setenv("JIYAO_CLAMD_SOCKET", str(tmp_path / "clamd.ctl"))
        return made[-1]

    yield start
    for fake in made:
        fake.close()


@pytest.fixture
def no_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIYAO_CLAMD_SOCKET", raising=False)
    monkeypatch.setattr(virus, "_SOCKETS", ())
    monkeypatch.setattr(virus.shutil, "which", lambda _name: None)


@pytest.mark.parametrize(
    ("answer", "state", "signature"),
    [
        (honest, "clean", ""),
        (lambda _: b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "infected", "Win.Test.EICAR_HDB-1"),
        (lambda _: b"stream: \x1b[2J bad FOUND\0", "infected", "__2J_bad"),
        (lambda _: b"INSTREAM size limit exceeded. ERROR\0", "failed", ""),
        (lambda _: b"\xff\xfe garbage", "failed", ""),
        (lambda _: b"", "failed", ""),
        (lambda _: b"x" * 9000, "failed", ""),
        (lambda _: None, "failed", ""),
    ],
    ids=["clean", "found", "controls", "limit", "garbage", "empty", "endless", "silent"],
)
def test_what_the_scanner_says(
    clamd: Callable[[Answer], FakeClamd], answer: Answer, state: str, signature: str
) -> None:
    fake = clamd(answer)
    scan = Scanner.find(seconds=1.0).scan(b"paper" * 40_000)
    assert (scan.state, scan.signature) == (state, signature)
    assert fake.seen == [b"paper" * 40_000]


def test_one_that_stays_silent_is_not_waited_for_all_day(clamd: Callable[[Answer], FakeClamd]) -> None:
    clamd(lambda _: None)
    scanner = Scanner.find(seconds=0.2)
    assert {scanner.scan(b"x").state for _ in range(6)} == {"failed"}
    began = time.monotonic()
    scanner.scan(b"x")
    assert time.monotonic() - began < 0.1


def test_clamdscan_by_its_pipe(tmp_path: Path) -> None:
    program = tmp_path / "clamdscan"
    program.write_text(
        '#!/bin/sh\nif grep -q EICAR; then echo "-: Eicar-Test FOUND"; exit 1; fi\necho "-: OK"\n'
    )
    program.chmod(0o755)
    scanner = Scanner(socket_path=None, program=str(program))
    assert scanner.scan(b"good").state == "clean"
    assert scanner.scan(EICAR) == virus.Scan("infected", "Eicar-Test")
    program.write_text("#!/bin/sh\ncat > /dev/null\nexit 2\n")
    assert scanner.scan(b"good").state == "failed"


@pytest.mark.req("R-001")
def test_a_hit_is_kept_sealed_and_never_parsed(tmp_path: Path, clamd: Callable[[Answer], FakeClamd]) -> None:
    room = Room(tmp_path / "room")
    fake = clamd(honest)
    good, bad = letter(tmp_path / "in", "1.docx"), tmp_path / "in" / "2.docx"
    bad.write_bytes(EICAR)
    (tmp_path / "in" / "3.docx").write_bytes(EICAR)
    answer = ingest(room, tmp_path / "in", consume=True)
    assert counts(answer) == {"received": 3, "pending": 1, "quarantined": 2}
    assert {(item["code"], item["detail"]) for item in answer["problems"]} == {
        ("virus_found", "Eicar-Signature")
    }
    assert answer["virus_scanner"] == str(fake.path)
    assert answer["documents"][0]["virus_scan"] == "clean"
    assert bad.exists() and not good.exists()
    assert examine_one(room, "virus_scanner") == (True, str(fake.path))
    check_whole(room)


def test_a_failed_scan_stands_in_the_record(tmp_path: Path, clamd: Callable[[Answer], FakeClamd]) -> None:
    room = Room(tmp_path / "room")
    clamd(lambda _: b"ERROR\0")
    (paper,) = ingest(room, letter(tmp_path / "in", "1.docx"))["documents"]
    assert paper["virus_scan"] == "failed" and paper["must_review"]
    assert "virus_scan_failed" in {item["code"] for item in paper["findings"]}
    shown = documents.show_document(room.station, room.as_("clerk", "ingest"), document=paper["id"])
    assert shown["virus_scan"] == "failed"
    assert examine_one(room, "virus_scanner")[0] is False


def test_without_one_the_batch_says_so(tmp_path: Path, no_scanner: None) -> None:
    room = Room(tmp_path / "room")
    answer = ingest(room, letter(tmp_path / "in", "1.docx"))
    assert answer["virus_scanner"] is None
    assert answer["documents"][0]["virus_scan"] == "none"
    assert examine_one(room, "virus_scanner")[0] is False


def examine_one(room: Room, name: str) -> tuple[bool, str]:
    (check,) = (item for item in examine(room.station, lang="zh")["checks"] if item["name"] == name)
    return check["ok"], check["detail"]


def test_a_rescan_is_looked_at_too(tmp_path: Path, clamd: Callable[[Answer], FakeClamd]) -> None:
    room = Room(tmp_path / "room")
    clamd(honest)
    (paper,) = ingest(room, letter(tmp_path / "in", "1.docx"))["documents"]
    (tmp_path / "new.pdf").write_bytes(b"%PDF-1.4 " + EICAR)
    with pytest.raises(Refused) as refused:
        rescan.rescan(
            room.station, room.as_("clerk", "ingest"), document=paper["id"], path=tmp_path / "new.pdf"
        )
    assert refused.value.code == "virus_found"
