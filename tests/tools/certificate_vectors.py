"""Vectors of certificates: every form there is, and what must be refused, each with its reason and with what `pdfsig`
and `openssl cms` can tell of it. Made by `python tests/tools/vectors.py`.

Good ones have the full forms where a form is the point; the others have one empty page, since the data is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pypdf
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from fpdf import FPDF
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from certificate_kit import AT, BURNT, CREW, PLANT, SALT, STORE, TITLES, Case, station
from jiyao.common.clock import iso
from jiyao.ledger import log
from jiyao.ledger.certificate_verifier import check, seal_of
from jiyao.ledger.heads import HeadSigner, LogIdentity
from jiyao.models.certificate import FILE_FACT, BackupFact, ClearTrace, RootFacts, WrittenOff, title_salt
from jiyao.models.ledger_entry import Entry
from jiyao.models.physical import MediumRecord, PhysicalFacts
from jiyao.models.tables import Base
from jiyao.stages import certify as stage
from jiyao.stages.certify_form import Attachment
from jiyao.vault import pki
from jiyao.vault.cms import P256_ORDER
from jiyao.vault.sm2 import Sm2Credential, sign

SEALED_AT = AT + timedelta(minutes=115)
CRUSHED = PhysicalFacts(
    route="designated_plant_escorted", methods=("degauss", "crush"), place="机要室", began=iso(AT),
    ended=iso(AT + timedelta(hours=1)), equipment="样例牌压碎机", equipment_no="样检〔2026〕7号",
    media=(MediumRecord(
        item=1, manufacturer="样例厂", model="M1", serial="SN-00017", media_type="固态盘", source="机要室01号机",
        level_before="机密", sanitization="destroy", verification="visual", destination="残渣送销毁中心",
    ),),
)  # fmt: skip
RESERVED = ("reservation_outside", "reservation_root_unproven")
LOST = WrittenOff(at=iso(AT - timedelta(days=9)), fate="lost", epoch=3, accepted_by=("P03", "P02"))
ROOT = RootFacts(
    kind="file", root_class="R4", mirrors=2, mirrors_done=1, single_root=False, kdf="normal",
    erased="claim_root_away",
)  # fmt: skip
PENDING: dict[str, Any] = {
    "verdict": "pending_key_epoch", "status": "pending_key_epoch", "results": {"V5": ("pending", "mirror_missing")},
    "accepts": ("reservation_mirrors",),
    "record_changes": {
        "root": ROOT, "backups": (BackupFact(id="B1", at=iso(AT), epoch=4, state="pending_key_epoch"),),
    },
}  # fmt: skip


def certificates(folder: Path) -> None:
    """Writes all files and `index.json`: verdict, reasons, and what the outside programs say."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    trust = station().ca.certificate.public_bytes(Encoding.PEM)
    (folder / "ca.pem").write_bytes(trust)
    files = {**_good(), **_persons(), **_content(), **_second()}
    files |= _bytes(files["good.pdf"])
    given: dict[str, dict[str, bytes]] = {
        "good.pdf": {"proof": _proof(files["good.pdf"])},
        "hidden_titles.pdf": {"title": _title(TITLES[1])},
    }
    wrong: list[tuple[str, dict[str, bytes]]] = [
        ("good.pdf", {"proof": _proof(files["paper_plant.pdf"])}), ("hidden_titles.pdf", {"title": _title("别的标题")}),
    ]  # fmt: skip
    rows = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        rows.append(_row(folder, name, data, trust, given.get(name, {}), "given"))
    rows += [_row(folder, name, files[name], trust, extra, "wrong") for name, extra in wrong]
    (folder / "index.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")


def outside(pdf: bytes, trust: bytes) -> dict[str, str]:
    """What `pdfsig` and `openssl cms`, where installed, say of a file's seal: `valid`, `bad`, `none`."""
    said = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "c.pdf").write_bytes(pdf)
        (folder / "ca.pem").write_bytes(trust)
        if shutil.which("pdfsig"):
            told = _run(["pdfsig", "-nocert", "c.pdf"], folder)
            whole = "Signature is Valid" in told and "Total document signed" in told.replace("Not total", "")
            said["pdfsig"] = "valid" if whole else "bad" if "Signature Validation" in told else "none"
        if shutil.which("openssl"):
            said["openssl"] = _openssl(pdf, folder)
    return said


