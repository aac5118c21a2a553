"""Mutated real files: every parser reads them or refuses them by name, in time; nothing else comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import format_kit
import fuzz_kit as kit

EDITS = st.lists(
    st.tuples(
        st.sampled_from(sorted(kit.EDITS)), st.floats(0, 1), st.floats(0, 1), st.integers(0, 1 << 16)
    ),
    min_size=1, max_size=6,
)  # fmt: skip
KINDS = sorted(kit.seeds())


@pytest.mark.parametrize("kind", KINDS)
def test_the_seeds_themselves_are_read(kind: str) -> None:
    for data in kit.seeds()[kind]:
        assert (kit.read_archive(data) if kind == "zip" else kit.read_file(data)) == "read"


@pytest.mark.req("R-001")
@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_is_read_or_refused_by_name(kind: str) -> None:
    @settings(max_examples=60)
    @given(which=st.integers(0, 9), edits=EDITS)
    def run(which: int, edits: list[kit.Edit]) -> None:
        files = kit.seeds()[kind]
        data = kit.edited(files[which % len(files)], edits)
        with kit.in_time():
            kit.read_file(data)
            if kind in ("zip", "docx"):
                kit.read_archive(data)

    run()


@pytest.mark.req("R-001")
@settings(max_examples=80)
@given(edits=EDITS)
def test_a_docx_with_mutated_xml_is_read_or_refused_by_name(edits: list[kit.Edit]) -> None:
    body = kit.edited(kit.DOCUMENT_XML.encode(), edits).decode("utf-8", "replace")
    with kit.in_time():
        kit.read_file(format_kit.docx(body))


@pytest.mark.req("R-001")
@settings(max_examples=150)
@given(head=st.sampled_from([files[0][:24] for files in kit.seeds().values()]), tail=st.binary(max_size=300))
@example(head=b"", tail=b"\x00")
def test_a_signature_before_nonsense_is_read_or_refused_by_name(head: bytes, tail: bytes) -> None:
    with kit.in_time():
        kit.read_file(head + tail)
        kit.read_archive(head + tail)


def test_what_takes_too_long_is_found() -> None:
    with pytest.raises(kit.TooSlow), kit.in_time(0.05):
        while True:
            pass
