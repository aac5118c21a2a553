"""Errors of the machine below, told as errors of the product; what is not among them is unexpected."""

from __future__ import annotations

import errno
from typing import Final

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from ...common.disk import is_disk_trouble
from ...common.errors import Broken, JiyaoError, MissingTool, NotThere

_DISK: Final = frozenset({"53100", "58030", "25006"})
"""A server's codes for a disk that is full, failing, or not to be written to."""
_BUSY: Final = frozenset({"55P03", "40001", "40P01", "53300"})
"""Locked, overtaken by another transaction, too many connections."""
_GONE: Final = frozenset({"08", "57"})
"""Classes of codes: the connection, the server being shut down."""


def sqlstate(error: DBAPIError) -> str:
    """A server's five letters for what went wrong; empty for an embedded database's error."""
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(told.get("C", "")) if isinstance(told, dict) else ""


def disk_trouble(error: BaseException) -> bool:
    """Whether the disk is full, failing or read-only."""
    if isinstance(error, OperationalError):
        text = str(error.orig)
        return "disk" in text or "readonly" in text
    if isinstance(error, DBAPIError):
        return sqlstate(error) in _DISK
    if isinstance(error, JiyaoError):
        return error.code == "disk_full"
    return is_disk_trouble(error)


def as_product_error(error: Exception) -> JiyaoError | None:
    """The error with its exit code and advice; None for one that nobody foresaw."""
    if disk_trouble(error):
        return MissingTool("disk_full", where=_where(error))
    match error:
        case DBAPIError() if sqlstate(error) in _BUSY:
            return MissingTool("registry_busy")
        case DBAPIError() if sqlstate(error)[:2] in _GONE or _line_broken(error):
            return MissingTool("registry_unreachable")
        case DBAPIError() if sqlstate(error)[:2] == "XX":
            return Broken("registry_damaged")
        case OperationalError() if "locked" in str(error.orig):
            return MissingTool("registry_busy")
        case OperationalError() if "unable to open" in str(error.orig):
            return MissingTool("registry_unreachable")
        case DatabaseError() if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            return Broken("registry_damaged")
        case FileNotFoundError() | NotADirectoryError() if error.filename:
            return NotThere("no_file", file=_where(error))
        case PermissionError():
            return MissingTool("no_permission", where=_where(error))
        case OSError() if error.errno == errno.ENAMETOOLONG:
            return NotThere("no_file", file=_where(error))
        case _:
            return None


def _line_broken(error: DBAPIError) -> bool:
    """Whether the connection to a server broke off."""
    return isinstance(error, InterfaceError) and type(error.orig).__module__.startswith("pg8000")


def _where(error: Exception) -> str:
    name = getattr(error, "filename", None)
    return str(name) if isinstance(name, str) else "-"
