"""Who may determine which level (保密法 art. 17), and what has to move once a paper is 绝密; keys without effect."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from jiyao.common.errors import UsageFault
from jiyao.models.level import Level
from jiyao.models.policy.idle import IDLE, idle_keys
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.pipeline.desk import deadlines
from jiyao.pipeline.levels import authority, level_book, store_apart
from jiyao.pipeline.review import review
from jiyao.pipeline.station import policies
from policy_kit import plain_policy, policy_text
from room_kit import Room
from test_custody import carrier, move
from test_levels import do, own, propose

TOP, SECRET, LOW = Level.STATE_TOP, Level.STATE_SECRET, Level.STATE_CONFIDENTIAL


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def text(unit: str | None, authorised: tuple[str, ...] = ()) -> str:
    """The shipped policy of a unit of this standing."""
    said = f"  unit: {unit or 'null'}\n  authorised: [{', '.join(authorised)}]\n"
    return re.sub(r"  unit: null .*\n  authorised: \[\] .*\n", said, default_policy_text())


@pytest.mark.req("R-037")
@pytest.mark.parametrize(
    ("unit", "authorised", "may"),
    [
        (None, (), (TOP, SECRET, LOW)),
        ("central", (), (TOP, SECRET, LOW)),
        ("municipal_district", (), (SECRET, LOW)),
        ("municipal_district", ("绝密",), (TOP, SECRET, LOW)),
        ("none", (), ()),
        ("none", ("秘密",), (LOW,)),
    ],
)
def test_who_may_determine_what(
    unit: str | None, authorised: tuple[str, ...], may: tuple[Level, ...]
) -> None:
    found = parse_policy(text(unit, authorised)).authority
    assert tuple(level for level in (TOP, SECRET, LOW) if found.reaches(level)) == may
    assert found.reaches(Level.WORK) and found.reaches(Level.COMPANY_TOP)


@pytest.mark.parametrize("wrong", [{"unit": "village"}, {"很密": ["central"]}, {"authorised": ["公司绝密"]}])
def test_a_standing_that_is_none_is_told(wrong: dict[str, object]) -> None:
    plain = plain_policy()
    plain["authority"] |= wrong
    with pytest.raises(UsageFault, match="policy_invalid"):
        parse_policy(policy_text(plain))


@pytest.mark.req("R-037", "R-039")
def test_nobody_determines_above_the_organs_authority(room: Room) -> None:
    document, low = own(room), own(room, LOW)
    room.station._policy = parse_policy(text("municipal_district"))
    up = {"change": "upgrade", "level": "绝密", "period": "30年"}
    told = room.refused("authority_missing", propose, room, document, **up)
    assert told.facts["unit"] == "municipal_district"
    matter = propose(room, low, change="upgrade", level="机密", period="20年")
    room.station._policy = parse_policy(text("none"))
    room.refused("authority_missing", do, room, matter, "det")
    assert room.row(low).level_code == "S1"
    # down is no original determination
    do(room, propose(room, document, change="downgrade", level="秘密", period="10年"), "det")
    room.change(low, level_basis="derivative")
    do(room, matter, "det")
    assert room.row(low).level_code == "S2"


@pytest.mark.req("R-037")
def test_a_level_that_a_person_sets_on_an_own_paper_is_within_the_authority(room: Room) -> None:
    room.station._policy = parse_policy(text("none"))
    mine, others = room.paper(level=Level.INTERNAL), room.paper(level=Level.INTERNAL)
    room.change(mine, origin="self")
    for document in (mine, others):
        review.set_values(
            room.station, room.as_("rev", "review"), document=document, level=LOW, period="5年", reason="试"
        )
    accept = review.accept, room.station, room.as_("det", "review.accept")
    room.refused("authority_missing", *accept, documents=(mine,))
    accept[0](*accept[1:], documents=(others,))
    room.station._policy = parse_policy(text("central"))
    accept[0](*accept[1:], documents=(mine,))


def test_an_outbound_paper_says_what_it_derives_from() -> None:
    class Bare:
        policy = parse_policy(text("none"))

    authority.check_authority(Bare(), LOW, derived=True, about="M1")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="authority_missing"):
        authority.check_authority(Bare(), LOW, derived=False, about="M1")  # type: ignore[arg-type]


@pytest.mark.req("R-144")
def test_what_becomes_top_secret_is_put_apart(room: Room) -> None:
    document = own(room)
    one, two = carrier(room, document), carrier(room, document, 2)
    move(room, "lose", two, words={"reason": "试"})
    do(room, propose(room, document, change="upgrade", level="绝密", period="30年"), "det")
    with room.station.read() as session:
        left = store_apart.waiting(session, room.row(document))
    assert [(line["object"], line["state"]) for line in left] == [(one, "held")]
    due = deadlines.due(room.station, room.as_("clerk", "due"), on=date(2026, 11, 9))["items"]
    assert [item["action"] for item in due if item["id"] == one] == ["store_apart"]
    made = level_book.propose(
        room.station, room.as_("clerk", "documents.level"), kind="level_change", document=document,
        words={"change": "downgrade", "level": "机密", "period": "20年", "reason": "试"},
    )  # fmt: skip
    assert [item["object"] for item in made["to_move"]] == [one]
    move(room, "place", one, place="绝密柜")
    with room.station.read() as session:
        assert store_apart.waiting(session, room.row(document)) == []


def test_keys_without_effect_are_told(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(default_policy_text(), "utf-8")
    told = policies.check(file)["without_effect"]
    assert set(told) == {*IDLE, "authority"}, "every key on the list is one of the shipped policy"
    without = re.sub(r"(?m)^storage:\n(?:  .*\n)+", "", text("central"))
    assert set(idle_keys(without)) == set(IDLE) - {"storage.backups"}
