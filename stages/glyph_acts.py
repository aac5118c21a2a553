"""What a worker can be asked about shifted glyphs: on which pages files may lie, and whose signs they show.

As in worker_acts: each act is pure, imports stand inside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from ..models.wire import to_plain
from .worker_request import Answer, Request, done


def _sketch(request: Request) -> Answer:
    """A few points of each page of a file, and of its mirror image: their numbers, and in the bytes the points."""
    from ..watermark.glyphs_place import pack
    from .mark_glyphs import sketches

    end = time.monotonic() + float(request.fields["seconds"])
    with request.opened() as opened:
        found = sketches(opened, mirror=bool(request.fields["mirror"]), end=end)
    return done({"points": [len(one.points) for one in found]}), b"".join(pack(one) for one in found)


def _rank(request: Request) -> Answer:
    """How many points of the sketches, which stand first in the bytes, each set of pages behind them shares at best;
    -1 for those that time did not suffice for.
    """
    from ..watermark.glyph_pages import unpack
    from ..watermark.glyphs_place import likeness, unpack_points

    points, at = [], 0
    for count in request.fields["points"]:
        one, at = unpack_points(request.data, at, int(count))
        points.append(one)
    end = time.monotonic() + float(request.fields["seconds"])
    scores = []
    for size in request.fields["sizes"]:
        if time.monotonic() > end:
            scores.append(-1)
            continue
        pages = unpack(request.data[at : at + int(size)])
        at += int(size)
        scores.append(max((likeness(one, page.found_by) for page in pages for one in points), default=0))
    return done({"scores": scores}), b""


def _glyphs(request: Request) -> Answer:
    """What the shifted glyphs of suspect files say together, by the pages as they were, which stand behind them in the
    bytes.
    """
    from ..watermark.glyph_pages import unpack
    from ..watermark.glyphs import GlyphKey
    from .mark_glyphs import GlyphSet, read_placed, views

    fields, at = request.fields, 0
    files = []
    for size in fields["files"]:
        files.append(request.data[at : at + int(size)])
        at += int(size)
    sets = []
    for size, ids in zip(fields["sizes"], fields["ids"], strict=True):
        sets.append(GlyphSet(unpack(request.data[at : at + int(size)]), tuple(ids)))
        at += int(size)
    end = time.monotonic() + min(float(fields["seconds"]), request.limits.seconds_per_document * 0.9)
    with ExitStack() as stack:
        opened = []
        for one in files:
            request.data = one
            opened.append(stack.enter_context(request.opened()))
        key = GlyphKey(bytes.fromhex(fields["tint"]))
        copies = sum(len(one.ids) for one in sets)
        marks, laid = read_placed(opened, sets, key, copies=copies, end=end)
    shown = views(marks, sets, laid) if len(files) == 1 else []
    return done({"marks": to_plain(marks), "views": to_plain(shown)}), b""


GLYPH_ACTS: dict[str, Callable[[Request], Answer]] = {
    "glyph_points": _sketch,
    "glyph_rank": _rank,
    "glyphs": _glyphs,
}
