"""The objects of a copy whose pages stay text, as bytes: written once for a document, and added to for each copy.

Objects are numbered in the order in which they are put; the first three are the catalogue, the pages and the
information dictionary, which the file's end writes (ISO 32000-1, 7.3 and 7.5).

Threat model. What is carried over comes from an outside file: each object once, no deeper than `_DEEPEST`, its streams
unpacked and packed anew, without the keys that carry other content.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    StreamObject,
)

from ..watermark.picture_pdf import COPY_KEY, PicturePage

_POINTS = 72 / 25.4
_RESERVED = 3
_NEVER_CARRIED = frozenset(("/Metadata", "/PieceInfo", "/LastModified", "/OC", "/AA", "/A", "/Parent"))
_PACKED_ANEW = frozenset(("/Length", "/Filter", "/DecodeParms"))
_DEEPEST = 12


class Objects:
    """Objects of one file; `base`: those it begins with."""

    def __init__(self, base: Sequence[bytes] = ()) -> None:
        self._bodies = list(base)

    @property
    def bodies(self) -> tuple[bytes, ...]:
        """All so far, in the order of their numbers."""
        return tuple(self._bodies)

    def reset(self, bodies: Sequence[bytes]) -> None:
        """Takes everything back that is not among these."""
        self._bodies = list(bodies)

    def put(self, body: bytes) -> int:
        """Adds an object and gives its number."""
        self._bodies.append(body)
        return _RESERVED + len(self._bodies)

    def stream(self, entries: bytes, data: bytes) -> int:
        """Adds a stream, packed; `entries` of its dictionary."""
        return self.packed(entries, zlib.compress(data, 6))

    def packed(self, entries: bytes, data: bytes) -> int:
        """Adds a stream whose bytes are packed already (Flate)."""
        head = b"<<%b/Filter/FlateDecode/Length %d>>\nstream\n" % (entries, len(data))
        return self.put(head + data + b"\nendstream")

    def picture_page(self, page: PicturePage) -> int:
        """Adds a page that is one picture."""
        space = b"/DeviceGray" if page.colour == "gray" else b"/DeviceRGB"
        image = self.put(
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace%b/BitsPerComponent 8"
            b"/Filter/DCTDecode/Length %d>>\nstream\n"
            % (page.width, page.height, space, len(page.jpeg))
            + page.jpeg
            + b"\nendstream"
        )
        width, height = page.width_mm * _POINTS, page.height_mm * _POINTS
        drawing = self.stream(b"", f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /P Do Q".encode())
        return self.page(width, height, b"/XObject<</P %d 0 R>>" % image, [drawing])

    def page(self, width: float, height: float, resources: bytes, contents: Iterable[int]) -> int:
        """Adds a page (points)."""
        drawn = " ".join(f"{number} 0 R" for number in contents)
        head = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.3f} {height:.3f}]/Contents[{drawn}]".encode()
        return self.put(head + b"/Resources<<" + resources + b">>>>")

    def file(self, pages: Sequence[int], *, copy: str) -> bytes:
        """The whole PDF with these pages; `copy` (letters and digits) stands in its information dictionary.

        Raises:
            ValueError: when `copy` has other characters.
        """
        if not (copy.isascii() and copy.isalnum()):
            raise ValueError("letters and digits expected")
        kids = " ".join(f"{number} 0 R" for number in pages)
        first = (
            b"<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
            f"<</{COPY_KEY}({copy})>>".encode(),
        )
        out = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
        at, places = len(out[0]), []
        for number, body in enumerate((*first, *self._bodies), start=1):
            places.append(at)
            head = b"%d 0 obj\n" % number
            out += [head, body, b"\nendobj\n"]
            at += len(head) + len(body) + 8
        count = len(places) + 1
        out.append(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        out += [b"%010d 00000 n \n" % place for place in places]
        out.append(b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, at))
        return b"".join(out)


class Carrier:
    """Takes objects of one other file along, each once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._carried: dict[tuple[int, int], bytes] = {}

    def carry(self, value: Any, depth: int = 0) -> bytes:
        """The object as it is written in the new file.

        Raises:
            ValueError: when it is nested too deep (or in a ring).
        """
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if isinstance(value, IndirectObject):
            key = (value.idnum, value.generation)
            if key not in self._carried:
                inner = value.get_object()
                taken = self.carry(inner, depth + 1)
                if not isinstance(inner, StreamObject):
                    taken = b"%d 0 R" % self._objects.put(taken)
                self._carried[key] = taken
            return self._carried[key]
        if isinstance(value, StreamObject):
            return b"%d 0 R" % self._objects.stream(
                self._entries(value, depth, _PACKED_ANEW), value.get_data()
            )
        if isinstance(value, DictionaryObject):
            return b"<<" + self._entries(value, depth) + b">>"
        if isinstance(value, ArrayObject):
            return b"[" + b" ".join(self.carry(item, depth + 1) for item in value) + b"]"
        return plain(value if value is not None else NullObject())

    def groups(self, chosen: Mapping[str, Sequence[tuple[str, Any]]]) -> bytes:
        """Groups of named objects as the entries of a page's resources; what fails leaves nothing behind.

        Raises:
            ValueError, PyPdfError: an object cannot be carried.
        """
        before, known = self._objects.bodies, dict(self._carried)
        try:
            return b"".join(
                plain(NameObject(kind)) + b"<<" + b"".join(
                    plain(NameObject(name)) + b" " + self.carry(value) for name, value in entries
                ) + b">>"
                for kind, entries in chosen.items()
            )  # fmt: skip
        except BaseException:
            self._objects.reset(before)
            self._carried = known
            raise

    def _entries(self, value: DictionaryObject, depth: int, skip: frozenset[str] = frozenset()) -> bytes:
        return b"".join(
            plain(NameObject(key)) + b" " + self.carry(value.raw_get(key), depth + 1)
            for key in value
            if key not in _NEVER_CARRIED and key not in skip
        )


def plain(value: Any) -> bytes:
    """A name, number, string or array without references, as it is written."""
    out = io.BytesIO()
    value.write_to_stream(out)
    return out.getvalue()
