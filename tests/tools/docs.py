"""Writes what is generated in docs/: `cli.md` from the commands, `messages.md` from the catalogue.

`--write` writes; without it, says what is stale. Before `jiyao.cli` exists its page is left out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))
import messages
from tree import ROOT

CLI = ROOT / "docs/cli.md"
MESSAGES = ROOT / "docs/messages.md"


def cli_page() -> str | None:
    """The reference of all commands and options, as the program gives it; None before there is one."""
    if not (ROOT / "cli.py").is_file():
        return None
    os.environ["JIYAO_LANG"] = "zh"
    os.environ["COLUMNS"] = "100"
    from jiyao.cli import main

    lines = [
        "# Commands and options",
        "",
        "Generated from the program by `make docs`; a test fails when it is out of date.",
        "Exit codes and codes of messages stand in [messages.md](messages.md).",
    ]
    assert isinstance(main, click.Command)
    _command(main, ("jiyao",), None, lines)
    return "\n".join(lines) + "\n"


def _command(
    command: click.Command, path: tuple[str, ...], parent: click.Context | None, lines: list[str]
) -> None:
    context = click.Context(command, info_name=path[-1], parent=parent, max_content_width=100)
    pieces = command.collect_usage_pieces(context)
    lines += ["", f"{'#' * min(len(path) + 1, 4)} `{' '.join(path)}`", ""]
    lines += [f"    {' '.join([*path, *pieces])}", ""]
    if text := (command.help or command.short_help or "").strip():
        lines += [*(line.strip() for line in text.splitlines()), ""]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            name, explanation = record
            lines.append(f"- `{name}`" + (f" — {' '.join(explanation.split())}" if explanation else ""))
    while lines[-1] == "":
        lines.pop()
    if isinstance(command, click.Group):
        for name in sorted(command.list_commands(context)):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                _command(child, (*path, name), context, lines)


def messages_page() -> str:
    """Every message code with its exit code and both texts."""
    exits = messages.error_classes()
    codes: dict[str, set[int]] = {}
    for use in messages.uses():
        if use.kind in exits:
            codes.setdefault(use.code, set()).add(exits[use.kind])
    lines = [
        "# Exit codes and messages",
        "",
        "Generated from the catalogue by `make docs`; a test fails when it is out of date.",
        "A code without an exit number stands in results (problems, findings, blocks), not in an error.",
        "",
        "| code | exit | 中文 | English |",
        "| --- | --- | --- | --- |",
    ]
    for code, texts in sorted(messages.raw_catalogue().items()):
        zh, en = texts["zh"], texts["en"]
        if isinstance(zh, str) or isinstance(en, str):
            continue
        numbers = ", ".join(str(number) for number in sorted(codes.get(code, set())))
        lines.append(f"| `{code}` | {numbers} | {_cell(zh)} | {_cell(en)} |")
    return "\n".join(lines) + "\n"


def _cell(parts: list[str]) -> str:
    return " ".join(parts).replace("|", "\\|")


def stale() -> list[str]:
    """Names of pages that no longer say what the program says."""
    pages = {MESSAGES: messages_page(), CLI: cli_page()}
    return [
        path.name
        for path, text in pages.items()
        if text is not None and (not path.is_file() or path.read_text("utf-8") != text)
    ]


def main() -> int:
    """Writes the pages, or names the stale ones."""
    if "--write" in sys.argv:
        MESSAGES.write_text(messages_page(), "utf-8")
        if (page := cli_page()) is not None:
            CLI.write_text(page, "utf-8")
        return 0
    for name in stale():
        print(f"docs/{name} is out of date: run make docs")
    return 1 if stale() else 0


if __name__ == "__main__":
    sys.exit(main())
