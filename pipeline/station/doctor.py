"""`doctor`: what a station needs and what it can promise, each checked now, each with what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from datetime import date
from typing import Any

from ...common.clock import iso, today
from ...common.errors import JiyaoError
from ...common.fonts import face
from ...common.messages import Lang, say
from ...common.sandbox import network_denial
from ...formats.office_convert import converter
from ...ledger import log as ledger
from ...stages.engines.choose import choose, engines
from ..intake.virus import Scanner
from . import doctor_secrets, policies
from .doctor_secrets import Detail, Finding
from .station import Station

_SPACE = 1024**3
_SCANNER_SECONDS = 10.0


def examine(station: Station, *, lang: Lang) -> dict[str, Any]:
    """Runs every check. `ok` tells whether the station can work; a warning leaves it true."""
    checks: list[dict[str, Any]] = []
    for check in _CHECKS:
        name = check.__name__.lstrip("_")
        try:
            ok, detail, fix = check(station)
        except JiyaoError as error:
            ok, detail, fix = False, error.code, error.code
        checks.append(
            {
                "name": name,
                "ok": ok,
                "detail": _said(detail, lang),
                "fix": say(fix, lang) if fix else "",
            }
        )
    return {"ok": all(item["ok"] for item in checks if item["name"] in _NEEDED), "checks": checks}


def _said(detail: Detail, lang: Lang) -> str:
    pieces = (detail,) if isinstance(detail, str) else detail
    return "".join(say(piece, lang) if piece.isidentifier() else piece for piece in pieces)


def _engines(_station: Station) -> Finding:
    there = [engine.name_version for engine in engines() if engine.available()]
    if not there:
        return False, "doctor_no_engine", "doctor_fix_engine"
    choice = choose("auto")
    return True, f"{choice.engine.name_version}（{'、'.join(there)}）", next(iter(choice.remarks), "")


def _fonts(_station: Station) -> Finding:
    return True, f"{face('serif').path.name}、{face('sans').path.name}", ""


def _poppler(_station: Station) -> Finding:
    found = shutil.which("pdftoppm")
    return True, found or "doctor_no_poppler", "" if found else "doctor_fix_poppler"


def _virus_scanner(_station: Station) -> Finding:
    scanner = Scanner.find(seconds=_SCANNER_SECONDS)
    if scanner.name is None:
        return False, "doctor_no_scanner", "doctor_fix_scanner"
    if not scanner.answers():
        return False, "doctor_scanner_silent", "doctor_fix_scanner_silent"
    return True, scanner.name, ""


def _libreoffice(_station: Station) -> Finding:
    found = converter()
    return found is not None, found or "doctor_no_libreoffice", "" if found else "doctor_fix_libreoffice"


def _worker_network(_station: Station) -> Finding:
    kind = network_denial()
    return True, f"doctor_network_{kind}", ""


def _clock(station: Station) -> Finding:
    with station.read() as session:
        newest = ledger.newest_at(session)
    now = station.clock.now()
    well = newest is None or now >= newest
    return well, iso(now), "" if well else "doctor_fix_clock"


def _space(station: Station) -> Finding:
    free = shutil.disk_usage(station.home).free
    return free >= _SPACE, f"{free // 1024**2} MiB", "" if free >= _SPACE else "doctor_fix_space"


def _permissions(station: Station) -> Finding:
    loose = [
        str(path)
        for path in (station.home, *station.settings.root_folders)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    return (
        not loose,
        "、".join(loose) or oct(stat.S_IMODE(station.home.stat().st_mode)),
        ("doctor_fix_permissions" if loose else ""),
    )


def _policy(station: Station) -> Finding:
    value = policies.show(station)
    well = value["state"] == "active"
    return well, f"{value['version']} {value['state']}", "" if well else "doctor_fix_policy"


def _calendar(station: Station) -> Finding:
    """The holidays of this year are known; in its last month those of the next year too."""
    now = today(station.clock)
    unknown = station.policy.calendar.unknown_years(now, date(now.year + (now.month == 12), 12, 31))
    return (
        not unknown,
        "、".join(map(str, unknown)) or str(now.year),
        "doctor_fix_calendar" if unknown else "",
    )


def _writable(station: Station) -> Finding:
    well = os.access(station.home, os.W_OK)
    return well, str(station.home), "" if well else "doctor_fix_writable"


_NEEDED = frozenset({"engines", "fonts", "space", "writable", "clock", "suite"})
"""Without these the day's work cannot be done."""
_CHECKS: tuple[Callable[[Station], Finding], ...] = (
    _engines, _fonts, _poppler, _libreoffice, _virus_scanner, doctor_secrets.scratch, _worker_network,
    doctor_secrets.suite, doctor_secrets.sm2, doctor_secrets.root, doctor_secrets.mirror, doctor_secrets.home_medium,
    doctor_secrets.swap, doctor_secrets.hibernation, doctor_secrets.memory_lock, doctor_secrets.core_dumps,
    _clock, _space, _permissions, doctor_secrets.kdf, _policy, _calendar, _writable,
)  # fmt: skip
