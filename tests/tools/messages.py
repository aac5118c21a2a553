"""The message catalogue against the code: codes raised, their facts, and codes never used."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tree import ROOT, module_name, package_files

OUTCOMES = frozenset({"Refusal", "Failure", "Finding"})
SPEAKERS = frozenset({"say", "advise"})
NOT_FACTS = frozenset({"value", "code"})


@dataclass(frozen=True, slots=True)
class Use:
    """One place that names a message code. `facts` is None where they cannot be told from the source."""

    code: str
    where: str
    kind: str
    facts: frozenset[str] | None


def error_classes(root: Path = ROOT) -> dict[str, int]:
    """Names of `JiyaoError` and every class derived from it in the package, with their exit codes."""
    bases: dict[str, tuple[list[str], int | None]] = {}
    for path in package_files(root):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                names = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                bases[node.name] = (names, _exit_code(node))
    known = {"JiyaoError": 15}
    grown = True
    while grown:
        grown = False
        for name, (parents, code) in bases.items():
            parent = next((base for base in parents if base in known), None)
            if parent is not None and name not in known:
                known[name] = known[parent] if code is None else code
                grown = True
    return known


def _exit_code(node: ast.ClassDef) -> int | None:
    for child in node.body:
        target = child.targets[0] if isinstance(child, ast.Assign) else None
        target = child.target if isinstance(child, ast.AnnAssign) else target
        value = getattr(child, "value", None)
        if isinstance(target, ast.Name) and target.id == "exit_code" and isinstance(value, ast.Constant):
            return int(str(value.value))
    return None


def uses(root: Path = ROOT) -> Iterator[Use]:
    """Every call that names a code: errors, refusals, failures, findings, `say` and `advise`."""
    errors = error_classes(root)
    wanted = {*errors, *OUTCOMES, *SPEAKERS}
    for path in package_files(root):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            if name not in wanted:
                continue
            for code in _codes(node):
                yield Use(code, f"{module_name(path, root)}:{node.lineno}", name, _facts(node))


def _codes(node: ast.Call) -> list[str]:
    given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    value = given[0] if given else (node.args[0] if node.args else None)
    branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    return [part.value for part in branches if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _facts(node: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in node.keywords]
    if None in names or len(node.args) > 1:
        return None
    return frozenset(name for name in names if name is not None and name not in NOT_FACTS)


def words(root: Path = ROOT) -> tuple[set[str], set[str]]:
    """Every text constant of the package and its data, and the fixed beginnings and ends of f-strings."""
    constants: set[str] = set()
    pieces: set[str] = set()
    for path in package_files(root):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                pieces.update(
                    part.value
                    for part in node.values
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and "_" in part.value
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.update(re.findall(r"[a-z][a-z0-9_.]*", node.value))
    for data in sorted((root / "models/policy").glob("*.yaml")):
        constants.update(re.findall(r"[a-z][a-z0-9_]*", data.read_text("utf-8")))
    return constants, pieces


def raw_catalogue(root: Path = ROOT) -> dict[str, dict[str, str | list[str]]]:
    """The catalogue as written: code -> language -> text or [text, hint]."""
    merged: dict[str, dict[str, str | list[str]]] = {}
    for path in sorted((root / "common/messages").glob("*.yaml")):
        merged.update(yaml.safe_load(path.read_text("utf-8")) or {})
    return merged


def placeholders(text: str | list[str]) -> set[str]:
    """Names in braces of a text, or of a text and its hint."""
    parts = [text] if isinstance(text, str) else text
    return {field for part in parts for _, field, _, _ in string.Formatter().parse(part) if field is not None}
