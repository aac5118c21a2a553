"""A worker: `python -m jiyao.stages.worker`. Reads hostile files; holds no key, no registry, no network.

Frames are those of `common/frames.py`. A request is `{"act", "fields", "limits"}` and the file. While it
works, the worker sends `{"page": n}` when it has come to page n, further than before; the acts that read send
`{"page": n, "of": pages}` before each page and `{"read": n}` with the page's JSON once it is read, so that a
worker that dies costs one page; with `"urgent": true` where page 1 says so. The answer is `{"outcome":
"done|doubt|refused|failed", "value", "code", "detail", "questions"}` and bytes. The end of the input ends the
worker. What libraries print goes nowhere. No text of a document stands in `code` or `detail`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..common.disk import is_disk_trouble
from ..common.errors import JiyaoError
from ..common.frames import read_frame, write_frame
from ..common.limits import DEFAULT_LIMITS, Limits
from ..common.sandbox import confine
from ..models.wire import from_plain
from .worker_acts import ACTS
from .worker_request import Answer, Known, Report, Request, failed

__all__ = ["ACTS", "main", "serve"]

_FILE_BYTES = 2 * 1024**3


def main() -> None:
    """Serves requests until the input ends."""
    confine(file_bytes=_FILE_BYTES)
    # Left to itself, Python goes to /tmp when the scratch folder is full.
    tempfile.tempdir = os.environ.get("TMPDIR")
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)

    def report(said: dict[str, Any], data: bytes) -> None:
        write_frame(sink, said, data)

    known = Known()
    while (request := read_frame(source)) is not None:
        header, data = request
        write_frame(sink, *serve(header, data, report=report, known=known))
        known.get_ready()


def serve(
    header: dict[str, Any],
    data: bytes,
    *,
    report: Report = lambda _said, _data: None,
    known: Known | None = None,
) -> Answer:
    """One request, answered; whatever goes wrong becomes a named failure."""
    limits = from_plain(Limits, header["limits"]) if header.get("limits") else DEFAULT_LIMITS
    act = ACTS.get(str(header.get("act")))
    if act is None:
        return failed("unknown_act", str(header.get("act"))[:32])
    try:
        request = Request(header["fields"], data, limits, report, known or Known())
        return request.told(act(request))
    except JiyaoError as error:
        return failed(error.code, str(error.facts.get("detail", "")))
    except MemoryError:
        return failed("too_much_memory")
    except OSError as error:
        if is_disk_trouble(error):
            return failed("disk_full", tempfile.gettempdir())
        return failed("worker_error", _place(error))
    except Exception as error:  # noqa: BLE001 - the place, never the words: they may quote the file
        return failed("worker_error", _place(error))


def _place(error: Exception) -> str:
    """Class of the error and the innermost place in our own code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} {place}"


if __name__ == "__main__":
    main()
