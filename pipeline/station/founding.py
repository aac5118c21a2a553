"""`init`: makes a station with its three administrators, its root outside the home, its authority and its policy.

A home that was only half made is not a station: nothing opens it, and a new `init` clears it away.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ...common import settings as station_file
from ...common.clock import Clock, SystemClock
from ...common.errors import NotThere, Refused, UsageFault
from ...common.settings import NAME, Settings, root_at
from ...common.token_uri import TokenUri, is_token, parse_token_uri
from ...models.level import Family, Level
from ...models.migrate import upgrade
from ...models.policy.loader import default_policy_text, parse_policy
from ...models.tables import Account, PolicyVersion
from ...vault.root import FILE_NAME
from ...vault.roots import RootSet
from ...vault.suite import suite_named
from ...vault.vault import create_vault
from ..persons import people
from . import authority, sm2_key, tallies
from .empty_registry import clear_unfinished, require_empty
from .registry import on_server, open_engine
from .roots import root_places, roots_found, weakest
from .secrets import Secrets
from .station import Station

PROFILES = ("organ", "company", "soe", "hospital", "college")
DEFAULT_LEVEL = Level.COMPANY_TOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `init` was asked to make. `root` as on the command line: `file`, `file:DIR`, `pkcs11:…`; a mirror is a
    folder, or a `pkcs11:` address.

    Without mirrors and without the acknowledged `single_root`, a mirror is made beside a root file; `doctor` says when
    both lie on one device. For a token one of the two must be named: a file beside it would lower its class.
    """

    unit: str
    profile: str = "organ"
    suite: str = "aes"
    root: str = "file"
    mirrors: Sequence[Path | str] = ()
    single_root: bool = False
    registry: str | None = None
    station_level: Level = DEFAULT_LEVEL
    authorisation: str | None = None
    sysadmin: str = "sysadmin"
    secadmin: str = "secadmin"
    auditor: str = "auditor"
    kdf: str = "normal"


def found_station(home: Path, plan: Plan, secrets: Secrets, *, clock: Clock | None = None) -> dict[str, Any]:
    """Makes the station.

    Raises:
        Refused: there is one already, the root lies inside the home, a state level without authorisation.
        UsageFault: unknown profile or suite, administrators not apart, something not yet built, a token's address.
        MissingTool: the suite or the token's library is not there. WrongSecret: the token's PIN.
    """
    home = home.absolute()
    root, *mirrors = _roots(home, plan)
    _check(home, plan, [root_at(text) for text in (root, *mirrors)])
    users = (plan.sysadmin, plan.secadmin, plan.auditor)
    passphrase = secrets.passphrase(new=True)
    passwords = {user: secrets.password(user, new=True) for user in users}
    store = uuid.uuid4()
    settings = Settings(
        format=station_file.FORMAT,
        store_uuid=str(store),
        unit=plan.unit,
        profile=plan.profile,
        suite=plan.suite,
        kdf=plan.kdf,
        root_kind="pkcs11" if is_token(root) else "file",
        root_path=root,
        mirrors=tuple(mirrors),
        single_root=not mirrors,
        registry=plan.registry or f"sqlite:///{home / 'registry.db'}",
        station_level=plan.station_level.value,
        authorisation=plan.authorisation,
    )
    places = root_places(settings, secrets)
    # A wrong PIN or a token that is away is said before anything is written.
    RootSet(places).login()
    _clear_unfinished(home)
    engine = open_engine(settings.registry) if on_server(settings.registry) else None
    if engine is not None:
        require_empty(engine)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "logs").mkdir(mode=0o700, exist_ok=True)
    station_file.save(home, settings)
    engine = engine or open_engine(settings.registry)
    upgrade(engine)
    station = Station(home=home, settings=settings, engine=engine, clock=clock or SystemClock())
    with station.write() as session:
        station.adopt(
            create_vault(
                session, blobs=station.blobs, roots=places, store_uuid=store.bytes,
                passphrase=passphrase, suite=plan.suite, kdf=plan.kdf, home=home,
            )
        )  # fmt: skip
        _first_rows(station, session, passwords, users)
    station_file.save(home, station_file.finished(settings))
    found = roots_found(settings)
    return {
        "home": str(home),
        "unit": plan.unit,
        "profile": plan.profile,
        "suite": plan.suite,
        "kdf": plan.kdf,
        "root": {
            "kind": settings.root_kind, "path": root, "class": weakest(found),
            "mirrors": list(settings.mirrors), "single": settings.single_root,
            "each": [root.plain for root in found],
        },
        "registry": settings.registry,
        "station_level": settings.station_level,
        "policy": {"version": station.policy.version, "state": "provisional"},
        "accounts": list(users),
    }  # fmt: skip


