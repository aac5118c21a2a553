"""All root stores of a station, files and tokens: which is current, what is left over, what is missing.

The start-up rule: current is the slot of the registry's epoch. An older database under a newer root is a
roll-back. An epoch without a root is never made up for: the station refuses to start. Every other slot is
wiped, whatever it seems to hold, since a torn wipe leaves a head without meaning and key material behind
it.

A place that became a mirror at some epoch never holds an earlier one: what does is another medium in its place, one
that was written off, and is neither read nor written."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from ..common.errors import Broken, JiyaoError, NotThere, Refused
from .medium import Claim, Medium, RootClass, medium_of
from .pkcs11_root import TokenRoot
from .pkcs11_token import Token
from .root import RootFile, SlotView
from .suite import KEY_BYTES
from .wipe import wipe

RootPlace = Path | Token
"""The folder of a root file, or a token; in reports the file itself, or the token."""


class RootStore(Protocol):
    """One root, whatever it lies in: two slots, each of them held, torn or empty. `RootFile` and `TokenRoot`."""

    @property
    def path(self) -> RootPlace: ...
    def exists(self) -> bool: ...
    def taken(self) -> bool: ...
    def create(self) -> None: ...
    def discard(self) -> None: ...
    def mend(self) -> None: ...
    def view(self, index: int, /) -> SlotView: ...
    def look(self, index: int, /) -> tuple[SlotView, bytearray | None]: ...
    def load(self, epoch: int, /) -> bytearray | None: ...
    def find(self, epoch: int, /) -> tuple[int, bytearray] | None: ...
    def blank(self, index: int, /) -> bool: ...
    def write(
        self, index: int, /, *, epoch: int, suite_id: int, store_uuid: bytes, key: bytearray
    ) -> None: ...
    def wipe(self, index: int, /) -> None: ...
    def medium(self) -> Medium: ...


def store_at(place: RootPlace) -> RootStore:
    """The root in a folder or on a token."""
    return RootFile(place) if isinstance(place, Path) else TokenRoot(place)


def root_medium(path: RootPlace) -> Medium:
    """Class and claim of a root: of the file's medium, or of the token."""
    return medium_of(path, anew=True) if isinstance(path, Path) else path.medium()


@dataclass(frozen=True, slots=True)
class RootView:
    """One root as found. `missing`: folder, file or token not there; `unreadable`: there, but of the wrong size
    or failing.
    """

    path: RootPlace
    state: Literal["present", "missing", "unreadable"]
    slots: tuple[SlotView, ...] = ()

    def holds(self, epoch: int) -> bool:
        """Whether it holds the whole key of `epoch`."""
        return any(slot.state == "held" and slot.epoch == epoch for slot in self.slots)

    def clean(self, epoch: int) -> bool:
        """Whether it holds the key of `epoch` and nothing else."""
        return self.holds(epoch) and any(slot.state == "empty" for slot in self.slots)


@dataclass(frozen=True, slots=True)
class RootOutcome:
    """What became of the former key on one root; `erased` with the claim its medium allows."""

    path: RootPlace
    state: Literal["erased", "missing", "failed"]
    root_class: RootClass | None
    claim: Claim | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagedRoot:
    """The next root key, durable on every root that could be reached; `missing` could not."""

    epoch: int
    written: tuple[RootPlace, ...]
    missing: tuple[RootPlace, ...]


