"""What every OCR engine can do, and the two ways it may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ...common.errors import PartlyDone
from ...formats.opened import Picture

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners of the text in pixels of the picture read: top left, top right, bottom right, bottom left."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """One piece of text as an engine saw it, in no promised order.

    `confidence` is 0..1. `characters` holds one confidence for each character of `text`, or is empty
    when the engine does not tell. `vertical`: the characters stand upright below one another.
    """

    text: str
    quad: Quad
    confidence: float
    characters: tuple[float, ...] = ()
    vertical: bool = False


class EngineFault(PartlyDone):
    """The engine could not read this page. `code` is a message code; no text of the page is kept."""


class EngineTimeout(EngineFault):
    """Reading took longer than allowed."""

    def __init__(self) -> None:
        super().__init__("ocr_page_timeout")


class Engine(Protocol):
    """Reads one upright page. Each engine is able to do the whole job alone."""

    @property
    def name(self) -> str:
        """As on the command line: `rapidocr`, `rapidocr-fast` or `tesseract`."""
        ...

    @property
    def name_version(self) -> str:
        """As recorded on each page: `rapidocr 3.10.0`."""
        ...

    @property
    def flat(self) -> bool:
        """Whether it reads better when the background was made even and grey before."""
        ...

    def without(self) -> str | None:
        """Message code of what it has to do without, though it can work; None when it has everything."""
        ...

    def missing(self) -> str | None:
        """Message code of what is not there, None when the engine can work. Reads nothing heavy."""
        ...

    def available(self) -> bool:
        """Whether the engine can work on this machine."""
        ...

    def read(self, picture: Picture, *, seconds: float) -> tuple[RawLine, ...]:
        """Reads a page.

        Args:
            picture: height x width x 3, RGB, 8 bit.
            seconds: longest time this may take.

        Raises:
            EngineTimeout: it took longer.
            EngineFault: the engine broke down on this page.
            MissingTool: the engine is not installed.
            Broken: the engine's model files are not those of its release.
        """
        ...

    def read_strip(self, strip: Picture, *, seconds: float) -> RawLine | None:
        """Reads one level line that was cut out, None when there is nothing to read on it.

        Args:
            strip: height x width x 3, RGB; the quad of the answer is in its pixels.
            seconds: longest time this may take.

        Raises:
            As `read`.
        """
        ...


@runtime_checkable
class Weighing(Protocol):
    """An engine that also tells how well a strip goes with texts that are known from elsewhere."""

    def weigh(self, strip: Picture, texts: Sequence[str]) -> tuple[float, ...]:
        """Natural logarithm of the likelihood of each text on one level line that was cut out; minus infinity where
        the engine does not know a character.

        Raises:
            As `Engine.read`.
        """
        ...


@runtime_checkable
class Together(Protocol):
    """An engine to which a strip more costs much less than the first."""

    def read_strips(self, strips: Sequence[Picture], *, seconds: float) -> tuple[RawLine | None, ...]:
        """As `Engine.read_strip` each, in the order of `strips`; `seconds` for all of them."""
        ...
