"""Measures how long tracing takes by the product's own way: confined worker, every channel, register, ledger.

The station has many copies in its register, and for some documents the pages as they were before their glyphs were
shifted: what a picture without any mark is compared with before tracing gives up.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, Final

import cv2
import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from ...common.clock import today
from ...common.errors import NoMark
from ...common.limits import DEFAULT_LIMITS
from ...formats.open import open_document
from ...formats.opened import Picture
from ...models.copy import CopySpec
from ...models.level import Level
from ...models.tables import Copy, Document
from ...samples import leaks
from ...samples.make import make_paper
from ...samples.render import render
from ...stages.stamp import draw_pages
from ...stages.stamp_glyphs import Shifter
from ...watermark.payload import encode, forensic_id, station_tag
from ...watermark.tint import TintKey
from ...watermark.tint_pool import find
from ...watermark.tint_read import look
from ..copies.issuing import seal_copy
from ..copies.tracing import TINT
from ..copies.tracing import trace as trace_files
from ..intake.receipt import Arrival, new_document, new_receipt
from ..persons.actors import Actor
from ..station.station import Station
from .marks_pages import first_page
from .race import Race, Races, require, seconds
from .room import bench_station

SUCCESS, GIVE_UP, THOROUGH, LEDGER = 3.0, 20.0, 90.0, 10.0
"""Seconds that the product has set itself: median of successes; giving up; the same, thorough; the ledger searched."""
_COPIES: Final = {True: 2_000, False: 100_000}
_DOCUMENTS: Final = {True: 3, False: 40}
_AT_ONCE = 10_000
_MEGAPIXELS = 12.0


def speed(folder: Path, quick: bool, seed: int) -> Races:
    """Seconds by the clock of one `trace`; the baseline is the limit set for it."""
    with bench_station(folder) as (station, actor):
        with station.write() as session:
            room = _Room(station, session, actor, quick, seed)
        note = f"{_COPIES[quick]} copies in the register, {_DOCUMENTS[quick]} documents with shifted glyphs"
        for kind in ("scan", "photo"):
            files = list(room.leaks(folder, kind, pictures=2 if quick else 6))
            yield from _races(f"marks.speed.{kind}", SUCCESS, station, actor, files, "copy", note=note)
        bits = _write(folder / "bits.jpg", room.bits())
        yield from _races("marks.speed.glyphs", GIVE_UP, station, actor, [bits], "copy", note=note)
        for kind, picture in room.silent():
            if quick and kind != "photo":
                continue
            file = _write(folder / f"silent-{kind}.jpg", picture)
            yield from _races(
                f"marks.speed.give-up.{kind}", GIVE_UP, station, actor, [file], "none", note=note
            )
        if not quick:
            yield from _races(
                "marks.speed.give-up.thorough", THOROUGH, station, actor, [folder / "silent-photo.jpg"], "none",
                note=note, thorough=True,
            )  # fmt: skip
        mixed = room.mixed()
        file = _write(folder / "mixed.jpg", mixed)
        yield from _races("marks.speed.mixed", GIVE_UP, station, actor, [file], "candidates", note=note)
        yield Race(
            name="marks.speed.ledger", unit="s", against="the limit set for it", baseline=partial(float, LEDGER),
            product=room.search(mixed), rounds=3,
            note="of that: the fingerprints of all copies compared with what was seen",
        )  # fmt: skip


def _races(
    name: str, limit: float, station: Station, actor: Actor, files: Sequence[Path], word: str, *, note: str,
    thorough: bool = False,
) -> Races:  # fmt: skip
    """By the clock, against the limit; then what the same runs took of the processor, which other work hardly moves."""
    turns, processor = cycle(files), list[float]()

    def once() -> float:
        before = _processor()
        took = seconds(lambda: require(_word(station, actor, next(turns), thorough) == word, name))
        processor.append(_processor() - before)
        return took

    yield Race(
        name=name, unit="s", against="the limit set for it", baseline=partial(float, limit), rounds=len(files),
        product=once, note=f"{len(files)} pictures; {note}",
    )  # fmt: skip
    yield Race(
        name=f"{name}.cpu", unit="s", against="", baseline=None, rounds=1, product=lambda: median(processor),
        note="processor seconds of all its processes",
    )  # fmt: skip


def _processor() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _word(station: Station, actor: Actor, file: Path, thorough: bool) -> str:
    try:
        found = trace_files(station, actor, files=[file], reason="bench", thorough=thorough)
    except NoMark as none:
        found = dict(none.value or {})
    return str(found["results"][0]["verdict"])


def _write(path: Path, picture: Picture) -> Path:
    path.write_bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())
    return path


class _Room:
    """Documents and copies of the station, and pictures of them."""

    def __init__(self, station: Station, session: Session, actor: Actor, quick: bool, seed: int) -> None:
        self._seed, self._copies = seed, _COPIES[quick]
        self._mark = bytes(station.vault.derive(session, "mark"))
        self._tag = station_tag(station.settings.store_uuid)
        self._tint = bytes(station.vault.derive(session, TINT)).hex()
        self._day = today(station.clock)
        receipt = new_receipt(station, session, actor, Arrival(organ=""))
        rows = []
        for number in range(_DOCUMENTS[quick]):
            row = new_document(station, session, receipt=receipt)
            rows.append(row)
            copy = _copy(station, actor, row, 1, forensic_id(self._mark, number))
            session.add(copy)
            session.flush()
            shifter = self._shifter(number)
            page = _drawn(self._source(number), self._spec(number, row.id), shifter)
            if number == 0:
                self._marked = page
            seal_copy(station, session, row, copy, b"-", shifter.packed())
        self._first = rows[0]
        _fill(station, session, actor, rows[-1], self._mark, first=len(rows), count=_COPIES[quick])

    def leaks(self, folder: Path, kind: str, pictures: int) -> Iterator[Path]:
        """Pictures of the first copy: every other shows a quarter of the page alone."""
        for number in range(pictures):
            rng = random.Random(f"{self._seed}:{kind}:{number}")  # noqa: S311 (no secret)
            page = self._marked if number % 2 == 0 else leaks.crop(self._marked, rng, 0.25)
            yield _write(folder / f"{kind}-{number}.jpg", _taken(page, rng, kind))

    def bits(self) -> Picture:
        """The first copy in black and white without its barcodes: nothing but glyphs is left to say which it is."""
        rng = random.Random(f"{self._seed}:bits")  # noqa: S311 (no secret)
        return leaks.BLACK_AND_WHITE["1-bit"](self._marked[200:-200, 140:-140], rng)

    def silent(self) -> Iterator[tuple[str, Picture]]:
        """Pictures without any mark: a photo of 12 megapixels, a black-and-white copy, a blank sheet."""
        rng = random.Random(f"{self._seed}:silent")  # noqa: S311 (no secret)
        page = first_page(self._source(900))
        yield "photo", _taken(page, rng, "photo")
        yield "bits", leaks.BLACK_AND_WHITE["1-bit"](page, rng)
        yield "blank", leaks.print_scan(np.full_like(page, 255), rng, rate=1.0)

    def mixed(self) -> Picture:
        """Two copies of one page averaged: only the fingerprints of the whole register can say which."""
        numbers = (_DOCUMENTS[True] + 700, _DOCUMENTS[True] + 1500)
        source = self._source(0)
        both = [_drawn(source, self._spec(number, self._first.id), None) for number in numbers]
        # without the barcodes, which would say both numbers
        inner = [page[300:-300, 100:-100] for page in both]
        return leaks.mixed(inner, "average")

    def search(self, picture: Picture) -> Callable[[], float]:
        """Seconds in which the copies that a picture shows are found among all."""
        key = TintKey(bytes.fromhex(self._tint))
        seen = look(picture, key).seen
        ids = [forensic_id(self._mark, serial) for serial in range(self._copies)]
        return lambda: seconds(lambda: require(len(find(seen, key, ids).hits) > 1, "marks.speed.ledger"))

    def _source(self, number: int) -> bytes:
        return render(make_paper(self._seed * 1000 + number, "test", layout="letter"), "pdf")

    def _shifter(self, number: int) -> Shifter:
        found = Shifter.of(self._spec(number, "D"))
        require(found is not None, "marks.speed")
        return found  # type: ignore[return-value]

    def _spec(self, serial: int, document: str) -> CopySpec:
        id = forensic_id(self._mark, serial)
        return CopySpec(
            level=Level.COMPANY_CONFIDENTIAL, period=None, number=1, recipient="样张", issued=self._day,
            document=document, barcode=encode(self._mark, self._tag, id), forensic_id=id, tint_key=self._tint,
        )  # fmt: skip


def _taken(page: Picture, rng: random.Random, kind: str) -> Picture:
    if kind == "scan":
        return leaks.print_scan(page, rng, rate=1.0)
    return leaks.megapixels(leaks.photo(page, rng), _MEGAPIXELS)


def _drawn(source: bytes, spec: CopySpec, shifter: Shifter | None) -> Picture:
    opened = open_document(source, limits=DEFAULT_LIMITS)
    try:
        page = draw_pages(opened, spec, shifter=shifter)[0]
    finally:
        opened.close()
    return np.asarray(cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def _fill(
    station: Station, session: Session, actor: Actor, row: Document, key: bytes, *, first: int, count: int
) -> None:
    """So many copies more in the register, of one document."""
    at: Callable[[], str] = station.now
    plain: dict[str, Any] = {
        "document_id": row.id, "recipient": actor.person, "holder": actor.person, "status": "issued",
        "issued_at": at(), "issued_by": actor.person, "sealed": b"", "out": False,
    }  # fmt: skip
    for begin in range(0, count, _AT_ONCE):
        serials = range(first + begin, first + min(count, begin + _AT_ONCE))
        rows = [
            {**plain, "id": f"{row.id}-C{serial + 2}", "number": serial + 2, "forensic_id": forensic_id(key, serial)}
            for serial in serials
        ]  # fmt: skip
        session.execute(insert(Copy), rows)


def _copy(station: Station, actor: Actor, row: Document, number: int, forensic: int) -> Copy:
    return Copy(
        id=f"{row.id}-C{number}", document_id=row.id, number=number, forensic_id=forensic, recipient=actor.person,
        holder=actor.person, status="issued", issued_at=station.now(), issued_by=actor.person, sealed=b"",
    )  # fmt: skip
