"""What may be destroyed and what stands in the way: every reason, every block, the list (cli.md)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from jiyao.common.errors import JiyaoError, UsageFault
from jiyao.models.suggestion import Retention
from jiyao.models.tables import Artefact, Carrier, Copy, Document, Incident
from jiyao.pipeline.destruction import batch as destruction
from jiyao.pipeline.papers import appraisal, documents, hold, incidents
from room_kit import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def blocks(value: dict[str, Any]) -> list[list[str]]:
    return [[block["code"] for block in item["blocks"]] for item in value["items"]]


def carrier(room: Room, document: str, *, state: str = "held", due: str | None = None) -> None:
    with room.station.write() as session:
        row = session.get_one(Document, document)
        session.add(
            Carrier(id=f"{document}-Z9", receipt_id=row.receipt_id, document_id=document, type="paper",
                    holder="p-clerk", state=state, return_due=due)
        )  # fmt: skip


# ---------------------------------------------------------------- reasons


@pytest.mark.req("R-117", "R-053", "R-049")
def test_retention_expired(room: Room) -> None:
    cases: dict[str, list[str]] = {
        room.expired(): [],
        room.document(): ["not_appraised"],
        room.document(signed=date(2024, 3, 1)): ["not_expired", "not_appraised"],
        room.document(retention=Retention.PERMANENT): ["permanent", "not_expired", "not_appraised"],
        room.document(retention=Retention.NOT_FILED): ["no_retention_period", "not_appraised"],
        room.document(retention=None): ["no_retention_period", "not_expired", "not_appraised"],
        room.paper(): ["not_confirmed", "not_appraised"],
    }
    value = room.propose(*cases)
    for (document, expected), found in zip(cases.items(), blocks(value), strict=True):
        assert set(found) <= set(expected) and found[:1] == expected[:1], (document, found)
        assert (found == []) == (expected == [])
    for item in value["items"]:
        for block in item["blocks"]:
            assert block["rule"] and block["lifted_by"]
    room.refused("blocked", room.count, value["id"], "clerk")


@pytest.mark.req("R-117")
def test_an_appraisal_counts_only_after_the_end_of_the_retention(room: Room) -> None:
    document = room.document(signed=date(2016, 12, 30))
    assert room.row(document).retention_until == "2027-01-01"
    arch = room.as_("arch", "appraise")
    appraisal.appraise(room.station, arch, document=document, reason="提前鉴定")
    room.clock.forward(days=90)
    with room.station.write() as session:
        from jiyao.pipeline.station import clock_guard

        clock_guard.look(room.station, session)
        clock_guard.confirm(session, "p-lead")
        clock_guard.confirm(session, "sysadmin")
    assert blocks(room.propose(document, dry_run=True)) == [["not_appraised"]]
    appraisal.appraise(room.station, arch, document=document, reason="到期鉴定")
    assert blocks(room.propose(document, dry_run=True)) == [[]]


@pytest.mark.req("R-049", "R-117")
def test_no_filing_value(room: Room) -> None:
    free, valuable = room.document(retention=Retention.NOT_FILED), room.document()
    archived, pending = (
        room.document(retention=Retention.NOT_FILED),
        room.paper(retention=Retention.NOT_FILED),
    )
    out = room.document(retention=Retention.NOT_FILED)
    room.copy(out)
    room.change(archived, archived_at=room.station.now())
    value = room.propose(free, valuable, archived, pending, out, reason="no_filing_value")
    assert blocks(value) == [
        [],
        ["has_filing_value"],
        ["archived"],
        ["not_confirmed"],
        ["copy_out"],
        ["copy_out"],
    ]


@pytest.mark.req("R-118", "R-060")
def test_surplus_copies_go_alone_and_documents_do_not(room: Room) -> None:
    document = room.document()
    back, out, lost = (room.copy(document, status=status) for status in ("returned", "issued", "lost"))
    value = destruction.propose(
        room.station,
        room.as_("clerk", "destroy.propose"),
        documents=(document,),
        reason="surplus_copy",
        dry_run=True,
    )
    assert blocks(value)[0] == ["copy_out", "not_a_copy"]
    value = destruction.propose(
        room.station, room.as_("clerk", "destroy.propose"), copies=(back, out, lost), reason="surplus_copy"
    )
    assert blocks(value) == [[], ["copy_out"], ["copy_lost"]]
    assert [(item["kind"], item["id"]) for item in value["items"]] == [
        ("copy", back),
        ("copy", out),
        ("copy", lost),
    ]


@pytest.mark.req("R-118")
def test_a_copy_alone_needs_its_own_reason(room: Room) -> None:
    document = room.expired()
    copy = room.copy(document, status="returned")
    clerk = room.as_("clerk", "destroy.propose")
    for reason in (
        "retention_expired",
        "no_filing_value",
        "waste_draft",
        "misfiled",
        "pi_erasure",
        "returned_original",
    ):
        value = destruction.propose(room.station, clerk, copies=(copy,), reason=reason, dry_run=True)
        assert blocks(value) == [["copy_alone"]], reason
    room.change(document, status="void")
    value = destruction.propose(room.station, clerk, copies=(copy,), reason="surplus_copy", dry_run=True)
    assert blocks(value) == [["main_copy_gone"]]


@pytest.mark.req("R-118", "R-117")
def test_a_surplus_copy_is_destroyed_and_its_document_stays(room: Room) -> None:
    document = room.document(text="留存正本的正文，与复制件无关，必须还能打开。")
    copy = room.copy(document, status="returned")
    batch = destruction.propose(
        room.station, room.as_("clerk", "destroy.propose"), copies=(copy,), reason="surplus_copy"
    )["id"]
    for step, users in (
        (room.count, ("clerk", "arch")), (room.approve, ("dir",)), (room.supervise, ("sup1", "sup2")),
        (room.execute, ("op1", "op2")),
    ):  # fmt: skip
        for user in users:
            step(batch, user)
    value = room.show(batch)
    assert value["verdict"] == "complete_with_reservations"
    with room.station.read() as session:
        assert session.get_one(Copy, copy).status == "destroyed"
        states = session.scalars(select(Artefact.state).where(Artefact.copy_id == copy)).all()
        assert set(states) == {"destroyed"}
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=document)["pages"]
    room.refused("already_destroyed", destruction.propose, room.station, room.as_("clerk", "destroy.propose"),
                 copies=(copy,), reason="surplus_copy")  # fmt: skip


@pytest.mark.req("R-117")
def test_duplicates_never_go_together(room: Room) -> None:
    """Each of two twins sees the other alive; both in one list would leave none."""
    same: dict[str, Any] = {"doc_number": "乌有函〔2012〕7号"}
    one, two, alone = (
        room.document("关于甲的函", **same),
        room.document("关于甲的函", **same),
        room.document("关于乙的函"),
    )
    value = room.propose(one, two, alone, reason="duplicate", dry_run=True)
    assert blocks(value) == [["no_living_twin"]] * 3
    batch = room.until("verified", one, reason="duplicate")
    assert room.show(batch)["verdict"]
    assert blocks(room.propose(two, reason="duplicate", dry_run=True)) == [["no_living_twin"]]


@pytest.mark.req("R-117")
def test_twins_in_two_batches_cannot_both_be_executed(room: Room) -> None:
    same: dict[str, Any] = {"doc_number": "乌有函〔2012〕8号"}
    one, two = room.document("关于甲的函", **same), room.document("关于甲的函", **same)
    first, second = (room.until("supervised", item, reason="duplicate") for item in (one, two))
    room.execute(second, "op1")
    for user in ("op1", "op2"):
        room.execute(first, user)
    error = room.refused("blocked", room.execute, second, "op2")
    assert error.facts["block"] == "no_living_twin"
    assert documents.text_of(room.station, room.as_("clerk", "text"), document=two)


@pytest.mark.req("R-043")
def test_waste_drafts_were_never_issued(room: Room) -> None:
    draft, issued, archived = room.paper(), room.document(), room.document()
    room.copy(issued, status="returned")
    room.change(archived, archived_at=room.station.now())
    value = room.propose(draft, issued, archived, reason="waste_draft")
    assert blocks(value) == [[], ["was_issued"], [], ["archived"]]


@pytest.mark.req("R-087")
def test_returned_original(room: Room) -> None:
    never, back, held, due = (room.document() for _ in range(4))
    carrier(room, back, state="returned")
    carrier(room, held)
    carrier(room, due, due="2026-12-01")
    value = room.propose(never, back, held, due, reason="returned_original")
    assert blocks(value) == [
        ["carrier_not_returned"], [], ["carrier_not_returned"], ["return_due", "carrier_not_returned"],
    ]  # fmt: skip


@pytest.mark.req("R-117")
def test_pi_erasure_yields_to_legal_retention(room: Room) -> None:
    free = room.document(overlays=("patient_privacy",))
    plain = room.document()
    kept = room.document(overlays=("personal_info",), signed=date(2024, 3, 1))
    forever = room.document(overlays=("sensitive_pi",), retention=Retention.PERMANENT)
    unknown = room.document(overlays=("personnel_file",), retention=None)
    unfiled = room.document(overlays=("personal_info",), retention=Retention.NOT_FILED)
    value = room.propose(free, plain, kept, forever, unknown, unfiled, reason="pi_erasure")
    assert blocks(value) == [
        [], ["no_personal_data"], ["legal_retention"], ["legal_retention"], ["no_retention_period"], [],
    ]  # fmt: skip


@pytest.mark.req("R-117")
def test_misfiled_is_the_word_of_proposer_and_second_counter(room: Room) -> None:
    document, archived = room.document(), room.document()
    room.change(archived, archived_at=room.station.now())
    assert blocks(room.propose(archived, reason="misfiled", dry_run=True)) == [["archived"]]
    batch = room.propose(document, reason="misfiled")["id"]
    room.count(batch, "arch")
    room.refused("misfiled_two_persons", room.count, batch, "scan")
    assert room.count(batch, "clerk")["state"] == "counted"


def test_unknown_reasons_and_empty_lists(room: Room) -> None:
    document = room.document()
    for args, given, code in (
        ((document,), {"reason": "because"}, "unknown_reason"),
        ((), {"reason": "misfiled"}, "nothing_to_destroy"),
        ((), {"reason": "misfiled", "due": True}, "due_reason"),
    ):
        with pytest.raises(UsageFault) as caught:
            room.propose(*args, **given)
        assert caught.value.code == code
    with pytest.raises(JiyaoError) as missing:
        room.propose("D2026-999999")
    assert missing.value.exit_code == 3


@pytest.mark.req("R-053", "R-124")
def test_due_lists_what_fell_due(room: Room) -> None:
    expired, unfiled = room.expired(), room.document(retention=Retention.NOT_FILED)
    room.document(signed=date(2024, 1, 1))
    room.document(retention=Retention.PERMANENT)
    taken = room.expired()
    room.propose(taken)
    assert [item["id"] for item in room.propose(due=True, dry_run=True)["items"]] == [expired]
    assert [item["id"] for item in room.propose(due=True, reason="no_filing_value")["items"]] == [unfiled]


# ---------------------------------------------------------------- blocks in any case


@pytest.mark.req("R-104", "R-117")
def test_hold_incident_carrier_and_circulation_block_every_reason(room: Room) -> None:
    document = room.expired(overlays=("personal_info",))
    hold.add_hold(room.station, room.as_("dir", "hold.add"), document=document, reason="审计")
    carrier(room, document, state="missing")
    room.copy(document)
    with room.station.write() as session:
        session.add(
            Incident(id="I90001", kind="copy_lost", document_id=document, at=room.station.now(), by="p-clerk")
        )
    for reason in ("retention_expired", "no_filing_value", "duplicate", "waste_draft", "returned_original",
                   "pi_erasure", "misfiled", "surplus_copy"):  # fmt: skip
        found = blocks(room.propose(document, reason=reason, dry_run=True))
        assert set(found[0]) >= {"hold", "incident", "carrier_missing", "copy_out"}, reason
        assert set(found[1]) >= {"hold", "incident", "copy_out"}, reason


@pytest.mark.req("R-104", "R-173")
def test_a_lost_copy_blocks_until_its_incident_is_closed(room: Room) -> None:
    from jiyao.pipeline.copies import copies

    document = room.expired()
    copy = room.copy(document)
    incident = copies.lose_copy(
        room.station, room.as_("clerk", "copies.keep"), copy=copy, reason="传阅中遗失"
    )["incident"]
    batch = room.propose(document)["id"]
    room.refused("blocked", room.count, batch, "clerk")
    room.refused("own_request", incidents.close_incident, room.station, room.as_("clerk", "ingest"),
                 incident=incident, reason="我自己结案")  # fmt: skip
    incidents.close_incident(
        room.station, room.as_("dir", "incident.close"), incident=incident, reason="已查清"
    )
    assert blocks(room.show(batch)) == [[], []]
    assert room.count(batch, "clerk")["counters"]


@pytest.mark.req("R-117")
def test_a_hold_added_after_the_approval_blocks_at_execution_and_two_persons_lift_it(room: Room) -> None:
    document = room.expired()
    batch = room.until("supervised", document)
    room.execute(batch, "op1")
    hold.add_hold(room.station, room.as_("dir", "hold.add"), document=document, reason="诉讼保全")
    assert blocks(room.show(batch)) == [["hold"]], "a waiting batch shows what has come up"
    error = room.refused("blocked", room.execute, batch, "op2")
    assert error.facts["block"] == "hold"
    lift = {"document": document, "reason": "已了结"}
    hold.lift_hold(room.station, room.as_("lead", "hold.lift"), **lift)
    room.refused("same_person_twice", hold.lift_hold, room.station, room.as_("lead", "hold.lift"), **lift)
    room.refused("blocked", room.execute, batch, "op2")
    hold.lift_hold(room.station, room.as_("secadmin", "hold.lift"), **lift)
    room.refused("no_hold", hold.lift_hold, room.station, room.as_("prin", "hold.lift"), **lift)
    assert room.execute(batch, "op2")["state"] == "verified"


@pytest.mark.req("R-117")
def test_a_hold_that_came_between_two_calls_needs_its_own_two(room: Room) -> None:
    document = room.expired()
    adder = room.as_("dir", "hold.add")
    hold.add_hold(room.station, adder, document=document, reason="一")
    hold.lift_hold(room.station, room.as_("lead", "hold.lift"), document=document, reason="解除")
    hold.add_hold(room.station, adder, document=document, reason="二")
    value = hold.lift_hold(room.station, room.as_("prin", "hold.lift"), document=document, reason="解除")
    assert [item["lift_first"] for item in value["holds"]] == ["p-prin"], (
        "the first hold is off, the second asked for"
    )
    value = hold.lift_hold(room.station, room.as_("lead", "hold.lift"), document=document, reason="解除")
    assert value["holds"] == []


# ---------------------------------------------------------------- the list


@pytest.mark.req("R-118")
def test_documents_come_with_their_copies_line_by_line(room: Room) -> None:
    document = room.expired()
    back, lost = room.copy(document, status="returned"), room.copy(document, status="lost")
    room.copy(document, status="destroyed")
    value = room.propose(document)
    assert [(item["item"], item["kind"], item["id"]) for item in value["items"]] == [
        (1, "document", document), (2, "copy", back), (3, "copy", lost),
    ]  # fmt: skip
    assert blocks(value) == [[], [], []], "a lost copy whose incident is closed goes with its document"


@pytest.mark.req("R-117", "R-118")
@pytest.mark.parametrize(
    ("state", "step", "user"),
    [("proposed", "count", "arch"), ("counted", "approve", "dir"), ("approved", "supervise", "sup1"),
     ("supervised", "execute", "op1")],
)  # fmt: skip
def test_a_changed_list_is_void_at_every_step(room: Room, state: str, step: str, user: str) -> None:
    document = room.expired()
    batch = room.until(state, document)
    room.copy(document, status="returned")
    room.refused("list_changed", getattr(room, step), batch, user)
    with room.station.write() as session:
        session.execute(delete(Artefact).where(Artefact.copy_id.is_not(None)))
        session.execute(delete(Copy))
    room.change(document, level_code="C1")
    room.refused("list_changed", getattr(room, step), batch, user)
    room.change(document, level_code="I", retention_until="2020-01-01")
    room.refused("list_changed", getattr(room, step), batch, user)


@pytest.mark.req("R-117")
def test_one_open_batch_only(room: Room) -> None:
    document, other = room.expired(), room.expired()
    copy = room.copy(document, status="returned")
    batch = room.propose(document)["id"]
    assert room.refused("in_other_batch", room.propose, other, document).facts["batch"] == batch
    room.refused("in_other_batch", destruction.propose, room.station, room.as_("arch", "destroy.propose"),
                 copies=(copy,), reason="surplus_copy")  # fmt: skip
    room.refused(
        "not_your_batch", destruction.cancel, room.station, room.as_("arch", "destroy.propose"), batch=batch
    )
    assert (
        destruction.cancel(room.station, room.as_("clerk", "destroy.propose"), batch=batch)["state"]
        == "cancelled"
    )
    room.refused("destruction_state", room.count, batch, "arch")
    assert room.propose(document)["state"] == "proposed"
    assert [row["state"] for row in destruction.list_batches(room.station)["destructions"]] == [
        "cancelled",
        "proposed",
    ]


def test_refusing_ends_a_batch(room: Room) -> None:
    document = room.expired()
    batch = room.until("counted", document)
    room.refused("not_the_approver", destruction.refuse, room.station, room.as_("lead", "destroy.approve"),
                 batch=batch, reason="不同意")  # fmt: skip
    value = destruction.refuse(
        room.station, room.as_("dir", "destroy.approve"), batch=batch, reason="继续保存"
    )
    assert value["state"] == "refused" and room.last_entry()["reason_hash"]
    room.refused("destruction_state", room.approve, batch, "dir")
    assert room.propose(document)["state"] == "proposed"


def test_dry_runs_change_nothing(room: Room) -> None:
    document = room.expired()
    assert room.propose(document, dry_run=True)["dry_run"]
    assert destruction.list_batches(room.station)["destructions"] == []
    batch = room.propose(document)["id"]
    for state, step, users in (
        ("proposed", room.count, ("clerk", "arch")), ("counted", room.approve, ("dir",)),
        ("approved", room.supervise, ("sup1", "sup2")), ("supervised", room.execute, ("op1",)),
    ):  # fmt: skip
        before = room.show(batch)
        shown = step(batch, users[0], dry_run=True)
        assert shown.pop("draft")["batch"] == batch and shown == {**before, "dry_run": True}
        assert room.show(batch) == before and before["state"] == state
        for user in users:
            step(batch, user)
    room.clock.forward(minutes=6)
    before = room.show(batch)
    room.execute(batch, "op2", dry_run=True)
    assert room.show(batch) == before, "a rehearsal does not throw the first call away"
