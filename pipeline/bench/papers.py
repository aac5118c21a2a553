"""Measures what the room hands out: certificates of destruction, and tracing a picture of a copy."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np
import zxingcpp
from fpdf import FPDF
from PIL import Image
from sqlalchemy.orm import Session

from ...common import fonts
from ...common.clock import today
from ...common.limits import DEFAULT_LIMITS
from ...formats.open import open_document
from ...models.copy import CopySpec
from ...models.level import Level
from ...models.tables import Copy
from ...samples.make import make_paper
from ...samples.render import render
from ...stages.certify import certify
from ...stages.read_marks import read_marks
from ...stages.stamp import draw_pages
from ...watermark.payload import encode, forensic_id, station_tag
from ..copies.tracing import TINT
from ..copies.tracing import trace as trace_files
from ..intake.receipt import Arrival, new_document, new_receipt
from ..persons.actors import Actor
from ..station.station import Station
from .destruction import Case, make_case
from .race import Race, Races, require, seconds
from .room import bench_station

_ITEMS = (2, 200, 1000)
_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_COLUMNS = ("item", "register_no", "title", "doc_number", "level", "pages", "organ", "received_date")


def certificate(folder: Path, quick: bool) -> Races:  # noqa: ARG001
    """Seconds to make one certificate of destruction: form, inventory, outcomes, attachments, seal, verification.

    Persons signed before, at their acts. Baseline: `fpdf2` draws a plain table with a row for each item, in the
    same font, without form, attachment or signature.
    """
    for items in _ITEMS[:1] if quick else _ITEMS:
        case = make_case(items)
        yield Race(
            name=f"certificate.{items}", unit="s", against="fpdf2, plain table rows",
            product=partial(_certify, case), baseline=partial(seconds, partial(_table, case)),
            rounds=1 if quick else 5, note=f"{items} items",
        )  # fmt: skip


def _certify(case: Case) -> float:
    return seconds(lambda: require(certify(**case.arguments()).report.valid, "certificate"))


def _table(case: Case) -> bytes:
    pdf = FPDF(unit="mm", format="A4", orientation="L")
    face = fonts.face("serif")
    pdf.add_font("f", "", str(face.path), collection_font_number=face.index)
    pdf.set_font("f", size=8)
    pdf.add_page()
    with pdf.table(first_row_as_headings=False) as table:
        for line in case.inventory:
            row = table.row()
            for column in _COLUMNS:
                row.cell(str(getattr(line, column)))
    return bytes(pdf.output())


def trace(folder: Path, quick: bool) -> Races:
    """Seconds to trace one picture of a page (JPEG, 200 dpi) to its copy: the command's work, then the reading alone.

    `trace` starts a confined worker, reads the marks there, checks their MAC, looks the copy up and writes the
    ledger; `trace.read` reads the marks in this process. Baseline: `zxing-cpp` reads the same picture.
    """
    rounds = 3 if quick else 7
    with bench_station(folder) as (station, actor):
        picture = folder / "picture.jpg"
        with station.write() as session:
            picture.write_bytes(_issued_page(station, session, actor))
        baseline = partial(seconds, partial(_bare, picture))
        yield Race(
            name="trace", unit="s", against="zxing-cpp alone, QR only", baseline=baseline, rounds=rounds,
            product=partial(seconds, partial(_trace, station, actor, picture)), note="with worker and ledger",
        )  # fmt: skip
        yield Race(
            name="trace.read", unit="s", against="zxing-cpp alone, QR only", baseline=baseline, rounds=rounds,
            product=partial(seconds, partial(_read, picture)), note="marks only",
        )  # fmt: skip


def _trace(station: Station, actor: Actor, picture: Path) -> None:
    found = trace_files(station, actor, files=[picture], reason="bench")
    require(found["results"][0]["verdict"] == "copy", "trace")


def _read(picture: Path) -> None:
    opened = open_document(picture.read_bytes(), limits=DEFAULT_LIMITS)
    try:
        require(bool(read_marks(opened)), "trace")
    finally:
        opened.close()


def _bare(picture: Path) -> None:
    with Image.open(picture) as image:
        require(bool(zxingcpp.read_barcodes(np.asarray(image.convert("L")), formats=_QR)), "trace")


def _issued_page(station: Station, session: Session, actor: Actor) -> bytes:
    """The first page of a copy that stands in the register, as a picture somebody passed on."""
    receipt = new_receipt(station, session, actor, Arrival(organ=""))
    document = new_document(station, session, receipt=receipt).id
    secret = bytes(station.vault.derive(session, "mark"))
    forensic = forensic_id(secret, 1)
    session.add(
        Copy(
            id=f"{document}-C1", document_id=document, number=1, forensic_id=forensic, recipient=actor.person,
            holder=actor.person, status="issued", issued_at=station.now(), issued_by=actor.person, sealed=b"",
        )
    )  # fmt: skip
    spec = CopySpec(
        level=Level.STATE_SECRET, period=None, number=1, recipient="样张", issued=today(station.clock),
        document=document, barcode=encode(secret, station_tag(station.settings.store_uuid), forensic),
        forensic_id=forensic, tint_key=bytes(station.vault.derive(session, TINT)).hex(),
    )  # fmt: skip
    opened = open_document(render(make_paper(1, "train"), "pdf"), limits=DEFAULT_LIMITS)
    try:
        page = draw_pages(opened, spec)[0]
    finally:
        opened.close()
    out = io.BytesIO()
    with Image.open(io.BytesIO(page)) as image:
        image.convert("RGB").save(out, "JPEG", quality=75, dpi=(200, 200))
    return out.getvalue()
