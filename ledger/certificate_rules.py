"""What a certificate of destruction has to say to be complete: rules over its data, without cryptography.

Part of the stand-alone verifier (`certificate_verifier.py`): all its files lie in one folder and need nothing else of
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
    root = record["root"]
    away = record.get("physical") is None and root["mirrors_done"] < root["mirrors"]
    if away and verdict in ("complete", "complete_with_reservations"):
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


def notes(
    sealed: datetime,
    at: datetime,
    *,
    ends: datetime,
    anchor: datetime | None,
    lists: datetime | None,
    proved: bool,
) -> list[dict[str, str]]:
    """What has ended between the seal and the day of the look: code and day. It does not change the verdict.

    Args:
        ends: when the first of the signers' certificates ended. anchor: when the given authority did. lists: until when
            the list of revoked certificates was good. proved: whether a ledger proof was given.
    """
    found = [("note_future", sealed)] if at < sealed else []
    ended = {"note_expired_since": ends, "note_authority_ended": anchor, "note_revocations_until": lists}
    found += [(code, day) for code, day in ended.items() if day is not None and day < at]
    if found and not proved and at >= sealed:
        found.append(("note_no_proof", sealed))
    return [{"code": code, "day": day.date().isoformat()} for code, day in found]


def explained(report: dict[str, Any]) -> dict[str, list[str]]:
    """Reasons and notes of a report in words, Chinese and English."""
    days = {note["code"]: note["day"] for note in report["notes"]}
    codes = [*report["reasons"], *filter(None, [report.get("sm2")]), *days]
    return {
        code: [text.format(day=days.get(code, "")) for text in WORDS[code]] for code in codes if code in WORDS
    }


WORDS = {
    "cert_attachments": (
        "附件不是规定的一套",
        "the attachments are not the specified set",
    ),
    "cert_bytes_outside": (
        "签章未覆盖全部字节（被追加或截断）",
        "the seal does not cover every byte (bytes were added or cut off)",
    ),
    "cert_checks": (
        "核验项 V1—V7 不齐或缺说明",
        "checks V1 to V7 are not complete or lack a reason",
    ),
    "cert_closure": (
        "逐件结果没有列全由文件派生的各类内容",
        "the outcome of an item does not list every kind of thing made of it",
    ),
    "cert_digest": (
        "文件内容与签章摘要不符（已被改动）",
        "the file is not what was sealed (it was changed)",
    ),
    "cert_encoding": (
        "签名编码不是唯一规范形式",
        "a signature is not in its one allowed encoding",
    ),
    "cert_expired": (
        "签署时证书不在有效期内",
        "a certificate was not valid at the time of signing",
    ),
    "cert_foreign": (
        "不是所给根证书签发的",
        "not issued by the given authority",
    ),
    "cert_items_differ": (
        "逐件结果与清册不一致",
        "the outcomes are not those of the list's items",
    ),
    "cert_list_digest": (
        "清册与其摘要不符",
        "the list does not fit its digest",
    ),
    "cert_no_crl": (
        "文件内没有该根证书的吊销列表",
        "the file holds no revocation list of this authority",
    ),
    "cert_no_seal": (
        "文件没有机要室的电子签章（或被截断）",
        "the file has no seal of the room (or was cut off)",
    ),
    "cert_not_canonical": (
        "内嵌 JSON 不是规范形式",
        "an embedded JSON is not canonical",
    ),
    "cert_order": (
        "签署先后次序不对",
        "the signatures are not in the order of the acts",
    ),
    "cert_physical": (
        "纸质或介质销毁的事实与执行人签署的不符，或不合所走的路线",
        "what was done to paper or media is not what the operators signed, or does not fit the route",
    ),
    "cert_proof_other_file": (
        "台账证明不是关于本文件的",
        "the ledger proof is about another file",
    ),
    "cert_proof_unreadable": (
        "台账证明文件无法读取",
        "the ledger proof cannot be read",
    ),
    "cert_proof_unsigned": (
        "台账首部的签名不成立",
        "the signature of the ledger's head does not hold",
    ),
    "cert_proof_wrong": (
        "台账证明推不出所给首部",
        "the ledger proof does not lead to its head",
    ),
    "cert_record_missing": (
        "缺少 certificate.json",
        "certificate.json is missing",
    ),
    "cert_record_wrong": (
        "证明数据的类型、版本或字段不对",
        "type, version or fields of the data are wrong",
    ),
    "cert_reservations": (
        "保留事项没有列明，或列为接受的人没有签署接受",
        "reservations are not named, or who is said to have accepted them did not sign that",
    ),
    "cert_revoked": (
        "签署时证书已被吊销",
        "a certificate was revoked at the time of signing",
    ),
    "cert_role": (
        "签署人身份与环节不符",
        "a role does not fit the act",
    ),
    "cert_same_person": (
        "应当不同的人是同一人",
        "persons that must differ are the same",
    ),
    "cert_several_seals": (
        "签章不止一个，或与表单字段不一致",
        "more than one seal, or the seal is not that of the form field",
    ),
    "cert_signature": (
        "签章不成立，或不是本站机要室的签章",
        "the seal does not hold, or is not the seal of this station's room",
    ),
    "cert_sm2_foreign": (
        "SM2 公钥证书不是本站签发的，或不是证明数据所写的那一张",
        "the certificate of the SM2 key was not issued by this station, or is not the one that the data names",
    ),
    "cert_sm2_missing": (
        "证明数据写明有机要室 SM2 签名，文件内却没有该签名或其公钥证书",
        "the data says that there is an SM2 signature of the room; "
        "it, or the certificate of its key, is not in the file",
    ),
    "cert_sm2_signature": (
        "机要室 SM2 签名与证明数据不符，或签名编码不规范",
        "the room's SM2 signature does not fit the data, or is not in its one allowed encoding",
    ),
    "cert_statement_list": (
        "签署的清册不是本清册",
        "a statement is about another list",
    ),
    "cert_statement_missing": (
        "缺少必需的签署人",
        "a required signature is missing",
    ),
    "cert_statement_outcomes": (
        "监销人证明的结果不是本结果",
        "the supervisors attested another outcome",
    ),
    "cert_statement_unlisted": (
        "有未列入要求的签署",
        "a signature is there that is not listed",
    ),
    "cert_structure": (
        "PDF 结构不符合规定",
        "the PDF is not built as specified",
    ),
    "cert_supervisors": (
        "事后证明人不是到场监销人",
        "those who attest are not those who supervised",
    ),
    "cert_time": (
        "时间不一致",
        "times do not agree",
    ),
    "cert_title_other": (
        "标题开示文件不属于本证明，或无法读取",
        "the opening of a title is not of this certificate, or cannot be read",
    ),
    "cert_title_wrong": (
        "另行给出的标题与证明中的标题摘要不符",
        "the title given apart is not the one that the certificate commits to",
    ),
    "cert_verdict": (
        "结论好于核验结果",
        "the verdict is better than the checks allow",
    ),
    "note_authority_ended": (
        "所给根证书已于 {day} 到期；它签发证书时在有效期内，结论不变",
        "the given authority ended on {day}; it was valid when it issued the certificates, so the verdict stands",
    ),
    "note_expired_since": (
        "签名证书已于 {day} 起先后到期；签署时在有效期内，签名仍然成立",
        "signers' certificates have ended since (the first on {day}); "
        "they were valid at the time of signing, so the signatures stand",
    ),
    "note_future": (
        "查验时间早于签章时间（{day}）：请核对本机时钟",
        "the day of the look lies before the seal ({day}): look to the clock",
    ),
    "note_no_proof": (
        "签署时间以本站时钟为准（{day}）；要证明不是事后补签，请用 --proof 给出台账证明，"
        "并与当时打印或留存的台账首部核对",
        "the time of signing is the station's own ({day}); "
        "that nothing was signed later and dated back is shown by the ledger proof "
        "(--proof) against a head printed or kept at the time",
    ),
    "note_revocations_until": (
        "文件内的吊销列表只到 {day}：此后才吊销的证书，本文件看不出来",
        "the list of revoked certificates in the file was good until {day}: what was revoked later is not in it",
    ),
    "sm2_checked": (
        "机要室另对证明数据作了 SM2 签名，已核验，与所附公钥证书相符；不表示软件或密码模块经过检测认证",
        "the room made an SM2 signature over the data besides; it was checked and fits the certificate attached. "
        "This does not say that program or cipher module were tested or certified",
    ),
    "sm2_none": (
        "本证明没有 SM2 签名（原因见证明）；核验只凭 ECDSA P-256 签章",
        "there is no SM2 signature (the certificate says why); the verdict rests on the ECDSA P-256 seal alone",
    ),
    "sm2_wrong": (
        "证明数据写明有机要室 SM2 签名，但核验不通过",
        "the data says that there is an SM2 signature of the room, but it does not verify",
    ),
    "statement_foreign": (
        "签名证书不是本站签发的，或未写明人员。",
        "The signing certificate was not issued by this station, or names nobody.",
    ),
    "statement_signature": (
        "签名与声明内容不符，或签名编码不规范。",
        "The signature does not fit the statement, or is not encoded in the one allowed way.",
    ),
}
"""What a reason or note means, Chinese and English: for who has nothing but these two files."""
