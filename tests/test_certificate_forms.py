"""The certificate's forms and rules beyond its signatures: reservations, paper and media, closure, hidden titles."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certificate_kit import AT, BURNT, CLOSED, NAMES, PLANT, SALT, TITLES, Case, station
from jiyao.common.clock import iso
from jiyao.ledger import certificate_der, certificate_rules, certificate_sm2, certificate_verifier
from jiyao.models.certificate import claims, title_salt
from jiyao.models.physical import Load, MediumRecord, PhysicalFacts, faults
from jiyao.stages import certify as certify_stage
from jiyao.stages.verify_certificate import verify
from test_certificate import made, pem, printed

SHREDDED = PhysicalFacts(
    route="certified_shredder", methods=("shred",), place="机要室", began=iso(AT), ended=iso(AT + timedelta(hours=1)),
    equipment="样例牌碎纸机", equipment_no="样检〔2026〕7号", standard="样例标准", grade="最高级",
)  # fmt: skip
DISC = MediumRecord(
    item=1, manufacturer="样例厂", model="M1", serial="SN-00017", media_type="固态盘", source="机要室01号机",
    level_before="机密", sanitization="destroy", verification="visual", level_after="", destination="残渣送销毁中心",
)  # fmt: skip
CRUSHED = dataclasses.replace(
    SHREDDED, methods=("degauss", "crush"), route="designated_plant_escorted", media=(DISC,)
)
RESERVED = ("reservation_outside", "reservation_root_unproven")


def codes(facts: PhysicalFacts, *, route: str, rank: int = 80, items: int = 1, pages: int = 10,
          media: tuple[int, ...] = ()) -> list[str]:  # fmt: skip
    lines = range(1, items + 1)
    load = Load(
        ranks=dict.fromkeys(lines, rank), routes=dict.fromkeys(lines, route), media=frozenset(media), pages=pages,
        most_items=20, most_pages=200,
    )  # fmt: skip
    return [code for code, _ in faults(facts, load)]


@pytest.mark.req("R-119")
def test_paper_up_to_secret_goes_to_the_plant_with_two_escorts() -> None:
    route = "designated_plant_escorted"
    assert codes(PLANT, route=route) == []
    for name in ("plant_receipt", "way", "seal_no", "departed", "arrived"):
        assert codes(dataclasses.replace(PLANT, **{name: ""}), route=route) == ["physical_needs"], name
    assert codes(dataclasses.replace(PLANT, escorts=("P06",)), route=route) == ["physical_escorts"]
    assert codes(dataclasses.replace(PLANT, escorts=("P06", "P06")), route=route) == ["physical_escorts"]
    assert codes(dataclasses.replace(PLANT, arrived=iso(AT - timedelta(hours=2))), route=route) == [
        "physical_times"
    ]
    assert "physical_needs" in codes(SHREDDED, route=route), "nothing says that it was a small amount"


@pytest.mark.req("R-120")
def test_top_secret_paper_is_burnt_in_the_unit_by_a_named_person() -> None:
    assert codes(BURNT, route="in_house_burn", rank=90) == []
    assert "physical_burn_in_house" in codes(PLANT, route="in_house_burn", rank=90)
    assert codes(dataclasses.replace(BURNT, performed_by=()), route="in_house_burn", rank=90) == [
        "physical_needs"
    ]
    assert "physical_burn_only" in codes(SHREDDED, route="in_house_burn", rank=90)


@pytest.mark.req("R-123")
def test_a_small_amount_is_shredded_in_the_unit_within_the_policys_limit() -> None:
    route, small = "designated_plant_escorted", dataclasses.replace(SHREDDED, small_amount=True)
    assert codes(small, route=route) == []
    assert codes(small, route=route, items=21) == ["physical_not_small"]
    assert codes(small, route=route, pages=201) == ["physical_not_small"]
    assert codes(dataclasses.replace(small, grade=""), route=route) == ["physical_needs"]
    assert codes(SHREDDED, route="certified_shredder", rank=20, items=500) == []


@pytest.mark.req("R-122", "R-125")
def test_what_leaves_the_content_readable_is_refused() -> None:
    for methods in (("delete_only",), ("overwrite",), ("overwrite", "delete_only")):
        facts = dataclasses.replace(CRUSHED, methods=methods)
        assert "physical_soft" in codes(facts, route="x", rank=40, media=(1,)), methods
        assert "physical_soft" not in codes(facts, route="x", rank=35, media=(1,)), methods
    assert codes(dataclasses.replace(PLANT, methods=("sold",)), route="x") == ["physical_method"]
    assert "physical_paper_method" in codes(dataclasses.replace(PLANT, methods=("degauss",)), route="x")
    assert codes(CRUSHED, route="x", media=(1,)) == []
    assert codes(dataclasses.replace(CRUSHED, media=()), route="x", media=(1,)) == ["physical_medium_record"]
    wiped = dataclasses.replace(CRUSHED, methods=("device_sanitize",))
    assert codes(wiped, route="x", media=(1,)) == ["physical_medium_kept"]
    kept = dataclasses.replace(wiped, media=(dataclasses.replace(DISC, level_after="机密"),))
    assert codes(kept, route="x", media=(1,)) == [], "it stays at its level"


@pytest.mark.req("R-119", "R-120", "R-125")
def test_paper_and_media_get_a_certificate_in_the_same_form() -> None:
    done = Case(items=2, kind="carrier", level="机密", physical=PLANT).make()
    text = "".join(printed(done.pdf).split())
    for wanted in ("实物销毁情况", "样例市涉密载体销毁中心", "销字2026-118", "F0231", "孙六如（P06）", "化浆",
                   "销毁审批表", "销毁清册", "批次汇总"):  # fmt: skip
        assert wanted in text, wanted
    assert "密钥已销毁" not in text and "系统不在现场" in text
    text = "".join(printed(Case(items=1, kind="medium", level="机密", physical=CRUSHED).make().pdf).split())
    for wanted in ("介质信息消除与销毁记录", "SN-00017", "残渣送销毁中心", "消磁、压碎"):
        assert wanted in text, wanted


BENT: list[tuple[str, dict[str, Any], str]] = [
    ("paper without facts", {"kind": "carrier"}, "cert_physical"),
    ("top paper at the plant", {"kind": "carrier", "physical": dataclasses.replace(PLANT, route="in_house_burn")},
     "cert_physical"),
    ("one escort", {"kind": "carrier", "physical": dataclasses.replace(PLANT, escorts=("P06",))}, "cert_physical"),
    ("documents with paper facts", {"physical": PLANT}, "cert_physical"),
    ("other facts than signed", {"kind": "carrier", "physical": PLANT,
                                 "record_changes": {"physical": dataclasses.replace(PLANT, plant="别处")}},
     "cert_physical"),
    ("accepted by nobody", {"verdict": "complete_with_reservations"}, "cert_reservations"),
    ("accepted by the approver alone",
     {"verdict": "complete_with_reservations", "accepts": RESERVED, "accepts_by": ("approve",)}, "cert_reservations"),
    ("complete, yet reserved", {"verdict": "complete", "accepts": RESERVED}, "cert_verdict"),
]  # fmt: skip


@pytest.mark.req("R-116")
@pytest.mark.parametrize(("name", "bend", "reason"), BENT, ids=[row[0] for row in BENT])
def test_what_such_a_certificate_must_not_be(
    monkeypatch: pytest.MonkeyPatch, name: str, bend: dict[str, Any], reason: str
) -> None:
    report = made(monkeypatch, Case(items=1, **bend))
    assert report.intact and not report.valid and reason in report.reasons


@pytest.mark.req("R-116")
def test_reservations_are_printed_with_who_accepted_them() -> None:
    done = Case(
        verdict="complete_with_reservations", accepts=RESERVED, accepts_by=("approve", "attest")
    ).make()
    text = "".join(printed(done.pdf).split())
    assert "知悉并接受" in text and "赵四光（P04）事后证明" in text and "D20260001" in text
    value = json.loads(pypdf.PdfReader(io.BytesIO(done.pdf)).attachments["certificate.json"][0])
    assert [entry["code"] for entry in value["reservations"]] == list(RESERVED)


@pytest.mark.req("R-127")
def test_every_kind_of_derived_thing_is_listed_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(items=1)
    items = case.parts()["record"].items
    short = (dataclasses.replace(items[0], closure=CLOSED[1:]),)
    assert "cert_closure" in made(monkeypatch, Case(items=1, record_changes={"items": short})).reasons
    left = tuple(dataclasses.replace(one, outcome="left") for one in CLOSED)
    bad = (dataclasses.replace(items[0], closure=left),)
    assert "cert_verdict" in made(monkeypatch, Case(items=1, record_changes={"items": bad})).reasons


@pytest.mark.req("R-118")
def test_a_hidden_title_is_opened_by_the_salt_given_apart() -> None:
    parts = Case(items=2, record_changes={"redacted": True}).parts()
    parts["inventory"] = [dataclasses.replace(line, title="") for line in parts["inventory"]]
    pdf = certify_stage.certify(**parts).pdf
    text = printed(pdf)
    assert "题名摘要" in text and not any(title[2:10] in text for title in TITLES)
    assert "claim_redacted" in claims(parts["record"])
    batch = parts["record"].batch
    salt = title_salt(SALT, "D20260001").hex()
    opened = {"batch": batch, "item": 1, "salt": salt, "title": TITLES[1]}
    assert verify(pdf, title=json.dumps(opened).encode()).valid
    for change, reason in (
        ({"title": TITLES[2]}, "cert_title_wrong"), ({"salt": salt[:-2] + "00"}, "cert_title_wrong"),
        ({"item": 2}, "cert_title_wrong"), ({"item": 9}, "cert_title_other"), ({"batch": "X"}, "cert_title_other"),
        ({"salt": "zz"}, "cert_title_other"),
    ):  # fmt: skip
        report = verify(pdf, title=json.dumps({**opened, **change}).encode())
        assert not report.valid and report.reasons == (reason,), change
    assert title_salt(SALT, "D20260001") != title_salt(SALT, "D20260002"), "one opened title opens no other"


@pytest.mark.req("R-117")
def test_a_dry_runs_draft_is_marked_and_is_no_certificate() -> None:
    parts = Case(items=1).parts()
    shown = {"record": parts["record"], "inventory": parts["inventory"], "names": NAMES, "fonds": "样例"}
    pdf = certify_stage.draft(**shown, at=parts["signed_at"])
    pages = len(pypdf.PdfReader(io.BytesIO(pdf)).pages)
    text = printed(pdf)
    assert pages > 3 and text.count("样张") == pages and text.count("试运行") >= pages
    assert verify(pdf).reasons == ("cert_no_seal",)


def test_the_verifier_is_four_files_that_need_nothing_else() -> None:
    for module in (certificate_rules, certificate_verifier, certificate_der, certificate_sm2):
        text = Path(str(module.__file__)).read_text("utf-8")
        named = {line.split()[1].split(".")[0] for line in text.splitlines()
                 if line.startswith(("import ", "from ")) and not line.startswith("from __future__")}  # fmt: skip
        assert named <= {
            "argparse", "base64", "hashlib", "hmac", "io", "itertools", "json", "re", "sys", "warnings", "dataclasses",
            "datetime", "pathlib", "typing", "pypdf", "cryptography",
        }, named  # fmt: skip


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_seal_itself(tmp_path: Path) -> None:
    """The seal cut out of the file by its /ByteRange, with no library at all; altered, it fails."""
    pdf = Case(items=1).make().pdf
    _, (start, end) = certificate_verifier.seal_of(pdf)
    (tmp_path / "seal.der").write_bytes(bytes.fromhex(pdf[start + 1 : end - 1].decode()))
    (tmp_path / "content").write_bytes(pdf[:start] + pdf[end:])
    (tmp_path / "ca.pem").write_bytes(station().ca.certificate.public_bytes(Encoding.PEM))
    assert pem(station()) == (tmp_path / "ca.pem").read_bytes()
    at = str(int((AT + timedelta(minutes=115)).timestamp()))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in", "seal.der",
               "-content", "content", "-CAfile", "ca.pem", "-attime", at, "-out", "out"]  # fmt: skip
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    bent = bytearray((tmp_path / "content").read_bytes())
    bent[len(bent) // 2] ^= 1
    (tmp_path / "content").write_bytes(bent)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
