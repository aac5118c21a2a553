"""The worker's own ends: failures are named without a word of the file, frames have limits."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiyao.common.frames import read_frame, write_frame
from jiyao.common.sandbox import environment
from jiyao.formats.fault import FormatFault
from jiyao.stages import worker

SECRET = "九头鸟工程"


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET), KeyError(SECRET), RecursionError(SECRET), AssertionError(SECRET),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), OSError(errno.EINVAL, SECRET, SECRET),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_failure_says_where_and_never_what(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object) -> None:
        raise error

    monkeypatch.setitem(worker.ACTS, "read", act)  # type: ignore[arg-type]
    answer, data = worker.serve({"act": "read", "fields": {}}, b"")
    assert (answer["outcome"], answer["code"], data) == ("failed", "worker_error", b"")
    assert SECRET not in str(answer) and "test_worker.py:" in answer["detail"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_full_scratch_folder_is_not_the_papers_fault(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object) -> None:
        raise OSError(code, SECRET, f"/scratch/{SECRET}")

    monkeypatch.setitem(worker.ACTS, "read", act)  # type: ignore[arg-type]
    answer, _ = worker.serve({"act": "read", "fields": {}}, b"")
    assert answer["code"] == "disk_full" and SECRET not in str(answer)


def test_a_named_fault_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object) -> None:
        raise FormatFault("damaged_file", "pdf")

    monkeypatch.setitem(worker.ACTS, "read", act)  # type: ignore[arg-type]
    answer, _ = worker.serve({"act": "read", "fields": {}}, b"")
    assert (answer["code"], answer["detail"]) == ("damaged_file", "pdf")


def test_a_worker_knows_no_other_temporary_folder(tmp_path: Path) -> None:
    """Where Python would fall back to /tmp (its own folder is gone or full), the worker fails instead."""
    gone, said = tmp_path / "gone", tmp_path / "said"
    script = f"""
import pathlib, sys, tempfile
from jiyao.stages import worker
def read_frame(source):
    pathlib.Path({str(said)!r}).write_text(tempfile.gettempdir())
worker.read_frame = read_frame
worker.main()
"""
    subprocess.run(
        [sys.executable, "-c", script],
        env=environment(gone),
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    assert said.read_text() == str(gone) != tempfile.gettempdir()


# ---------------------------------------------------------------- frames


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20), max_size=4),
    st.binary(max_size=300),
)
def test_frames_come_through(header: dict[str, object], data: bytes) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, header, data)
    pipe.seek(0)
    assert read_frame(pipe) == (header, data)
    assert read_frame(pipe) is None


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_the_end(garbage: bytes) -> None:
    try:
        frame = read_frame(io.BytesIO(garbage), header_bytes=1000, data_bytes=1000)
    except ValueError:
        return
    assert frame is None or isinstance(frame[1], bytes)


@pytest.mark.parametrize("head", [b"\xff\xff\xff\xff", b"\0\0\0\2{}" + b"\xff" * 8])
def test_a_frame_may_not_be_longer_than_agreed(head: bytes) -> None:
    with pytest.raises(ValueError, match="too long"):
        read_frame(io.BytesIO(head + os.urandom(32)), header_bytes=1 << 20, data_bytes=1 << 20)
