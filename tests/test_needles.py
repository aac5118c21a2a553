"""Many strings are looked for at once: the same are found as by looking for each alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.common import needles
from jiyao.common.needles import Needles


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), many=st.booleans(), size=st.integers(0, 5000))
def test_the_same_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, many: bool, size: int
) -> None:
    dice = random.Random(seed)
    shapes = [dice.randbytes(dice.randrange(8, 40)) for _ in range(200 if many else 5)]
    data = bytearray(dice.randbytes(size))
    for shape in dice.sample(shapes, 4):
        at = dice.randrange(len(data) + 1)
        data[at:at] = shape
    file = tmp_path_factory.getbasetemp() / "needles.bin"
    file.write_bytes(data)
    found = set(Needles(shapes).in_file(file))
    assert found == {number for number, shape in enumerate(shapes) if shape in data}


def test_across_the_seams_of_what_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needles, "_CHUNK", 64)
    shapes = [random.Random(n).randbytes(30) for n in range(40)]
    file = tmp_path / "f"
    for at in range(30, 70):
        file.write_bytes(bytes(at) + shapes[7] + bytes(50))
        assert set(Needles(shapes).in_file(file)) == {7}, at


def test_nothing_to_look_for_or_in(tmp_path: Path) -> None:
    assert not Needles([]).in_any([tmp_path / "none"])
    (tmp_path / "empty").touch()
    assert not Needles([b"12345678"] * 30).in_any([tmp_path / "none", tmp_path / "empty"])
    with pytest.raises(ValueError):
        Needles([b"short"])
