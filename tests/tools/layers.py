"""The floors of the house: a room imports only from floors below its own, or from itself.

Floors: 0 common, 1 models, 2 vault|ledger|formats, 3 watermark, 4 stages|samples, 5 pipeline,
6 cli, commands, console (`cli` may import the other two; `samples` the stages, to measure them).
Checked on the syntax tree, nothing is run:

- imports inside the package are relative, and go downwards;
- `stages` never import SQLAlchemy or the tables;
- what runs in a worker reaches neither `vault` nor `ledger` nor SQLAlchemy, however indirectly.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tree import ROOT, module_name, package_files

FLOORS = {
    "common": 0,
    "models": 1,
    "vault": 2,
    "ledger": 2,
    "formats": 2,
    "watermark": 3,
    "stages": 4,
    "samples": 4,
    "pipeline": 5,
    "commands": 6,
    "console": 6,
    "cli": 6,
}
SAME_FLOOR_ALLOWED = {("cli", "commands"), ("cli", "console"), ("samples", "stages")}
WORKER_SIDE = (
    "intake",
    "split",
    "ocr",
    "extract",
    "classify",
    "retain",
    "stamp",
    "read_marks",
    "slip",
    "review_sheet",
    "engines",
    "worker",
)
CLOSED_TO_WORKERS = ("jiyao.vault", "jiyao.ledger", "jiyao.models.tables", "sqlalchemy", "alembic")
CLOSED_TO_STAGES = ("sqlalchemy", "alembic", "jiyao.models.tables", "jiyao.models.migrate")


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a module: where, what, and how it was written."""

    source: str
    target: str
    line: int
    relative: bool
    typing_only: bool


def _inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def room(module: str) -> str:
    """`jiyao.stages.ocr` -> `stages`."""
    return module.split(".")[1] if module.count(".") else ""


def _typing_nodes(tree: ast.Module) -> set[ast.AST]:
    guarded: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.body:
                guarded.update(ast.walk(child))
    return guarded


def _dynamic(node: ast.Call) -> str | None:
    name = ast.unparse(node.func)
    if name not in {"importlib.import_module", "import_module", "__import__"} or not node.args:
        return None
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def imports(path: Path, root: Path, known: frozenset[str]) -> Iterator[Import]:
    """All imports of one file, with `from . import x` resolved to the module where x is one."""
    module = module_name(path, root)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text("utf-8"), str(path))
    guarded = _typing_nodes(tree)
    for node in ast.walk(tree):
        typing_only = node in guarded
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno, False, typing_only)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                anchor = parts[: len(parts) - node.level + 1]
                base = ".".join([*anchor, base] if base else anchor)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(
                    module, full if full in known else base, node.lineno, node.level > 0, typing_only
                )
        elif isinstance(node, ast.Call) and (name := _dynamic(node)):
            yield Import(module, name, node.lineno, name.startswith("."), typing_only)


def _graph(root: Path) -> dict[str, list[Import]]:
    paths = package_files(root)
    known = frozenset(module_name(path, root) for path in paths)
    return {module_name(path, root): list(imports(path, root, known)) for path in paths}


def _floor_fault(entry: Import) -> str | None:
    source, target = room(entry.source), room(entry.target)
    where = f"{entry.source}:{entry.line}"
    if not entry.relative:
        return f"{where}: imports {entry.target} absolutely; inside the package imports are relative"
    if source not in FLOORS or target not in FLOORS:
        return f"{where}: {target or entry.target} is not a room of the house"
    if source == target or FLOORS[target] < FLOORS[source] or (source, target) in SAME_FLOOR_ALLOWED:
        return None
    return f"{where}: {source} (floor {FLOORS[source]}) imports {target} (floor {FLOORS[target]})"


def _reach(start: str, graph: dict[str, list[Import]]) -> dict[str, tuple[str, ...]]:
    """Every module that importing `start` loads, with the way that leads to it."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        parents = [module.rsplit(".", count)[0] for count in range(1, module.count("."))]
        targets = [entry.target for entry in graph.get(module, []) if not entry.typing_only]
        for target in targets + [parent for parent in parents if parent in graph]:
            if target not in ways:
                ways[target] = (*ways[module], target)
                waiting.append(target)
    return ways


def faults(root: Path = ROOT) -> list[str]:
    """Every breach of the floors, in words; empty when the house stands."""
    graph = _graph(root)
    found: list[str] = []
    for entries in graph.values():
        for entry in entries:
            if _inside(entry.target, "jiyao") and (fault := _floor_fault(entry)):
                found.append(fault)
            if room(entry.source) == "stages" and _inside(entry.target, *CLOSED_TO_STAGES):
                found.append(f"{entry.source}:{entry.line}: stages never import {entry.target}")
    for module in graph:
        if any(_inside(module, f"jiyao.stages.{name}") for name in WORKER_SIDE):
            for target, way in _reach(module, graph).items():
                if _inside(target, *CLOSED_TO_WORKERS):
                    found.append(f"worker side reaches {target}: {' -> '.join(way)}")
    return sorted(set(found))


def main() -> int:
    """Prints the breaches; 1 when there are any."""
    found = faults()
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
