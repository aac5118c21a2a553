"""The key tree: what is written for a change, what lies together, and that every changed bit of it is noticed."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import vault_reader
from jiyao.common.errors import Broken, NotThere, Refused, Unexpected
from jiyao.vault import tree_rows
from jiyao.vault.head import StoreHead
from jiyao.vault.keystore import REGISTRY_SLOT
from jiyao.vault.root import RootFile
from jiyao.vault.rotation import Rewritten
from jiyao.vault.tree_page import LEAF_KEYS, SEALED_BYTES, Page, Slot, parts_of, place_of
from jiyao.vault.vault import Vault
from vault_kit import PASSPHRASE, Room, reading, writing


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, mirrors=0)


def make(room: Room, vault: Vault, count: int, *, branch: str = "jm", group: str = "") -> list[str]:
    with vault.lease(), writing(room.engine) as session:
        return list(vault.new_slots(session, count, branch=branch, group=group))


def alive(room: Room, vault: Vault, slots: list[str]) -> list[bool]:
    with vault.lease(), reading(room.engine) as session, vault._lease.tree(session) as tree:
        return [tree.holds(bytes.fromhex(slot)) for slot in slots]


def rekeyed(room: Room, vault: Vault, slots: list[str], *, whole: bool = False) -> Rewritten:
    with vault.rotating():
        with writing(room.engine) as session:
            vault.stage_root(session)
            done = vault.rewrite(session, slots, whole=whole)
        with reading(room.engine) as second:
            vault.check(second, done)
            assert vault.erase_old_root(second).complete
    return done


def at(slot: str) -> Slot:
    found = Slot.of(bytes.fromhex(slot))
    assert found is not None
    return found


def changed(
    before: list[tuple[int, int, bytes]], after: list[tuple[int, int, bytes]]
) -> set[tuple[int, int, int]]:
    """Branch, level and page of every row that is new or other than before."""
    return {parts_of(row[0]) for row in set(after) - set(before)}


# ---------------------------------------------------------------- where keys lie


@pytest.mark.req("R-144")
def test_a_branch_for_each_level_group_and_together_what_falls_due_together(room: Room) -> None:
    vault = room.create()
    places = {}
    for branch in ("jm", "mm", "jm"):
        for group in ("y10.2036", "y30.2056"):
            for slot in make(room, vault, 100, branch=branch, group=group):
                places.setdefault((branch, group), []).append(at(slot))
    assert len({place.branch for place in places["jm", "y10.2036"]}) == 1
    assert {place.branch for place in places["jm", "y10.2036"]}.isdisjoint(
        place.branch for place in places["mm", "y10.2036"]
    )
    pages = {key: {(place.branch, place.page) for place in found} for key, found in places.items()}
    assert all(len(found) == 1 for found in pages.values()), "200 of one group fit into one page"
    assert len(set.union(*pages.values())) == 4, "no two groups share one"
    assert [place.index for place in places["jm", "y10.2036"]] == list(range(200))


def test_ids_name_the_place_and_are_never_the_same(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 300)
    assert len({slot[14:] for slot in slots}) == 300
    with vault.lease(), reading(room.engine) as session, vault._lease.tree(session) as tree:
        key = tree.key(bytes.fromhex(slots[7]))
        assert key is not None and tree.id_of(at(slots[7]), key).hex() == slots[7]
    assert Slot.of(bytes.fromhex(slots[299])) == Slot(at(slots[0]).branch, 1, 299 - LEAF_KEYS)
    assert Slot.of(b"\0\1" + bytes(4) + b"\xff" + bytes(9)) is None, "the record is no key"
    for strange in (
        "ffff" + slots[0][4:],
        slots[0][:4] + "ffffffff" + slots[0][12:],
        slots[0][:12] + "ff" + "0" * 18,
    ):
        assert alive(room, vault, [strange]) == [False]


def test_a_place_is_never_given_out_twice(room: Room) -> None:
    vault = room.create()
    first = make(room, vault, 3)
    room.destroy(vault, first)
    assert [at(slot).index for slot in make(room, vault, 2)] == [3, 4]
    assert alive(room, vault, first) == [False] * 3


def test_growing_by_a_level(room: Room) -> None:
    """More leaves than one page above them can name; what was there before stays where it was."""
    vault = room.create()
    early = make(room, vault, 1)
    many = make(room, vault, 257 * LEAF_KEYS)
    before = room.pages()
    assert {parts_of(row[0])[1] for row in before} == {0, 1, 2}
    sample = [*early, many[0], many[65_000], many[-1]]
    assert alive(room, vault, sample) == [True] * 4
    done = rekeyed(room, vault, [many[65_279]])
    assert done.pages == 3 and len(changed(before, room.pages())) == 3
    assert alive(room, vault, [*sample, many[65_279]]) == [True] * 4 + [False]


# ---------------------------------------------------------------- what a change writes


@pytest.mark.req("R-116")
def test_a_change_reads_and_writes_one_path(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 600)
    branch = at(slots[0]).branch
    before = room.pages()
    (more,) = make(room, vault, 1)
    assert changed(before, room.pages()) == {(branch, 0, at(more).page)}, "a key more: its leaf"
    before = room.pages()
    with counted(room) as read:
        done = rekeyed(room, vault, [slots[300]])
    assert done.pages == 2 and done.survivors == LEAF_KEYS - 1
    assert changed(before, room.pages()) == {(branch, 1, 0), (branch, 0, 1)}
    assert {row[1] for row in room.pages()} == {1, 2}
    assert {place for place in read if place >> 40 == branch} == {
        place_of(branch, 1, 0),
        place_of(branch, 0, 1),
    }
    assert sum(len(row[2]) for row in room.pages() if row[1] == 2) < 200_000


@contextmanager
def counted(room: Room) -> Iterator[set[int]]:
    """Places of the pages that are opened meanwhile."""
    read: set[int] = set()
    with pytest.MonkeyPatch.context() as patch:
        from jiyao.vault import tree, tree_rekey

        for module in (tree, tree_rekey):
            before = module.open_page
            patch.setattr(
                module,
                "open_page",
                lambda sealed, head, *, place, before=before, **given: (
                    read.add(place) or before(sealed, head, place=place, **given)
                ),
            )
        yield read


def test_a_look_up_opens_one_page_on_each_level(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 600)
    for slot in (slots[0], slots[-1]):
        with counted(room) as read:
            assert alive(room, vault, [slot]) == [True]
        assert read == {place_of(at(slot).branch, 1, 0), place_of(at(slot).branch, 0, at(slot).page)}


def test_re_keying_the_whole_changes_every_page_and_no_key(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 600) + make(room, vault, 10, branch="mm")
    kept = room.put(vault, b"kept")
    roots = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes())
    keys = vault_reader.read_key_tree(room.sealed_value()[1], room.pages(), roots[1], PASSPHRASE)
    before = room.pages()
    done = rekeyed(room, vault, [], whole=True)
    assert done.pages == len(before) and done.survivors == len(keys) == 612
    assert len(changed(before, room.pages())) == len(before) and {row[1] for row in room.pages()} == {2}
    assert room.get(room.open(), *kept) == b"kept" and all(alive(room, vault, slots))
    roots = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes())
    value = room.sealed_value()[1]
    assert vault_reader.read_key_tree(value, room.pages(), roots[2], PASSPHRASE) == keys
    assert vault_reader.read_key_tree(value, before, roots[2], PASSPHRASE) == set(), "no former page opens"


def test_the_lasting_branch_is_never_destroyed(room: Room) -> None:
    vault = room.create()
    for slot in (REGISTRY_SLOT, Slot(0, 0, 5).named(b"123456789")):
        with writing(room.engine) as session, vault.rotating():
            vault.stage_root(session)
            with pytest.raises(Refused, match="registry_key_stays"):
                vault.rewrite(session, [slot.hex()])


@pytest.mark.req("R-142")
def test_no_page_outlives_the_lock(room: Room) -> None:
    opened: list[Page] = []
    made = Page.__init__

    def noted(page: Page, *args: object, **given: object) -> None:
        made(page, *args, **given)  # type: ignore[arg-type]
        opened.append(page)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "__init__", noted)
        vault = room.create()
        slot, path = room.put(vault, b"x")
        slots = make(room, vault, 600)
        assert room.get(room.open(), slot, path) == b"x"
        rekeyed(room, vault, slots[:300:7])
        rekeyed(room, vault, [], whole=True)
    assert len(opened) > 30 and not any(any(page.plain) or any(page.key) for page in opened)


# ---------------------------------------------------------------- every bit, every place


def refused(room: Room, vault: Vault, slot: str) -> None:
    with pytest.raises(Broken, match="key_store_altered"):
        alive(room, vault, [slot])


@pytest.mark.req("R-139")
def test_every_changed_page_is_noticed(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 600)
    branch = at(slots[0]).branch
    leaf, top = place_of(branch, 0, 1), place_of(branch, 1, 0)
    rows = {place: sealed for place, _, sealed in room.pages()}
    for place in (leaf, top):
        value = bytearray(rows[place])
        for byte in (0, 11, 12, 40, 8000, SEALED_BYTES - 1):
            value[byte] ^= 1
            room.set_page(place, bytes(value))
            refused(room, vault, slots[300])
            value[byte] ^= 1
        for bad in (bytes(value[:-1]), bytes(value) + b"\0", b""):
            room.set_page(place, bad)
            refused(room, vault, slots[300])
        room.set_page(place, bytes(value), epoch=2)
        refused(room, vault, slots[300])
        room.set_page(place, bytes(value), epoch=1)
    # another page's bytes, of the same branch and of another level
    for other in (place_of(branch, 0, 0), top):
        room.set_page(leaf, rows[other])
        refused(room, vault, slots[300])
    room.set_page(leaf, rows[leaf])
    assert alive(room, vault, [slots[300]]) == [True]
    with writing(room.engine) as session:
        session.connection().exec_driver_sql("DELETE FROM key_pages WHERE place = ?", (leaf,))
    refused(room, vault, slots[300])
    assert alive(room, vault, [slots[0]]) == [True], "and only it"


@pytest.mark.req("R-116", "R-139")
def test_a_former_page_put_back_is_noticed(room: Room) -> None:
    """The page of before a destruction does not open in today's tree, nor does the whole path of before."""
    vault = room.create()
    slots = make(room, vault, 600)
    before = {place: (epoch, sealed) for place, epoch, sealed in room.pages()}
    room.destroy(vault, [slots[300]])
    leaf, top = place_of(at(slots[0]).branch, 0, 1), place_of(at(slots[0]).branch, 1, 0)
    for put_back in ((leaf,), (leaf, top)):
        for place in put_back:
            epoch, sealed = before[place]
            room.set_page(place, sealed, epoch=epoch)
        for slot in (slots[300], slots[301]):
            refused(room, vault, slot)


