"""A room of fifty people works a week: shifts of clerks, a leader who is away and his deputy, six departments."""

from __future__ import annotations

from pathlib import Path

import pytest

from week_kit import Staff, Week, choose, fake_lp
from week_script import Script, deputise, no_slips

OFFICE = {
    "clerk1": ("jiyao_clerk",), "clerk2": ("jiyao_clerk",), "clerk3": ("jiyao_clerk",), "clerk4": ("jiyao_clerk",),
    "scan1": ("scan_operator",), "scan2": ("scan_operator",), "scan3": ("scan_operator",),
    "head": ("head_of_room",), "duty1": ("duty_officer",), "duty2": ("duty_officer",),
    "arch1": ("archivist",), "arch2": ("archivist",), "keeper": ("personnel_file_keeper",),
    "rev1": ("determination_reviewer",), "rev2": ("determination_reviewer",),
    "det1": ("determiner",), "det2": ("determiner",), "release": ("release_reviewer",),
    "dir": ("office_director",), "vice": ("office_director",), "lead": ("leader_in_charge",),
    "deputy": ("handler",), "prin": ("principal",),
    "op1": ("destroy_operator",), "op2": ("destroy_operator",),
    "sup1": ("destroy_supervisor",), "sup2": ("destroy_supervisor",), "escort": ("escort",),
}  # fmt: skip
DEPARTMENTS = ("财务处", "法规处", "人事处", "规划处", "督查处", "信息处")
LIAISONS = {f"liaison{number}": ("unit_liaison", "reader") for number, _ in enumerate(DEPARTMENTS, 1)}
READERS = {f"reader{number}": ("reader", "handler") for number in range(1, 14)}
FIFTY = Staff(
    persons={**OFFICE, **LIAISONS, **READERS},
    duties={
        # shifts: who opens the mail, who scans, who takes over
        "clerk": ("clerk1", "clerk2", "clerk3", "clerk1", "clerk4"),
        "scan": ("scan1", "scan2", "scan1", "scan3", "scan2"),
        "next_shift": ("scan3",),
        "arch": ("arch1", "arch2"), "rev": ("rev1",), "det": ("det2",),
        "dir": ("dir", "dir", "vice"),
        # the leader in charge leaves on Wednesday; his deputy has the role until Friday
        "lead": ("lead", "lead", "deputy"),
    },
    readers=(*(f"reader{number}" for number in range(1, 8)), *LIAISONS, "reader13"),
    departments={name: DEPARTMENTS[number % 6] for number, name in enumerate((*LIAISONS, *READERS))},
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.req("R-001", "R-003", "R-012", "R-016", "R-017", "R-069")
def test_fifty_people_complete_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_slips(monkeypatch)
    fake_lp(tmp_path, monkeypatch)
    assert len(FIFTY.persons) + 3 == 50  # the three administrators are three persons
    week = Week.make(tmp_path, FIFTY)
    choose(week, overnight_outside_room="cabinet_by_approval")
    week.day(0)
    deputise(week, "lead", "deputy", "leader_in_charge", until=4)
    Script(week, papers=5, copies=4, cabinet=True).run()
    assert week.entries("account.delegate")[0]["facts"]["role"] == "leader_in_charge"
