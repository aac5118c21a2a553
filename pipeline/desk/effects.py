"""What the program does once a step of a matter is done; the policy names these by their keys (`effect`).

The names are declared in `models/policy/desk.py`, so that a policy which names another is refused with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from ...models.tables import Matter
from ..copies import reproducing
from ..intake import personal_mail
from ..levels import level_change, level_expiry, level_unsettled
from ..papers import inbound, leaks, leaving, organs, outbound, seals
from ..persons import departure, rights
from ..persons.actors import Actor
from ..review import mending
from ..rounds import department_clearing, overnight
from ..station.station import Station
from . import duty

Effect = Callable[[Station, Session, Actor, Matter], None]
EFFECTS: Final[Mapping[str, Effect]] = {
    "apply_level_change": level_change.apply_change,
    "apply_level_expiry": level_expiry.apply_outcome,
    "apply_level_notice": level_change.apply_notice,
    "approve_copies": outbound.approve_copies,
    "approve_rights": rights.approve_rights,
    "assign_handler": inbound.assign_handler,
    "attach_final": outbound.attach_final,
    "begin_telegram": duty.begin_telegram,
    "bind_review": leaving.bind_review,
    "check_back": inbound.check_back,
    "check_departure": departure.check_departure,
    "check_dispatch": leaving.check_dispatch,
    "check_draft": outbound.check_draft,
    "check_draft_back": outbound.check_draft_back,
    "check_draft_copy": outbound.check_draft_copy,
    "check_holdings": department_clearing.check_holdings,
    "check_level_change": level_change.check_change,
    "check_level_decision": level_unsettled.check_decision,
    "check_level_expiry": level_expiry.check_outcome,
    "check_level_notice": level_change.check_notice,
    "check_level_suggestion": level_change.check_suggestion,
    "check_overnight": overnight.check_ask,
    "check_report": duty.check_report,
    "check_rights": rights.check_rights,
    "check_taken": duty.check_taken,
    "check_telegram": duty.check_telegram,
    "close_leak": leaks.close_leak,
    "deliver_mail": personal_mail.deliver,
    "end_handling": duty.end_handling,
    "end_rights": departure.end_rights,
    "file_outbound": outbound.file_outbound,
    "keep_seal": seals.keep_seal,
    "list_departure": departure.list_departure,
    "list_holdings": department_clearing.list_holdings,
    "list_out": duty.list_out,
    "list_unfinished": duty.list_unfinished,
    "make_void": mending.make_void,
    "mark_limits": inbound.mark_limits,
    "must_be_cleared": inbound.must_be_cleared,
    "name_bringer": inbound.name_bringer,
    "note_receipt": leaving.note_receipt,
    "open_leak": leaks.open_leak,
    "protect_level": level_unsettled.protect,
    "reproduce": reproducing.reproduce,
    "settle_level": level_unsettled.settle,
    "settle_mail": personal_mail.settle,
    "settle_trace": organs.settle_trace,
    "take_charge": duty.take_charge,
    "use_seal": seals.use_seal,
}