def test_a_group_that_names_another_page_loses_nothing(room: Room) -> None:
    """The hint is not relied on: a page that is not there is not made up, a full one is followed by a new one."""
    vault = room.create()
    make(room, vault, 10, group="a")
    make(room, vault, LEAF_KEYS, group="b")
    made: list[str] = []
    for page in (0, 1, 7):
        with writing(room.engine) as session:
            session.connection().exec_driver_sql("UPDATE key_groups SET page = ?", (page,))
        made += make(room, vault, 3, group="a")
    assert len({slot[:14] for slot in made}) == 9 and all(alive(room, vault, made))


def test_a_free_entry_that_is_not_free_is_altered(room: Room) -> None:
    """A writer that would give out an entry again is stopped, whatever made the record wrong."""
    vault = room.create()
    make(room, vault, 3)
    with vault.lease(), writing(room.engine) as session, vault._lease.tree(session, for_update=True) as tree:
        page = tree.page(1, 0, 0)
        assert page is not None and (page.count, page.used) == (3, 3)
        page.used = 2
        tree_rows.rewrite_pages(
            session,
            [
                tree_rows.Rewrite(
                    tree_rows.PageRow(page.place, page.epoch, page.stored or b""),
                    page.epoch,
                    page.sealed(tree.head),
                )
            ],
        )
    with pytest.raises(Broken, match="key_store_altered"):
        make(room, vault, 1)


