"""Tesseract's library in this process: a strip of text is read without starting the program for it.

A page takes some thirty looks, and the program spends more time on starting and on loading its model than on most
of them. The library is the one the program itself is made of, with the same model, and says the same.

Threat model. What goes in are pixels drawn here, grey, no larger than a page: no file of the outside is parsed, none
is written, and nothing of a page lies in the temporary directory. A fault in the library ends the worker it runs in;
the coordinator names the page, as with every other engine. Models come from the distribution's folder alone.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "libtesseract.so.5"
_NOWHERE = b"/dev/null"
"""Where the library's own remarks go; on the error output they would stand among the worker's."""


class Reader:
    """The library with the model of one language. Several threads may ask; one is answered at a time."""

    __slots__ = ("_handle", "_library", "_lock")

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._library, self._handle, self._lock = library, handle, Lock()

    def table(self, strip: NDArray[np.uint8], *, psm: int, page: int = 0) -> str:
        """The words of one strip as the program prints them: a row of twelve cells divided by tabs for each, without
        the row of headings; empty when it breaks down.

        Args:
            strip: height x width, grey.
            psm: the program's page segmentation.
            page: its place among the strips, from 0; the table counts from 1.
        """
        high, wide = strip.shape
        with self._lock:
            self._library.TessBaseAPISetPageSegMode(self._handle, psm)
            self._library.TessBaseAPISetImage(self._handle, strip.tobytes(), wide, high, 1, wide)
            try:
                if self._library.TessBaseAPIRecognize(self._handle, None) != 0:
                    return ""
                text = self._library.TessBaseAPIGetTsvText(self._handle, page)
                if not text:
                    return ""
                try:
                    return ctypes.string_at(text).decode("utf-8", errors="replace")
                finally:
                    self._library.TessDeleteText(text)
            finally:
                self._library.TessBaseAPIClear(self._handle)


@cache
def reader(language: str, version: str) -> Reader | None:
    """The library with the model of `language`; None where it is not there, is not of the program's `version`, or
    lacks the model: then the program does the work.

    Call it the first time with `OMP_THREAD_LIMIT` set: the library reads it once.
    """
    library = _library()
    if library is None or library.TessVersion().decode("ascii", errors="replace").split("-")[0] != version:
        return None
    handle = library.TessBaseAPICreate()
    library.TessBaseAPISetVariable(handle, b"debug_file", _NOWHERE)
    if library.TessBaseAPIInit3(handle, None, language.encode("ascii")) != 0:
        library.TessBaseAPIDelete(handle)
        return None
    library.TessBaseAPISetVariable(handle, b"debug_file", _NOWHERE)
    return Reader(library, handle)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(FILE)
    except OSError:  # not installed under this name: the program is asked
        return None
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for name, answer, given in (
        ("TessVersion", text, []),
        ("TessBaseAPICreate", pointer, []),
        ("TessBaseAPIDelete", None, [pointer]),
        ("TessBaseAPIInit3", number, [pointer, text, text]),
        ("TessBaseAPISetVariable", number, [pointer, text, text]),
        ("TessBaseAPISetPageSegMode", None, [pointer, number]),
        ("TessBaseAPISetImage", None, [pointer, text, number, number, number, number]),
        ("TessBaseAPIRecognize", number, [pointer, pointer]),
        ("TessBaseAPIGetTsvText", pointer, [pointer, number]),
        ("TessBaseAPIClear", None, [pointer]),
        ("TessDeleteText", None, [pointer]),
    ):
        function: Callable[..., Any] | None = getattr(library, name, None)
        if function is None:
            return None
        function.restype, function.argtypes = answer, given  # type: ignore[attr-defined]
    return library
