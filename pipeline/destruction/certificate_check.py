"""Verifies a certificate file for whoever holds one; where there is a station, its authority is trusted."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ...common.errors import Broken, JiyaoError, NotThere
from ...common.limits import DEFAULT_LIMITS
from ...common.settings import NAME
from ...stages.verify_certificate import verify
from ..intake.inbox import Unreadable, read_file
from ..station import authority
from ..station.station import Station


def verify_file(
    file: Path,
    *,
    trust: Path | None,
    proof: Path | None,
    home: Path,
    title: Path | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """The verdict on a certificate; needs no station.

    Args:
        trust: the authority to trust (PEM); without it that of the station in `home`, if there is one.
        proof: a ledger proof that names this file.
        title: title and salt of one line, given apart.
        at: the day of the look, for what has ended since.

    Raises:
        NotThere: a file cannot be read. Broken: not valid, or not trusted; the value is complete all the same.
    """
    pem = _read(trust) if trust else _own_authority(home)
    report = verify(
        _read(file), trust_pem=pem, proof=_read(proof) if proof else None,
        title=_read(title) if title else None, at=at,
    )  # fmt: skip
    value: dict[str, Any] = {"file": str(file), **asdict(report)}
    value["statements"] = list(value["statements"])
    value["reasons"], value["notes"] = list(value["reasons"]), list(value["notes"])
    if not report.valid or report.trusted is False:
        raise Broken("certificate_not_valid", value=value, reasons="、".join(report.reasons) or "-")
    return value


def _own_authority(home: Path) -> bytes | None:
    """The authority of the station there; a home that cannot be opened vouches for nobody."""
    if not (home / NAME).is_file():
        return None
    try:
        station = Station.open(home)
        with station.read() as session:
            return authority.ca_pem(session)
    except JiyaoError:
        return None


def _read(file: Path) -> bytes:
    try:
        return read_file(file, DEFAULT_LIMITS.file_bytes)
    except Unreadable:
        raise NotThere("no_file", file=str(file)) from None