def test_two_writers_of_one_page(room: Room) -> None:
    vault = room.create()
    make(room, vault, 3)
    row = tree_rows.PageRow(place_of(1, 0, 0), 1, b"what another process wrote over meanwhile")
    with writing(room.engine) as session, pytest.raises(Unexpected, match="key_store_raced"):
        tree_rows.rewrite_pages(session, [tree_rows.Rewrite(row, 1, b"x")])
    with writing(room.engine) as session, pytest.raises(Unexpected, match="key_store_raced"):
        tree_rows.insert_pages(session, [row])


# ---------------------------------------------------------------- the check before the former root goes


FAULTS = {
    "a child's key lost": lambda page: page.clear(2) if page.place >> 32 & 0xFF else None,
    "a child's key changed": lambda page: page.put(0, secrets.token_bytes(32)) if page.place >> 32 & 0xFF else None,
    "a neighbour's key changed": (
        lambda page: page.put(7, secrets.token_bytes(32)) if not page.place >> 32 & 0xFF else None
    ),
    "the record changed": lambda page: setattr(page, "used", 9) if not page.place >> 32 & 0xFF else None,
    "not destroyed": lambda page: page.put(45, bytes(range(32))) if not page.place >> 32 & 0xFF else None,
}  # fmt: skip


@pytest.mark.req("R-116")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_what_is_carried_over_keeps_both_roots(room: Room, fault: str) -> None:
    vault = room.create()
    slots = make(room, vault, 600)
    sealed = Page.sealed

    def wrong(page: Page, head: StoreHead) -> bytes:
        FAULTS[fault](page)
        return sealed(page, head)

    with vault.rotating():
        with writing(room.engine) as session:
            vault.stage_root(session)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Page, "sealed", wrong)
                done = vault.rewrite(session, [slots[300]])
        with reading(room.engine) as second:
            for step in (lambda: vault.check(second, done), lambda: vault.erase_old_root(second)):
                with pytest.raises(Broken, match="rotation_check_failed"):
                    step()
    with pytest.raises(Broken, match="rotation_check_failed"):
        make(room, room.open(recover=False), 1)
    assert len(vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes())) == 2


