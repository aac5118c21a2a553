"""The unit's list of secret matters stands sealed in the registry; what was signed can still be checked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from jiyao.common.errors import Broken, UsageFault
from jiyao.models.policy.loader import default_policy_text, parse_policy
from jiyao.models.tables import PolicyVersion
from jiyao.pipeline.station import policies, policy_text
from jiyao.pipeline.station.station import Station
from jiyao.vault.cms import verify_statement
from room_kit import PASSPHRASE, Room

ITEM = "虚构工程乙的选址与进度"
WORDS = ("乙号工程", "虚构选址")
SECTION = f"""unit_secret_items:
- item: {ITEM}
  level: 机密
  period: 10年
  words: [{", ".join(WORDS)}]
# 上面一项由虚构委员会确定
"""


def with_list(text: str, *, before: str = "conflicts:") -> str:
    """The shipped policy with the list in front of a section."""
    at = text.index(f"\n{before}") + 1
    return text[:at] + SECTION + text[at:]


def activated(room: Room, tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text, "utf-8")
    for user in ("secadmin", "lead"):
        policies.activate(room.station, room.as_(user, "policy.activate"), file=file)


@pytest.mark.req("R-045", "R-142")
def test_no_item_stands_in_clear_in_any_file_of_the_station(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    text = with_list(default_policy_text())
    activated(room, tmp_path, text)
    assert [one.item for one in room.station.policy.unit_items] == [ITEM]
    assert room.station.policy_text == text
    room.station.engine.dispose()
    secrets = [word.encode(code) for word in (ITEM, *WORDS, "虚构委员会") for code in ("utf-8", "utf-16-le")]
    secrets += [json.dumps(word)[1:-1].encode() for word in (ITEM, *WORDS)]
    for path in (one for one in room.home.rglob("*") if one.is_file()):
        data = path.read_bytes()
        assert not any(secret in data for secret in secrets), path.name
    again = room.open()
    assert [one.item for one in again.policy.unit_items] == [ITEM]


@pytest.mark.req("R-182")
def test_what_both_signed_is_the_hash_of_the_whole_text(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    text = with_list(default_policy_text())
    activated(room, tmp_path, text)
    with room.station.read() as session:
        row = session.scalars(select(PolicyVersion).where(PolicyVersion.state == "active")).one()
        assert ITEM not in row.text and row.sha256 == hashlib.sha256(text.encode()).hexdigest()
        for statement, signature in (
            (row.author_statement, row.author_signature), (row.statement, row.signature),
        ):  # fmt: skip
            assert statement is not None and signature is not None
            verify_statement(statement, signature)
            assert json.loads(statement)["sha256"] == row.sha256


def test_a_locked_station_knows_the_rules_and_not_the_list(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    text = with_list(default_policy_text())
    activated(room, tmp_path, text)
    station = Station.open(room.home, clock=room.clock)
    assert station.policy.unit_items == () and station.policy.sha256 == parse_policy(text).sha256
    assert policies.show(station)["sha256"] == parse_policy(text).sha256
    station.unlock(PASSPHRASE)
    assert len(station.policy.unit_items) == 1


@pytest.mark.req("R-139")
@pytest.mark.parametrize("change", ["rules", "list", "gone", "other"])
def test_a_changed_policy_is_noticed(tmp_path: Path, change: str) -> None:
    room = Room(tmp_path / "room")
    activated(room, tmp_path, with_list(default_policy_text()))
    with room.station.write() as session:
        row = session.scalars(select(PolicyVersion).where(PolicyVersion.state == "active")).one()
        assert row.items_sealed is not None
        match change:
            case "rules":
                row.text = row.text.replace("flatten_min_rank: 50", "flatten_min_rank: 99")
            case "list":
                row.items_sealed = row.items_sealed[:-1] + bytes([row.items_sealed[-1] ^ 1])
            case "gone":
                row.items_sealed = None
            case _:
                other = {"at": 0, "text": SECTION.replace("机密", "秘密")}
                row.items_sealed = room.station.seal(session, "policy.items", other, bind="0" * 64)
    room.station.forget_policy()
    with pytest.raises(Broken) as caught:
        _ = room.station.policy
    assert caught.value.code == ("register_altered" if change in ("list", "other") else "policy_altered")


_KEYS = st.sampled_from(["levels:", "secrecy_period:", "deadlines:", "conflicts:"])


@given(_KEYS, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_parting_and_joining_gives_the_same_text(before: str, line: str, last: bool) -> None:
    plain = default_policy_text()
    text = (plain.rstrip("\n") + "\n" + SECTION if last else with_list(plain, before=before)).replace(
        "\n", line
    )
    clear, kept = policy_text.part(text)
    assert kept is not None and ITEM not in clear
    assert policy_text._joined(clear, *kept) == text
    assert parse_policy(clear).unit_items == ()


def test_a_list_among_other_keys_of_a_line_is_refused() -> None:
    with pytest.raises(UsageFault) as caught:
        policy_text.part('{version: "1", unit_secret_items: []}\n')
    assert caught.value.code == "policy_invalid"
    assert policy_text.part("version: 1\n") == ("version: 1\n", None)
