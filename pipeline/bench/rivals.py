"""What people read scans with today, measured on the same files: plain Tesseract, and OCRmyPDF. Bench only."""

from __future__ import annotations

import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import psutil
import pypdfium2
import pytesseract

from ...stages.engines.tesseract_program import one_thread
from .race import require

LANGUAGES: Final = "chi_sim+eng"
TESSERACT: Final = f"pytesseract {LANGUAGES} --psm 3"
OCRMYPDF: Final = "ocrmypdf -l chi_sim --jobs 2"
_LOOK_SECONDS = 0.05
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What another program read: the text of each page of each file, and what that took.

    `seconds` of wall clock, `cpu` seconds of all its processes, `peak` resident bytes of its largest process.
    """

    texts: tuple[tuple[str, ...], ...]
    seconds: float
    cpu: float
    peak: int


def tesseract_reads() -> bool:
    """Whether Tesseract is there with both languages."""
    try:
        return set(LANGUAGES.split("+")) <= set(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, OSError):
        return False


def ocrmypdf_reads() -> bool:
    """Whether OCRmyPDF is there."""
    return shutil.which("ocrmypdf") is not None


def read_with_tesseract(files: Sequence[bytes], *, workers: int) -> Rival:
    """Each page as its scan is, at the scan's own resolution, without preparation; `workers` at a time."""
    pages = [(number, page) for number, data in enumerate(files) for page in _pictures(data)]

    def work() -> list[str]:
        with one_thread(), ThreadPoolExecutor(workers) as pool:
            return list(
                pool.map(
                    lambda page: str(pytesseract.image_to_string(page[1], lang=LANGUAGES, config="--psm 3")),
                    pages,
                )
            )

    texts, seconds, cpu, peak = _measured(work)
    require(any(text.strip() for text in texts), "read")
    by_file: list[list[str]] = [[] for _ in files]
    for (number, _), text in zip(pages, texts, strict=True):
        by_file[number].append(text)
    return Rival(texts=tuple(map(tuple, by_file)), seconds=seconds, cpu=cpu, peak=peak)


def read_with_ocrmypdf(files: Sequence[bytes], folder: Path) -> Rival:
    """One call a file, one file after the other, two jobs each, its text beside it; `folder` is for its files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, data in enumerate(files):
        paths.append(folder / f"{number:04}.pdf")
        paths[-1].write_bytes(data)

    def work() -> list[tuple[str, ...]]:
        return [_ocrmypdf(path) for path in paths]

    texts, seconds, cpu, peak = _measured(work)
    require(any(any(pages) for pages in texts), "read")
    return Rival(texts=tuple(texts), seconds=seconds, cpu=cpu, peak=peak)


def _ocrmypdf(path: Path) -> tuple[str, ...]:
    text = path.with_suffix(".txt")
    done = subprocess.run(
        ["ocrmypdf", "-l", "chi_sim", "--jobs", "2", "--quiet", "--sidecar", text, path, path.with_suffix(".out.pdf")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    require(done.returncode == 0, "read")
    return tuple(text.read_text("utf-8").removesuffix("\f").split("\f"))


def _pictures(data: bytes) -> Iterator[object]:
    """The pages as pictures: what the scanner gave, drawn at its resolution."""
    document = pypdfium2.PdfDocument(data)
    try:
        for page in document:
            wide, _ = page.get_size()
            image = next(iter(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])))
            across, _ = image.get_px_size()
            picture = page.render(scale=across / wide).to_pil()
            picture.info["dpi"] = (round(across / wide * 72),) * 2
            yield picture
    finally:
        document.close()


def _measured(work: Callable[[], T]) -> tuple[T, float, float, int]:
    before, began = _children_cpu(), time.perf_counter()
    with Peak() as peak:
        result = work()
    return result, time.perf_counter() - began, _children_cpu() - before, peak.largest


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peak:
    """The most resident bytes that processes started while the block runs have held, looked at time and again.

    `largest`: of any one of them; `first`: of the first that was started directly (its children are not in it).
    """

    def __init__(self) -> None:
        self.largest = self.first = 0
        self.below_first = 0
        """Of the largest process that the first one has started."""
        self._before = {child.pid for child in psutil.Process().children(recursive=True)}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._done.wait(_LOOK_SECONDS):
            direct = {child.pid for child in own.children()}
            for child in own.children(recursive=True):
                if child.pid in self._before:
                    continue
                held = _resident(child)
                self.largest = max(self.largest, held)
                if child.pid in direct:
                    self.first = max(self.first, held)
                else:
                    self.below_first = max(self.below_first, held)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
