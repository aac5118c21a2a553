"""The newest head of the ledger that is known outside the home: what a restore may not fall behind unnoticed.

It lies in a file beside the home, as the roots do, and never in a backup; a checkpoint slip does the same service on
paper. Threat model: an older backup is put back so that acts of the last days were never done. Destructions are held by
the root's epoch besides; this holds every other entry. Who can write the file can take it away: then the slip is left.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from ...common.canonical import canonical
from ...ledger.heads import LogIdentity, TreeHead, genuine, head_json


def place(home: Path) -> Path:
    """Where it lies."""
    return home.with_name(f"{home.name}.head.json")


def remember(home: Path, origin: str, head: TreeHead) -> None:
    """Keeps a signed head; a smaller one than is kept changes nothing. A place that cannot be written is left alone:
    the head is in the ledger all the same.
    """
    known = recall(home)
    if head.signature is None or (known is not None and known["size"] >= head.size):
        return
    path = place(home)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(canonical({"origin": origin, **head_json(head)}))
        part.chmod(0o600)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def recall(home: Path) -> dict[str, Any] | None:
    """The kept head: `origin, size, root, at, signature`; None when there is none that can be read."""
    try:
        value = json.loads(place(home).read_bytes())
        if isinstance(value["size"], int) and all(
            isinstance(value[key], str) for key in ("origin", "root", "at")
        ):
            return dict(value)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def is_genuine(value: dict[str, Any], identity: LogIdentity) -> bool:
    """Whether a kept head is signed by this log: a forged one must not stand in the way of a restore."""
    try:
        head = TreeHead(
            value["size"], bytes.fromhex(value["root"]), value["at"], base64.b64decode(value["signature"])
        )
    except (ValueError, KeyError, TypeError):
        return False
    return value["origin"] == identity.origin and genuine(head, identity)
