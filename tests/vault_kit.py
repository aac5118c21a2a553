"""A small station for the vault's tests: database, blob area, root and mirror, all under one folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from jiyao.models.tables import Base
from jiyao.pipeline.station.registry import open_engine, reading, writing
from jiyao.vault.rotation import Recovery
from jiyao.vault.vault import Vault, create_vault

PASSPHRASE = "口令-correct horse"
UUID = bytes(range(16))


@dataclass
class Room:
    """The station's places, and the ways into it."""

    base: Path
    mirrors: int = 1
    suite: str = "aes"
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.connect()
        self.make_tables()

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def blobs(self) -> Path:
        return self.home / "blobs"

    @property
    def roots(self) -> list[Path]:
        return [self.base / "root", *(self.base / f"mirror{number}" for number in range(self.mirrors))]

    def make_tables(self) -> None:
        Base.metadata.create_all(self.engine)

    def connect(self) -> None:
        self.engine = open_engine(f"sqlite:///{self.home / 'registry.db'}")

    def create(self) -> Vault:
        with writing(self.engine) as session:
            return create_vault(
                session,
                blobs=self.blobs,
                roots=self.roots,
                store_uuid=UUID,
                passphrase=PASSPHRASE,
                suite=self.suite,
                kdf="test",
            )

    def open(self, passphrase: str = PASSPHRASE, *, recover: bool = True) -> Vault:
        with reading(self.engine) as session:
            return Vault.open(
                session, blobs=self.blobs, roots=self.roots, passphrase=passphrase, recover=recover
            )

    def put(self, vault: Vault, data: bytes, kind: str = "original") -> tuple[str, str]:
        """Slot and path of a new sealed file."""
        with vault.lease(), writing(self.engine) as session:
            slot = vault.new_slot(session)
            return slot, vault.put(session, slot, kind, data, area="company").path

    def get(self, vault: Vault, slot: str, path: str) -> bytes:
        with reading(self.engine) as session:
            return vault.get(session, slot, path)

    def destroy(self, vault: Vault, slots: list[str]) -> Recovery:
        """The whole rotation, as the pipeline does it."""
        with vault.rotating():
            with writing(self.engine) as session:
                vault.stage_root(session)
                done = vault.rewrite(session, slots)
            with reading(self.engine) as second:
                vault.check(second, done)
                return vault.erase_old_root(second)

    def sealed_value(self) -> tuple[int, bytes]:
        """Epoch and bytes of the key store's row."""
        with self.engine.connect() as connection:
            row = connection.exec_driver_sql("SELECT epoch, sealed FROM key_store").one()
            return row[0], row[1]

    def pages(self) -> list[tuple[int, int, bytes]]:
        """Place, epoch and sealed bytes of every page of the key tree."""
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT place, epoch, sealed FROM key_pages ORDER BY place")
            return [(row[0], row[1], row[2]) for row in found]

    def set_page(self, place: int, sealed: bytes, *, epoch: int | None = None) -> None:
        with writing(self.engine) as session:
            session.connection().exec_driver_sql(
                "UPDATE key_pages SET sealed = ?, epoch = coalesce(?, epoch) WHERE place = ?",
                (sealed, epoch, place),
            )

    def set_sealed(self, epoch: int, sealed: bytes) -> None:
        with writing(self.engine) as session:
            session.connection().exec_driver_sql(
                "UPDATE key_store SET epoch = ?, sealed = ?", (epoch, sealed)
            )

    def snapshot(self, name: str) -> Path:
        """A copy of the whole home, as a backup would take it."""
        target = self.base / "snapshots" / name
        shutil.copytree(self.home, target)
        return target
