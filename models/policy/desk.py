"""The desk's rules as data: what may move how (`movements`), what falls due when (`clocks`), which acts follow which
(`matters`). A new rule of a room is a line of YAML: who may, who must approve, when it is due, what comes next.

Names of acts, steps, states and clocks are the room's own; the program knows only the few places named here as
constants. Sources of the shipped rules stand beside them in `desk.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ..level import Family, Level
from .nodes import Reader
from .schema import Duration
from .sections import ROLES, read_duration

ObjectKind = Literal["carrier", "copy", "batch"]
Taker = Literal["room", "person", "outside", "nobody", "same"]

OBJECTS: tuple[ObjectKind, ...] = get_args(ObjectKind)
TAKERS: tuple[Taker, ...] = get_args(Taker)
STATES: Mapping[ObjectKind, Mapping[str, str]] = {
    "carrier": {
        "held": "held", "out": "held", "lent": "held", "carried": "held", "transit": "held", "missing": "held",
        "returned": "returned", "handed_over": "returned", "archived": "archived", "destroyed": "destroyed",
        "lost": "lost",
    },
    "copy": {
        "issued": "held", "recalled": "held", "returned": "returned", "lost": "lost", "replaced": "replaced",
        "destroyed": "destroyed",
    },
    "batch": {"open": "open", "offered": "open", "closed": "closed"},
}  # fmt: skip
"""States of each kind of object and what they count as when the day's count is made."""
TABLES = ("borrow_days", "circulation", "telegram_handling", "telegram_ack", "leak_report")
"""Terms of the section `deadlines` a clock may take: by level, by urgency, by urgency, and two that are the same for
all.
"""
DESK_ROLES = (*ROLES, "head_of_room", "duty_officer", "handler", "escort", "unit_liaison", "meeting_organizer",
              "committee_reviewer", "destroy_supervisor", "holder")  # fmt: skip
"""Roles of roles.md; `holder` is whoever holds the object now."""
_ID = re.compile(r"[a-z][a-z0-9_]{1,23}")
_SUBJECT = re.compile(r"subject:[a-z][a-z0-9_]{1,23}")


