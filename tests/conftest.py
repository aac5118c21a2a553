"""What all tests share: where the project and the optional real material lie, and a clean environment."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine

from engines_here import NO_ENGINE, WHY
from jiyao.common.errors import MissingTool
from jiyao.pipeline.station import registry
from room import day, founded, room, stocked
from twin_kit import share_workers

# Fixtures that a module imports are its own: only here is a room founded once for all of them.
__all__ = ["day", "founded", "room", "stocked"]
ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "jiyao", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("jiyao")

for name in [name for name in os.environ if name.startswith("JIYAO_")]:
    del os.environ[name]
os.environ.setdefault("OMP_THREAD_LIMIT", "1")


def _share_statements() -> None:
    """Stations of one test process share what SQLAlchemy worked out of their statements.

    A command opens a registry of its own, and compiles every statement anew for it: in tests, where hundreds of
    commands run in one process, that was a seventh of all their work.
    """
    shared: list[Engine] = []

    def create(url: Any, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        if engine.dialect.name == "sqlite":
            if not shared:
                shared.append(create_engine("sqlite://"))
                shared[0].connect().close()
            engine.dialect = shared[0].dialect
            engine._compiled_cache = shared[0]._compiled_cache
        return engine

    registry.create_engine = create  # type: ignore[attr-defined]


_share_statements()
_asking: list[pytest.Item] = []
share_workers(lambda: not (_asking and getattr(_asking[-1].module, "REAL_WORKERS", False)))  # type: ignore[attr-defined]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whether this test's workers are real ones is its module's affair."""
    _asking[:] = [item]


@pytest.fixture(scope="session")
def repo() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The optional real material beside the project; skips where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is absent: this test reads real material that is not part of the project")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a long test come first, so that no processor waits at the end for another one's."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Where no engine is installed at all, a test that begins a batch is skipped, with the reason."""
    try:
        return (yield)
    except MissingTool as error:
        if NO_ENGINE and error.code == "no_ocr_engine":
            pytest.skip(WHY)
        raise
