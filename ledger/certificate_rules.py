"""What a certificate of destruction has to say to be complete: rules over its data, without cryptography.

Part of the stand-alone verifier (`certificate_verifier.py`): both files lie in one folder and need nothing else of
this program. Each rule gives the codes of docs/spec/certificate.md; a value of another shape raises one of the
ordinary exceptions, which the verifier calls `cert_record_wrong`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from datetime import datetime
from typing import Any

ACTS = ("propose", "count", "approve", "supervise", "execute", "attest")
_ROOM = frozenset({"jiyao_clerk", "scan_operator", "archivist"})
_LEADERS = frozenset({"office_director", "leader_in_charge", "principal", "principal_delegate", "determiner"})
_OPERATOR, _SUPERVISOR = frozenset({"destroy_operator"}), frozenset({"destroy_supervisor"})
_ROLES = dict(zip(ACTS, (_ROOM, _ROOM, _LEADERS, _SUPERVISOR, _OPERATOR, _SUPERVISOR), strict=True))
_LEAST = dict(zip(ACTS, (0, 2, 1, 2, 2, 2), strict=True))
_CLOSURE = frozenset({
    "original", "pages", "text", "fields", "copies", "index", "passages", "search", "thumbnails", "features", "tags",
    "links", "queue", "scratch", "logs", "models",
})  # fmt: skip
_PHYSICAL = frozenset({"carrier", "medium"})
_SOFT = frozenset({"overwrite", "delete_only"})


def canonical(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no blanks."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(value: object) -> str:
    """SHA-256 of the canonical form, hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def outcomes_digest(record: dict[str, Any]) -> str:
    """What supervisors attest: checks, items, verdict; for paper and media also what was done."""
    names = ("checks", "items", "verdict", *(("physical",) if record.get("physical") is not None else ()))
    return digest({name: record[name] for name in names})


def of_record(record: dict[str, Any], sealed_at: datetime) -> list[str]:
    """List, times, checks, closure and verdict agree."""
    wrong: list[str] = []
    listed = record["list"]["items"] if isinstance(record["list"], dict) else record["list"]
    if digest(record["list"]) != record["list_sha256"]:
        wrong.append("cert_list_digest")
    lines = [
        [(line["item"], line["kind"], line["id"]) for line in rows] for rows in (listed, record["items"])
    ]
    if lines[0] != lines[1] or not listed:
        wrong.append("cert_items_differ")
    if datetime.fromisoformat(record["issued_at"]) != sealed_at:
        wrong.append("cert_time")
    checks = record["checks"]
    if [entry["name"] for entry in checks] != [f"V{number}" for number in range(1, 8)]:
        wrong.append("cert_checks")
    every = [*checks, *(entry for item in record["items"] for entry in item["checks"])]
    results = {entry["result"] for entry in every}
    statuses = {item["status"] for item in record["items"]}
    verdict = record["verdict"]
    if ("fail" in results or "failed" in statuses) and verdict != "failed":
        wrong.append("cert_verdict")
    unsettled = "pending" in results or statuses != {"complete"} or record["outside_scope"]
    if verdict == "complete" and (unsettled or record.get("reservations")):
        wrong.append("cert_verdict")
    if any(entry["result"] != "pass" and not entry["reason"] for entry in every):
        wrong.append("cert_checks")
    return wrong + _closure(record)


def _closure(record: dict[str, Any]) -> list[str]:
    for item in record["items"]:
        kinds = [entry["kind"] for entry in item.get("closure", ())]
        if kinds and (set(kinds) != _CLOSURE or len(kinds) != len(_CLOSURE)):
            return ["cert_closure"]
        if any(entry["outcome"] == "left" for entry in item.get("closure", ())) and (
            record["verdict"] != "failed"
        ):
            return ["cert_verdict"]
    return []


