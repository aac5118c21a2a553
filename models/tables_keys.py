"""Where the keys lie, all of it sealed. Import these from `tables`, which has all tables.

The head is one row; the pages of the key tree are rows of their own, so that a change writes one path only. Former
versions of them, in free pages, logs, replicas and backups, need no cleaning: they lie under keys that are gone.
The format is docs/spec/key-store.md.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class KeyStoreRow(Base):
    """The head of the key tree: one value under root and passphrase, with the keys of the branches."""

    __tablename__ = "key_store"
    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class KeyPage(Base):
    """One page of the key tree, sealed under a key that its parent holds."""

    __tablename__ = "key_pages"
    # SQLite makes a table's own row number of an INTEGER key only: then no second index is needed.
    place: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    """Branch (16 bits), level (8 bits, leaves 0), page (32 bits)."""
    epoch: Mapped[int]
    """In which the page's key was made; bound into the seal. Before `sealed`: it is read without it."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class KeyBranch(Base):
    """The name of a branch, such as a level's code. Its number is bound into every page; the name is not."""

    __tablename__ = "key_branches"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(32), unique=True)


class KeyGroup(Base):
    """The leaf page that takes the next key of a group: what is due together lies together. A hint, no more."""

    __tablename__ = "key_groups"
    branch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    page: Mapped[int] = mapped_column(BigInteger)
