"""A rotation on a token, broken off or failing at each change of the token: wholly before, or wholly after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import JiyaoError, NotThere
from jiyao.vault.pkcs11_token import Token, library
from token_kit import SoftToken, TokenRoom, soft

__all__ = ["soft"]


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
        "from token_kit import SoftToken, TokenRoom\n"
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