def of_persons(signed: list[dict[str, Any]], *, small_room: bool, approval_first: bool = False) -> list[str]:
    """The four-eyes rules (roles.md section 2; the contract of the destroy commands).

    `approval_first`: count and approval stand in either order, both before the supervision.

    Raises:
        KeyError: an act that there is not.
    """
    wrong: list[str] = []
    by: dict[str, list[str]] = {act: [] for act in ACTS}
    times: dict[str, list[datetime]] = {act: [] for act in ACTS}
    for entry in signed:
        allowed = _ROLES[entry["act"]]
        if small_room and entry["act"] == "execute":
            allowed = allowed | _ROOM
        if entry["role"] not in allowed:
            wrong.append("cert_role")
        by[entry["act"]].append(entry["person"])
        times[entry["act"]].append(datetime.fromisoformat(entry["at"]))
    if any(len(by[act]) < least for act, least in _LEAST.items()):
        wrong.append("cert_statement_missing")
    apart = [set(by["approve"]), set(by["execute"]), set(by["supervise"])]
    same = any(len(set(people)) != len(people) for people in by.values())
    same |= any(one & other for one, other in itertools.combinations(apart, 2))
    same |= bool(set(by["propose"]) & apart[0]) or (not small_room and bool(set(by["count"]) & apart[1]))
    if same:
        wrong.append("cert_same_person")
    if set(by["attest"]) != apart[2]:
        wrong.append("cert_supervisors")
    if approval_first:
        times["approve"] += times.pop("count")
    order = [times[act] for act in ACTS if times.get(act)]
    if any(max(before) > min(after) for before, after in itertools.pairwise(order)):
        wrong.append("cert_order")
    return wrong


def of_reservations(record: dict[str, Any], statements: list[dict[str, Any]]) -> list[str]:
    """A certificate with reservations names each, and the persons who accepted it signed that they do."""
    if "reservations" not in record:
        return []
    accepted = {
        (code, f"{statement['act']}:{statement['person']}")
        for statement in statements
        for code in statement.get("accepts", ())
    }
    supervisors = {f"attest:{one['person']}" for one in statements if one["act"] == "attest"}
    named = [entry["code"] for entry in record["reservations"]]
    wrong = record["verdict"] == "complete_with_reservations" and not named
    for entry in record["reservations"]:
        by = set(entry["accepted_by"])
        wrong |= not supervisors <= by or any((entry["code"], one) not in accepted for one in by)
    return ["cert_reservations"] if wrong or len(set(named)) != len(named) else []


def of_physical(record: dict[str, Any], statements: list[dict[str, Any]]) -> list[str]:
    """Paper and media: what was done is signed by the operators, and by the route that was taken."""
    kinds = {item["kind"] for item in record["items"]}
    facts = record.get("physical")
    if facts is None:
        return ["cert_physical"] if kinds & _PHYSICAL else []
    wrong = bool(kinds - _PHYSICAL)
    signed = digest(facts)
    wrong |= any(one["outcomes_sha256"] != signed for one in statements if one["act"] == "execute")
    methods, plant = set(facts["methods"]), facts["plant"]
    wrong |= not methods or (methods <= _SOFT and any(item["level"] != "内部" for item in record["items"]))
    if facts["route"] == "in_house_burn" and "carrier" in kinds:
        wrong |= methods != {"burn"} or bool(plant) or not facts["performed_by"]
    if facts["route"] == "designated_plant_escorted" and not facts["small_amount"] and "carrier" in kinds:
        needed = ("plant", "plant_receipt", "way", "seal_no", "departed", "arrived")
        wrong |= len(set(facts["escorts"])) < 2 or not all(facts[name] for name in needed)
    media = {item["item"] for item in record["items"] if item["kind"] == "medium"}
    wrong |= not media <= {entry["item"] for entry in facts["media"]}
    return ["cert_physical"] if wrong else []


def opening(record: dict[str, Any], opened: dict[str, Any]) -> list[str]:
    """Whether a title and salt, given apart, are those that a line of the list commits to."""
    listed = record["list"]["items"] if isinstance(record["list"], dict) else record["list"]
    line = next((one for one in listed if one["item"] == opened["item"]), None)
    salt = bytes.fromhex(opened["salt"])
    said = hmac.new(salt, opened["title"].encode(), hashlib.sha256).hexdigest()
    if line is None or opened["batch"] != record["batch"] or not line.get("title_commitment"):
        return ["cert_title_other"]
    same = hmac.compare_digest(said, str(line["title_commitment"])) and len(salt) >= 16
    return [] if same else ["cert_title_wrong"]
