"""docs/requirements.md against the tests: what is called proved has a test that carries its id.

python tests/tools/requirements.py             check; 1 when a row or a mark is wrong
python tests/tools/requirements.py --suggest   ids that have tests but stand as open
python tests/tools/requirements.py --accept    turns these rows to proved (after reading the tests)
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tree import ROOT, files

TABLE = Path("docs/requirements.md")
IDS = tuple(f"R-{number:03d}" for number in range(1, 184))
_ROW = re.compile(r"^\| (R-\d{3}) \| (.+?) \| (.+?) \|$")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `state`: `proved`, `open`, or `outside: why`."""

    id: str
    asked: str
    state: str


def rows(root: Path = ROOT) -> list[Row]:
    """The table's lines in order."""
    found = (_ROW.match(line) for line in (root / TABLE).read_text("utf-8").splitlines())
    return [Row(*match.groups()) for match in found if match]


def tested(root: Path = ROOT) -> dict[str, list[str]]:
    """Requirement id -> tests that carry it, on themselves, their class or their file."""
    found: dict[str, list[str]] = {}
    for path in files(root):
        if path.relative_to(root).parts[0] != "tests" or not path.name.startswith("test_"):
            continue
        tree = ast.parse(path.read_text("utf-8"), str(path))
        _collect(tree.body, path.name, _file_ids(tree), found)
    return found


def _file_ids(tree: ast.Module) -> list[str]:
    marks = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(ast.unparse(target) == "pytestmark" for target in node.targets)
    ]
    return [name for mark in marks for name in _ids(mark)]


def _ids(mark: ast.expr) -> list[str]:
    return [
        argument.value
        for node in ast.walk(mark)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.req")
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def _collect(body: list[ast.stmt], place: str, outer: list[str], found: dict[str, list[str]]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner = outer + [name for mark in node.decorator_list for name in _ids(mark)]
            _collect(node.body, f"{place}::{node.name}", inner, found)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            for name in outer + [name for mark in node.decorator_list for name in _ids(mark)]:
                found.setdefault(name, []).append(f"{place}::{node.name}")


def faults(root: Path = ROOT) -> list[str]:
    """What is wrong with the table or the marks, in words."""
    table, tests = rows(root), tested(root)
    counted = Counter(row.id for row in table)
    wrong = [f"{name} stands {counted[name]} times in {TABLE}" for name in IDS if counted[name] != 1]
    wrong += [f"{name} in {TABLE} is no requirement" for name in counted if name not in IDS]
    wrong += [f"{name} is unknown: {', '.join(tests[name])}" for name in sorted(tests) if name not in IDS]
    for row in table:
        if row.state == "proved":
            if row.id not in tests:
                wrong.append(f"{row.id} is called proved, but no test carries it")
        elif row.state != "open" and not re.fullmatch(r"outside: \S.*", row.state):
            wrong.append(f"{row.id}: the state is proved, open or outside: why; not {row.state!r}")
    return wrong


def suggestions(root: Path = ROOT) -> dict[str, list[str]]:
    """Rows that stand as open though tests carry their ids."""
    tests = tested(root)
    return {row.id: tests[row.id] for row in rows(root) if row.state == "open" and row.id in tests}


def accept(root: Path = ROOT) -> None:
    """Turns the suggested rows to proved."""
    ready = suggestions(root)
    lines = (root / TABLE).read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        match = _ROW.match(line)
        if match and match[1] in ready:
            lines[number] = f"| {match[1]} | {match[2]} | proved |"
    (root / TABLE).write_text("\n".join(lines) + "\n", "utf-8")


def main() -> int:
    """Checks, and prints the count of each state."""
    if "--accept" in sys.argv:
        accept()
    if "--suggest" in sys.argv:
        for name, places in suggestions().items():
            print(f"{name}: {', '.join(places)}")
    wrong = faults()
    for fault in wrong:
        print(fault)
    states = Counter(row.state.partition(":")[0] for row in rows())
    print(", ".join(f"{states[state]} {state}" for state in ("proved", "open", "outside")))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
