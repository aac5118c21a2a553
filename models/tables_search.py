"""The search book: register words of many documents sealed together. Import these from `tables`, which has all tables.

Without the registry key they say how many documents are registered, in which order they came into the book, and which
of 65,536 keyed slots were ever used: no word, no frequency of a word, and not which documents share one.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from .tables_base import Base


class SearchPage(Base):
    """One page of the book: what some hundred documents are searched by, each named by its number."""

    __tablename__ = "search_pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    documents: Mapped[int]
    least: Mapped[int] = mapped_column(BigInteger, default=0)
    most: Mapped[int | None] = mapped_column(BigInteger)
    """Between which places of the register its documents stand (`year` times a thousand millions, and number): pages
    before and behind what a list shows are not opened. They were so at first; documents may have left since.
    """
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SearchSlot(Base):
    """On which pages any of the letters and pairs of letters of one keyed slot stand: a sealed bit for each page."""

    __tablename__ = "search_slots"
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
