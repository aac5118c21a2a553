"""The station's ledger for those who check it: verify, head, proof, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.orm import Session

from ...common.errors import Broken, UsageFault
from ...common.files import digest_of, new_file
from ...ledger import log
from ...ledger.heads import HeadSigner, LogIdentity, TreeHead
from ...ledger.verify import verify
from . import authority
from .station import Station


def identity_of(station: Station, session: Session) -> LogIdentity:
    """Who this log is: the store, and the certificate its heads are signed with."""
    certificate = authority.certificate(session, "ledger").public_bytes(Encoding.DER)
    return LogIdentity(origin=station.settings.store_uuid, certificate=certificate)


def signed_head(station: Station, session: Session) -> TreeHead:
    """A head over everything so far, signed and kept."""
    signer = HeadSigner(
        identity=identity_of(station, session), key=authority.credential(station, session, "ledger").key
    )
    return log.sign_head(session, signer, station.clock.now())


def verify_log(station: Station) -> dict[str, Any]:
    """Recomputes the whole log.

    Raises:
        Broken: it does not verify; the value says where.
    """
    with station.read() as session:
        report = verify(session, identity_of(station, session))
    value = {
        "ok": report.ok,
        "entries": report.entries,
        "root": report.root.hex(),
        "first_bad": report.first_bad,
        "heads": report.heads,
        "unsigned": report.unsigned,
        "flaws": [{"part": flaw.part, "seq": flaw.seq, "code": flaw.code} for flaw in report.flaws[:100]],
    }
    if not report.ok:
        raise Broken(
            "ledger_broken", value=value, seq=report.first_bad if report.first_bad is not None else "-"
        )
    return value


def head(station: Station) -> dict[str, Any]:
    """A fresh signed head: print it, keep it elsewhere."""
    with station.write() as session:
        made = signed_head(station, session)
    return {
        "ok": True,
        "entries": made.size,
        "root": made.root.hex(),
        "first_bad": None,
        "at": made.at,
        "signature": (made.signature or b"").hex(),
    }


def proof(station: Station, *, seq: int) -> dict[str, Any]:
    """The proof that an entry is in the log.

    Raises:
        NotThere: no such entry.
    """
    with station.write() as session:
        made = signed_head(station, session)
        value = log.proof(session, seq, identity_of(station, session))
    return {"ok": True, "entries": made.size, "root": made.root.hex(), "first_bad": None, **value}


def export(station: Station, *, out: Path, since: int = 1) -> dict[str, Any]:
    """Writes the log as JSON lines, with its heads, for the stand-alone verifier."""
    with station.write() as session:
        made = signed_head(station, session)
    lines = 0
    # line by line, and without keeping others from writing: a ledger may have millions
    with new_file(out) as file, station.read() as session:
        for line in log.export(session, identity_of(station, session), since):
            file.write((line if line.endswith("\n") else line + "\n").encode())
            lines += 1
    return {
        "ok": True, "entries": made.size, "root": made.root.hex(), "first_bad": None, "file": str(out),
        "sha256": digest_of(out), "lines": lines,
    }  # fmt: skip


def consistency(station: Station, *, old: int, new: int | None = None) -> dict[str, Any]:
    """The proof that the log of an earlier head is the beginning of that of a later one (of now, when none is named).

    Raises:
        NotThere: fewer entries. UsageFault: the earlier one is the larger.
    """
    with station.write() as session:
        made = signed_head(station, session)
        later = made.size if new is None else new
        if not 0 <= old <= later:
            raise UsageFault("ledger_sizes", old=old, new=later)
        value = log.consistency_proof(session, old, later, identity_of(station, session))
    return {"ok": True, "entries": made.size, "root": made.root.hex(), "first_bad": None, **value}


def proof_file(station: Station, session: Session, seq: int) -> bytes:
    """A proof as a file, as `certificate verify --proof` reads it."""
    signed_head(station, session)
    return json.dumps(log.proof(session, seq, identity_of(station, session)), ensure_ascii=False).encode()
