"""What lies over the writing: several seals that touch or overlap, receiving stamps in coloured ink, punched holes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from jiyao.formats.opened import Picture
from jiyao.models.page import Box, Line, Page, Transcript
from jiyao.stages.engines.page_strips import find_lines
from jiyao.stages.fields_sign import covered_places
from jiyao.stages.page_deseal import find_seals
from jiyao.stages.page_prepare import prepare
from jiyao.stages.page_roles import assign_roles

DPI = 100
RED = (205, 40, 45)
Circle = tuple[float, float, float]


def sealed(seals: tuple[Circle, ...]) -> Picture:
    """A page with a red rule and seals at (x, y, radius) in mm, a little soft and noisy."""
    scale = DPI / 25.4
    page = np.full((int(297 * scale), int(210 * scale), 3), 244, np.uint8)
    cv2.line(page, (int(28 * scale), int(90 * scale)), (int(182 * scale), int(90 * scale)), RED, 4)
    for x, y, radius in seals:
        middle, reach = (int(x * scale), int(y * scale)), radius * scale
        cv2.circle(page, middle, int(reach), RED, 4, cv2.LINE_AA)
        cv2.circle(page, middle, int(reach / 4), RED, -1, cv2.LINE_AA)
        for step in range(9):
            turn = math.radians(180 + step * 22.5)
            across, down = (
                int(middle[0] + 0.78 * reach * math.cos(turn)),
                int(middle[1] + 0.78 * reach * math.sin(turn)),
            )
            cv2.rectangle(page, (across - 6, down - 7), (across + 6, down + 7), RED, 2)
    noise = np.random.default_rng(1).normal(0, 6, page.shape)
    return np.clip(cv2.GaussianBlur(page, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8)


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    "seals",
    [
        ((100, 200, 21),),
        ((70, 200, 21), (112.5, 200, 21)),
        ((70, 200, 21), (105, 203, 21)),
        ((60, 200, 21), (100, 200, 21), (141, 200, 21)),
        ((70, 190, 21), (98, 215, 21)),
        (),
    ],
    ids=["one", "touching", "overlapping", "three in a row", "one above the other", "none"],
)
def test_every_seal_of_a_joint_paper_is_found(seals: tuple[Circle, ...]) -> None:
    found = list(find_seals(sealed(seals), dpi=DPI))
    assert len(found) == len(seals)
    for x, y, radius in seals:
        near = [box for box in found if math.dist((box.centre[0] * 210, box.centre[1] * 297), (x, y)) < 2]
        assert len(near) == 1
        assert abs((near[0].right - near[0].left) * 105 - radius) < 2


def page(lines: tuple[Line, ...] = (), *, seals: tuple[Box, ...] = ()) -> Page:
    return Page(
        number=1, width_mm=210, height_mm=297, lines=lines, source="ocr", engine="x", confidence=1.0,
        seals=seals, seal=seals[-1] if seals else None,
    )  # fmt: skip


def test_fields_know_all_the_seals() -> None:
    seals = Box(0.2, 0.6, 0.4, 0.74), Box(0.5, 0.6, 0.7, 0.74)
    places = covered_places(Transcript(pages=(page(seals=seals),)))
    assert [box for _, box in places] == list(seals)


@pytest.mark.req("R-020")
def test_the_receiver_in_a_blue_stamp_is_no_issuing_organ() -> None:
    stamp = [
        ("无极市人民政府办公室", Box(0.68, 0.050, 0.87, 0.078)),
        ("收文章", Box(0.74, 0.071, 0.81, 0.096)),
        ("收文第0754号", Box(0.71, 0.087, 0.83, 0.114)),
        ("2018年2月12日", Box(0.70, 0.104, 0.83, 0.131)),
    ]
    lines = tuple(Line(text, box, colour="other") for text, box in stamp)
    letterhead = Line("镜花市人民政府文件", Box(0.15, 0.150, 0.87, 0.210), colour="red")
    body = Line("镜花市水务局：", Box(0.13, 0.39, 0.4, 0.417), colour="black")
    told = assign_roles(Transcript(pages=(page((*lines, letterhead, body)),))).pages[0]
    assert [line.role for line in told.lines] == ["stamp"] * 4 + ["body"] * 2


def test_a_red_letterhead_over_a_red_stamp_stays() -> None:
    lines = (
        Line("镜花市人民政府文件", Box(0.15, 0.10, 0.87, 0.16), colour="red"),
        Line("收文章", Box(0.44, 0.17, 0.56, 0.19), colour="red"),
        Line("第12号", Box(0.45, 0.195, 0.55, 0.215), colour="red"),
    )
    told = assign_roles(Transcript(pages=(page(lines),))).pages[0]
    assert [line.role for line in told.lines] == ["body", "stamp", "stamp"]


def test_punched_holes_become_paper_and_characters_stay() -> None:
    page = np.full((1169, 827, 3), 244, np.uint8)
    for middle in ((43, 427), (45, 742)):
        cv2.circle(page, middle, 12, (60, 60, 60), -1, cv2.LINE_AA)
    cv2.circle(page, (400, 600), 12, (60, 60, 60), -1, cv2.LINE_AA)
    cv2.putText(page, "0O", (30, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 3)
    prepared = prepare(page, dpi=DPI)
    assert "holes 2" in prepared.steps
    assert prepared.picture[427, 43].min() > 200
    assert prepared.picture[742, 45].min() > 200
    assert prepared.picture[600, 400].max() < 100
    assert prepared.picture[150:220, 20:100].min() < 50


def test_lines_are_found_without_a_model_and_rules_are_none() -> None:
    page = np.full((1169, 827), 250, np.uint8)
    for row in range(4):
        cv2.putText(
            page, "ABCDEFGHIJKLMNOP", (100, 200 + 60 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2, cv2.LINE_AA
        )
    cv2.rectangle(page, (100, 500), (700, 620), 0, 2)
    cv2.line(page, (400, 500), (400, 620), 0, 2)
    for left in (150, 450):
        cv2.putText(page, "CELL", (left, 570), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2, cv2.LINE_AA)
    found = find_lines(page)
    assert found is not None
    assert len(found.boxes) == 6
    assert found.paper[500, 100:700].min() > 200
    assert {found.strip(box, height=36, around=(4, 8)).picture.shape[0] for box in found.boxes} == {44}
    assert find_lines(np.full((1169, 827), 250, np.uint8)) is None
