"""Findings about the make-up of a piece of mail that a person must look at. Codes only, so that it loads at once."""

from __future__ import annotations

PAGE_COUNT = frozenset(
    {
        "page_number_gap", "page_number_repeated", "page_order", "page_total_differs", "page_numbers_odd_only",
        "pages_missing", "pages_extra",
    }
)  # fmt: skip
"""Of the page numbers."""
SPLIT = frozenset({"split_by_letterhead", "split_by_blank", "mark_on_envelope"})
"""A stack was cut by its look alone; or the envelope says more than the paper."""
FORMER = frozenset(
    {"other_version", "rescan_of", "same_text_again", "mark_lost_in_rescan", "carrier_differs"}
)
"""The register has this paper, or nearly."""
MUST_REVIEW = PAGE_COUNT | SPLIT | FORMER
