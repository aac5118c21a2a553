"""What the program does once a step of a matter is done; the policy names these by their keys (`effect`).

The names are declared in `models/policy/desk.py`, so that a policy which names another is refused with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from ..models.tables import Matter
from . import mending
from .actors import Actor
from .station import Station

Effect = Callable[[Station, Session, Actor, Matter], None]
EFFECTS: Final[Mapping[str, Effect]] = {
    "make_void": mending.make_void,
}
