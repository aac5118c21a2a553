"""The room's registers 登记簿: each a declaration of columns and lines, shown page by page or printed for the shelf.

    look.py      what a register looks at: the station, who asks, which period and department, which page
    book.py      all registers by name
    export.py    one register as a file, with the ledger's checkpoint on each sheet; one page of it on the screen
    sheets.py    the files: xlsx and csv (PDF: stages/certify_form.py draws it)

A register is nothing that is written: its lines are worked out from documents, movements, matters, copies and events.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "inbound", "outbound", "circulation", "loans", "copies", "paper", "returns", "archiving", "levels",
    "approvals", "incidents", "movements", "destruction", "clear",
    "telegrams", "visits", "seals", "work",
)  # fmt: skip
"""In the order of a day. `book.py` has one declaration for each."""
