"""Measures the root on a token: how long a destruction waits until the former root is gone from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...common.errors import MissingTool
from ...common.token_uri import parse_token_uri
from ...vault.pkcs11_token import Token, library
from ...vault.roots import RootPlace, RootSet
from ...vault.suite import AES
from .race import Race, Races, require, seconds

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_TOOL, _PIN, _LABEL, _SETTING = "softhsm2-util", "bench-pin", "bench", "SOFTHSM2_CONF"


def token(folder: Path, quick: bool) -> Races:
    """Milliseconds of one rotation of a root: the next one staged and read back, the former one destroyed, looked at.

    SoftHSM stands in for a token (its keys are files: no figure for hardware). Baseline: the same with a root file.

    Raises:
        MissingTool: `token_module`, `pkcs11_missing`: SoftHSM or the library that speaks to it is not installed.
    """
    with _soft_token(folder) as place:
        yield Race(
            name="token", unit="ms", against="the same with a root file", product=_Rotated(place).rotate,
            baseline=_Rotated(folder / "root").rotate, rounds=3 if quick else 15, note="SoftHSM, one rotation",
        )  # fmt: skip


class _Rotated:
    """A root that is rotated again and again."""

    def __init__(self, place: RootPlace) -> None:
        self._roots, self._store, self._epoch = RootSet((place,)), uuid.uuid4().bytes, 1
        self._key = self._roots.create(suite_id=AES.id, store_uuid=self._store)

    def rotate(self) -> float:
        """Milliseconds of one rotation."""
        return seconds(self._once) * 1000

    def _once(self) -> None:
        self._roots.stage(epoch=self._epoch, key=self._key, suite_id=AES.id, store_uuid=self._store)
        self._epoch += 1
        (self._key,) = self._roots.keys(self._epoch)
        (outcome,) = self._roots.settle(
            epoch=self._epoch, key=self._key, suite_id=AES.id, store_uuid=self._store
        )
        require(outcome.state == "erased" and self._roots.views()[0].clean(self._epoch), "token")


@contextmanager
def _soft_token(folder: Path) -> Iterator[Token]:
    """A token of its own in `folder`, gone with it."""
    module = next((path for path in map(Path, _MODULES) if path.is_file()), None)
    if module is None or shutil.which(_TOOL) is None:
        raise MissingTool("token_module", module="libsofthsm2.so")
    p11 = library()
    store, setting = folder / "tokens", folder / "softhsm.conf"
    store.mkdir()
    setting.write_text(
        f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n", "utf-8"
    )
    with _environment({_SETTING: str(setting)}):
        subprocess.run(
            [_TOOL, "--init-token", "--free", "--label", _LABEL, "--so-pin", _PIN, "--pin", _PIN],
            check=True, capture_output=True, env=os.environ,
        )  # fmt: skip
        loaded = p11.lib(str(module.resolve()))
        loaded.reinitialize()
        made = Token(parse_token_uri(f"pkcs11:token={_LABEL}?module-path={module}"), pin=lambda _: _PIN)
        try:
            yield made
        finally:
            made.close()
            loaded.finalize()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
