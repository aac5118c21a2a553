"""A file that arrived, after a look at its content (never at its name)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .page import Finding

Kind = Literal[
    "pdf", "docx", "ofd", "tiff", "jpeg", "png", "bmp", "gif", "webp", "jp2",
    "doc", "wps", "rtf", "odt", "xls", "xlsx", "et", "ods", "ppt", "pptx", "dps", "odp",
]  # fmt: skip
"""What content says. Those of the second row are read by way of LibreOffice."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One document's bytes and what their content says they are.

    `signature`: `none`, `present` (not checked). `protection`: `none`, `owner` (opens without a password),
    `read` (needs one). `active`: kinds of active content (`javascript`, `macro`, `launch` …).
    """

    kind: Kind
    data: bytes
    pages: int
    signature: Literal["none", "present"] = "none"
    protection: Literal["none", "owner", "read"] = "none"
    active: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
