"""What `doctor` looks at around keys and plaintext: suite, roots and their classes, swap, hibernation, core dumps."""

from __future__ import annotations

from pathlib import Path

from ...vault.discipline import harden
from ...vault.medium import medium_of
from ...vault.scratch import scratch_place
from ...vault.suite import SUITES, available
from ...vault.swap import resting
from . import sm2_key
from .root_events import events, lost
from .roots import RootFound, roots_found, weakest
from .station import Station

Detail = str | tuple[str, ...]
Finding = tuple[bool, Detail, str]
"""Whether it is well; what was found (text or a label's code, or several to be joined); what to do (a label's code,
or empty)."""


def suite(station: Station) -> Finding:
    """The station's ciphers can be computed here; which others could is said too."""
    there = [one.name for one in SUITES if available(one)]
    well = station.settings.suite in there
    return well, f"{station.settings.suite}（{'、'.join(there)}）", "" if well else "doctor_fix_suite"


def sm2(station: Station) -> Finding:
    """Whether certificates of destruction get the room's SM2 signature: with the Chinese ciphers only."""
    with station.read() as session:
        fact = sm2_key.fact(station, session)
    if fact is None:
        return True, "doctor_sm2_unused", ""
    if fact.state == "none":
        return False, f"doctor_sm2_{fact.reason}", f"doctor_fix_sm2_{fact.reason}"
    return True, ("doctor_sm2_signs", f" {fact.certificate_sha256}"), ""


def root(station: Station) -> Finding:
    """Class of each root, and why it is no better."""
    found = roots_found(station.settings)
    if any(one.medium is None for one in found):
        return False, _roots(tuple(one for one in found if one.medium is None)), "doctor_fix_root_missing"
    proven = all(one.medium is not None and one.medium.claim.proven for one in found)
    detail = (f"{weakest(found)} — ", *_roots(found)) if len(found) > 1 else _roots(found)
    return proven, detail, "" if proven else "doctor_fix_root_class"


def mirror(station: Station) -> Finding:
    """Whether one failure takes all roots; and how many media were written off and never confirmed erased."""
    with station.read() as session:
        gone = len(lost(events(session)))
    told = (" — ", "doctor_mirrors_lost", f" {gone}") if gone else ()
    if station.settings.single_root:
        return False, ("doctor_single_root", *told), "doctor_fix_single_root"
    folders = [path for path in station.settings.root_folders if path.exists()]
    devices = {path.stat().st_dev for path in folders}
    apart = len(devices) == len(station.settings.root_folders)
    return (
        apart,
        ("doctor_mirror_apart" if apart else "doctor_mirror_same_device", *told),
        "" if apart else "doctor_fix_mirror",
    )


def home_medium(station: Station) -> Finding:
    """What overwriting a sealed file can be worth here."""
    medium = medium_of(station.home)
    detail = (f"{medium.filesystem} {medium.root_class.value}: ", medium.reasons[0])
    return medium.claim.proven, detail, "" if medium.claim.proven else "doctor_fix_home_medium"


def scratch(station: Station) -> Finding:
    """Whether working files stay in memory."""
    place = scratch_place(station.home)
    if place.in_memory and resting().swap:
        return False, (str(place.base), " — ", "doctor_swap"), "doctor_fix_swap"
    return place.in_memory, str(place.base), "" if place.in_memory else "doctor_fix_scratch"


def swap(_station: Station) -> Finding:
    """Memory may reach a disk."""
    used = resting().swap
    if not used:
        return True, "doctor_no_swap", ""
    return False, ("doctor_swap", " " + " ".join(used)), "doctor_fix_swap"


def hibernation(_station: Station) -> Finding:
    """All memory may reach a disk at once."""
    able = resting().hibernates
    return (
        not able,
        "doctor_hibernates" if able else "doctor_no_hibernation",
        ("doctor_fix_hibernation" if able else ""),
    )


def core_dumps(_station: Station) -> Finding:
    """A process with keys leaves no image of itself behind."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text("utf-8").strip() or "-"
    done = harden()
    well = done.no_core and done.not_dumpable
    return (
        well,
        ("doctor_no_core" if well else "doctor_core", f" ({pattern})"),
        ("" if well else "doctor_fix_core"),
    )


def memory_lock(_station: Station) -> Finding:
    """Keys cannot reach swap: locked in memory, or there is none."""
    well = harden().locked
    return well, "doctor_memory_kept" if well else "doctor_memory_swaps", "" if well else "doctor_fix_swap"


def kdf(station: Station) -> Finding:
    """What guessing the passphrase costs."""
    well = station.settings.kdf == "normal"
    return well, station.settings.kdf, "" if well else "doctor_fix_kdf"


def _roots(found: tuple[RootFound, ...]) -> tuple[str, ...]:
    pieces: list[str] = []
    for one in found:
        if one.medium is None:
            away = one.trouble == "root_missing"
            pieces += [f"{one.name}: ", "doctor_root_away" if away else "doctor_root_silent"]
            pieces += ["; " if away else f" ({one.trouble}); "]
        else:
            pieces += [f"{one.name}: {one.medium.root_class.value} ", one.medium.reasons[0], "; "]
    return (*pieces[:-1], pieces[-1].removesuffix("; "))
