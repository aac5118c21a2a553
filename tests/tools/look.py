"""Draws the manual's picture of how a copy's invisible marks look: `python tests/tools/look.py`.

The same letter four times (without invisible marks, `normal`, `strong`, `dots`): the whole page small, then a part at
200 dpi, as it prints; in the last row that part with its contrast eight times as strong, to show what is there.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from copy_kit import letter  # noqa: E402
from jiyao.common.limits import DEFAULT_LIMITS  # noqa: E402
from jiyao.formats.open import open_document  # noqa: E402
from jiyao.models.copy import CopySpec, MarkProfile  # noqa: E402
from jiyao.models.level import Level  # noqa: E402
from jiyao.stages.stamp import draw_pages  # noqa: E402
from jiyao.watermark.payload import encode, forensic_id, station_tag  # noqa: E402

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "manual" / "images" / "marks.jpg"
WIDTH = 330
HIGH = 180
TOP, LEFT = 1150, 190
GAP = 12
CONTRAST = 8
PROFILES: tuple[MarkProfile | None, ...] = (None, "normal", "strong", "dots")
KEY, TAG = b"the manual's mark key, 32 bytes.", station_tag("manual")


def page(profile: MarkProfile | None) -> NDArray[np.uint8]:
    """The letter's first page, 200 dpi; None: the visible marks alone."""
    id = forensic_id(KEY, 7)
    spec = CopySpec(
        level=Level.COMPANY_SECRET, period=None, number=7, recipient="样张", document="D-2026-000012", unit="样例公司",
        issued=date(2026, 11, 22), barcode=encode(KEY, TAG, id),
    )  # fmt: skip
    if profile is not None:
        spec = replace(spec, forensic_id=id, tint_key=bytes(range(32)).hex(), profile=profile)
    opened = open_document(letter(), limits=DEFAULT_LIMITS)
    try:
        data = draw_pages(opened, spec)[0]
    finally:
        opened.close()
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def column(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The page, a part of it, and that part with more contrast."""
    small = cv2.resize(
        picture, (WIDTH, round(picture.shape[0] * WIDTH / picture.shape[1])), interpolation=cv2.INTER_AREA
    )
    part = picture[TOP : TOP + HIGH, LEFT : LEFT + WIDTH]
    strong = np.clip(255 - (255 - part.astype(np.int16)) * CONTRAST, 0, 255).astype(np.uint8)
    space = np.full((GAP, WIDTH, 3), 120, np.uint8)
    return np.vstack([small, space, part, space, strong])


def main() -> None:
    """Writes the picture."""
    columns = [column(page(profile)) for profile in PROFILES]
    space = np.full((columns[0].shape[0], GAP, 3), 120, np.uint8)
    rows = [part for one in columns for part in (one, space)][:-1]
    PICTURE.parent.mkdir(exist_ok=True)
    data = cv2.imencode(".jpg", np.hstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 93])[1]
    PICTURE.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
