"""The root on a token (PKCS #11): its address, its PIN, its class; made, rotated, broken off, lost and put back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import Broken, JiyaoError, MissingTool, NotThere, Refused, UsageFault, WrongSecret
from jiyao.common.messages import LANGS, say
from jiyao.common.token_uri import parse_token_uri
from jiyao.pipeline.station.secrets import EnvironmentSecrets
from jiyao.vault import pkcs11_token
from jiyao.vault.medium import Claim, RootClass
from jiyao.vault.pkcs11_root import TokenRoot
from jiyao.vault.pkcs11_token import Token, library
from jiyao.vault.root import RootFile
from jiyao.vault.roots import RootPlace
from token_kit import PIN, SoftToken, soft
from vault_kit import UUID, Room

__all__ = ["soft"]


# ---------------------------------------------------------------- the address

GOOD = "pkcs11:token=my%20room;object=root1;type=secret-key?module-path=/lib/x.so&pin-source=file:/etc/pin"


def test_an_address() -> None:
    uri = parse_token_uri(GOOD)
    assert (uri.token, uri.object, str(uri.module)) == ("my room", "root1", "/lib/x.so")
    assert str(uri.pin_source) == "/etc/pin" and uri.backups == "unknown" and str(uri) == GOOD
    assert parse_token_uri("pkcs11:serial=1;slot-id=3?module-path=/x&jiyao-backups=none").slot_id == 3


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        ("file:/x", "pkcs11:"),
        ("pkcs11:object=a?module-path=/x", "token"),
        ("pkcs11:token=a", "module-path"),
        ("pkcs11:token=a?module-path=x.so", "module-path"),
        ("pkcs11:token=a?module-path=/x&module-path=/y", "module-path"),
        ("pkcs11:token=a;id=%01?module-path=/x", "?"),
        ("pkcs11:token=a;type=private?module-path=/x", "type"),
        ("pkcs11:token=%ff?module-path=/x", "token"),
        ("pkcs11:token=%2?module-path=/x", "token"),
        ("pkcs11:slot-id=x?module-path=/x", "slot-id"),
        ("pkcs11:token=a;object=?module-path=/x", "object"),
        ("pkcs11:token=a;object=" + "o" * 25 + "?module-path=/x", "object"),
        ("pkcs11:token=a?module-path=/x&pin-source=|cat%20/x", "pin-source"),
        ("pkcs11:token=a?module-path=/x&jiyao-backups=maybe", "jiyao-backups"),
    ],
)
def test_addresses_refused(text: str, attribute: str) -> None:
    with pytest.raises(UsageFault, match="token_uri") as caught:
        parse_token_uri(text)
    assert caught.value.facts == {"attribute": attribute}


def test_a_pin_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageFault, match="token_uri_pin") as caught:
        parse_token_uri("pkcs11:token=a?module-path=/x&pin-value=2468")
    assert "2468" not in repr(caught.value.facts) + str(caught.value)


# ---------------------------------------------------------------- the token


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


def test_where_a_pin_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file its address names, then the environment's file, then its variable, then a person; never an open file."""
    asked: list[tuple[str, str, bool]] = []

    def ask(*question: Any) -> str:
        asked.append(question)
        return "asked"

    for name in ("JIYAO_TOKEN_PIN_FILE", "JIYAO_TOKEN_PIN"):
        monkeypatch.delenv(name, raising=False)
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.write_text(path.name + "\n")
        path.chmod(0o600)
    bare = parse_token_uri("pkcs11:token=room?module-path=/x")
    named = parse_token_uri(f"pkcs11:token=room?module-path=/x&pin-source=file://{first}")
    words = EnvironmentSecrets(ask)
    assert words.pin(bare) == "asked" and asked == [("ask_token_pin", "room", False)]
    monkeypatch.setenv("JIYAO_TOKEN_PIN", "variable")
    assert words.pin(bare) == "variable"
    monkeypatch.setenv("JIYAO_TOKEN_PIN_FILE", str(second))
    assert words.pin(bare) == "second" and words.pin(named) == "first"
    first.chmod(0o640)
    with pytest.raises(Refused, match="secret_file_open"):
        words.pin(named)
    first.unlink()
    with pytest.raises(NotThere, match="secret_file_missing"):
        words.pin(named)
    monkeypatch.delenv("JIYAO_TOKEN_PIN_FILE")
    monkeypatch.delenv("JIYAO_TOKEN_PIN")
    with pytest.raises(WrongSecret, match="secret_missing"):
        EnvironmentSecrets(None).pin(bare)


