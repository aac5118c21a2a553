"""ZIP archives as folders of a batch: their files go through the main job one by one, each under `archive.zip!/name`.

The archive is opened by a worker, a bounded handful of files at a time; here its files are bytes with a label. A label
is no place on the disk: nothing is unpacked into a clear file. An archive in an archive is opened once more; one
deeper down is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...common.limits import Limits
from .executor import Job, Reply
from .inbox import Unreadable, read_file

MARK = "!"
_DEEPEST = 1
_MOST_FILES = 20_000
_DIRECTORY_END = b"PK\x05\x06"
_DOCUMENT = re.compile(
    rb"PK\x01\x02.{42}(?:\[Content_Types\]\.xml|OFD\.xml|mimetype|word/document\.xml)", re.DOTALL
)
_ENDED = frozenset({"pending", "duplicate", "quarantined"})
"""Ends after which a file's bytes are kept sealed."""

Ask = Callable[[Job], Reply]


def outer_of(path: Path) -> Path | None:
    """The archive on the disk that a label leads into; None for the path of a file of its own."""
    for parent in reversed(path.parents):
        if parent.name.endswith(MARK) and (outer := parent.with_name(parent.name[: -len(MARK)])).is_file():
            return outer
    return None


def looks_like_archive(data: bytes) -> bool:
    """Whether to ask a worker to open it: a ZIP whose directory names no part that makes it a document.

    Only bytes are compared; what it is the worker says.
    """
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    end = data.rfind(_DIRECTORY_END)
    if end < 0:
        return True
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    return _DOCUMENT.search(data[max(end - size, 0) : end]) is None


@dataclass(slots=True)
class Contents:
    """One archive on the disk: what is still to come out of it, and how each file in it ended."""

    sha256: str
    open: set[Path] = field(default_factory=set)
    kept: bool = True
    done: bool = False
    documents: dict[str, set[Path]] = field(default_factory=dict)


class Archives:
    """The archives of one batch."""

    def __init__(self, *, ask: Ask, passwords: Callable[[Path], tuple[str, ...]], limits: Limits) -> None:
        self._ask, self._passwords, self._limits = ask, passwords, limits
        self._held: dict[Path, bytes | Unreadable] = {}
        self._contents: dict[Path, Contents] = {}

    def spread(self, path: Path, data: bytes) -> Iterator[Path] | None:
        """Labels of the files in an archive, in natural order; None when it is none, or cannot be opened at all.

        Each label is to be read (`read`) before the next is asked for.
        """
        first = self._question(path, data, 0)
        if first is None:
            return None
        contents = self._contents[path] = Contents(hashlib.sha256(data).hexdigest())
        return self._walk(path, data, first, contents, depth=0)

    def read(self, path: Path, limit: int) -> bytes:
        """The bytes under a label, or of a file.

        Raises:
            Unreadable: why they cannot be had.
        """
        held = self._held.pop(path, None)
        if held is None:
            return read_file(path, limit)
        if isinstance(held, Unreadable):
            raise held
        return held

    def ended(self, path: Path, status: str, document: str | None) -> None:
        """A file came to its end; for one from an archive it is noted whether it is kept."""
        for archive, contents in self._contents.items():
            if path in contents.open or archive in _archives(path):
                contents.open.discard(path)
                contents.kept &= status in _ENDED
                if document is not None:
                    contents.documents.setdefault(document, set()).add(path)

    def finished(self) -> list[tuple[Path, Contents]]:
        """Archives of which every file has ended; each is told once."""
        over = [(path, item) for path, item in self._contents.items() if item.done and not item.open]
        for path, _ in over:
            del self._contents[path]
        return over

    def _walk(
        self, path: Path, data: bytes, reply: dict[str, Any], contents: Contents, *, depth: int
    ) -> Iterator[Path]:
        folder = path.with_name(path.name + MARK)
        while True:
            for label, piece in reply["files"]:
                inner = folder / label
                contents.open.add(inner)
                nested = None
                if isinstance(piece, bytes) and looks_like_archive(piece):
                    if depth >= _DEEPEST:
                        piece = Unreadable("archive_too_deep")  # noqa: PLW2901
                    else:
                        nested = self._question(inner, piece, 0)
                if nested is not None and isinstance(piece, bytes):
                    contents.open.discard(inner)
                    yield from self._walk(inner, piece, nested, contents, depth=depth + 1)
                    continue
                self._held[inner] = piece
                yield inner
            if reply["next"] is None:
                break
            after = self._question(path, data, reply["next"])
            if after is None:
                contents.kept = False
                break
            reply = after
        if depth == 0:
            contents.done = True

    def _question(self, path: Path, data: bytes, first: int) -> dict[str, Any] | None:
        """A handful of files as a worker gives them, checked; None when it cannot."""
        fields = {"first": first, "passwords": list(self._passwords(path))}
        reply = self._ask(Job(act="unpack", fields=fields, data=data))
        try:
            return _checked(reply, first) if reply.outcome == "done" else None
        except (TypeError, ValueError, KeyError, AttributeError):
            return None


def _checked(reply: Reply, first: int) -> dict[str, Any]:
    """The worker's answer, if it fits: labels that lead nowhere else, sizes that add up, an end.

    Raises:
        TypeError, ValueError, KeyError: it does not.
    """
    files: list[tuple[str, bytes | Unreadable]] = []
    at = 0
    for entry in reply.value["entries"]:
        label, size, fault = str(entry["label"]), int(entry["size"]), entry["fault"]
        if not _is_safe(label) or not 0 <= size <= len(reply.data) - at:
            raise ValueError("label or size")
        files.append((label, Unreadable(str(fault)) if fault is not None else reply.data[at : at + size]))
        at += size
    after = reply.value["next"]
    if after is not None and not first < int(after) <= _MOST_FILES:
        raise ValueError("next")
    return {"files": files, "next": after}


def _is_safe(label: str) -> bool:
    parts = label.split("/")
    return (
        not any(ord(char) < 32 or char == "\x7f" for char in label)
        and not any(part in ("", ".", "..") for part in parts)
        and len(label) <= 2000
    )


def _archives(path: Path) -> Iterable[Path]:
    """The archives that a label leads through."""
    return (
        parent.with_name(parent.name[: -len(MARK)]) for parent in path.parents if parent.name.endswith(MARK)
    )