@dataclass(frozen=True, slots=True)
class MovementRule:
    """One way an object changes hands, place or state. States before and after are those of `STATES`."""

    act: str
    zh: str
    of: tuple[ObjectKind, ...]
    before: tuple[str, ...]
    """Empty: the object enters the register by this movement."""
    after: str
    to: Taker
    by: tuple[str, ...]
    approval: str | None = None
    """Act of the approval matrix that must be approved for the document and the taker."""
    circle: bool = False
    """Whether the taker must stand in the reading circle where one is set (roles.md section 4)."""
    clock: str | None = None
    ends: tuple[str, ...] = ()
    persons: Mapping[str, int] | None = None
    """By level id, `subject:` with an id of `handling.subjects` (of classified papers only), or `default`: how many
    persons carry it together; the highest that fits.
    """
    in_room: bool = False
    """Whether the place must be a reading room of the policy's `handling`, whatever the level."""
    several_within: tuple[str, ...] = ()
    """Kinds of matters of one of which it must be part where more than one person is asked for: their signatures are
    the matter's, and no one person's word for both.
    """
    within: tuple[str, ...] = ()
    """Kinds of matters of one of which it must be part; none: it stands alone."""
    incident: str | None = None
    """Kind of the incident that it opens."""
    needs: tuple[str, ...] = ()
    """Words or numbers that must be given: `place`, `pages`, `case`, `bag`, `precautions` …"""
    source: str = ""

    def least(self, level: Level, subjects: Iterable[str] = ()) -> int:
        """How many persons carry an object of a level, of a paper of these subjects, together."""
        if self.persons is None:
            return 1
        numbers = [self.persons.get(str(level), self.persons.get("default", 1))]
        if level.family not in (Family.INTERNAL, Family.PUBLIC):
            numbers += [self.persons.get(f"subject:{name}", 1) for name in subjects]
        return max(numbers)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """When something falls due, and what is to be done then."""

    id: str
    zh: str
    action: str
    """Code of what the holder or the room has to do (`col_action_…` in the catalogue)."""
    table: str | None = None
    every: Duration | None = None
    workdays: int | None = None
    """So many working days of the policy's calendar."""
    same_day: tuple[Level, ...] = ()
    """Levels whose items are due the same day whatever the table says."""
    as_read: bool = False
    """Whether papers that go back as soon as they are read (C-20) are due the same day."""
    late: str | None = None
    """Kind of the incident that opens once its time has passed."""
    binding: bool = True
    """Whether a date that a person gives may not be later than the term."""
    remind: tuple[str, ...] = ()
    """Roles told when it is overdue, each one step later than the one before; first of all the holder."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class StepRule:
    """One act of a matter: who does it, apart from whom, under which approval, until when, and what comes next."""

    id: str
    zh: str
    by: tuple[str, ...]
    apart_from: tuple[str, ...] = ()
    """Steps whose persons may not do this one too."""
    persons: Mapping[str, int] | None = None
    """By level id or `default`: how many different persons each must do it; 1 where nothing is said."""
    approval: str | None = None
    clock: str | None = None
    needs: tuple[str, ...] = ()
    go: Mapping[str, str] | None = None
    """Result -> next step, or `end`, `refused`; without it `done` goes on and `refused` ends the matter."""
    effect: str | None = None
    """What the program does once the step is done; one of `EFFECTS`."""
    each: bool = False
    """Done once for every item that is still open; each act names its item. The step ends with the last one."""


@dataclass(frozen=True, slots=True)
class MatterRule:
    """A kind of matter 事项: its steps in order, and the acts it blocks while it is open."""

    kind: str
    zh: str
    steps: tuple[StepRule, ...]
    blocks: tuple[str, ...] = ()
    single: bool = True
    """Whether only one of the kind may be open for a document at a time."""
    binding: bool = False
    """Whether it ends by its steps alone: nobody cancels it, and no step refuses it unless its `go` says so."""
    on_duty: bool = False
    """Whether an open one passes from shift to shift."""
    cycle: str | None = None
    """Scope of a cycle of the section `deadlines` by which one of the kind falls due again and again."""
    command: str | None = None
    """The command that alone takes its steps, since they go with movements."""
    source: str = ""

    def step(self, name: str) -> StepRule | None:
        """The step of that name."""
        return next((step for step in self.steps if step.id == name), None)

    def after(self, step: StepRule, result: str) -> str:
        """What follows a step's result: a step's id, `end` or `refused`; empty for a result the step does not know."""
        if step.go is not None and result in step.go:
            return step.go[result]
        if result == "refused":
            return "" if self.binding else "refused"
        if step.go is not None:
            return ""
        if result != "done":
            return ""
        place = self.steps.index(step) + 1
        return self.steps[place].id if place < len(self.steps) else "end"


@dataclass(frozen=True, slots=True)
class Desk:
    """All rules of the desk of one policy."""

    movements: tuple[MovementRule, ...]
    clocks: Mapping[str, ClockRule]
    matters: Mapping[str, MatterRule]

    def movement(self, act: str, kind: str) -> MovementRule | None:
        """The rule of an act on a kind of object."""
        return next((rule for rule in self.movements if rule.act == act and kind in rule.of), None)


EFFECTS: tuple[str, ...] = (
    "apply_level_change",
    "apply_level_expiry",
    "apply_level_notice",
    "approve_copies",
    "approve_rights",
    "assign_handler",
    "attach_final",
    "begin_telegram",
    "bind_review",
    "check_back",
    "check_departure",
    "check_dispatch",
    "check_draft",
    "check_draft_back",
    "check_draft_copy",
    "check_holdings",
    "check_level_change",
    "check_level_decision",
    "check_level_expiry",
    "check_level_notice",
    "check_level_suggestion",
    "check_overnight",
    "check_report",
    "check_rights",
    "check_taken",
    "check_telegram",
    "close_leak",
    "deliver_mail",
    "end_handling",
    "end_rights",
    "file_outbound",
    "keep_seal",
    "list_departure",
    "list_holdings",
    "list_out",
    "list_unfinished",
    "make_void",
    "mark_limits",
    "must_be_cleared",
    "name_bringer",
    "note_receipt",
    "open_leak",
    "protect_level",
    "reproduce",
    "settle_level",
    "settle_mail",
    "settle_trace",
    "take_charge",
    "use_seal",
)
"""Names of what the program can do at the end of a step; `pipeline/desk/effects.py` has their code."""


def read_desk(movements: Reader, clocks: Reader, matters: Reader, acts: frozenset[str]) -> Desk:
    """The three sections, checked against each other and the approval matrix's acts.

    Raises:
        UsageFault: `policy_invalid` with the line.
    """
    timed = {rule.id: rule for rule in (_clock(item) for item in clocks.list())}
    if len(timed) != len(clocks.list()):
        clocks.wrong("a clock stands twice")
    moves = tuple(_movement(item, timed, acts) for item in movements.list())
    seen: set[tuple[str, str]] = set()
    for rule, item in zip(moves, movements.list(), strict=True):
        for kind in rule.of:
            if (rule.act, kind) in seen:
                item.wrong(f"{rule.act} of {kind} stands twice")
            seen.add((rule.act, kind))
    kinds = {rule.kind: rule for rule in (_matter(item, timed, acts) for item in matters.list())}
    if len(kinds) != len(matters.list()):
        matters.wrong("a kind of matter stands twice")
    for rule, item in zip(moves, movements.list(), strict=True):
        for named in (*rule.within, *rule.several_within):
            if named not in kinds:
                item.wrong(f"{named!r} is no kind of matter")
    return Desk(moves, timed, kinds)


def _clock(reader: Reader) -> ClockRule:
    entry = reader.map(
        need=("id", "zh", "action"),
        may=(
            "table",
            "every",
            "workdays",
            "same_day",
            "as_read",
            "late",
            "binding",
            "remind",
            "source",
            "conf",
        ),
    )
    if ("table" in entry) + ("every" in entry) + ("workdays" in entry) != 1:
        reader.wrong("exactly one of 'table', 'every' and 'workdays' is expected")
    named = [one.one_of(tuple(Level)) for one in entry["same_day"].list()] if "same_day" in entry else []
    return ClockRule(
        id=_id(entry["id"]),
        zh=entry["zh"].text(),
        action=_id(entry["action"]),
        table=entry["table"].one_of(TABLES) if "table" in entry else None,
        every=read_duration(entry["every"]) if "every" in entry else None,
        workdays=entry["workdays"].integer(1, 250) if "workdays" in entry else None,
        same_day=tuple(Level(name) for name in named),
        as_read=entry["as_read"].truth() if "as_read" in entry else False,
        late=_id(entry["late"]) if "late" in entry else None,
        binding=entry["binding"].truth() if "binding" in entry else True,
        remind=_roles(entry["remind"]) if "remind" in entry else (),
        source=entry["source"].text() if "source" in entry else "",
    )


def _movement(reader: Reader, clocks: Mapping[str, ClockRule], acts: frozenset[str]) -> MovementRule:
    entry = reader.map(
        need=("act", "zh", "of", "after", "to", "by"),
        may=(
            "before",
            "approval",
            "circle",
            "clock",
            "ends",
            "persons",
            "in_room",
            "several_within",
            "within",
            "incident",
            "needs",
            "source",
            "conf",
        ),
    )
    of: tuple[ObjectKind, ...] = tuple(one.one_of(OBJECTS) for one in entry["of"].list())  # type: ignore[misc]
    if not of:
        entry["of"].wrong("at least one kind of object is expected")
    known = set.intersection(*(set(STATES[kind]) for kind in of))
    before = (
        tuple(one.one_of(tuple(sorted(known))) for one in entry["before"].list()) if "before" in entry else ()
    )
    to: Taker = entry["to"].one_of(TAKERS)  # type: ignore[assignment]
    return MovementRule(
        act=_id(entry["act"]),
        zh=entry["zh"].text(),
        of=of,
        before=before,
        after=entry["after"].one_of(tuple(sorted(known))),
        to=to,
        by=_roles(entry["by"]),
        approval=entry["approval"].one_of(tuple(sorted(acts))) if "approval" in entry else None,
        circle=entry["circle"].truth() if "circle" in entry else False,
        clock=entry["clock"].one_of(tuple(clocks)) if "clock" in entry else None,
        ends=tuple(one.one_of(tuple(clocks)) for one in entry["ends"].list()) if "ends" in entry else (),
        persons=_persons(entry["persons"]) if "persons" in entry else None,
        in_room=entry["in_room"].truth() if "in_room" in entry else False,
        several_within=entry["several_within"].texts() if "several_within" in entry else (),
        within=entry["within"].texts() if "within" in entry else (),
        incident=_id(entry["incident"]) if "incident" in entry else None,
        needs=tuple(_id(one) for one in entry["needs"].list()) if "needs" in entry else (),
        source=entry["source"].text() if "source" in entry else "",
    )


def _matter(reader: Reader, clocks: Mapping[str, ClockRule], acts: frozenset[str]) -> MatterRule:
    entry = reader.map(
        need=("kind", "zh", "steps"),
        may=("blocks", "single", "binding", "on_duty", "cycle", "command", "source", "conf"),
    )
    names = [_id(item.map(need=("id",), may=_STEP)["id"]) for item in entry["steps"].list()]
    if not names or len(set(names)) != len(names):
        entry["steps"].wrong("steps with different ids are expected")
    return MatterRule(
        kind=_id(entry["kind"]),
        zh=entry["zh"].text(),
        steps=tuple(_step(item, tuple(names), clocks, acts) for item in entry["steps"].list()),
        blocks=entry["blocks"].texts() if "blocks" in entry else (),
        single=entry["single"].truth() if "single" in entry else True,
        binding=entry["binding"].truth() if "binding" in entry else False,
        on_duty=entry["on_duty"].truth() if "on_duty" in entry else False,
        cycle=_id(entry["cycle"]) if "cycle" in entry else None,
        command=entry["command"].text() if "command" in entry else None,
        source=entry["source"].text() if "source" in entry else "",
    )


_STEP = (
    "id",
    "zh",
    "by",
    "apart_from",
    "persons",
    "approval",
    "clock",
    "needs",
    "go",
    "effect",
    "each",
    "source",
)


def _step(
    reader: Reader, names: tuple[str, ...], clocks: Mapping[str, ClockRule], acts: frozenset[str]
) -> StepRule:
    entry = reader.map(need=("id", "zh", "by"), may=_STEP)
    own = entry["id"].text()
    earlier = tuple(name for name in names if name != own)
    go = None
    if "go" in entry:
        go = {result: item.one_of((*names, "end", "refused")) for result, item in entry["go"].items()}
    return StepRule(
        id=own,
        zh=entry["zh"].text(),
        by=_roles(entry["by"]),
        apart_from=tuple(one.one_of(earlier) for one in entry["apart_from"].list())
        if "apart_from" in entry
        else (),
        persons=_persons(entry["persons"]) if "persons" in entry else None,
        approval=entry["approval"].one_of(tuple(sorted(acts))) if "approval" in entry else None,
        clock=entry["clock"].one_of(tuple(clocks)) if "clock" in entry else None,
        needs=tuple(_id(one) for one in entry["needs"].list()) if "needs" in entry else (),
        go=go,
        effect=entry["effect"].one_of(EFFECTS) if "effect" in entry else None,
        each=entry["each"].truth() if "each" in entry else False,
    )


def _persons(reader: Reader) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in reader.items():
        if name not in (*Level, "default") and not _SUBJECT.fullmatch(name):
            value.wrong(f"unknown level {name!r}")
        found[name] = value.integer(1, 9)
    return found


def _roles(reader: Reader) -> tuple[str, ...]:
    return tuple(role.one_of(DESK_ROLES) for role in reader.list())


def _id(reader: Reader) -> str:
    text = reader.text()
    if not _ID.fullmatch(text):
        reader.wrong(f"{text!r}: an id of small letters, digits and _ is expected")
    return text
