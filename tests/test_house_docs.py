"""The papers say what the code does: requirements, generated pages, exit codes, links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from tools import docs, messages, requirements, tree


def test_requirements_table_and_marks_agree() -> None:
    assert requirements.faults() == []


def _table(folder: Path, state: str, test: str) -> Path:
    (folder / "docs").mkdir()
    (folder / "tests").mkdir()
    lines = [f"| {name} | asked | {state if name == 'R-116' else 'open'} |" for name in requirements.IDS]
    (folder / "docs/requirements.md").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "tests/test_x.py").write_text(test, "utf-8")
    return folder


WITH_TEST = 'import pytest\n@pytest.mark.req("R-116", "R-117")\ndef test_x(): pass\n'


@pytest.mark.parametrize(
    ("state", "test", "fault"),
    [
        ("proved", WITH_TEST, ""),
        ("proved", "def test_x(): pass\n", "no test carries it"),
        ("proved", 'import pytest\n@pytest.mark.req("R-116")\ndef helper(): pass\n', "no test carries it"),
        ("proven", WITH_TEST, "the state is"),
        ("outside:", WITH_TEST, "the state is"),
        ("outside: paper is burnt by hand", "", ""),
        ("open", WITH_TEST.replace("R-117", "R-184"), "R-184 is unknown"),
    ],
)
def test_a_false_row_is_found(tmp_path: Path, state: str, test: str, fault: str) -> None:
    found = requirements.faults(_table(tmp_path, state, test))
    assert (found == []) if not fault else any(fault in text for text in found), found


def test_a_missing_row_is_found(tmp_path: Path) -> None:
    folder = _table(tmp_path, "open", "")
    page = folder / "docs/requirements.md"
    page.write_text("\n".join(page.read_text("utf-8").splitlines()[1:]), "utf-8")
    assert requirements.faults(folder) == ["R-001 stands 0 times in docs/requirements.md"]


def test_suggest_and_accept(tmp_path: Path) -> None:
    marks = (
        'import pytest\npytestmark = [pytest.mark.req("R-001")]\nclass TestA:\n    def test_y(self): pass\n'
    )
    folder = _table(tmp_path, "open", marks)
    assert requirements.suggestions(folder) == {"R-001": ["test_x.py::TestA::test_y"]}
    requirements.accept(folder)
    assert requirements.rows(folder)[0].state == "proved"
    assert requirements.suggestions(folder) == {}


def test_generated_pages_are_fresh() -> None:
    assert docs.stale() == [], "run make docs"


def test_the_command_page_shows_commands_and_options() -> None:
    @click.group(help="Top.")
    def top() -> None: ...

    @top.command(help="Does it.")
    @click.option("--level", help="Which level.")
    @click.argument("name")
    def act() -> None: ...

    lines: list[str] = []
    docs._command(top, ("jiyao",), None, lines)
    page = "\n".join(lines)
    assert "## `jiyao`" in page
    assert "### `jiyao act`" in page
    assert "- `--level TEXT` — Which level." in page
    assert "NAME" in page


def test_exit_codes_of_the_handbook(repo: Path) -> None:
    page = (repo / "docs/handbook.zh-CN.md").read_text("utf-8")
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert listed == {0, 130, *messages.error_classes().values()}


def test_message_codes_named_in_the_handbook_exist(repo: Path) -> None:
    page = (repo / "docs/handbook.zh-CN.md").read_text("utf-8")
    named = set(re.findall(r"错误码 `([a-z_]+)`", page))
    if not (repo / "cli.py").is_file():
        pytest.skip("the command line is not there yet")
    assert named <= set(messages.raw_catalogue())


def test_commands_named_in_the_handbook_exist(repo: Path) -> None:
    if not (repo / "cli.py").is_file():
        pytest.skip("the command line is not there yet")
    from jiyao.cli import main

    pages = [repo / "docs/handbook.zh-CN.md", repo / "README.md", repo / "README.zh-CN.md"]
    for page in pages:
        for line in re.findall(
            r"(?:^|`)(?:\.venv/bin/)?jiyao ([a-z][^`\n]*)", page.read_text("utf-8"), re.MULTILINE
        ):
            _walk(main, line.split(), f"{page.name}: jiyao {line}")


def _walk(command: click.Command, words: list[str], where: str) -> None:
    context = click.Context(command)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    options |= {"--json", "--lang", "--home", "--user", "--dry-run", "--help"}
    if isinstance(command, click.Group):
        child = command.get_command(context, words[0]) if words else None
        assert child is not None or not words or words[0].startswith(("-", "…")), where
        if child is not None:
            _walk(child, words[1:], where)
        return
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0].rstrip("],") in options, f"{where}: {word}"


def test_links_between_the_papers_hold(repo: Path) -> None:
    for page in tree.files(repo):
        if page.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(repo)} -> {target}"


def test_decisions_have_their_three_parts(repo: Path) -> None:
    pages = sorted((repo / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{page.name} lacks {part}"


def test_make_targets_named_in_the_papers_exist(repo: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repo / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in tree.files(repo):
        if page.suffix == ".md":
            named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
            assert named <= targets, page.relative_to(repo)


def test_both_readmes_show_the_same_commands(repo: Path) -> None:
    def commands(name: str) -> list[str]:
        return re.findall(
            r"^(?:make|\.venv/bin/jiyao) [a-z-]+.*?(?=\s+#|$)", (repo / name).read_text("utf-8"), re.M
        )

    assert commands("README.md") == commands("README.zh-CN.md")
    assert len(commands("README.md")) > 5


def test_readmes_begin_with_what_a_bare_system_lacks(repo: Path) -> None:
    for name in ("README.md", "README.zh-CN.md"):
        assert "`apt-get install -y make" in (repo / name).read_text("utf-8").splitlines()[0]
