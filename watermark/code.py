"""How 48 bits of a copy's id become 264 bits that survive noise, and back.

CRC-32 (ISO 3309) over the id's six bytes, then the convolutional code of constraint length 9 and rate 1/3 with the
generators 557, 663, 711 (octal; Larsen 1973, as in 3GPP TS 25.212), closed with eight zeros. Decoding is
maximum likelihood (Viterbi 1967) over soft values; a result whose CRC does not hold is no result. Vectors:
docs/spec/mark.md.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

ID_BITS = 48
DATA_BITS = ID_BITS + 32
TAIL = 8
RATE = 3
CODE_BITS = (DATA_BITS + TAIL) * RATE
GENERATORS = (0o557, 0o663, 0o711)
_STATES = 1 << TAIL


def encode(id: int) -> NDArray[np.int8]:
    """The code word of an id: 264 values, each +1 (bit 0) or -1 (bit 1).

    Raises:
        ValueError: when the id is not of 48 bits.
    """
    if not 0 <= id < 1 << ID_BITS:
        raise ValueError("number of 48 bits expected")
    number = id.to_bytes(ID_BITS // 8, "big")
    message = number + zlib.crc32(number).to_bytes(4, "big")
    bits = np.unpackbits(np.frombuffer(message, np.uint8)).tolist() + [0] * TAIL
    signs, _ = _trellis()
    word, state = [], 0
    for bit in bits:
        word.append(signs[state, bit])
        state = (state >> 1) | bit << (TAIL - 1)
    return np.concatenate(word)


def decode(soft: NDArray[np.floating]) -> int | None:
    """The id that these 264 soft values (positive: bit 0) say most likely; None when its CRC does not hold."""
    signs, before = _trellis()
    steps = np.asarray(soft, np.float64).reshape(-1, RATE)
    # merit of each state so far; a path ends in state s by one of two states and the bit that is s's top bit
    merit = np.full(_STATES, -np.inf)
    merit[0] = 0.0
    into = np.arange(_STATES) >> (TAIL - 1)
    gain = signs[before, into[:, None]]
    choice = np.empty((len(steps), _STATES), np.uint8)
    for number, values in enumerate(steps):
        both = merit[before] + gain @ values
        pick = both.argmax(axis=1)
        choice[number] = pick
        merit = both[np.arange(_STATES), pick]
    state, bits = 0, []
    for picks in choice[::-1]:
        bits.append(state >> (TAIL - 1))
        state = int(before[state, picks[state]])
    message = np.packbits(bits[::-1][:DATA_BITS]).tobytes()
    said, check = message[: ID_BITS // 8], message[ID_BITS // 8 :]
    if zlib.crc32(said).to_bytes(4, "big") != check or not any(said):
        return None
    return int.from_bytes(said, "big")


@cache
def _trellis() -> tuple[NDArray[np.int8], NDArray[np.intp]]:
    """Output signs by state and bit (256 x 2 x 3), and the two states before each state (256 x 2).

    A state holds the last eight bits, the newest in its top bit.
    """
    states = np.arange(_STATES)
    signs = np.empty((_STATES, 2, RATE), np.int8)
    for bit in (0, 1):
        window = bit << TAIL | states
        for index, generator in enumerate(GENERATORS):
            signs[:, bit, index] = 1 - 2 * (_ones(window & generator) & 1)
    before = np.stack([(states << 1) & (_STATES - 1), ((states << 1) & (_STATES - 1)) | 1], axis=1)
    return signs, before


def _ones(values: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.array([int(value).bit_count() for value in values])
