"""Measures reading: pages through the OCR, and whole documents through the main job."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType

import docx
import psutil
import pytesseract
from PIL import Image

from ..common.errors import MissingTool
from ..samples.make import make_paper
from ..samples.render import render
from ..stages.engines.choose import AUTO, choose
from .bench_race import Race, Races, require, seconds
from .bench_room import bench_station
from .executor import Job, LocalExecutor
from .plan import job_of
from .runner import BatchRun, Request

_WORKERS = 2
_LANGUAGES = "chi_sim+eng"
_LOOK_SECONDS = 0.05
_MIB = 1024 * 1024


def ocr(folder: Path, quick: bool) -> Races:
    """Pages a minute of the default engine, and the most memory its workers hold.

    Two workers of one thread read scanned office pages (JPEG, 200 dpi, made up); before the clock starts each has
    read one page, so that loading the models does not count. Baseline: `pytesseract` on the same pictures as they
    are, two at a time, one thread each.

    Raises:
        MissingTool: no engine; or `bench_baseline_missing`, without Tesseract and its two languages.
    """
    engine = choose(AUTO).engine.name_version
    if not _tesseract_reads():
        raise MissingTool("bench_baseline_missing", what=f"Tesseract ({_LANGUAGES})")
    pages = tuple(_scan(number) for number in range(2 if quick else 6))
    peaks: dict[str, int] = {"product": 0, "baseline": 0}
    with LocalExecutor(jobs=_WORKERS, scratch=folder / "workers") as workers:

        def read(these: tuple[bytes, ...]) -> None:
            jobs = [
                Job(act=job_of("ocr"), fields={"engine": AUTO, "split": "none"}, data=page) for page in these
            ]
            for reply in [workers.submit(job) for job in jobs]:
                require(reply.result().outcome in ("done", "doubt"), "ocr")

        def rate(side: str, work: Callable[[], None]) -> float:
            with _Peak(_children() if side == "baseline" else frozenset()) as peak:
                took = seconds(work)
            peaks[side] = max(peaks[side], peak.bytes)
            return len(pages) / took * 60

        read(pages[:_WORKERS])
        yield Race(
            name="ocr", unit="pages/min", against=f"pytesseract {_LANGUAGES} --psm 3",
            product=partial(rate, "product", lambda: read(pages)),
            baseline=partial(rate, "baseline", lambda: _read_plainly(pages)),
            rounds=1 if quick else 3, note=f"{engine}, {len(pages)} pages, {_WORKERS} workers",
        )  # fmt: skip
    yield Race(
        name="ocr.memory", unit="MiB", against=f"pytesseract {_LANGUAGES} --psm 3",
        product=lambda: peaks["product"] / _MIB, baseline=lambda: peaks["baseline"] / _MIB, rounds=1,
        note=f"peak RSS of {_WORKERS} workers together",
    )  # fmt: skip


def ingest(folder: Path, quick: bool) -> Races:
    """Documents a minute of a DOCX batch through the main job, two workers; starting the workers counts.

    Every round has papers of its own, or the second would meet duplicates. Baseline: `python-docx` opens the same
    files and joins their paragraphs, one after the other in this process: no fields, no level, nothing sealed.
    """
    size = 6 if quick else 16
    seeds = count(1)
    inbox = folder / "inbox"
    inbox.mkdir()

    with bench_station(folder) as (station, actor):

        def product() -> float:
            for path in inbox.iterdir():
                path.unlink()
            for number in range(size):
                (inbox / f"{number:03}.docx").write_bytes(render(make_paper(next(seeds), "train"), "docx"))

            def work() -> None:
                with BatchRun(station, actor, Request(jobs=_WORKERS)) as batch:
                    batch.process(sorted(inbox.iterdir()))
                    require(batch.answer()["counts"]["pending"] == size, "ingest")

            return size / seconds(work) * 60

        def baseline() -> float:
            return size / seconds(lambda: [_join(path) for path in sorted(inbox.iterdir())]) * 60

        yield Race(
            name="ingest", unit="documents/min", against="python-docx, paragraphs joined", product=product,
            baseline=baseline, rounds=1 if quick else 3, note=f"{size} DOCX, {_WORKERS} workers",
        )  # fmt: skip


# ---------------------------------------------------------------- pages and files


def _scan(seed: int) -> bytes:
    return render(make_paper(seed, "train", layout="standard"), "jpeg", "office", seed)


def _tesseract_reads() -> bool:
    try:
        return set(_LANGUAGES.split("+")) <= set(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, OSError):
        return False


def _read_plainly(pages: tuple[bytes, ...]) -> None:
    with _one_thread(), ThreadPoolExecutor(_WORKERS) as pool:
        texts = pool.map(_plain_text, pages)
        require(any(text.strip() for text in texts), "ocr")


def _plain_text(page: bytes) -> str:
    with Image.open(io.BytesIO(page)) as picture:
        return str(pytesseract.image_to_string(picture, lang=_LANGUAGES, config="--psm 3"))


def _join(path: Path) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The program's own threads would be more workers than the product has."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


# ---------------------------------------------------------------- memory


def _children() -> frozenset[int]:
    return frozenset(child.pid for child in psutil.Process().children(recursive=True))


class _Peak:
    """The most resident bytes of this process's children together, looked at while the block runs."""

    def __init__(self, without: frozenset[int]) -> None:
        self.bytes = 0
        self._without = without
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Peak:
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
            held = 0
            for child in own.children(recursive=True):
                if child.pid not in self._without:
                    held += _resident(child)
            self.bytes = max(self.bytes, held)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
