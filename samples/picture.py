"""Sheets as pixels: type by FreeType, seals blended as ink is, 样张 in the margins and faintly under the text."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from ..formats.opened import Picture
from .sheet import INKS, PAPER_H, PAPER_W, Rule, Seal, Sheet, Text, pixel_font, width

FAINT = (249, 245, 245)
"""Of the large 样张 under the text: seen by a person, lost in any threshold."""


def draw_picture(sheet: Sheet, *, dpi: int) -> Picture:
    """One page, height x width x 3 RGB, A4 at `dpi`."""
    scale = dpi / 25.4
    image = Image.new("RGB", (round(PAPER_W * scale), round(PAPER_H * scale)), "white")
    image.paste(_faint_stamp(dpi), (0, 0))
    pen = ImageDraw.Draw(image)
    for thing in sheet.things:
        if isinstance(thing, Text):
            _text(pen, thing, scale)
        elif isinstance(thing, Rule):
            ends = (thing.x1 * scale, thing.y1 * scale, thing.x2 * scale, thing.y2 * scale)
            pen.line(ends, fill=INKS[thing.ink], width=max(1, round(thing.width * scale)))
    for thing in sheet.things:
        if isinstance(thing, Seal):
            _press(image, thing, scale)
    return np.asarray(image)


def _text(pen: ImageDraw.ImageDraw, text: Text, scale: float) -> None:
    font = pixel_font(text.face, round(text.size * scale))
    place = text.x * scale
    step = text.size * scale
    for char in text.text:
        pen.text((round(place), round(text.y * scale)), char, font=font, fill=INKS[text.ink], anchor="ls")
        place += width(char, 1.0, text.face) * step + text.spacing * scale


@cache
def _faint_stamp(dpi: int) -> Image.Image:
    scale = dpi / 25.4
    image = Image.new("RGB", (round(PAPER_W * scale), round(PAPER_H * scale)), "white")
    tile = Image.new("L", (round(110 * scale), round(50 * scale)), 0)
    font = pixel_font("sans-bold", round(38 * scale))
    ImageDraw.Draw(tile).text((tile.width // 2, tile.height // 2), "样张", fill=255, font=font, anchor="mm")
    turned = tile.rotate(35, expand=True, resample=Image.Resampling.BILINEAR)
    for middle in (95.0, 205.0):
        corner = (round(105 * scale - turned.width / 2), round(middle * scale - turned.height / 2))
        image.paste(
            FAINT, (corner[0], corner[1], corner[0] + turned.width, corner[1] + turned.height), turned
        )
    return image


@cache
def seal_picture(organ: str, pixels: int) -> Image.Image:
    """A round seal on a clear ground: ring, star, the organ's name on the arc, 样张 below the star."""
    big = pixels * 2
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    red = (*INKS["red"], 255)
    ring = max(2, big // 34)
    pen.ellipse((ring, ring, big - ring, big - ring), outline=red, width=ring)
    middle = big / 2
    points = []
    for i in range(10):
        radius = big * (0.15 if i % 2 == 0 else 0.0573)
        angle = math.radians(-90 + 36 * i)
        points.append((middle + radius * math.cos(angle), middle + radius * math.sin(angle)))
    pen.polygon(points, fill=red)
    pen.text((middle, big * 0.74), "样张", font=pixel_font("serif-bold", big // 12), fill=red, anchor="mm")
    size = round(big * min(0.115, 1.75 / max(8, len(organ))))
    font = pixel_font("serif-bold", size)
    sweep = min(250.0, 24.0 * len(organ))
    for index, char in enumerate(organ):
        angle = -90 - sweep / 2 + sweep * (index + 0.5) / len(organ)
        glyph = Image.new("RGBA", (size * 2, size * 2), (0, 0, 0, 0))
        ImageDraw.Draw(glyph).text((size, size), char, font=font, fill=red, anchor="mm")
        glyph = glyph.rotate(-(angle + 90), resample=Image.Resampling.BICUBIC)
        radius = big * 0.385
        x = middle + radius * math.cos(math.radians(angle)) - size
        y = middle + radius * math.sin(math.radians(angle)) - size
        image.alpha_composite(glyph, (round(x), round(y)))
    return image.resize((pixels, pixels), Image.Resampling.LANCZOS)


def _press(image: Image.Image, seal: Seal, scale: float) -> None:
    """Multiplies the seal into the page, as ink over ink: black stays black."""
    stamp = seal_picture(seal.organ, round(seal.diameter * scale))
    x, y = round(seal.x * scale - stamp.width / 2), round(seal.y * scale - stamp.height / 2)
    box = (x, y, x + stamp.width, y + stamp.height)
    under = np.asarray(image.crop(box), dtype=np.float32)
    ink = np.asarray(stamp, dtype=np.float32)
    share = ink[..., 3:] / 255.0 * 0.88
    mixed = under * (1 - share) + under * ink[..., :3] / 255.0 * share
    image.paste(Image.fromarray(mixed.astype(np.uint8)), box[:2])
