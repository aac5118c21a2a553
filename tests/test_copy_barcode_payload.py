"""The copy's number and barcode text: a permutation, and nothing but the station's own texts pass."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.models.copy import ReadMark
from jiyao.watermark.payload import (
    MAC_BITS,
    TEXT_CHARS,
    decode,
    encode,
    false_rate,
    forensic_id,
    serial_of,
    station_tag,
)
from jiyao.watermark.trace import judge

VECTORS = json.loads((Path(__file__).parent / "vectors" / "copy-barcode.json").read_text("utf-8"))
KEY = bytes.fromhex(VECTORS["key"])
TAG = station_tag(VECTORS["store_uuid"])
SERIALS = st.integers(0, 2**48 - 1)
KEYS = st.binary(min_size=16, max_size=64)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@given(key=KEYS, serial=SERIALS)
@settings(max_examples=300, deadline=None)
def test_id_is_a_bijection(key: bytes, serial: int) -> None:
    id = forensic_id(key, serial)
    assert 0 <= id < 2**48
    assert serial_of(key, id) == serial
    assert forensic_id(key, serial_of(key, serial)) == serial


def test_ids_of_following_serials_show_no_order() -> None:
    ids = [forensic_id(KEY, serial) for serial in range(2000)]
    assert len(set(ids)) == 2000
    rising = sum(a < b for a, b in itertools.pairwise(ids))
    assert 850 < rising < 1150
    bits = [sum(id >> bit & 1 for id in ids) for bit in range(48)]
    assert all(850 < ones < 1150 for ones in bits)


@pytest.mark.req("R-060")
def test_vectors() -> None:
    assert TAG.hex() == VECTORS["tag"]
    for pair in VECTORS["ids"]:
        assert forensic_id(KEY, pair["serial"]) == pair["id"]
        assert serial_of(KEY, pair["id"]) == pair["serial"]
    for case in VECTORS["texts"]:
        verdict = decode(KEY, TAG, case["text"])
        assert (verdict.standing, verdict.id) == (case["standing"], case["id"]), case["name"]


@given(serial=SERIALS, place=st.integers(0, TEXT_CHARS - 1), step=st.integers(1, 31))
@settings(max_examples=300, deadline=None)
def test_no_changed_text_is_own(serial: int, place: int, step: int) -> None:
    text = encode(KEY, TAG, forensic_id(KEY, serial))
    old = text[place]
    new = ALPHABET[(ALPHABET.index(old) + step) % 32] if old in ALPHABET else ALPHABET[step]
    assert decode(KEY, TAG, text).standing == "own"
    assert decode(KEY, TAG, text[:place] + new + text[place + 1 :]).id is None


@given(text=st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_answered(text: str) -> None:
    assert decode(KEY, TAG, text).id is None
    assert decode(KEY, TAG, "JYC1" + text).id is None


@pytest.mark.parametrize(("key", "serial"), [(b"short", 1), (KEY, -1), (KEY, 2**48)])
def test_wrong_sizes_are_refused(key: bytes, serial: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        forensic_id(key, serial)


def _mark(value: str, channel: str = "barcode", page: int = 1) -> ReadMark:
    return ReadMark(page=page, channel=channel, value=value)  # type: ignore[arg-type]


def test_judge_one_copy() -> None:
    text = encode(KEY, TAG, forensic_id(KEY, 7))
    verdict = judge([_mark(text), _mark(text, page=2), _mark(text, "metadata", 0)], key=KEY, tag=TAG)
    assert (verdict.verdict, verdict.serial) == ("copy", 7)
    assert verdict.false_rate == false_rate(3) == 3 * 2.0**-MAC_BITS
    assert [c.channel for c in verdict.channels] == ["forensic", "barcode", "visible", "metadata"]
    assert [c.found for c in verdict.channels] == [False, True, False, True]
    assert verdict.channels[0].value is None


def test_judge_says_forged_and_foreign_and_points_to_nobody() -> None:
    forged = encode(b"\x00" * 32, TAG, 5)
    foreign = encode(b"\x00" * 32, station_tag("elsewhere"), 5)
    verdict = judge([_mark(forged), _mark(foreign)], key=KEY, tag=TAG)
    assert verdict.verdict == "none"
    assert {f.code for f in verdict.findings} == {"forged_barcode", "foreign_barcode"}
    assert verdict.id is None
    assert verdict.candidates == ()
    assert verdict.confidence == 0.0


def test_judge_mixed_pages_give_candidates() -> None:
    texts = [encode(KEY, TAG, forensic_id(KEY, serial)) for serial in (7, 9)]
    verdict = judge([_mark(text, page=n) for n, text in enumerate(texts, 1)], key=KEY, tag=TAG)
    assert verdict.verdict == "candidates"
    assert {c.serial for c in verdict.candidates} == {7, 9}
    assert "channels_disagree" in {f.code for f in verdict.findings}


def test_judge_printed_words_are_never_a_copy() -> None:
    verdict = judge([_mark("D-2025-000012 3", "visible")], key=KEY, tag=TAG)
    assert verdict.verdict == "candidates"
    assert (verdict.candidates[0].document, verdict.candidates[0].number) == ("D-2025-000012", 3)
    assert verdict.false_rate is None
    assert verdict.confidence < 0.5


def test_judge_nothing() -> None:
    verdict = judge(
        [_mark("JYSLIP:R-1"), _mark("https://example.org"), _mark("- 3", "visible")], key=KEY, tag=TAG
    )
    assert (verdict.verdict, verdict.findings) == ("none", ())
