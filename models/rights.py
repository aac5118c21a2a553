"""Roles and what each may do: the last table of the command line contract, kept in one place.

Source: roles.md sections 1 and 3 (三员: TL art. 34). What needs an approval beyond the role is policy data.
"""

from __future__ import annotations

from typing import Final

ADMINISTRATORS: Final = frozenset({"sysadmin", "secadmin", "auditor"})
STAFF: Final = frozenset(
    {"jiyao_clerk", "scan_operator", "determination_reviewer", "determiner", "archivist"}
)
"""The room's own people: they read for handling, within their clearance, until a circle is set."""
LEADERS: Final = frozenset({"office_director", "leader_in_charge", "principal"})
BUSINESS: Final = (
    STAFF
    | LEADERS
    | {
        "head_of_room", "duty_officer", "handler", "reader", "release_reviewer", "destroy_operator",
        "destroy_supervisor", "escort", "personnel_file_keeper", "unit_liaison", "meeting_organizer",
        "committee_reviewer",
    }
)  # fmt: skip
ROLES: Final = BUSINESS | ADMINISTRATORS
REGISTRARS: Final = STAFF | LEADERS | {"head_of_room"}
"""Who keeps the registers or decides on papers: knows every row of them, its words within clearance."""
KEEPERS: Final = (
    STAFF
    | LEADERS
    | {"head_of_room", "duty_officer", "personnel_file_keeper", "unit_liaison", "meeting_organizer"}
)
"""Whose post it is to keep papers, for others too."""
CLEARANCES: Final = ("none", "general", "important", "core")

_DESK: Final = frozenset({"scan_operator", "jiyao_clerk"})

