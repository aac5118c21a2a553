"""A ZIP package looked over before any parser unpacks it.

Threat model: bombs (declared sizes and ratios checked; what unpacks to more than declared is cut by
zipfile), names that climb out of a folder, doubled names that two readers see differently, encrypted
parts, entity declarations in XML parts (forbidden in OOXML: ECMA-376 part 2, 8.1.1). Nothing is ever
written to disk.
"""

from __future__ import annotations

import io
import zipfile

from ..common.limits import Limits
from .fault import FormatFault, guarded

_MAX_ENTRIES = 20_000
_MAX_RATIO = 250
_RATIO_FROM = 16 * 1024 * 1024
_MAX_XML = 96 * 1024 * 1024
"""XML grows about tenfold as a tree: more than this would not fit a worker."""
_XML_ENDINGS = (".xml", ".rels", ".vml")


def checked_names(data: bytes, limits: Limits) -> frozenset[str]:
    """Names of the package's parts, after the checks of this module.

    Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`, `hostile_markup`.
    """
    with guarded("ZIP"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        _check_sizes(entries, limits)
        names = _check_names(entries)
        for entry in entries:
            if entry.filename.lower().endswith(_XML_ENDINGS):
                _check_markup(archive.read(entry))
    return names


def _check_sizes(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > _MAX_ENTRIES:
        raise FormatFault("unpack_bomb", f"{len(entries)} > {_MAX_ENTRIES}")
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked_bytes:
        raise FormatFault("unpack_bomb", f"{total} > {limits.unpacked_bytes}")
    marked_up = sum(entry.file_size for entry in entries if entry.filename.lower().endswith(_XML_ENDINGS))
    if marked_up > _MAX_XML:
        raise FormatFault("unpack_bomb", f"{marked_up} > {_MAX_XML}")
    for entry in entries:
        if entry.file_size > _RATIO_FROM and entry.file_size > entry.compress_size * _MAX_RATIO:
            raise FormatFault("unpack_bomb", f"{entry.file_size} / {entry.compress_size}")


def _check_names(entries: list[zipfile.ZipInfo]) -> frozenset[str]:
    names: set[str] = set()
    for entry in entries:
        name = entry.filename
        if entry.flag_bits & 1:
            raise FormatFault("encrypted_file", "ZIP")
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name[:3]:
            raise FormatFault("hostile_markup", "part name")
        if name.lower() in names:
            raise FormatFault("hostile_markup", "doubled part")
        names.add(name.lower())
    return frozenset(entry.filename for entry in entries)


def _check_markup(part: bytes) -> None:
    plain = part.replace(b"\x00", b"")  # UTF-16 hides nothing this way
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise FormatFault("hostile_markup", "DTD")
