"""Prints mypy's arguments (`-p jiyao.models … -m jiyao.cli`), or with `--pins` the pinned requirements."""

from __future__ import annotations

import sys

from tree import ROOMS, ROOT, project


def mypy_arguments() -> list[str]:
    """One `-p` for each room that is there, and `-m jiyao.cli` once it is."""
    rooms = [room for room in ROOMS if (ROOT / room / "__init__.py").is_file()]
    arguments = [word for room in rooms for word in ("-p", f"jiyao.{room}")]
    return arguments + (["-m", "jiyao.cli"] if (ROOT / "cli.py").is_file() else [])


def pins() -> list[str]:
    """Every requirement of pyproject.toml, extras too; not `rivals`, whose packages ask for more than is used."""
    metadata = project()["project"]
    extras = [pins for name, pins in metadata["optional-dependencies"].items() if name != "rivals"]
    return sorted({*metadata["dependencies"], *(line for extra in extras for line in extra)})


if __name__ == "__main__":
    print(" ".join(pins() if "--pins" in sys.argv else mypy_arguments()))
