"""Measures the vault: sealing and opening bytes, and what it costs to destroy one key of many."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete

from ...models.tables import Counter
from ..station.registry import writing
from ..station.station import Station
from .race import Race, Races, require, seconds
from .room import bench_station

_KEYS = (1_000, 10_000)
_MEGABYTE = 1_000_000
_AREA = "bench"


def seal(folder: Path, quick: bool) -> Races:
    """MB (10⁶ bytes) a second put into a new sealed file, durably, and got back whole.

    Baseline: `AESGCM` of `cryptography` encrypts the same bytes in one call in memory and decrypts them in another.
    """
    data = secrets.token_bytes((8 if quick else 64) * 1024 * 1024)
    bare = AESGCM(AESGCM.generate_key(bit_length=256))
    with bench_station(folder) as (station, _):
        with station.write() as session:
            slot = station.vault.new_slot(session)

        def product() -> float:
            paths: list[str] = []

            def work() -> None:
                with station.write() as session:
                    paths.append(station.vault.put(session, slot, "original", data, area=_AREA).path)
                with station.read() as session:
                    require(station.vault.get(session, slot, paths[0], kind="original") == data, "seal")

            took = seconds(work)
            station.vault.erase_blob(paths[0])
            return len(data) / took / _MEGABYTE

        def baseline() -> float:
            nonce = secrets.token_bytes(12)
            took = seconds(lambda: bare.decrypt(nonce, bare.encrypt(nonce, data, None), None))
            return len(data) / took / _MEGABYTE

        yield Race(
            name="seal", unit="MB/s", against="cryptography AESGCM, one call in memory", product=product,
            baseline=baseline, rounds=3 if quick else 5, note=f"{len(data) // 1024**2} MiB, put and get",
        )  # fmt: skip


def destroy(folder: Path, quick: bool) -> Races:
    """Milliseconds in which one key of many dies: stage the next root, rewrite, check, erase the former root.

    The approvals, files and verification of a destruction are not in it. Baseline: one row is deleted from the same
    registry, durably committed; that leaves the row's bytes in every older copy of the file.
    """
    rounds = 3 if quick else 9
    with bench_station(folder) as (station, _):
        names = [f"bench.{number}" for number in range(len(_KEYS) * rounds)]
        with station.write() as session:
            session.add_all(Counter(name=name, last=0) for name in names)
        slots: list[str] = []
        made = 0
        for keys in _KEYS:
            with station.write() as session:
                slots += station.vault.new_slots(session, keys - made)
            made = keys
            yield Race(
                name=f"destroy.{keys}", unit="ms", against="SQLite DELETE of one row, durable COMMIT",
                product=partial(_destroy_key, station, slots), baseline=partial(_delete_row, station, names),
                rounds=rounds, note=f"{keys} keys",
            )  # fmt: skip


def _destroy_key(station: Station, slots: list[str]) -> float:
    slot, vault = slots.pop(), station.vault

    def work() -> None:
        with vault.rotating():
            with station.read() as session:
                vault.stage_root(session)
            with station.write() as session:
                rewritten = vault.rewrite(session, [slot])
            with station.read() as session:
                vault.check(session, rewritten)
                require(vault.erase_old_root(session).complete, "destroy")

    return seconds(work) * 1000


def _delete_row(station: Station, names: list[str]) -> float:
    name = names.pop()

    def work() -> None:
        with writing(station.engine) as session:
            session.execute(delete(Counter).where(Counter.name == name))

    return seconds(work) * 1000