def _openssl(pdf: bytes, folder: Path) -> str:
    """The seal cut out by its /ByteRange, without any library."""
    at = pdf.rfind(b"/ByteRange")
    if at < 0:
        return "none"
    try:
        _, first, second, last = (int(word) for word in pdf[at:].split(b"]")[0].split(b"[")[1].split())
        (folder / "seal.der").write_bytes(bytes.fromhex(pdf[first + 1 : second - 1].decode()))
    except ValueError:
        return "bad"
    (folder / "content").write_bytes(pdf[:first] + pdf[second : second + last])
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in", "seal.der",
               "-content", "content", "-CAfile", "ca.pem", "-attime", str(int(SEALED_AT.timestamp())), "-out", "out",
              ]  # fmt: skip
    return "valid" if "success" in _run(command, folder) else "bad"


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def _row(
    folder: Path, name: str, data: bytes, trust: bytes, extra: dict[str, bytes], how: str
) -> dict[str, Any]:
    row: dict[str, Any] = {"file": name}
    for kind, text in extra.items():
        row[kind] = f"{Path(name).stem}.{kind}.{how}.json"
        (folder / row[kind]).write_bytes(text)
    report = check(data, trust_pem=trust, **extra)
    row |= {key: report[key] for key in ("valid", "intact", "complete", "trusted", "reasons", "sm2")}
    return {**row, **outside(data, trust)}


def _good() -> dict[str, bytes]:
    hidden = Case(items=2, record_changes={"redacted": True}).parts()
    hidden["inventory"] = [dataclasses.replace(line, title="") for line in hidden["inventory"]]
    reserved = Case(
        items=2, verdict="complete_with_reservations", accepts=RESERVED, accepts_by=("approve", "attest"),
        results={"V5": ("not_applicable", "medium_written_off"), "V2": ("pass", "sampled_64_of_900")},
        record_changes={"written_off": (LOST,), "outside_scope": (ClearTrace(item="D20260001", kind="export"),)},
    )  # fmt: skip
    small = tuple(
        (
            act,
            "archivist" if person == "P02" else role,
            {"P06": "P01", "P07": "P02"}.get(person, person),
            minute,
        )
        for act, role, person, minute in CREW
    )
    small = tuple(
        (act, "jiyao_clerk" if (act, person) == ("execute", "P01") else role, person, minute)
        for act, role, person, minute in small
    )
    return {
        "good.pdf": Case(items=2).make().pdf,
        "reservations.pdf": reserved.make().pdf,
        "hidden_titles.pdf": stage.certify(**hidden).pdf,
        "paper_plant.pdf": Case(items=2, kind="carrier", level="机密", physical=PLANT).make().pdf,
        "paper_burnt.pdf": _blank(Case(items=1, kind="carrier", level="绝密", physical=BURNT)),
        "media.pdf": _blank(Case(items=1, kind="medium", level="机密", physical=CRUSHED)),
        "pending_mirrors.pdf": _blank(Case(items=1, **PENDING)),
        "small_room.pdf": _blank(Case(items=1, crew=small, record_changes={"small_room": True})),
    }


def _persons() -> dict[str, bytes]:
    twice = tuple(
        (act, role, "P04" if act in ("supervise", "attest") else person, minute)
        for act, role, person, minute in CREW
    )
    own = station()
    gone = own.people["P04"].certificate.serial_number
    revoked = pki.make_crl(own.ca, at=AT, revoked=[(gone, AT - timedelta(days=1))])
    return {
        "missing_supervisor.pdf": _blank(Case(items=1, drop_statement=5)),
        "same_person_twice.pdf": _blank(Case(items=1, crew=twice)),
        "signed_by_another.pdf": _blank(Case(items=1, signer_for={5: own.people["P04"]})),
        "another_list_signed.pdf": _blank(Case(items=1, signed_list_sha256="0" * 64)),
        "sealed_by_a_person.pdf": _blank(Case(items=1, seal=own.people["P01"])),
        "revoked.pdf": _blank(Case(items=1, station=dataclasses.replace(own, crl=revoked))),
        "foreign.pdf": _blank(Case(items=1, station=station("another"))),
    }


