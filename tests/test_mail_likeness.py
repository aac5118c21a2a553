"""One text read twice, and a text that was changed: told apart, in doubt as changed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mail_kit as kit
from jiyao.models.page import Transcript
from jiyao.samples.make import make_paper
from jiyao.stages.likeness import compare, compare_texts

WORDS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
)


def _text(seed: int) -> str:
    papers = (make_paper(seed + step, "test") for step in (0, 100, 200))
    return "".join(block.text for paper in papers for block in paper.body) + WORDS


def _noisy(text: str, rng: random.Random, share: float) -> str:
    """Characters misread here and there, never two beside each other; figures are left alone."""
    chars = list(text)
    for place in range(0, len(chars) - 3, 4):
        if rng.random() < share * 4 and not chars[place].isdigit():
            chars[place] = rng.choice(WORDS)
    return "".join(chars)


@given(st.integers(0, 60), st.integers(0, 10_000))
def test_two_readings_of_one_text_are_the_same(seed: int, chance: int) -> None:
    text, rng = "".join(char for char in _text(seed) if char.isalnum()), random.Random(chance)
    first, second = _noisy(text, rng, 0.01), _noisy(text, rng, 0.01)
    assert compare_texts(first, second).same


@given(st.integers(0, 60), st.integers(0, 10_000))
def test_a_changed_text_is_never_the_same(seed: int, chance: int) -> None:
    text, rng = "".join(char for char in _text(seed) if char.isalnum()), random.Random(chance)
    place = rng.randrange(len(text))
    figures = text[:place] + "37" + text[place:]
    assert compare_texts(text, figures).why == "figures"
    words = text[:place] + "另须报请主管领导批准后方可办理" + text[place:]
    assert not compare_texts(text, words).same
    assert not compare_texts(text, "".join(rng.sample(text, len(text)))).same


@pytest.mark.parametrize(("first", "second"), [("", ""), ("甲", ""), ("甲乙丙" * 40, "丁戊己" * 40)])
def test_nothing_is_like_nothing(first: str, second: str) -> None:
    assert not compare_texts(first, second).same


def test_stamps_serials_and_page_numbers_are_no_text() -> None:
    one = Transcript((kit.first(1, serial="000012"), kit.text(2, printed=2)))
    stamped = kit.page(2, *kit.text(2).lines, kit.left("收文 2026年9月9日 第17号", 0.84), printed=3)
    two = Transcript((kit.first(1, serial="000013"), stamped))
    assert compare(one, two).same
    with_cover = Transcript((kit.cover(1), *one.pages))
    assert not compare(one, with_cover).same, "a list counts until it is known for one"
