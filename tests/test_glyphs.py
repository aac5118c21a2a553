"""L3: glyphs found, shifted, kept as they were, and read from what a photocopier leaves of the page."""

from __future__ import annotations

import json
import random
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    ContentStream,
    DecodedStreamObject,
    FloatObject,
    NameObject,
    NumberObject,
)
from sqlalchemy import select

from jiyao.models.tables import Artefact, Copy
from jiyao.pipeline.copies import glyph_tracing
from jiyao.pipeline.copies.issuing import seal_copy
from jiyao.pipeline.intake.executor import Job
from jiyao.samples import leaks
from jiyao.stages import stamp_glyphs
from jiyao.stages.mark_glyphs import GlyphSet, needed, read_glyphs
from jiyao.stages.stamp_glyph_spread import spread, written
from jiyao.stages.stamp_glyph_text import Font, characters, font_of, glyph_of, place_of
from jiyao.stages.stamp_glyphs import Shifter
from jiyao.stages.stamp_jpeg import jpeg_of
from jiyao.stages.stamp_pictures import Maker
from jiyao.stages.worker import serve
from jiyao.watermark.glyph_pages import GlyphPage, pack, unpack
from jiyao.watermark.glyphs import STEPS_MM, GlyphKey, boxes
from jiyao.watermark.glyphs_read import agreement
from jiyao.watermark.layout import Place, Sheet
from room_kit import Room

VECTORS = json.loads((Path(__file__).parent / "vectors" / "glyphs.json").read_text("utf-8"))
KEY = GlyphKey(bytes.fromhex(VECTORS["key"]))
PER_MM = 200 / 25.4
OWN, FOREVER = 0x5EED, float("inf")
INNOCENT = tuple(range(1, 301))


def text_page(seed: int, rows: int = 30) -> NDArray[np.uint8]:
    """A page of made-up words, 200 dpi."""
    rng = random.Random(seed)
    page = np.full((2339, 1654, 3), 255, np.uint8)
    for row in range(rows):
        words = " ".join("".join(rng.choices("abdeghknoprstuwxyz", k=rng.randint(2, 7))) for _ in range(9))
        cv2.putText(
            page, words, (170, 260 + 62 * row), cv2.FONT_HERSHEY_COMPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA
        )
    cv2.line(page, (150, 180), (1500, 180), (200, 20, 20), 4)
    return page


@dataclass(slots=True)
class Suspect:
    """A suspect file of one picture."""

    picture: NDArray[np.uint8]
    kind: str = "image"
    page_count: int = 1

    def render(self, number: int, dpi: int) -> NDArray[np.uint8]:
        return self.picture


def found(
    picture: NDArray[np.uint8], pages: tuple[GlyphPage, ...], ids: tuple[int, ...]
) -> list[tuple[int, bool]]:
    marks = read_glyphs(Suspect(picture), [GlyphSet(pages, ids)], KEY, copies=len(ids), end=FOREVER)  # type: ignore[arg-type]
    return [(int(mark.value, 16), mark.coded) for mark in marks]


@pytest.fixture(scope="module")
def copy() -> tuple[NDArray[np.uint8], Shifter]:
    shifter = Shifter(KEY, OWN)
    return shifter.picture(1, text_page(1), PER_MM), shifter


@pytest.mark.req("R-056")
def test_vectors() -> None:
    assert tuple(VECTORS["steps_mm"]) == STEPS_MM
    for case in VECTORS["signs"]:
        signs = KEY.signs(int(case["id"], 16), case["page"], len(case["right"]))
        assert ["".join("-+"[int(way > 0)] for way in signs[:, axis]) for axis in (0, 1)] == [
            case["right"], case["down"],
        ]  # fmt: skip
    for case in VECTORS["needed"]:
        assert needed(case["tests"]) == pytest.approx(case["z"], abs=1e-3)


