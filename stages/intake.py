"""Intake: what a file is, by its content, before anything of it is believed."""

from __future__ import annotations

from ..common.limits import Limits
from ..formats.fault import FormatFault
from ..formats.opened import OpenedDocument
from ..formats.sniff import sniff
from ..formats.unlock import open_locked
from ..models.incoming import Incoming
from ..models.outcome import Done, Failure, Outcome
from ..models.page import Finding


def intake(data: bytes, *, limits: Limits) -> Outcome[Incoming]:
    """Opens the file under limits and says what it is. Done, or failed with the code of the fault."""
    try:
        opened, data, _ = open_locked(data, (), limits=limits)
    except FormatFault as fault:
        return Failure(fault.code, fault.detail)
    try:
        return Done(incoming_of(opened, data))
    finally:
        opened.close()


def incoming_of(opened: OpenedDocument, data: bytes) -> Incoming:
    """The value of an opened document; says so when the same bytes are valid as another format too."""
    also = sniff(data).also
    polyglot = (Finding("polyglot_file", detail=", ".join(also)),) if also else ()
    return Incoming(
        kind=opened.kind,
        data=data,
        pages=opened.page_count,
        signature=opened.signature,
        protection=opened.protection,
        active=opened.active,
        findings=(*opened.findings, *polyglot),
    )
