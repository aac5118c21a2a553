"""Whose a registry is: of one store, and on a server of one home.

A registry that lies in the home goes where the home goes. A server's database stays where it is: a copy of the home
would work in it beside the home it belongs to, each with its own sealed files and its own idea of who is alone with the
keys. So the database keeps where its home is, and a second one is refused for as long as the first is there and names
the same database. A home that was moved, restored or put on another disk has left nothing at the old place: it is the
database's home from its next command on.

Accepted: homes of two machines never meet here, since only a socket of this machine is spoken to.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ...common import settings as station_file
from ...common.errors import Broken, JiyaoError, Refused
from ...common.settings import Settings
from ...models.tables import Meta
from ...vault.keystore import read_row
from .registry import on_server, reading, writing

_HOME = "home"


def require_own(engine: Engine, settings: Settings, home: Path) -> None:
    """Refuses a registry of another store, and a database whose home is another one.

    Raises:
        Broken: `registry_foreign`. Refused: `registry_other_home`.
    """
    home = home.absolute()
    with reading(engine) as session:
        _require_store(session, settings)
        if not on_server(settings.registry):
            return
        known = _home(session)
    if known == home:
        return
    if known is not None and _works_here(known, settings, home):
        raise Refused("registry_other_home", home=str(known))
    with writing(engine) as session:
        session.merge(Meta(key=_HOME, value=str(home).encode("utf-8", "surrogateescape")))


def _require_store(session: Session, settings: Settings) -> None:
    try:
        own = read_row(session).head.store_uuid.hex() == settings.store_uuid.replace("-", "")
    except Broken:
        return  # damaged: whoever opens the vault is told what is wrong with it
    if not own:
        raise Broken("registry_foreign")


def _home(session: Session) -> Path | None:
    row = session.get(Meta, _HOME)
    return None if row is None else Path(row.value.decode("utf-8", "surrogateescape"))


def _works_here(known: Path, settings: Settings, home: Path) -> bool:
    """Whether the home that the database knows is still there, another than this one, and works in this database."""
    try:
        if known.samefile(home):
            return False
        there = station_file.peek(known)
    except (FileNotFoundError, NotADirectoryError, JiyaoError):
        return False
    except OSError:
        return True  # it cannot be looked into: nothing says that it is gone
    return (there.store_uuid, there.registry) == (settings.store_uuid, settings.registry)