def test_glyphs_of_a_page_and_what_is_none() -> None:
    page = text_page(2, rows=4)
    every = boxes(page, PER_MM)
    assert 60 < len(every) < 300
    assert (every[:, 1] > 190).all(), "the line is none"
    blank = np.full((300, 200, 3), 255, np.uint8)
    for nothing in (blank, np.zeros_like(blank), blank[:9, :9]):
        assert len(boxes(nothing, PER_MM)) == 0
    assert Shifter(KEY, OWN).picture(1, blank, PER_MM) is blank


@pytest.mark.req("R-060", "R-061")
def test_a_photocopy_names_its_copy_and_no_other(copy: tuple[NDArray[np.uint8], Shifter]) -> None:
    page, shifter = copy
    pages = unpack(shifter.packed())
    bits = leaks.FAMILIES["clipped"][0](page, random.Random(5))
    assert set(np.unique(bits)) <= {0, 255}
    assert found(bits, pages, (*INNOCENT, OWN)) == [(OWN, True)]
    quarter = np.asarray(cv2.rotate(leaks.crop(bits, random.Random(6), 0.25), cv2.ROTATE_180), np.uint8)
    assert found(quarter, pages, (*INNOCENT, OWN)) == [(OWN, True)]
    assert found(bits, pages, INNOCENT) == [], "a copy that is not known any more"
    assert found(text_page(1), pages, (*INNOCENT, OWN)) == [], "the page as it was"
    assert found(text_page(9), pages, (*INNOCENT, OWN)) == [], "another page"
    assert found(np.full((700, 500, 3), 255, np.uint8), pages, (OWN,)) == []


@pytest.mark.req("R-062")
def test_two_copies_in_one_picture_are_candidates(copy: tuple[NDArray[np.uint8], Shifter]) -> None:
    page, shifter = copy
    other = Shifter(KEY, 77, masters=shifter.masters)
    mixed = leaks.mixed((page, other.picture(1, text_page(1), PER_MM)), "bands")
    both = found(mixed, tuple(shifter.carried.values()), (*INNOCENT[80:], 77, OWN))
    assert sorted(both) == [(77, False), (OWN, False)]


def test_pages_as_they_were_come_back_or_are_refused(copy: tuple[NDArray[np.uint8], Shifter]) -> None:
    kept = copy[1].carried[1]
    (back,) = unpack(pack([kept]))
    assert (back.boxes == kept.boxes).all() and (back.ink == kept.ink).all() and back.size == kept.size
    data = pack([kept])
    for broken in (b"", b"JYG2" + data[4:], data[:-5], data[:20], data[:4] + b"\xff" * 30):
        with pytest.raises(ValueError):
            unpack(broken)


def test_innocent_copies_agree_by_chance_alone() -> None:
    rng = np.random.default_rng(3)
    measured = [rng.normal(0.3, 1, (400, 2)).astype(np.float32), np.zeros((9, 2), np.float32)]
    zs = [agreement(measured, [KEY.signs(id, 1, 400), KEY.signs(id, 2, 9)]) for id in range(2000)]
    assert abs(float(np.mean(zs))) < 0.1 and 0.9 < float(np.std(zs)) < 1.1 and max(zs) < 4.6
    assert agreement([np.zeros((5, 2), np.float32)], [KEY.signs(1, 1, 5)]) == 0.0


class InPlace:
    """A worker in this process."""

    def submit(self, job: Job) -> Future[SimpleNamespace]:
        header, data = serve({"act": job.act, "fields": job.fields}, job.data)
        future: Future[SimpleNamespace] = Future()
        future.set_result(SimpleNamespace(outcome=header["outcome"], value=header["value"], data=data))
        return future


