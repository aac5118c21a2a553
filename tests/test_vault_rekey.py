"""Re-keying the whole tree: two persons, everything opens afterwards, nothing copied before does."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiyao.common.errors import Broken, JiyaoError
from jiyao.pipeline.papers import documents
from jiyao.pipeline.station import backup, rekey
from jiyao.vault.rotation import Recovery
from jiyao.vault.vault import Vault
from room_kit import SECRETS, Room, transplant
from thief_kit import root_files, spied


def ask(room: Room, user: str) -> dict[str, object]:
    return rekey.rekey(room.station, room.as_(user, "vault.rekey"))


def refused(room: Room, user: str, code: str) -> None:
    with pytest.raises(JiyaoError) as caught:
        ask(room, user)
    assert caught.value.code == code


@pytest.mark.req("R-116", "R-146")
def test_two_persons_re_key_and_former_copies_open_no_more(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    kept = room.document(text="更换密钥以后还要读得出来。")
    former = tmp_path / "former.tar"
    backup.create(room.station, room.as_("sysadmin", "backup"), out=former)
    stolen = tmp_path / "stolen"
    transplant(room.base, stolen)
    epoch = room.station.vault.epoch

    assert ask(room, "sysadmin")["state"] == "waiting"
    refused(room, "sysadmin", "same_person_twice")
    room.clock.forward(minutes=16)
    assert ask(room, "secadmin")["state"] == "waiting", "too late: the first word counts no more"
    done = ask(room, "sysadmin")
    assert (done["state"], done["first"], done["second"]) == ("rekeyed", "secadmin", "sysadmin")
    assert done["epoch"] == epoch + 1 == room.station.vault.epoch and done["roots"] == ["erased", "erased"]
    assert [entry["facts"].get("step") for entry in room.entries("vault.rekey") if entry["result"] == "done"] == [
        1, 1, 2,
    ]  # fmt: skip
    assert ask(room, "sysadmin")["state"] == "waiting", "the words are used up"

    room.open()
    value = documents.text_of(room.station, room.as_("clerk", "text"), document=kept)
    assert value["pages"][0]["text"] == "更换密钥以后还要读得出来。"
    assert spied([stolen / "home"], root_files(room)) == set()
    assert any("还要读得出来".encode() in text for text in spied([room.home], root_files(room)))
    with pytest.raises(Broken, match="key_store_rolled_back"):
        backup.restore(tmp_path / "new", former, user="sysadmin", secrets=SECRETS, clock=room.clock)


@pytest.mark.req("R-116")
def test_cut_off_in_the_middle_it_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path)
    kept, epoch = room.document(), room.station.vault.epoch

    def killed(_vault: Vault, _session: object) -> Recovery:
        raise KeyboardInterrupt

    ask(room, "secadmin")
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "recover", killed)
        with pytest.raises(KeyboardInterrupt):
            ask(room, "sysadmin")
    assert not all(status.clean for status in room.station.vault.root_status())
    room.open()
    assert room.station.vault.epoch == epoch + 1
    assert all(status.clean for status in room.station.vault.root_status())
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=kept)
