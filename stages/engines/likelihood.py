"""How likely the output of a recogniser makes a given text, whatever is read off greedily (CTC, Graves 2006, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-12
"""Of a class at a step, so that a logarithm exists."""


def log_likelihood(steps: NDArray[np.float32], classes: Sequence[int]) -> float:
    """Natural logarithm of the sum over all paths that spell `classes`.

    Args:
        steps: probabilities, steps x classes; class 0 stands for no character.
        classes: of each character of the text, none of them 0. Empty: the likelihood of no text.
    """
    spelt = np.zeros(2 * len(classes) + 1, np.int64)
    spelt[1::2] = classes
    logs = np.log(np.maximum(steps[:, spelt].astype(np.float64), LEAST))
    skips = np.zeros(len(spelt), np.bool_)
    skips[3::2] = spelt[3::2] != spelt[1:-2:2]
    alpha = np.full(len(spelt), -np.inf)
    alpha[:2] = logs[0, :2]
    for row in logs[1:]:
        stay = np.logaddexp(alpha, np.concatenate(([-np.inf], alpha[:-1])))
        jump = np.concatenate(([-np.inf, -np.inf], alpha[:-2]))[: len(spelt)]
        alpha = np.where(skips, np.logaddexp(stay, jump), stay) + row
    return float(np.logaddexp.reduce(alpha[-2:]))
