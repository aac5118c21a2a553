"""Measurements of speed give figures; how fast is never a test."""

from __future__ import annotations

import json

from click.testing import CliRunner

from jiyao.cli import main
from jiyao.pipeline.bench import TOPICS


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


def test_an_unknown_name_is_wrong_usage() -> None:
    done = CliRunner().invoke(main, ["bench", "seal", "nothing", "--json"])
    assert done.exit_code == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "unknown_bench"
    assert all(name in error["hint"] for name in TOPICS)


def test_every_name_of_the_contract_is_there() -> None:
    assert set(TOPICS) == {"ocr", "ingest", "seal", "destroy", "certificate", "trace", "start"}
