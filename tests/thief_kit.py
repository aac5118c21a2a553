"""The thief of the threat model: every copy of the home that was ever made, today's roots, the passphrase, and a reader
written from the specifications alone (tests/vault_reader.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path

import vault_reader
from room_kit import PASSPHRASE, Room


def spied(homes: Iterable[Path], root_files: Iterable[Path]) -> set[bytes]:
    """Everything that opens, by the specifications alone: each key store found under each root key, each blob."""
    values, pages, blobs = set(), set(), set()
    for home in homes:
        with closing(sqlite3.connect(f"file:{home / 'registry.db'}?mode=ro", uri=True)) as database:
            values |= {row[0] for row in database.execute("SELECT sealed FROM key_store")}
            pages |= set(database.execute("SELECT place, epoch, sealed FROM key_pages"))
        blobs |= {path.read_bytes() for path in (home / "blobs").rglob("*.jyb")}
    keys: set[bytes] = set()
    for root in {key for file in root_files for key in _read_root(file.read_bytes()).values()}:
        for value in values:
            try:
                keys |= {key for _, key in vault_reader.read_key_tree(value, pages, root, PASSPHRASE)}
            except vault_reader.Unreadable:
                continue
    texts = set()
    for sealed in blobs:
        for key in keys:
            try:
                texts.add(vault_reader.read_blob(sealed, key))
                break
            except vault_reader.Unreadable:
                continue
    return texts


_read_root = cache(vault_reader.read_root)


def root_files(room: Room) -> list[Path]:
    return [next(folder.iterdir()) for folder in room.roots]
