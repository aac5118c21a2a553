"""What belongs to the project: its folders, files and metadata, without `.venv` and caches."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "common",
    "models",
    "vault",
    "ledger",
    "formats",
    "watermark",
    "stages",
    "samples",
    "pipeline",
    "commands",
    "console",
)
_SKIPPED = {"build", "dist", "wheelhouse", "demo-out", "__pycache__"}


def project(root: Path = ROOT) -> dict[str, Any]:
    """pyproject.toml as data."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def files(root: Path = ROOT) -> list[Path]:
    """Files that are tracked or about to be, absolute and sorted; every plain file where there is no git."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and (root / ".git").exists():
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return sorted(path for path in (root / name for name in names) if path.is_file())
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and not any(
            part in _SKIPPED or part.startswith(".") or part.endswith(".egg-info")
            for part in path.relative_to(root).parent.parts
        )
    )


def package_files(root: Path = ROOT) -> list[Path]:
    """The Python files that are shipped: those of the rooms, and `cli.py`."""
    return [
        path
        for path in files(root)
        if path.suffix == ".py"
        and (path.relative_to(root).parts[0] in ROOMS or path.relative_to(root) == Path("cli.py"))
    ]


def module_name(path: Path, root: Path = ROOT) -> str:
    """`stages/ocr.py` -> `jiyao.stages.ocr`; a package's `__init__.py` gives the package."""
    parts = ("jiyao", *path.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
