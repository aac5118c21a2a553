"""The papers that a paper cites by number (派生定密; 实施条例 art. 18): what the register is asked for."""

from __future__ import annotations

import re
import unicodedata

from ..models.page import Transcript

_CITED = re.compile(r"[一-鿿A-Za-z]{1,16}〔(?:19|20)\d{2}〕\s?\d{1,5}号")
MOST = 2000


def cited_numbers(transcript: Transcript) -> tuple[str, ...]:
    """Document numbers in the text, in order, each once, at most `MOST`; words of the sentence may cling to the front.

    The paper's own number is among them.
    """
    text = unicodedata.normalize("NFKC", transcript.text.replace("\n", ""))
    found = dict.fromkeys(match.group().replace(" ", "") for match in _CITED.finditer(text))
    return tuple(found)[:MOST]
