"""A room of seven people works a week: six of them with several roles each, the seventh both administrators in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from week_kit import Staff, Week, choose, fake_lp
from week_script import Script, no_slips

SEVEN = Staff(
    persons={
        "wang": ("jiyao_clerk",),
        "li": ("scan_operator", "archivist", "destroy_operator"),
        "zhou": ("scan_operator", "handler", "reader", "destroy_operator", "unit_liaison"),
        "sun": ("determination_reviewer", "destroy_supervisor", "reader", "release_reviewer"),
        "zhao": ("office_director", "head_of_room", "destroy_supervisor"),
        "qian": ("leader_in_charge", "principal", "determiner", "destroy_supervisor"),
    },
    duties={
        "clerk": ("wang",), "scan": ("li",), "next_shift": ("zhou",), "arch": ("li",), "rev": ("sun",),
        "det": ("qian",), "dir": ("zhao",), "lead": ("qian",), "prin": ("qian",), "op1": ("li",), "op2": ("zhou",),
        "sup1": ("sun",), "sup2": ("qian",),
    },
    readers=("zhou", "sun", "qian"),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.req("R-001", "R-003", "R-012", "R-016", "R-017")
def test_seven_people_complete_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_slips(monkeypatch)
    fake_lp(tmp_path, monkeypatch)
    week = Week.make(tmp_path, SEVEN)
    choose(week, small_room="true")
    assert week.station.policy.small_room
    Script(week, papers=2, copies=2, cabinet=False).run()
