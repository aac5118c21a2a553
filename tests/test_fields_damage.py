"""Seals over signature and date, pages on their side, margins, torn and impossible dates."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest

from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.fields import FieldEvidence, OfficialFields
from jiyao.models.page import Box, Line, Page, Transcript, Unread
from jiyao.stages.extract import extract

HEAD = (
    ("镜花市人民政府办公室文件", 0.15, 0.24, 0.86, 13.0), ("镜政办发〔2020〕91号", 0.36, 0.355, 0.64, 5.6),
    ("关于变更水闸联系方式的通知", 0.26, 0.49, 0.75, 7.9), ("无极市人民政府，镜花市水务局：", 0.13, 0.55, 0.54, 5.6),
    ("因工作需要，现将水闸有关事项通知如下，供工作参考，请遵照执行。", 0.18, 0.59, 0.88, 5.6),
)  # fmt: skip
Rows = tuple[tuple[str, float, float, float, float], ...]


def lines(rows: Rows, *, confidence: float = 0.99) -> tuple[Line, ...]:
    return tuple(
        Line(text, Box(left, top, right, top + 0.022), confidence, size)
        for text, left, top, right, size in rows
    )


def read(*tail: tuple[str, float, float, float, float], seal: Box | None = None) -> OfficialFields:
    page = Page(1, 210, 297, lines((*HEAD, *tail)), "ocr", "made up", 0.98, seal=seal)
    return extract(Transcript((page,)))


def said(fields: OfficialFields, name: str) -> FieldEvidence:
    return next(item for item in fields.evidence if item.name == name)


@pytest.mark.req("R-023")
def test_signature_under_a_seal_is_repaired_from_the_letterhead_and_said() -> None:
    seal = Box(0.55, 0.7, 0.85, 0.85)
    fields = read(
        ("民政府", 0.64, 0.74, 0.75, 10.6), ("镜人民政府办室", 0.54, 0.765, 0.82, 12.5),
        ("20年1月21四", 0.59, 0.80, 0.77, 7.0), seal=seal,
    )  # fmt: skip
    assert fields.organs == ("镜花市人民政府办公室",)
    assert fields.signed_date == date(2020, 1, 21)
    organ, day = said(fields, "organ"), said(fields, "date")
    assert {"repaired", "covered_by_seal"} <= set(organ.doubt) and "镜人民政府办室" in organ.alternatives
    assert {"repaired", "covered_by_seal"} <= set(day.doubt) and day.raw == "20年1月21四"


@pytest.mark.req("R-023")
def test_a_covered_place_that_was_not_read_marks_the_date() -> None:
    place = Unread(Box(0.6, 0.79, 0.7, 0.83), "covered")
    rows = lines(
        (*HEAD, ("镜花市人民政府办公室", 0.54, 0.76, 0.82, 5.6), ("2020年1月21日", 0.59, 0.8, 0.77, 5.6))
    )
    page = Page(1, 210, 297, rows, "ocr", "made up", 0.98, unread=(place,))
    assert "covered_by_seal" in said(extract(Transcript((page,))), "date").doubt


@pytest.mark.req("R-023")
def test_a_day_that_lost_a_digit_is_offered_not_guessed() -> None:
    fields = read(("镜花市人民政府办公室", 0.54, 0.76, 0.82, 5.6), ("020年12月1", 0.59, 0.8, 0.77, 9.0))
    assert fields.signed_date is None
    day = said(fields, "date")
    assert "2020-12-14" in day.alternatives and "two_candidates" in day.doubt


@pytest.mark.req("R-023")
def test_an_impossible_date_is_no_date() -> None:
    fields = read(("镜花市人民政府办公室", 0.54, 0.76, 0.82, 5.6), ("2020年2月30日", 0.59, 0.8, 0.77, 5.6))
    assert fields.signed_date is None
    assert said(fields, "date").value == "2020年2月30日" and said(fields, "date").doubt == (
        "impossible_date",
    )


@pytest.mark.req("R-023")
@pytest.mark.parametrize("direction", [0.0, 91.2, 178.9, -88.7])
def test_pages_on_their_side(direction: float) -> None:
    turns = round(direction / 90) % 4
    rows = lines(
        (*HEAD, ("镜花市人民政府办公室", 0.54, 0.76, 0.82, 5.6), ("2020年1月21日", 0.59, 0.8, 0.77, 5.6))
    )
    came = []
    for line in rows:
        box = line.box
        for _ in range(turns):
            box = Box(1 - box.bottom, box.left, 1 - box.top, box.right)
        came.append(Line(line.text, box, line.confidence, line.size_mm))
    size = (297, 210) if turns % 2 else (210, 297)
    page = Page(1, *size, tuple(came), "ocr", "made up", 0.98, direction=direction)
    fields = extract(Transcript((page,)))
    assert fields.organs == ("镜花市人民政府办公室",) and fields.signed_date == date(2020, 1, 21)
    assert fields.recipients == ("无极市人民政府", "镜花市水务局")
    date_box = said(fields, "date").box
    assert date_box is not None and abs(date_box.left - came[-1].box.left) < 1e-9


@pytest.mark.req("R-023")
def test_holes_scribbles_ticks_and_words_across_the_page_are_no_text() -> None:
    rows = lines(
        (
            ("□已登记 待阅 □已办", 0.38, 0.057, 0.63, 4.8), ("工作秘密  #", 0.13, 0.128, 0.97, 5.6),
            ("世曰", 0.9, 0.154, 0.96, 5.4), *HEAD[:1], ("●  镜政办发〔2020〕91号", 0.04, 0.355, 0.64, 5.6), *HEAD[2:],
            ("镜花市人民政府办公室  ★", 0.54, 0.76, 0.82, 5.6), ("样张2020年1月21日", 0.27, 0.8, 0.77, 5.6),
        )
    )  # fmt: skip
    fields = extract(Transcript((Page(1, 210, 297, rows, "ocr", "made up", 0.98),)))
    assert fields.mark is not None and fields.mark.level == "工作秘密"
    assert fields.doc_number == "镜政办发〔2020〕91号" and fields.title == "关于变更水闸联系方式的通知"
    assert fields.organs == ("镜花市人民政府办公室",) and fields.signed_date == date(2020, 1, 21)


@pytest.mark.req("R-023")
def test_real_notice_scanned_with_seals_over_signature_and_date(shared: Path) -> None:
    pytest.importorskip("rapidocr")
    from PIL import Image, ImageChops

    from jiyao.samples.picture import seal_picture
    from jiyao.stages.ocr import ocr

    folder = shared / "data" / "official" / "govdoc-cn"
    pages = [Image.open(folder / f"397_{number}.png").convert("RGB") for number in (1, 5)]
    page = pages[1]
    for organ, x, y in (("国家发展和改革委员会办公厅", 0.30, 0.46), ("国家税务总局办公厅", 0.52, 0.47)):
        seal = seal_picture(organ, round(42 * page.width / 210)).convert("RGBA")
        layer = Image.new("RGB", page.size, "white")
        at = (round(x * page.width - seal.width / 2), round(y * page.height - seal.height / 2))
        layer.paste(seal.convert("RGB"), at, seal.getchannel("A"))
        page = ImageChops.multiply(page, layer)
    data = io.BytesIO()
    pages[0].save(data, "PDF", save_all=True, append_images=[page], resolution=147.0)
    opened = open_document(data.getvalue(), limits=DEFAULT_LIMITS)
    try:
        outcome = ocr(opened, engine="auto", first=1, last=2, limits=DEFAULT_LIMITS)
    finally:
        opened.close()
    assert outcome.value is not None
    fields = extract(outcome.value)
    assert fields.organs == ("国家发展改革委办公厅", "税务总局办公厅")
    assert fields.signed_date == date(2019, 8, 20)
    assert fields.doc_number == "发改办财金规〔2019〕860号"
    assert "covered_by_seal" in said(fields, "organ").doubt
