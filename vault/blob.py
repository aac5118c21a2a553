"""Sealed files: the envelope `JYBLOB01`, written so that it is wholly there or not at all.

Threat model: whoever holds the blob area may flip, cut, append, reorder, duplicate or swap; each is noticed,
nothing of a changed file is given out. The key is never in the file: a copy of the area, of any age, is worth
nothing once the key is gone. Names are random and say nothing. The format is docs/spec/blob.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import os
import re
import secrets
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag

from ..common.errors import Broken, MissingTool, NotThere, Unexpected
from .erase import sync_folder
from .suite import SUITES, TAG_BYTES, Suite, available, known_suite, suite_of
from .wipe import Buffer, wiped

MAGIC = b"JYBLOB01"
LOG2_CHUNK = 18
CHUNK = 1 << LOG2_CHUNK
_HEAD = struct.Struct(">8sBBH4s16s32s")
HEAD_BYTES = _HEAD.size
COMMITMENT_BYTES = 16
KINDS = {
    "original": b"ORIG",
    "transcript": b"TEXT",
    "judgement": b"JUDG",
    "pages": b"PAGE",
    "copy": b"COPY",
    "glyphs": b"GLYF",
    "quarantine": b"QUAR",
    "paper": b"PAPR",
    "model": b"MODL",
    "other": b"OTHR",
}
_AREA = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}/[0-9a-f]{2}/[0-9a-f]{32}\.jyb")
_TEMPORARY = ".new-"
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A sealed file: path relative to the blob area, size and SHA-256 (hex) of the file as it lies there."""

    path: str
    size: int
    cipher_sha256: str


