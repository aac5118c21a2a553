"""What a worker can be asked about the marks of copies: to set them, to read them, to show and to measure them.

As in worker_acts: each act is pure, imports stand inside.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from itertools import count

from ..common.errors import JiyaoError
from ..models.wire import from_plain, to_plain
from .worker_request import Answer, Request, done


def _draw(request: Request) -> Answer:
    """A copy of the document, by its specification; PNG pages come as one zip. Behind it in the bytes the pages whose
    glyphs are shifted, as they were.
    """
    from ..models.copy import CopySpec
    from .stamp import draw, zip_pages
    from .stamp_glyphs import Shifter
    from .stamp_prepared import PreparedDocuments

    spec = from_plain(CopySpec, request.fields["spec"])
    if not isinstance(request.known.prepared, PreparedDocuments):
        request.known.prepared = PreparedDocuments()
    steps = count(1)
    with request.opened(quiet=True) as opened:
        how = f"{spec.flatten or spec.format == 'png'} {spec.glyphs and spec.forensic_id is not None}"
        prepared = request.known.prepared.of(f"{hashlib.sha256(request.data).hexdigest()} {how}")
        shifter = Shifter.of(spec, prepared.glyphs)

        def tick() -> None:
            """A page takes up to two steps; it is reported once they are done, so that no step is without time."""
            request.report({"page": 1 + next(steps) // 2}, b"")

        kept: list[bytes] = []

        def behind() -> bytes:
            kept.append(shifter.packed() if shifter is not None else b"")
            return kept[0]

        if spec.format == "png":
            data = zip_pages(
                opened, spec, limits=request.limits, shifter=shifter, prepared=prepared, tick=tick,
                behind=behind,
            )  # fmt: skip
        else:
            data = draw(
                opened, spec, limits=request.limits, source=request.data, shifter=shifter, prepared=prepared,
                tick=tick, behind=behind,
            )  # fmt: skip
        claimed = shifter.claimed if shifter is not None else {}
        value = {
            "pages": opened.page_count, "size": len(data) - len(kept[0]),
            "glyphs": {str(number): many for number, many in claimed.items()},
        }  # fmt: skip
        return done(value), data


def _copies(request: Request) -> Answer:
    """The copies there are, for the tracing that is to come."""
    request.known.copies = request.data
    return done({}), b""


def _marks(request: Request) -> Answer:
    """The marks of a suspect file, what there is to show of them, and in the bytes the sightings of the tint."""
    import numpy as np

    from ..watermark.tint import TintKey
    from .mark_tint import pack
    from .read_marks import survey

    fields = request.fields
    ids = np.frombuffer(request.known.copies, "<u8").tolist()
    with request.opened() as opened:
        found = survey(
            opened, limits=request.limits, source=request.data, tint=TintKey(bytes.fromhex(fields["tint"])), ids=ids,
            thorough=bool(fields.get("thorough")), brief=bool(fields.get("brief")), given=fields,
        )  # fmt: skip
    facts, data = pack(found.seen)
    value = {
        "marks": to_plain(found.marks),
        "views": to_plain(found.views),
        "seen": facts,
        "brief": found.brief,
    }
    return done(value), data


def _add_up(request: Request) -> Answer:
    """The sightings of several suspect files together."""
    import numpy as np

    from ..watermark.tint import TintKey
    from .mark_tint import add_up, unpack

    ids = np.frombuffer(request.known.copies, "<u8").tolist()
    seen = unpack(request.fields["seen"], request.data)
    found = add_up(seen, TintKey(bytes.fromhex(request.fields["tint"])), ids)
    return done({"marks": to_plain(found.marks), "views": to_plain(found.views)}), b""


def _trace_report(request: Request) -> Answer:
    """A trace report; the leaked files and master pages stand in the bytes, one behind the other."""
    from ..formats.fault import FormatFault
    from ..models.copy import MarkView
    from .trace_picture import show
    from .trace_sheet import SheetItem, draw_report

    fields, at, items = request.fields, 0, []
    for item in fields["items"]:
        leak, at = request.data[at : at + int(item["size"])], at + int(item["size"])
        master, at = request.data[at : at + int(item["master"])], at + int(item["master"])
        shown = None
        if leak:
            view = from_plain(MarkView, item["view"]) if item["view"] else None
            try:
                shown = show(leak, view, limits=request.limits, master=master or None)
            except (FormatFault, JiyaoError):  # what cannot be opened is said in its result
                shown = None
        items.append(
            SheetItem(
                name=str(item["name"]), result=item["result"], shown=shown, tried=tuple(item["tried"]),
                weak=tuple(item["weak"]),
            )
        )  # fmt: skip
    return done({}), draw_report(fields["head"], items, lang=fields["lang"])


def _drill_make(request: Request) -> Answer:
    """Test pages of the marks, as a PDF."""
    from ..watermark.tint import TintKey
    from .mark_drill import STEPS, make_pages

    sheets = int(request.fields["sheets"])
    data = make_pages(TintKey(bytes.fromhex(request.fields["tint"])), sheets=sheets)
    return done({"pages": sheets * len(STEPS), "steps": list(STEPS)}), data


def _drill_read(request: Request) -> Answer:
    """What came back of test pages."""
    from ..watermark.tint import TintKey
    from .mark_drill import read_pages

    key = TintKey(bytes.fromhex(request.fields["tint"]))
    end = time.monotonic() + 0.9 * 600
    with request.opened() as opened:
        pages = list(read_pages(opened, key, end=end))
    found = [to_plain(page) for page in pages if page is not None]
    return done({"pages": found, "foreign": len(pages) - len(found)}), b""


def _drill_report(request: Request) -> Answer:
    """The figures of the drills as a paper."""
    from .mark_drill_sheet import draw_drill_report

    fields = request.fields
    return done({}), draw_drill_report(fields["value"], fields["head"], lang=fields["lang"])


MARK_ACTS: dict[str, Callable[[Request], Answer]] = {
    "draw": _draw,
    "copies": _copies,
    "marks": _marks,
    "add_up": _add_up,
    "trace_report": _trace_report,
    "drill_make": _drill_make,
    "drill_read": _drill_read,
    "drill_report": _drill_report,
}
