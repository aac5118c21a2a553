"""Where a registry on PostgreSQL is, and who asks: told from its address alone, without a server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jiyao.common.errors import JiyaoError
from jiyao.common.messages import advise, say
from jiyao.pipeline.station import postgres
from jiyao.pipeline.station.registry import open_engine


def error(act: Callable[[], object], code: str) -> JiyaoError:
    with pytest.raises(JiyaoError) as caught:
        act()
    assert caught.value.code == code
    assert say(code, "zh") != code and advise(code, "en")
    return caught.value


def test_an_address_names_a_socket_of_this_machine_and_never_a_password() -> None:
    address = postgres.address_of("postgresql://clerk@/jiyao?host=/run/pg/&port=5433")
    assert (address.user, address.database, address.socket) == ("clerk", "jiyao", "/run/pg/.s.PGSQL.5433")
    assert postgres.address_of("postgresql:///jiyao").folder == "/var/run/postgresql"
    for url, code in {
        "postgresql://clerk:secret@/jiyao": "postgres_password",
        "postgresql://10.0.0.1/jiyao": "postgres_not_local",
        "postgresql:///jiyao?host=db.example": "postgres_not_local",
        "postgresql://localhost:5432/jiyao": "postgres_not_local",
        "postgresql:///": "postgres_address",
        "postgresql:///jiyao?sslmode=disable": "postgres_address",
        "postgresql:///jiyao?port=x": "postgres_address",
        "postgresql+psycopg2:///jiyao": "postgres_address",
    }.items():
        assert "secret" not in str(error(lambda url=url: open_engine(url), code).facts)  # type: ignore[misc]


def test_without_its_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pg8000.dbapi", None)
    error(lambda: open_engine("postgresql:///jiyao"), "postgres_driver")
    assert all("pg8000" in advise("postgres_driver", lang) for lang in ("zh", "en"))


def test_a_password_comes_from_the_file_that_others_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(
        "# host:port:database:user:password\n/run/pg:5432:other:*:no\n/run/pg:*:jiyao:clerk:a\\:b\\\\c\n"
    )
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    address = postgres.address_of("postgresql://clerk@/jiyao?host=/run/pg")
    assert postgres._password(address) == "a:b\\c"
    assert postgres._password(postgres.address_of("postgresql://clerk@/jiyao")) is None
    file.chmod(0o640)
    error(lambda: postgres._password(address), "postgres_passfile_open")
