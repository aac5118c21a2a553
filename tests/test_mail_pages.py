"""Pages of real mail: what each is, where a document begins, and what the page numbers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mail_kit as kit
from jiyao.models.fields import OfficialFields
from jiyao.models.page import Finding, Page, Transcript
from jiyao.stages.mark_grammar import read_mark
from jiyao.stages.page_count import check_pages
from jiyao.stages.page_kind import page_kind, with_kinds
from jiyao.stages.slip import SEPARATOR, Slip, read_slip, slip_text
from jiyao.stages.split import split
from jiyao.stages.stack import for_fields, note_envelope, take_apart


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (kit.first(1), "letterhead"),
        (kit.first(1, red=False), "letterhead"),
        (kit.first(1, organ="乌有（集团）有限公司", doc="乌集办〔2026〕22号", printed=None), "letterhead"),
        (kit.text(1), "paper"),
        (kit.text(1, words="根据《云梦省乌有局文件》（乌有发〔2026〕1号）的规定办理。"), "paper"),
        (kit.first(5, printed=5), "paper"),
        (kit.annex(1), "annex"),
        (kit.annex(1, index=""), "annex"),
        (kit.blank(1), "blank"),
        (kit.envelope(1), "envelope"),
        (kit.envelope(1, size=kit.A4), "envelope"),
        (kit.cover(1), "cover_slip"),
        (kit.page(1, kit.line("— 4 —", 0.91)), "paper"),
        (kit.page(1, kit.left("（此页无正文）", 0.2), kit.line("云梦省乌有局", 0.3, x=0.7)), "paper"),
        (kit.page(1, kit.left("附件2", 0.12), *kit.cover(1).lines), "annex"),
    ],
)  # fmt: skip
def test_kinds(made: Page, kind: str) -> None:
    assert page_kind(made).kind == kind, page_kind(made)


def test_slips_by_barcode_and_by_words() -> None:
    assert page_kind(kit.text(1), barcodes=("x", slip_text("R2026-00001"))).kind == "slip"
    assert page_kind(kit.text(1), barcodes=(slip_text("R2026-00001", prefix=SEPARATOR),)).kind == "separator"
    assert page_kind(kit.text(1), barcodes=("https://example.org",)).kind == "paper"
    own = kit.page(
        1, kit.line("收文签收条", 0.2), kit.line("R2026-00017", 0.4), kit.left("份数 2 份，每份 12 页", 0.5)
    )
    assert page_kind(own).slip == Slip(receipt="R2026-00017", pages=12)
    assert page_kind(kit.text(1, words="请核对收文签收条（R2026-00017）。")).kind == "paper"


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9\-]{0,20}", fullmatch=True),
    st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    st.none() | st.integers(1, 99999),
    st.booleans(),
)
def test_what_a_slip_says_is_read_back(
    receipt: str, place: tuple[int, int] | None, pages: int | None, separator: bool
) -> None:
    order, of = place or (None, None)
    text = slip_text(receipt, order=order, of=of, pages=pages, prefix=SEPARATOR if separator else "JYSLIP:")
    kind = "separator" if separator else "slip"
    assert read_slip(text) == Slip(receipt=receipt, kind=kind, order=order, of=of, pages=pages)


# ---------------------------------------------------------------- split


def _parts(
    pages: Sequence[Page], mode: str, slips: dict[int, str | Slip] | None = None
) -> list[tuple[int, ...]]:
    known = {n: Slip(receipt=s) if isinstance(s, str) else s for n, s in (slips or {}).items()}
    return [part.pages for part in split(with_kinds(pages, slips=known), slips=slips, mode=mode)]  # type: ignore[arg-type]


def test_a_stack_by_slips() -> None:
    pages = [
        kit.text(1), kit.text(2), kit.text(3), kit.blank(4), kit.text(5), kit.blank(6), kit.text(7),
        kit.envelope(8), kit.cover(9), kit.text(10), kit.text(11),
    ]  # fmt: skip
    assert _parts(pages, "slip", {3: "R1", 10: "R2"}) == [(1, 2), (5, 6, 7), (8, 9, 11)]
    assert _parts(pages, "none", {3: "R1"}) == [tuple(range(1, 12))]
    assert _parts(pages, "slip", {11: "R1"}) == [tuple(range(1, 11))]
    assert _parts(pages[:3], "slip", {1: "R1", 2: "R2", 3: "R3"}) == []


def test_a_stack_by_letterheads() -> None:
    pages = [
        kit.envelope(1), kit.blank(2), kit.cover(3), kit.first(4), kit.blank(5), kit.text(6, printed=2),
        kit.annex(7, printed=3), kit.first(8, doc="乌有发〔2026〕2号"), kit.text(9), kit.envelope(10), kit.first(11),
        kit.cover(12),
    ]  # fmt: skip
    assert _parts(pages, "auto") == [(1, 2, 3, 4, 5, 6, 7), (8, 9), (10, 11, 12)]
    found = take_apart(Transcript(tuple(pages)), mode="auto")
    assert [item.count for item in found] == [4, 2, 1]
    assert all("split_by_letterhead" in {f.code for f in item.transcript.findings} for item in found)
    assert [page.number for page in for_fields(found[0].transcript).pages] == [4, 5, 6, 7]
    alone = take_apart(Transcript((kit.first(1), kit.text(2))), mode="auto")
    assert [item.transcript.findings for item in alone] == [()]


def test_blank_backs_never_cut() -> None:
    duplex = [kit.first(1), kit.blank(2), kit.text(3), kit.blank(4), kit.text(5), kit.blank(6)]
    assert _parts(duplex, "blank") == [tuple(range(1, 7))]
    assert _parts(duplex, "auto") == [tuple(range(1, 7))]
    sheet = [kit.text(1), kit.blank(2), kit.blank(3), kit.blank(4), kit.text(5), kit.blank(6), kit.first(7)]
    assert _parts(sheet, "blank") == [(1,), (5,), (7,)]


def test_pages_may_be_read_in_any_order() -> None:
    pages = [kit.first(1), kit.text(2), kit.first(3)]
    assert _parts(pages[::-1], "auto") == [(1, 2), (3,)]


def test_a_page_that_was_not_read_is_not_blank() -> None:
    broken = Transcript((kit.first(1), kit.blank(2), kit.first(3)), (Finding("ocr_page_failed", 2),))
    found = take_apart(broken, mode="blank")
    assert len(found) == 1 and found[0].transcript.pages[1].kind == "paper"


def test_nothing_but_an_envelope_is_the_paper_itself() -> None:
    found = take_apart(Transcript((kit.envelope(1), kit.cover(2))), mode="none")
    assert found[0].count == 2
    assert for_fields(found[0].transcript).pages == found[0].transcript.pages


_KINDS = st.sampled_from(
    ["paper", "letterhead", "annex", "blank", "envelope", "cover_slip", "slip", "separator"]
)


@given(st.lists(_KINDS, max_size=24), st.sampled_from(["slip", "blank", "auto"]))
def test_no_page_of_paper_is_lost_or_doubled(kinds: list[str], mode: str) -> None:
    pages = [replace(kit.text(n), kind=kind) for n, kind in enumerate(kinds, 1)]  # type: ignore[arg-type]
    slips = {
        page.number: Slip(receipt="R1", kind=page.kind)
        for page in pages
        if page.kind in ("slip", "separator")
    }  # type: ignore[arg-type]
    parts = split(pages, slips=slips, mode=mode)  # type: ignore[arg-type]
    placed = [number for part in parts for number in part.pages]
    assert len(placed) == len(set(placed))
    must = {page.number for page in pages if page.kind not in ("blank", "slip", "separator")}
    if not any(page.kind in ("envelope", "cover_slip") for page in pages):
        assert must <= set(placed)
    assert {page.number for page in pages if page.kind in ("paper", "letterhead", "annex")} <= set(placed)
    assert not set(placed) & set(slips)
    assert all(list(part.pages) == sorted(part.pages) for part in parts)


# ---------------------------------------------------------------- page numbers


def _check(numbers: str, **more: int) -> dict[str, str]:
    """`1 2 . b 3`: printed numbers, `.` none, `b` a blank page, `a1` the first page of an annex."""
    pages = []
    for place, word in enumerate(numbers.split(), 1):
        printed = int(word.lstrip("a")) if word.strip("a.b") else None
        made = (
            kit.blank(place)
            if word == "b"
            else kit.annex(place, printed=printed)
            if word[0] == "a"
            else kit.text(place, printed=printed)
        )
        pages.append(made)
    return {item.code: item.detail for item in check_pages(with_kinds(pages), **more)}


@pytest.mark.parametrize(
    "numbers",
    [
        "1 2 3 4", ". 2 3 4", "1 2 3 .", "1", ".", ". . .", "1 b 2 b 3 b", "1 b 3 b 5 b", "1 2 3 a1 2", ". 2 a. 2",
        "1 2 3 a4 5", "1 2 a. 4 5", "1 2 8 4 5", "7 2 3", "1 2 8", "1 2 2 4 5", "3 4", "1 7 3 4 5", ". 2 a1",
        "1 2 3 13",
    ],
)  # fmt: skip
def test_what_is_normal_raises_nothing(numbers: str) -> None:
    if numbers == "3 4":  # two pages that agree: the first two were not scanned
        assert _check(numbers) == {"page_number_gap": "1、2"}
    else:
        assert _check(numbers) == {}


@pytest.mark.parametrize(
    ("numbers", "code", "detail"),
    [
        ("1 2 5 6", "page_number_gap", "3、4"),
        ("1 2 4", "page_number_gap", "3"),
        ("1 3", "page_number_gap", "2"),
        ("1 b 2 b 5 b 6 b", "page_number_gap", "3、4"),
        ("1 2 2 3", "page_number_repeated", "2"),
        ("1 3 2 4", "page_order", "1、3、2、4"),
        ("4 3 2 1", "page_order", "4、3、2、1"),
        ("1 2 4 3 5 6", "page_order", "1、2、4、3、5、6"),
        ("1 3 5 7", "page_numbers_odd_only", "1、3、5、7"),
        ("1 2 3 a1 2 5 6", "page_number_gap", "3、4"),
    ],
)
def test_what_is_wrong_is_named(numbers: str, code: str, detail: str) -> None:
    assert _check(numbers).get(code) is not None, _check(numbers)
    if code != "page_number_gap" or "a1" not in numbers:
        assert _check(numbers) == {code: detail}


def test_pages_declared() -> None:
    assert _check("1 2 3", declared=5) == {"pages_missing": "5/3"}
    assert _check("1 2 3", declared=2) == {"pages_extra": "2/3"}
    assert _check("1 b 2 b", declared=2) == _check("1 b 2 b", declared=4) == {}
    with_cover = Transcript((kit.cover(1), kit.first(2), kit.text(3, printed=2)))
    found = take_apart(with_cover, mode="none")[0]
    assert [(item.code, item.detail) for item in found.transcript.findings] == [("pages_missing", "3/2")]


def test_a_level_on_the_envelope_alone_is_told() -> None:
    mail = take_apart(Transcript((kit.envelope(1), kit.first(2))), mode="none")[0].transcript
    said = note_envelope(mail, OfficialFields()).findings
    assert [(item.code, item.page, item.detail) for item in said] == [("mark_on_envelope", 1, "机密")]
    mark = read_mark("机密★20年")
    assert mark is not None
    assert note_envelope(mail, OfficialFields(mark=mark.mark)) is mail


def test_printed_totals() -> None:
    pages = [kit.page(n, kit.left("正文" * 10, 0.3), kit.line(f"第{n}页 共5页", 0.93)) for n in range(1, 5)]
    assert [(item.code, item.detail) for item in check_pages(pages)] == [("page_total_differs", "5/4")]
    whole = [*pages, kit.page(5, kit.left("正文" * 10, 0.3), kit.line("第5页 共5页", 0.93))]
    assert check_pages(whole) == ()


@given(st.integers(3, 12), st.data())
def test_one_misread_number_raises_no_gap(count: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(1, count - 2))
    read = data.draw(st.integers(1, 30))
    words = [str(n) for n in range(1, count + 1)]
    words[wrong] = str(read)
    assert "page_number_gap" not in _check(" ".join(words))


@given(st.integers(4, 12), st.data())
def test_pages_lost_in_the_middle_are_always_named(count: int, data: st.DataObject) -> None:
    gone = data.draw(st.integers(3, count - 2)) if count > 5 else 3
    if count > 5:
        words = [str(n) for n in range(1, count + 1) if n != gone]
        assert _check(" ".join(words)) == {"page_number_gap": str(gone)}
