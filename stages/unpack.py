"""The files of a ZIP archive that came as mail, a bounded handful at a time. Runs in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.sniff import sniff_name
from ..formats.zip_entries import entries_of, opened_archive, read_entry
from ..models.outcome import Done, Failure, Outcome

CHUNK = 32 * 1024 * 1024
"""Bytes after which the rest waits for the next question, so that neither side holds a whole archive unpacked."""


def unpack(
    data: bytes, *, first: int, passwords: Sequence[str], limits: Limits
) -> tuple[Outcome[dict[str, Any]], bytes]:
    """Files from number `first` (from 0) on: their labels, sizes or faults, and their bytes one after another.

    `next` is the number to ask for after these, None at the end. Failure: `not_an_archive` for a package that is
    a document itself, or the fault of the archive as a whole.
    """
    try:
        if sniff_name(data) != "zip":
            return Failure("not_an_archive"), b""
        with opened_archive(data) as archive:
            entries = entries_of(archive, len(data), limits)
            told: list[dict[str, Any]] = []
            pieces: list[bytes] = []
            held = 0
            for entry in entries[first:]:
                if told and held + entry.size > CHUNK:
                    break
                try:
                    piece, fault = read_entry(archive, data, entry, passwords), None
                except FormatFault as wrong:
                    piece, fault = b"", wrong.code
                told.append({"label": entry.label, "size": len(piece), "fault": fault})
                pieces.append(piece)
                held += len(piece)
    except FormatFault as wrong:
        return Failure(wrong.code, wrong.detail), b""
    after = first + len(told)
    value = {"entries": told, "next": after if after < len(entries) else None, "count": len(entries)}
    return Done(value), b"".join(pieces)
