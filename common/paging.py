"""How much a list gives at once: lists are bounded, and who wants all of it gets one page after the other."""

from __future__ import annotations

from typing import Final

PAGE: Final = 200
"""Lines of a list when nobody says how many."""
MOST: Final = 1000
"""Lines that are in memory at once."""
