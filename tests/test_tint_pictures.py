"""The tint on pages that are a photograph: drawn deeper where it does not show, and read where no paper is left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from copy_kit import KEY, SERIAL, Page
from jiyao.samples.leak_steps import jpeg
from jiyao.watermark import tint_read
from jiyao.watermark.payload import forensic_id
from jiyao.watermark.tint import PagePattern, TintKey, embed

TINT = TintKey(bytes(range(32)))
ID = forensic_id(KEY, SERIAL)


def photograph(width: int, height: int, seed: int) -> Page:
    """Something like a landscape: rough at every size, in colour, with a few edges."""
    rng = np.random.default_rng(seed)
    sizes = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    sizes[0, 0] = 1.0
    planes = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * rng.random(sizes.shape))
        plane = np.fft.irfft2(phases / sizes**1.4, s=(height, width))
        planes.append(plane / plane.std())
    mixed = np.stack([planes[0] + 0.4 * plane for plane in planes], axis=2) * 42 + 125
    mixed[: height // 4, width // 2 :] -= 45
    return np.clip(cv2.GaussianBlur(mixed, (0, 0), 0.7), 0, 255).astype(np.uint8)


@pytest.mark.req("R-060", "R-061")
def test_a_photograph_without_any_paper_says_its_number() -> None:
    page = photograph(1160, 1650, 5)
    marked = embed(page, PagePattern(TINT, 148, 210).tone(ID), width_mm=148, height_mm=210)
    error = float(np.mean(np.square(marked.astype(np.float32) - page)))
    assert 10 * np.log10(255**2 / error) > 37
    assert tint_read.confirm(marked, TINT, ID, width_mm=148, height_mm=210)
    reading = tint_read.read(jpeg(marked, 60), TINT, channels=("texture",))
    assert reading is not None and reading.id == ID


@pytest.mark.req("R-055")
def test_text_is_tinted_as_ever_and_large_pages_are_read_back() -> None:
    tone = PagePattern(TINT, 900, 640).tone(ID)
    page = np.full((1600, 2250, 3), 255, np.uint8)
    for row in range(100, 1500, 40):
        cv2.putText(page, "text of a page 0123456789", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    marked = embed(page, tone, width_mm=900, height_mm=640)
    assert (marked[page.max(axis=2) == 0] == 0).all()
    assert tint_read.confirm(marked, TINT, ID, width_mm=900, height_mm=640)