# ---------------------------------------------------------------- a station on tokens


class TokenRoom(Room):
    """A station whose root is on a token; `others` are mirrors."""

    def __init__(self, base: Path, soft: SoftToken, *others: str | Path) -> None:
        self.soft, self.others = soft, others
        super().__init__(base / "station")

    @property
    def roots(self) -> list[RootPlace]:  # type: ignore[override]
        rest = (self.soft.token(other) if isinstance(other, str) else other for other in self.others)
        return [self.soft.token("jy"), *rest]


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


# ---------------------------------------------------------------- broken off


class Cut(BaseException):
    """Nothing after this happens: the process is gone."""


STEPS = ("generate_key", "create_object", "destroy")


class Counter:
    """Before the change number `limit` of the token, or right after it, this is raised; `hit` tells whether it was."""

    def __init__(self, limit: int, way: str) -> None:
        self.limit, self.way, self.count = limit, way, 0

    @property
    def hit(self) -> bool:
        return self.count >= self.limit

    def step(self, act: Any) -> Any:
        self.count += 1
        if self.count == self.limit and self.way == "before":
            raise Cut
        if self.count == self.limit and self.way == "failing":
            raise library().DeviceError
        done = act()
        if self.count == self.limit:
            raise Cut
        return done


class Watched:
    """A session, or an object on the token, whose changes are counted."""

    def __init__(self, inner: Any, counter: Counter) -> None:
        self.inner, self.counter = inner, counter

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        if name == "get_objects":
            return lambda *args: [Watched(found, self.counter) for found in value(*args)]
        if name in STEPS:
            return lambda *args, **kinds: self.counter.step(lambda: value(*args, **kinds))
        return value

    def __getitem__(self, name: Any) -> Any:
        return self.inner[name]


def _cut_rotation(room: TokenRoom, gone: str, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A destruction, as far as it goes."""
    vault = room.open()
    plain = Token.session
    with monkeypatch.context() as patch:
        patch.setattr(Token, "session", lambda self: Watched(plain(self), counter))
        try:
            done = room.destroy(vault, [gone])
            assert done.complete is not counter.hit
        except (Cut, JiyaoError):
            assert counter.hit
        finally:
            vault.close()


@pytest.mark.req("R-116")
@pytest.mark.parametrize("way", ["before", "after", "failing"])
def test_cut_at_every_change_of_the_token(
    soft: SoftToken, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before or after each key made, value kept, object destroyed, or the token fails there: wholly the old
    state or wholly the new one.
    """
    room = TokenRoom(tmp_path, soft)
    vault = room.create()
    kept = room.put(vault, b"kept")
    vault.close()
    states = set()
    limit = 0
    while True:
        limit += 1
        vault = room.open()
        before, gone = vault.epoch, room.put(vault, b"gone")
        former = room.sealed_value()
        vault.close()
        counter = Counter(limit, way)
        _cut_rotation(room, gone[0], counter, monkeypatch)
        vault = room.open()
        assert room.get(vault, *kept) == b"kept"
        (status,) = vault.root_status()
        assert status.clean
        if vault.epoch == before:
            assert room.get(vault, *gone) == b"gone" and counter.hit
        else:
            assert vault.epoch == before + 1 and not vault.opens_former(*former)
            with pytest.raises(NotThere, match="key_destroyed"):
                room.get(vault, *gone)
        states.add(vault.epoch - before)
        vault.close()
        if not counter.hit:
            break
    assert states == {0, 1} and limit >= 4


def test_killed_outright(soft: SoftToken, tmp_path: Path) -> None:
    """The same with a process that dies by SIGKILL right after the new key was made on the token."""
    room = TokenRoom(tmp_path, soft)
    vault = room.create()
    gone = room.put(vault, b"gone")
    vault.close()
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "from token_kit import SoftToken; from test_vault_token import TokenRoom\n"
        "from jiyao.vault.pkcs11_root import TokenRoot\n"
        "TokenRoot._keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "class Again(TokenRoom):\n"
        "    def __post_init__(self): self.connect()\n"
        "room = Again(Path(sys.argv[1]), SoftToken(Path(sys.argv[2])))\n"
        "room.destroy(room.open(), [sys.argv[3]])\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(soft.base), gone[0]],
        capture_output=True,
        text=True,
    )
    assert died.returncode == -9, died.stderr
    soft.refresh()
    vault = room.open()
    assert vault.epoch == 1 and room.get(vault, *gone) == b"gone" and vault.root_status()[0].clean


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