def seal_blob(
    data: Buffer, *, key: Buffer, suite: Suite, slot: bytes, kind: str, salt: bytes | None = None
) -> Iterator[bytes]:
    """The envelope around `data`, piece by piece: head, commitment, chunks."""
    if kind not in KINDS:
        raise Unexpected("blob_kind", kind=kind)
    head = _HEAD.pack(MAGIC, suite.id, LOG2_CHUNK, 0, KINDS[kind], slot, salt or secrets.token_bytes(32))
    yield head
    yield _commitment(suite, key, slot)
    blob_key = _blob_key(suite, key, head)
    with wiped(blob_key):
        cipher = suite.aead(blob_key)
        view = memoryview(data)
        count = max(1, -(-len(view) // CHUNK))
        for index in range(count):
            piece = view[index * CHUNK : (index + 1) * CHUNK]
            yield cipher.encrypt(_nonce(index, last=index == count - 1), piece, head)


def open_blob(sealed: Buffer, *, key: Buffer, slot: bytes, name: str, kind: str | None = None) -> bytes:
    """What is in the envelope, all of it or nothing.

    Raises:
        Broken: `blob_altered`, when a bit, the length or the order is not as sealed;
            `blob_wrong_key`, when it was sealed under another key; `blob_foreign`, another slot or kind.
    """
    return _open(io.BytesIO(sealed), len(sealed), key=key, slot=slot, name=name, kind=kind)


def open_file(blobs: Path, path: str, *, key: Buffer, slot: bytes, kind: str | None = None) -> bytes:
    """What is in the sealed file `path` (relative to the blob area), as `open_blob`.

    Read chunk by chunk into one buffer: sealed and open bytes of a large file never lie in memory together, and what
    is not touched twice need not be fetched twice (twice as fast as reading it whole).

    Raises:
        NotThere: `blob_missing`. Broken: `blob_path`, when this is no name of ours; as `open_blob`.
    """
    if not _NAME.fullmatch(path):
        raise Broken("blob_path", blob=path)
    try:
        with (blobs / path).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            return _open(file, size, key=key, slot=slot, name=path, kind=kind)
    except FileNotFoundError as error:
        raise NotThere("blob_missing", blob=path) from error


def _open(
    file: io.RawIOBase | io.BytesIO, size: int, *, key: Buffer, slot: bytes, name: str, kind: str | None
) -> bytes:
    body = size - HEAD_BYTES - COMMITMENT_BYTES
    top = file.read(HEAD_BYTES + COMMITMENT_BYTES) or b""
    if not _whole_chunks(body) or len(top) != HEAD_BYTES + COMMITMENT_BYTES:
        raise Broken("blob_altered", blob=name)
    head, commitment = top[:HEAD_BYTES], top[HEAD_BYTES:]
    magic, suite_id, log2_chunk, flags, found_kind, found_slot, _ = _HEAD.unpack(head)
    if magic != MAGIC or log2_chunk != LOG2_CHUNK or flags or not known_suite(suite_id):
        raise Broken("blob_altered", blob=name)
    if found_slot != slot or (kind is not None and found_kind != KINDS.get(kind)):
        raise Broken("blob_foreign", blob=name)
    suite = suite_of(suite_id)
    committed = hmac.compare_digest(commitment, _commitment(suite, key, slot))
    sound, plain = _open_chunks(file, body, suite, key, head)
    if not committed:
        altered = sound or _commits_otherwise(commitment, suite, key, slot)
        raise Broken("blob_altered" if altered else "blob_wrong_key", blob=name)
    if sound != _count(body):
        raise Broken("blob_altered", blob=name)
    return plain


def key_commits(sealed: Buffer, *, key: Buffer, slot: bytes) -> bool:
    """Whether the envelope says it was sealed under `key`: a cheap look at its head, no proof of the rest."""
    view = memoryview(sealed)
    if len(view) < HEAD_BYTES + COMMITMENT_BYTES or bytes(view[:8]) != MAGIC or not known_suite(view[8]):
        return False
    return hmac.compare_digest(
        view[HEAD_BYTES:][:COMMITMENT_BYTES], _commitment(suite_of(view[8]), key, slot)
    )


def _commits_otherwise(found: bytes, suite: Suite, key: Buffer, slot: bytes) -> bool:
    """Whether this key made the commitment under another suite: then the suite's byte was changed."""
    others = (other for other in SUITES if other != suite and available(other))
    return any(hmac.compare_digest(found, _commitment(other, key, slot)) for other in others)


def _open_chunks(
    file: io.RawIOBase | io.BytesIO, body: int, suite: Suite, key: Buffer, head: bytes
) -> tuple[int, bytes]:
    """How many chunks are sound, up to the first that is not; and what was in them, when all are."""
    blob_key = _blob_key(suite, key, head)
    count = _count(body)
    plain = body - count * TAG_BYTES
    sealed, out = bytearray(min(body, CHUNK + TAG_BYTES)), io.BytesIO()
    if plain:
        # all the room at once: the value is then handed out where it lies, and never copied
        out.seek(plain - 1)
        out.write(b"\0")
    with wiped(blob_key), out.getbuffer() as room:
        cipher = suite.aead(blob_key)
        for index in range(count):
            piece = memoryview(sealed)[: min(len(sealed), body - index * (CHUNK + TAG_BYTES))]
            nonce = _nonce(index, last=index == count - 1)
            try:
                if not _read_whole(file, piece):
                    return index, b""
                with room[index * CHUNK : index * CHUNK + len(piece) - TAG_BYTES] as place:
                    cipher.decrypt_into(nonce, piece, head, place)
            except InvalidTag:
                return index, b""
    return count, out.getvalue()


def _read_whole(file: io.RawIOBase | io.BytesIO, piece: memoryview) -> bool:
    """Whether there was as much as `piece` takes; one read may give less than it could."""
    done = 0
    while done < len(piece):
        read = file.readinto(piece[done:])
        if not read:
            return False
        done += read
    return True


def _count(body_bytes: int) -> int:
    return max(1, -(-body_bytes // (CHUNK + TAG_BYTES)))


def _whole_chunks(body_bytes: int) -> bool:
    """Whether a body can have this length: only the sole chunk of an empty value is empty."""
    tail = body_bytes % (CHUNK + TAG_BYTES)
    return body_bytes == TAG_BYTES or (body_bytes > 0 and (tail == 0 or tail > TAG_BYTES))


def _nonce(index: int, *, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _blob_key(suite: Suite, key: Buffer, head: bytes) -> bytearray:
    return suite.derive(key, salt=head[-32:], info=b"jiyao blob v1" + head)


def _commitment(suite: Suite, key: Buffer, slot: bytes) -> bytes:
    info = b"jiyao blob commitment v1" + bytes([suite.id]) + slot
    return bytes(suite.derive(key, info=info, length=COMMITMENT_BYTES))


# ---------------------------------------------------------------- files


class Unsynced:
    """Files whose bytes and names are made durable together: many at once cost a disk little more than one.

    Whoever writes so calls `sync` before the transaction that names the files commits.
    """

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._folders: dict[Path, None] = {}

    def file(self, path: Path) -> None:
        """One more file, written and in its place."""
        self._files.append(path)
        self._folders[path.parent] = None

    def folder(self, path: Path) -> None:
        """A folder in which a name was made."""
        self._folders[path] = None

    def sync(self) -> None:
        """When this returns, all of them are durable.

        Raises:
            MissingTool: `disk_full`, when one cannot be; none is left behind then.
        """
        files, folders = self._files, list(self._folders)
        self._files, self._folders = [], {}
        try:
            if len(files) > 1:
                with ThreadPoolExecutor(min(_AT_ONCE, len(files))) as pool:
                    list(pool.map(_sync_file, files))
                    list(pool.map(sync_folder, folders))
            else:
                for file in files:
                    _sync_file(file)
                for folder in folders:
                    sync_folder(folder)
        except OSError as error:
            for leftover in files:
                with contextlib.suppress(OSError):
                    leftover.unlink()
            raise MissingTool("disk_full", where=str(files[0].parent.parent.parent)) from error


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_blob(
    blobs: Path, data: Buffer, *, area: str, key: Buffer, suite: Suite, slot: bytes, kind: str,
    later: Unsynced | None = None,
) -> BlobRef:  # fmt: skip
    """Seals `data` into a new file of `area`; when this returns, file and name are durable, or noted in `later`.

    Raises:
        MissingTool: `disk_full`, when it cannot be written; nothing is left behind.
    """
    if not _AREA.fullmatch(area):
        raise Unexpected("blob_area")
    name = secrets.token_hex(16)
    relative = f"{area}/{name[:2]}/{name}.jyb"
    target = blobs / relative
    temporary = target.with_name(_TEMPORARY + name)
    digest, size = hashlib.sha256(), 0
    try:
        made = later or Unsynced()
        _make_folders(target.parent, made)
        with temporary.open("xb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            for piece in seal_blob(data, key=key, suite=suite, slot=slot, kind=kind):
                _write_all(file.fileno(), piece)
                digest.update(piece)
                size += len(piece)
        temporary.rename(target)
        made.file(target)
        if later is None:
            made.sync()
    except OSError as error:
        for leftover in (temporary, target):
            with contextlib.suppress(OSError):
                leftover.unlink()
        raise MissingTool("disk_full", where=str(blobs)) from error
    return BlobRef(relative, size, digest.hexdigest())


def stray_files(blobs: Path, known: set[str]) -> tuple[Path, ...]:
    """Files of the area that no row knows: half-written, or whole ones whose transaction never ended."""
    strays = []
    for path in sorted(blobs.glob("*/*/*")):
        relative = path.relative_to(blobs).as_posix()
        ours = _NAME.fullmatch(relative) or path.name.startswith((_TEMPORARY, ".gone-"))
        if ours and relative not in known:
            strays.append(path)
    return tuple(strays)


def _make_folders(folder: Path, made: Unsynced) -> None:
    for part in (folder.parent, folder):
        if not part.is_dir():
            part.mkdir(mode=0o700, exist_ok=True)
            made.folder(part.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
