"""The manual's commands exist, and the day that it describes can be worked as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from jiyao.cli import main
from manual_kit import Line, filled, given, lines
from room import Room, letter_bytes
from tools import tree
from week_kit import fake_lp

MANUAL = tree.ROOT / "docs/manual"
SAMPLES = {
    "DOC": "D2026-000001", "RECEIPT": "R2026-00001", "CARRIER": "D2026-000001-Z1", "COPY": "D2026-000001-C1",
    "BATCH": "B2026-00001", "MATTER": "M2026-00001", "LIST": "M2026-00002", "APPROVAL": "A2026-00001",
    "RUN": "M2026-00003", "INCIDENT": "I00001",
}  # fmt: skip
PAPERS = (
    ("0123.docx", {"title": "关于报送样张材料的通知", "number": "乌有函〔2026〕7号", "mark": "秘密★5年"}),
    ("0126.docx", {"title": "关于样张项目进展的请示", "number": "乌有函〔2026〕8号", "mark": None}),
    ("0127.docx", {"title": "关于样张材料的复涵", "number": "乌有函〔2026〕9号", "mark": None}),
)


def _command(line: Line, words: list[str]) -> click.Context:
    """The command's context as the command line itself would parse it."""
    context = click.Context(main, info_name="jiyao")
    command: click.Command = main
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"{line.chapter}:{line.number}: no command {words[0]}"
        command, words = found, words[1:]
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=command.name, parent=context)
    return command.make_context(command.name, list(words), parent=context)


def test_every_command_of_the_manual_is_one(tmp_path: Path) -> None:
    found = list(lines(MANUAL))
    assert len(found) > 100
    folders = {"/scan/": tmp_path / "scan", "/out/": tmp_path / "out"}
    for folder in folders.values():
        folder.mkdir()
    known = {name + digit: text for name, text in SAMPLES.items() for digit in ("", *"123456789")}
    for line in found:
        words = filled(line, known, folders)
        for word in words:
            if word.startswith(str(tmp_path)):
                Path(word).touch()
        try:
            _command(line, words)
        except click.ClickException as fault:
            pytest.fail(f"{line.chapter}:{line.number}: {fault.format_message()}: {line.words}")


def test_placeholders_are_known_and_given_before_they_are_used() -> None:
    have: set[str] = set()
    for line in lines(MANUAL):
        used = {
            name
            for word in line.words
            for name in re.findall(r"(?<![A-Za-z])[A-Z]{3,}\d?(?![A-Za-z0-9])", word)
        }
        assert {name.rstrip("0123456789") for name in used} <= {*SAMPLES}, line
        if not line.example:
            assert used <= have, f"{line.chapter}:{line.number}: {used - have} not given before"
            have |= {*line.gives}


def test_contents_name_every_chapter() -> None:
    contents = re.findall(r"\]\((\d\d-[^)]+\.md)\)", (MANUAL / "README.md").read_text("utf-8"))
    assert contents == sorted(page.name for page in MANUAL.glob("[0-9]*.md"))


@pytest.mark.slow
@pytest.mark.req("R-001", "R-012", "R-017")
def test_the_day_of_the_manual_can_be_worked(
    founded: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = founded.copy_to(tmp_path / "room")
    fake_lp(tmp_path, monkeypatch)
    folders = {"/scan/": tmp_path / "scan", "/out/": tmp_path / "out"}
    for folder in folders.values():
        folder.mkdir()
    for name, paper in PAPERS:
        (folders["/scan/"] / name).write_bytes(
            letter_bytes(
                **paper, serial=None, date="2026年10月8日", organ="乌有县局",
                body="现就样张有关事项函告如下。本件纯属虚构。",
            )
        )  # fmt: skip
    with (room.base / "passwords").open("a", encoding="utf-8") as passwords:
        passwords.write("zhou:pw-zhou\n")
    known: dict[str, str] = {}
    for line in lines(MANUAL):
        if line.example:
            continue
        answer = room.run(*filled(line, known, folders), user=line.user)
        assert answer.exit == 0, (f"{line.chapter}:{line.number}", line.words, answer.value, answer.err)
        known |= given(line.gives, answer.value)
    told = room.ok("carriers", "count", user="auditor")
    assert told["differences"] == []
    for kind in ("originals", "copies"):
        assert told[kind]["entered"] == sum(n for name, n in told[kind].items() if name != "entered")