@pytest.mark.req("R-060")
def test_a_destroyed_copy_has_no_glyphs_any_more(
    tmp_path: Path, copy: tuple[NDArray[np.uint8], Shifter]
) -> None:
    room = Room(tmp_path)
    document = room.document()
    made = room.copy(document)
    with room.station.write() as session:
        row = session.get_one(Copy, made)
        row.forensic_id = OWN
        seal_copy(room.station, session, room.row(document), row, b"copy", copy[1].packed())
    page = np.ascontiguousarray(copy[0][200:1300])
    leak = cv2.imencode(".png", leaks.FAMILIES["clipped"][0](page, random.Random(1)))[1].tobytes()

    def said() -> list[tuple[str, str, bool]]:
        answer = glyph_tracing.read_glyphs(room.station, InPlace(), [leak], tint=VECTORS["key"])  # type: ignore[arg-type]
        assert answer.searched
        return [(mark.value, mark.layer, mark.coded) for mark in answer.marks]

    assert said() == [(f"{OWN:012x}", "glyphs", True)]
    with room.station.write() as session:
        for artefact in session.scalars(select(Artefact).where(Artefact.copy_id == made)):
            artefact.state = "destroyed"
    assert said() == []


# ---------------------------------------------------------------- text that stays text

PLAIN = Font(1, dict.fromkeys(range(256), 500.0), 0.0)


def shown_text(body: list[tuple[list[object], bytes]]) -> list[tuple[float, float]]:
    """Where each character of a page of 600 x 800 points stands, by the state of its operators."""
    at = characters(body, {"/F": PLAIN}, place_of((0, 0, 600, 800), 0, 600, 0, 0), 72 / 25.4)
    return [(one.box[0], one.box[3]) for one in at]


def operations(body: bytes) -> list[tuple[list[object], bytes]]:
    """Operators from their bytes."""
    stream = DecodedStreamObject()
    stream.set_data(body)
    return list(ContentStream(stream, None).operations)


def test_text_operators_move_each_glyph_and_nothing_else() -> None:
    def string(text: bytes) -> ByteStringObject:
        return ByteStringObject(text)

    name, number = NameObject("/F"), FloatObject
    body = [
        ([], b"q"), ([], b"BT"), ([name, number(12)], b"Tf"), ([number(90)], b"Tz"), ([number(14)], b"TL"),
        ([number(1), number(0), number(0), number(1), number(50), number(700)], b"Tm"),
        ([ArrayObject([string(b"ab"), NumberObject(-120), string(b"c d")])], b"TJ"), ([string(b"ef")], b"Tj"),
        ([string(b"gh")], b"'"), ([number(2), number(1), string(b"i j")], b'"'), ([number(3)], b"Ts"),
        ([string(b"k")], b"Tj"), ([], b"ET"), ([], b"Q"),
    ]  # fmt: skip
    fonts = {"/F": PLAIN}
    shown = characters(body, fonts, place_of((0, 0, 600, 800), 0, 600, 0, 0), 72 / 25.4)
    signs = KEY.signs(OWN, 1, len(shown)) * np.array(STEPS_MM)
    signs[3] = 0.0
    ready = spread(body, fonts, shown, np.arange(len(shown)))
    after = shown_text(operations(ready.written(signs)))
    assert len(shown) == len(after) == 13
    steps = (np.array(after) - np.array(shown_text(body))) / (72 / 25.4)
    assert np.abs(steps - signs).max() < 2e-3
    still = spread(body, fonts, shown, np.full(len(shown), -1))
    assert still.written(signs) == written(body)
    assert shown_text(operations(ready.written(np.zeros_like(signs)))) == shown_text(body)
    unknown = characters(body, {"/F": None}, place_of((0, 0, 600, 800), 0, 600, 0, 0), 1.0)
    assert unknown == []


def test_a_font_is_understood_or_left_alone() -> None:
    plain = {"/Subtype": "/TrueType", "/FirstChar": 65, "/Widths": [600, 700]}
    font = font_of(plain)
    assert font is not None and (font.width(66), font.width(90)) == (700.0, 0.0)
    for value in (
        {"/Subtype": "/Type3"},
        {"/Subtype": "/Type1"},
        {"/Subtype": "/Type0", "/Encoding": "/Identity-V"},
    ):
        assert font_of(value) is None


