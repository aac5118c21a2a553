"""The frame of the command line: global options anywhere, languages, one JSON value, errors, what is not yet built."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jiyao.cli import ROOMS, main
from jiyao.commands.frame import environment_lang
from jiyao.commands.show import clean
from jiyao.common.errors import JiyaoError
from jiyao.common.messages import LANGS, catalogue
from room import Answer, Room


def commands(
    group: click.Group = main, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


CONTRACT = """
init doctor person.add person.list account.add account.grant account.list account.disable account.password
account.delegate approval.request approval.give approval.refuse approval.list approval.paper circle.set circle.show
receive ingest documents.list documents.show documents.text documents.export documents.amend documents.void
documents.rescan documents.appraise documents.archive documents.handover review.list review.show review.accept
review.set review.sheet review.split review.merge batch.list batch.show batch.sheet batch.handover batch.close
copies.issue copies.list copies.return copies.recall copies.lost copies.forward copies.replace trace due
inventory.start inventory.scan inventory.close register.export destroy.propose destroy.count destroy.approve
destroy.refuse destroy.supervise destroy.execute destroy.attest destroy.show destroy.list destroy.cancel
certificate.show certificate.verify ledger.verify ledger.head ledger.proof ledger.export hold.add hold.lift
backup.create backup.verify restore backup.restore backup.drill policy.show policy.check policy.activate learn
learn.report drill.make drill.read drill.report vault.rekey serve bench
"""


def test_every_command_of_the_contract_is_there() -> None:
    assert set(CONTRACT.split()) <= {".".join(words) for words, _ in commands()}


@pytest.mark.parametrize(("lang", "word"), [("zh", "批量收录"), ("en", "The main job")])
def test_help_speaks_the_language_named_after_it(lang: str, word: str) -> None:
    assert word in CliRunner().invoke(main, ["ingest", "--help", "--lang", lang]).output


@pytest.mark.parametrize("lang", LANGS)
def test_every_command_and_option_explains_itself(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIYAO_LANG", lang)
    silent = []
    for words, command in commands():
        if not command.help:
            silent.append(" ".join(words))
        context = click.Context(command, info_name=words[-1])
        for option in command.params:
            record = option.get_help_record(context) if isinstance(option, click.Option) else None
            if record is not None and not record[1].partition("  [")[0].strip("[]"):
                silent.append(f"{' '.join(words)} {record[0]}")
    assert not silent, "\n".join(silent)


def test_every_room_can_be_found() -> None:
    assert set(ROOMS) == {words[0] for words, _ in commands() if len(words) == 1}


@pytest.mark.parametrize(
    "words",
    [
        ("serve",), ("ingest", "x", "--executor", "dask:tls://h:1"),
    ],
)  # fmt: skip
def test_not_yet_built(words: tuple[str, ...], founded: Room) -> None:
    answer = founded.run(*words)
    assert (answer.exit, answer.code) == (2, "not_yet_built")
    assert set(answer.value) == {"error"}


def test_roots_refused(room: Room) -> None:
    for root, code in (
        ("tpm:0", "unknown_root"),
        ("pkcs11:x", "token_uri"),
        ("pkcs11:token=a?module-path=/x&pin-value=2468", "token_uri_pin"),
        ("pkcs11:token=a?module-path=/x", "token_mirror_needed"),
    ):
        answer = room.refused(
            "init", "--root", root, "--home", room.base / "hsm", exit=2, code=code, user=None
        )
        assert "2468" not in str(answer)
    assert not (room.base / "hsm").exists()


# ---------------------------------------------------------------- global options


def _plain(room: Room, *words: str, **env: str) -> Answer:
    """A command line exactly as given."""
    given = {name: value for name, value in room.environment(**env).items() if name != "JIYAO_HOME"}
    gone = {name: None for name in os.environ if name.startswith("JIYAO_") and name not in given}
    result = CliRunner().invoke(main, list(words), env={**given, **gone, "JIYAO_HOME": None})
    return Answer(result.exit_code, None, result.stdout, result.stderr)


@pytest.mark.parametrize("place", range(3))
def test_global_options_work_before_and_after_the_command(founded: Room, place: int) -> None:
    words = ["ledger", "verify"]
    words[place:place] = ["--json", "--user", "auditor", "--home", str(founded.home), "--lang", "en"]
    answer = _plain(founded, *words)
    assert answer.exit == 0, answer.err
    assert json.loads(answer.out)["ok"] is True


def test_user_and_home_from_the_environment(founded: Room) -> None:
    answer = _plain(founded, "ledger", "verify", "--json", JIYAO_USER="auditor", JIYAO_HOME="/nowhere")
    assert answer.exit == 3
    assert founded.run("ledger", "verify", user=None, JIYAO_USER="auditor").exit == 0
    assert founded.run("ledger", "verify", user=None).code == "no_user"


def test_language(founded: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    zh = founded.run("documents", "show", "D1", "--lang", "zh", as_json=False)
    en = founded.run("documents", "show", "D1", "--lang", "en", as_json=False)
    assert zh.err.startswith("错误：没有文件 D1") and "documents list" in zh.err
    assert en.err.startswith("Error: There is no document D1")
    assert zh.err.count("\n") == en.err.count("\n") == 1
    for name in ("JIYAO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert environment_lang() == "zh"
    for value, lang in (("C.UTF-8", "zh"), ("en_GB.UTF-8", "en"), ("zh_CN.UTF-8", "zh"), ("de_DE", "zh")):
        monkeypatch.setenv("LANG", value)
        assert environment_lang() == lang
    monkeypatch.setenv("JIYAO_LANG", "en")
    assert environment_lang() == "en"


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nonsense",), "usage_no_command"),
        (("documents", "nonsense"), "usage_no_command"),
        (("documents", "list", "--nonsense"), "usage_no_option"),
        (("documents", "list", "--limit", "x"), "usage_bad_value"),
        (("documents", "list", "--level", "最高"), "unknown_level"),
        (("documents", "list", "extra"), "usage"),
        (("trace", "x"), "usage_missing"),
        (("documents", "show"), "usage_missing"),
        (("copies", "issue", "D1", "--to", "x"), "usage_missing"),
        (("copies", "issue", "D1", "--to", "x", "--out", "o", "--due", "soon"), "bad_date"),
        (("review", "set", "D1", "--field", "title", "--reason", "r"), "bad_field"),
        (("destroy", "propose", "--reason", "duplicate"), "options_one_of"),
        (("destroy", "propose", "--reason", "duplicate", "--due", "--document", "D1"), "options_one_of"),
        (("init", "--mirror", "a", "--single-root"), "options_exclude"),
        (("documents",), "usage_no_command_given"),
        ((), "usage_no_command_given"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", LANGS)
def test_wrong_usage_exits_2_in_both_languages(
    founded: Room, words: tuple[str, ...], code: str, lang: str
) -> None:
    answer = founded.run(*words, "--lang", lang)
    assert (answer.exit, answer.code) == (2, code)
    message = answer.value["error"]["message"]
    assert bool(re.search("[一-鿿]", message)) is (lang == "zh") or code in (
        "unknown_level",
        "usage",
        "usage_bad_value",
    )
    assert answer.value["error"]["hint"]


def test_help_needs_no_station(tmp_path: Path) -> None:
    for words, _ in commands():
        result = CliRunner().invoke(main, [*words, "--help"], env={"JIYAO_HOME": str(tmp_path / "none")})
        assert result.exit_code == 0, words


def test_no_station(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["documents", "list", "--json", "--home", str(tmp_path)])
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["code"] == "no_station"
    assert list(tmp_path.iterdir()) == []


def test_an_unforeseen_error_leaves_class_and_place_only(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("words of a document")

    monkeypatch.setattr("jiyao.pipeline.papers.documents.list_documents", fail)
    answer = room.run("documents", "list")
    assert (answer.exit, answer.code) == (15, "unexpected")
    log = (room.home / "logs/jiyao.log").read_text("utf-8")
    assert re.fullmatch(r"\S+ KeyError jiyao\.commands\.documents:\d+\n", log)
    assert "words of a document" not in answer.out + answer.err + log


@pytest.mark.parametrize(
    ("error", "exit", "code"),
    [
        (OSError(28, "No space left on device"), 9, "disk_full"),
        (OSError(5, "Input/output error"), 9, "disk_full"),
        (OSError(30, "Read-only file system"), 9, "disk_full"),
        (PermissionError(13, "Permission denied", "/x"), 9, "no_permission"),
        (FileNotFoundError(2, "No such file", "/x/y"), 3, "no_file"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
)  # fmt: skip
def test_errors_of_the_machine(
    room: Room, monkeypatch: pytest.MonkeyPatch, error: BaseException, exit: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("jiyao.pipeline.papers.documents.list_documents", fail)
    answer = room.run("documents", "list")
    assert (answer.exit, answer.code) == (exit, code)
    assert set(answer.value) == {"error"}
    assert set(answer.value["error"]) == {"code", "message", "hint"}


def test_every_error_class_has_an_exit_of_the_contract() -> None:
    found = {kind.exit_code for kind in JiyaoError.__subclasses__()} | {JiyaoError.exit_code}
    assert found <= {2, 3, 4, 5, 6, 7, 8, 9, 15, 130}


def test_words_of_a_paper_do_not_drive_the_terminal() -> None:
    assert clean("a\x1b[2Jb\u202ec\x00") == "a�[2Jb�c�"
    assert clean("正常 text\n") == "正常 text\n"


def test_every_status_has_its_word() -> None:
    for status in (
        "received", "pending", "pending_second", "registered", "duplicate", "quarantined", "refused", "failed",
        "archived", "handed_over", "void", "destroyed", "issued", "returned", "recalled", "lost", "replaced",
    ):  # fmt: skip
        assert f"status_{status}" in catalogue()
