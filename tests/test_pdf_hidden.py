"""What a PDF holds and does not show: hidden words, hidden marks, comments, layers, former states (R-024, R-039)."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText

import format_kit as kit
from jiyao.common.limits import DEFAULT_LIMITS
from jiyao.formats.hidden import hidden_text
from jiyao.formats.open import open_document
from jiyao.formats.opened import OpenedDocument

BODY = kit.shown("what everybody reads here and there")


def read(content: str, **more: str) -> tuple[list[str], list[tuple[str, str]]]:
    document = open_document(kit.pdf(content, **more), limits=DEFAULT_LIMITS)  # type: ignore[arg-type]
    return words(document), codes(document)


def words(document: OpenedDocument) -> list[str]:
    return [line.text for line in document.text_lines(1) or ()]


def codes(document: OpenedDocument) -> list[tuple[str, str]]:
    return [(found.code, found.detail) for found in document.findings]


@pytest.mark.req("R-024")
@pytest.mark.parametrize(
    "hidden",
    [
        "1 1 1 rg " + kit.shown("secret", y=300),
        kit.shown("secret", y=300, size=0.8),
        kit.shown("secret", y=300) + "1 1 1 rg 60 290 200 40 re f ",
    ],
    ids=["white", "tiny", "painted over"],
)
def test_words_without_ink_are_not_read(hidden: str) -> None:
    shown, found = read(BODY + hidden)
    assert shown == ["what everybody reads here and there"]
    assert found == [("hidden_text", "6")]


@pytest.mark.parametrize(
    "content",
    [
        "0 0 0 rg 60 290 200 40 re f 1 1 1 rg " + kit.shown("secret", y=300),
        kit.shown("secret", y=300) + "0.9 0.9 0.9 rg 60 10 200 40 re f ",
        kit.shown("secret", y=300) + "0 0 0 RG 60 290 200 40 re S ",
    ],
    ids=["white on black", "a box elsewhere", "a frame around it"],
)
def test_words_with_ink_are_read(content: str) -> None:
    shown, found = read(content + "0 g " + BODY)
    assert "secret" in shown
    assert found == []


@pytest.mark.req("R-039")
@given(
    st.sampled_from(["机密★10年", "絕密", "秘密★长期", "核心商密▲5年", "工作秘密"]),
    st.text("甲乙丙 \n", max_size=8),
)
def test_a_hidden_mark_is_told_apart(mark: str, around: str) -> None:
    found = hidden_text(around + mark[0] + " " + mark[1:] + around, page=3)
    assert [item.code for item in found] == ["hidden_text", "hidden_mark"]
    assert mark.startswith(found[1].detail) and found[1].page == 3


def test_hidden_words_without_a_mark() -> None:
    assert [item.code for item in hidden_text("请勿外传")] == ["hidden_text"]
    assert hidden_text(" \n\u3000") == ()


def test_comments_and_layers_are_counted() -> None:
    writer = PdfWriter(clone_from=io.BytesIO(kit.pdf(BODY)))
    writer.add_annotation(0, FreeText(text="see me", rect=(50, 50, 200, 100)))
    out = io.BytesIO()
    writer.write(out)
    assert codes(open_document(out.getvalue(), limits=DEFAULT_LIMITS)) == [("comments_inside", "1")]
    layers = "/OCProperties<</OCGs[3 0 R 4 0 R]/D<</OFF[3 0 R]>>>>"
    assert read(BODY, catalog=layers)[1] == [("hidden_layers", "1")]
    base = "/OCProperties<</OCGs[3 0 R 4 0 R]/D<</BaseState/OFF/ON[4 0 R]>>>>"
    assert read(BODY, catalog=base)[1] == [("hidden_layers", "1")]


def test_former_states_are_counted() -> None:
    data = kit.pdf(BODY)
    assert codes(open_document(data, limits=DEFAULT_LIMITS)) == []
    for count in (1, 2):
        out = io.BytesIO()
        writer = PdfWriter(io.BytesIO(data), incremental=True)
        writer.add_metadata({"/Title": f"state {count}"})
        writer.write(out)
        data = out.getvalue()
        assert len(PdfReader(io.BytesIO(data)).pages) == 1
        assert ("earlier_revisions", str(count)) in codes(open_document(data, limits=DEFAULT_LIMITS))
