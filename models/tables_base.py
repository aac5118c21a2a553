"""The root of all tables, so that `tables` and `tables_destruction` can share it."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Root of the declarative tables."""
