"""The registry's schema: the revisions say exactly what the tables say, and never half."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.schema import CreateIndex

from jiyao.common.errors import Refused
from jiyao.models import migrate
from jiyao.models.tables import Base
from tools import migration


def _engine(folder: Path) -> Engine:
    return create_engine(f"sqlite:///{folder / 'registry.sqlite3'}")


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_upgrade_makes_exactly_the_tables(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    assert migrate.upgrade(engine) == migrate.newest()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        # what cannot be compared there: indexes over expressions
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        )
        made = {
            str(index.name): str(CreateIndex(index).compile(engine))
            for table in Base.metadata.tables.values()
            for index in table.indexes
        }
        assert dict(iter(rows)) == made
        migrate.check(connection)


def test_revisions_are_those_of_the_tables() -> None:
    assert migration.stale() == [], "run make migration"


def test_upgrade_twice_changes_nothing(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("insert into counters (name, last) values ('documents', 7)"))
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("select last from counters")).scalar_one() == 7


def test_downgrade_takes_everything_away(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    migrate.upgrade(engine)
    migrate.downgrade(engine)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate.upgrade(engine)
    assert "documents" in inspect(engine).get_table_names()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    for act in (migrate.upgrade, migrate.downgrade):
        with pytest.raises(Refused) as caught:
            act(engine)
        assert caught.value.code == "schema_too_new"
    with engine.connect() as connection, pytest.raises(Refused) as caught:
        migrate.check(connection)
    assert caught.value.code == "schema_too_new"
    assert caught.value.facts == {"found": "9999", "known": migrate.newest()}


def test_an_older_schema_is_named(tmp_path: Path) -> None:
    with _engine(tmp_path).connect() as connection, pytest.raises(Refused) as caught:
        migrate.check(connection)
    assert caught.value.code == "schema_too_old"


def test_a_broken_upgrade_leaves_nothing(tmp_path: Path) -> None:
    engine = _engine(tmp_path)

    def fail(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE copies" in statement:
            raise OSError("the disk is full")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(OSError, match="disk"):
        migrate.upgrade(engine)
    event.remove(engine, "before_cursor_execute", fail)
    assert inspect(engine).get_table_names() == []
    migrate.upgrade(engine)
    assert "copies" in inspect(engine).get_table_names()


def test_an_engine_that_begins_by_itself(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    assert migrate.upgrade(engine) == migrate.newest()


def test_a_percent_sign_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "50%s"
    folder.mkdir()
    assert migrate.upgrade(_engine(folder)) == migrate.newest()
