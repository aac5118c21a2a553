"""Measurements of speed give figures; how fast is never a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from jiyao.cli import main
from jiyao.common.errors import MissingTool
from jiyao.pipeline.bench import flat as bench_flat
from jiyao.pipeline.bench import ingest as bench_ingest
from jiyao.pipeline.bench import key_tree as bench_key_tree
from jiyao.pipeline.bench import read as bench_read
from jiyao.pipeline.bench.race import Race, run_race
from jiyao.pipeline.bench.run import PARTS, TOPICS
from jiyao.samples.measure import samples
from jiyao.samples.sheet import font_path
from token_kit import module


def test_the_cheapest_two_give_their_figures() -> None:
    done = CliRunner().invoke(main, ["bench", "seal", "destroy", "--quick", "--json"])
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert [row["name"] for row in value["results"]] == ["seal", "destroy.1000", "destroy.10000"]
    for row in value["results"]:
        assert {"name", "value", "unit", "baseline", "ratio", "better", "against", "rounds", "note"} <= set(
            row
        )
        assert row["against"]
        assert min(row["value"], row["baseline"], row["ratio"], row["rounds"]) > 0
    assert value["quick"] is True
    assert value["machine"]["cores"] >= 1


def test_the_key_tree_against_the_flat_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_key_tree, "_QUICK", 10_200)
    done = CliRunner().invoke(main, ["bench", "keys", "--quick", "--json"])
    assert done.exit_code == 0, done.output
    rows = {row["name"].removeprefix("keys."): row for row in json.loads(done.stdout)["results"]}
    assert set(rows) - {"fsyncs", "fsyncs.together"} == {
        "lookup", "add", "destroy.one", "destroy.100", "destroy.many", "destroy.together", "destroy.whole", "rekey",
        "size", "written",
    }  # fmt: skip
    assert all(row["value"] > 0 and (row["ratio"] or not row["against"]) for row in rows.values())
    # these two are figures of the format, not of the machine
    assert rows["size"]["value"] < 48 and rows["written"]["value"] < 200
    for name in ("fsyncs", "fsyncs.together"):
        assert rows.get(name, {"value": 10})["value"] <= 10


def test_a_root_on_a_token_against_a_root_file() -> None:
    module()
    done = CliRunner().invoke(main, ["bench", "token", "--quick", "--json"])
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)["results"]
    assert row["name"] == "token" and row["value"] > 0 and row["ratio"] > 0


def test_an_unknown_name_is_wrong_usage() -> None:
    done = CliRunner().invoke(main, ["bench", "seal", "nothing", "--json"])
    assert done.exit_code == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "unknown_bench"
    assert all(name in error["hint"] for name in TOPICS)


def test_every_name_of_the_contract_is_there() -> None:
    assert set(TOPICS) == {"read", "ingest", "seal", "destroy", "certificate", "trace", "start", "suggest"}
    assert set(PARTS) == {
        "flat",
        "issue",
        "keys",
        "log",
        "marks",
        "marks.speed",
        "marks.unmarked",
        "registry",
        "token",
        "read.clean",
        "read.office",
        "read.bad",
        "read.awful",
    }


def test_a_race_without_a_baseline_says_what_is_missing() -> None:
    row = run_race(Race(name="x", unit="%", against="other", product=lambda: 1.0, baseline=None, rounds=1))
    assert (row["baseline"], row["ratio"], row["missing"]) == (None, None, "bench_baseline_missing")
    alone = run_race(Race(name="x", unit="MiB", against="", product=lambda: 1.0, baseline=None, rounds=1))
    assert alone["missing"] is None
    nothing = run_race(
        Race(name="x", unit="%", against="y", product=lambda: 1.0, baseline=lambda: 0.0, rounds=1)
    )
    assert (nothing["baseline"], nothing["ratio"]) == (0.0, None)
    times = iter(range(100))
    many = run_race(
        Race(name="x", unit="ms", against="", product=lambda: next(times), baseline=None, rounds=40)
    )
    assert (many["value"], many["p95"], alone["p95"]) == (19.5, 37, None)


def test_the_scanned_batch_has_the_files_and_pages_asked_for_and_is_the_same_again(tmp_path: Path) -> None:
    try:
        font_path("serif")
    except MissingTool:
        pytest.skip("the Noto CJK fonts are not installed")
    first, pages = bench_ingest._write_scans(tmp_path / "a", 3, 6, seed=2)
    again, _ = bench_ingest._write_scans(tmp_path / "b", 3, 6, seed=2)
    assert len(first) == 3 and 6 <= pages <= 10
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_the_long_batch_has_the_same_work_in_every_tenth_and_no_file_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        font_path("serif")
    except MissingTool:
        pytest.skip("the Noto CJK fonts are not installed")
    monkeypatch.setattr(bench_flat, "_TENTHS", 2)
    monkeypatch.setattr(bench_flat, "_POOL", 2)
    texts, scanned = bench_flat.write_batch(tmp_path, files=1, pages=4, seed=3)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["0-000.pdf", "0-001.pdf", "1-000.pdf", "1-001.pdf"]
    assert len({path.read_bytes() for path in files}) == 4
    pages = [len(PdfReader(path).pages) for path in files]
    assert (texts, scanned) == (pages[1] + pages[3], pages[0] + pages[2]) and texts == 8


def test_values_standing_verbatim_are_counted_without_repair() -> None:
    sample = next(samples(1, seed=5, split="test", severity="clean"))
    whole = bench_read._verbatim(sample, ["\n".join(page.lines) for page in sample.truth])
    assert all(whole) and len(whole) >= 2
    assert not any(bench_read._verbatim(sample, [""]))
