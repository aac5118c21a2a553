"""Words by template: alternatives `[a|b]`, words `{name}`, numbers `{10-99}`; all chances from one source."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from .paper import Split

_CHOICE = re.compile(r"\[([^\[\]{}]*\|[^\[\]{}]*)\]")
_SLOT = re.compile(r"\{([^\[\]{}|]+)\}")
_NUMBER = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Book:
    """The wording of one split: organs, words and template families. Nothing in it stands in the other's."""

    split: Split
    places: tuple[str, ...]
    """Stems of the places and houses; every organ's name begins with one of them."""
    organs: Mapping[str, Mapping[str, Any]]
    """Profile -> `unit` and, per origin, the list of [name, code of its document numbers]."""
    words: Mapping[str, tuple[str, ...]]
    families: tuple[Mapping[str, Any], ...]
    by_id: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@cache
def book(split: Split) -> Book:
    """The wording of a split, read once from the data beside this file."""
    data = yaml.safe_load((resources.files(__package__) / f"{split}.yaml").read_text("utf-8"))
    families = tuple(data["families"])
    return Book(
        split=split,
        places=tuple(data["places"]),
        organs=data["organs"],
        words={name: tuple(words) for name, words in data["words"].items()},
        families=families,
        by_id={family["id"]: family for family in families},
    )


def expand(
    text: str, *, rng: random.Random, words: Mapping[str, tuple[str, ...]], fixed: Mapping[str, str]
) -> str:
    """`text` with every choice, word and number filled in.

    A word of `fixed` always gives the same text: what the title names, the body names again.

    Raises:
        KeyError: when the template names a word that the book does not have.
    """

    def slot(match: re.Match[str]) -> str:
        name = match[1]
        number = _NUMBER.fullmatch(name)
        if number:
            return str(rng.randint(int(number[1]), int(number[2])))
        return fixed[name] if name in fixed else rng.choice(words[name])

    before = ""
    while before != text:
        before = text
        text = _SLOT.sub(slot, text)
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
    return text


def person(rng: random.Random, words: Mapping[str, tuple[str, ...]]) -> str:
    """A made-up name of the split's own surnames and given names."""
    return rng.choice(words["surname"]) + rng.choice(words["given"])


def id_number(rng: random.Random, *, born: tuple[int, int] = (1940, 2005)) -> str:
    """An 18-digit identity number whose check digit is right (GB 11643-1999) but whose region does not exist.

    Regions that begin with 99 were never given out, so the number can be nobody's.
    """
    digits = (
        f"9901{rng.randint(1, 9):02d}{rng.randint(*born)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    )
    digits += f"{rng.randint(1, 999):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


def mobile(rng: random.Random) -> str:
    """A number of the right shape in a block that holds no subscribers (1990000xxxx)."""
    return f"1990000{rng.randint(0, 9999):04d}"


_CN = "〇一二三四五六七八九"


def chinese_date(year: int, month: int, day: int) -> str:
    """A date in Chinese numerals as before 2012: `二〇〇四年十一月四日`."""
    return "".join(_CN[int(digit)] for digit in str(year)) + f"年{_small(month)}月{_small(day)}日"


def _small(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else _CN[tens] + "十") + (_CN[ones] if ones else "")