def _first_rows(
    station: Station, session: Session, passwords: dict[str, str], users: tuple[str, str, str]
) -> None:
    text = default_policy_text()
    policy = parse_policy(text)
    session.add(
        PolicyVersion(
            version=policy.version, sha256=policy.sha256, state="provisional", text=text, at=station.now()
        )
    )
    session.flush()
    authority.found(station, session)
    chinese = sm2_key.found(station, session)
    for user, role in zip(users, ("sysadmin", "secadmin", "auditor"), strict=True):
        people.new_person(station, session, person=user, name=user, clearance="none", dept=None)
        people.new_account(station, session, user=user, person=user, password=passwords[user])
        session.get_one(Account, user).roles = role
    tallies.recount(session)
    station.log(
        session, "init", objects=users,
        facts={
            "suite": station.settings.suite, "kdf": station.settings.kdf, "policy": policy.sha256,
            "root": station.settings.root_kind, "root_class": weakest(roots_found(station.settings)),
            **({"sm2_sha256": chinese} if chinese else {}),
            "token_backups": [root.backups for root in station.settings.roots if isinstance(root, TokenUri)],
        },
    )  # fmt: skip


def _roots(home: Path, plan: Plan) -> tuple[str, ...]:
    """Root and mirrors as the station's file keeps them."""
    mirrors = [str(mirror) for mirror in plan.mirrors]
    mirrors = [mirror if is_token(mirror) else str(Path(mirror).absolute()) for mirror in mirrors]
    if is_token(plan.root):
        parse_token_uri(plan.root)
        if not mirrors and not plan.single_root:
            raise UsageFault("token_mirror_needed")
        return (plan.root, *mirrors)
    kind, _, rest = plan.root.partition(":")
    if kind != "file":
        raise UsageFault("unknown_root", root=plan.root)
    root = Path(rest).absolute() if rest else home.with_name(home.name + ".root")
    if not mirrors and not plan.single_root:
        mirrors = [str(root.with_name(root.name + ".mirror"))]
    return (str(root), *mirrors)


def _check(home: Path, plan: Plan, roots: Sequence[Path | TokenUri]) -> None:
    if plan.profile not in PROFILES:
        raise UsageFault("unknown_profile", profile=plan.profile, profiles="、".join(PROFILES))
    if len({plan.sysadmin, plan.secadmin, plan.auditor}) != 3:
        raise UsageFault("administrators_three")
    if plan.registry and on_server(plan.registry):
        open_engine(plan.registry)
    elif plan.registry and not plan.registry.startswith("sqlite:"):
        raise UsageFault("registry_kind", kind=plan.registry.partition(":")[0])
    suite_named(plan.suite)
    for folder in roots:
        if isinstance(folder, Path) and folder.resolve().is_relative_to(home.resolve()):
            raise Refused("root_inside_home", path=str(folder))
    if plan.station_level.family is Family.STATE and not plan.authorisation:
        raise Refused("authorisation_needed", level=plan.station_level.value)
    if (home / NAME).exists():
        try:
            station_file.load(home)
        except NotThere:
            return
        raise Refused("station_exists", home=str(home))
    if home.exists() and any(home.iterdir()):
        raise Refused("home_not_empty", home=str(home))


def _clear_unfinished(home: Path) -> None:
    """Removes what an interrupted `init` left: a station file without its end, and roots nobody uses."""
    if not (home / NAME).exists():
        return
    try:
        station_file.load(home)
    except NotThere as error:
        if error.code != "init_unfinished":
            raise
        plain = station_file.peek(home)
        if on_server(plain.registry):
            clear_unfinished(open_engine(plain.registry), uuid.UUID(plain.store_uuid).bytes)
        for folder in plain.root_folders:
            (folder / FILE_NAME).unlink(missing_ok=True)
        shutil.rmtree(home)
