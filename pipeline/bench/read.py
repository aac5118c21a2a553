"""Measures reading: how exactly and how fast made-up scans become text and fields, by severity of their damage.

The papers are of the generator's test split: phrases, organs, templates, type and strengths of damage that training
never shows. Product, plain Tesseract and OCRmyPDF read the same files in one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ...common.errors import MissingTool
from ...samples.measure import Sample, samples
from ...samples.paper import Severity
from ...samples.read_files import read_files
from ...samples.score import Score, cer, fields_exact, plain
from ...samples.truth import fields_of
from ...stages.engines.choose import AUTO, choose
from .race import Better, Race, Races, Unit, require
from .rivals import (
    LANGUAGES,
    OCRMYPDF,
    TESSERACT,
    ocrmypdf_reads,
    read_with_ocrmypdf,
    read_with_tesseract,
    tesseract_reads,
)

SEVERITIES: Final[tuple[Severity, ...]] = ("clean", "office", "bad", "awful")
_WORKERS = 2
_MOST_PAGES = 3
_MIB = 1024 * 1024
_VERBATIM = ("serials", "mark", "urgency", "doc_number", "signers", "title", "recipients", "signed_date_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """One reader on one severity. Shares are in per cent; None where the reader does not do it."""

    cer_ex: float
    cer_raw: float
    verbatim: float
    fields: float | None
    pace: float
    cpu: float
    memory: float


def read(folder: Path, quick: bool, seed: int, *, severities: Sequence[Severity] = SEVERITIES) -> Races:
    """Error rates, fields, pages a minute, CPU and memory, by severity, against Tesseract and OCRmyPDF.

    Raises:
        MissingTool: no engine; or `bench_baseline_missing`, without Tesseract and its two languages. Without
            OCRmyPDF its rows say so and have no baseline.
    """
    engine = choose(AUTO).engine.name_version
    if not tesseract_reads():
        raise MissingTool("bench_baseline_missing", what=f"Tesseract ({LANGUAGES})")
    count = 2 if quick else 8
    for severity in severities:
        made = list(samples(count, seed=seed, split="test", severity=severity, most_pages=_MOST_PAGES))
        pages = sum(len(sample.truth) for sample in made)
        note = f"{engine}, {len(made)} files, {pages} pages, seed {seed}"
        product = _product(made)
        plainly = _of_tesseract(made)
        yield from _rows(f"read.{severity}", product, plainly, against=TESSERACT, note=note)
        rival = _of_ocrmypdf(made, folder / severity) if ocrmypdf_reads() else None
        yield from _rows(f"read.{severity}", product, rival, against=OCRMYPDF, note=note, tail=".ocrmypdf")


_MEASURES: Final[tuple[tuple[str, Unit, Better], ...]] = (
    ("cer_ex", "%", "less"), ("cer_raw", "%", "less"), ("fields", "%", "more"), ("verbatim", "%", "more"),
    ("pace", "pages/min", "more"), ("cpu", "s/page", "less"), ("memory", "MiB", "less"),
)  # fmt: skip
_BESIDE_OCRMYPDF = ("cer_ex", "cer_raw", "pace", "cpu")


def _rows(
    name: str, product: _Figures, rival: _Figures | None, *, against: str, note: str, tail: str = ""
) -> Races:
    for measure, unit, better in _MEASURES:
        if tail and measure not in _BESIDE_OCRMYPDF:
            continue
        # no other program gives fields: what its text holds verbatim is the most that could be had from it
        other = getattr(rival, "verbatim" if measure == "fields" else measure) if rival else None
        yield Race(
            name=f"{name}.{measure}{tail}", unit=unit, better=better, against=against, rounds=1, note=note,
            product=partial(float, getattr(product, measure)),
            baseline=partial(float, other) if other is not None else None,
        )  # fmt: skip


def _product(made: Sequence[Sample]) -> _Figures:
    done = read_files(
        [sample.rendered.data for sample in made], warm=made[0].rendered.data, engine=AUTO, workers=_WORKERS
    )
    require(not any(file.failure for file in done.files), "read")
    right = total = 0
    for sample, file in zip(made, done.files, strict=True):
        score = fields_exact(fields_of(sample.paper, sample.rendered), file.fields)
        right, total = right + score.right, total + score.total
    return _figures(
        made, [file.texts for file in done.files], fields=100 * right / max(1, total), seconds=done.seconds,
        cpu=sum(file.cpu for file in done.files), peak=max(file.peak for file in done.files),
    )  # fmt: skip


def _of_tesseract(made: Sequence[Sample]) -> _Figures:
    rival = read_with_tesseract([sample.rendered.data for sample in made], workers=_WORKERS)
    return _figures(made, rival.texts, fields=None, seconds=rival.seconds, cpu=rival.cpu, peak=rival.peak)


def _of_ocrmypdf(made: Sequence[Sample], folder: Path) -> _Figures:
    rival = read_with_ocrmypdf([sample.rendered.data for sample in made], folder)
    return _figures(made, rival.texts, fields=None, seconds=rival.seconds, cpu=rival.cpu, peak=rival.peak)


def _figures(
    made: Sequence[Sample], texts: Sequence[Sequence[str]], *, fields: float | None, seconds: float, cpu: float,
    peak: int,
) -> _Figures:  # fmt: skip
    score = sum((cer(sample.truth, read) for sample, read in zip(made, texts, strict=True)), Score())
    pages = sum(len(sample.truth) for sample in made)
    there = [found for sample, read in zip(made, texts, strict=True) for found in _verbatim(sample, read)]
    return _Figures(
        cer_ex=100 * score.ex, cer_raw=100 * score.raw, verbatim=100 * sum(there) / max(1, len(there)),
        fields=fields, pace=pages / seconds * 60, cpu=cpu / pages, memory=peak / _MIB,
    )  # fmt: skip


def _verbatim(sample: Sample, texts: Sequence[str]) -> list[bool]:
    """Whether each value that the paper prints stands in the text as it is, without repair."""
    text = plain("".join(texts))
    truth: dict[str, Any] = fields_of(sample.paper, sample.rendered)
    values = [value for name in _VERBATIM for value in _listed(truth.get(name))]
    return [plain(value) in text for value in values]


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
