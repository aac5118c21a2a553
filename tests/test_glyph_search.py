"""Finding pages by their glyphs, what several pictures say together, and the bounds they are held to."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from jiyao.models.copy import ReadMark
from jiyao.models.wire import to_plain
from jiyao.pipeline.copies import tracing
from jiyao.pipeline.intake.executor import Job
from jiyao.samples import leaks
from jiyao.stages.mark_glyphs import GlyphSet, Measurement, _best, _Laid, judged, needed, read_placed, views
from jiyao.watermark import tint_read
from jiyao.watermark.glyph_pages import GlyphPage, halved, keep
from jiyao.watermark.glyphs import GlyphKey, boxes, shifted
from jiyao.watermark.glyphs_place import Features, likeness, pack, sketch, unpack_points
from jiyao.watermark.tint import PagePattern, TintKey, embed
from jiyao.watermark.tint_match import chance

KEY = GlyphKey(bytes(range(32)))
PER_MM = 200 / 25.4
OWN = 0x5EED
Page = NDArray[np.uint8]


def page(seed: int, rows: int) -> Page:
    """A few lines of made-up words, and a seal, 200 dpi."""
    rng = random.Random(seed)
    sheet = np.full((1300, 1300, 3), 255, np.uint8)
    for row in range(rows):
        words = " ".join("".join(rng.choices("abdeghknoprstuwxyz", k=rng.randint(2, 7))) for _ in range(7))
        cv2.putText(
            sheet, words, (120, 160 + 66 * row), cv2.FONT_HERSHEY_COMPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA
        )
    cv2.circle(sheet, (1000, 1050), 130, (200, 30, 30), 9)
    return sheet


def kept(seed: int, rows: int) -> GlyphPage:
    sheet = page(seed, rows)
    return keep(1, sheet, boxes(sheet, PER_MM), PER_MM)


class Shown:
    """A suspect file of one picture."""

    kind, page_count = "image", 1

    def __init__(self, picture: Page) -> None:
        self.picture = picture

    def render(self, _number: int, _dpi: int) -> Page:
        return self.picture


@pytest.fixture(scope="module")
def master() -> GlyphPage:
    return kept(1, 11)


def laid(number: int, master: GlyphPage, shifts: NDArray[np.float32]) -> _Laid:
    return _Laid(number, 20, master, shifts, np.eye(3))


@pytest.mark.req("R-061")
def test_a_mirrored_crop_is_found_among_other_pages_and_shown_where_it_lies(master: GlyphPage) -> None:
    signs = KEY.signs(OWN, 1, len(master.boxes))
    copy = shifted(page(1, 11), master.boxes, signs, PER_MM)
    bits = leaks.BLACK_AND_WHITE["1-bit"](copy, random.Random(3))
    flipped = np.ascontiguousarray(bits[:, ::-1])
    others = [kept(seed, 11) for seed in (2, 3)]
    ink = halved(keep(1, bits, master.boxes[:0], PER_MM).ink)
    scores = [likeness(sketch(ink), one.found_by) for one in (master, *others)]
    assert scores[0] > 3 * max(scores[1:]) and scores[0] >= 30
    sets = [GlyphSet((others[0],), (5,)), GlyphSet((master,), (7, OWN))]
    marks, found = read_placed([Shown(flipped)], sets, KEY, copies=3, end=float("inf"))  # type: ignore[list-item]
    assert [(int(mark.value, 16), mark.coded) for mark in marks] == [(OWN, True)]
    (view,) = views(marks, sets, found)
    assert view.mirrored and view.channel == "glyphs"
    corner = np.array(view.homography).reshape(3, 3) @ (20.0, 20.0, 1.0)
    scale = bits.shape[1] / 1300
    near = flipped.shape[1] - 20 * PER_MM * scale
    assert abs(corner[0] / corner[2] - near) < 45 and abs(corner[1] / corner[2] - 20 * PER_MM * scale) < 45


@pytest.mark.req("R-062")
def test_a_picture_given_twelve_times_says_no_more_than_once(master: GlyphPage) -> None:
    shifts = np.random.default_rng(4).normal(0, 1, (len(master.boxes), 2)).astype(np.float32)
    once, often = Measurement([laid(1, master, shifts)]), Measurement([])
    often.laid += [laid(1_000_000 * n, master, shifts) for n in range(1, 13)]
    innocents = tuple(range(400))
    for id in innocents[:40]:
        assert _best(often, KEY, id)[0] == pytest.approx(_best(once, KEY, id)[0], abs=1e-3)
    assert judged([GlyphSet((master,), innocents)], [often], KEY, copies=400) == []


def test_what_was_compared_counts_and_parts_of_a_register_share_the_bound(master: GlyphPage) -> None:
    signs = KEY.signs(OWN, 1, len(master.boxes)).astype(np.float32)
    sets = [GlyphSet((master,), (OWN, 1, 2)), GlyphSet((master,), tuple(range(100, 1000)))]
    seen = [Measurement([laid(1, master, signs)]), Measurement()]
    (mark,) = judged(sets, seen, KEY, copies=903)
    assert mark.tests == 3 and mark.coded, "pages that did not lie on the picture are no comparisons"
    assert judged(sets, seen, KEY, copies=9030)[0].tests == 30
    weak = np.zeros_like(signs)
    weak[:20] = signs[:20]
    assert judged(sets, [Measurement([laid(1, master, weak)]), seen[1]], KEY, copies=903) == []
    assert needed(3) > 6.5 and needed(3) > (2 * 20) ** 0.5


def test_points_travel_as_bytes_and_what_is_cut_off_is_refused() -> None:
    rng = np.random.default_rng(1)
    one = Features(rng.random((9, 2), np.float32), rng.integers(0, 256, (9, 32), np.uint8))
    back, end = unpack_points(b"xx" + pack(one), 2, 9)
    assert end == 2 + 9 * 40 and (back.points == one.points).all() and (back.marks == one.marks).all()
    for count in (10, -1):
        with pytest.raises(ValueError):
            unpack_points(pack(one), 0, count)
    nothing = Features(one.points[:0], one.marks[:0])
    assert likeness(nothing, one) == likeness(one, nothing) == 0


@pytest.mark.req("R-062")
def test_the_bound_holds_for_every_sum_of_few_terms() -> None:
    signs = np.array(list(itertools.product((-1, 1), repeat=11)), np.float64)
    rng = np.random.default_rng(2)
    for values in (np.ones(11), rng.normal(0, 1, 11), 2.0 ** -np.arange(11), rng.random(11) ** 6):
        zs = signs @ values / np.sqrt(np.square(values).sum())
        for z in np.linspace(0, 3.3, 40):
            assert float((zs >= z).mean()) <= chance(float(z), 1.0)
    assert chance(9.0, 1e4) < 1e-13 and chance(-1.0, 1.0) == 1.0


@pytest.mark.req("R-061")
def test_a_folded_sheet_is_read_though_its_whole_is_out_of_tune() -> None:
    key, id = TintKey(bytes(range(7, 39))), 0x123456789ABC
    sheet = np.full((1404, 992, 3), 255, np.uint8)
    for row in range(90, 1330, 60):
        cv2.putText(sheet, f"line {row} of words", (70, row), 0, 0.8, (20, 20, 20), 2, cv2.LINE_AA)
    copy = embed(sheet, PagePattern(key, 210, 297).tone(id), width_mm=210, height_mm=297)
    halves = []
    for part, turn, scale in ((copy[:700], 0.8, 0.985), (copy[700:], -0.6, 1.0)):
        matrix = cv2.getRotationMatrix2D((496, 350), turn, scale)
        halves.append(
            cv2.warpAffine(part, matrix, (992, part.shape[0]), flags=cv2.INTER_CUBIC, borderValue=(255,) * 3)
        )
    reading = tint_read.read(np.concatenate(halves), key, channels=("mix",))
    assert reading is not None and reading.id == id


@pytest.mark.req("R-061")
@pytest.mark.parametrize(("word", "jobs"), [("copy", [True]), ("none", [True, False])])
def test_a_barcode_is_believed_only_once_it_holds(
    word: str, jobs: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pasted barcode of no meaning must not keep the invisible marks from being looked for."""
    asked: list[bool] = []

    class Worker:
        def submit(self, job: Job) -> Future[SimpleNamespace]:
            asked.append(job.fields["brief"])
            future: Future[SimpleNamespace] = Future()
            marks = to_plain((ReadMark(page=1, channel="barcode", value="JYC1AAAA"),))
            value: dict[str, Any] = {"marks": marks, "views": [], "seen": [], "brief": job.fields["brief"]}
            future.set_result(SimpleNamespace(outcome="done", value=value, data=b""))
            return future

    monkeypatch.setattr(tracing, "_judged", lambda _station, _one: {"verdict": word})
    file = tmp_path / "leak.png"
    file.write_bytes(b"x")
    one = tracing._look(None, Worker(), file, {"tint": "", "thorough": False})  # type: ignore[arg-type]
    assert asked == jobs and one.brief is jobs[-1]
    asked.clear()
    tracing._look(None, Worker(), file, {"tint": "", "thorough": True})  # type: ignore[arg-type]
    assert asked == [False]
