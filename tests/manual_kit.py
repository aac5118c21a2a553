"""The manual's commands: the fenced blocks of docs/manual, line by line, and what their placeholders stand for.

```jiyao       a block that a test runs, in order; ```jiyao 例 one whose lines are only read by the real parser
机要员$ jiyao …  who runs it
# 得到 DOC     the placeholders that the command above gives
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

POSTS: Mapping[str, str] = {
    "机要员": "clerk", "接班机要员": "clerk2", "扫描员": "scanner",
    "定密审核员": "reviewer", "定密责任人": "determiner",
    "档案员": "archivist", "办公室主任": "director", "分管领导": "leader", "主要负责人": "principal",
    "销毁执行人甲": "operator1", "销毁执行人乙": "operator2", "监销人甲": "supervisor1", "监销人乙": "supervisor2",
    "阅文人": "reader", "系统管理员": "sysadmin", "安全保密管理员": "secadmin", "审计员": "auditor",
    # posts that only examples have
    "承办人": "reader", "保密审查员": "reviewer", "档案专管员": "archivist", "部门保密员": "reader",
}  # fmt: skip
PERSONS: Mapping[str, str] = {
    "王五": "reader", "李四": "li.si", "赵主任": "director", "钱局长": "leader", "孙机要": "clerk2",
    "监销甲": "supervisor1",
    "监销乙": "supervisor2",
}  # fmt: skip
_BLOCK = re.compile(r"^```jiyao( 例)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{3,}\d?(?![A-Za-z0-9])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Line:
    """One command of the manual."""

    chapter: str
    number: int
    """Line of the chapter's file."""
    user: str
    words: tuple[str, ...]
    gives: tuple[str, ...]
    example: bool


def lines(folder: Path) -> Iterator[Line]:
    """Every command, chapter by chapter."""
    for page in sorted(folder.glob("[0-9]*.md")):
        text = page.read_text("utf-8")
        for block in _BLOCK.finditer(text):
            first = text[: block.start(2)].count("\n") + 1
            rows = block[2].splitlines()
            for offset, row in enumerate(rows):
                if row.startswith("# 得到 "):
                    continue
                post, dollar, command = row.partition("$ jiyao ")
                assert dollar and post in POSTS, f"{page.name}:{first + offset}: {row}"
                after = rows[offset + 1] if offset + 1 < len(rows) else ""
                gives = tuple(after.split()[2:]) if after.startswith("# 得到 ") else ()
                words = tuple(shlex.split(command))
                yield Line(page.name, first + offset, POSTS[post], words, gives, bool(block[1]))


def filled(line: Line, known: Mapping[str, str], folders: Mapping[str, Path]) -> list[str]:
    """The words with numbers, persons, files and days in the place of what stands for them."""
    soon = (date.today() + timedelta(days=3)).isoformat()
    words = []
    for word in line.words:
        for shown, folder in folders.items():
            assert word != shown.rstrip("/"), line
            word = word.replace(shown, f"{folder}/") if word.startswith(shown) else word
        if not any(word.startswith(str(folder)) for folder in folders.values()):
            word = _NAME.sub(lambda found: known.get(found[0], found[0]), word)
            word = _DAY.sub(soon, word)
        head, sign, person = word.rpartition("=")
        words.append(f"{head}{sign}{PERSONS.get(person, person)}")
    return words


def given(names: Sequence[str], value: Any) -> dict[str, str]:
    """What a command's answer says for placeholders: several of a kind take the rows in order."""
    kinds = [name.rstrip("0123456789") for name in names]
    return {
        name: _given(kind, kinds[:place].count(kind), value)
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }


def _given(kind: str, nth: int, value: Any) -> str:
    match kind:
        case "DOC" if "documents" in value:
            return str(value["documents"][nth]["id"])
        case "MATTER" if "matters" in value:
            return str(value["matters"][nth]["id"])
        case "COPY":
            return str(value["copies"][nth]["copy"])
        case "CARRIER":
            return f"{value['id']}-Z{nth + 1}"
        case "LIST":
            return str(next(value[key] for key in ("matter", "list", "run") if key in value))
        case "RECEIPT" | "BATCH" | "RUN" | "INCIDENT":
            return str(value[kind.lower()])
        case _:
            return str(value["id"])
