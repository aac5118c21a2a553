"""Backup and restore: sealed files and the registry, never the root (vault.md sections 3 and 10).

A backup is a tar with a manifest of hashes. Its bytes are what lies in the home: ciphertext and the registry. It
opens only with the root of its own epoch, so every destruction makes older backups unreadable as far as keys go, and
a fresh one is due. Restoring needs two persons, and refuses a home that is alive.

Threats: a file altered on its way (hashes; `verify` needs no secret); one made up by somebody who can write files (the
manifest bears a keyed hash under the registry key, checked as soon as the passphrase has opened it, and before
anything is put in place); names that lead out of the folder (only the names a backup can have are taken); one person
approving another file than the first one saw (the waiting word names the file). Accepted: `verify` without a
passphrase says that a file is whole, not who wrote it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ...common import settings as station_file
from ...common.canonical import canonical
from ...common.clock import Clock, iso, today
from ...common.errors import Broken, MissingTool, NotThere, Refused, WrongSecret
from ...common.settings import NAME
from ...ledger import log
from ...models.ledger_entry import Fact
from ...models.rights import MAY
from ...models.tables import Account, Approval, Artefact, Backup, Document, KeyStoreRow
from ...vault import kdf
from ..desk import timers
from ..persons import four_eyes
from ..persons.actors import Actor, acting
from . import drill, known_head, witness
from .empty_registry import empty_database
from .ledgers import identity_of, signed_head
from .registry import open_engine, reading
from .registry_copy import copy_registry
from .secrets import Secrets
from .station import Station

FORMAT = "jiyao.backup/1"
_MANIFEST = "manifest.json"
_MAC = "manifest.mac"
_REGISTRY = "registry.db"
_PURPOSE = "backup"
_BLOB = re.compile(r"blobs/[a-z0-9][a-z0-9_-]{0,31}/[0-9a-f]{2}/[0-9a-f]{32}\.jyb")
_MANIFEST_BYTES = 64 * 1024 * 1024
"""Greatest size of a manifest, in bytes."""
WITHIN = timedelta(minutes=15)


def create(station: Station, actor: Actor, *, out: Path, tree: bool = False) -> dict[str, Any]:
    """Writes a backup.

    Args:
        tree: the registry with the keys only, which changes with each destruction; the sealed files, which do not, are
            taken from older backups at a restore. Its manifest names each of them with its hash.

    Raises:
        Refused: the file exists already. MissingTool: no space.
    """
    with acting(station, actor, "backup.create") as session:
        if out.exists():
            raise Refused("file_exists", file=str(out))
        identifier = f"K{today(station.clock).year}-{station.next_number(session, 'backup'):05d}"
        head = signed_head(station, session)
    temporary = out.with_name(f".{out.name}.part")
    with station.scratch() as scratch, station.vault.lease():
        copy = scratch.path / _REGISTRY
        _copy_registry(station, copy)
        paths, documents, epoch = _contents(copy)
        members = {NAME: station.home / NAME, _REGISTRY: copy}
        blobs = {f"blobs/{path}": station.blobs / path for path in paths}
        members |= {} if tree else blobs
        manifest = {
            "format": FORMAT,
            "id": identifier,
            "store": station.settings.store_uuid,
            "at": station.now(),
            "epoch": epoch,
            "documents": documents,
            "ledger": {"size": head.size, "root": head.root.hex()},
            "files": _listed(members),
            "elsewhere": _listed(blobs) if tree else {},
        }
        data = canonical(manifest)
        with station.read() as session:
            mac = station.vault.keyed_hash(session, _PURPOSE, data)
        temporary.unlink(missing_ok=True)
        try:
            _write(temporary, data, mac, members)
            digest = _hash(temporary)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise MissingTool("disk_full", where=str(out.parent)) from error
    with acting(station, actor, "backup.create", objects=(identifier,)) as session:
        station.log(session, "backup.create", objects=(identifier,), person=actor.person, account=actor.user,
                    facts={"epoch": epoch, "documents": documents, "sha256": digest, "tree": tree})  # fmt: skip
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
        drill.begin_clock(station, session, drill.CLOCK)
        timers.end(station, session, (drill.DUE_AFTER_DESTRUCTION,), object_id=drill.OBJECT)
    temporary.replace(out)
    known_head.remember(station.home, station.settings.store_uuid, head)
    return {
        "file": str(out), "id": identifier, "sha256": digest, "documents": documents, "epoch": epoch, "tree": tree,
    }  # fmt: skip


def _listed(members: dict[str, Path]) -> dict[str, dict[str, Any]]:
    return {name: {"sha256": _hash(path), "size": path.stat().st_size} for name, path in members.items()}


def verify(file: Path, *, files: Sequence[Path] = ()) -> dict[str, Any]:
    """Checks every file of a backup against its manifest; needs no secret.

    Args:
        files: older backups that hold the sealed files this one only names.

    Raises:
        NotThere: no such file. Broken: not a backup, or altered; names the member; `backup_incomplete`.
    """
    manifest, _, _ = _manifest(file)
    wanted = dict(manifest.get("elsewhere", {}))
    for older in files:
        for name, data in _members(older):
            if name in wanted and hashlib.sha256(data).hexdigest() == wanted[name]["sha256"]:
                del wanted[name]
    if files and wanted:
        raise Broken("backup_incomplete", value=_value(file, manifest, ok=False), missing=len(wanted))
    seen: set[str] = set()
    for name, data in _members(file):
        if name in (_MANIFEST, _MAC):
            continue
        expected = manifest["files"].get(name)
        if expected is None or name in seen or hashlib.sha256(data).hexdigest() != expected["sha256"]:
            raise Broken("backup_altered", value=_value(file, manifest, ok=False), member=name)
        seen.add(name)
    missing = sorted(set(manifest["files"]) - seen)
    if missing:
        raise Broken("backup_altered", value=_value(file, manifest, ok=False), member=missing[0])
    return _value(file, manifest, ok=True)


def restore(
    home: Path,
    file: Path,
    *,
    user: str,
    secrets: Secrets,
    clock: Clock,
    files: Sequence[Path] = (),
    slip: str | None = None,
    accept_loss: bool = False,
    registry: str | None = None,
) -> dict[str, Any]:
    """Restores into an empty home. The first person's call waits; a second person's, within 15 minutes, restores.

    The root of the backup's epoch must be in its place: the root store is never part of a backup. A backup from
    before the newest destruction finds another epoch there and is refused.

    Between the two calls only the first person's word lies beside the home. The registry goes into the home itself,
    also when the station had it elsewhere, unless `registry` names an empty database of a server.

    Destructions come first: the newest registry says what lives, and of older backups only that is taken. A ledger that
    falls behind the newest head known (beside the home, or on a slip) is refused, unless both persons accept the loss;
    that they did, and from where on, is then the first new entry.

    Args:
        files: older backups that hold the sealed files this one only names. slip: the code of a checkpoint slip.

    Raises:
        Refused: the home is alive, role missing, same person twice, `ledger_behind`, `registry_in_use`.
        WrongSecret: a wrong secret.
        Broken: altered, incomplete, or `key_store_rolled_back`.
    """
    value = verify(file, files=files)
    manifest, _, _ = _manifest(file)
    if manifest.get("elsewhere") and not files:
        raise Broken("backup_incomplete", value=value, missing=len(manifest["elsewhere"]))
    _empty(home)
    server = None if registry is None else empty_database(registry)
    part = home.with_name(home.name + ".restore")
    waiting = _waiting(part)
    try:
        _unpack(file, part, files)
        station, person = _entered(home, part, user, secrets, clock)
        _authentic(station, file)
        behind = _behind(station, home, slip)
        if behind is not None and not accept_loss:
            raise Refused("ledger_behind", size=behind["size"], entries=behind["entries"])
        first = _first_call(station, waiting, str(value["sha256"]), clock)
        if first is None:
            waiting = _word(station, person, str(value["sha256"]), clock)
            return {**value, "home": str(home), "state": "waiting", "first": person}
        roles = four_eyes.acts("restore")
        with station.write() as session:
            four_eyes.apart(session, person, roles, [(first, roles)], since=iso(clock.now() - WITHIN))
            facts: dict[str, Fact] = {"first": first, "epoch": station.vault.epoch, "sha256": value["sha256"]}
            facts |= {} if behind is None else {"known": behind["size"], "root": behind["root"]}
            station.log(session, "restore", objects=(value["id"],), person=person, account=user, facts=facts)
        settings = station.settings
        if server is not None and registry is not None:
            copy_registry(station.engine, server)
            settings = replace(settings, registry=registry)
        station.engine.dispose()
        if server is not None:
            for old in part.glob(_REGISTRY + "*"):
                old.unlink()
        station_file.save(part, settings)
        if home.exists():
            home.rmdir()
        part.rename(home)
        waiting = None
        return {**value, "home": str(home), "state": "restored", "first": first, "second": person}
    finally:
        _tidy(part, waiting)


_WAITING = "restore.json"


def _entered(home: Path, part: Path, user: str, secrets: Secrets, clock: Clock) -> tuple[Station, str]:
    """The restored station, unlocked, and the person who asks for it. Role first, then passphrase, then password."""
    engine = open_engine(f"sqlite:///{part / _REGISTRY}")
    with reading(engine) as session:
        account = session.get(Account, user)
        if account is None:
            raise NotThere("no_account", user=user)
        roles, status = frozenset(account.roles.split(",")), account.status
        person, encoded = account.person_id, account.password_hash
    if not roles & MAY["restore"] or status != "active":
        raise Refused("role_missing", user=user, roles="、".join(sorted(MAY["restore"])))
    settings = replace(station_file.load(part), registry=f"sqlite:///{home / _REGISTRY}")
    station = Station(home=part, settings=settings, engine=engine, clock=clock)
    station.unlock(secrets.passphrase(), secrets)
    if not kdf.verify_password(secrets.password(user), encoded):
        raise WrongSecret("wrong_password", user=user, until="")
    return station, person


def _behind(station: Station, home: Path, slip: str | None) -> dict[str, Any] | None:
    """A head that is known and that the restored ledger does not reach or hold; None when it holds all that is known.

    Raises:
        UsageFault: `slip_unreadable`.
    """
    with station.read() as session:
        identity = identity_of(station, session)
        known = [witness.read(slip)] if slip is not None else []
        kept = known_head.recall(home)
        if kept is not None and known_head.is_genuine(kept, identity):
            known.append(kept)
        entries = log.size(session)
        for head in sorted(known, key=lambda one: -int(one["size"])):
            own = head["origin"] == identity.origin
            if own and (
                head["size"] > entries or log.head_at(session, head["size"]).root.hex() != head["root"]
            ):
                return {"size": head["size"], "root": head["root"], "entries": entries}
    return None


def opened_copy(part: Path, file: Path, files: Sequence[Path], secrets: Secrets, clock: Clock) -> Station:
    """A backup laid out in a folder and unlocked, as a station of its own that nobody works in.

    Raises:
        Broken: altered, incomplete, or `key_store_rolled_back`. WrongSecret: the passphrase.
    """
    _unpack(file, part, files)
    settings = replace(station_file.load(part), registry=f"sqlite:///{part / _REGISTRY}")
    station = Station(home=part, settings=settings, engine=open_engine(settings.registry), clock=clock)
    station.unlock(secrets.passphrase(), secrets)
    _authentic(station, file)
    return station


def _authentic(station: Station, file: Path) -> None:
    """The backup was written by this station.

    Raises:
        Broken: `backup_altered`: manifest and keyed hash do not belong together.
    """
    manifest, data, mac = _manifest(file)
    with station.read() as session:
        own = station.vault.keyed_hash(session, _PURPOSE, data)
    if not hmac.compare_digest(own, mac) or manifest["store"] != station.settings.store_uuid:
        raise Broken("backup_altered", value=_value(file, manifest, ok=False), member=_MANIFEST)


def _word(station: Station, person: str, sha256: str, clock: Clock) -> bytes:
    """The first person's word, with a keyed hash: who restores, which file, when."""
    word = {"person": person, "sha256": sha256, "at": clock.now().isoformat()}
    with station.read() as session:
        mac = station.vault.keyed_hash(session, _WAITING, canonical(word)).hex()
    return canonical({**word, "mac": mac})


