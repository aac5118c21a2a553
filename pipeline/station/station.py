"""A station: its settings, registry, vault, ledger and policy, opened once and handed to every act.

Opening happens in two steps, so that a role is checked before any secret is asked for:
`Station.open` needs no secret; `unlock` opens the vault with the passphrase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ...common import settings as station_file
from ...common.clock import Clock, SystemClock, iso, today
from ...common.errors import Refused, UsageFault
from ...ledger import log as ledger
from ...models.ledger_entry import Entry, Fact, Result, hash_reason, new_salt
from ...models.level import Level
from ...models.migrate import check
from ...models.policy.loader import parse_policy
from ...models.policy.schema import Policy
from ...models.tables import Approval, Artefact, Counter, PolicyVersion
from ...vault.discipline import harden
from ...vault.scratch import Scratch, fresh_scratch
from ...vault.vault import Vault
from . import clock_guard, policy_text, root_events, whose
from .registry import open_engine, reading, writing
from .roots import root_places
from .secrets import Secrets


@dataclass(frozen=True, slots=True)
class Reason:
    """A person's free text: sealed with its salt in the registry, only as a salted hash in the ledger."""

    text: str
    salt: str

    @classmethod
    def of(cls, text: str) -> Reason:
        """The text with a fresh salt."""
        return cls(text=text, salt=new_salt().hex())

    @property
    def hash(self) -> str:
        """What the ledger keeps, in hex."""
        return hash_reason(self.text, bytes.fromhex(self.salt))

    @property
    def sealed_form(self) -> dict[str, str]:
        """What is sealed in the registry."""
        return {"reason": self.text, "salt": self.salt}