@dataclass(frozen=True, slots=True)
class RootSet:
    """One or more roots that always hold the same key. Identity: store uuid (16 bytes) and suite id."""

    folders: tuple[RootPlace, ...]
    since: Mapping[str, int] = field(default_factory=dict)
    """Place -> the first epoch that a root added later can hold."""

    @property
    def files(self) -> tuple[RootStore, ...]:
        """The roots, the first one first."""
        return tuple(store_at(place) for place in self.folders)

    def login(self) -> None:
        """Logs into every token that is there, so that a wrong PIN is said before anything begins.

        Raises:
            As `Token.session`.
        """
        for place in self.folders:
            if isinstance(place, Token) and place.present():
                place.login()

    def close(self) -> None:
        """Ends the sessions with tokens."""
        for place in self.folders:
            if isinstance(place, Token):
                place.close()

    def create(self, *, suite_id: int, store_uuid: bytes) -> bytearray:
        """Makes every file, with a new key of epoch 1 in its first slot; the key.

        Raises:
            Refused: `root_same` for one folder named twice, `root_exists` when a file is there.
        """
        if not self.folders or len({_identity(place) for place in self.folders}) != len(self.folders):
            raise Refused("root_same")
        for file in self.files:
            if file.taken():
                raise Refused("root_exists", path=str(file.path))
        key = bytearray(secrets.token_bytes(KEY_BYTES))
        made: list[RootStore] = []
        try:
            for file in self.files:
                file.create()
                made.append(file)
                file.write(0, epoch=1, suite_id=suite_id, store_uuid=store_uuid, key=key)
        except (OSError, JiyaoError):
            # Nothing is sealed under this key yet: a half-made set must not block the next attempt.
            for file in made:
                with contextlib.suppress(OSError, JiyaoError):
                    file.discard()
            raise
        return key

    def prepare(self, place: RootPlace) -> None:
        """Makes an empty root: no key yet. One that is there and empty is taken as it is.

        Raises:
            Refused: `root_same`; `root_exists`, when something is there; `root_written_off`, when it is a root of some
                time of a station.
        """
        if _identity(place) in {_identity(known) for known in self.folders}:
            raise Refused("root_same")
        file = store_at(place)
        if not file.taken():
            file.create()
            return
        slots = _view(file).slots
        if any(slot.state == "held" for slot in slots):
            raise Refused("root_written_off", path=str(place), epoch=max(slot.epoch for slot in slots))
        if not slots or any(slot.state != "empty" for slot in slots):
            raise Refused("root_exists", path=str(file.path))

    def with_place(self, place: RootPlace, *, epoch: int) -> RootSet:
        """The set with a prepared root, which gets its key when the set is settled."""
        return replace(self, folders=(*self.folders, place), since={**self.since, str(place): epoch})

    def without(self, place: RootPlace) -> RootSet:
        """The set without one root, on which nothing is read or written any more."""
        kept = tuple(one for one in self.folders if _identity(one) != _identity(place))
        return replace(self, folders=kept)

    def views(self) -> tuple[RootView, ...]:
        """Each root as found now."""
        return tuple(_view(file) for file in self.files)

    def look(self, epoch: int) -> tuple[tuple[RootView, ...], list[bytearray]]:
        """Each root as found now, and the key of `epoch` from each that holds it; the caller wipes them.

        Merging a key takes milliseconds: whoever needs both reads each slot once.
        """
        keys: list[bytearray] = []
        return tuple(_view(file, epoch, keys) for file in self.files), keys

    def keys(self, epoch: int) -> Iterator[bytearray]:
        """The key of `epoch` from each root that holds it whole; the caller wipes them."""
        for file in self.files:
            try:
                key = file.load(epoch)
            except (OSError, JiyaoError):
                continue
            if key is not None:
                yield key

    def all_keys(self) -> Iterator[bytearray]:
        """Every whole key in every slot, of whatever epoch; the caller wipes them."""
        for file, view in zip(self.files, self.views(), strict=True):
            for slot in view.slots:
                key = file.load(slot.epoch) if slot.state == "held" else None
                if key is not None:
                    yield key

    def holders(self, epoch: int) -> dict[RootStore, int]:
        """The files that hold the whole key of `epoch`, and in which slot."""
        holders = {}
        for file in self.files:
            try:
                found = file.find(epoch)
            except (OSError, JiyaoError):
                continue
            if found is not None:
                wipe(found[1])
                holders[file] = found[0]
        return holders

    def stage(self, *, epoch: int, key: bytearray, suite_id: int, store_uuid: bytes) -> StagedRoot:
        """Puts a new key for `epoch + 1` beside the current one, on every root that can be reached.

        Done again, it keeps a key that is already whole and the same on all of them.

        Raises:
            Broken: `root_foreign`, `key_store_rolled_back`, for a medium that was put in meanwhile; nothing is written.
        """
        for place, view in zip(self.folders, self.views(), strict=True):
            _require_ours(view, epoch, store_uuid, self.since.get(str(place), 0))
        self.settle(epoch=epoch, key=key, suite_id=suite_id, store_uuid=store_uuid, wiping=False)
        present = self.holders(epoch)
        missing = tuple(file.path for file in self.files if file not in present)
        found = list(self.keys(epoch + 1))
        if len(found) != len(present) or any(other != found[0] for other in found):
            fresh = bytearray(secrets.token_bytes(KEY_BYTES))
            for file, index in present.items():
                file.write(1 - index, epoch=epoch + 1, suite_id=suite_id, store_uuid=store_uuid, key=fresh)
            wipe(fresh)
        wipe(*found)
        return StagedRoot(epoch + 1, tuple(file.path for file in present), missing)

    def settle(
        self, *, epoch: int, key: bytearray, suite_id: int, store_uuid: bytes, wiping: bool = True
    ) -> tuple[RootOutcome, ...]:
        """Brings every root to: the key of `epoch`, and (with `wiping`) nothing else.

        A mirror that was away during a rotation gets the current key in place of what it held.
        """
        outcomes = []
        for place, file in zip(self.folders, self.files, strict=True):
            since = self.since.get(str(place), 0)
            try:
                outcomes.append(_settle(file, epoch, key, suite_id, store_uuid, wiping=wiping, since=since))
            except (OSError, JiyaoError):
                outcomes.append(RootOutcome(file.path, "failed", None, None, ()))
        return tuple(outcomes)