def _first_call(station: Station, waiting: bytes | None, sha256: str, clock: Clock) -> str | None:
    """Who spoke first, for this very file and not too long ago."""
    try:
        word = json.loads(waiting or b"{}")
        mac = bytes.fromhex(word.pop("mac"))
        age = clock.now() - datetime.fromisoformat(word["at"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    with station.read() as session:
        own = station.vault.keyed_hash(session, _WAITING, canonical(word))
    genuine = hmac.compare_digest(own, mac) and word["sha256"] == sha256
    return str(word["person"]) if genuine and timedelta(0) <= age <= WITHIN else None


def _waiting(part: Path) -> bytes | None:
    try:
        return (part / _WAITING).read_bytes()
    except OSError:
        return None


def _tidy(part: Path, waiting: bytes | None) -> None:
    """Between the two calls only the first one's word lies there; no half-restored registry."""
    shutil.rmtree(part, ignore_errors=True)
    if waiting is not None:
        part.mkdir(mode=0o700, parents=True)
        (part / _WAITING).write_bytes(waiting)


def _empty(home: Path) -> None:
    if home.exists() and any(home.iterdir()):
        raise Refused("home_not_empty", home=str(home))


def _contents(registry: Path) -> tuple[list[str], int, int]:
    """Sealed files, number of documents and key epoch of a registry's copy: the backup is of one moment."""
    engine = open_engine(f"sqlite:///{registry}")
    try:
        with reading(engine) as session:
            paths = set(
                session.scalars(select(Artefact.path).where(Artefact.state.in_(("live", "superseded"))))
            )
            paths |= set(filter(None, session.scalars(select(Approval.paper_path))))
            documents = session.scalar(select(func.count()).select_from(Document)) or 0
            epoch = session.get_one(KeyStoreRow, 1).epoch
    finally:
        engine.dispose()
    return sorted(paths), documents, epoch


def _copy_registry(station: Station, target: Path) -> None:
    """A consistent copy of the registry while others may work, always one file."""
    source_path = station.engine.url.database
    if source_path is None or station.engine.dialect.name != "sqlite":
        engine = open_engine(f"sqlite:///{target}")
        copy_registry(station.engine, engine)
        with engine.connect() as plain:
            # What is packed is the file alone, without a log beside it.
            plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return
    source = sqlite3.connect(source_path)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()


def _write(path: Path, manifest: bytes, mac: bytes, members: dict[str, Path]) -> None:
    with path.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, data in ((_MANIFEST, manifest), (_MAC, mac.hex().encode())):
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), 0o600
                tar.addfile(info, io.BytesIO(data))
            for name, member in members.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = member.stat().st_size, 0o600
                with member.open("rb") as source:
                    tar.addfile(info, source)
        out.flush()
        os.fsync(out.fileno())


def _manifest(file: Path) -> tuple[dict[str, Any], bytes, bytes]:
    """The manifest, its bytes, and the keyed hash over them: the first two members."""
    members = _members(file)
    first, second = next(members, ("", b"")), next(members, ("", b""))
    try:
        if (first[0], second[0]) == (_MANIFEST, _MAC) and len(first[1]) <= _MANIFEST_BYTES:
            manifest, mac = json.loads(first[1]), bytes.fromhex(second[1].decode("ascii"))
            if _sound(manifest):
                return manifest, first[1], mac
    except (ValueError, RecursionError):
        pass
    raise Broken("not_a_backup", file=str(file))


def _sound(manifest: Any) -> bool:
    """Whether every part that is read has its type; what it says is judged elsewhere."""
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return False
    kinds = {"id": str, "store": str, "at": str, "epoch": int, "documents": int, "files": dict}
    elsewhere = manifest.get("elsewhere", {})
    if not isinstance(elsewhere, dict):
        return False
    return all(isinstance(manifest.get(name), kind) for name, kind in kinds.items()) and all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str)
        for entry in (*manifest["files"].values(), *elsewhere.values())
    )


