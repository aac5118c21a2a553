"""Workers under a watch: every way to misbehave ends in a named failure, and the next job finds a sound worker."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

import format_kit as kit
from jiyao.common import sandbox
from jiyao.common.frames import write_frame
from jiyao.common.limits import DEFAULT_LIMITS, Limits
from jiyao.common.messages import catalogue
from jiyao.pipeline.intake.executor import Job, LocalExecutor, Reply
from jiyao.stages.worker import serve

REAL_WORKERS = True
FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
READ = {"engine": "auto", "split": "none"}
LIMITS = replace(
    DEFAULT_LIMITS, seconds_per_document=1.5, seconds_per_page=0.5, worker_rss_bytes=200 * 1024 * 1024
)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[LocalExecutor]:
    with LocalExecutor(jobs=1, scratch=tmp_path / "scratch", limits=LIMITS, command=FAKE) as executor:
        yield executor


def ask(executor: LocalExecutor, data: bytes = b"", **fields: object) -> Reply:
    return executor.submit(Job("fake", fields, data)).result(30)


def is_gone(pid: int, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_a_worker_starts_with_nothing_of_the_station(
    fake: LocalExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIYAO_PASSPHRASE", "hunter2")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    data = os.urandom(3_000_000)
    reply = ask(fake, data, do="echo")
    assert reply.outcome == "done" and reply.data == data
    found = reply.value["environment"]
    assert not any(name.startswith("JIYAO") or "hunter2" in value for name, value in found.items())
    folder = str(tmp_path / "scratch" / "w0")
    assert (found["HOME"], found["TMPDIR"], reply.value["cwd"]) == (folder, folder, folder)
    assert oct(Path(folder).stat().st_mode & 0o777) == "0o700"


def test_a_hanging_worker_is_ended_with_its_children(fake: LocalExecutor, tmp_path: Path) -> None:
    child, own = tmp_path / "child", tmp_path / "own"
    reply = ask(fake, do="hang", child=str(child), self=str(own))
    assert (reply.outcome, reply.code, reply.detail) == ("failed", "timed_out", "2")
    assert is_gone(int(child.read_text())) and is_gone(int(own.read_text()))
    assert ask(fake, b"x", do="echo").data == b"x"
    assert not (tmp_path / "scratch/w0/left-behind").exists()


@pytest.mark.parametrize("fields", [{"do": "eat", "megabytes": 300}, {"do": "feed"}])
def test_memory_is_watched_with_the_childrens(fake: LocalExecutor, fields: dict[str, object]) -> None:
    patient = fake.submit(Job("fake", fields, seconds=20.0)).result(30)
    assert (patient.outcome, patient.code) == ("failed", "too_much_memory")
    assert ask(fake, b"x", do="echo").data == b"x"


def test_a_worker_that_stays_fat_is_replaced(fake: LocalExecutor, tmp_path: Path) -> None:
    assert ask(fake, do="eat", megabytes=140, seconds=0).value == {"kept": 140}
    assert ask(fake, b"x", do="echo").data == b"x"
    workers = [child for child in psutil.Process().children() if "fake_worker" in " ".join(child.cmdline())]
    assert [worker.memory_info().rss < 100 << 20 for worker in workers] == [True]


@pytest.mark.parametrize(("do", "detail"), [("die", "7"), ("signal", "-11")])
def test_a_crash_costs_one_job(fake: LocalExecutor, do: str, detail: str) -> None:
    reply = ask(fake, do=do)
    assert (reply.outcome, reply.code, reply.detail) == ("failed", "worker_crashed", detail)
    assert ask(fake, b"x", do="echo").data == b"x"


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "raw", "bytes": "ffffffff"},
        {"do": "raw", "bytes": "00000002" + b"[]".hex() + "ff" * 8},
        {"do": "raw", "bytes": "00000003" + b"{]}".hex() + "00" * 8},
        {"do": "say", "answer": {"outcome": "fine"}},
        {
            "do": "say",
            "answer": {"outcome": "done", "value": [], "code": None, "detail": "", "questions": []},
        },
        {"do": "say", "answer": {"outcome": "done", "value": {}, "code": 1, "detail": "", "questions": [{}]}},
    ],
)
def test_an_answer_is_not_believed_in_any_form(fake: LocalExecutor, fields: dict[str, object]) -> None:
    reply = ask(fake, **fields)
    assert (reply.outcome, reply.code) == ("failed", "worker_crashed")
    assert ask(fake, b"x", do="echo").data == b"x"


def test_a_long_paper_has_the_time_of_its_pages(fake: LocalExecutor) -> None:
    assert ask(fake, do="pages", honest=True, pages=6, seconds=0.5).outcome == "done"
    assert ask(fake, do="pages", honest=False, pages=12, seconds=0.3).code == "timed_out"


@pytest.mark.parametrize(
    ("then", "code"), [("hang", "timed_out"), ("die", "worker_crashed"), ("eat", "too_much_memory")]
)
def test_a_page_that_kills_its_worker_is_told(fake: LocalExecutor, then: str, code: str) -> None:
    got: list[tuple[int, bytes]] = []
    job = Job(
        "fake", {"do": "read", "pages": 5, "bad": 3, "then": then}, seconds=20.0,
        page_seconds=1.0 if then == "hang" else 20.0,
        on_page=lambda number, page, _: got.append((number, page)),
    )  # fmt: skip
    reply = fake.submit(job).result(30)
    assert (reply.code, reply.page, reply.of) == (code, 3, 5)
    assert got == [(1, b"page 1"), (2, b"page 2")]
    assert reply.seconds < 5
    assert ask(fake, b"x", do="echo").data == b"x"


def test_after_the_last_page_there_is_time_left(fake: LocalExecutor) -> None:
    job = Job("fake", {"do": "read", "pages": 8, "seconds": 0.3}, page_seconds=1.0, on_page=lambda *_: None)
    assert fake.submit(job).result(30).outcome == "done", "longer than the time of a document, page by page"


@pytest.mark.parametrize(
    "frames",
    [[{"page": 2, "of": 1}], [{"page": 1, "of": 9}, {"page": 2, "of": 9}], [{"read": 1}], [{"page": 0, "of": 3}],
     [{"page": 1, "of": 3}, {"read": 2}], [{"page": 1, "of": 10**9}]],
)  # fmt: skip
def test_pages_that_cannot_be_are_not_believed(fake: LocalExecutor, frames: list[dict[str, int]]) -> None:
    raw = io.BytesIO()
    for frame in frames:
        write_frame(raw, frame, b"")
    assert ask(fake, do="raw", bytes=raw.getvalue().hex()).code == "worker_crashed"


def test_urgent_jobs_overtake_those_that_wait(fake: LocalExecutor) -> None:
    first = fake.submit(Job("fake", {"do": "pages", "honest": True, "pages": 1, "seconds": 0.5}))
    jobs = [
        fake.submit(Job("fake", {"do": "order", "name": name}, urgent=name.isupper())) for name in "abABc"
    ]
    assert first.result(10).outcome == "done"
    assert jobs[-1].result(10).value["asked"] == ["A", "B", "a", "b", "c"]


def test_every_worker_is_briefed_and_none_is_started_for_nothing(tmp_path: Path) -> None:
    briefing = Job("fake", {"do": "order", "name": "briefing"})
    with LocalExecutor(jobs=3, scratch=tmp_path / "s", command=FAKE, briefing=briefing) as executor:
        replies = [ask(executor, do="order", name=name) for name in "abc"]
        assert replies[-1].value["asked"] == ["briefing", "a", "b", "c"]
        assert len({reply.value["pid"] for reply in replies}) == 1, "one at a time needs one worker"
        ask(executor, do="die")
        assert ask(executor, do="order", name="d").value["asked"] == ["briefing", "d"]


def test_a_worker_gets_ready_ahead_of_work_and_no_second_one_is_started_for_it(tmp_path: Path) -> None:
    with LocalExecutor(jobs=2, scratch=tmp_path / "s", command=FAKE) as executor:
        executor.warm(Job("fake", {"do": "order", "name": "warm"}))
        executor.brief(Job("fake", {"do": "order", "name": "briefing"}))
        asked = ask(executor, do="order", name="a").value["asked"]
        assert (sorted(asked[:-1]), asked[-1]) == (["briefing", "warm"], "a")
        executor.brief(Job("fake", {"do": "order", "name": "other"}))
        assert ask(executor, do="order", name="b").value["asked"][-2:] == ["other", "b"]
        assert not (tmp_path / "s/w1").exists(), "the first was free"


def test_a_worker_that_dies_while_it_gets_ready_is_replaced(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path / "s", command=FAKE) as executor:
        executor.warm(Job("fake", {"do": "die"}))
        assert ask(executor, do="order", name="a").value["asked"] == ["a"]
    closed = LocalExecutor(jobs=1, scratch=tmp_path / "t", command=FAKE)
    closed.close()
    closed.warm(Job("fake", {"do": "echo"}))
    assert not (tmp_path / "t").exists()


@pytest.mark.req("R-022")
def test_nothing_is_left_between_jobs_and_at_the_end(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path / "s", limits=LIMITS, command=FAKE) as executor:
        for _ in range(2):
            assert ask(executor, do="litter").value == {"found": ["note.txt"]}
        assert list((tmp_path / "s/w0").iterdir()) == []
        outside = tmp_path / "kept.txt"
        outside.write_text("kept")
        (tmp_path / "s/w0/link").symlink_to(outside)
    assert not (tmp_path / "s/w0").exists()
    assert outside.read_text() == "kept"


def test_closing_answers_every_job_and_leaves_no_process(tmp_path: Path) -> None:
    own = tmp_path / "own"
    executor = LocalExecutor(jobs=1, scratch=tmp_path / "s", command=FAKE)
    running = executor.submit(Job("fake", {"do": "hang", "self": str(own)}))
    waiting = [executor.submit(Job("fake", {"do": "echo"})) for _ in range(3)]
    assert waiting[2].cancel()
    while not (own.exists() and own.read_text()):
        time.sleep(0.02)
    executor.close()
    assert [one.result(5).code for one in (running, *waiting[:2])] == ["executor_closed"] * 3
    assert executor.submit(Job("fake", {"do": "echo"})).result(5).code == "executor_closed"
    assert is_gone(int(own.read_text()))


def test_a_worker_that_cannot_start_is_named(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path, command=("/nonexistent/worker",)) as executor:
        assert ask(executor, do="echo").code == "worker_unusable"


def test_jobs_run_side_by_side(tmp_path: Path) -> None:
    with LocalExecutor(jobs=2, scratch=tmp_path, limits=DEFAULT_LIMITS, command=FAKE) as executor:
        started = time.monotonic()
        jobs = [
            executor.submit(Job("fake", {"do": "pages", "honest": True, "pages": 1, "seconds": 1.0}))
            for _ in range(2)
        ]
        assert [job.result(20).outcome for job in jobs] == ["done", "done"]
        assert time.monotonic() - started < 1.9


_PARENT = """
import sys, time
from pathlib import Path
from jiyao.pipeline.intake.executor import Job, LocalExecutor
if __name__ == "__main__":
    with LocalExecutor(jobs=1, scratch=Path(sys.argv[1]), {command}) as executor:
        {act}
        time.sleep(600)
