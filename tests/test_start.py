"""A command loads what it needs and no more: the heavy libraries stay away until something is drawn, signed or read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from jiyao.models import migrate
from jiyao.stages.engines.choose import engines
from jiyao.stages.engines.names import AUTO, ENGINES

DRAWING = {"fpdf", "fontTools", "cv2", "PIL", "numpy", "pypdfium2", "pypdf", "pyhanko"}
READING = {"spacy", "onnxruntime", "rapidocr", "pytesseract", "docx", "openpyxl"}


def loaded(module: str) -> set[str]:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_needs_no_registry() -> None:
    assert not loaded("jiyao.cli") & {*DRAWING, *READING, "sqlalchemy", "alembic", "cryptography"}


@pytest.mark.parametrize("room", ["documents", "destroy", "review", "copies", "trace", "people"])
def test_a_room_loads_no_heavy_library(room: str) -> None:
    code = f"import sys, jiyao.commands.{room}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert not {name.partition(".")[0] for name in names} & {*DRAWING, *READING, "alembic"}
    assert not [
        name for name in names if name.startswith(("sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.m"))
    ]


def test_ingest_begins_its_worker_before_the_registry_is_loaded() -> None:
    assert not loaded("jiyao.commands.ingest") & {*DRAWING, *READING, "sqlalchemy", "alembic", "cryptography"}


def test_the_engines_are_known_by_name_without_their_libraries() -> None:
    assert (AUTO, *(engine.name for engine in engines())) == ENGINES


def test_a_worker_that_is_ready_knows_no_network_client_and_no_register() -> None:
    code = (
        "import sys; from jiyao.stages.warm import warm; warm(['.docx', '.pdf']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert {"spacy", "docx", "pypdf", "jiyao.stages.read_job", "jiyao.stages.classify"} <= names
    assert not names & {
        "httpx",
        "requests",
        "urllib3",
        "typer",
        "weasel",
        "sqlalchemy",
        "jiyao.vault",
        "spacy.cli",
    }


def test_the_matcher_leaves_spacy_whole() -> None:
    """Its command line is left out only while it loads."""
    code = "import jiyao.stages.phrases, spacy.cli;print(spacy.cli.info is not None, spacy.blank('zh').lang)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "zh"]


def test_the_schema_is_checked_by_names_that_are_right(tmp_path: Path) -> None:
    assert migrate.newest_by_name() == migrate.newest()
    engine = create_engine(f"sqlite:///{tmp_path / 'registry.sqlite3'}")
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.current(connection) == migrate.newest_by_name()
        migrate.check(connection)
