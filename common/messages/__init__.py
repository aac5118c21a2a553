"""The message catalogue: every text a user reads, in Chinese and English, as data beside this file.

Each `*.yaml` file maps a code to `{zh: [what is wrong, what to do next], en: [..., ...]}` for errors,
or to `{zh: text, en: text}` for labels. Placeholders are `{name}`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import yaml

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where the package has it: every command reads the catalogue."""


@cache
def catalogue() -> dict[str, dict[str, list[str]]]:
    """All messages: code -> language -> [message, hint] (a label has no hint).

    Raises:
        ValueError: when a code stands in two files.
    """
    merged: dict[str, dict[str, list[str]]] = {}
    folder = resources.files(__package__)
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        for code, texts in (yaml.load(file.read_text("utf-8"), _LOADER) or {}).items():  # noqa: S506 - it is a safe one
            if code in merged:
                raise ValueError(f"message code {code} stands twice")
            merged[code] = {lang: [text] if isinstance(text, str) else text for lang, text in texts.items()}
    return merged


class _Facts(dict[str, object]):
    """Leaves a placeholder visible when its fact was not given."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def say(code: str, lang: Lang, **facts: object) -> str:
    """The message or label of `code`, with its facts filled in; the code itself when it is unknown."""
    return _text(code, lang, 0, facts)


def advise(code: str, lang: Lang, **facts: object) -> str:
    """What to do next about `code`; empty for a label."""
    return _text(code, lang, 1, facts)


def _text(code: str, lang: Lang, part: int, facts: dict[str, object]) -> str:
    texts = catalogue().get(code, {}).get(lang)
    if texts is None:
        return code if part == 0 else ""
    return texts[part].format_map(_Facts(facts)) if part < len(texts) else ""
