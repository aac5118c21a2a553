"""spaCy's `PhraseMatcher` and the values that it works on, without spaCy's command line.

`import spacy` brings its command line with it: a project manager, HTTP clients, a settings library. A worker needs
none of them, they take a third of the time of the import and 20 MiB, and a program that reads hostile files is better
off without a downloader. So their place is taken while spaCy loads, and given back at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_LEFT_OUT = ("spacy.cli", "spacy.cli.info")


@contextmanager
def _without_command_line() -> Iterator[None]:
    if "spacy" in sys.modules:
        yield
        return
    package, info = (ModuleType(name) for name in _LEFT_OUT)
    package.__path__ = []
    info.info = None  # type: ignore[attr-defined]
    sys.modules |= {"spacy.cli": package, "spacy.cli.info": info}
    try:
        yield
    finally:
        for name in _LEFT_OUT:
            sys.modules.pop(name, None)


with _without_command_line():
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

__all__ = ["Doc", "PhraseMatcher", "Vocab"]
