"""Made-up papers: their truth holds, they are the same again, the splits share nothing, and 样张 is on every page."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from datetime import date
from pathlib import Path

import docx
import numpy as np
import pypdfium2
import pytest
from click.testing import CliRunner
from PIL import Image, ImageSequence

from jiyao.models.level import Family, Level
from jiyao.samples import batch, generate
from jiyao.samples.damage import AWFUL, BAD, damage, plan
from jiyao.samples.dress import dress
from jiyao.samples.grammar import book, id_number
from jiyao.samples.layout import lay_out
from jiyao.samples.make import make_paper
from jiyao.samples.marks import MAX_YEARS, STAR
from jiyao.samples.paper import FORMATS, SEVERITIES, SPLITS, STAMP, Format, Paper, Severity, Split
from jiyao.samples.picture import draw_picture
from jiyao.samples.render import render, render_with_text
from jiyao.samples.sheet import BOTTOM, LEFT, RIGHT, Seal, Stamp, Text, font_path, width
from jiyao.samples.truth import truth_of

SAMPLES = Path(batch.__file__).resolve().parent


def _fonts() -> bool:
    try:
        font_path("serif")
    except Exception:
        return False
    return True


needs_fonts = pytest.mark.skipif(not _fonts(), reason="the Noto CJK fonts are not installed")


def _papers(count: int = 150) -> list[Paper]:
    return [make_paper(seed, split) for split in SPLITS for seed in range(count)]


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


@needs_fonts
def test_every_field_of_the_truth_prints_on_the_pages() -> None:
    for paper in _papers():
        text = _squeezed("".join(line for sheet in lay_out(paper) for line in sheet.lines))
        fields = paper.fields
        printed = [
            *fields.serials,
            paper.mark_text,
            fields.title,
            fields.doc_number,
            *fields.recipients,
            *fields.signers,
        ]
        printed += [
            *fields.copied_to,
            fields.note,
            fields.urgency,
            paper.date_text if fields.signed_date else None,
        ]
        if paper.layout not in ("order", "minutes"):
            printed += fields.organs
        for value in filter(None, printed):
            assert _squeezed(value) in text, (paper.id, paper.template, value)
        if fields.printed_date:
            day = fields.printed_date
            assert f"{day.year}年{day.month}月{day.day}日印发" in text


@pytest.mark.req("R-026")
def test_marks_are_lawful_and_the_truth_agrees_with_them() -> None:
    seen: set[str] = set()
    for paper in _papers(400):
        mark, expected = paper.fields.mark, paper.expected
        if mark is None:
            assert expected.basis in ("content", "none")
            assert expected.level is None or expected.level.family is not Family.STATE
            continue
        assert (expected.level, expected.basis, expected.period) == (mark.level, "marked", mark.period)
        seen.add(f"{mark.level.family}:{mark.period.kind if mark.period else mark.star}")
        if mark.star:
            assert mark.level.family is Family.STATE
        assert (STAR in paper.mark_text) == mark.star
        if mark.level.family is Family.STATE and mark.period and mark.period.kind == "years":
            assert 1 <= (mark.period.number or 0) <= MAX_YEARS[mark.level]
        if mark.period:
            assert str(mark.period) in paper.mark_text
        if mark.period and paper.fields.signed_date:
            ends = mark.period.ends(paper.fields.signed_date)
            assert ends is None or ends > paper.fields.signed_date
    state = {"years", "months", "until", "condition", "forever", "True", "False"}
    assert {f"state:{kind}" for kind in state} <= seen
    assert {name.split(":")[0] for name in seen} == {family.value for family in Family}


def test_dates_follow_each_other_and_old_papers_look_old() -> None:
    for paper in _papers():
        fields = paper.fields
        if fields.signed_date and fields.printed_date:
            assert fields.printed_date >= fields.signed_date
        if paper.layout == "old":
            assert fields.signed_date and fields.signed_date < date(2012, 7, 1)
            assert not re.search(r"\d", paper.date_text)
            assert paper.subject_words


@pytest.mark.slow
@needs_fonts
def test_the_same_seed_gives_the_same_bytes() -> None:
    for seed, fmt in enumerate(FORMATS):
        severity: Severity = "bad" if fmt in ("fax", "jpeg") else "office"
        first, second = (render(make_paper(seed, "train"), fmt, severity, seed) for _ in range(2))
        assert first == second, fmt
    assert make_paper(1, "train") != make_paper(2, "train")
    scan = make_paper(5, "train")
    assert render(scan, "jpeg", "office", 1) != render(scan, "jpeg", "office", 2)


def test_splits_share_no_template_place_organ_or_sentence() -> None:
    train, test = (book(split) for split in SPLITS)
    assert not set(train.by_id) & set(test.by_id)
    assert not set(train.places) & set(test.places)
    for name in ("surname", "given"):
        assert not set(train.words[name]) & set(test.words[name])
    shared = {word for words in train.words.values() for word in words} & {
        word for words in test.words.values() for word in words
    }
    assert not shared

    def sentences(split: Split) -> set[str]:
        families = book(split).families
        return {text for family in families for key in ("open", "points", "matter") for text in family[key]}

    assert not sentences("train") & sentences("test")


def _organs(split: Split) -> set[str]:
    names = set()
    for profile in book(split).organs.values():
        names.add(profile["unit"])
        for origin in ("self", "superior", "peer", "subordinate"):
            names |= {name for name, _ in profile[origin]}
    return names


@pytest.mark.parametrize("split", SPLITS)
def test_organs_come_from_the_list_of_places_that_cannot_exist(split: Split) -> None:
    places = book(split).places
    for name in _organs(split):
        assert name.removeprefix("中共").startswith(places), name
    for seed in range(150):
        paper = make_paper(seed, split)
        for name in (*paper.fields.organs, *paper.fields.recipients, *paper.fields.copied_to, paper.unit):
            assert name.removeprefix("中共").startswith(places), name


def test_identity_numbers_check_but_belong_to_no_region() -> None:
    import random

    rng = random.Random(7)
    for _ in range(300):
        number = id_number(rng)
        assert re.fullmatch(r"9901\d{13}[\dX]", number)
        total = sum((10 if c == "X" else int(c)) * (2 ** (17 - i) % 11) for i, c in enumerate(number))
        assert total % 11 == 1


@needs_fonts
def test_every_page_bears_the_stamp_in_text_and_in_pixels() -> None:
    for seed in range(25):
        for sheet in lay_out(make_paper(seed, "test")):
            assert sum(isinstance(thing, Text) and thing.text == STAMP for thing in sheet.things) == 2
    sheet = lay_out(make_paper(4, "train"))[0]
    page = draw_picture(sheet, dpi=100).astype(int)
    for band in (page[30:60], page[1120:1150]):
        reddish = (band[..., 0] - band[..., 1] > 40).sum()
        assert reddish > 150
    document = pypdfium2.PdfDocument(render(make_paper(4, "train"), "pdf"))
    for number in range(len(document)):
        assert "样张" in document[number].get_textpage().get_text_range()


@needs_fonts
def test_a_docx_bears_the_stamp_in_header_and_footer_and_holds_the_text() -> None:
    paper = make_paper(8, "train", template="tr-rule-issue", mark="none")
    data = render(paper, "docx")
    document = docx.Document(io.BytesIO(data))
    section = document.sections[0]
    assert STAMP in section.header.paragraphs[0].text
    assert STAMP in section.footer.paragraphs[0].text
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    for value in (paper.fields.title, paper.fields.doc_number, paper.date_text, paper.body[0].text):
        assert value and value in text
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {2026}


@needs_fonts
def test_text_stays_inside_the_text_area() -> None:
    for paper in _papers(60):
        for sheet in lay_out(paper):
            for thing in sheet.things:
                if isinstance(thing, Text) and thing.ink == "black" and thing.text != STAMP:
                    assert thing.x >= LEFT - 0.1, (paper.id, thing)
                    end = thing.x + width(thing.text, thing.size, thing.face, thing.spacing)
                    assert end <= RIGHT + 3.5, (paper.id, paper.layout, thing)
                    assert thing.y <= BOTTOM + 13
                if isinstance(thing, Seal):
                    assert thing.y + thing.diameter / 2 < 297


@needs_fonts
@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_is_what_it_says(fmt: Format) -> None:
    paper = make_paper(6, "train", template="tr-flood-plan", layout="standard", mark="s_years")
    rendered = render_with_text(paper, fmt, "office", 3)
    magic = {
        "pdf": b"%PDF",
        "scan": b"%PDF",
        "jpeg": b"\xff\xd8",
        "png": b"\x89PNG",
        "docx": b"PK",
        "ofd": b"PK",
    }
    assert rendered.data.startswith(magic.get(fmt, b"II*\0"))
    if fmt == "scan":
        document = pypdfium2.PdfDocument(rendered.data)
        assert document[0].get_textpage().get_text_range().strip() == ""
    if fmt == "pdf":
        document = pypdfium2.PdfDocument(rendered.data)
        text = _squeezed("".join(document[n].get_textpage().get_text_range() for n in range(len(document))))
        for value in (paper.fields.title, paper.fields.doc_number, paper.mark_text):
            assert value and _squeezed(value) in text
    if fmt in ("tiff", "tiff-grey", "fax"):
        image = Image.open(io.BytesIO(rendered.data))
        assert rendered.pages == len(list(ImageSequence.Iterator(image))) == len(rendered.texts) > 1
        assert image.mode == {"tiff": "RGB", "tiff-grey": "L", "fax": "1"}[fmt]
    if fmt == "fax":
        assert image.info["compression"] == "group4"
    if fmt in ("jpeg", "png"):
        assert not rendered.whole
        truth = truth_of(paper, rendered, file="x", fmt=fmt, seed=6)
        assert truth["fields"]["printed_date"] is None and truth["fields"]["title"]


@needs_fonts
def test_severities_differ_and_name_their_damage() -> None:
    paper = make_paper(6, "train")
    seen = {severity: render_with_text(paper, "jpeg", severity, 2) for severity in SEVERITIES}
    assert len({rendered.data for rendered in seen.values()}) == len(SEVERITIES)
    assert seen["clean"].damage == seen["office"].damage == ()
    assert set(seen["bad"].damage) <= set(BAD) and seen["bad"].damage
    assert set(seen["awful"].damage) <= {*AWFUL} and seen["awful"].damage


def test_splits_share_no_strength_of_damage_and_every_kind_occurs() -> None:
    for severity, kinds in (("bad", BAD), ("awful", AWFUL)):
        plans = {split: [plan(severity, seed=seed, split=split) for seed in range(300)] for split in SPLITS}
        for split, odd in (("train", 0), ("test", 1)):
            assert {int(done.strength * 10) % 2 for done in plans[split]} == {odd}
            assert {kind for done in plans[split] for kind in done.kinds} == set(kinds)
            assert all(1 <= len(done.kinds) <= 2 for done in plans[split])
            assert {done.turn for done in plans[split]} == {0, 1, 2, 3}


@needs_fonts
@pytest.mark.parametrize("kind", [*BAD, *AWFUL])
def test_each_damage_leaves_a_page_that_has_ink_on_a_ground(kind: str) -> None:
    severity: Severity = "bad" if kind in BAD else "awful"
    seed = next(seed for seed in range(999) if plan(severity, seed=seed, split="train").kinds == (kind,))
    done = plan(severity, seed=seed, split="train")
    page = damage(draw_picture(lay_out(make_paper(4, "train"))[0], dpi=100), done, seed=1)
    ground, ink = np.percentile(page, 60), np.percentile(page, 0.5)
    assert page.dtype == np.uint8 and page.ndim == 3
    assert ground - ink > 60
    if done.bits:
        assert set(np.unique(page)) == {0, 255}


@needs_fonts
def test_dressing_adds_words_that_count_outside_and_covers_no_text() -> None:
    stamps = 0
    for seed in range(40):
        paper = make_paper(seed, "test")
        bare, dressed = lay_out(paper), lay_out(paper)
        dress(dressed, paper, seed=seed)
        assert [sheet.lines for sheet in bare] == [sheet.lines for sheet in dressed]
        stamps += any(isinstance(thing, Stamp) for thing in dressed[0].things)
        if any(isinstance(thing, Stamp) for thing in dressed[0].things):
            assert any("收文第" in words for words in dressed[0].left_out)
    assert 8 < stamps < 30


@needs_fonts
def test_the_command_writes_files_and_truth(tmp_path: Path) -> None:
    arguments = [
        "--out",
        str(tmp_path / "a"),
        "--count",
        "4",
        "--seed",
        "9",
        "--split",
        "test",
        "--formats",
        "docx",
    ]
    result = CliRunner().invoke(generate.main, arguments)
    assert result.exit_code == 0, result.output
    truth = json.loads((tmp_path / "a" / "truth.json").read_text("utf-8"))
    assert len(truth["papers"]) == 4
    for paper in truth["papers"]:
        assert (tmp_path / "a" / paper["file"]).is_file()
        assert paper["split"] == "test" and paper["template"].startswith("te-")
    wrong = CliRunner().invoke(generate.main, ["--out", str(tmp_path), "--formats", "floppy"])
    assert wrong.exit_code == 2
    assert "floppy" in wrong.output


def _truth() -> list[dict[str, object]]:
    return list(json.loads((SAMPLES / "truth.json").read_text("utf-8"))["papers"])


def test_the_shipped_batch_is_small_complete_and_described() -> None:
    files = {path.name: path for path in (SAMPLES / "inbox").iterdir()}
    truth = {str(paper["file"]): paper for paper in _truth()}
    assert set(files) == set(truth)
    assert sum(path.stat().st_size for path in files.values()) < 4_000_000
    assert {paper["format"] for paper in truth.values()} >= set(FORMATS) - {"ofd"}
    assert {paper["demo"] for paper in truth.values() if "demo" in paper} == {
        "copy", "expired", "worthless", "permanent", "hold",
    }  # fmt: skip
    outcomes = [paper["outcome"] for paper in truth.values()]
    assert [outcomes.count(kind) for kind in ("refused", "duplicate", "quarantined")] == [1, 1, 1]
    families = {paper["expected"]["level_family"] for paper in truth.values() if "fields" in paper}
    assert families >= {"state", "work", "company", "soe", "internal", "public", None}
    assert files["17-rule-again.docx"].read_bytes() == files["07-rule.docx"].read_bytes()


def test_what_the_demonstration_destroys_is_expired_and_what_it_keeps_is_not() -> None:
    part = {str(paper["demo"]): paper for paper in _truth() if "demo" in paper}
    for name in ("expired", "hold"):
        expected, fields = part[name]["expected"], part[name]["fields"]
        assert (expected["retention"], expected["origin"]) == ("10年", "peer")
        assert int(fields["signed_date"][:4]) + 11 < 2026
        assert part[name]["whole"]
    assert part["worthless"]["expected"]["retention"] == "不归档"
    assert "供参考抄件" in "".join(part["worthless"]["text"])
    assert part["permanent"]["expected"]["retention"] == "永久"
    assert part["copy"]["expected"]["level"] == Level.STATE_SECRET.value


@needs_fonts
def test_the_truth_of_the_batch_is_what_its_papers_say() -> None:
    for entry in batch.entries():
        paper = batch.paper_of(entry.file)
        truth = next(item for item in _truth() if item["file"] == entry.file)
        texts = ["\n".join(sheet.lines) for sheet in lay_out(paper)]
        joined = ["\n".join(texts)] if entry.fmt == "docx" else texts
        assert truth["text"] == joined
        assert truth["fields"]["title"] == paper.fields.title
