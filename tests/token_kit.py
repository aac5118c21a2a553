"""A software token of one test: SoftHSM in a folder of its own, with a PIN; skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jiyao.common.token_uri import TokenUri, parse_token_uri
from jiyao.vault.pkcs11_token import Token, library
from jiyao.vault.roots import RootPlace
from vault_kit import Room

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
PIN = "pin-5678"


def module() -> str:
    """The library, or a skip with the reason."""
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (optional part jiyao[pkcs11])")
    found = next((path for path in MODULES if Path(path).is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed (Debian package softhsm2)")
    return found


@dataclass
class SoftToken:
    """Tokens in `base`, reached through `SOFTHSM2_CONF`; `asked` counts how often the PIN was given."""

    base: Path
    asked: int = 0
    pin: str = PIN
    labels: list[str] = field(default_factory=list)

    def add(self, label: str) -> None:
        """Makes one more token."""
        subprocess.run(
            [
                "softhsm2-util",
                "--init-token",
                "--free",
                "--label",
                label,
                "--so-pin",
                "so-1234",
                "--pin",
                PIN,
            ],
            check=True,
            capture_output=True,
        )
        self.labels.append(label)
        self.refresh()

    def refresh(self) -> None:
        """Lets the library see tokens made, taken away or put back meanwhile."""
        library().lib(str(Path(module()).resolve())).reinitialize()

    def uri(self, label: str, *extra: str) -> str:
        return f"pkcs11:token={label}?" + "&".join((f"module-path={module()}", *extra))

    def token(self, label: str, *extra: str) -> Token:
        """A fresh object for the token, as another process would make it."""
        return Token(parse_token_uri(self.uri(label, *extra)), pin=self.give)

    def give(self, _uri: TokenUri) -> str:
        self.asked += 1
        return self.pin

    def take_away(self, label: str) -> Path:
        """Pulls the token out: its folder goes elsewhere."""
        serial = {token.label: token.serial for token in self._tokens()}[label].decode()
        folder = next(path for path in self.store.iterdir() if path.name.replace("-", "").endswith(serial))
        return Path(shutil.move(folder, self.base / f"away-{label}"))

    def put_back(self, label: str, folder: Path) -> None:
        shutil.move(folder, self.store / "00000000-0000-0000-0000-0000000000")
        self.refresh()

    @property
    def store(self) -> Path:
        """Where SoftHSM keeps its files."""
        return self.base / "tokens"

    def _tokens(self) -> list[object]:
        return list(library().lib(str(Path(module()).resolve())).get_tokens())


class TokenRoom(Room):
    """A station whose root is on a token; `others` are mirrors."""

    def __init__(self, base: Path, soft: SoftToken, *others: str | Path) -> None:
        self.soft, self.others = soft, others
        super().__init__(base / "station")

    @property
    def roots(self) -> list[RootPlace]:  # type: ignore[override]
        rest = (self.soft.token(other) if isinstance(other, str) else other for other in self.others)
        return [self.soft.token("jy"), *rest]


@pytest.fixture
def soft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftToken]:
    """A token named `jy`."""
    found = module()
    base = tmp_path / "hsm"
    (base / "tokens").mkdir(parents=True)
    (base / "softhsm.conf").write_text(
        f"directories.tokendir = {base / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    monkeypatch.setenv("SOFTHSM2_CONF", str(base / "softhsm.conf"))
    loaded = library().lib(str(Path(found).resolve()))
    loaded.reinitialize()
    token = SoftToken(base)
    token.add("jy")
    yield token
    loaded.finalize()
    os.environ.pop("SOFTHSM2_CONF", None)
