"""The certificates that are given away as vectors: what the stand-alone verifier, `pdfsig` and `openssl` say of each;
and what the verifier says in ten and in thirty years, in an empty folder and without a network.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jiyao.common.messages import LANGS, say
from jiyao.ledger import certificate_der, certificate_rules, certificate_sm2, certificate_verifier
from jiyao.ledger.certificate_rules import WORDS
from tools.certificate_vectors import outside

FOLDER = Path(__file__).parent / "vectors" / "certificate"
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text("utf-8"))
TRUST = (FOLDER / "ca.pem").read_bytes()
KINDS = ("proof", "title")
VERDICT = ("valid", "intact", "complete", "trusted", "reasons", "sm2")


def extras(case: dict[str, Any]) -> dict[str, bytes]:
    return {kind: (FOLDER / case[kind]).read_bytes() for kind in KINDS if kind in case}


@pytest.mark.req("R-116", "R-117", "R-127")
def test_each_vector_has_its_verdict_and_its_reason() -> None:
    for case in INDEX:
        report = certificate_verifier.check(
            (FOLDER / case["file"]).read_bytes(), trust_pem=TRUST, **extras(case)
        )
        assert {key: report[key] for key in VERDICT} == {key: case[key] for key in VERDICT}, case["file"]
    named = {case["file"] for case in INDEX}
    assert named == {path.name for path in FOLDER.glob("*.pdf")}
    refused = {reason for case in INDEX for reason in case["reasons"]}
    assert len(refused) >= 17 and refused <= set(WORDS)
    assert sum(case["valid"] and not case["reasons"] for case in INDEX) == 10


@pytest.mark.req("R-116")
def test_outside_programs_tell_what_they_can() -> None:
    """Bytes and authority, not who is missing: that is why there is a verifier of its own."""
    said = [
        (case, outside((FOLDER / case["file"]).read_bytes(), TRUST)) for case in INDEX if "proof" not in case
    ]
    if not any(answer for _, answer in said):
        pytest.skip("neither poppler-utils nor openssl is installed")
    for case, answer in said:
        assert answer == {name: case[name] for name in answer}, case["file"]
    sound = {case["file"] for case, answer in said if set(answer.values()) == {"valid"} and not case["valid"]}
    assert {"missing_supervisor.pdf", "swapped_attachments.pdf", "verdict_too_good.pdf"} <= sound


def test_the_verifiers_words_are_the_catalogues() -> None:
    for code, texts in WORDS.items():
        for lang, text in zip(LANGS, texts, strict=True):
            assert say(code, lang, day="{day}") == text, code


def _unshared() -> list[str]:
    """A command's beginning that takes the network away, where the machine lets us."""
    if not shutil.which("unshare"):
        return []
    command = ["unshare", "--net", "--map-root-user"]
    return (
        command
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        else []
    )


@pytest.mark.req("R-116", "R-127")
def test_ten_years_later_in_an_empty_folder_without_a_network(tmp_path: Path) -> None:
    for module in (certificate_verifier, certificate_rules, certificate_der, certificate_sm2):
        shutil.copy(str(module.__file__), tmp_path)
    for name in ("good.pdf", "ca.pem", "good.proof.given.json", "flipped.pdf"):
        shutil.copy(FOLDER / name, tmp_path)
    # the script is run as an outsider runs it; nothing of the product may be loaded by it
    start = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: assert not any(name.split('.')[0] == 'jiyao' for name in sys.modules)"
    )

    def run(*words: str, file: str = "good.pdf") -> tuple[int, dict[str, Any]]:
        command = [*_unshared(), sys.executable, "-I", "-c", start, "certificate_verifier.py", file]
        done = subprocess.run(
            [*command, "--trust", "ca.pem", *words], cwd=tmp_path, capture_output=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout)

    code, early = run("--at", "2026-11-21")
    assert (code, early["valid"], early["trusted"], early["notes"]) == (0, True, True, [])
    code, later = run("--at", "2036-11-22")
    assert (code, later["valid"], later["trusted"]) == (0, True, True), "not refused because time has passed"
    assert [note["code"] for note in later["notes"]] == ["note_revocations_until", "note_no_proof"]
    code, late = run("--at", "2056-11-22", "--proof", "good.proof.given.json")
    assert code == 0 and {note["code"] for note in late["notes"]} == {
        "note_expired_since", "note_authority_ended", "note_revocations_until",
    }  # fmt: skip
    for note in late["notes"]:
        assert (
            re.fullmatch(r"20\d\d-\d\d-\d\d", note["day"]) and note["day"] in late["words"][note["code"]][0]
        )
    code, before = run("--at", "2020-01-01")
    assert code == 0 and [note["code"] for note in before["notes"]] == ["note_future"]
    code, bent = run("--at", "2036-11-22", file="flipped.pdf")
    assert code == 7 and "已被改动" in bent["words"]["cert_digest"][0] and bent["notes"] == []
