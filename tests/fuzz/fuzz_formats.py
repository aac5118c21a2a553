"""Coverage-guided fuzzing of the parsers: the first byte picks nothing, the bytes are the file."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jiyao.formats"]):
    import fuzz_kit as kit


def target(data: bytes) -> None:
    """Reads the bytes as a file and as an archive."""
    kit.read_file(data)
    kit.read_archive(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
