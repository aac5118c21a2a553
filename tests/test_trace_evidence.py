"""Tracing beyond one clear picture: weak evidence added up, mixed copies, mirrors, dithering, the report, the drill."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.common.messages import say
from jiyao.models.copy import MarkView, ReadMark
from jiyao.models.wire import from_plain, to_plain
from jiyao.pipeline.copies.mark_drill import recommended
from jiyao.pipeline.copies.tracing import _letter
from jiyao.samples.leaks import mixed, print_scan
from jiyao.stages import mark_drill
from jiyao.stages.mark_tint import add_up, look_at, pack, unpack
from jiyao.stages.trace_picture import show
from jiyao.stages.trace_sheet import in_words
from jiyao.stages.worker import serve
from jiyao.stages.worker_request import Known
from jiyao.watermark import tint_read
from jiyao.watermark.tint import PagePattern, TintKey, embed
from jiyao.watermark.tint_match import Seen, chance, first_pass, print_z
from jiyao.watermark.tint_pool import find, joint_z, read_together
from jiyao.watermark.trace import RATES, judge

TINT = TintKey(bytes(range(7, 39)))
IDS = [random.Random(5).getrandbits(48) + n * 977 for n in range(60)]  # noqa: S311 (no secret)
FAR = float("inf")
Page = np.ndarray[Any, np.dtype[np.uint8]]


@cache
def bare() -> Page:
    page = np.full((1404, 992, 3), 255, np.uint8)
    for row in range(90, 1330, 34):
        cv2.putText(
            page, f"sample {row} of a page with words", (70, row), 0, 0.8, (20, 20, 20), 2, cv2.LINE_AA
        )
    return page


@cache
def copy(number: int) -> Page:
    return embed(bare(), PagePattern(TINT, 210, 297).tone(IDS[number]), width_mm=210, height_mm=297)


@cache
def weak() -> tuple[tuple[Seen, ...], ...]:
    """Small noisy crops of one copy; none of them says anything alone."""
    rng, found = np.random.default_rng(3), []
    for top, left in ((100, 100), (600, 500), (850, 200), (300, 500), (700, 60)):
        part = copy(0)[top : top + 330, left : left + 330].astype(float) + rng.normal(0, 24, (330, 330, 3))
        looked = tint_read.look(
            np.clip(part, 0, 255).astype(np.uint8), TINT, effort=tint_read.Effort(("mix",), False)
        )
        if looked.reading is None:
            found.append(looked.seen)
    return tuple(found)


def jpeg(page: Page) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(page, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[
        1
    ].tobytes()


@pytest.mark.req("R-061")
def test_crops_that_say_nothing_alone_say_it_together() -> None:
    seen = [one for found in weak() for one in found]
    assert len(seen) >= 3 and read_together(seen[:1], TINT) is None
    pooled = read_together(seen, TINT)
    assert pooled is not None and pooled.id == IDS[0]
    assert pooled.z >= 9 and chance(pooled.z, pooled.tests) <= 1e-9
    hits = find(seen, TINT, IDS).hits
    assert {hit.id for hit in hits} <= {IDS[0]}


@pytest.mark.req("R-061")
def test_a_picture_given_twice_says_no_more_than_once() -> None:
    one = max((one for found in weak() for one in found), key=lambda seen: seen.clarity)
    once = print_z(one, TINT, IDS[0])
    twice, tests = joint_z([one, one], TINT, IDS[0])
    assert twice == pytest.approx(once, rel=1e-3) and tests == one.places**2


@pytest.mark.req("R-061")
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 4), columns=st.integers(1, 4))
@settings(max_examples=6, deadline=None)
def test_no_copy_is_found_in_what_is_none(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    heavy = rng.standard_t(2, (32 * rows, 32 * columns)).astype(np.float32)
    noise = Seen(heavy, np.ones_like(heavy), "mix", np.eye(3), strength=1.0, clarity=50.0)
    other = replace(noise, values=np.roll(heavy, 7, 0))
    assert read_together([noise, other], TINT) is None
    found = find([noise, other], TINT, IDS)
    assert found.hits == () and all(hit.z >= 6 for hit in found.weak)


@pytest.mark.req("R-061")
@pytest.mark.parametrize(("how", "copies"), [("bands", 2), ("average", 2)])
def test_mixed_copies_name_those_mixed_and_show_where(how: str, copies: int) -> None:
    picture = print_scan(mixed([copy(number) for number in range(copies)], how), random.Random(2))
    found = look_at(picture, 1, TINT, ids=IDS, end=FAR)
    if not found.marks:
        found = add_up(found.seen, TINT, IDS)
    named = {int(mark.value, 16) for mark in found.marks}
    assert named == set(IDS[:copies]), "all of them and nobody else"
    assert all(RATES[mark.layer](mark) <= 1e-9 for mark in found.marks)
    matches = found.views[0].matches
    assert {match.id for match in matches} == named
    if how == "bands":
        letters = {_letter([match.grid[row][2] for match in matches]) for row in range(len(matches[0].grid))}
        assert {"A", "B"} <= letters, "each has its part of the page"


@pytest.mark.req("R-061")
def test_a_single_copy_does_not_look_mixed() -> None:
    reading = tint_read.read(print_scan(copy(0), random.Random(4)), TINT)
    assert reading is not None and not tint_read.looks_mixed(reading, TINT)
    assert first_pass([reading.seen], TINT, IDS)[0].argmax() == 0


@pytest.mark.req("R-061")
def test_mirrored_and_dithered_pictures_are_read() -> None:
    looked = tint_read.look(np.ascontiguousarray(copy(0)[300:1000, ::-1]), TINT)
    assert looked.reading is not None and looked.reading.id == IDS[0] and looked.reading.seen.mirrored
    # error diffusion along the rows, at twice the size: single dots stand for the tint
    fine = cv2.resize(
        cv2.cvtColor(copy(0), cv2.COLOR_RGB2GRAY), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC
    )
    black = np.cumsum((255 - fine.astype(float)) / 255, axis=1) + np.random.default_rng(1).random(
        (len(fine), 1)
    )
    dots = np.diff(np.floor(black), axis=1) > 0
    two_tone = np.repeat(np.where(dots, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    looked = tint_read.look(two_tone, TINT, effort=tint_read.Effort(("bits",), mirror=False))
    assert (
        looked.reading is not None and looked.reading.id == IDS[0] and looked.reading.seen.channel == "bits"
    )


@pytest.mark.req("R-061")
def test_sightings_travel_between_processes() -> None:
    seen = [(page, one) for page, found in enumerate(weak(), 1) for one in found]
    facts, data = pack(seen)
    again = unpack(facts, data)
    assert sorted(page for page, _ in again) == sorted(page for page, _ in seen)
    for fault in ({"rows": 31}, {"rows": 3200}, {"columns": 0}):
        with pytest.raises(ValueError, match="sighting"):
            unpack([{**facts[0], **fault}], data)
    with pytest.raises(ValueError, match="bytes"):
        unpack(facts, data[:-1])
    known = Known()
    known.copies = np.array(IDS, "<u8").tobytes()
    fields = {"tint": TINT.key.hex(), "seen": facts}
    header, _ = serve({"act": "add_up", "fields": fields}, data, known=known)
    marks = from_plain(tuple[ReadMark, ...], header["value"]["marks"])
    assert {int(mark.value, 16) for mark in marks} == {IDS[0]}


@pytest.mark.req("R-061")
@pytest.mark.parametrize("what", ["corrupt", "one pixel", "strip", "not a picture"])
def test_what_cannot_be_read_is_no_answer(what: str) -> None:
    data = {
        "corrupt": lambda: jpeg(copy(0))[:900] + b"\0" * 400,
        "one pixel": lambda: jpeg(np.full((1, 1, 3), 250, np.uint8)),
        "strip": lambda: jpeg(np.full((2, 3000, 3), 250, np.uint8)),
        "not a picture": lambda: b"%PDF-1.7\n%%EOF",
    }[what]()
    header, _ = serve({"act": "marks", "fields": {"tint": TINT.key.hex()}}, data)
    assert header["outcome"] in ("failed", "refused") or header["value"]["marks"] == []


@pytest.mark.req("R-061")
def test_candidates_stand_in_the_order_of_their_scores_and_a_number_outweighs_a_fingerprint() -> None:
    def marks(*said: tuple[int, float, bool]) -> list[ReadMark]:
        return [
            ReadMark(page=1, channel="forensic", value=f"{IDS[at]:012x}", score=z, coded=coded)
            for at, z, coded in said
        ]

    mixed_up = judge(marks((0, 12.0, False), (1, 30.0, False), (2, 20.0, False)), key=TINT.key, tag=b"tags")
    assert [item.id for item in mixed_up.candidates] == [IDS[1], IDS[2], IDS[0]]
    both = judge(marks((0, 30.0, False), (0, 12.0, True)), key=TINT.key, tag=b"tags")
    assert (both.verdict, both.id) == ("copy", IDS[0])
    assert judge(marks((0, 30.0, False)), key=TINT.key, tag=b"tags").verdict == "candidates"


# ---------------------------------------------------------------- report


def result(word: str) -> dict[str, Any]:
    return {
        "verdict": word, "number": 3, "copy": "D2026-000001-F3", "document": "D2026-000001", "recipient": "li.si",
        "holder_name": "李四", "issued_at": "2026-11-02", "false_rate": 1e-40, "problem": None, "findings": [],
        "channels": [{"channel": "forensic", "found": word == "copy", "value": None, "score": 40.0}],
        "candidates": [], "regions": [],
    }  # fmt: skip


@pytest.mark.req("R-060", "R-061")
def test_the_report_calls_a_number_a_lead_and_weak_evidence_a_weak_lead() -> None:
    looked = look_at(copy(0), 1, TINT, ids=(), end=FAR)
    view: MarkView = looked.views[0]
    leak = jpeg(copy(0))
    shown = show(leak, view, limits=_limits())
    placed = cv2.imdecode(np.frombuffer(shown.placed, np.uint8), cv2.IMREAD_GRAYSCALE)
    page = cv2.resize(
        cv2.cvtColor(bare(), cv2.COLOR_RGB2GRAY), placed.shape[::-1], interpolation=cv2.INTER_AREA
    )
    assert np.corrcoef(placed.ravel(), page.ravel())[0, 1] > 0.8, "the leak lies where it was on its page"
    lead = {"copy": "D2026-000001-F3", "z": "7.1", "rate": "0.02"}
    items = [
        {"name": "a.jpg", "result": result("copy"), "weak": [], "size": len(leak), "tried": ["tint"],
         "view": to_plain(view), "master": 0},
        {"name": "b.jpg", "result": result("none"), "weak": [lead], "size": 0, "tried": ["tint", "thorough"],
         "view": None, "master": 0},
    ]  # fmt: skip
    for lang, lead_words, weak_words in (
        ("zh", "不是责任人", "弱线索"), ("en", "a lead, not a culprit", "Weak lead"),
    ):  # fmt: skip
        fields = {
            "head": {"report": "TR-1", "unit": "样张", "at": "2026", "by": "auditor"},
            "items": items,
            "lang": lang,
        }
        header, data = serve({"act": "trace_report", "fields": fields}, leak)
        assert header["outcome"] == "done", header
        words = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(data))
        words = words.replace("\r\n", "")
        assert lead_words in words and weak_words in words and "TR-1" in words
    assert in_words(3e-12, "en").endswith("-11") and in_words(0.5, "zh") == say("trace_rate_none", "zh")


def _limits() -> Any:
    from jiyao.common.limits import DEFAULT_LIMITS

    return DEFAULT_LIMITS


# ---------------------------------------------------------------- drill


@pytest.mark.req("R-061")
def test_test_pages_are_read_back_and_name_no_copy() -> None:
    document = pypdfium2.PdfDocument(
        io.BytesIO(mark_drill.make_pages(TINT, sheets=1, steps=("normal", "dots")))
    )
    assert len(document) == 2
    for number, step in enumerate(("normal", "dots")):
        drawn = document[number].render(scale=200 / 72, rev_byteorder=True).to_numpy()[:, :, :3]
        page = mark_drill.read_page(print_scan(np.array(drawn, np.uint8), random.Random(1)), TINT)
        assert page is not None and (page.step, page.read, page.other) == (step, True, False)
    ids = {mark_drill.number_of(step, sheet) for step in mark_drill.STEPS for sheet in range(12)}
    assert len(ids) == 12 * len(mark_drill.STEPS)
    assert mark_drill.read_page(bare(), TINT) is None


@pytest.mark.req("R-061")
def test_the_faintest_profile_that_comes_back_is_suggested() -> None:
    def rows(**tried: tuple[int, int]) -> dict[str, dict[str, Any]]:
        return {step: {"tried": of, "read": read, "rate": read / of} for step, (read, of) in tried.items()}

    assert recommended(rows(normal=(8, 8), strong=(8, 8))) == "normal"
    assert recommended(rows(normal=(3, 8), strong=(8, 8))) == "strong"
    assert recommended(rows(normal=(0, 8), strong=(1, 8), dots=(8, 8))) == "dots"
    assert recommended(rows(normal=(3, 3))) is None and recommended({}) is None
