"""Made-up mail: stacks, originals, versions and odd sheets say truly what is in them."""

from __future__ import annotations

import pypdfium2
import pytest

from jiyao.samples.forms import as_company_form, make_long, make_rich, with_annexes, with_joint
from jiyao.samples.layout import lay_out
from jiyao.samples.mail import (
    make_originals,
    make_rescans,
    make_spreads,
    make_stack,
    make_versions,
    make_vertical,
)
from jiyao.samples.make import make_paper
from jiyao.samples.paper import SPLITS
from jiyao.samples.score import plain
from jiyao.samples.sheet import BOTTOM, RIGHT, Seal, Text, font_path, width


def _fonts() -> bool:
    try:
        font_path("serif")
    except Exception:
        return False
    return True


pytestmark = pytest.mark.skipif(not _fonts(), reason="the Noto CJK fonts are not installed")


def _sizes(data: bytes) -> list[tuple[int, int]]:
    document = pypdfium2.PdfDocument(data)
    return [(round(w / 72 * 25.4), round(h / 72 * 25.4)) for w, h in (page.get_size() for page in document)]


def test_a_stack_is_the_same_again_and_its_pages_are_told() -> None:
    data, truth = make_stack(3, papers=2, most_pages=1, with_envelope=True, with_list=True, backs=True)
    again, _ = make_stack(3, papers=2, most_pages=1, with_envelope=True, with_list=True, backs=True)
    assert data == again
    sizes = _sizes(data)
    assert len(sizes) == len(truth.pages)
    kinds = [page.kind for page in truth.pages]
    assert kinds[:2] == ["envelope", "cover_slip"]
    assert kinds.count("letterhead") == 2
    assert kinds.count("blank") == sum(document.printed_pages for document in truth.documents)
    for document in truth.documents:
        assert truth.pages[document.first - 1].kind == "letterhead"
    assert truth.documents[-1].last == len(truth.pages)


@pytest.mark.parametrize("between", ["slip", "separator", "blank_sheet"])
def test_what_stands_between_the_documents(between: str) -> None:
    _, truth = make_stack(5, papers=2, most_pages=1, between=between, receipts=["SW-7", "SW-8"])  # type: ignore[arg-type]
    kinds = [page.kind for page in truth.pages]
    assert kinds.count("blank") == (2 if between == "blank_sheet" else 0)
    assert kinds.count("slip") == (2 if between == "slip" else 0)
    assert [document.receipt for document in truth.documents] == (
        ["SW-7", "SW-8"] if between == "slip" else ["", ""]
    )


@pytest.mark.parametrize(("wrong", "gone"), [("lost", 1), ("double_fed", 2), ("turned", 0), ("swapped", 0)])
def test_what_went_wrong_is_in_the_truth(wrong: str, gone: int) -> None:
    _, truth = make_stack(9, papers=2, wrong=wrong)  # type: ignore[arg-type]
    (document,) = (document for document in truth.documents if document.wrong)
    pages = truth.pages[document.first - 1 : document.last]
    assert len(document.missing) == gone
    assert len(pages) == document.printed_pages - gone
    assert sum(page.turned for page in pages) == (2 if wrong == "turned" else 0)
    numbers = [page.number for page in pages]
    assert (numbers != sorted(numbers, key=lambda number: number or 0)) == (wrong == "swapped")


def test_originals_differ_in_serial_rescans_in_pixels_versions_in_words() -> None:
    originals = make_originals(2, serials=(12, 13))
    assert [fields["serials"] for _, fields in originals] == [["000012"], ["000013"]]
    assert originals[0][1]["title"] == originals[1][1]["title"]
    first, second = make_rescans(2)
    assert first != second and len(_sizes(first)) == len(_sizes(second))
    (_, old), (_, new) = make_versions(2)
    assert (old["title"], old["doc_number"]) == (new["title"], new["doc_number"])
    assert old["signed_date"] < new["signed_date"]