def _content() -> dict[str, bytes]:
    plain = Case(items=1).parts()
    one, other = plain["statements"][4:6]
    swapped = [*plain["statements"]]
    swapped[4] = dataclasses.replace(one, signature=other.signature)
    swapped[5] = dataclasses.replace(other, signature=one.signature)
    pending = {**PENDING, "verdict": "complete_with_reservations", "status": "complete", "results": {}}
    return {
        "swapped_attachments.pdf": _blank(Case(items=1), statements=swapped),
        "swapped_record.pdf": _blank(Case(items=1), record=Case(items=2).parts()["record"]),
        "verdict_too_good.pdf": _blank(Case(items=1, **pending)),
        "reservations_unaccepted.pdf": _blank(
            Case(items=1, verdict="complete_with_reservations", accepts=RESERVED, accepts_by=("approve",))
        ),
        "one_escort.pdf": _blank(
            Case(items=1, kind="carrier", level="机密", physical=dataclasses.replace(PLANT, escorts=("P06",)))
        ),
        "left_behind.pdf": _blank(Case(items=1), record=_left()),
    }


def _second() -> dict[str, bytes]:
    """The room's SM2 signature, and what must be refused of it."""
    own = station()
    key, another, foreign = own.sm2(), own.sm2(), station("another").sm2()
    case = Case(items=1, sm2=key)
    parts = case.parts()
    data = parts["record"].to_bytes()
    bent = bytearray(sign(data, key.private))
    bent[-1] ^= 1
    gone = pki.make_crl(own.ca, at=AT, revoked=[(_serial(key), AT - timedelta(days=1))])

    def attached(signature: bytes | None, certificate: bytes | None) -> list[Attachment]:
        files = {stage.SM2_SIGNATURE: signature, stage.SM2_CERTIFICATE: certificate}
        return [Attachment(name, value, "application/octet-stream") for name, value in files.items() if value]

    def other(signature: bytes | None, certificate: bytes | None, case: Case = case) -> bytes:
        with mock.patch.object(stage, "_second", lambda *_: attached(signature, certificate)):
            return _blank(case, record=parts["record"] if case.sm2 is key else case.parts()["record"])

    signed = sign(data, key.private)
    return {
        "sm2.pdf": Case(items=1, sm2=key).make().pdf,
        "sm2_none.pdf": _blank(Case(items=1, sm2="no_library")),
        "sm2_another_key.pdf": other(sign(data, another.private), key.certificate_der),
        "sm2_flipped.pdf": other(bytes(bent), key.certificate_der),
        "sm2_not_named.pdf": other(sign(data, another.private), another.certificate_der),
        "sm2_foreign.pdf": _blank(Case(items=1, sm2=foreign)),
        "sm2_missing.pdf": other(None, key.certificate_der),
        "sm2_unannounced.pdf": other(signed, key.certificate_der, Case(items=1)),
        "sm2_revoked.pdf": _blank(Case(items=1, sm2=key, station=dataclasses.replace(own, crl=gone))),
    }


def _serial(key: Sm2Credential) -> int:
    return x509.load_der_x509_certificate(key.certificate_der).serial_number


def _left() -> Any:
    record = Case(items=1).parts()["record"]
    left = tuple(dataclasses.replace(one, outcome="left") for one in record.items[0].closure)
    return dataclasses.replace(record, items=(dataclasses.replace(record.items[0], closure=left),))


