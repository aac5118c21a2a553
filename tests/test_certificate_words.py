"""What a certificate prints is words: no code of the program reaches a reader."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from pathlib import Path

import pytest

import jiyao
from certificate_kit import AT, Case
from jiyao.common.clock import iso
from jiyao.common.messages import LANGS, catalogue
from jiyao.models.certificate import BackupFact, Check, ClearTrace, RootFacts
from jiyao.models.certificate_words import glossary, why, word
from jiyao.stages.certify_pdf import draw
from jiyao.vault.medium import Claim
from test_certificate import printed
from test_certificate_forms import CRUSHED, PLANT, RESERVED

CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
PACKAGE = Path(next(iter(jiyao.__path__)))
REASONS = (
    "resumed_without_witness", "sampled_64_of_900", "no_text", "no_passages_left", "backups_unreadable_3",
    "medium_written_off", None,
)  # fmt: skip


def faces(case: Case) -> str:
    """All pages of one certificate as text; nothing is signed."""
    parts = case.parts()
    record = parts["record"]
    given = {name: parts[name] for name in ("inventory", "names", "fonds")}
    return printed(draw(record=record, **given, attachments=(), at=AT))


def rich() -> dict[str, object]:
    """Changes that bring as many codes as a record can have."""
    checks = tuple(
        Check(name=f"V{n}", result="not_applicable" if n == 1 else "pass", reason=reason)  # type: ignore[arg-type]
        for n, reason in enumerate(REASONS, start=1)
    )
    root = RootFacts(
        kind="pkcs11", root_class="R5", mirrors=2, mirrors_done=1, single_root=True, kdf="test",
        erased="claim_overwrite_unproven", reasons=("medium_virtual",),
    )  # fmt: skip
    clear = tuple(
        ClearTrace(item="D1", kind=kind, id=f"C{n}", at=iso(AT), state=state)
        for n, (kind, state) in enumerate(
            (("inbox", "erased"), ("copy_out", "outstanding"), ("export", "returned"), ("print", "declared"),
             ("sheet", "outstanding"))
        )
    )  # fmt: skip
    backups = tuple(
        BackupFact(id=f"K{n}", at=iso(AT), epoch=1, state=state)  # type: ignore[arg-type]
        for n, state in enumerate(("unreadable", "pending_key_epoch", "unknown"))
    )
    return {
        "checks": checks, "root": root, "cleartext_history": clear, "outside_scope": clear, "backups": backups,
        "small_room": True, "redacted": True, "recovery": "single", "suite": "sm",
    }  # fmt: skip


@pytest.mark.req("R-127")
def test_no_code_is_printed_on_the_faces() -> None:
    """销毁证明, 销毁审批表, 销毁清册, outcomes and annexes; what the station destroys, paper, and media."""
    electronic = Case(items=2, verdict="complete_with_reservations", accepts=RESERVED,
                      accepts_by=("approve", "attest"), record_changes=rich())  # fmt: skip
    disc = dataclasses.replace(CRUSHED.media[0], verification="full", sanitization="purge")
    media = Case(items=1, kind="medium", level="机密", physical=dataclasses.replace(CRUSHED, media=(disc,)))
    for case in (electronic, Case(items=1, kind="carrier", level="机密", physical=PLANT), media):
        text = faces(case)
        assert CODE.findall(text) == [], text
    text = "".join(faces(electronic).split())
    assert "900个密钥槽中抽取64个" in text and "销毁前的3份备份" in text and "段落指纹" in text


def test_each_reason_of_a_check_has_words() -> None:
    """Every code that the checks can give, read from the code that gives them."""
    given = set(REASONS[:-1])
    for path in (PACKAGE / "pipeline" / "destruction").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_check", "Check"):
                values = [*node.args[2:], *(key.value for key in node.keywords if key.arg == "reason")]
                given |= {
                    leaf.value
                    for value in values
                    for leaf in ast.walk(value)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and "_" in leaf.value
                }
    assert {"no_passages_left", "mirror_missing", "physical_batch", "draft_not_run"} <= given
    for code in given - {"sampled_", "_of_", "backups_unreadable_"}:
        for lang in LANGS:
            assert why(code, lang) != code and "{" not in why(code, lang), code
    for claim in Claim:
        assert claim.value in catalogue()


def test_the_json_says_its_codes_in_words() -> None:
    """Somebody who reads `certificate.json` in ten years finds each code explained in it."""
    record = Case(items=1, record_changes=rich()).parts()["record"]
    value = json.loads(record.to_bytes())
    assert value["words"]["why"]["sampled_64_of_900"] == why("sampled_64_of_900")
    assert set(value["claims"]) == set(value["words"]["claim"])
    for group, words in glossary(record, value["claims"]).items():
        for code, text in words.items():
            assert text != code and not CODE.search(text), (group, code)
    assert word("why", "unheard_of") == "unheard_of"