def test_turned_pages_stand_upright_on_their_sheet() -> None:
    box = (10.0, 20.0, 110.0, 220.0)
    for turn, corner in ((0, (10, 220)), (90, (10, 20)), (180, (110, 20)), (270, (110, 220))):
        a, b, c, d, e, f = place_of(box, turn, 300.0, 7.0, 9.0)
        x, y = corner
        assert (a * x + c * y + e, b * x + d * y + f) == pytest.approx((7.0, 9.0))
    assert (glyph_of([], np.zeros((0, 4), np.int32), (10, 10))).size == 0


def test_drawn_text_has_moved_as_told() -> None:
    """A page of Helvetica, drawn with and without shifts: what is measured on it are the signs."""
    rows = [
        f"BT /F 14 Tf 60 {760 - 22 * row} Td (word after word on a line {row} of plain text) Tj ET"
        for row in range(28)
    ]

    def pdf(content: bytes) -> bytes:
        widths = " ".join(["600"] * 95)
        parts = [
            b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>",
            b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content),
            f"<</Type/Font/Subtype/Type1/BaseFont/Courier/FirstChar 32/LastChar 126/Widths[{widths}]>>".encode(),
        ]  # fmt: skip
        out = b"%PDF-1.4\n" + b"".join(
            b"%d 0 obj\n%s\nendobj\n" % (n, part) for n, part in enumerate(parts, 1)
        )
        return out + b"trailer\n<</Root 1 0 R/Size 6>>\n"

    def drawn(content: bytes) -> tuple[NDArray[np.uint8], str]:
        document = pypdfium2.PdfDocument(pdf(content))
        try:
            bitmap = document[0].render(scale=400 / 72, rev_byteorder=True)
            picture = cv2.resize(
                np.array(bitmap.to_numpy()[:, :, :3]), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
            )
            return np.asarray(picture, np.uint8), document[0].get_textpage().get_text_range()
        finally:
            document.close()

    source = DecodedStreamObject()
    source.set_data("\n".join(rows).encode())
    body = ContentStream(source, None).operations
    bare, words = drawn(source.get_data())
    sheet = Sheet(595 / 72 * 25.4, 842 / 72 * 25.4, 1.0, Place(0, 0, 595 / 72 * 25.4, 842 / 72 * 25.4), ())
    fonts = {"/F": {"/Subtype": "/Type1", "/FirstChar": 32, "/Widths": [600] * 95}}
    shifter = Shifter(KEY, OWN)
    place = place_of((0, 0, 595, 842), 0, sheet.width * PER_MM, 0, 0)
    ready = shifter.text(1, body, fonts, place, sheet, lambda _number: bare)
    assert ready is not None
    picture, same = drawn(shifter.moved(1, ready))
    assert same == words
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    other = Shifter(KEY, 5, carried=dict(shifter.carried))
    assert shifter.confirmed(1, gray, bare) and shifter.claimed
    assert not other.confirmed(1, gray, bare) and not other.claimed
    bits = leaks.FAMILIES["clipped"][0](picture, random.Random(2))
    assert found(bits, tuple(shifter.carried.values()), (*INNOCENT, OWN)) == [(OWN, True)]


@pytest.mark.req("R-055")
def test_shifts_that_are_not_read_back_are_not_issued(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page on which they cannot be read keeps its own glyphs, and nothing is said of them."""
    sheet = Sheet(210.0, 297.0, 1.0, Place(0, 0, 210, 297), ())
    page = text_page(5)
    packed: list[NDArray[np.uint8]] = []

    def pack_page(picture: NDArray[np.uint8], colour: bool) -> bytes:
        packed.append(picture)
        return jpeg_of(picture, colour=colour)

    shifter = Shifter(KEY, OWN)
    maker = Maker(None, shifter, pack_page)
    maker.make(1, sheet, page, np.full_like(page, 255))
    assert len(packed) == 1 and shifter.claimed == {1: len(shifter.carried[1].boxes)}
    monkeypatch.setattr(stamp_glyphs, "agreement", lambda *_: 0.0)
    maker.make(1, sheet, page, np.full_like(page, 255))
    assert len(packed) == 3 and not shifter.claimed and not shifter.packed()
    assert np.array_equal(packed[2], page) and not np.array_equal(packed[1], page)