class Station:
    """One opened station. Only the coordinator holds one; workers never do."""

    def __init__(self, *, home: Path, settings: station_file.Settings, engine: Engine, clock: Clock) -> None:
        self.home = home
        self.settings = settings
        self.engine = engine
        self.clock = clock
        self._vault: Vault | None = None
        self._policy: Policy | None = None
        self._policy_text = ""

    @classmethod
    def open(cls, home: Path, *, clock: Clock | None = None) -> Station:
        """Opens settings and registry; asks for no secret.

        Raises:
            NotThere: no station there. Broken: the registry is another station's.
            Refused: written by a newer version; a server's database that belongs to another home.
        """
        settings = station_file.load(home)
        engine = open_engine(settings.registry)
        with engine.connect() as connection:
            check(connection)
        whose.require_own(engine, settings, home)
        station = cls(home=home, settings=settings, engine=engine, clock=clock or SystemClock())
        with reading(engine) as session:
            station.settings = root_events.applied(settings, root_events.events(session))
        return station

    # ------------------------------------------------------------ vault

    def unlock(self, passphrase: str, secrets: Secrets | None = None) -> None:
        """Opens the vault and finishes what a crash left half done; `secrets` gives the PIN where a root is a token.

        Raises:
            WrongSecret: wrong passphrase or PIN.
            Broken: key store or root altered or rolled back.
            NotThere: no root can be reached.
        """
        if self._vault is not None:
            return
        harden()
        with self.read() as session:
            known = root_events.events(session)
            self.settings = root_events.applied(self.settings, known)
            self._vault = Vault.open(
                session, blobs=self.blobs, roots=root_places(self.settings, secrets), passphrase=passphrase,
                home=self.home, since=root_events.since(known),
            )  # fmt: skip
        self._vault.guard = self._require_roots_known
        if known:
            self.keep_settings()
        self.forget_policy()

    def keep_settings(self) -> None:
        """Lets the station's file follow what became of the roots."""
        if station_file.peek(self.home).root_events != self.settings.root_events:
            station_file.save(self.home, self.settings)

    def _require_roots_known(self) -> None:
        """A rotation that knew nothing of a mirror added meanwhile would leave the former key on it."""
        with self.read() as session:
            if len(root_events.events(session)) != self.settings.root_events:
                raise Refused("roots_changed")

    @property
    def vault(self) -> Vault:
        """The open vault."""
        if self._vault is None:
            raise RuntimeError("the station is locked")
        return self._vault

    @property
    def blobs(self) -> Path:
        """Folder of the sealed files."""
        return self.home / "blobs"

    @property
    def log_file(self) -> Path:
        """The station's log: error classes and places, never content."""
        return self.home / "logs" / "jiyao.log"

    def scratch(self) -> Scratch:
        """A fresh scratch folder for one step, erased at its end; what killed runs left behind is erased first."""
        return fresh_scratch(self.home)

    def sweep_orphans(self) -> int:
        """Erases sealed files that no row names (left by a run killed before its commit). How many."""
        return len(self.vault.sweep(self._known_files))

    def _known_files(self) -> set[str]:
        with self.read() as session:
            known = set(session.scalars(select(Artefact.path)))
            return known | set(filter(None, session.scalars(select(Approval.paper_path))))

    def adopt(self, vault: Vault) -> None:
        """Takes the vault that `init` or `restore` has just made."""
        self._vault = vault
        self.forget_policy()

    # ------------------------------------------------------------ transactions

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One writing transaction. The vault's lease is taken before the database's lock, never after it."""
        with ExitStack() as held:
            if self._vault is not None:
                held.enter_context(self._vault.lease())
            session = held.enter_context(writing(self.engine))
            self._date(session)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent view."""
        with reading(self.engine) as session:
            self._date(session)
            yield session

    def _date(self, session: Session) -> None:
        """The day of the station's clock, for what counts only until a day."""
        session.info["day"] = today(self.clock).isoformat()

    # ------------------------------------------------------------ register fields

    def seal(self, session: Session, purpose: str, value: dict[str, Any], *, bind: str = "") -> bytes:
        """Seals register fields under the registry key; `bind` (a row's id) ties them to their row."""
        # surrogatepass: a file's name need not be Unicode
        plain = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        return self.vault.seal_register(session, plain, purpose, bind=bind.encode())

    def unseal(self, session: Session, purpose: str, sealed: bytes, *, bind: str = "") -> dict[str, Any]:
        """Opens register fields.

        Raises:
            Broken: they were altered.
        """
        plain: dict[str, Any] = json.loads(
            self.vault.open_register(session, sealed, purpose, bind=bind.encode())
        )
        return plain

    def next_number(self, session: Session, name: str) -> int:
        """The next number of a series; handed out once, also when what it was for is voided."""
        counter = session.get(Counter, name)
        if counter is None:
            counter = Counter(name=name, last=0)
            session.add(counter)
            session.flush()
        counter.last += 1
        return counter.last

    def reason(self, text: str | None) -> Reason:
        """A person's reason, ready to be sealed and hashed.

        Raises:
            UsageFault: it is empty.
        """
        if not text or not text.strip():
            raise UsageFault("reason_needed")
        return Reason.of(text.strip())

    # ------------------------------------------------------------ time, policy, ledger

    def now(self) -> str:
        """ISO time of the station's clock."""
        return iso(self.clock.now())

    @property
    def policy(self) -> Policy:
        """The policy in force: the newest signed one, else the shipped one as `provisional`."""
        if self._policy is None:
            with self.read() as session:
                row = session.scalars(
                    select(PolicyVersion)
                    .where(PolicyVersion.state.in_(("active", "provisional")))
                    .order_by(PolicyVersion.id.desc())
                ).first()
                if row is None:
                    raise Refused("no_policy")
                self._policy, self._policy_text = self._read_policy(session, row)
        return self._policy

    def _read_policy(self, session: Session, row: PolicyVersion) -> tuple[Policy, str]:
        """Until the station is unlocked without the unit's list of secret matters, which stands sealed."""
        if self._vault is None:
            return replace(parse_policy(row.text), sha256=row.sha256), row.text
        text = policy_text.whole(self, session, row)
        return parse_policy(text), text

    @property
    def policy_text(self) -> str:
        """The YAML of the policy in force: what workers get."""
        _ = self.policy
        return self._policy_text

    def forget_policy(self) -> None:
        """Reads the policy anew at the next use."""
        self._policy = None

    @property
    def level(self) -> Level:
        """The station's own level: nothing marked above it is taken in."""
        return Level.parse(self.settings.station_level)

    def log(
        self,
        session: Session,
        act: str,
        *,
        objects: tuple[str, ...] = (),
        person: str | None = None,
        account: str | None = None,
        role: str | None = None,
        level: str | None = None,
        result: Result = "done",
        rule: str = "",
        reason: Reason | None = None,
        facts: dict[str, Fact] | None = None,
    ) -> int:
        """Appends one entry to the ledger, in the transaction of the act itself. Returns its number.

        `facts` are ids, codes and numbers. The clock guard looks first.
        """
        entry = Entry(
            at=self.clock.now(),
            person=person,
            account=account,
            role=role,
            act=act,
            objects=objects,
            level=level,
            result=result,
            rule_or_approval=rule or None,
            reason_hash=reason.hash if reason else None,
            facts=facts or {},
        )
        return self.log_all(session, [entry])

    def log_all(self, session: Session, entries: Sequence[Entry]) -> int:
        """As `log`, several at one time, which is now. Returns the last one's number."""
        if any(entry.act != clock_guard.DOUBT for entry in entries):
            clock_guard.look(self, session)
        now = self.clock.now()
        return ledger.append_all(session, [replace(entry, at=now) for entry in entries])
