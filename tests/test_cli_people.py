"""Secrets, persons, accounts and rights through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from room import PASSPHRASE, Room

KEYS = {"user", "person", "roles", "clearance", "status"}


@pytest.mark.req("R-137")
def test_init_and_its_value(tmp_path: Path) -> None:
    made = Room(base=tmp_path)
    made._secrets()
    value = made.ok("init", "--unit", "样张局", "--kdf", "test", user=None)
    assert {
        "home",
        "unit",
        "profile",
        "suite",
        "root",
        "registry",
        "station_level",
        "policy",
        "accounts",
    } <= set(value)
    assert set(value["root"]) >= {"kind", "path", "class", "mirrors"}
    assert value["station_level"] == "公司绝密"
    assert value["accounts"] == ["sysadmin", "secadmin", "auditor"]
    assert value["root"]["path"] == str(made.root) and len(value["root"]["mirrors"]) == 1
    assert value["policy"]["state"] == "provisional"
    made.refused("init", "--kdf", "test", user=None, code="station_exists")


def test_init_refuses(tmp_path: Path) -> None:
    made = Room(base=tmp_path)
    made._secrets()
    kdf = ("--kdf", "test")
    made.refused("init", *kdf, "--root", f"file:{made.home}/root", user=None, code="root_inside_home")
    made.refused("init", *kdf, "--station-level", "机密", user=None, code="authorisation_needed")
    made.refused("init", *kdf, "--sysadmin", "auditor", user=None, exit=2, code="administrators_three")
    made.refused("init", *kdf, "--profile", "bank", user=None, exit=2, code="usage_bad_value")
    assert not made.home.exists()
    assert (
        made.ok("init", *kdf, "--station-level", "S1", "--authorisation", "样批1", user=None)["station_level"]
        == "秘密"
    )


def test_person_and_account_values(room: Room) -> None:
    person = room.ok("person", "add", "wang.wu", "--name", "王五", "--clearance", "general", user="sysadmin")
    assert set(person) >= KEYS and person["status"] == "no_account" and person["user"] is None
    account = room.ok("account", "add", "clerk3", "--name", "王五", "--person", "wang.wu", user="sysadmin",
                      JIYAO_PASSWORDS_FILE=str(_passwords(room, clerk3="x")))  # fmt: skip
    assert set(account) >= KEYS and account["roles"] == []
    granted = room.ok(
        "account", "grant", "clerk3", "--role", "reader", "--clearance", "general", user="secadmin"
    )
    assert granted["roles"] == ["reader"]
    assert (
        len(room.ok("person", "list", user="sysadmin")["persons"])
        == len(room.ok("account", "list", user="sysadmin")["accounts"]) + 1
    )
    disabled = room.ok("account", "disable", "clerk3", user="sysadmin")
    assert disabled["status"] == "disabled"
    room.refused("person", "add", "wang.wu", "--name", "王五", user="sysadmin", code="person_exists")
    room.refused(
        "account", "add", "clerk", "--name", "x", "--person", "y", user="sysadmin", code="account_exists"
    )


def _passwords(room: Room, **more: str) -> Path:
    text = (room.base / "passwords").read_text("utf-8")
    text += "".join(f"{user}:{password}\n" for user, password in more.items())
    path = room.base / "more-passwords"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.req("R-137")
def test_three_administrators_stay_apart(room: Room) -> None:
    grant = ("account", "grant")
    room.refused(*grant, "sysadmin", "--role", "auditor", user="secadmin", code="administrators_apart")
    room.refused(
        *grant, "auditor", "--role", "jiyao_clerk", user="secadmin", code="administrator_no_business"
    )
    room.refused(*grant, "clerk", "--role", "sysadmin", user="secadmin", code="administrator_no_business")
    room.refused(*grant, "secadmin", "--role", "reader", user="secadmin", code="own_rights")
    for words, user in (
        (("account", "grant", "clerk", "--role", "reader"), "sysadmin"),
        (("account", "add", "x", "--name", "x", "--person", "x"), "secadmin"),
        (("ledger", "verify"), "clerk"),
        (("documents", "list"), "sysadmin"),
        (("documents", "list"), "auditor"),
        (("trace", "x", "--reason", "r"), "sysadmin"),
        (("backup", "create", "--out", "x"), "secadmin"),
        (("ingest", "/nowhere"), "reader"),
        (("copies", "issue", "D1", "--to", "x", "--out", "y"), "archivist"),
    ):
        room.refused(*words, user=user, code="role_missing")


def test_administrators_are_counted_by_person(room: Room) -> None:
    """A second account of the same person does not get round it."""
    path = _passwords(room, sys2="x")
    words = ("account", "add", "sys2", "--name", "x", "--person", "sysadmin")
    room.ok(*words, user="sysadmin", JIYAO_PASSWORDS_FILE=str(path))
    room.refused(
        "account", "grant", "sys2", "--role", "auditor", user="secadmin", code="administrators_apart"
    )
    room.refused(
        "account", "grant", "sys2", "--role", "reader", user="secadmin", code="administrator_no_business"
    )


@pytest.mark.req("R-132")
def test_five_wrong_passwords_lock_the_account(room: Room) -> None:
    wrong = room.base / "wrong"
    wrong.write_text("clerk:wrong\n", "utf-8")
    wrong.chmod(0o600)
    for _ in range(5):
        answer = room.run("documents", "list", JIYAO_PASSWORDS_FILE=str(wrong))
        assert (answer.exit, answer.code) == (5, "wrong_password")
    answer = room.run("documents", "list")
    assert (answer.exit, answer.code) == (5, "account_locked")
    assert room.ok("documents", "list", user="clerk2") is not None
    reset = room.ok("account", "password", "clerk", user="sysadmin")
    assert reset["user"] == "clerk"
    assert room.ok("documents", "list")["documents"] == []
    assert room.ok("ledger", "verify", user="auditor")["ok"]


def test_wrong_passphrase_and_missing_secrets(room: Room) -> None:
    answer = room.run("documents", "list", JIYAO_PASSPHRASE_FILE="", JIYAO_PASSPHRASE=PASSPHRASE + "x")
    assert (answer.exit, answer.code) == (5, "wrong_passphrase")
    assert room.run("documents", "list", JIYAO_PASSPHRASE_FILE="", JIYAO_PASSPHRASE=PASSPHRASE).exit == 0
    answer = room.run("documents", "list", JIYAO_PASSPHRASE_FILE="")
    assert (answer.exit, answer.code) == (5, "secret_missing")
    answer = room.run("documents", "list", JIYAO_PASSPHRASE_FILE="/nowhere")
    assert (answer.exit, answer.code) == (3, "secret_file_missing")
    (room.base / "passwords").chmod(0o640)
    assert room.run("documents", "list").code == "secret_file_open"


def test_the_role_is_checked_before_secrets_and_files(room: Room) -> None:
    """Nobody without the role learns whether a file exists, or is asked for anything."""
    room.extra["JIYAO_PASSPHRASE_FILE"] = "/nowhere"
    room.refused("ingest", "/no/such/file", user="auditor", code="role_missing")
    room.refused("trace", "/no/such/file", "--reason", "x", user="clerk", code="role_missing")
    room.refused("policy", "activate", "/no/such/file", user="clerk", code="role_missing")
    room.refused("documents", "list", user="nobody", exit=3, code="no_account")


def test_delegation(day: Room) -> None:
    room = day
    value = room.ok(
        "account",
        "delegate",
        "director",
        "--to",
        "reader",
        "--role",
        "office_director",
        "--until",
        "2099-01-01",
        user="director",
    )  # noqa: E501
    assert value["delegated"]["role"] == "office_director"
    document = room.plain
    asked = room.ok("approval", "request", "export", "--document", document)
    given = room.run("approval", "give", asked["id"], user="reader")
    assert given.exit == 0 and given.value["given"][0]["person"] == "reader"
    delegate = ("account", "delegate")
    room.refused(
        *delegate,
        "director",
        "--to",
        "reader",
        "--role",
        "office_director",
        "--until",
        "2099-01-01",
        user="leader",
        code="not_your_role",
    )  # noqa: E501
    room.refused(
        *delegate,
        "leader",
        "--to",
        "auditor",
        "--role",
        "leader_in_charge",
        "--until",
        "2099-01-01",
        user="leader",
        code="delegate_to",
    )  # noqa: E501
    room.refused(
        *delegate,
        "leader",
        "--to",
        "reader",
        "--role",
        "leader_in_charge",
        "--until",
        "2001-01-01",
        user="leader",
        code="date_past",
    )  # noqa: E501


def test_an_ambiguous_person(day: Room) -> None:
    room = day
    for person in ("zhao.1", "zhao.2"):
        room.ok("person", "add", person, "--name", "赵六", "--clearance", "general", user="sysadmin")
    document = room.plain
    room.refused("circle", "set", document, "赵六", user="leader", exit=2, code="ambiguous_person")
    room.refused("circle", "set", document, "无此人", user="leader", exit=3, code="no_person")
    value = room.ok("circle", "set", document, "李四", "zhao.1", user="leader")
    assert value["persons"] == ["li.si", "zhao.1"]


@pytest.mark.req("R-131")
def test_refused_acts_are_in_the_ledger(room: Room) -> None:
    room.refused("documents", "list", user="sysadmin", code="role_missing")
    room.refused("account", "grant", "secadmin", "--role", "reader", user="secadmin", code="own_rights")
    room.refused("documents", "show", "D2026-999999", exit=3, code="no_document")
    ends = [
        (entry["person"], entry["act"], entry["result"], entry["rule_or_approval"]) for entry in room.ledger()
    ]
    assert ("sysadmin", "documents", "denied", "role_missing") in ends
    assert ("secadmin", "account.grant", "denied", "own_rights") in ends
    assert ("clerk", "documents.show", "failed", "no_document") in ends


def test_password_change(room: Room) -> None:
    path = room.base / "new"
    path.write_text("clerk:brand-new\n", "utf-8")
    path.chmod(0o600)
    room.ok("account", "password", JIYAO_NEW_PASSWORDS_FILE=str(path))
    assert room.run("documents", "list").code == "wrong_password"
    assert room.run("documents", "list", JIYAO_PASSWORDS_FILE=str(path)).exit == 0
    room.refused("account", "password", "clerk", user="clerk2", code="role_missing")


@pytest.mark.req("R-138")
def test_the_security_administrator_enters_a_delegation_but_no_administrators_role(room: Room) -> None:
    until = ("--until", "2099-12-31")
    value = room.ok(
        "account",
        "delegate",
        "director",
        "--to",
        "leader",
        "--role",
        "office_director",
        *until,
        user="secadmin",
    )
    assert value["delegated"]["role"] == "office_director"
    room.refused(
        "account", "delegate", "secadmin", "--to", "leader", "--role", "secadmin", *until, user="secadmin",
        code="not_your_role",
    )  # fmt: skip
