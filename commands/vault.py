"""The key tree as a whole."""

from __future__ import annotations

from ..pipeline.station import rekey
from . import show
from .frame import Room, enter

vault = Room("vault")


@vault.command("rekey")
def vault_rekey() -> None:
    show.run(lambda: rekey.rekey(*enter("vault.rekey")), show.record)
