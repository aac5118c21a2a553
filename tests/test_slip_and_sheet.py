"""The receiving slip and the printable review sheet."""

from __future__ import annotations

import io
from datetime import date, datetime

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

import copy_kit as kit
from jiyao.common.clock import STATION_ZONE
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.open import open_document
from jiyao.models.page import Box
from jiyao.stages.review_sheet import SheetDocument, SheetItem, crops, draw_sheet
from jiyao.stages.slip import SlipSpec, draw_slip, slip_receipt, slip_text
from jiyao.watermark import barcode


@pytest.mark.req("R-055")
def test_slip_is_read_back_after_print_and_scan() -> None:
    at = datetime(2025, 11, 22, 9, 5, tzinfo=STATION_ZONE)
    slip = draw_slip(SlipSpec(receipt="R-2025-000031", at=at, sender="云岭市样张局", title="样张" * 60))
    assert len(PdfReader(io.BytesIO(slip)).pages) == 1
    for words in ("收文签收条", "R-2025-000031", "2025年11月22日09:05", "云岭市样张局"):
        assert words in kit.text_of(slip)
    found = barcode.read(kit.print_scan(kit.picture(slip), 150), seconds=10)
    assert {slip_receipt(code.text) for code in found} == {"R-2025-000031"}


@pytest.mark.parametrize(
    "text", ["", "JYSLIP:", "JYSLIP:a b", "JYSLIP:-1", "jyslip:R-1", "R-1", "JYSLIP:" + "R" * 60]
)
def test_other_codes_are_no_slips(text: str) -> None:
    assert slip_receipt(text) is None


def test_slip_text_refuses_what_is_no_receipt() -> None:
    with pytest.raises(ValueError, match="receipt"):
        slip_text("样张")


def test_crops_show_the_place() -> None:
    opened = open_document(kit.letter(2), limits=DEFAULT_LIMITS)
    cut = crops(
        opened, ((2, Box(0.1, 0.36, 0.9, 0.4)), (1, Box(0.1, 0.5, 0.2, 0.5)), (1, Box(-1, 0.9, 3, 9)))
    )
    sizes = [Image.open(io.BytesIO(one)).size for one in cut]
    assert sizes[0][0] > 900
    assert min(min(size) for size in sizes) > 10
    assert np.asarray(Image.open(io.BytesIO(cut[0]))).min() < 80
    with pytest.raises(ValueError, match="range"):
        crops(opened, ((3, Box(0, 0, 1, 1)),))


def test_sheet_shows_crop_value_and_boxes_over_pages() -> None:
    opened = open_document(kit.letter(), limits=DEFAULT_LIMITS)
    (crop,) = crops(opened, ((1, Box(0.1, 0.36, 0.9, 0.4)),))
    items = (
        SheetItem(field="标题", value="关于做好样张材料清点工作的通知", confidence=0.714, crop=crop, page=1),
        SheetItem(field="成文日期", value="", confidence=0.0, doubts=("印章遮盖",)),
    )
    documents = tuple(SheetDocument(id=f"D-2025-{n:06d}", items=items, level="机密★20年") for n in range(12))
    sheet = draw_sheet(documents, batch="B-7", day=date(2025, 11, 22), level="机密★20年")
    reader = PdfReader(io.BytesIO(sheet))
    assert len(reader.pages) >= 2
    text = "".join(kit.text_of(sheet, number) for number in range(1, len(reader.pages) + 1))
    for words in ("D-2025-000011", "可信度71%", "（未识读）", "印章遮盖", "无误", "改为"):
        assert words in text
    assert all("机密★20年" in kit.text_of(sheet, n) for n in range(1, len(reader.pages) + 1))