MAY: Final[dict[str, frozenset[str]]] = {
    "person": frozenset({"sysadmin", "secadmin"}),
    "person.vet": frozenset({"secadmin"}),
    "person.deputy": BUSINESS,
    "person.deputies": BUSINESS | {"secadmin"},
    "person.list": ADMINISTRATORS | _DESK | LEADERS,
    "account.add": frozenset({"sysadmin"}),
    "account.disable": frozenset({"sysadmin", "secadmin"}),
    "account.grant": frozenset({"secadmin"}),
    "account.list": ADMINISTRATORS,
    "account.reset": frozenset({"sysadmin"}),
    "account.password": ROLES,
    "delegate": BUSINESS | {"secadmin"},
    "receive": _DESK,
    "ingest": _DESK,
    "documents": STAFF | LEADERS | {"reader"},
    "documents.readers": REGISTRARS | {"auditor"},
    "text": STAFF | LEADERS | {"reader"},
    "export": STAFF | LEADERS,
    "review": STAFF,
    "review.field": _DESK,
    "review.level": frozenset({"determination_reviewer", "determiner"}),
    "review.misread": _DESK | {"determination_reviewer", "determiner"},
    "review.retention": frozenset({"archivist"}),
    "review.accept": _DESK | {"determination_reviewer", "determiner"},
    "review.second": frozenset({"determination_reviewer", "determiner"}),
    "review.determine": frozenset({"determiner"}),
    "review.edit": _DESK,
    "rescan": _DESK,
    "amend": _DESK | {"determination_reviewer", "determiner", "archivist"},
    "archive": frozenset({"archivist"}),
    "handover": _DESK | {"archivist"},
    "void": _DESK | {"archivist", "office_director", "head_of_room"},
    "batch": STAFF | LEADERS,
    "batch.desk": _DESK,
    "appraise": frozenset({"archivist"}),
    "documents.slip": STAFF | LEADERS,
    "documents.compile": _DESK,
    "documents.release": _DESK,
    "urge": _DESK | LEADERS | {"head_of_room"},
    "urge.answer": BUSINESS,
    "due": STAFF | LEADERS | {"head_of_room"},
    "documents.level": BUSINESS,
    "documents.event": _DESK | {"archivist", "determination_reviewer", "determiner"},
    "documents.event.secrecy": _DESK | {"determination_reviewer", "determiner"},
    "approval.request": BUSINESS,
    "approval.give": LEADERS
    | _DESK
    | {"secadmin", "determiner", "determination_reviewer", "release_reviewer"},
    "approval.paper": _DESK,
    "approval.list": BUSINESS | ADMINISTRATORS,
    "circle": LEADERS,
    "circle.show": STAFF | LEADERS,
    "copies.issue": _DESK,
    "copies.list": STAFF | LEADERS | {"reader"},
    "copies.return": _DESK | {"reader"},
    "copies.keep": _DESK,
    "carriers.move": BUSINESS,
    "carriers.list": BUSINESS | {"auditor"},
    "carriers.out": STAFF | LEADERS | {"head_of_room", "auditor", "committee_reviewer"},
    "circulate": frozenset({"jiyao_clerk", "office_director"}),
    "circulate.receive": BUSINESS,
    "circulate.show": BUSINESS | {"auditor"},
    "borrow": frozenset({"jiyao_clerk", "archivist", "personnel_file_keeper"}),
    "borrow.list": BUSINESS | {"auditor"},
    "transport": frozenset({"jiyao_clerk"}),
    "transport.take": BUSINESS,
    "clearing": _DESK | {"archivist", "head_of_room", "duty_officer", "unit_liaison"},
    "recall": LEADERS | {"jiyao_clerk", "meeting_organizer", "head_of_room"},
    "filing": _DESK | {"archivist", "unit_liaison"},
    "rounds.show": STAFF
    | LEADERS
    | {"head_of_room", "auditor", "unit_liaison", "meeting_organizer", "escort"},
    "inventory": _DESK | {"archivist", "head_of_room", "duty_officer", "unit_liaison"},
    "inventory.settle": frozenset({"head_of_room", "office_director", "leader_in_charge"}),
    "matter.open": BUSINESS | {"secadmin"},
    "matter.do": BUSINESS | {"secadmin"},
    "matter.list": BUSINESS | ADMINISTRATORS,
    "trace": frozenset({"auditor", "secadmin"}),
    "drill": _DESK | {"head_of_room", "sysadmin", "secadmin"},
    "register": _DESK | {"archivist", "head_of_room", "committee_reviewer"},
    "incident": STAFF | LEADERS | {"head_of_room", "auditor", "committee_reviewer"},
    "incident.close": LEADERS | {"head_of_room"},
    "hold.add": LEADERS,
    "hold.lift": frozenset({"leader_in_charge", "principal", "secadmin"}),
    "destroy.propose": frozenset({"jiyao_clerk", "archivist", "scan_operator"}),
    "destroy.count": frozenset({"jiyao_clerk", "scan_operator", "archivist"}),
    "destroy.approve": LEADERS,
    "destroy.supervise": frozenset({"destroy_supervisor"}),
    "destroy.execute": frozenset({"destroy_operator"}),
    "destroy.show": STAFF | LEADERS | {"destroy_operator", "destroy_supervisor", "auditor"},
    "certificate": STAFF | LEADERS | {"destroy_operator", "destroy_supervisor", "auditor"},
    "ledger": ADMINISTRATORS | {"committee_reviewer"},
    "backup": frozenset({"sysadmin"}),
    "vault.rekey": frozenset({"sysadmin", "secadmin"}),
    "vault.sm2": frozenset({"sysadmin"}),
    "vault.mirror": ADMINISTRATORS,
    "vault.mirror.add": frozenset({"sysadmin", "secadmin"}),
    "vault.mirror.write_off": frozenset({"sysadmin", "secadmin"}),
    "restore": frozenset({"sysadmin", "secadmin", "leader_in_charge", "principal"}),
    "policy.show": ROLES,
    "policy.check": LEADERS | {"secadmin", "determiner", "determination_reviewer", "archivist"},
    "policy.import": frozenset({"secadmin", "determiner", "determination_reviewer"}),
    "policy.activate": LEADERS | {"secadmin"},
    "learn": frozenset({"secadmin", "determiner"}),
    "learn.request": frozenset({"secadmin", "determiner"}),
    "learn.withdraw": LEADERS | {"secadmin", "determiner"},
    "learn.show": LEADERS | {"secadmin", "auditor", "determiner", "determination_reviewer", "head_of_room"},
    "learn.report": LEADERS
    | {"secadmin", "auditor", "determiner", "determination_reviewer", "archivist", "head_of_room"},
    "clock.confirm": frozenset({"sysadmin", "secadmin", "leader_in_charge", "principal"}),
}


def may(act: str, roles: frozenset[str]) -> bool:
    """Whether any of the roles may do the act."""
    return bool(MAY[act] & roles)
