"""Files made to break parsers: each ends in a named verdict, in time, and leaves nothing behind."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import format_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.common.messages import catalogue
from jiyao.formats.fault import FormatFault
from jiyao.formats.office_convert import converter
from jiyao.pipeline.intake.executor import Job, LocalExecutor, Reply

SECONDS = 60
RSS = 1536 * 1024 * 1024
DISAGREED = {
    # Encrypted to certificates, which the tool that made the index could not open: it is not broken.
    "pdf/223_minimal-pubkey-rc4-envelope.pdf": "encrypted",
    # Sealed with the password that every Office program tries by itself ([MS-OFFCRYPTO]): it opens without a question.
    "docx/060_protected_agile.docx": "ok",
}
TEMPLATES = {
    # The index counted every page part; these documents have one page each, the rest are templates (GB/T 33190, 7.7).
    "ofd/195_fptpl.ofd": 1,
    "ofd/167_20240531141733.ofd": 1,
}
BY_LIBREOFFICE = {
    "doc/015_Bug53380_2.doc", "docm/023_earch.perl.org_src_tobyink_acme-rundoc-0.001_word-lib_hello_world.docm",
    "pptx/611_testWPSAttachment.pptx", "rtf/612_testRTF.rtf", "xlsx/693_testEXCEL.xlsx",
}  # fmt: skip
"""The index calls these unsupported; they are read where LibreOffice is installed."""
OFFICE = converter() is not None
READ = {"engine": "auto", "split": "none"}


@pytest.fixture(scope="module")
def torture(request: pytest.FixtureRequest) -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared/data/torture"
    if not folder.is_dir():
        pytest.skip("../shared/data/torture is absent")
    return folder


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    with LocalExecutor(jobs=1, scratch=tmp_path_factory.mktemp("torture") / "s") as running:
        yield running


def verdict(reply: Reply) -> str:
    """`ok`, or the verdict of the fault."""
    if reply.outcome in ("done", "doubt"):
        return "ok"
    assert reply.outcome == "failed" and reply.code in catalogue(), reply
    return FormatFault(reply.code, reply.detail).verdict


def peak(executor: LocalExecutor) -> int:
    """Most memory that any worker of this test process has now, children included."""
    workers = [
        child for child in psutil.Process().children() if "jiyao.stages.worker" in " ".join(child.cmdline())
    ]
    return max(
        (sum(p.memory_info().rss for p in (w, *w.children(recursive=True))) for w in workers), default=0
    )


def expected(row: dict[str, str]) -> set[str]:
    known = {"ok", "damaged", "encrypted", "unsupported"}
    if row["tolerance"] == "either":
        return known
    if OFFICE and row["path"] in BY_LIBREOFFICE:
        return {"ok"}
    return {DISAGREED.get(row["path"], row["expected"])}


@pytest.mark.parametrize("act", ["look", "read"])
def test_every_torture_file_has_its_verdict(torture: Path, executor: LocalExecutor, act: str) -> None:
    if act == "read" and not shutil.which("tesseract"):
        pytest.importorskip("rapidocr", reason="neither engine is installed")
    rows = list(csv.DictReader((torture / "index.csv").open(encoding="utf-8")))
    assert len(rows) == 98
    wrong = []
    for row in rows:
        if act == "look" and row["path"] in BY_LIBREOFFICE:
            continue  # as long to look at as to read
        started = time.monotonic()
        job = Job(act, READ if act == "read" else {}, (torture / row["path"]).read_bytes())
        reply = executor.submit(job).result(SECONDS + 5)
        if act == "read" and reply.code == "ocr_nothing_read":
            continue  # opened and drawn, but the engine could read no page: a verdict of another stage
        got = verdict(reply)
        if got not in expected(row) or time.monotonic() - started > SECONDS or peak(executor) > RSS:
            wrong.append((row["path"], row["expected"], got, reply.code))
        if got == "ok" and row["pages"]:
            assert reply.value["pages"] == TEMPLATES.get(row["path"], int(row["pages"])), row["path"]
    assert wrong == []


def test_names_decide_nothing_and_sources_stay_as_they_are(torture: Path, executor: LocalExecutor) -> None:
    for path in sorted((torture / "made/names").iterdir()):
        before = path.read_bytes()
        assert executor.submit(Job("look", {}, before)).result(60).value["kind"] == "pdf"
        assert path.read_bytes() == before
    assert (
        executor.submit(Job("look", {}, (torture / "made/really_a_docx.pdf").read_bytes()))
        .result(60)
        .value["kind"]
        == "docx"
    )


_WRITES = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from jiyao.stages.worker import serve
written = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and (arguments[2] or 0) & 3 and arguments[0] != "/dev/null":
        written.append(arguments[0])
    if event in ("os.mkdir", "os.rename", "os.symlink", "os.link"):
        written.append(str(arguments[0]))
sys.addaudithook(watch)
for name in Path(sys.argv[2]).rglob("*"):
    if name.is_file():
        if str(name.relative_to(sys.argv[2])) not in sys.argv[4:]:
            serve({"act": "look", "fields": {}}, name.read_bytes())
        serve({"act": "sheet", "fields": {"boxes": [[1, {"left": 0.1, "top": 0.1, "right": 0.4, "bottom": 0.3}]]}},
              name.read_bytes())
print([name for name in written if not name.startswith(sys.argv[3])])
"""