@pytest.mark.req("R-116")
def test_pages_that_no_destruction_touched_may_be_copied(room: Room) -> None:
    """Every version of every page ever written, all keys of today: nothing destroyed, in any order of events."""
    vault, draw = room.create(), random.Random(5)
    slots, gone, versions = make(room, vault, 700), set[str](), set(room.pages())
    for _ in range(6):
        batch = draw.sample(sorted(set(slots) - gone), 5)
        room.destroy(vault, batch)
        gone |= set(batch)
        versions |= set(room.pages())
        slots += make(room, vault, 3)
        versions |= set(room.pages())
    (root,) = vault_reader.read_root(RootFile(room.roots[0]).path.read_bytes()).values()
    found = vault_reader.read_key_tree(room.sealed_value()[1], versions, root, PASSPHRASE)
    opened = {slot.hex() for slot, _ in found}
    assert opened.isdisjoint(gone)
    assert opened >= set(slots) - gone and len(versions) > 12


def test_an_unknown_slot_is_destroyed_already(room: Room) -> None:
    vault = room.create()
    slots = make(room, vault, 3)
    strange = [
        place.named(b"123456789").hex()
        for place in (Slot(9, 0, 0), Slot(1, 4000, 0), Slot(1, 0, 200), at(slots[1]))
    ]  # another branch, page, entry; and the place of a living key under an id that is not its own
    done = rekeyed(room, vault, [*strange, slots[0]])
    assert done.absent == tuple(strange) and done.destroyed == (slots[0],) and done.survivors == 2
    assert alive(room, vault, slots) == [False, True, True] and not any(alive(room, vault, strange))
    with pytest.raises(NotThere, match="key_destroyed"), reading(room.engine) as session:
        vault.witness(session, strange[:1])
