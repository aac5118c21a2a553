"""Measures the ledger when it is long: one more entry, a proof of one, and what an outsider needs to check it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert

from ...ledger import log as ledger
from ...ledger.verifier import check_proof
from ...models.ledger_entry import Entry
from ...models.tables import Counter
from ..station.ledgers import identity_of, signed_head
from .race import Race, Races, require, seconds
from .room import bench_station

FULL, QUICK = 200_000, 5_000
_AT_ONCE = 5_000
_COUNTER = "bench.log"


def log(folder: Path, quick: bool) -> Races:
    """Milliseconds of one entry in a durable commit of its own, of one proof, and of checking it with the stand-alone
    verifier, in a ledger of 200,000 entries.

    Baseline of the entry: a row of the same registry changed in a durable commit; proof and check have none.
    """
    size = QUICK if quick else FULL
    rounds, note = (3 if quick else 15), f"{size} entries"
    with bench_station(folder) as (station, actor):
        entry = Entry(
            at=station.clock.now(), person=actor.person, account=actor.user, role=None, act="bench.log"
        )
        for _ in range(0, size, _AT_ONCE):
            with station.write() as session:
                station.log_all(session, [entry] * _AT_ONCE)
        with station.write() as session:
            signed_head(station, session)
            session.execute(insert(Counter), [{"name": _COUNTER, "last": 0}])
            identity = identity_of(station, session)
        chosen = random.Random(1)  # noqa: S311 - nothing secret

        def append() -> float:
            def work() -> None:
                with station.write() as session:
                    station.log_all(session, [replace(entry, facts={"n": chosen.randrange(1000)})])

            return 1000 * seconds(work)

        def change() -> float:
            def work() -> None:
                with station.write() as session:
                    session.get_one(Counter, _COUNTER).last += 1

            return 1000 * seconds(work)

        def proof() -> str:
            with station.read() as session:
                value = ledger.proof(session, chosen.randint(1, size), identity)
            return json.dumps(value)

        def check() -> float:
            text = proof()
            return 1000 * seconds(lambda: require(bool(check_proof(text)["ok"]), "log"))

        yield Race(
            name="log.append", unit="ms", against="one row changed, durable COMMIT", product=append, baseline=change,
            rounds=rounds, note=note,
        )  # fmt: skip
        yield Race(
            name="log.proof", unit="ms", against="", product=lambda: 1000 * seconds(proof), baseline=None,
            rounds=rounds, note=note,
        )  # fmt: skip
        yield Race(
            name="log.check", unit="ms", against="", product=check, baseline=None, rounds=rounds, note=note,
        )  # fmt: skip