"""


def _parent(tmp_path: Path, *, command: str, act: str) -> subprocess.Popen[bytes]:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT.format(command=command, act=act))
    # a shell that runs things in the background lets them ignore interrupts, and children inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "s"), str(tmp_path / "own")], stderr=subprocess.PIPE
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _wait_for_worker(parent: subprocess.Popen[bytes]) -> psutil.Process:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = psutil.Process(parent.pid).children()
        if found and "jiyao.stages.worker" in " ".join(found[0].cmdline()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no worker")


def test_a_worker_does_not_outlive_a_killed_coordinator(tmp_path: Path) -> None:
    act = "print(executor.submit(Job('look', {}, b'x')).result().code, flush=True)"
    parent = _parent(tmp_path, command="", act=act)
    worker = _wait_for_worker(parent)
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    assert is_gone(worker.pid)


@pytest.mark.slow
def test_an_interrupt_ends_workers_and_clears_scratch(tmp_path: Path) -> None:
    act = "executor.submit(Job('fake', {'do': 'hang', 'self': sys.argv[2]}))"
    parent = _parent(tmp_path, command=f"command={FAKE!r}", act=act)
    own = tmp_path / "own"
    while not (own.exists() and own.read_text()):
        assert parent.poll() is None, parent.communicate()[1].decode()
        time.sleep(0.05)
    parent.send_signal(signal.SIGINT)
    _, errors = parent.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert is_gone(int(own.read_text()))
    assert not any((tmp_path / "s").rglob("*"))


# ---------------------------------------------------------------- the real worker

_PROBE = """
import json, os, resource, socket, sys
from jiyao.common.sandbox import confine
said = confine(file_bytes=1 << 20, namespaces=sys.argv[1] == "yes")
failed = []
for kind, call in (("tcp", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2)),
                   ("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))):
    try:
        call()
    except OSError as error:
        failed.append(kind)
print(json.dumps([said, failed, resource.getrlimit(resource.RLIMIT_CORE)[0],
                  [n for n in os.environ if n.startswith("JIYAO")]]))
"""


@pytest.mark.parametrize("namespaces", ["yes", "no"])
def test_a_worker_reaches_no_network(namespaces: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, namespaces, port],
            capture_output=True, text=True, check=True, env={**os.environ, "JIYAO_USER": "x"},
        )  # fmt: skip
    said, failed, cores, left = json.loads(done.stdout)
    assert said == (sandbox.network_denial() if namespaces == "yes" else "socket")
    assert failed == ["tcp", "udp"]
    assert (cores, left) == (1, [])


_LOADED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import format_kit as kit
from jiyao.stages.worker import ACTS, serve
data = kit.docx(kit.paragraph("关于做好年度工作的通知"))
for act, fields in json.loads(sys.argv[2]).items():
    serve({"act": act, "fields": fields}, data)
from importlib import import_module
for name in ("classify", "retain", "stamp", "read_marks", "review_sheet", "extract", "ocr", "split", "cut"):
    import_module(f"jiyao.stages.{name}")
keys = ("jiyao.vault", "jiyao.ledger", "sqlalchemy")
print(json.dumps([sorted(ACTS), [name for name in sys.modules if name.startswith(keys)]]))
"""


def test_no_act_of_a_worker_loads_keys_or_the_registry() -> None:
    fields = {
        "look": {}, "warm": {"suffixes": [".docx", ".pdf"]}, "peek": {},
        "brief": {"policy": "", "profile": "organ"}, "read": READ,
        "assemble": READ | {"tail": 0, "lost": {}},
        "pages": READ | {"first": 1, "last": 1}, "judge": {"relations": {}}, "draw": {"spec": {}},
        "cut": {"pages": [1]}, "join": {"sizes": [0], "picks": []}, "sheet": {"boxes": []},
        "copies": {}, "marks": {"tint": "00" * 32}, "add_up": {"tint": "00" * 32, "seen": []},
        "trace_report": {"items": [], "head": {}, "lang": "zh"}, "drill_make": {"tint": "00" * 32, "sheets": 1},
        "drill_read": {"tint": "00" * 32}, "drill_report": {"value": {}, "head": {}, "lang": "zh"},
        "searchable": {"transcript": {"pages": []}},
        "lay_text": {"transcript": {"pages": []}}, "unpack": {"first": 0, "passwords": []}, "prints": {}, "items": {},
        "features": {"fields": {}}, "learn": {},
        "glyph_points": {"mirror": False, "seconds": 1}, "glyph_rank": {"points": [], "sizes": [], "seconds": 1},
        "glyphs": {"tint": "00" * 32, "files": [], "sizes": [], "ids": [], "seconds": 1},
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, str(Path(__file__).parent), json.dumps(fields)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    acts, loaded = json.loads(done.stdout.splitlines()[-1])
    assert acts == sorted(fields)
    assert loaded == []


def test_the_real_worker_reads_and_names_what_is_wrong(tmp_path: Path) -> None:
    with LocalExecutor(jobs=1, scratch=tmp_path / "s", limits=Limits()) as executor:
        data = kit.docx(kit.paragraph("关于做好年度工作的通知") + kit.paragraph("二〇二四年五月六日"))
        read = executor.submit(Job("read", {"engine": "auto", "split": "none"}, data)).result(60)
        assert read.outcome == "done", read
        assert read.value["parts"][0]["fields"]["title"] == "关于做好年度工作的通知"
        assert read.value["parts"][0]["fields"]["signed_date"] == "2024-05-06"
        both = kit.pdf(kit.shown("first")) + data
        found = executor.submit(Job("look", {}, both)).result(30).value["findings"]
        assert [finding["code"] for finding in found] == ["polyglot_file"]
        assert executor.submit(Job("look", {}, b"MZ..")).result(30).code == "unsupported_format"
        assert executor.submit(Job("dance", {}, b"")).result(30).code == "unknown_act"
        secret = "绝密内容甲乙丙".encode()
        broken = executor.submit(Job("judge", {"fields": {}, "relations": {}}, secret)).result(30)
        assert broken.outcome == "failed" and "绝密" not in str(broken.code) + broken.detail
    assert not any((tmp_path / "s").rglob("*"))


def test_the_real_worker_hands_over_each_page_once() -> None:
    said: list[tuple[dict[str, Any], bytes]] = []
    data = kit.pdf(kit.shown("the same words on every page"), pages=3)
    answer, _ = serve({"act": "read", "fields": READ}, data, report=lambda *frame: said.append(frame))
    assert answer["outcome"] == "done"
    assert [frame for frame, _ in said] == [
        {"page": 1, "of": 3}, {"read": 1}, {"page": 2, "of": 3}, {"read": 2}, {"page": 3, "of": 3}, {"read": 3},
    ]  # fmt: skip
    pages = b"\n".join(page for frame, page in said if "read" in frame)
    fields = READ | {"tail": len(pages), "lost": {}}
    assert serve({"act": "assemble", "fields": fields}, data + pages)[0] == answer


def test_every_answer_of_the_executor_has_words() -> None:
    codes = (
        "timed_out",
        "too_much_memory",
        "worker_crashed",
        "worker_error",
        "worker_unusable",
        "unknown_act",
    )
    assert set(codes) | {"executor_closed", "disk_full"} <= set(catalogue())