def _members(file: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the plain files of a backup; nothing else may stand in one."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            for info in tar:
                known = info.name in (_MANIFEST, _MAC, NAME, _REGISTRY) or _BLOB.fullmatch(info.name)
                if not info.isreg() or info.issparse() or not known:
                    raise Broken("backup_altered", member="?")
                source = tar.extractfile(info)
                yield info.name, source.read() if source else b""
    except FileNotFoundError:
        raise NotThere("no_file", file=str(file)) from None
    except OSError as error:
        raise NotThere("no_permission", where=str(file)) from error
    except (tarfile.TarError, EOFError, ValueError):
        raise Broken("not_a_backup", file=str(file)) from None


def _unpack(file: Path, part: Path, files: Sequence[Path] = ()) -> None:
    """Lays the verified members out; of older backups only what the newest one names, by its hash."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True, exist_ok=True)
    (part / "logs").mkdir(mode=0o700, exist_ok=True)
    for name, data in _members(file):
        if name in (_MANIFEST, _MAC):
            continue
        _lay(part, name, data)
    manifest, _, _ = _manifest(file)
    wanted = dict(manifest.get("elsewhere", {}))
    for older in files:
        for name, data in _members(older):
            if name in wanted and hashlib.sha256(data).hexdigest() == wanted[name]["sha256"]:
                _lay(part, name, data)
                del wanted[name]


def _lay(part: Path, name: str, data: bytes) -> None:
    target = part / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(0o600)


def _hash(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _value(file: Path, manifest: dict[str, Any], *, ok: bool) -> dict[str, Any]:
    return {
        "ok": ok, "file": str(file), "sha256": _hash(file), "id": manifest["id"], "documents": manifest["documents"],
        "epoch": manifest["epoch"], "at": manifest["at"], "store": manifest["store"],
        "elsewhere": len(manifest.get("elsewhere", {})),
    }  # fmt: skip
