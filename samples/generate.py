"""Command `python -m jiyao.samples.generate`: a folder of made-up papers and `truth.json` beside them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import click

from ..common.errors import JiyaoError, UsageFault
from ..common.messages import advise, say
from .forms import make_rich
from .paper import FORMATS, SEVERITIES, SUFFIX, Format, Severity, Split
from .render import render_with_text
from .sheet import fonts_for
from .truth import SCHEMA, truth_of


def generate(
    out: Path,
    *,
    count: int,
    seed: int,
    split: Split,
    formats: Sequence[Format],
    severities: Sequence[Severity],
) -> Path:
    """Writes `count` papers in turn through the formats and severities; gives the path of `truth.json`.

    Raises:
        MissingTool: without the Noto CJK fonts.
        OSError: when `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    papers: list[dict[str, Any]] = []
    for index in range(count):
        rng = random.Random(f"{seed}:{index}")
        number = rng.randrange(1 << 30)
        fmt = formats[index % len(formats)]
        severity = severities[(index // len(formats)) % len(severities)]
        paper = make_rich(number, split)
        rendered = render_with_text(paper, fmt, severity, number, dressed=True)
        file = f"{split}-{index + 1:05d}{SUFFIX[fmt]}"
        (out / file).write_bytes(rendered.data)
        papers.append(truth_of(paper, rendered, file=file, fmt=fmt, seed=number))
    return write_truth(out / "truth.json", papers)


def write_truth(path: Path, papers: list[dict[str, Any]]) -> Path:
    """The answer sheet; the same papers give the same bytes."""
    text = json.dumps({"schema": SCHEMA, "papers": papers}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", "utf-8")
    return path


def _chosen(what: str, value: str, known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip()) or tuple(known)
    for name in names:
        if name not in known:
            raise UsageFault("samples_bad_choice", what=what, given=name, known=", ".join(known))
    return names


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--count", type=click.IntRange(1), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@click.option("--formats", default="", help="Comma separated; default all.")
@click.option(
    "--severity", default="office", show_default=True, help="Comma separated: clean, office, bad, awful."
)
def main(out: Path, count: int, seed: int, split: str, formats: str, severity: str) -> None:
    """Makes up papers of organs that do not exist, with 样张 on every page, and the truth about them."""
    try:
        path = generate(
            out,
            count=count,
            seed=seed,
            split=cast(Split, split),
            formats=cast(tuple[Format, ...], _chosen("--formats", formats, FORMATS)),
            severities=cast(tuple[Severity, ...], _chosen("--severity", severity, SEVERITIES)),
        )
    except JiyaoError as error:
        click.echo(
            f"{say(error.code, 'zh', **error.facts)}{advise(error.code, 'zh', **error.facts)}", err=True
        )
        raise SystemExit(error.exit_code) from error
    if split == "test" and fonts_for("test", 0) == "noto":
        click.echo(say("samples_fonts_alike", "zh"), err=True)
    click.echo(str(path))


if __name__ == "__main__":
    main()
