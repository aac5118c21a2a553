"""A PDF of pictures and nothing else: each page one JPEG, one information key, no fonts, no scripts, no past.

Written object by object (ISO 32000-1, 7.5) so that what a copy contains can be read off this file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

COPY_KEY = "JiyaoCopy"
_POINTS = 72 / 25.4


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePage:
    """One page: its size in mm and its JPEG with its size in pixels."""

    width_mm: float
    height_mm: float
    jpeg: bytes
    width: int
    height: int
    colour: Literal["gray", "rgb"]


def write_pictures(
    pages: Iterable[PicturePage], *, copy: str, behind: Callable[[], bytes] = lambda: b""
) -> bytes:
    """The PDF. `copy` (ASCII, no brackets) stands under `/JiyaoCopy` in the information dictionary; `behind` is asked
    at the end for bytes that are put behind the file, so that a long one need not be copied for them.

    Raises:
        ValueError: when `copy` has other characters.
    """
    if not (copy.isascii() and copy.isalnum()):
        raise ValueError("letters and digits expected")
    out = io.BytesIO()  # gives its bytes away without a copy
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: dict[int, int] = {}

    def put(number: int, body: bytes) -> None:
        places[number] = out.tell()
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")

    kids: list[int] = []
    number = 4
    for page in pages:
        width, height = page.width_mm * _POINTS, page.height_mm * _POINTS
        space = b"/DeviceGray" if page.colour == "gray" else b"/DeviceRGB"
        put(
            number,
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace%s/BitsPerComponent 8"
            b"/Filter/DCTDecode/Length %d>>\nstream\n"
            % (page.width, page.height, space, len(page.jpeg))
            + page.jpeg
            + b"\nendstream",
        )
        drawing = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /P Do Q".encode()
        put(number + 1, b"<</Length %d>>\nstream\n" % len(drawing) + drawing + b"\nendstream")
        put(
            number + 2,
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.3f} {height:.3f}]"
            f"/Resources<</XObject<</P {number} 0 R>>>>/Contents {number + 1} 0 R>>".encode(),
        )
        kids.append(number + 2)
        number += 3
    put(1, b"<</Type/Catalog/Pages 2 0 R>>")
    put(2, f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>".encode())
    put(3, f"<</{COPY_KEY}({copy})>>".encode())
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % number)
    for index in range(1, number):
        out.write(b"%010d 00000 n \n" % places[index])
    out.write(b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (number, start))
    out.write(behind())
    return out.getvalue()
