"""Small pages in the form of GB/T 9704, drawn for the tests of reading, and documents made of pictures."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from jiyao.formats.opened import Picture
from jiyao.models.incoming import Kind
from jiyao.models.page import Finding, Line

FONTS = Path("/usr/share/fonts/opentype/noto")
RED, BLACK = (208, 34, 40), (18, 18, 18)
NUMBER, SIGNER, TITLE = "青测发〔2024〕17号", "签发人：张三", "关于做好样张管理工作的请示"
ORGAN, DATE = "青山省测试事务厅", "2024年5月1日"
TEXT = (
    "000123",
    "机密★20年",
    ORGAN + "文件",
    NUMBER + SIGNER,
    TITLE,
    "省人民政府：",
    "为进一步规范样张管理，现将有关情况请示如下。",
    "一、基本情况。全省共有样张三千二百件，均已登记。",
    ORGAN,
    DATE,
    ORGAN + "办公室2024年5月6日印发",
    "-1-",
)
SEAL_MM = (150.0, 213.0, 21.0)
"""Centre x, centre y, radius."""


@dataclass
class Pictures:
    """An opened document whose pages are the given pictures."""

    pictures: tuple[Picture, ...]
    dpi: float = 200.0
    text: dict[int, tuple[Line, ...]] | None = None
    shape_mm: tuple[float, float] | None = None
    kind: Kind = "png"
    signature: Literal["none", "present"] = "none"
    protection: Literal["none", "owner", "read"] = "none"
    active: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def page_count(self) -> int:
        return len(self.pictures)

    def size_mm(self, number: int) -> tuple[float, float]:
        if self.shape_mm:
            return self.shape_mm
        height, width = self.pictures[number - 1].shape[:2]
        return width / self.dpi * 25.4, height / self.dpi * 25.4

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        return (self.text or {}).get(number)

    def render(self, number: int, dpi: int) -> Picture:
        return self.pictures[number - 1]

    def native_dpi(self, number: int) -> float | None:
        return self.dpi

    def close(self) -> None:
        pass


def font(mm: float, dpi: float, *, face: str = "Serif", weight: str = "Regular") -> ImageFont.FreeTypeFont:
    path = FONTS / f"Noto{face}CJK-{weight}.ttc"
    if not path.is_file():
        pytest.skip("the Noto CJK fonts are not installed: no page can be drawn")
    return ImageFont.truetype(str(path), round(mm / 25.4 * dpi), index=2)


@cache
def official_page(dpi: float = 200.0, *, seal: bool = True) -> Image.Image:
    """An upward paper on one A4 page: head, title, body, signature and date under a red seal, 版记."""
    scale = dpi / 25.4
    page = Image.new("RGB", (round(210 * scale), round(297 * scale)), "white")
    draw = ImageDraw.Draw(page)

    def put(x: float, y: float, text: str, *, mm: float = 5.64, fill=BLACK, anchor="la", **kind: str) -> None:
        draw.text((x * scale, y * scale), text, font=font(mm, dpi, **kind), fill=fill, anchor=anchor)

    put(28, 37, "000123")
    put(28, 47, "机密★20年", face="Sans", weight="Bold")
    put(105, 68, ORGAN + "文件", mm=13, fill=RED, anchor="ma", weight="Bold")
    put(33, 103, NUMBER)
    put(177, 103, SIGNER, anchor="ra")
    draw.rectangle([28 * scale, 114 * scale, 184 * scale, 115 * scale], fill=RED)
    put(105, 126, TITLE, mm=7.7, anchor="ma", weight="Bold")
    put(28, 150, "省人民政府：")
    put(39, 160, "为进一步规范样张管理，现将有关情况请示如下。")
    put(39, 170, "一、基本情况。全省共有样张三千二百件，均已登记。")
    put(150, 204, ORGAN, anchor="ma")
    put(150, 214, DATE, anchor="ma")
    draw.line([28 * scale, 255 * scale, 184 * scale, 255 * scale], fill=BLACK, width=2)
    put(33, 267, ORGAN + "办公室", mm=4.94)
    put(177, 267, "2024年5月6日印发", mm=4.94, anchor="ra")
    put(177, 277, "— 1 —", mm=4.94, anchor="ra")
    return ImageChops.multiply(page, _seal(page.size, dpi)) if seal else page


def _seal(size: tuple[int, int], dpi: float) -> Image.Image:
    scale = dpi / 25.4
    layer = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(layer)
    x, y, radius = (value * scale for value in SEAL_MM)
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=RED, width=round(1.2 * scale))
    star = [
        (x + reach * math.sin(turn * math.pi / 5), y - reach * math.cos(turn * math.pi / 5))
        for turn, reach in ((turn, (6.5 if turn % 2 == 0 else 2.6) * scale) for turn in range(10))
    ]
    draw.polygon(star, fill=RED)
    side = round(7 * scale)
    for index, character in enumerate(ORGAN):
        angle = -120 + index * 240 / (len(ORGAN) - 1)
        stamp = Image.new("L", (side, side), 0)
        ImageDraw.Draw(stamp).text(
            (side / 2, side / 2), character, font=font(5.5, dpi, weight="Bold"), fill=255, anchor="mm"
        )
        at = math.radians(angle - 90)
        corner = (
            round(x + 16.3 * scale * math.cos(at) - side / 2),
            round(y + 16.3 * scale * math.sin(at) - side / 2),
        )
        layer.paste(Image.new("RGB", stamp.size, RED), corner, stamp.rotate(-angle))
    return layer


def scanned(
    page: Image.Image,
    *,
    skew: float = 0.0,
    noise: float = 0.0,
    jpeg: int | None = None,
    one_bit: bool = False,
) -> Picture:
    """The page as a scanner gives it: `skew` degrees clockwise, noisy, compressed or black and white."""
    turned = page.rotate(-skew, resample=Image.Resampling.BICUBIC, fillcolor="white")
    levels = np.asarray(turned).astype(np.int16)
    if noise:
        levels = (
            levels + np.random.default_rng(7).normal(0, noise, levels.shape[:2]).astype(np.int16)[..., None]
        )
    picture = np.clip(levels, 0, 255).astype(np.uint8)
    if jpeg:
        packed = io.BytesIO()
        Image.fromarray(picture).save(packed, "JPEG", quality=jpeg)
        picture = np.asarray(Image.open(packed).convert("RGB"))
    if one_bit:
        white = picture.mean(axis=2) > 150
        picture = np.repeat((white * 255).astype(np.uint8)[..., None], 3, axis=2)
    return picture
