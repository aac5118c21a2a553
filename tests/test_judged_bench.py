"""`bench suggest` gives the figures of suggesting, each against its named baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiyao.pipeline.bench import suggesting as bench_suggesting
from jiyao.pipeline.bench.race import run_race
from jiyao.samples.judged_baseline import NAME
from jiyao.samples.judged_set import Case, load_cases


def test_every_figure_has_its_baseline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def some(split: str) -> tuple[Case, ...]:
        asked.append(split)
        return load_cases("test")[::16]

    monkeypatch.setattr(bench_suggesting, "load_cases", some)
    rows = [run_race(race) for race in bench_suggesting.suggest(tmp_path, quick=True)]
    assert asked == ["test"]
    names = {row["name"] for row in rows}
    assert {"suggest.cost", "suggest.marked_exact", "suggest.ends", "suggest.pace", "suggest.start"} <= names
    assert len(names) == len(rows)
    for row in rows:
        assert row["against"] == (NAME if row["name"] != "suggest.start" else "python -c pass")
        assert row["baseline"] is not None and row["missing"] is None and row["note"]
    cost = next(row for row in rows if row["name"] == "suggest.cost")
    assert cost["unit"] == "cost/paper" and cost["value"] < cost["baseline"]
