"""Sheets as pixels: type by FreeType, seals blended as ink is, 样张 in the margins and faintly under the text."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from ..formats.opened import Picture
from .sheet import (
    INKS,
    PAPER_H,
    PAPER_W,
    FontSet,
    Hole,
    Ink,
    Rule,
    Seal,
    Sheet,
    Stamp,
    Stroke,
    Text,
    drawable,
    pixel_font,
    width,
)

FAINT = (249, 245, 245)
"""Of the large 样张 under the text: seen by a person, lost in any threshold."""


def draw_picture(sheet: Sheet, *, dpi: int, fonts: FontSet = "noto") -> Picture:
    """One page, height x width x 3 RGB, at `dpi`."""
    scale = dpi / 25.4
    image = Image.new("RGB", (round(sheet.size[0] * scale), round(sheet.size[1] * scale)), "white")
    image.paste(_faint_stamp(dpi), (0, 0))
    pen = ImageDraw.Draw(image)
    for thing in sheet.things:
        if isinstance(thing, Text):
            _text(pen, thing, scale, fonts)
        elif isinstance(thing, Rule):
            ends = (thing.x1 * scale, thing.y1 * scale, thing.x2 * scale, thing.y2 * scale)
            pen.line(ends, fill=INKS[thing.ink], width=max(1, round(thing.width * scale)))
        elif isinstance(thing, Stroke):
            points = [(x * scale, y * scale) for x, y in thing.points]
            pen.line(points, fill=INKS[thing.ink], width=max(1, round(thing.width * scale)), joint="curve")
        elif isinstance(thing, Hole):
            box = [(thing.x - thing.radius) * scale, (thing.y - thing.radius) * scale]
            pen.ellipse((*box, *(end + 2 * thing.radius * scale for end in box)), fill=INKS["shade"])
    for thing in sheet.things:
        if isinstance(thing, Seal):
            stamp = seal_picture(thing.organ, round(thing.diameter * scale), thing.ink)
            _press(image, stamp, thing.x * scale, thing.y * scale)
        elif isinstance(thing, Stamp):
            _press(image, _stamp_picture(thing, scale, fonts), thing.x * scale, thing.y * scale)
    return np.asarray(image)


def _text(pen: ImageDraw.ImageDraw, text: Text, scale: float, fonts: FontSet) -> None:
    pixels = round(text.size * scale)
    place = text.x * scale
    step = text.size * scale
    for char in text.text:
        own = fonts if drawable(char, text.face, fonts) else "noto"
        font = pixel_font(text.face, pixels, own)
        wide = width(char, 1.0, text.face) * step
        # the grid is Noto's: narrower digits of other sets stand in the middle of theirs
        indent = 0.0 if own == "noto" else (wide - font.getlength(char)) / 2
        outline = round(pixels / 45) if own != "noto" and text.face == "serif-bold" else 0
        pen.text(
            (round(place + indent), round(text.y * scale)), char, font=font, fill=INKS[text.ink], anchor="ls",
            stroke_width=outline, stroke_fill=INKS[text.ink],
        )  # fmt: skip
        place += wide + text.spacing * scale


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
def seal_picture(organ: str, pixels: int, ink: Ink = "red") -> Image.Image:
    """A round seal on a clear ground: ring, star, the organ's name on the arc, 样张 below the star."""
    big = pixels * 2
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    red = (*INKS[ink], 255)
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


def _stamp_picture(stamp: Stamp, scale: float, fonts: FontSet) -> Image.Image:
    wide, high = round(stamp.wide * scale), round(stamp.high * scale)
    image = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    ink = (*INKS[stamp.ink], 235)
    line = max(2, round(0.6 * scale))
    pen.rectangle((line, line, wide - line, high - line), outline=ink, width=line)
    step = high / (len(stamp.words) + 0.3)
    for number, words in enumerate(stamp.words):
        size = round(min(step * 0.72, wide * 0.9 / max(1, len(words)) * (1.5 if words.isascii() else 1.0)))
        own = fonts if all(drawable(char, "sans", fonts) for char in words) else "noto"
        pen.text(
            (wide / 2, step * (number + 0.65)),
            words,
            font=pixel_font("sans", size, own),
            fill=ink,
            anchor="mm",
        )
    return image.rotate(stamp.askew, resample=Image.Resampling.BICUBIC, expand=True)


def _press(image: Image.Image, stamp: Image.Image, middle_x: float, middle_y: float) -> None:
    """Multiplies a stamp into the page, as ink over ink: black stays black."""
    x, y = round(middle_x - stamp.width / 2), round(middle_y - stamp.height / 2)
    box = (x, y, x + stamp.width, y + stamp.height)
    under = np.asarray(image.crop(box), dtype=np.float32)
    ink = np.asarray(stamp, dtype=np.float32)
    share = ink[..., 3:] / 255.0 * 0.88
    mixed = under * (1 - share) + under * ink[..., :3] / 255.0 * share
    image.paste(Image.fromarray(mixed.astype(np.uint8)), box[:2])
