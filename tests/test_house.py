"""The house stands: packaging, floors, line limits, words that do not belong, licences."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import layers, lines, tree


def _packages(root: Path) -> set[str]:
    folders = {path.parent for path in tree.package_files(root)}
    return {".".join(("jiyao", *folder.relative_to(root).parts)) for folder in folders} | {"jiyao"}


def test_every_package_folder_is_listed(repo: Path) -> None:
    listed = tree.project()["tool"]["setuptools"]["packages"]
    assert set(listed) == _packages(repo)
    assert len(listed) == len(set(listed))


def test_rooms_have_an_init_and_the_root_has_none(repo: Path) -> None:
    assert not (repo / "__init__.py").exists()
    for package in _packages(repo) - {"jiyao"}:
        assert (repo.joinpath(*package.split(".")[1:]) / "__init__.py").is_file(), package


NOT_SHIPPED = {("samples", "inbox"), ("samples", "truth.json")}
"""The batch for the demonstration and its truth stay in the repository."""


def test_data_files_are_listed(repo: Path) -> None:
    patterns = tree.project()["tool"]["setuptools"]["package-data"]
    for path in tree.files(repo):
        parts = path.relative_to(repo).parts
        if parts[0] not in tree.ROOMS or path.suffix == ".py" or parts[:2] in NOT_SHIPPED:
            continue
        owner = next(
            (".".join(("jiyao", *parts[:n])) for n in range(len(parts) - 1, 0, -1)
             if (repo.joinpath(*parts[:n]) / "__init__.py").is_file()), "jiyao",
        )  # fmt: skip
        inner = Path(*parts[owner.count(".") :])
        assert any(inner.match(pattern) for pattern in patterns.get(owner, [])), f"{path} is not shipped"


def test_nothing_new_at_the_top(repo: Path) -> None:
    allowed = {
        *tree.ROOMS, "cli.py", "tests", "docs", "pyproject.toml", "Makefile", ".ci", ".gitignore",
        "README.md", "README.zh-CN.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "NOTICE",
    }  # fmt: skip
    assert {path.relative_to(repo).parts[0] for path in tree.files(repo)} <= allowed


def test_floors() -> None:
    assert layers.faults() == []


def _small_house(root: Path, text: dict[str, str]) -> Path:
    for name, source in text.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
        for folder in path.relative_to(root).parents[:-1]:
            (root / folder / "__init__.py").touch()
    return root


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ({"models/a.py": "from ..stages import ocr\n", "stages/ocr.py": ""}, "floor 1"),
        ({"vault/a.py": "from ..ledger.log import x\n", "ledger/log.py": ""}, "floor 2"),
        ({"stages/seal.py": "from ..pipeline import plan\n", "pipeline/plan.py": ""}, "floor 4"),
        ({"pipeline/a.py": "from jiyao.models import level\n", "models/level.py": ""}, "absolutely"),
        ({"pipeline/a.py": "import jiyao.models.level\n", "models/level.py": ""}, "absolutely"),
        ({"stages/seal.py": "from sqlalchemy import select\n"}, "never import sqlalchemy"),
        ({"stages/seal.py": "from ..models.tables import X\n", "models/tables.py": ""},
         "never import jiyao.models"),
        ({"stages/ocr.py": "from .seal import x\n", "stages/seal.py": "from ..vault import keys\n",
          "vault/keys.py": ""}, "worker side reaches jiyao.vault"),
        ({"stages/engines/a.py": "def f():\n    from ...ledger import log\n", "ledger/log.py": ""},
         "worker side reaches jiyao.ledger"),
        ({"stages/ocr.py": "", "stages/__init__.py": "from ..vault import keys\n", "vault/keys.py": ""},
         "worker side reaches jiyao.vault"),
        ({"stages/worker.py": "from ..models import store\n", "models/store.py": "import sqlalchemy\n"},
         "worker side reaches sqlalchemy"),
        ({"models/a.py": "import importlib\nimportlib.import_module('jiyao.vault.keys')\n"}, "absolutely"),
    ],
)  # fmt: skip
def test_a_breach_of_the_floors_is_found(tmp_path: Path, text: dict[str, str], word: str) -> None:
    found = layers.faults(_small_house(tmp_path, text))
    assert any(word in fault for fault in found), found


def test_what_the_floors_allow(tmp_path: Path) -> None:
    house = _small_house(
        tmp_path,
        {
            "common/errors.py": "",
            "models/level.py": "from ..common.errors import X\n",
            "vault/keys.py": "from . import root\nfrom ..models import level\n",
            "vault/root.py": "",
            "watermark/mark.py": "from ..formats.pdf import draw\n",
            "formats/pdf.py": "import pypdf\n",
            "stages/seal.py": "from ..vault import keys\nfrom ..watermark.mark import x\n",
            "stages/ocr.py": "from typing import TYPE_CHECKING\nfrom ..formats import pdf\n"
            "if TYPE_CHECKING:\n    from ..vault import keys\n",
            "pipeline/intake/runner.py": "from ..stages import seal, ocr\nfrom ..ledger import log\n",
            "ledger/log.py": "",
            "commands/day.py": "from ..pipeline import runner\n",
            "cli.py": "from .commands import day\n",
        },
    )
    assert layers.faults(house) == []


def test_a_worker_loads_no_keys(repo: Path) -> None:
    if not (repo / "stages/worker.py").is_file():
        pytest.skip("the worker is not there yet")
    code = (
        "import sys, jiyao.stages.worker\n"
        "print([m for m in sys.modules if m.startswith(('jiyao.vault', 'jiyao.ledger', 'sqlalchemy'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "[]"


def test_no_file_over_the_line_limit() -> None:
    assert [item for item in lines.lengths() if item[0] > lines.HARD] == []


FORBIDDEN = re.compile(
    r"/wor[k]/|/far[m]/|pyp[i]\.org|pythonhoste[d]\.org|deb\.debia[n]\.org|registry\.npmj[s]"
    r"|clau[d]e|anthropi[c]|opena[i]\b|chatgp[t]|copilo[t]|\bllm[s]?\b|ai[ -]generate[d]|language mode[l]"
    r"|TOD[O]|FIXM[E]",
    re.IGNORECASE,
)


def test_no_foreign_words_or_paths(repo: Path) -> None:
    found = []
    for path in tree.files(repo):
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{path.relative_to(repo)}:{number}")
    assert found == []


def _licence(name: str) -> str:
    metadata = importlib.metadata.metadata(name)
    words = [metadata.get("License-Expression") or "", *metadata.get_all("Classifier", [])]
    words = [word for word in words if "License" in word or "::" not in word]
    if not any(words):
        words = [(metadata.get("License") or "")[:200]]
    return " ".join(words)


def _needed(names: list[str]) -> set[str]:
    seen: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        if requirement.name.lower() in seen or (requirement.marker and not requirement.marker.evaluate()):
            continue
        try:
            inner = importlib.metadata.requires(requirement.name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        seen.add(requirement.name.lower())
        waiting += [Requirement(line) for line in inner]
    return seen


def test_no_gpl_or_agpl_among_what_is_installed() -> None:
    project = tree.project()["project"]
    names = _needed(project["dependencies"] + project["optional-dependencies"]["rapidocr"])
    assert "cryptography" in names
    strict = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)
    lesser = re.compile(r"LGPL|Lesser General Public|Library or Lesser", re.IGNORECASE)
    bad = {}
    for name in sorted(names):
        licence = _licence(name)
        if strict.search(lesser.sub("", licence)) and not re.search(r"MIT|BSD|Apache|MPL", licence):
            bad[name] = licence
    assert bad == {}


def test_direct_dependencies_are_pinned() -> None:
    project = tree.project()["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    for line in [*project["dependencies"], *extras]:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line


def test_core_dependencies_do_real_work(repo: Path) -> None:
    imported = set()
    known = frozenset(tree.module_name(path) for path in tree.package_files(repo))
    for path in tree.package_files(repo):
        imported |= {entry.target.partition(".")[0] for entry in layers.imports(path, repo, known)}
    if not (repo / "cli.py").is_file():
        pytest.skip("the command line is not there yet")
    assert {"pypdf", "docx", "pytesseract", "spacy", "cryptography", "click"} <= imported


@pytest.mark.slow
def test_the_wheel_holds_jiyao_alone_and_works(repo: Path, tmp_path: Path) -> None:
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools 77 or newer is needed to build the wheel")
    source = tmp_path / "any-name"
    for path in tree.files(repo):
        target = source / path.relative_to(repo)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source)], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"jiyao"}
    shipped = {path.relative_to(repo).as_posix() for path in tree.package_files(repo)}
    assert {f"jiyao/{name}" for name in shipped} <= set(names)
    assert not [name for name in names if "/tests/" in name or "/inbox/" in name]

    place = tmp_path / "place"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(place), str(wheel)], check=True)
    code = (
        "import jiyao.common.messages as m, jiyao.models.migrate as g, sqlalchemy as s;"
        "print(m.__file__); assert m.say('interrupted', 'en') != 'interrupted';"
        "g.upgrade(s.create_engine('sqlite://', poolclass=s.pool.StaticPool))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(place)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(place) in done.stdout
