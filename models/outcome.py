"""What a stage answers: a value, a question for a person, a refusal, or an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The act was done; here is its value."""

    value: T


@dataclass(frozen=True, slots=True)
class Doubt(Generic[T]):
    """Done as far as a machine can; `questions` (finding codes) wait for a person."""

    value: T
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not done, by a rule (message code)."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Not done, because something is wrong with the input or the environment (message code)."""

    code: str
    detail: str = ""


Outcome = Done[T] | Doubt[T] | Refusal | Failure
