"""RapidOCR on ONNX Runtime: PP-OCRv6 small, detector and recogniser out of the wheel.

Threat model. The engine reads pages that must not leave the station, and it is a third party's code that
ships a downloader. Accepted: the code of the pinned release itself. Not accepted: a model file other than
that release's (each file's SHA-256 is compared before it is loaded), and any fetching at run time (both
models are named by path, and the downloader is made to fail before anything is built; the worker has no
network besides). A page can at worst waste time: every line is read under the page's time limit.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import cv2
import numpy as np

from ...common.errors import Broken, MissingTool
from ...formats.opened import Picture
from .engine import EngineFault, EngineTimeout, Point, RawLine

VERSION = "3.10.0"
MODELS = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
"""SHA-256 of the model files in the wheel of `VERSION`."""

LONGEST_SIDE = 6000
"""Pixels: below it a page is not shrunk before recognition (the default of 2000 loses small type)."""
DETECTOR_SIDE = 960
LEAST_CONFIDENCE = 0.3
"""Below it a line is taken for dirt. The library's 0.5 loses page numbers and worn marks."""


def package_models() -> Path | None:
    """The folder of the installed package's models, found without importing it; None without the package."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"


def altered_models(folder: Path) -> tuple[str, ...]:
    """Names of the model files in `folder` that are not there or not those of the release."""
    return tuple(name for name, digest in MODELS.items() if _sha256(folder / name) != digest)


@dataclass(frozen=True, slots=True)
class RapidEngine:
    """RapidOCR, loaded at its first page and then kept for the life of the process.

    `models`: folder of the model files, that of the installed package unless given.
    """

    models: Path | None = None

    @property
    def name(self) -> str:
        """As on the command line."""
        return "rapidocr"

    @property
    def name_version(self) -> str:
        """Name and version of the recogniser."""
        return f"rapidocr {VERSION}"

    def missing(self) -> str | None:
        """`rapidocr_not_installed`, `rapidocr_other_version`, `ocr_model_altered`, or None."""
        folder = self.models or package_models()
        if folder is None or importlib.util.find_spec("onnxruntime") is None:
            return "rapidocr_not_installed"
        if _installed_version() != VERSION:
            return "rapidocr_other_version"
        return "ocr_model_altered" if altered_models(folder) else None

    def available(self) -> bool:
        """Whether package and runtime are installed and the models are sound."""
        return self.missing() is None

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """Finds the lines, then reads them one by one; the time limit is looked at before each of them."""
        deadline = monotonic() + seconds
        folder = self.models or package_models()
        if folder is None:
            raise MissingTool("ocr_engine_missing", detail=self.name)
        engine = _load(folder)
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        try:
            return _read(engine, bgr, deadline)
        except EngineFault:
            raise
        except Exception as fault:  # the library documents no set of exceptions
            raise EngineFault("ocr_page_failed") from fault


def _read(engine: Any, bgr: Picture, deadline: float) -> tuple[RawLine, ...]:
    nothing_found = importlib.import_module("rapidocr.main").RapidOCRError
    picture, record = engine.preprocess_img(bgr)
    try:
        crops, found = engine.detect_and_crop(picture, record)
    except nothing_found:
        return ()
    across, down = record["preprocess"]["ratio_w"], record["preprocess"]["ratio_h"]
    pad = record["padding_1"]["top"]
    lines = []
    for box, crop in zip(found.boxes, crops, strict=True):
        if monotonic() > deadline:
            raise EngineTimeout
        if 0 in crop.shape:
            continue
        answer = engine.recognize_txt([crop])
        text, confidence = str(answer.txts[0]), float(answer.scores[0])
        if not text.strip() or confidence < LEAST_CONFIDENCE:
            continue
        corners: list[Point] = [(float(x) * across, (float(y) - pad) * down) for x, y in box]
        scores = tuple(float(score) for score in answer.word_results[0].confs)
        lines.append(
            RawLine(
                text=text,
                quad=(corners[0], corners[1], corners[2], corners[3]),
                confidence=confidence,
                characters=scores if len(scores) == len(text) else (),
            )
        )
    return tuple(lines)


@cache
def _load(folder: Path) -> Any:
    if _installed_version() != VERSION:
        raise MissingTool("rapidocr_other_version", wanted=VERSION)
    wrong = altered_models(folder)
    if wrong:
        raise Broken("ocr_model_altered", detail=", ".join(wrong))
    try:
        downloader = importlib.import_module("rapidocr.utils.download_file")
        library = importlib.import_module("rapidocr")
    except ImportError as fault:
        raise MissingTool("ocr_engine_missing", detail="rapidocr") from fault
    downloader.DownloadFile.run = _refuse_download
    cv2.setNumThreads(1)
    runtime = "EngineConfig.onnxruntime"
    return library.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.max_side_len": LONGEST_SIDE,
            "Global.return_word_box": True,
            "Det.model_path": str(folder / "PP-OCRv6_det_small.onnx"),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTOR_SIDE,
            "Rec.model_path": str(folder / "PP-OCRv6_rec_small.onnx"),
            "Rec.rec_batch_num": 1,
            f"{runtime}.intra_op_num_threads": 1,
            f"{runtime}.inter_op_num_threads": 1,
            f"{runtime}.enable_cpu_mem_arena": True,
        }
    )


def _refuse_download(*_: object, **__: object) -> NoReturn:
    raise EngineFault("ocr_page_failed")


def _installed_version() -> str | None:
    try:
        return importlib.metadata.version("rapidocr")
    except importlib.metadata.PackageNotFoundError:
        return None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
