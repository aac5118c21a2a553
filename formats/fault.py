"""What can be wrong with a file: one code per cause, never a word of its content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..common.errors import PartlyDone

Verdict = Literal["damaged", "encrypted", "unsupported"]

_VERDICTS: dict[str, Verdict] = {
    "empty_file": "damaged",
    "damaged_file": "damaged",
    "hostile_markup": "damaged",
    "unpack_bomb": "damaged",
    "encrypted_file": "encrypted",
    "wrong_file_password": "encrypted",
    "office_not_converted": "damaged",
    "office_timed_out": "unsupported",
    "archive_empty": "unsupported",
    "archive_entry_path": "unsupported",
    "archive_entry_link": "unsupported",
    "archive_entry_large": "unsupported",
    "archive_entry_method": "unsupported",
    "unsupported_format": "unsupported",
    "too_large": "unsupported",
    "too_many_pages": "unsupported",
    "too_many_pixels": "unsupported",
}


class FormatFault(PartlyDone):
    """A file that cannot be read. `code` is a key of `common/messages/formats.yaml`.

    Args:
        code: the cause.
        detail: numbers, format names or our own words; nothing quoted from the file.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail=detail)
        self.detail = detail

    @property
    def verdict(self) -> Verdict:
        """The cause as one of three kinds: the file is broken, closed, or not for us."""
        return _VERDICTS[self.code]


@contextmanager
def guarded(detail: str) -> Iterator[None]:
    """Around a parser on hostile bytes: whatever it raises leaves as a named fault.

    Parsers raise dozens of kinds on broken input, their own and Python's; all of them mean the file is
    damaged, save running out of memory or of stack, which only a hostile file brings about. A missing name or
    module is our own fault and passes.

    Raises:
        FormatFault: itself, or `damaged_file`, `unpack_bomb`, `hostile_markup`.
    """
    try:
        yield
    except (FormatFault, NameError, ImportError):
        raise
    except MemoryError as error:
        raise FormatFault("unpack_bomb", detail) from error
    except RecursionError as error:
        raise FormatFault("hostile_markup", detail) from error
    except Exception as error:
        raise FormatFault("damaged_file", detail) from error
