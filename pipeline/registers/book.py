"""All registers by name."""

from __future__ import annotations

from typing import Final

from .decided import APPROVALS, DESTRUCTION, INCIDENTS, LEVELS
from .duty import SEALS, TELEGRAMS, VISITS, WORK
from .hands import ARCHIVING, CIRCULATION, LOANS, MOVEMENTS, RETURNS
from .look import Register
from .made import CLEAR, COPIES, PAPER
from .papers import INBOUND, OUTBOUND

REGISTERS: Final[dict[str, Register]] = {
    "inbound": INBOUND, "outbound": OUTBOUND, "circulation": CIRCULATION, "loans": LOANS, "copies": COPIES,
    "paper": PAPER, "returns": RETURNS, "archiving": ARCHIVING, "levels": LEVELS, "approvals": APPROVALS,
    "incidents": INCIDENTS, "movements": MOVEMENTS, "destruction": DESTRUCTION, "clear": CLEAR,
    "telegrams": TELEGRAMS, "visits": VISITS, "seals": SEALS, "work": WORK,
}  # fmt: skip
