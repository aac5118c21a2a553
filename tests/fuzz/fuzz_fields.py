"""Coverage-guided fuzzing of the grammar of fields: bytes are text, a line each; a form feed turns the page."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["jiyao.stages"]):
    import fuzz_kit as kit


def target(data: bytes) -> None:
    """Reads the fields of the text."""
    text = data[:4000].decode("utf-8", "replace")
    lines = [(number, line) for number, page in enumerate(text.split("\f"), 1) for line in page.split("\n")]
    kit.read_fields(lines[:80])


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