@pytest.mark.slow
@pytest.mark.req("R-022")
def test_opening_and_drawing_writes_no_file(torture: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-B", "-c", _WRITES, str(Path(__file__).parent), str(torture), str(tmp_path),
            *BY_LIBREOFFICE,
        ],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr[-500:]


SEEDS = {
    "pdf": kit.pdf(kit.shown("Hello world"), pages=2, catalog="/OpenAction<</S/JavaScript/JS(1)>>"),
    "docx": kit.docx(kit.paragraph("通知") + "<w:p><w:r><w:br w:type='page'/><w:t>二</w:t></w:r></w:p>"),
    "png": kit.picture("PNG"),
    "jpeg": kit.picture("JPEG"),
    "tiff": kit.picture("TIFF", mode="1", compression="group4"),
    "gif": kit.picture("GIF"),
    "bmp": kit.picture("BMP"),
    "webp": kit.picture("WEBP"),
    "jp2": kit.picture("JPEG2000"),
}
BOX = {"left": 0.1, "top": 0.1, "right": 0.4, "bottom": 0.3}


def mutated(data: bytes, seed: int) -> bytes:
    """A few bytes changed, cut out, doubled or put in."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(5):
            case 0 | 1 if at < len(out):
                out[at] = chance.randrange(256)
            case 2:
                del out[at : at + chance.randint(1, 40)]
            case 3:
                out[at:at] = chance.randbytes(chance.randint(1, 20))
            case 4:
                out[at:at] = out[max(0, at - 120) : at]
    return bytes(out)


@settings(max_examples=250)
@given(
    kind=st.sampled_from(sorted(SEEDS)), seed=st.integers(0, 1 << 40), act=st.sampled_from(["look", "sheet"])
)
def test_no_small_change_of_a_file_crashes_a_worker(kind: str, seed: int, act: str) -> None:
    fields = {"boxes": [[1, BOX]]} if act == "sheet" else {}
    reply = _fuzzed().submit(Job(act, fields, mutated(SEEDS[kind], seed))).result(60)
    assert verdict(reply) in ("ok", "damaged", "encrypted", "unsupported")


_RUNNING: list[LocalExecutor] = []


def _fuzzed() -> LocalExecutor:
    return _RUNNING[0]


@pytest.fixture(scope="module", autouse=True)
def _fuzzing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with LocalExecutor(
        jobs=1, scratch=tmp_path_factory.mktemp("fuzz") / "s", limits=DEFAULT_LIMITS
    ) as running:
        _RUNNING.append(running)
        yield
    _RUNNING.clear()
