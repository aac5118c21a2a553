"""Errors of the machine below, told as errors of the product; what is not among them is unexpected."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DatabaseError, OperationalError

from ...common.disk import is_disk_trouble
from ...common.errors import Broken, JiyaoError, MissingTool, NotThere


def disk_trouble(error: BaseException) -> bool:
    """Whether the disk is full, failing or read-only."""
    if isinstance(error, OperationalError):
        text = str(error.orig)
        return "disk" in text or "readonly" in text
    if isinstance(error, JiyaoError):
        return error.code == "disk_full"
    return is_disk_trouble(error)


def as_product_error(error: Exception) -> JiyaoError | None:
    """The error with its exit code and advice; None for one that nobody foresaw."""
    if disk_trouble(error):
        return MissingTool("disk_full", where=_where(error))
    match error:
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


def _where(error: Exception) -> str:
    name = getattr(error, "filename", None)
    return str(name) if isinstance(name, str) else "-"
