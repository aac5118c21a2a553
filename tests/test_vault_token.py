"""The root on a token (PKCS #11): its PIN, its class, its slots; a station on tokens and mirrors of either kind."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import Broken, JiyaoError, MissingTool, NotThere, Refused, WrongSecret
from jiyao.common.messages import LANGS, say
from jiyao.common.token_uri import parse_token_uri
from jiyao.vault import pkcs11_token
from jiyao.vault.medium import Claim, RootClass
from jiyao.vault.pkcs11_root import TokenRoot
from jiyao.vault.pkcs11_token import Token, library
from jiyao.vault.root import RootFile
from token_kit import PIN, SoftToken, TokenRoom, soft
from vault_kit import UUID

__all__ = ["soft"]


def test_absent_libraries_and_tokens(
    soft: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not soft.token("other").present()
    with pytest.raises(NotThere, match="token_missing"):
        soft.token("other").session()
    with pytest.raises(MissingTool, match="token_module"):
        Token(parse_token_uri("pkcs11:token=a?module-path=/nowhere.so")).present()
    stranger = tmp_path / "x.so"
    shutil.copy(soft.token("jy").uri.module, stranger)
    stranger.chmod(0o777)
    with pytest.raises(Refused, match="token_module_open"):
        Token(parse_token_uri(f"pkcs11:token=a?module-path={stranger}")).present()
    soft.add("jy")
    with pytest.raises(Refused, match="token_ambiguous"):
        soft.token("jy").present()
    token = soft.token("jy")
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(MissingTool, match="pkcs11_missing"):
        token.present()


def test_a_wrong_pin_is_tried_once(soft: SoftToken) -> None:
    soft.pin = "wrong-pin"
    token = soft.token("jy")
    for _ in range(5):
        with pytest.raises(WrongSecret, match="token_pin") as caught:
            token.session()
    assert soft.asked == 1 and "wrong-pin" not in repr(caught.value.facts)
    with pytest.raises(WrongSecret, match="token_pin"):
        Token(token.uri).session()


def test_the_class_says_by_whose_word(soft: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Software is R5 whatever is declared; hardware is R1 only where no copies were declared."""
    for declared in ((), ("jiyao-backups=none",)):
        medium = soft.token("jy", *declared).medium()
        assert (medium.root_class, medium.claim) == (RootClass.R5, Claim.TOKEN_UNPROVEN)
        assert medium.reasons == ("token_software",) and not medium.claim.proven

    class Hardware:
        def __init__(self, maker: str) -> None:
            self.manufacturer_id, self.flags, self.slot = maker, 0, self
            self.slot.flags = int(library().SlotFlag.HW_SLOT)

    def judged(maker: str, *extra: str) -> tuple[RootClass, Claim, str]:
        token = soft.token("jy", *extra)
        monkeypatch.setattr(token, "_found", lambda: Hardware(maker))
        monkeypatch.setattr(pkcs11_token, "_module", lambda _: Hardware(maker))
        found = token.medium()
        return found.root_class, found.claim, found.reasons[0]

    assert judged("Maker", "jiyao-backups=none") == (RootClass.R1, Claim.DEVICE, "token_hardware")
    for extra, maker, reason in (
        ((), "Maker", "token_backups_unknown"),
        (("jiyao-backups=exist",), "Maker", "token_backed_up"),
        (("jiyao-backups=none",), "tpm2-software.github.io", "token_keys_in_files"),
    ):
        assert judged(maker, *extra) == (RootClass.R5, Claim.TOKEN_UNPROVEN, reason)
    for code in (
        "token_hardware", "token_backups_unknown", "token_backed_up", "token_keys_in_files", "token_software",
        Claim.DEVICE, Claim.TOKEN_UNPROVEN,
    ):  # fmt: skip
        assert all(say(code, lang) != code for lang in LANGS)