def test_odd_sheets_have_their_size_and_text() -> None:
    data, truth = make_spreads(4)
    assert 2 * len(_sizes(data)) == len(truth)
    assert all(abs(size[0] - 420) <= 2 and abs(size[1] - 297) <= 2 for size in _sizes(data))
    _, (page,) = make_vertical(4)
    assert len(page.lines) > 3


def test_joint_papers_have_a_seal_and_a_signer_for_every_organ_inside_the_page() -> None:
    import random

    for seed in range(12):
        layout = "upward" if seed % 2 else "standard"
        template = "tr-budget-request" if seed % 2 else "tr-flood-plan"
        paper = make_paper(seed, "train", template=template, layout=layout)  # type: ignore[arg-type]
        paper = with_joint(paper, random.Random(seed), count=4)
        count = len(paper.fields.organs)
        assert 2 <= count <= 4 and paper.letterhead == paper.fields.organs
        assert len(paper.fields.signers) == (count if layout == "upward" else 0)
        sheets = lay_out(paper)
        seals = [thing for sheet in sheets for thing in sheet.things if isinstance(thing, Seal)]
        assert sorted(seal.organ for seal in seals) == sorted(paper.fields.organs)
        text = plain("".join(line for sheet in sheets for line in sheet.lines))
        assert all(plain(name) in text for name in paper.fields.signers)


def test_annexes_begin_pages_after_the_signature_and_are_named_under_the_body() -> None:
    import random

    paper = with_annexes(
        make_paper(3, "test", layout="standard", template="te-assembly"), random.Random(1), count=2
    )
    sheets = lay_out(paper)
    heads = [index for index, sheet in enumerate(sheets) if sheet.lines[0] in ("附件1", "附件2")]
    assert len(heads) == 2
    signed = max(
        index for index, sheet in enumerate(sheets) if any(isinstance(x, Seal) for x in sheet.things)
    )
    assert signed < heads[0]
    text = "\n".join(line for sheet in sheets[: signed + 1] for line in sheet.lines)
    assert f"附件：1.{paper.fields.attachments[0]}" in text


def test_forms_keep_inside_the_text_area_and_every_field_prints() -> None:
    for split in SPLITS:
        for seed in range(60):
            paper = make_rich(seed, split)
            sheets = lay_out(paper)
            text = plain("".join(line for sheet in sheets for line in (*sheet.lines, *sheet.loose)))
            fields = paper.fields
            for value in (
                fields.title,
                fields.doc_number,
                *fields.signers,
                *fields.attachments,
                *fields.copied_to,
            ):
                assert not value or plain(value) in text, (paper.id, value)
            for thing in (thing for sheet in sheets for thing in sheet.things):
                if isinstance(thing, Text) and thing.ink == "black":
                    assert thing.x + width(thing.text, thing.size, thing.face, thing.spacing) <= RIGHT + 3.5
                    assert thing.y <= BOTTOM + 13


def test_forms_of_houses_have_cells_and_tick_boxes_that_count_outside() -> None:
    import random

    for seed in range(20):
        paper = with_annexes(make_paper(seed, "test", template="te-personnel"), random.Random(seed), count=1)
        form = paper.annexes[-1].body
        if form[0].kind == "table" and form[-1].kind == "ticks":
            sheets = lay_out(paper)
            ticks = [line for sheet in sheets for line in sheet.left_out]
            assert len(ticks) == 2 and all(any(box in line for box in "☑□") for line in ticks)
            assert not any(box in line for sheet in sheets for line in sheet.lines for box in "☑□")
            return
    pytest.fail("no form among twenty annexes")


def test_company_numbers_and_long_papers() -> None:
    import random

    paper = as_company_form(make_paper(5, "test", template="te-orders"), random.Random(2))
    assert paper.fields.doc_number and paper.fields.doc_number.split("-")[0] in ("JY", "QA", "ZJ")
    pages = len(lay_out(make_long(4, "test", pages=12)))
    assert 10 <= pages <= 20
