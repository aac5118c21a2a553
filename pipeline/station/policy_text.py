"""A policy's text as the registry keeps it: the unit's list of secret matters sealed, the rest in clear.

Threat model: the database is read by somebody without the station's keys. The list (国家秘密事项一览表) is itself
classified, so its section stands under the registry key, bound to the version's hash; rules, levels and terms are
needed before the station is unlocked and stay readable. Put together again, the text must have the hash that author and
leader signed: a text that was changed, cut or exchanged is noticed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ...common.errors import Broken
from ...models.policy.nodes import compose, fault
from ...models.tables import PolicyVersion

if TYPE_CHECKING:
    from .station import Station

SECTION = "unit_secret_items"
_PURPOSE = "policy.items"


def keep(station: Station, session: Session, row: PolicyVersion, text: str) -> None:
    """Puts a policy's text into its row.

    Raises:
        UsageFault: `policy_invalid`, when the list does not stand on lines of its own.
    """
    clear, sealed = part(text)
    row.text, row.items_sealed = clear, None
    if sealed is not None:
        at, section = sealed
        row.items_sealed = station.seal(session, _PURPOSE, {"at": at, "text": section}, bind=row.sha256)


def whole(station: Station, session: Session, row: PolicyVersion) -> str:
    """The text as it was signed.

    Raises:
        Broken: `policy_altered`, when it is not; `register_altered`, when the list was.
    """
    text = row.text
    if row.items_sealed is not None:
        kept = station.unseal(session, _PURPOSE, row.items_sealed, bind=row.sha256)
        text = _joined(text, int(kept["at"]), str(kept["text"]))
    if hashlib.sha256(text.encode()).hexdigest() != row.sha256:
        raise Broken("policy_altered", version=row.version)
    return text


def part(text: str) -> tuple[str, tuple[int, str] | None]:
    """The text without its list, and the list's lines with the number of the first (from 0); None where it has none.

    Comments below the list, up to the next section, go with it.

    Raises:
        UsageFault: `policy_invalid`, as `keep`.
    """
    keys = [key for key, _ in compose(text).node.value]
    own = next((key for key in keys if key.value == SECTION), None)
    if own is None:
        return text, None
    first = int(own.start_mark.line)
    others = [int(key.start_mark.line) for key in keys if key is not own]
    if own.start_mark.column != 0 or first in others:
        fault(first + 1, f"{SECTION}: must begin on a line of its own")
    lines = text.splitlines(keepends=True)
    last = min((line for line in others if line > first), default=len(lines))
    return "".join(lines[:first] + lines[last:]), (first, "".join(lines[first:last]))


def _joined(clear: str, at: int, section: str) -> str:
    lines = clear.splitlines(keepends=True)
    return "".join([*lines[:at], section, *lines[at:]])
