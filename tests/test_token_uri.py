"""The address of a token, and where its PIN comes from: never a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiyao.common.errors import NotThere, Refused, UsageFault, WrongSecret
from jiyao.common.token_uri import parse_token_uri
from jiyao.pipeline.station.secrets import EnvironmentSecrets

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
