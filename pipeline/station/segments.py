"""Old entries of the ledger leave for the archive, by two persons: one writes the segment, another releases it.

Its file is an export like any other, checked by the stand-alone verifier; what remains verifies too, and both together
are the whole log (ledger/segments.py).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ...common.errors import NotThere, Refused
from ...common.files import write_new
from ...common.limits import DEFAULT_LIMITS
from ...ledger import log, segments
from ..intake.inbox import Unreadable, read_file
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from .ledgers import identity_of, signed_head
from .station import Station


def write(station: Station, actor: Actor, *, until: int, out: Path) -> dict[str, Any]:
    """Writes the entries behind the last segment up to one of them.

    Raises:
        Refused: `segment_not_newest`; the file exists.
    """
    with acting(station, actor, segments.WRITTEN) as session:
        newest = log.newest_head(session) or signed_head(station, session)
        first = segments.departed(session) + 1
        if not first <= until <= newest.size:
            raise Refused("segment_not_newest", first=first, most=newest.size)
        lines = log.export(session, identity_of(station, session), first, until)
        data = "".join(f"{line}\n" for line in lines).encode()
        digest = write_new(out, data)
        station.log(
            session, segments.WRITTEN, person=actor.person, account=actor.user,
            facts={"first": first, "last": until, "sha256": digest},
        )  # fmt: skip
    return {"file": str(out), "sha256": digest, "first": first, "last": until}


def release(station: Station, actor: Actor, *, file: Path) -> dict[str, Any]:
    """Another person than who wrote it compares the file with the log, hash by hash; then the texts leave.

    Raises:
        NotThere: the file cannot be read. Refused: `segment_unknown`, `same_person_twice`.
    """
    try:
        data = read_file(file, DEFAULT_LIMITS.file_bytes)
    except Unreadable:
        raise NotThere("no_file", file=str(file)) from None
    digest = hashlib.sha256(data).hexdigest()
    with acting(station, actor, segments.RELEASED) as session:
        begins = segments.departed(session) + 1
        found = next(
            (one for one in segments.written(session) if one.sha256 == digest and one.first == begins),
            None,
        )
        if found is None or not segments.same(session, _entries(data), found):
            raise Refused("segment_unknown")
        roles = four_eyes.acts("ledger")
        wrote = [(str(found.person), roles)]
        four_eyes.apart(session, actor.person, roles, wrote, since=station.now())
        gone = len(segments.leaving(session, found))
        station.log(
            session, segments.RELEASED, person=actor.person, account=actor.user,
            facts={"first": found.first, "last": found.last, "sha256": digest, "gone": gone},
        )  # fmt: skip
        segments.release(session, found)
        signed_head(station, session)
    return {"first": found.first, "last": found.last, "sha256": digest, "gone": gone}


def _entries(data: bytes) -> dict[int, bytes]:
    found = {}
    for line in data.splitlines():
        value = json.loads(line)
        if "leaf" in value:
            found[int(value["seq"])] = value["leaf"].encode()
    return found
