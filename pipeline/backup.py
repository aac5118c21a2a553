"""Backup and restore: sealed files and the registry, never the root (vault.md sections 3 and 10).

A backup is a tar with a manifest of hashes. Its bytes are what lies in the home: ciphertext and the registry. It
opens only with the root of its own epoch, so every destruction makes older backups unreadable as far as keys go, and
a fresh one is due. Restoring needs two persons, proves everything before it writes, and refuses a home that is alive.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import func, select

from ..common import settings as station_file
from ..common.canonical import canonical
from ..common.clock import Clock, today
from ..common.errors import Broken, NotThere, Refused, WrongSecret
from ..common.settings import NAME
from ..models.rights import MAY
from ..models.tables import Account, Artefact, Backup, Document
from ..vault import kdf
from .actors import Actor, acting
from .ledgers import signed_head
from .registry import open_engine, reading
from .secrets import Secrets
from .station import Station

FORMAT = "jiyao.backup/1"
_MANIFEST = "manifest.json"
_REGISTRY = "registry.db"
WITHIN = timedelta(minutes=15)


def create(station: Station, actor: Actor, *, out: Path) -> dict[str, Any]:
    """Writes a backup.

    Raises:
        Refused: the file exists already. MissingTool: no space.
    """
    with acting(station, actor, "backup.create") as session:
        identifier = f"K{today(station.clock).year}-{station.next_number(session, 'backup'):05d}"
        epoch = station.vault.epoch
        head = signed_head(station, session)
        station.log(session, "backup.create", objects=(identifier,), person=actor.person, account=actor.user,
                    facts={"epoch": epoch})  # fmt: skip
    if out.exists():
        raise Refused("file_exists", file=str(out))
    temporary = out.with_name(f".{out.name}.part")
    with station.scratch() as scratch, station.vault.lease():
        copy = scratch.path / _REGISTRY
        _copy_registry(station, copy)
        with station.read() as session:
            paths = sorted(session.scalars(select(Artefact.path).where(Artefact.state == "live")))
            documents = session.scalar(select(func.count()).select_from(Document)) or 0
        members = {NAME: station.home / NAME, _REGISTRY: copy}
        members |= {f"blobs/{path}": station.blobs / path for path in paths}
        manifest = {
            "format": FORMAT,
            "id": identifier,
            "store": station.settings.store_uuid,
            "at": station.now(),
            "epoch": epoch,
            "documents": documents,
            "ledger": {"size": head.size, "root": head.root.hex()},
            "files": {
                name: {"sha256": _hash(path), "size": path.stat().st_size} for name, path in members.items()
            },
        }
        try:
            _write(temporary, manifest, members)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    temporary.replace(out)
    digest = _hash(out)
    with acting(station, actor, "backup.create", objects=(identifier,)) as session:
        session.add(
            Backup(
                id=identifier,
                at=station.now(),
                by=actor.person,
                epoch=epoch,
                documents=documents,
                sha256=digest,
            )
        )
    return {"file": str(out), "id": identifier, "sha256": digest, "documents": documents, "epoch": epoch}


def verify(file: Path) -> dict[str, Any]:
    """Checks every file of a backup against its manifest; needs no secret.

    Raises:
        NotThere: no such file. Broken: not a backup, or altered; names the member.
    """
    manifest = _manifest(file)
    seen: set[str] = set()
    for name, data in _members(file):
        if name == _MANIFEST:
            continue
        expected = manifest["files"].get(name)
        if expected is None or name in seen or hashlib.sha256(data).hexdigest() != expected["sha256"]:
            raise Broken("backup_altered", value=_value(file, manifest, ok=False), member=name)
        seen.add(name)
    missing = sorted(set(manifest["files"]) - seen)
    if missing:
        raise Broken("backup_altered", value=_value(file, manifest, ok=False), member=missing[0])
    return _value(file, manifest, ok=True)


def restore(home: Path, file: Path, *, user: str, secrets: Secrets, clock: Clock) -> dict[str, Any]:
    """Restores into an empty home. The first person's call waits; a second person's, within 15 minutes, restores.

    The root of the backup's epoch must be in its place: the root store is never part of a backup. A backup from
    before the newest destruction finds another epoch there and is refused.

    Raises:
        Refused: the home is alive, role missing, same person twice. WrongSecret: password or passphrase.
        Broken: altered, or `key_store_rolled_back`.
    """
    value = verify(file)
    _empty(home)
    part = home.with_name(home.name + ".restore")
    _unpack(file, part)
    try:
        return _restored(home, file, part, value, user=user, secrets=secrets, clock=clock)
    except BaseException:
        if not (part / _WAITING).exists():
            shutil.rmtree(part, ignore_errors=True)
        raise


def _restored(
    home: Path, file: Path, part: Path, value: dict[str, Any], *, user: str, secrets: Secrets, clock: Clock
) -> dict[str, Any]:
    engine = open_engine(f"sqlite:///{part / _REGISTRY}")
    with reading(engine) as session:
        account = session.get(Account, user)
        if account is None:
            raise NotThere("no_account", user=user)
        roles, person, encoded = frozenset(account.roles.split(",")), account.person_id, account.password_hash
        active = account.status == "active"
    if not roles & MAY["restore"] or not active:
        raise Refused("role_missing", user=user, roles="、".join(sorted(MAY["restore"])))
    passphrase = secrets.passphrase()
    if not kdf.verify_password(secrets.password(user), encoded):
        raise WrongSecret("wrong_password", user=user, until="")
    engine.dispose()
    settings = station_file.load(part)
    station = Station(
        home=part, settings=settings, engine=open_engine(f"sqlite:///{part / _REGISTRY}"), clock=clock
    )
    station.unlock(passphrase)
    first = _first_call(part, person, _hash(file), clock)
    if first is None:
        return {**value, "home": str(home), "state": "waiting", "first": person}
    if first == person:
        raise Refused("same_person_twice", person=person)
    with station.write() as session:
        station.log(session, "restore", objects=(value["id"],), person=person, account=user,
                    facts={"first": first, "epoch": station.vault.epoch})  # fmt: skip
    station.engine.dispose()
    (part / _WAITING).unlink()
    if home.exists():
        home.rmdir()
    part.rename(home)
    return {**value, "home": str(home), "state": "restored", "first": first, "second": person}


_WAITING = "restore.json"


def _first_call(part: Path, person: str, digest: str, clock: Clock) -> str | None:
    """The person who asked to restore this very file a short while ago; else notes down who asks now."""
    path = part / _WAITING
    if path.exists():
        plain = json.loads(path.read_text("utf-8"))
        if clock.now() - datetime.fromisoformat(plain["at"]) <= WITHIN and plain.get("sha256") == digest:
            return str(plain["person"])
    path.write_text(json.dumps({"person": person, "sha256": digest, "at": clock.now().isoformat()}), "utf-8")
    return None


def _empty(home: Path) -> None:
    if home.exists() and any(home.iterdir()):
        raise Refused("home_not_empty", home=str(home))


def _copy_registry(station: Station, target: Path) -> None:
    """A consistent copy of the registry while others may work."""
    source_path = station.engine.url.database
    if source_path is None:
        raise Refused("backup_needs_sqlite")
    source = sqlite3.connect(source_path)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()


def _write(path: Path, manifest: dict[str, Any], members: dict[str, Path]) -> None:
    with path.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            data = canonical(manifest)
            info = tarfile.TarInfo(_MANIFEST)
            info.size, info.mode = len(data), 0o600
            tar.addfile(info, io.BytesIO(data))
            for name, member in members.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = member.stat().st_size, 0o600
                with member.open("rb") as source:
                    tar.addfile(info, source)
        out.flush()
        os.fsync(out.fileno())


def _manifest(file: Path) -> dict[str, Any]:
    for name, data in _members(file):
        if name == _MANIFEST:
            try:
                manifest: dict[str, Any] = json.loads(data)
            except ValueError:
                break
            if manifest.get("format") == FORMAT and isinstance(manifest.get("files"), dict):
                return manifest
        break
    raise Broken("not_a_backup", file=str(file))


def _members(file: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the plain files of a backup; nothing else may stand in one."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            for info in tar:
                path = PurePosixPath(info.name)
                if not info.isreg() or path.is_absolute() or ".." in path.parts:
                    raise Broken("backup_altered", member="?")
                source = tar.extractfile(info)
                yield info.name, source.read() if source else b""
    except FileNotFoundError:
        raise NotThere("no_file", file=str(file)) from None
    except (tarfile.TarError, EOFError):
        raise Broken("not_a_backup", file=str(file)) from None


def _unpack(file: Path, part: Path) -> None:
    """Lays the verified members out; an earlier, waiting attempt keeps its word of the first person."""
    part.mkdir(mode=0o700, parents=True, exist_ok=True)
    (part / "logs").mkdir(mode=0o700, exist_ok=True)
    for name, data in _members(file):
        if name == _MANIFEST:
            continue
        target = part / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for stale in (target, target.with_name(target.name + "-wal"), target.with_name(target.name + "-shm")):
            stale.unlink(missing_ok=True)
        target.write_bytes(data)
        target.chmod(0o600)


def _hash(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _value(file: Path, manifest: dict[str, Any], *, ok: bool) -> dict[str, Any]:
    return {
        "ok": ok, "file": str(file), "id": manifest["id"], "documents": manifest["documents"],
        "epoch": manifest["epoch"], "at": manifest["at"],
    }  # fmt: skip
