"""L1, the tint: a faint pattern over the whole page that says which copy this is. Making it; reading is tint_read.py.

Three parts, added: T, sixteen waves by which the lattice is found again; D, the copy's id, coded and repeated in
every tile of 40 mm; F, a fingerprint over the whole page that no two copies share and that does not repeat. Where they
stand, and how strong they are: docs/spec/mark.md.

Threat model. The paper is in the attacker's hands, and this file too; he lacks the station's tint key. From one copy
he can estimate T and D (they repeat) and take them away; F he cannot without another copy of the same page. Clipping
the paper to white takes everything. Nobody may be led to a copy that is not his: that is the reader's business.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .code import CODE_BITS, encode

TILE_MM = 40.0
CHIPS = 32
"""Chips along a tile's side."""
CHIP_MM = TILE_MM / CHIPS
SAMPLES = 4
"""Samples of the pattern along a chip."""
PER_MM = SAMPLES / CHIP_MM
LATTICE: tuple[tuple[int, int], ...] = (
    (11, 1), (10, 3), (13, 7), (13, 11), (7, 9), (4, 8), (3, 9), (2, 17),
    (-2, 18), (-5, 16), (-6, 11), (-12, 14), (-10, 8), (-16, 8), (-18, 5), (-9, 1),
)  # fmt: skip
"""The waves' frequencies, in cycles a tile (right, down): about one every 11.25 degrees, off the axes along which
text runs; turned or scaled, no two of them fall on two others."""
T_RMS, D_RMS, F_RMS = 1.1, 1.4, 1.0
GAINS = (0.8, 0.8, 2.6)
"""How much of the tone red, green and blue take: a warm paper, its signal mostly in blue."""
_AT_ONCE = 4_500_000
"""Pixels of a page that are tinted at once: those of A4 at 200 dpi and some more."""
_COARSE, _AROUND_SHARE, _MIDDLE = 4, 0.03, (0.12, 0.85)
_LEAST_PICTURED, _ROUGH, _DEEPEST = 0.1, 6.0, 4.0
"""Contrast of a photograph (levels, root of the mean square) that hides the pattern best, and how much stronger the
pattern is drawn there."""
Profile = Literal["normal", "strong"]
AMPLITUDES: dict[Profile, tuple[float, float]] = {"normal": (1.85, 0.5), "strong": (3.4, 1.0)}
"""Mean tone and amplitude of the pattern, in levels of 255."""

Plane = NDArray[Any]


