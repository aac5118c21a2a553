"""Pictures inside an OFD: media of pages and of seals, decoded under the pixel limit.

Threat model: as `image.py`: sizes are checked before a pixel is decoded, only the decoders named here run,
and a picture that cannot be drawn is said to be so, never silently left out.
"""

from __future__ import annotations

import io
import math
import warnings

from PIL import Image as Pillow

from .fault import FormatFault, guarded

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "JPEG2000")
_JBIG2 = b"\x97JB2\r\n\x1a\n"
_MAX_PASSES = 200


def decode(data: bytes, *, wide: float, high: float, max_pixels: int) -> Pillow.Image | None:
    """A picture in RGBA, reduced when it is far finer than the `wide` x `high` pixels it fills; None when it
    cannot be drawn (JBIG2, an unknown kind, damaged, too large).
    """
    if data.startswith(_JBIG2) or data.count(b"\xff\xda") > _MAX_PASSES:
        return None
    try:
        with guarded("picture"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture: Pillow.Image = Pillow.open(io.BytesIO(data), formats=_FORMATS)
            if picture.width * picture.height > max_pixels or min(picture.size) < 1:
                return None
            if picture.format == "JPEG":
                picture.draft("RGB", (math.ceil(wide * 2), math.ceil(high * 2)))
            picture.load()
            if picture.mode.startswith("I") or picture.mode == "F":
                picture = picture.convert("F").point(lambda value: value / 257.0).convert("L")
            full = picture.convert("RGBA")
            fit = min(full.width / max(wide, 1.0), full.height / max(high, 1.0))
            if fit > 1.0:  # area averaging first: what follows only looks at four neighbours
                size = (max(1, round(full.width / fit)), max(1, round(full.height / fit)))
                full = full.resize(size, Pillow.Resampling.BOX if fit > 3 else Pillow.Resampling.LANCZOS)
            return full
    except FormatFault:
        return None
