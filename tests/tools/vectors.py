"""Makes the test vectors of ledger and certificate anew: `python tests/tools/vectors.py`.

Keys are made for the occasion and thrown away, so the files differ from run to run; the verdicts do not.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from certificate_kit import AT, STORE, station  # noqa: E402
from certificate_vectors import certificates  # noqa: E402
from jiyao.ledger import log, verifier  # noqa: E402
from jiyao.ledger.heads import HeadSigner, LogIdentity  # noqa: E402
from jiyao.models.ledger_entry import Entry  # noqa: E402
from jiyao.models.tables import Base  # noqa: E402
from sm2_vectors import signatures  # noqa: E402

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def ledgers() -> None:
    """An export and a proof, good and bent."""
    folder = VECTORS / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    own = station()
    identity = LogIdentity(origin=STORE, certificate=own.ledger.certificate_der)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(1, 8):
            entry = Entry(
                at=AT,
                person="P01",
                account="clerk",
                role="jiyao_clerk",
                act="ingest",
                objects=(f"D{number}",),
            )
            log.append(session, entry)
            if number in (3, 7):
                log.sign_head(session, HeadSigner(identity=identity, key=own.ledger.key), AT)
        lines, later = list(log.export(session, identity)), list(log.export(session, identity, 5))
        proof = json.dumps(log.proof(session, 4, identity))
    engine.dispose()
    files = {
        "good.jsonl": lines,
        "since5.jsonl": later,
        "changed_entry.jsonl": [line.replace("D2", "D9") for line in lines],
        "dropped_entry.jsonl": [line for line in lines if '"seq":2}' not in line],
        "cut_tail.jsonl": [line for line in lines if '"seq":7}' not in line],
        "proof_good.json": [proof],
        "proof_other_entry.json": [proof.replace("D4", "D5")],
    }
    trust = own.ca.certificate.public_bytes(Encoding.PEM)
    cases = []
    for name, text in files.items():
        (folder / name).write_text("".join(line + "\n" for line in text), "utf-8")
        what = "proof" if name.startswith("proof") else "ledger"
        if what == "proof":
            report = verifier.check_proof(text[0], trust_pem=trust)
        else:
            report = verifier.check_export(text, trust_pem=trust)
        cases.append({"file": name, "what": what, "ok": report["ok"], "reasons": report["reasons"]})
    listed = {"ca_pem": base64.b64encode(trust).decode(), "cases": cases}
    (folder / "index.json").write_text(json.dumps(listed, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    signatures(VECTORS / "sm2.json")
    certificates(VECTORS / "certificate")
    ledgers()