@pytest.mark.parametrize("mechanism", ["AES_GCM", "AES_CBC"])
@pytest.mark.parametrize("suite_id", [1, 2])
def test_slots(soft: SoftToken, mechanism: str, suite_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot is empty, held or torn; a changed byte of what is kept, or a missing key, holds nothing."""
    p11 = library()
    able = frozenset({p11.Mechanism.AES_KEY_GEN, p11.Mechanism[mechanism]})
    monkeypatch.setattr(Token, "mechanisms", lambda _: able)
    root = TokenRoot(soft.token("jy"))
    assert root.exists() and not root.taken() and root.view(0).state == "empty" and root.load(1) is None
    key = bytearray(range(32))
    root.write(1, epoch=7, suite_id=suite_id, store_uuid=UUID, key=key)
    again = TokenRoot(soft.token("jy"))
    view = again.view(1)
    assert (view.state, view.epoch, view.store_uuid) == ("held", 7, UUID) and again.taken()
    assert again.load(7) == key and again.load(6) is None and again.find(7) == (1, key)
    session = again.token.session()
    (made,) = session.get_objects({p11.Attribute.CLASS: p11.ObjectClass.SECRET_KEY})
    with pytest.raises(p11.PKCS11Error):
        made[p11.Attribute.VALUE]
    assert made[p11.Attribute.NEVER_EXTRACTABLE] and not made[p11.Attribute.EXTRACTABLE]
    (kept,) = session.get_objects({p11.Attribute.CLASS: p11.ObjectClass.DATA})
    whole = kept[p11.Attribute.VALUE]
    assert bytes(key) not in whole
    for at in (0, 8, 15, 16, 17, 18, 33, 34, 50, 66, 98, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 0x40
        _keep_instead(session, kept, bytes(changed))
        (kept,) = session.get_objects({p11.Attribute.CLASS: p11.ObjectClass.DATA})
        assert again.view(1).state == "torn" and again.find(7) is None, at
    _keep_instead(session, kept, whole)
    assert again.load(7) == key
    made.destroy()
    assert again.view(1).state == "torn"
    again.wipe(1)
    assert again.blank(1) and not again.taken()


def _keep_instead(session: Any, kept: Any, value: bytes) -> None:
    """Another value in place of what is kept in the second slot."""
    p11 = library()
    kept.destroy()
    session.create_object({
        p11.Attribute.CLASS: p11.ObjectClass.DATA, p11.Attribute.TOKEN: True, p11.Attribute.PRIVATE: True,
        p11.Attribute.LABEL: "jiyao-b", p11.Attribute.VALUE: value,
    })  # fmt: skip


def test_a_keypad_asks_for_the_pin_itself(soft: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    p11, asked = library(), []

    class Keypad:
        flags = p11.TokenFlag.PROTECTED_AUTHENTICATION_PATH

        def open(self, **given: Any) -> str:
            asked.append(given)
            return "session"

    token = soft.token("jy")
    monkeypatch.setattr(token, "_found", Keypad)
    assert token.session() == "session" and soft.asked == 0
    assert asked == [{"rw": True, "user_pin": p11.PROTECTED_AUTH}]
    token._session = None


def test_a_token_that_cannot(soft: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Token, "mechanisms", lambda _: frozenset())
    with pytest.raises(MissingTool, match="token_mechanism"):
        TokenRoot(soft.token("jy")).create()
    monkeypatch.undo()


# ---------------------------------------------------------------- a station on tokens


@pytest.mark.req("R-116", "R-147")
def test_destroyed_on_a_token(soft: SoftToken, tmp_path: Path) -> None:
    """All older files and the token of today open nothing that was destroyed; what survives opens."""
    room = TokenRoom(tmp_path, soft)
    vault = room.create()
    kept, gone = room.put(vault, b"kept"), room.put(vault, b"gone")
    former = room.sealed_value()
    outcome = room.destroy(vault, [gone[0]])
    assert outcome.complete and outcome.roots[0].root_class is RootClass.R5
    assert outcome.roots[0].claim is Claim.TOKEN_UNPROVEN
    vault.close()
    vault = room.open()
    assert vault.epoch == 2 and room.get(vault, *kept) == b"kept"
    with pytest.raises(NotThere, match="key_destroyed"):
        room.get(vault, *gone)
    assert not vault.opens_former(*former) and vault.opens_former(*room.sealed_value())
    (status,) = vault.root_status()
    assert status.clean and status.medium is not None and status.medium.reasons == ("token_software",)
    assert PIN.encode() not in b"".join(path.read_bytes() for path in room.base.rglob("*") if path.is_file())


@pytest.mark.req("R-116")
def test_the_control_a_copied_software_token_still_opens(soft: SoftToken, tmp_path: Path) -> None:
    """Why SoftHSM is R5: with the token's folder of before, what a copy of before holds opens again."""
    room = TokenRoom(tmp_path, soft)
    vault = room.create()
    gone = room.put(vault, b"gone")
    former = room.sealed_value()
    copied = shutil.copytree(soft.store, tmp_path / "copied")
    assert room.destroy(vault, [gone[0]]).complete and not vault.opens_former(*former)
    vault.close()
    shutil.rmtree(soft.store)
    shutil.copytree(copied, soft.store)
    soft.refresh()
    old = TokenRoot(soft.token("jy"))
    assert old.load(1) is not None and old.load(2) is None
    with pytest.raises(Broken, match="root_epoch_missing"):
        room.open()


def test_a_token_and_a_file_hold_the_same(soft: SoftToken, tmp_path: Path) -> None:
    """Mirrors of either kind; a token that was away is given the current value and nothing else."""
    soft.add("second")
    folder = tmp_path / "file"
    room = TokenRoom(tmp_path, soft, "second", folder)
    vault = room.create()
    kept, gone = room.put(vault, b"kept"), room.put(vault, b"gone")
    vault.close()
    away = soft.take_away("second")
    soft.refresh()
    vault = room.open()
    outcome = room.destroy(vault, [gone[0]])
    assert [root.state for root in outcome.roots] == ["erased", "missing", "erased"] and not outcome.complete
    assert RootFile(folder).load(2) == TokenRoot(soft.token("jy")).load(2)
    vault.close()
    soft.put_back("second", away)
    assert TokenRoot(soft.token("second")).load(1) is not None
    vault = room.open()
    assert vault.recovery is not None and vault.recovery.complete
    second = TokenRoot(soft.token("second"))
    assert second.load(1) is None and second.load(2) == RootFile(folder).load(2)
    assert room.get(vault, *kept) == b"kept"
    vault.close()
    for away_label in ("jy",):
        soft.take_away(away_label)
    soft.refresh()
    assert room.get(room.open(), *kept) == b"kept"


def test_never_over_another_root(soft: SoftToken, tmp_path: Path) -> None:
    room = TokenRoom(tmp_path, soft)
    vault = room.create()
    held = TokenRoot(soft.token("jy")).load(1)
    vault.close()
    with pytest.raises(Refused, match="root_exists"):
        TokenRoom(tmp_path / "b", soft).create()
    with pytest.raises(Refused, match="root_same"):
        TokenRoom(tmp_path / "c", soft, "jy").create()
    assert TokenRoot(soft.token("jy")).load(1) == held
    other = TokenRoom(tmp_path / "d", soft)
    other.soft = replace(soft)
    other.soft.uri = lambda label, *extra: soft.uri(label).replace("?", ";object=other?")  # type: ignore[method-assign]
    other.create().close()
    assert TokenRoot(soft.token("jy")).load(1) == held


@pytest.mark.parametrize("state", ["gone", "wiped"])
def test_a_lost_token_is_said(soft: SoftToken, tmp_path: Path, state: str) -> None:
    room = TokenRoom(tmp_path, soft)
    room.create().close()
    if state == "gone":
        soft.take_away("jy")
        soft.refresh()
    else:
        TokenRoot(soft.token("jy")).discard()
    with pytest.raises((NotThere, Broken)) as caught:
        room.open()
    assert caught.value.code == {"gone": "root_missing", "wiped": "root_damaged"}[state]


def test_errors_name_no_pin(soft: SoftToken) -> None:
    token = soft.token("jy")
    with pytest.raises(JiyaoError) as caught, token.working():
        raise library().DeviceRemoved
    assert caught.value.code == "token_failed" and caught.value.facts["kind"] == "DeviceRemoved"
    assert PIN not in repr(caught.value.facts) + repr(token) + str(token)
    assert token.session() is not None and soft.asked == 2
