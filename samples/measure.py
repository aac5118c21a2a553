"""`python -m jiyao.samples.measure`: reads made-up papers in this process and says how exactly.

For whoever changes reading: the same papers for the same seed, so that before and after compare. Nothing is confined
here and start-up is not counted; `jiyao bench read` measures the product with its workers.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast, get_args

import click

from ..common.errors import JiyaoError
from ..common.limits import DEFAULT_LIMITS
from ..common.messages import advise, say
from ..formats.open import open_document
from ..models.fields import OfficialFields
from ..models.outcome import Done, Doubt
from ..models.page import Page, Transcript
from ..models.wire import from_plain
from ..stages.read_stack import read_stack
from .forms import make_rich
from .paper import SEVERITIES, Format, Paper, Severity, Split
from .render import Rendered, render_with_text
from .score import FieldScore, PageTruth, Score, cer, fields_exact, plain
from .truth import fields_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A paper as a file, with its truth."""

    seed: int
    paper: Paper
    rendered: Rendered
    truth: tuple[PageTruth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One file as it was read; without fields when reading failed."""

    sample: Sample
    score: Score
    fields: FieldScore
    doubted: frozenset[str]
    """Fields that bear a doubt."""
    seconds: float
    """CPU seconds of this process."""
    failure: str = ""
    read: OfficialFields | None = None
    pages: tuple[Page, ...] = ()


def samples(
    count: int, *, seed: int, split: Split, severity: Severity, most_pages: int = 6, fmt: Format | None = None
) -> Iterator[Sample]:
    """`count` papers of a split as scanned files; papers longer than `most_pages` are passed over."""
    rng = random.Random(f"measure:{seed}")
    while count:
        number = rng.randrange(1 << 30)
        paper = make_rich(number, split)
        rendered = render_with_text(paper, fmt or "scan", severity, number, dressed=True)
        if rendered.pages is not None and rendered.pages > most_pages:
            continue
        count -= 1
        yield Sample(seed=number, paper=paper, rendered=rendered, truth=rendered.truths)


def read_sample(sample: Sample, *, engine: str) -> Result:
    """Reads one file as a worker does, and scores it. A failure is a reading without text.

    Raises:
        JiyaoError: the engine is unknown or not there.
    """
    began = time.process_time()
    data = sample.rendered.data
    with closing(open_document(data, limits=DEFAULT_LIMITS)) as opened:
        outcome = read_stack(opened, data, engine=engine, mode="none", limits=DEFAULT_LIMITS)
    took = time.process_time() - began
    pages: list[Page] = []
    fields, failure = OfficialFields(), ""
    if isinstance(outcome, Done | Doubt):
        for part in outcome.value["parts"]:
            pages += from_plain(Transcript, part["transcript"]).pages
        fields = from_plain(OfficialFields, outcome.value["parts"][0]["fields"])
    else:
        failure = outcome.code
    doubted = frozenset(_OF_EVIDENCE.get(item.name, item.name) for item in fields.evidence if item.doubt)
    return Result(
        sample=sample, score=cer(sample.truth, pages or [""] * len(sample.truth)),
        fields=fields_exact(fields_of(sample.paper, sample.rendered), fields), doubted=doubted, seconds=took,
        failure=failure, read=fields, pages=tuple(pages),
    )  # fmt: skip


_OF_EVIDENCE = {
    "serial": "serials", "organ": "organs", "signer": "signers", "date": "signed_date",
}  # fmt: skip


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The figures over all results: error rates and exactness in per cent, CPU seconds a page, by damage.

    `cer_ex_bare` is `cer_ex` of the files without scribbles and holes, what is read there being errors like any other.
    """
    score = sum((result.score for result in results), Score())
    verdicts: dict[str, Counter[str]] = {}
    wrong = caught = doubts = 0
    for result in results:
        for name, verdict in result.fields.verdicts.items():
            verdicts.setdefault(name, Counter())[verdict] += 1
            if verdict != "right":
                wrong += 1
                caught += name in result.doubted
        doubts += len(result.doubted & set(result.fields.verdicts))
    total = sum(result.fields.total for result in results)
    pages = sum(len(result.sample.truth) for result in results)
    damages: dict[str, Score] = {}
    for result in results:
        rendered = result.sample.rendered
        for damage in (*(rendered.damage or ("none",)), *(f"+{name}" for name in rendered.added)):
            damages[damage] = damages.get(damage, Score()) + result.score
    return {
        "files": len(results),
        "pages": pages,
        "failures": dict(Counter(result.failure for result in results if result.failure)),
        "cer_raw": _percent(score.raw),
        "cer_ex": _percent(score.ex),
        "cer_ex_bare": _percent(sum((result.score for result in results if _bare(result)), Score()).ex),
        "characters": score.characters,
        "fields_exact": _percent(sum(result.fields.right for result in results) / max(1, total)),
        "fields": {name: dict(counts) for name, counts in sorted(verdicts.items())},
        "wrong_fields": wrong,
        "wrong_with_doubt": caught,
        "fields_with_doubt": doubts,
        "cpu_seconds_a_page": round(sum(result.seconds for result in results) / max(1, pages), 3),
        "ex_by_damage": {name: _percent(part.ex) for name, part in sorted(damages.items())},
    }


def _bare(result: Result) -> bool:
    """Whether neither pen nor punch was at the paper."""
    return not {"scribble", "holes"} & set(result.sample.rendered.added)


def _percent(share: float) -> float:
    return round(100 * share, 3)


def _tell(result: Result) -> None:
    """One line a file, and one for each field that is not right. All of it is made up, so it may be shown."""
    sample, read = result.sample, result.read
    damage = ",".join((*sample.rendered.damage, *(f"+{name}" for name in sample.rendered.added)))
    click.echo(
        f"{sample.seed} {sample.paper.template} {sample.paper.layout} [{damage}] ex {100 * result.score.ex:.2f} "
        f"({result.score.ex_errors}/{result.score.characters}) raw {100 * result.score.raw:.2f} "
        f"{result.seconds:.1f} s {result.failure}"
    )
    for page, text in zip(sample.truth, (page.text for page in result.pages), strict=False):
        true, seen = plain("".join(page.lines)), plain(text)
        parts = SequenceMatcher(None, true, seen, autojunk=False).get_opcodes()
        differing = [f"{true[a:b] or '-'}>{seen[c:d] or '-'}" for tag, a, b, c, d in parts if tag != "equal"]
        click.echo("   ~ " + " ".join(differing))
    truth = fields_of(sample.paper, sample.rendered)
    for name, verdict in result.fields.verdicts.items():
        if verdict != "right":
            sign = "?" if name in result.doubted else "!"
            click.echo(f"   {sign} {name} {verdict}: {truth.get(name)!r} read {getattr(read, name, None)!r}")


@click.command()
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@click.option("--severity", type=click.Choice(SEVERITIES), default="office", show_default=True)
@click.option("--count", type=click.IntRange(1), default=20, show_default=True, help="Files.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--engine", default="auto", show_default=True)
@click.option("--format", "fmt", type=click.Choice(get_args(Format)), default=None)
@click.option("--most-pages", type=click.IntRange(1), default=6, show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Every file, and every field that is not right.")
def main(
    split: str,
    severity: str,
    count: int,
    seed: int,
    engine: str,
    fmt: str | None,
    most_pages: int,
    verbose: bool,
) -> None:
    """Reads COUNT made-up files and prints error rates, field exactness and CPU seconds as JSON.

    Of every page `-v` shows where truth and reading differ (stamps, 样张 and page numbers too), as `truth>read`.
    `!` before a wrong field: nothing warned of it; `?`: it bore a doubt.
    """
    made = samples(
        count, seed=seed, split=cast(Split, split), severity=cast(Severity, severity), most_pages=most_pages,
        fmt=cast(Format | None, fmt),
    )  # fmt: skip
    results = []
    try:
        for sample in made:
            results.append(read_sample(sample, engine=engine))
            if verbose:
                _tell(results[-1])
    except JiyaoError as error:
        click.echo(
            f"{say(error.code, 'zh', **error.facts)}{advise(error.code, 'zh', **error.facts)}", err=True
        )
        raise SystemExit(error.exit_code) from error
    click.echo(json.dumps(summary(results), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
