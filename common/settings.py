"""The station's own file: what must be known before anything is opened. Holds no secret."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .errors import Broken, NotThere, Refused
from .token_uri import TokenUri, is_token, parse_token_uri

FORMAT = 1
NAME = "station.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """Facts fixed at `init`, but for the places of the roots. Paths are absolute; `station_level` is a level id."""

    format: int
    store_uuid: str
    unit: str
    profile: str
    suite: str
    kdf: str
    root_kind: str
    root_path: str
    mirrors: tuple[str, ...]
    single_root: bool
    registry: str
    station_level: str
    authorisation: str | None
    initialised: bool = False
    """False while `init` is still at work: such a home is not a station yet."""
    root_events: int = 0
    """How many of the registry's root events (mirrors added and written off since) stand in this file already."""

    @property
    def roots(self) -> tuple[Path | TokenUri, ...]:
        """The root and its mirrors: folders, or addresses of tokens."""
        return tuple(root_at(text) for text in (self.root_path, *self.mirrors))

    @property
    def root_folders(self) -> tuple[Path, ...]:
        """Those of the roots that are folders."""
        return tuple(root for root in self.roots if isinstance(root, Path))


def root_at(text: str) -> Path | TokenUri:
    """A root's place as the station's file names it.

    Raises:
        UsageFault: `token_uri`, `token_uri_pin`.
    """
    return parse_token_uri(text) if is_token(text) else Path(text)


def default_home() -> Path:
    """`$JIYAO_HOME`, else `~/.jiyao`."""
    return Path(os.environ.get("JIYAO_HOME") or Path.home() / ".jiyao").expanduser().absolute()


def load(home: Path) -> Settings:
    """Reads the station's file.

    Raises:
        NotThere: there is no station in `home`.
        Broken: the file is damaged.
        Refused: it was written by a newer version.
    """
    settings = peek(home)
    if settings.format > FORMAT:
        raise Refused("format_too_new", what=NAME)
    if not settings.initialised:
        raise NotThere("init_unfinished", home=str(home))
    return settings


def peek(home: Path) -> Settings:
    """The file's facts, also of a station that was only half made.

    Raises:
        NotThere: there is no file. Broken: it is damaged.
    """
    path = home / NAME
    try:
        plain = json.loads(path.read_text("utf-8"))
        settings = Settings(**{**plain, "mirrors": tuple(plain["mirrors"])})
    except FileNotFoundError:
        raise NotThere("no_station", home=str(home)) from None
    except (ValueError, TypeError, KeyError):
        raise Broken("station_file_damaged", file=str(path)) from None
    return settings


def save(home: Path, settings: Settings) -> None:
    """Writes the file whole or not at all."""
    temporary = home / f".{NAME}.new"
    with temporary.open("w", encoding="utf-8") as out:
        json.dump(asdict(settings), out, ensure_ascii=False, indent=1)
        out.flush()
        os.fsync(out.fileno())
    temporary.chmod(0o600)
    temporary.replace(home / NAME)
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def finished(settings: Settings) -> Settings:
    """The same settings, marked as a complete station."""
    return replace(settings, initialised=True)
