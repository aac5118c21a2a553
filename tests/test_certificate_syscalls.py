"""Killed, or let down by the disk, at single system calls between the first attestation and the written certificate.

As test_destruction_syscalls.py, for what comes after the execution: both supervisors attest, which makes the
certificate, and it is written out. After each fault the batch is verified or certified, there is one certificate or
none, and the same commands, run again as they were, end with one that verifies.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import func, select

from crash_kit import Point, calls_in, missing, points, traced
from jiyao.common.errors import JiyaoError, Refused
from jiyao.common.files import write_whole
from jiyao.ledger.certificate_verifier import check
from jiyao.models.tables import Certificate, LedgerEntry
from jiyao.pipeline.destruction import certificate as certificates
from jiyao.pipeline.station import ledgers
from jiyao.stages import certify as stage
from room_kit import Room, transplant
from tools.certificate_vectors import _page

SEED = 20261123
SAMPLE = 3
FAULTS = ("KILL", "EIO", "ENOSPC", "EIO+", "ENOSPC+")
SUPERVISORS = ("sup1", "sup2")

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "")


@pytest.fixture(scope="module", autouse=True)
def empty_pages() -> Iterator[None]:
    """The forms write nothing: an empty page does here."""
    with mock.patch.object(stage, "draw", _page):
        yield


class Verified:
    """A room whose batch is executed and verified, and the calls that attesting and writing out then make."""

    def __init__(self, base: Path) -> None:
        room = Room(base / "verified")
        self.base = room.base
        self.batch = room.until("verified", room.expired())
        room.station.engine.dispose()
        log = base / "calls"
        assert self.certified(self.again(base / "counted"), None, log) == 0
        self.calls = calls_in(log)
        self.points = points(self.calls, FAULTS)

    def again(self, base: Path) -> Path:
        transplant(self.base, base)
        (base / "out").mkdir()
        return base

    def certified(self, base: Path, point: Point | None, log: Path) -> int:
        """The commands, in a process of their own."""
        here: list[Room] = []

        def ready() -> None:
            here.append(Room(base))
            for user in SUPERVISORS:
                here[0].as_(user, "destroy.supervise")
            here[0].as_("clerk", "certificate")

        def act() -> None:
            for user in SUPERVISORS:
                here[0].attest(self.batch, user)
            written_out(here[0], self.batch)

        return traced(ready, act, point, log)


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verified]:
    yield Verified(tmp_path_factory.mktemp("certificate"))


def written_out(room: Room, batch: str) -> dict[str, object]:
    out = room.base / "out" / "c.pdf"
    return certificates.write_certificate(
        room.station, room.as_("clerk", "certificate"), batch=batch, out=out
    )


def survives(verified: Verified, point: Point, base: Path) -> str:
    """One fault, and everything that must hold after it; the state it was found in."""
    outcome = verified.certified(verified.again(base), point, base / "calls")
    assert (outcome == -9) if point.fault == "KILL" else outcome in (0, 1), point
    room = Room(base)
    shown = room.show(verified.batch)
    found = str(shown["state"])
    assert made(room) == ((1, 1) if found == "certified" else (0, 0)), point
    assert found in ("verified", "certified") and (shown["certificate"] is not None) == (
        found == "certified"
    ), point
    whole = [path for path in (base / "out").iterdir() if not path.name.endswith(".part")]
    assert found == "certified" or not whole, "a certificate that the registry does not know"
    for user in SUPERVISORS:
        try:
            room.attest(verified.batch, user)
        except Refused as error:
            assert error.code in ("same_person_twice", "destruction_state"), (point, error)
    assert room.show(verified.batch)["state"] == "certified" and made(room) == (1, 1), point
    written = written_out(room, verified.batch)
    assert {path.name for path in (base / "out").iterdir()} == {"c.pdf", "c.proof.json", "c.ca.pem"}, point
    pdf, proof, ca = (Path(str(written[name])).read_bytes() for name in ("file", "proof", "ca"))
    report = check(pdf, trust_pem=ca, proof=proof)
    assert report["valid"] and report["trusted"], (point, report["reasons"])
    assert written_out(room, verified.batch) == written, "again, as it was"
    assert ledgers.verify_log(room.station)["ok"], point
    room.station.engine.dispose()
    return found


def made(room: Room) -> tuple[int, int]:
    """Certificates, and entries of the ledger that name one."""
    with room.station.read() as session:
        entries = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.act == "certificate")
        return (
            session.scalar(select(func.count()).select_from(Certificate)) or 0,
            session.scalar(entries) or 0,
        )


@pytest.mark.req("R-116", "R-117", "R-127")
def test_any_call_between_attesting_and_the_certificate_may_be_the_last(
    verified: Verified, tmp_path: Path
) -> None:
    assert {"pwrite64", "fsync", "fdatasync", "unlink"} <= set(verified.calls), "the run was not seen"
    assert verified.calls["link"] + verified.calls["linkat"] == 3, "each file gets its name when it is whole"
    for point in random.Random(SEED).sample(verified.points, SAMPLE):  # noqa: S311 (a sample, no secret)
        survives(verified, point, tmp_path / str(point))


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.req("R-116", "R-117", "R-127")
def test_every_call_between_attesting_and_the_certificate_may_be_the_last(
    verified: Verified, tmp_path: Path
) -> None:
    tally: Counter[tuple[str, str, str]] = Counter()
    for point in verified.points:
        base = tmp_path / str(point)
        tally[point.call, point.fault, survives(verified, point, base)] += 1
        shutil.rmtree(base)
    print(len(verified.points), "points", dict(verified.calls), *sorted(tally.items()), sep="\n")
    assert sum(tally.values()) == len(verified.points)
    assert {found for _, _, found in tally} == {"verified", "certified"}


def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    first = write_whole(file, b"data")
    assert write_whole(file, b"data") == first and file.stat().st_mode & 0o777 == 0o600
    assert write_whole(file, b"other", same=lambda there: there == b"data") == first
    for there in (file, tmp_path, tmp_path / "link"):
        if there.name == "link":
            there.symlink_to(file)
        with pytest.raises(JiyaoError, match="file_exists"):
            write_whole(there, b"other")
    (tmp_path / ".g.part").write_bytes(b"half of what was to com")

    def refused(*_: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr("jiyao.common.files.os.link", refused)
    write_whole(tmp_path / "g", b"whole")
    assert (tmp_path / "g").read_bytes() == b"whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "g", "link"]
