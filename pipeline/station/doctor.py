"""`doctor`: what a station needs and what it can promise, each checked now, each with what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from ...common.clock import iso, today
from ...common.errors import JiyaoError
from ...common.fonts import face
from ...common.messages import Lang, say
from ...common.sandbox import network_denial
from ...formats.office_convert import converter
from ...ledger import log as ledger
from ...stages.engines.choose import choose, engines
from ...vault.medium import Claim, medium_of
from ...vault.scratch import scratch_place
from ..intake.virus import Scanner
from . import policies
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
                "detail": say(detail, lang) if detail.isidentifier() else detail,
                "fix": say(fix, lang) if fix else "",
            }
        )
    return {"ok": all(item["ok"] for item in checks if item["name"] in _NEEDED), "checks": checks}


_Finding = tuple[bool, str, str]
"""Whether it is well, what was found (text or a label's code), what to do (a label's code, or empty)."""


def _engines(_station: Station) -> _Finding:
    there = [engine.name_version for engine in engines() if engine.available()]
    if not there:
        return False, "doctor_no_engine", "doctor_fix_engine"
    choice = choose("auto")
    return True, f"{choice.engine.name_version}（{'、'.join(there)}）", next(iter(choice.remarks), "")


def _fonts(_station: Station) -> _Finding:
    return True, f"{face('serif').path.name}、{face('sans').path.name}", ""


def _poppler(_station: Station) -> _Finding:
    found = shutil.which("pdftoppm")
    return True, found or "doctor_no_poppler", "" if found else "doctor_fix_poppler"


def _virus_scanner(_station: Station) -> _Finding:
    scanner = Scanner.find(seconds=_SCANNER_SECONDS)
    if scanner.name is None:
        return False, "doctor_no_scanner", "doctor_fix_scanner"
    if not scanner.answers():
        return False, "doctor_scanner_silent", "doctor_fix_scanner_silent"
    return True, scanner.name, ""


def _libreoffice(_station: Station) -> _Finding:
    found = converter()
    return found is not None, found or "doctor_no_libreoffice", "" if found else "doctor_fix_libreoffice"


def _scratch(station: Station) -> _Finding:
    place = scratch_place(station.home)
    return place.in_memory, str(place.base), "" if place.in_memory else "doctor_fix_scratch"


def _worker_network(_station: Station) -> _Finding:
    kind = network_denial()
    return True, f"doctor_network_{kind}", ""


def _root(station: Station) -> _Finding:
    classes = [
        f"{path}: {medium_of(path).root_class.value}" for path in station.settings.roots if path.exists()
    ]
    missing = [str(path) for path in station.settings.roots if not path.exists()]
    if missing:
        return False, "、".join(missing), "doctor_fix_root_missing"
    proven = all(medium_of(path).claim in (Claim.CLEAR, Claim.MEMORY) for path in station.settings.roots)
    return proven, "；".join(classes), "" if proven else "doctor_fix_root_class"


def _mirror(station: Station) -> _Finding:
    if station.settings.single_root:
        return False, "doctor_single_root", "doctor_fix_single_root"
    devices = {path.stat().st_dev for path in station.settings.roots if path.exists()}
    apart = len(devices) == len(station.settings.roots)
    return (
        apart,
        "doctor_mirror_apart" if apart else "doctor_mirror_same_device",
        "" if apart else "doctor_fix_mirror",
    )


def _home_medium(station: Station) -> _Finding:
    medium = medium_of(station.home)
    well = medium.claim in (Claim.CLEAR, Claim.MEMORY)
    return well, f"{medium.filesystem} {medium.root_class.value}", "" if well else "doctor_fix_home_medium"


def _swap(_station: Station) -> _Finding:
    lines = Path("/proc/swaps").read_text("ascii").splitlines()[1:]
    return not lines, "doctor_no_swap" if not lines else "doctor_swap", "" if not lines else "doctor_fix_swap"


def _core_dumps(_station: Station) -> _Finding:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text("utf-8").strip()
    return True, pattern or "-", ""


def _clock(station: Station) -> _Finding:
    with station.read() as session:
        newest = ledger.newest_at(session)
    now = station.clock.now()
    well = newest is None or now >= newest
    return well, iso(now), "" if well else "doctor_fix_clock"


def _space(station: Station) -> _Finding:
    free = shutil.disk_usage(station.home).free
    return free >= _SPACE, f"{free // 1024**2} MiB", "" if free >= _SPACE else "doctor_fix_space"


def _permissions(station: Station) -> _Finding:
    loose = [
        str(path)
        for path in (station.home, *station.settings.roots)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    return (
        not loose,
        "、".join(loose) or oct(stat.S_IMODE(station.home.stat().st_mode)),
        ("doctor_fix_permissions" if loose else ""),
    )


def _kdf(station: Station) -> _Finding:
    well = station.settings.kdf == "normal"
    return well, station.settings.kdf, "" if well else "doctor_fix_kdf"


def _policy(station: Station) -> _Finding:
    value = policies.show(station)
    well = value["state"] == "active"
    return well, f"{value['version']} {value['state']}", "" if well else "doctor_fix_policy"


def _calendar(station: Station) -> _Finding:
    """The holidays of this year are known; in its last month those of the next year too."""
    now = today(station.clock)
    unknown = station.policy.calendar.unknown_years(now, date(now.year + (now.month == 12), 12, 31))
    return (
        not unknown,
        "、".join(map(str, unknown)) or str(now.year),
        "doctor_fix_calendar" if unknown else "",
    )


def _writable(station: Station) -> _Finding:
    well = os.access(station.home, os.W_OK)
    return well, str(station.home), "" if well else "doctor_fix_writable"


_NEEDED = frozenset({"engines", "fonts", "space", "writable", "clock"})
"""Without these the day's work cannot be done."""
_CHECKS: tuple[Callable[[Station], _Finding], ...] = (
    _engines, _fonts, _poppler, _libreoffice, _virus_scanner, _scratch, _worker_network, _root, _mirror, _home_medium,
    _swap, _core_dumps, _clock, _space, _permissions, _kdf, _policy, _calendar, _writable,
)  # fmt: skip
