#!/usr/bin/env python3
"""Stand-alone verifier of exported ledgers and ledger proofs (docs/spec/ledger.md).

    python verifier.py ledger EXPORT.jsonl [--origin UUID] [--trust CA.pem] [--head SIZE:ROOT ...]
    python verifier.py ledger SEGMENT1.jsonl SEGMENT2.jsonl EXPORT.jsonl
    python verifier.py proof PROOF.json [--origin UUID] [--trust CA.pem]
    python verifier.py consistency PROOF.json [--slip "CODE OF A CHECKPOINT SLIP"]

One file; needs Python 3.11 and `cryptography`; no station, no network. Prints one JSON value; exit 0 when it
holds, 7 when not, 2 for wrong usage. `--head` and `--slip` give a head that was printed or kept elsewhere: the only
defence against a log rewritten as a whole. Without `--trust` the heads' signer is whoever the file says.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError,
    InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion,
)  # fmt: skip


def check_export(
    lines: Iterable[str],
    *,
    origin: str | None = None,
    trust_pem: bytes | None = None,
    known: Iterable[tuple[int, str]] = (),
) -> dict[str, Any]:
    """Verdict on an export: `ok, entries, root, first_bad, heads, trusted, reasons`."""
    report: dict[str, Any] = {"ok": False, "entries": 0, "root": None, "first_bad": None, "heads": 0}
    reasons: list[str] = []
    bad: list[int] = []
    try:
        reading = iter(lines)
        header = _line(next(reading, ""))
        if header["format"] != "jiyao.ledger_export" or header["version"] != 1:
            raise ValueError("format")
        since, size = int(header["since"]), int(header["size"])
        base = [bytes.fromhex(item) for item in header["base"]]
        stack = list(zip(_peaks(min(since - 1, size)), base, strict=True))
        signer = base64.b64decode(header["certificate"], validate=True)
        named, last = str(header["origin"]), str(header["root"])
    except _UNREADABLE:
        return {**report, "trusted": None, "reasons": ["header"]}
    if origin not in (None, named):
        reasons.append("other_log")
    roots = {min(since - 1, size): _fold([item for _, item in stack])}
    count = min(since - 1, size)
    heads: list[dict[str, Any]] = []
    for text in reading:
        try:
            value = _line(text)
            if "head" in value:
                heads.append(value["head"])
                continue
            leaf = value["leaf"].encode()
            entry = json.loads(leaf)
            if value["seq"] != count + 1 or entry["seq"] != count + 1 or canonical(entry) != leaf:
                raise ValueError("number")
        except _UNREADABLE:
            bad.append(count + 1)
            reasons.append("entry")
            break
        count += 1
        stack = _push(stack, hashlib.sha256(b"\x00" + leaf).digest())
        roots[count] = _fold([item for _, item in stack])
    if not reasons and (count != size or roots[count].hex() != last):
        bad.append(count + 1 if count != size else since)
        reasons.append("root")
    covered = since - 1
    for head in sorted(heads, key=_size):
        try:
            at = int(head["size"])
            _check_head(head, named, signer)
            good = at not in roots or roots[at].hex() == head["root"]
        except _UNREADABLE:
            reasons.append("head")
            bad.append(min(max(_size(head), 1), count + 1))
            continue
        if not good or at > count:
            reasons.append("head_root")
            bad.append(min(covered, count) + 1)
        elif at >= since:
            covered = at
    for at, root in known:
        if at > count or (at in roots and roots[at].hex() != root):
            reasons.append("known_head")
            bad.append(min(at, count + 1))
    trusted = None if trust_pem is None else _trusted(signer, trust_pem, named)
    if trusted is False:
        reasons.append("foreign")
    return {
        "ok": not reasons,
        "entries": count,
        "root": roots[count].hex(),
        "first_bad": min(bad, default=None),
        "heads": len(heads),
        "trusted": trusted,
        "reasons": list(dict.fromkeys(reasons)),
    }


def check_proof(text: str, *, origin: str | None = None, trust_pem: bytes | None = None) -> dict[str, Any]:
    """Verdict on a proof: `ok, seq, entry, size, root, signed, trusted, reasons`."""
    reasons: list[str] = []
    try:
        value = json.loads(text)
        leaf, head, seq = value["leaf"].encode(), value["head"], int(value["seq"])
        entry = json.loads(leaf)
        if value["format"] != "jiyao.ledger_proof" or value["version"] != 1 or entry["seq"] != seq:
            raise ValueError("format")
        path = [bytes.fromhex(step) for step in value["path"]]
        signer = base64.b64decode(value["certificate"], validate=True)
        reached = _root_of_path(seq - 1, int(head["size"]), hashlib.sha256(b"\x00" + leaf).digest(), path)
        root = str(head["root"])
    except _UNREADABLE:
        return {"ok": False, "reasons": ["unreadable"]}
    if reached is None or reached.hex() != root:
        reasons.append("path")
    if origin not in (None, value["origin"]):
        reasons.append("other_log")
    signed = head["signature"] is not None
    if not signed:
        reasons.append("unsigned")
    else:
        try:
            _check_head(head, value["origin"], signer)
        except _UNREADABLE:
            reasons.append("head")
    trusted = None if trust_pem is None else _trusted(signer, trust_pem, value["origin"])
    if trusted is False:
        reasons.append("foreign")
    found = {"seq": seq, "entry": entry, "size": head["size"], "root": root}
    return {"ok": not reasons, **found, "signed": signed, "trusted": trusted, "reasons": reasons}


def check_segments(
    files: Iterable[Iterable[str]], *, origin: str | None = None, trust_pem: bytes | None = None,
    known: Iterable[tuple[int, str]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Verdict on a log in several files, the oldest first: each holds, and each goes on where the one before ended.

    `ok, entries, root, files, reasons`; `files` are the verdicts of each.
    """
    known = tuple(known)
    reports: list[dict[str, Any]] = []
    reasons: list[str] = []
    reached, named = (0, _fold([]).hex()), origin
    for lines in files:
        kept = list(lines)
        report = check_export(kept, origin=named, trust_pem=trust_pem)
        try:
            header = _line(kept[0])
            size = int(header["since"]) - 1
            base = _fold([bytes.fromhex(item) for item in header["base"]]).hex()
            named = str(header["origin"])
        except _UNREADABLE:
            size, base = -1, ""
        if (size, base) != reached:
            reasons.append("not_continued")
        reports.append(report)
        reasons += report["reasons"]
        reached = (int(report["entries"]), str(report["root"]))
        roots = {int(head["size"]): head["root"] for head in _heads(kept)} | {reached[0]: reached[1]}
        reasons += ["known_head" for at, root in known if roots.get(at, root) != root]
    reasons += ["known_head" for at, _ in known if at > reached[0]]
    reasons = list(dict.fromkeys(reasons))
    return {
        "ok": not reasons,
        "entries": reached[0],
        "root": reached[1],
        "files": reports,
        "reasons": reasons,
    }


