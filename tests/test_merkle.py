"""The Merkle tree against the definition of RFC 6962, written down naively."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiyao.ledger import merkle


def naive_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = naive_split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = naive_split(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def tree(leaves: Sequence[bytes]) -> merkle.Node:
    known = merkle.nodes_of(merkle.leaf_hash(leaf) for leaf in leaves)
    return lambda level, index: known[level, index]


LEAVES = st.lists(st.binary(max_size=4), min_size=1, max_size=70)


@given(LEAVES)
def test_root_is_the_rfc_root(leaves: list[bytes]) -> None:
    assert merkle.root(len(leaves), tree(leaves)) == naive_root(leaves)
    assert merkle.root(0, tree([])) == naive_root([])


@given(LEAVES, st.data())
@settings(deadline=None)
def test_inclusion(leaves: list[bytes], data: st.DataObject) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion(index, size, tree(leaves))
    assert path == naive_path(index, leaves)
    leaf = merkle.leaf_hash(leaves[index])
    assert merkle.root_of_path(index, size, leaf, path) == naive_root(leaves)
    for wrong in (path[:-1], [*path, b"\0" * 32], [b"\1" * 32, *path[1:]]):
        if wrong != path:
            assert merkle.root_of_path(index, size, leaf, wrong) != naive_root(leaves)
    assert merkle.root_of_path(size, size, leaf, path) is None


@given(LEAVES, st.data())
@settings(deadline=None)
def test_consistency(leaves: list[bytes], data: st.DataObject) -> None:
    size = len(leaves)
    old = data.draw(st.integers(0, size))
    path = merkle.consistency(old, size, tree(leaves))
    if old:
        assert path == naive_proof(old, leaves)
    first, last = naive_root(leaves[:old]), naive_root(leaves)
    assert merkle.consistent(old, first, size, last, path)
    assert not merkle.consistent(old, b"\7" * 32, size, last, path)
    if old:
        assert not merkle.consistent(old, first, size, b"\7" * 32, path)
    assert not merkle.consistent(old, first, size, last, [*path, b"\0" * 32])


def test_known_vectors() -> None:
    # The eight leaves of the certificate-transparency reference tests.
    texts = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [bytes.fromhex(text) for text in texts]
    assert (
        merkle.root(8, tree(leaves)).hex()
        == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert (
        merkle.root(1, tree(leaves[:1])).hex()
        == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_bad_arguments() -> None:
    node = tree([b"a"])
    with pytest.raises(ValueError):
        merkle.inclusion(1, 1, node)
    with pytest.raises(ValueError):
        merkle.consistency(2, 1, node)
    assert not merkle.consistent(2, b"", 1, b"", [])
