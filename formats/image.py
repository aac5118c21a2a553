"""Pictures as documents: TIFF (multi-page, 1-bit, G3/G4), JPEG, PNG, BMP, GIF, WebP, JPEG 2000.

Threat model: a header may declare billions of pixels or endless frames, and the data may end early. Size
and frame count are checked against the limits before a pixel is decoded; every frame is decoded once on
opening, so that a truncated file is called damaged then and not half-read later. Only the decoder of the
sniffed format runs.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms, ImageOps

from ..common.limits import Limits
from ..models.incoming import Kind
from ..models.page import Finding, Line
from .fault import FormatFault, guarded
from .opened import Picture

MM_PER_INCH = 25.4
_A4_SHORT_MM = 210.0
_PLAUSIBLE_DPI = (50.0, 2400.0)
_PLAUSIBLE_MM = (15.0, 1300.0)
_SCREEN_DPI = 97.0
"""72 and 96 dpi are what cameras and screen grabs write when they know nothing."""
_PROGRESSIVE = (b"\xff\xc2", b"\xff\xc6", b"\xff\xca", b"\xff\xce")
"""Start-of-frame markers of the progressive kinds (ITU-T T.81, table B.1)."""
_MAX_SCANS = 200
"""A progressive JPEG of a few KB can ask for hundreds of passes over all its pixels; real ones need about ten."""
_DECODERS: dict[str, tuple[str, ...]] = {
    "tiff": ("TIFF",),
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "bmp": ("BMP",),
    "gif": ("GIF",),
    "webp": ("WEBP",),
    "jp2": ("JPEG2000",),
}


class OpenedImage:
    """A picture file; each frame is a page."""

    __slots__ = (
        "_image", "_limits", "_sizes", "_widths", "active", "findings", "kind", "page_count", "protection", "signature",
    )  # fmt: skip

    def __init__(
        self,
        image: Image.Image,
        kind: Kind,
        sizes: list[tuple[float, float]],
        widths: list[int],
        limits: Limits,
    ) -> None:
        self.kind: Kind = kind
        self.page_count: int = len(sizes)
        self.signature: Literal["none", "present"] = "none"
        self.protection: Literal["none", "owner", "read"] = "none"
        self.active: tuple[str, ...] = ()
        self.findings: tuple[Finding, ...] = ()
        self._image = image
        self._sizes = sizes
        self._widths = widths
        self._limits = limits

    def size_mm(self, number: int) -> tuple[float, float]:
        """Width and height in millimetres, by the file's own resolution where plausible, else as A4."""
        return self._sizes[number - 1]

    def text_lines(self, number: int) -> tuple[Line, ...] | None:
        """Always None: a picture has no text of its own."""
        del number
        return None

    def render(self, number: int, dpi: int) -> Picture:
        """The frame in RGB, upright (EXIF orientation applied); reduced to `dpi`, never enlarged."""
        with guarded(self.kind):
            frame = _decode(self._image, number - 1, self._limits)
        wanted = round(self._sizes[number - 1][0] / MM_PER_INCH * dpi)
        if wanted < frame.width:
            height = max(1, round(frame.height * wanted / frame.width))
            frame = frame.resize((max(1, wanted), height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return np.asarray(frame, dtype=np.uint8)

    def native_dpi(self, number: int) -> float | None:
        """Of the frame, across, by the size it is taken to have (upright: EXIF orientation applied)."""
        return self._widths[number - 1] / self._sizes[number - 1][0] * MM_PER_INCH

    def close(self) -> None:
        """Lets go of the decoder."""
        self._image.close()


def open_image(data: bytes, kind: Kind, *, limits: Limits) -> OpenedImage:
    """A picture file, every frame decoded once and found whole.

    Raises:
        FormatFault: `damaged_file`, `too_many_pages`, `too_many_pixels`, `unpack_bomb`.
    """
    if kind == "jpeg" and any(sign in data for sign in _PROGRESSIVE) and data.count(b"\xff\xda") > _MAX_SCANS:
        raise FormatFault("unpack_bomb", f"> {_MAX_SCANS}")
    try:
        with guarded(kind), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_DECODERS[kind])
            count = 1 if image.format in ("JPEG", "MPO") else _count_frames(image, limits)
            frames = [_frame_size(image, index, limits) for index in range(count)]
    except FormatFault as fault:
        if isinstance(fault.__cause__, Image.DecompressionBombError | MemoryError):
            raise FormatFault("too_many_pixels", kind) from fault
        raise
    return OpenedImage(image, kind, [size for size, _ in frames], [width for _, width in frames], limits)


def _count_frames(image: Image.Image, limits: Limits) -> int:
    """Frames, counted one by one so that an endless chain stops at the limit."""
    count = 1
    while True:
        try:
            image.seek(count)
        except EOFError:
            image.seek(0)
            return count
        count += 1
        if count > limits.pages:
            raise FormatFault("too_many_pages", f"> {limits.pages}")


def _frame_size(image: Image.Image, index: int, limits: Limits) -> tuple[tuple[float, float], int]:
    """Width and height in mm, and width in pixels."""
    frame = _decode(image, index, limits)
    return size_in_mm(frame.width, frame.height, image.info.get("dpi")), frame.width


def _decode(image: Image.Image, index: int, limits: Limits) -> Image.Image:
    """One frame as upright RGB on white. Pillow decodes a frame anew after each seek, so nothing is kept."""
    image.seek(index)
    width, height = image.size
    if width < 1 or height < 1:
        raise FormatFault("damaged_file", image.format or "")
    if width * height > limits.page_pixels:
        raise FormatFault("too_many_pixels", f"{width} x {height}")
    image.load()
    return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image.copy()
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(rgba, mask=rgba.getchannel("A"))
        return paper
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        if converted is None:
            raise FormatFault("damaged_file", "LAB")
        return converted
    if image.mode == "F" or image.mode.startswith("I"):
        return _stretch(image).convert("RGB")
    return image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Samples of more than 8 bits, brought to 8."""
    samples = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = float(samples.min()), float(samples.max())
    top = 65535.0 if image.mode.startswith("I;16") else max(high, 255.0)
    base = min(low, 0.0)
    span = max(top - base, 1.0)
    return Image.fromarray(np.clip((samples - base) / span * 255.0, 0, 255).astype(np.uint8))


def size_in_mm(width: int, height: int, dpi: Any) -> tuple[float, float]:
    """Pixels to millimetres: by a plausible declared resolution, else the short side counts as A4's."""
    try:
        across, down = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        across = down = 0.0
    low, high = _PLAUSIBLE_DPI
    if low <= across <= high and low <= down <= high:
        size = (width / across * MM_PER_INCH, height / down * MM_PER_INCH)
        guessed = across < _SCREEN_DPI and max(size) > 420.0
        if not guessed and _PLAUSIBLE_MM[0] <= min(size) and max(size) <= _PLAUSIBLE_MM[1]:
            return size
    scale = _A4_SHORT_MM / min(width, height)
    return width * scale, height * scale
