"""The message catalogue: complete, in both languages, and exactly what the code uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiyao.common import errors as kinds
from jiyao.common.messages import LANGS, advise, catalogue, say
from tools import messages


@pytest.fixture(scope="module")
def errors() -> dict[str, int]:
    return messages.error_classes()


@pytest.fixture(scope="module")
def found() -> list[messages.Use]:
    return list(messages.uses())


def test_both_languages_with_the_same_placeholders() -> None:
    for code, texts in messages.raw_catalogue().items():
        assert set(texts) == set(LANGS), code
        zh, en = texts["zh"], texts["en"]
        assert type(zh) is type(en), code
        assert messages.placeholders(zh) == messages.placeholders(en), code
        for text in (zh, en):
            parts = [text] if isinstance(text, str) else text
            assert 1 <= len(parts) <= 2, code
            assert all(isinstance(part, str) and part.strip() for part in parts), code


def test_no_code_stands_twice() -> None:
    assert set(catalogue()) == set(messages.raw_catalogue())


def test_every_code_used_is_in_the_catalogue(found: list[messages.Use]) -> None:
    known = catalogue()
    unknown = sorted({f"{use.code} ({use.where})" for use in found if use.code not in known})
    assert not unknown, "\n".join(unknown)


def test_every_error_says_what_to_do(found: list[messages.Use], errors: dict[str, int]) -> None:
    bare = sorted(
        f"{use.code} ({use.where}) has no hint in {lang}"
        for use in found
        for lang in LANGS
        if use.kind in errors and not advise(use.code, lang)
    )
    assert not bare, "\n".join(bare)


def test_every_placeholder_gets_its_fact(found: list[messages.Use]) -> None:
    missing = []
    known = messages.raw_catalogue()
    for use in found:
        # A room's own error class (a page that failed, a file that is damaged) gets its facts from its room.
        if not hasattr(kinds, use.kind) or use.facts is None or use.code not in known:
            continue
        wanted = messages.placeholders(known[use.code]["zh"])
        if not wanted <= use.facts:
            missing.append(f"{use.where}: {use.code} wants {sorted(wanted - use.facts)}")
    assert not missing, "\n".join(missing)


def test_no_code_without_use() -> None:
    constants, pieces = messages.words()
    unused = [
        code
        for code, texts in messages.raw_catalogue().items()
        if not isinstance(texts["zh"], str)
        and code not in constants
        and not any(code.startswith(piece) or code.endswith(piece) for piece in pieces)
    ]
    assert not unused, "\n".join(unused)


def test_the_check_sees_codes(tmp_path: Path) -> None:
    folder = tmp_path / "common"
    folder.mkdir()
    (folder / "errors.py").write_text("class JiyaoError(Exception):\n    exit_code = 15\n", "utf-8")
    (folder / "x.py").write_text(
        "from .errors import JiyaoError\n"
        "class Stop(JiyaoError):\n    exit_code = 4\n"
        "class Halt(Stop):\n    pass\n"
        "raise Stop('one', a=1)\nraise Halt(code='two')\nraise Halt('three' if 1 else 'four', **{})\n",
        "utf-8",
    )
    assert messages.error_classes(tmp_path) == {"JiyaoError": 15, "Stop": 4, "Halt": 4}
    seen = {use.code: use.facts for use in messages.uses(tmp_path)}
    assert seen == {"one": frozenset({"a"}), "two": frozenset(), "three": None, "four": None}


def test_saying() -> None:
    assert "见 CHANGELOG" in advise("not_yet_built", "zh", what="serve")
    assert say("not_yet_built", "en", what="serve") == "serve is not yet built."
    assert say("not_yet_built", "en") == "{what} is not yet built."
    assert say("no such code", "zh") == "no such code"
    assert advise("no such code", "zh") == ""
