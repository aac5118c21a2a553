"""Where a station's roots lie, and how well they can be erased: for the vault, for `init` and for `doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...common.errors import JiyaoError
from ...common.settings import Settings
from ...common.token_uri import TokenUri
from ...vault.medium import Medium
from ...vault.pkcs11_token import Token
from ...vault.roots import RootPlace, root_medium
from .secrets import Secrets


@dataclass(frozen=True, slots=True)
class RootFound:
    """One root as it can be judged without any secret. `medium` is None when it is not there or does not answer,
    and `trouble` then the message code."""

    name: str
    medium: Medium | None
    trouble: str | None = None

    @property
    def plain(self) -> dict[str, object]:
        """For the JSON of `init`."""
        medium = self.medium
        return {
            "path": self.name, "class": medium.root_class.value if medium else None,
            "reasons": list(medium.reasons) if medium else [],
        }  # fmt: skip


def root_places(settings: Settings, secrets: Secrets | None) -> tuple[RootPlace, ...]:
    """The roots as the vault takes them; a token asks `secrets` for its PIN when it needs it."""
    return tuple(_place(root, secrets) for root in settings.roots)


def roots_found(settings: Settings) -> tuple[RootFound, ...]:
    """Each root as it is now, judged without a secret."""
    return tuple(_found(root) for root in settings.roots)


def weakest(found: Sequence[RootFound]) -> str:
    """The class of the station: that of its weakest root."""
    return max((root.medium.root_class.value if root.medium else "R5" for root in found), default="R5")


def _place(root: Path | TokenUri, secrets: Secrets | None) -> RootPlace:
    if isinstance(root, Path):
        return root
    return Token(root, pin=None if secrets is None else lambda uri: secrets.pin(uri))


def _found(root: Path | TokenUri) -> RootFound:
    place = _place(root, None)
    try:
        there = place.exists() if isinstance(place, Path) else place.present()
        if not there:
            return RootFound(str(root), None, "root_missing")
        return RootFound(str(root), root_medium(place))
    except JiyaoError as error:
        return RootFound(str(root), None, error.code)
