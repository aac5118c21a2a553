"""The files in a ZIP archive that came as mail: named, counted and measured before one of them is unpacked.

Threat model: bombs (entries, sizes, ratio and overlapping entries are checked against what the archive
declares, and what unpacks to more than declared is cut off), names that climb out of a folder or carry
control characters, links, doubled names, encrypted entries. Nothing is written to disk; a name becomes a
label and never a path that is opened. An entry that cannot be had is named with its reason, never passed over.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..common.limits import Limits
from ..common.natural import NaturalKey, natural_key
from .fault import FormatFault, guarded

AES_METHOD = 99
MAX_ENTRIES = 5_000
MAX_ENTRY = 256 * 1024 * 1024
_MAX_RATIO = 250
_RATIO_FROM = 256 * 1024 * 1024
_MAX_PART = 255
_MAX_NAME = 1024
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LEAVINGS = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
"""What operating systems leave in archives beside the files a person put there."""


class WrongPassword(Exception):
    """The password does not open the entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive. `label`: its path inside, safe to show and to join; `fault`: why it cannot be had."""

    label: str
    size: int
    info: zipfile.ZipInfo
    fault: str | None = None


def entries_of(archive: zipfile.ZipFile, size: int, limits: Limits) -> tuple[Entry, ...]:
    """The files of an archive of `size` bytes in natural order; folders and leavings of systems left out.

    Raises:
        FormatFault: `unpack_bomb`; `archive_empty`.
    """
    infos = archive.infolist()
    _check_sizes(infos, size, limits)
    named = [(_decoded(info), info) for info in infos]
    files = [
        (name, info) for name, info in named if not _is_folder(name, info) and not _LEAVINGS.search(name)
    ]
    if not files:
        raise FormatFault("archive_empty")
    files.sort(key=lambda item: _order(item[0]))
    entries: list[Entry] = []
    taken: dict[str, int] = {}
    for name, info in files:
        label = safe_label(name)
        count = taken[label.lower()] = taken.get(label.lower(), 0) + 1
        if count > 1:
            label = f"({count})/{label}"
        entries.append(Entry(label, info.file_size, info, _fault(name, info)))
    return tuple(entries)


def read_entry(archive: zipfile.ZipFile, data: bytes, entry: Entry, passwords: Sequence[str]) -> bytes:
    """The bytes of one file.

    Raises:
        FormatFault: why it cannot be had: `archive_entry_*`, `encrypted_file`, `wrong_file_password`,
            `damaged_file`.
    """
    if entry.fault is not None:
        raise FormatFault(entry.fault, "ZIP")
    if not entry.info.flag_bits & _ENCRYPTED_FLAG:
        return _read(archive, entry, None)
    if not passwords:
        raise FormatFault("encrypted_file", "ZIP")
    for password in passwords:
        for secret in dict.fromkeys((password.encode(), password.encode("gb18030", "replace"))):
            try:
                if entry.info.compress_type == AES_METHOD:
                    return _read_aes(data, entry, secret)
                return _read(archive, entry, secret)
            except WrongPassword:
                continue
    raise FormatFault("wrong_file_password", "ZIP")


def safe_label(name: str) -> str:
    """A name as a path inside the archive that leads nowhere else: no root, no drive, no way up, no controls."""
    shown = _CONTROL.sub("_", name.replace("\\", "/"))[:_MAX_NAME]
    shown = shown.encode("utf-8", "replace").decode()
    parts = [part[:_MAX_PART] for part in shown.split("/") if part not in ("", ".")]
    return "/".join("__" if part == ".." else part.replace(":", "_") for part in parts) or "_"


def _order(name: str) -> list[NaturalKey]:
    return [natural_key(part) for part in safe_label(name).split("/")]


def _check_sizes(infos: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    if len(infos) > MAX_ENTRIES:
        raise FormatFault("unpack_bomb", f"{len(infos)} > {MAX_ENTRIES}")
    total = sum(info.file_size for info in infos)
    if total > limits.unpacked_bytes:
        raise FormatFault("unpack_bomb", f"{total} > {limits.unpacked_bytes}")
    if total > _RATIO_FROM and total > size * _MAX_RATIO:
        raise FormatFault("unpack_bomb", f"{total} / {size}")
    if sum(info.compress_size for info in infos) > size:
        raise FormatFault("unpack_bomb", "overlap")


def _fault(name: str, info: zipfile.ZipInfo) -> str | None:
    slashed = name.replace("\\", "/")
    parts = slashed.split("/")
    if (
        slashed.startswith("/")
        or ".." in parts
        or _DRIVE.match(slashed)
        or _CONTROL.search(name)
        or len(name) > _MAX_NAME
        or any(len(part) > _MAX_PART for part in parts)
    ):
        return "archive_entry_path"
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "archive_entry_link"
    if info.file_size > MAX_ENTRY:
        return "archive_entry_large"
    if info.file_size == 0:
        return "empty_file"
    return None


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name as its writer meant it: without the UTF-8 mark it is UTF-8 all the same, GB18030, or code page 437."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_FLAG:
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name  # already replaced by the archive's Unicode path field
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _is_folder(name: str, info: zipfile.ZipInfo) -> bool:
    return name.endswith(("/", "\\")) or stat.S_ISDIR(info.external_attr >> 16)


def _read_aes(data: bytes, entry: Entry, password: bytes) -> bytes:
    from .zip_aes import read_aes

    with guarded("ZIP"):
        plain = read_aes(data, entry.info, password)
    if plain is None:
        raise WrongPassword
    return plain


def _read(archive: zipfile.ZipFile, entry: Entry, password: bytes | None) -> bytes:
    try:
        with archive.open(entry.info, pwd=password) as source:
            data = source.read(MAX_ENTRY + 1)
    except NotImplementedError:
        raise FormatFault("archive_entry_method", "ZIP") from None
    except RuntimeError:
        if password is not None:
            raise WrongPassword from None
        raise FormatFault("damaged_file", "ZIP") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        if password is not None:  # one wrong key in 256 passes the check byte and then gives rubbish
            raise WrongPassword from None
        raise FormatFault("damaged_file", "ZIP") from error
    except MemoryError as error:
        raise FormatFault("unpack_bomb", "ZIP") from error
    if len(data) != entry.info.file_size:
        raise FormatFault("damaged_file", "ZIP")
    return data


def opened_archive(data: bytes) -> zipfile.ZipFile:
    """The archive's directory, read.

    Raises:
        FormatFault: `damaged_file`.
    """
    with guarded("ZIP"):
        return zipfile.ZipFile(io.BytesIO(data))
