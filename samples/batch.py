"""The shipped batch `samples/inbox` and its truth, made again with `python -m jiyao.samples.batch`.

What the demonstration needs is in it: a marked paper to copy, an expired one from a peer organ, one that is not
filed, one kept for ever, one to put under hold, one above the station's level, a broken file and a twin.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .generate import write_truth
from .make import make_paper
from .paper import Format, Layout, Origin, Paper, Severity
from .render import render_with_text
from .truth import truth_of

HERE = Path(__file__).resolve().parent
COPY_FOR_REFERENCE = "供参考抄件"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of the batch; `demo` names its part in the demonstration, `outcome` what `ingest` should say."""

    file: str
    template: str
    fmt: Format
    severity: Severity
    seed: int
    mark: str
    layout: Layout
    origin: Origin
    signed: date
    demo: str | None = None
    outcome: str = "registered"


TWIN_OF, TWIN = "07-rule.docx", "17-rule-again.docx"
BROKEN_FROM, BROKEN = "14-rule-public.pdf", "18-broken.pdf"


@cache
def entries() -> tuple[_Entry, ...]:
    """The lines of `batch.yaml`."""
    return tuple(_Entry(**line) for line in yaml.safe_load((HERE / "batch.yaml").read_text("utf-8")))


def main() -> None:
    """Writes the batch anew."""
    write_batch(HERE)


def write_batch(folder: Path) -> list[dict[str, Any]]:
    """Writes `inbox/` and `truth.json` under `folder`; gives the truth.

    Raises:
        MissingTool: without the Noto CJK fonts.
    """
    inbox = folder / "inbox"
    papers: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    for entry in entries():
        paper = paper_of(entry.file)
        rendered = render_with_text(paper, entry.fmt, entry.severity, entry.seed)
        files[entry.file] = rendered.data
        truth = truth_of(paper, rendered, file=entry.file, fmt=entry.fmt, seed=entry.seed)
        papers.append({**truth, "outcome": entry.outcome, **({"demo": entry.demo} if entry.demo else {})})
    files[TWIN], files[BROKEN] = files[TWIN_OF], _broken(files[BROKEN_FROM])
    by_file = {truth["file"]: truth for truth in papers}
    twin = {key: value for key, value in by_file[TWIN_OF].items() if key != "demo"}
    papers.append({**twin, "file": TWIN, "outcome": "duplicate", "twin_of": TWIN_OF})
    nothing = {"level": None, "basis": "none", "interim": None, "retention": None}
    papers.append(
        {"file": BROKEN, "format": "pdf", "pages": None, "expected": nothing, "outcome": "quarantined"}
    )
    shutil.rmtree(inbox, ignore_errors=True)
    inbox.mkdir(parents=True)
    for name, data in files.items():
        (inbox / name).write_bytes(data)
    write_truth(folder / "truth.json", papers)
    return papers


def paper_of(file: str) -> Paper:
    """The paper behind a file of the batch.

    Raises:
        StopIteration: for a file that is not one of its papers.
    """
    entry = next(entry for entry in entries() if entry.file == file)
    paper = make_paper(
        entry.seed, "train", template=entry.template, origin=entry.origin, layout=entry.layout, mark=entry.mark,
        signed=entry.signed,
    )  # fmt: skip
    return _for_reference(paper) if entry.demo == "worthless" else paper


def _for_reference(paper: Paper) -> Paper:
    """A copy for reference only: said on the paper, not filed (文件材料归档范围, rule A-NA3 of the policy)."""
    return replace(
        paper,
        fields=replace(paper.fields, note=COPY_FOR_REFERENCE),
        expected=replace(
            paper.expected, retention="不归档", retention_flags=(COPY_FOR_REFERENCE,), important=False
        ),
    )


def _broken(data: bytes) -> bytes:
    """The beginning of a PDF, as after a broken transfer: the header is right, pages and index are gone."""
    return data[: min(len(data) // 40, 1500)]


if __name__ == "__main__":
    main()