def judge_roots(views: tuple[RootView, ...], *, epoch: int, store_uuid: bytes) -> None:
    """Whether these roots belong to a registry at `epoch`.

    Raises:
        NotThere: `root_missing`, when none can be reached.
        Broken: `root_foreign`, another station's; `key_store_rolled_back`, a database older than its root;
            `root_epoch_missing`, the registry's epoch has no root; `root_damaged`, no slot holds a whole key.
    """
    present = [view for view in views if view.state != "missing"]
    if not present:
        raise NotThere("root_missing", path=", ".join(str(view.path) for view in views))
    epochs: set[int] = set()
    for view in present:
        held = [slot for slot in view.slots if slot.state == "held"]
        if any(slot.store_uuid != store_uuid for slot in held):
            raise Broken("root_foreign", path=str(view.path))
        if held and min(slot.epoch for slot in held) > epoch:
            raise Broken("key_store_rolled_back", epoch=epoch, root=max(slot.epoch for slot in held))
        epochs |= {slot.epoch for slot in held}
    if epoch in epochs:
        return
    if not epochs:
        raise Broken("root_damaged", path=", ".join(str(view.path) for view in present))
    raise Broken("root_epoch_missing", epoch=epoch, root=max(epochs))


def _identity(place: RootPlace) -> object:
    return place.resolve() if isinstance(place, Path) else place.identity


def _view(file: RootStore, epoch: int = 0, keys: list[bytearray] | None = None) -> RootView:
    """The root as found; its key of `epoch` goes to `keys`, any other is wiped."""
    slots = []
    try:
        if not file.exists():
            return RootView(file.path, "missing")
        for index in (0, 1):
            slot, key = file.look(index)
            slots.append(slot)
            if key is not None and keys is not None and slot.epoch == epoch:
                keys.append(key)
            else:
                wipe(key)
        return RootView(file.path, "present", tuple(slots))
    except (OSError, JiyaoError):
        return RootView(file.path, "unreadable")


def _require_ours(view: RootView, epoch: int, store_uuid: bytes, since: int) -> None:
    """A medium put in meanwhile may be another station's, of a later time of ours, or one that was written off: it is
    never overwritten.
    """
    held = [slot for slot in view.slots if slot.state == "held"]
    if any(slot.store_uuid != store_uuid for slot in held):
        raise Broken("root_foreign", path=str(view.path))
    if any(slot.epoch > epoch + 1 for slot in held):
        raise Broken("key_store_rolled_back", epoch=epoch, root=max(slot.epoch for slot in held))
    if held and all(slot.epoch < since for slot in held):
        raise Broken("root_written_off", path=str(view.path), epoch=max(slot.epoch for slot in held))


def _settle(
    file: RootStore, epoch: int, key: bytearray, suite_id: int, store_uuid: bytes, *, wiping: bool, since: int
) -> RootOutcome:
    if not file.exists():
        return RootOutcome(file.path, "missing", None, None, ())
    file.mend()
    index, here = file.find(epoch) or (0, None)
    if here != key:
        _require_ours(_view(file), epoch, store_uuid, since)
        # A stale or damaged mirror: both slots lose what they held before the current key goes in.
        file.wipe(0)
        file.wipe(1)
        file.write(0, epoch=epoch, suite_id=suite_id, store_uuid=store_uuid, key=key)
        index = 0
    wipe(here)
    if wiping and not file.blank(1 - index):
        file.wipe(1 - index)
    medium = file.medium()
    return RootOutcome(file.path, "erased", medium.root_class, medium.claim, medium.reasons)