def _heads(lines: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for text in lines:
        try:
            value = _line(text)
            if "head" in value and isinstance(value["head"]["size"], int):
                found.append(value["head"])
        except _UNREADABLE:
            continue
    return found


def check_consistency(
    text: str, *, origin: str | None = None, trust_pem: bytes | None = None,
    known: Iterable[tuple[int, str]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Verdict on a consistency proof between two heads: `ok, old, new, signed, trusted, reasons`."""
    reasons: list[str] = []
    try:
        value = json.loads(text)
        if value["format"] != "jiyao.ledger_consistency" or value["version"] != 1:
            raise ValueError("format")
        old, new = value["old"], value["new"]
        sizes = int(old["size"]), int(new["size"])
        roots = bytes.fromhex(old["root"]), bytes.fromhex(new["root"])
        path = [bytes.fromhex(step) for step in value["path"]]
        signer = base64.b64decode(value["certificate"], validate=True)
    except _UNREADABLE:
        return {"ok": False, "reasons": ["unreadable"]}
    if not _consistent(*sizes, *roots, path):
        reasons.append("path")
    if origin not in (None, value["origin"]):
        reasons.append("other_log")
    signed = True
    for head in (old, new):
        if head.get("signature") is None:
            signed = False
            continue
        try:
            _check_head(head, value["origin"], signer)
        except _UNREADABLE:
            reasons.append("head")
    shown = dict(zip(sizes, (root.hex() for root in roots), strict=True))
    if any(shown.get(at, root) != root for at, root in known):
        reasons.append("known_head")
    trusted = None if trust_pem is None else _trusted(signer, trust_pem, value["origin"])
    if trusted is False:
        reasons.append("foreign")
    return {
        "ok": not reasons, "old": sizes[0], "new": sizes[1], "signed": signed, "trusted": trusted,
        "reasons": list(dict.fromkeys(reasons)),
    }  # fmt: skip


def _consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """RFC 6962, 2.1.2, checked by the definition: both roots are folded from the same subtrees."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and old_root == (new_root if old == new else hashlib.sha256().digest())
    steps = [*path][::-1]

    def fold(first: int, size: int, whole: bool) -> tuple[bytes, bytes]:
        """Roots of the older and the newer tree over `size` leaves, of which `first` are in the older."""
        if first == size:
            return (old_root, old_root) if whole else (steps[-1], steps.pop())
        half = 1 << (size - 1).bit_length() - 1
        if first <= half:
            right = steps.pop(0)
            below = fold(first, half, whole)
            return below[0], _node(below[1], right)
        left = steps.pop(0)
        below = fold(first - half, size - half, False)
        return _node(left, below[0]), _node(left, below[1])

    try:
        return fold(old, new, True) == (old_root, new_root) and not steps
    except IndexError:
        return False


def read_slip(text: str) -> dict[str, Any]:
    """What the code of a checkpoint slip says: `origin, size, root, at, signature_sha256`.

    Raises:
        ValueError: it is none.
    """
    kind, origin, size, root, at, signature = text.strip().split("|")
    if kind != "JYHEAD1" or len(bytes.fromhex(root)) != 32 or len(bytes.fromhex(signature)) != 32:
        raise ValueError("no slip")
    return {"origin": origin, "size": int(size), "root": root, "at": at, "signature_sha256": signature}


def canonical(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no blanks."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _line(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict) or canonical(value).decode() != text.rstrip("\n"):
        raise ValueError("not canonical")
    return value


def _check_head(head: dict[str, Any], origin: str, certificate: bytes) -> None:
    body = {key: head[key] for key in ("at", "root", "size")}
    shown = canonical({**body, "format": "jiyao.ledger_head", "origin": origin, "version": 1})
    key: Any = x509.load_der_x509_certificate(certificate).public_key()
    datetime.fromisoformat(head["at"])
    key.verify(base64.b64decode(head["signature"], validate=True), shown, ec.ECDSA(hashes.SHA256()))


def _trusted(certificate: bytes, trust_pem: bytes, origin: object) -> bool:
    """Issued by the authority, and to the log itself: a person's certificate signs no heads."""
    try:
        anchor = x509.load_pem_x509_certificate(trust_pem)
        signer = x509.load_der_x509_certificate(certificate)
        signer.verify_directly_issued_by(anchor)
        names = [name.value for name in signer.subject.get_attributes_for_oid(NameOID.USER_ID)]
    except _UNREADABLE:
        return False
    return names == [origin]


def _size(head: object) -> int:
    found = head.get("size") if isinstance(head, dict) else None
    return found if isinstance(found, int) else 0


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _peaks(size: int) -> list[int]:
    """Levels of the complete subtrees, from the left."""
    return [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def _push(stack: list[tuple[int, bytes]], leaf: bytes) -> list[tuple[int, bytes]]:
    level, current, rest = 0, leaf, list(stack)
    while rest and rest[-1][0] == level:
        current = _node(rest.pop()[1], current)
        level += 1
    return [*rest, (level, current)]


def _fold(peaks: list[bytes]) -> bytes:
    if not peaks:
        return hashlib.sha256().digest()
    current = peaks[-1]
    for left in reversed(peaks[:-1]):
        current = _node(left, current)
    return current


def _root_of_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes | None:
    if not 0 <= index < size:
        return None
    here, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            current = _node(sibling, current)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            current = _node(current, sibling)
        here, last = here >> 1, last >> 1
    return current if last == 0 else None


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify an exported ledger or a ledger proof.")
    parser.add_argument("what", choices=("ledger", "proof", "consistency"))
    parser.add_argument("file", type=Path, nargs="+", help="of a ledger in segments: the oldest first")
    parser.add_argument("--origin", help="the station's store uuid")
    parser.add_argument("--trust", type=Path, help="the station's authority (PEM)")
    parser.add_argument("--head", action="append", default=[], help="SIZE:ROOT of a head kept elsewhere")
    parser.add_argument(
        "--slip", action="append", default=[], help="the code of a checkpoint slip kept elsewhere"
    )
    options = parser.parse_args(arguments)
    slips = [read_slip(text) for text in options.slip]
    known = [(int(size), root) for size, _, root in (text.partition(":") for text in options.head)]
    known += [(slip["size"], slip["root"]) for slip in slips]
    origins = {slip["origin"] for slip in slips} | ({options.origin} - {None})
    given: dict[str, Any] = {
        "origin": next(iter(origins), None),
        "trust_pem": options.trust.read_bytes() if options.trust else None,
    }
    if len(origins) > 1:
        report: dict[str, Any] = {"ok": False, "reasons": ["other_log"]}
    elif options.what == "proof":
        report = check_proof(options.file[0].read_text("utf-8"), **given)
    elif options.what == "consistency":
        report = check_consistency(options.file[0].read_text("utf-8"), **given, known=known)
    elif len(options.file) > 1:
        files = ([*path.open(encoding="utf-8", newline="\n")] for path in options.file)
        report = check_segments(files, **given, known=known)
    else:
        with options.file[0].open(encoding="utf-8", newline="\n") as lines:
            report = check_export(lines, **given, known=known)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return 0 if report["ok"] else 7


if __name__ == "__main__":
    sys.exit(main())