def _bytes(good: bytes) -> dict[str, bytes]:
    """The good file with bytes changed, cut off, added."""
    signed, (start, end) = seal_of(good)
    raw = bytes.fromhex(good[start + 1 : end - 1].decode())
    size = int.from_bytes(raw[2:4], "big") + 4
    writer = pypdf.PdfWriter(io.BytesIO(good), incremental=True)
    writer.add_metadata({"/Title": "other"})
    added = io.BytesIO()
    writer.write(added)

    def with_seal(value: bytes) -> bytes:
        return good[: start + 1] + value.hex().upper().encode() + good[end - 1 :]

    padded = bytearray(raw)
    padded[size + 40] = 1
    lower = good[: start + 1] + good[start + 1 : end - 1].lower() + good[end - 1 :]
    flipped = bytearray(good)
    flipped[5000] ^= 1
    assert signed.certificate in raw
    return {
        "flipped.pdf": bytes(flipped),
        "cut.pdf": good[: good.index(b"%%EOF") + 6],
        "cut_tail.pdf": good[:-40],
        "appended.pdf": good + b"\n",
        "updated.pdf": added.getvalue(),
        "padding.pdf": with_seal(bytes(padded)),
        "lower_case.pdf": lower,
        "larger_s.pdf": with_seal(_larger_s(raw[:size]).ljust(len(raw), b"\0")),
    }


def _larger_s(cms: bytes) -> bytes:
    """The other signature value that fits as well; numbers of another length would shift lengths, so they are tried."""
    for length in (70, 71, 72):
        tail = cms[-length:]
        if tail[0] == 0x30 and tail[1] == length - 2:
            r, s = decode_dss_signature(tail)
            other = encode_dss_signature(r, P256_ORDER - s)
            grown = len(other) - length
            out = bytearray(cms[:-length] + other)
            _grow(out, len(cms) - length, grown)
            return bytes(out)
    raise AssertionError("no signature value at the end")


def _grow(der: bytearray, at: int, by: int) -> None:
    """Adds to the lengths of every element around the one at `at`."""
    place = 0
    while place < at:
        long = der[place + 1] & 0x80
        head = 2 + (der[place + 1] & 0x7F if long else 0)
        size = int.from_bytes(der[place + 2 : place + head], "big") if long else der[place + 1]
        if place + head + size <= at:
            place += head + size
            continue
        if long:
            der[place + 2 : place + head] = (size + by).to_bytes(head - 2, "big")
        else:
            der[place + 1] = size + by
        place += head


def _proof(pdf: bytes) -> bytes:
    own = station()
    identity = LogIdentity(origin=STORE, certificate=own.ledger.certificate_der)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        facts = {FILE_FACT: hashlib.sha256(pdf).hexdigest()}
        log.append(
            session, Entry(at=SEALED_AT, person=None, account=None, role=None, act="certificate", facts=facts)
        )
        log.append(session, Entry(at=SEALED_AT, person=None, account=None, role=None, act="certificate"))
        log.sign_head(session, HeadSigner(identity=identity, key=own.ledger.key), SEALED_AT)
        found = json.dumps(log.proof(session, 1, identity)).encode()
    engine.dispose()
    return found


def _title(title: str) -> bytes:
    salt = title_salt(SALT, "D20260001").hex()
    return json.dumps(
        {"batch": "XH-2026-001", "item": 1, "salt": salt, "title": title}, ensure_ascii=False
    ).encode()


def _page(*, attachments: Sequence[Attachment], at: datetime, **_: object) -> bytes:
    form = FPDF()
    form.add_page()
    for item in attachments:
        form.embed_file(bytes=item.data, basename=item.name, modification_date=at, creation_date=at)
    return bytes(form.output())


def _blank(case: Case, **changed: Any) -> bytes:
    """The file with an empty page in place of the forms, also where it does not verify and would never be issued."""
    kept: list[bytes] = []
    real: Callable[..., Any] = stage.verify

    def passing(pdf: bytes, **_: object) -> Any:
        kept.append(pdf)
        return dataclasses.replace(real(pdf), valid=True, trusted=True)

    with mock.patch.object(stage, "verify", passing), mock.patch.object(stage, "draw", _page):
        stage.certify(**{**case.parts(), **changed})
    return kept[0]
