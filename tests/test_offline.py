"""Nothing of the product speaks to a network (R-145): no module knows a client, and no act opens a connection."""

from __future__ import annotations

import ast
import socket
from pathlib import Path
from typing import Any

import pytest

from jiyao.pipeline.station import backup, ledgers
from room_kit import Room
from tools import tree

NETWORK = frozenset({
    "socket", "socketserver", "ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib",
    "smtplib", "imaplib", "poplib", "telnetlib", "nntplib", "xmlrpc", "websockets", "paramiko", "webbrowser",
})  # fmt: skip
LOCAL = {"pipeline/intake/virus.py": "AF_UNIX"}
"""Modules that speak to a program on the same machine, and the only family of addresses they name."""


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.req("R-145")
def test_no_module_knows_a_client_of_a_network(repo: Path) -> None:
    for path in tree.package_files(repo):
        name = path.relative_to(repo).as_posix()
        names = {one for one in imported(path) if one in NETWORK or one.split(".")[0] in NETWORK}
        if name in LOCAL:
            text = path.read_text("utf-8")
            assert LOCAL[name] in text and "AF_INET" not in text and "create_connection" not in text, name
            continue
        assert not names, f"{name} imports {sorted(names)}"


@pytest.mark.req("R-145", "R-143")
def test_from_the_paper_to_the_certificate_no_connection_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what leaves as a file for safe keeping is sealed: the backup holds not a word of the text."""
    tried: list[Any] = []

    def refuse(_self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    room = Room(tmp_path / "room")
    text = "虚构渠段的闸门埋深应调整为四点二五米，此句只供查找。"
    kept = room.document(text=text)
    room.until("certified", room.expired())
    file = tmp_path / "backup.tar"
    backup.create(room.station, room.as_("sysadmin", "backup"), out=file)
    assert ledgers.verify_log(room.station)["ok"] and room.row(kept).status == "registered"
    sealed = file.read_bytes()
    assert not tried and not any(text[:12].encode(code) in sealed for code in ("utf-8", "utf-16-le", "gbk"))