@dataclass(frozen=True)
class TintKey:
    """What a station's tint key (32 bytes) fixes: the waves' phases, and where each code bit stands in a tile."""

    key: bytes

    def stream(self, name: str, count: int) -> NDArray[np.uint32]:
        """`count` keyed words of 32 bits, set apart by `name` (SHAKE-256, big-endian)."""
        return np.frombuffer(self._bytes(name, count), ">u4").astype(np.uint32)

    def _bytes(self, name: str, count: int) -> bytes:
        seed = hmac.digest(self.key, b"jiyao/tint/v1/" + name.encode(), "sha256")
        return hashlib.shake_256(seed).digest(4 * count)

    @cached_property
    def phases(self) -> NDArray[Any]:
        """Of the sixteen waves, in radians."""
        return self.stream("phases", len(LATTICE)) * (2 * np.pi / 2**32)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The code bit that each chip of a tile carries (32 x 32)."""
        order = np.argsort(self.stream("places", CHIPS * CHIPS), kind="stable")
        bits = np.empty(CHIPS * CHIPS, np.intp)
        bits[order] = np.arange(CHIPS * CHIPS) % CODE_BITS
        return bits.reshape(CHIPS, CHIPS)

    @cached_property
    def signs(self) -> NDArray[Any]:
        """By which each chip's bit is multiplied (32 x 32), so that no id gives a plain tile."""
        words = self.stream("signs", CHIPS * CHIPS)
        return (1 - 2 * (words >> 31).astype(np.int8)).reshape(CHIPS, CHIPS)

    def tile(self, id: int) -> NDArray[Any]:
        """The chips of D (32 x 32, +1 or -1) for an id."""
        tile: NDArray[Any] = encode(id)[self.places] * self.signs
        return tile

    def prints(self, id: int, side: int) -> NDArray[Any]:
        """The tiles of F (`side` x `side` tiles of 32 x 32 chips, +1 or -1) from the page's top left corner on.

        The words come in one stream, shell by shell around the corner, so that a smaller page takes its beginning.
        """
        bits = np.unpackbits(np.frombuffer(self.print_bytes(id, side), np.uint8)).view(np.int8)
        return (1 - 2 * bits).reshape(side * side, CHIPS, CHIPS)[shells(side)]

    def print_bytes(self, id: int, side: int) -> bytes:
        """The bits of `prints` as the stream gives them: tile after tile of the shells, four bytes a row of chips."""
        return self._bytes(f"print/{id:012x}", side * side * CHIPS)

    def fingerprint(self, id: int, rows: int, columns: int) -> NDArray[Any]:
        """The chips of F (`rows` x `columns`): the same chip has the same value on any page size."""
        side = -(-max(rows, columns) // CHIPS)
        chips = self.prints(id, side).swapaxes(1, 2).reshape(side * CHIPS, side * CHIPS)
        return chips[:rows, :columns]

    @cached_property
    def waves(self) -> Plane:
        """T over one tile (128 x 128 samples), rms 1."""
        at = (np.arange(CHIPS * SAMPLES) + 0.5) / (CHIPS * SAMPLES) * 2 * np.pi
        total = np.zeros((CHIPS * SAMPLES, CHIPS * SAMPLES))
        for (right, down), phase in zip(LATTICE, self.phases, strict=True):
            total += np.cos(right * at[None, :] + down * at[:, None] + phase)
        return _unit(total)


@dataclass(frozen=True)
class PagePattern:
    """What all copies of a page of this size share, drawn once: T over the page. Sizes in mm."""

    key: TintKey
    width_mm: float
    height_mm: float

    @property
    def chips(self) -> tuple[int, int]:
        """Rows and columns of chips that cover the page."""
        return int(np.ceil(self.height_mm / CHIP_MM)), int(np.ceil(self.width_mm / CHIP_MM))

    @cached_property
    def _waves(self) -> Plane:
        return _spread(self.key.waves, *self.chips) * np.float32(T_RMS)

    def tone(self, id: int, profile: Profile = "normal") -> Plane:
        """The tone of one copy in levels of 255, 3.2 samples a mm: what is taken from white paper, 0 and more."""
        return self.tone_at(id, *AMPLITUDES[profile])

    def tone_at(self, id: int, mean: float, amplitude: float) -> Plane:
        """The tone with this mean and amplitude, in levels of 255."""
        rows, columns = self.chips
        pattern = self._waves + _spread(_data(self.key, id), rows, columns) * np.float32(D_RMS)
        pattern += _unit(_smooth(self.key.fingerprint(id, rows, columns))) * np.float32(F_RMS)
        tone: Plane = np.maximum(np.float32(0), np.float32(mean) + np.float32(amplitude) * pattern)
        return tone


def tile_tone(key: TintKey, id: int, profile: Profile = "normal") -> Plane:
    """The part of the tone that repeats, T and D of one tile (128 x 128 samples), for an overlay of two pictures."""
    mean, amplitude = AMPLITUDES[profile]
    pattern = key.waves * np.float32(T_RMS) + _data(key, id) * np.float32(D_RMS)
    return np.maximum(np.float32(0), np.float32(mean - amplitude * F_RMS) + np.float32(amplitude) * pattern)


def print_tone(key: TintKey, id: int, rows: int, columns: int, profile: Profile = "normal") -> Plane:
    """The part that does not: F, one sample a chip (`rows` x `columns`), 0 or twice its amplitude."""
    amplitude = AMPLITUDES[profile][1] * F_RMS
    return (amplitude * (1.0 + key.fingerprint(id, rows, columns))).astype(np.float32)


def embed(picture: NDArray[np.uint8], tone: Plane, *, width_mm: float, height_mm: float) -> NDArray[np.uint8]:
    """A page picture (height x width x 3, RGB, the whole page) with the tone taken from it, as through a filter."""
    height, width = picture.shape[:2]
    across, down = width_mm * PER_MM / width, height_mm * PER_MM / height
    deeper = _deeper(picture)
    mean = np.float32(tone.mean())
    marked = np.empty_like(picture)
    rows = max(1, _AT_ONCE // width)  # in bands: a large page's planes are many times its picture
    for top in range(0, height, rows):
        band = picture[top : top + rows]
        # sample centres of the picture in samples of the tone
        shift = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5 + top * down]], np.float32)
        fine = cv2.warpAffine(
            tone, shift, (width, band.shape[0]), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        if deeper is not None:
            fine += (deeper[top : top + rows] - 1) * (fine - mean)
        for channel, gain in enumerate(GAINS):
            kept = 1.0 - fine * np.float32(gain / 255)
            marked[top : top + rows, :, channel] = cv2.multiply(band[:, :, channel], kept, dtype=cv2.CV_8U)
    return marked


def _deeper(picture: NDArray[np.uint8]) -> Plane | None:
    """By which the pattern is drawn more strongly where a photograph hides it: its middle tones and its own contrast,
    never text or plain grounds; None where there is nothing of that kind.
    """
    height, width = picture.shape[:2]
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    size = (max(1, width // _COARSE), max(1, height // _COARSE))
    light = float(np.percentile(luma[::8, ::8], 95))  # the paper of a grey scan is no middle tone
    tones = cv2.inRange(luma, _MIDDLE[0] * light, _MIDDLE[1] * light)
    middle = cv2.resize(tones, size, interpolation=cv2.INTER_AREA)
    around = (round(size[0] * _AROUND_SHARE) | 1,) * 2
    pictured = np.clip((cv2.blur(middle.astype(np.float32) / 255, around) - 0.5) / 0.3, 0, 1)
    if pictured.max() < _LEAST_PICTURED:
        return None
    plane = luma.astype(np.float32)
    rough = np.square(plane - cv2.blur(plane, (9, 9)))
    contrast = np.sqrt(np.maximum(0, cv2.blur(cv2.resize(rough, size, interpolation=cv2.INTER_AREA), around)))
    more = cv2.blur(pictured * np.clip(contrast / _ROUGH, 0, 1) * np.float32(_DEEPEST - 1), around)
    deeper: Plane = 1 + np.maximum(0, cv2.resize(more, (width, height), interpolation=cv2.INTER_LINEAR))
    return deeper


@cache
def shells(side: int) -> NDArray[np.intp]:
    """Which tile of the stream stands at each place (`side` x `side`): shell after shell, each down, then across."""
    places = sorted(
        ((row, column) for row in range(side) for column in range(side)),
        key=lambda place: (max(place), place[0] == max(place), place),
    )
    order = np.empty((side, side), np.intp)
    for number, place in enumerate(places):
        order[place] = number
    return order


def _data(key: TintKey, id: int) -> Plane:
    """D over one tile (128 x 128 samples), rms 1; softened across the tile's edges, where it repeats."""
    side = CHIPS * SAMPLES
    return _unit(_smooth(np.tile(key.tile(id), (3, 3)))[side : 2 * side, side : 2 * side])


def _smooth(chips: NDArray[Any]) -> Plane:
    """Chips as samples, their edges softened so that no chip shows."""
    fine = np.repeat(np.repeat(chips.astype(np.float32), SAMPLES, axis=0), SAMPLES, axis=1)
    return cv2.GaussianBlur(fine, (0, 0), SAMPLES * 0.35)


def _spread(tile: Plane, rows: int, columns: int) -> Plane:
    """A tile repeated over so many chips."""
    times = (-(-rows // CHIPS), -(-columns // CHIPS))
    return np.tile(tile, times)[: rows * SAMPLES, : columns * SAMPLES]


def _unit(plane: NDArray[np.floating]) -> Plane:
    even: Plane = (plane / np.sqrt(np.mean(np.square(plane), dtype=np.float64))).astype(np.float32)
    return even
