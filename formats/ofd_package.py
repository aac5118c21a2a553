"""The package of an OFD (GB/T 33190-2016, clause 7): its parts by name, its XML as trees without namespaces.

Threat model: see `archive.py` for the ZIP. A place (ST_Loc, 7.4.3) written in the file may be absolute,
relative, climb with `..` or differ in case; it is resolved inside the package only, never on a disk. XML is
parsed without entities, without network and without huge trees; numbers are read as finite ones or not at all.
Prefixes and namespaces differ between makers (drafts of the standard had other ones), so only local names count.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

from lxml import etree

from ..common.limits import Limits
from .archive import checked_names
from .fault import FormatFault, guarded

Node = Any
"""An lxml element whose tag is a bare local name."""

_MAX_PART = 256 * 1024 * 1024
_MAX_NUMBERS = 200_000
_MAX_DEPTH = 200
_FARTHEST = 1e7


class OfdPackage:
    """The parts of one OFD. `used` holds every part that something in the file points to."""

    __slots__ = ("_archive", "_by_lower", "names", "used")

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises:
        FormatFault: `damaged_file`, `encrypted_file`, `unpack_bomb`, `hostile_markup`.
        """
        self.names = checked_names(data, limits)
        with guarded("ZIP"):
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._by_lower = {_plain(name).lower(): name for name in self.names if not name.endswith("/")}
        for name in self.names:
            self._by_lower.setdefault(_plain(_chinese(name)).lower(), name)
        self.used: set[str] = set()

    def find(self, place: str | None, *bases: str) -> str | None:
        """The part that `place` names, looked for beside each of `bases` (names of parts), then at the root."""
        place = (place or "").strip()
        if not place or len(place) > 1000:
            return None
        if _plain(place).startswith("/"):
            bases = ("",)
        for base in (*bases, ""):
            folder = base.rsplit("/", 1)[0] + "/" if "/" in base else ""
            name = self._by_lower.get(_joined(folder, place).lower())
            if name is not None:
                self.used.add(name)
                return name
        return None

    def read(self, name: str) -> bytes:
        """The bytes of a part that `find` gave.

        Raises:
            FormatFault: `damaged_file`, `unpack_bomb`.
        """
        with guarded("OFD part"):
            if self._archive.getinfo(name).file_size > _MAX_PART:
                raise FormatFault("unpack_bomb", f"> {_MAX_PART}")
            return self._archive.read(name)

    def tree(self, name: str, what: str) -> Node:
        """The XML of a part; `what` is our own word for it.

        Raises:
            FormatFault: `damaged_file` (detail: `what`), `hostile_markup`.
        """
        data = self.read(name)
        if b"<!DOCTYPE" in data.replace(b"\x00", b""):  # parts may have any name: not all were looked over
            raise FormatFault("hostile_markup", "DTD")
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        with guarded(what):
            root = etree.fromstring(data.lstrip(b"\x00\r\n\t "), parser)
            for node in root.iter():
                if isinstance(node.tag, str) and "}" in node.tag:
                    node.tag = node.tag.rsplit("}", 1)[1]
        return root

    def close(self) -> None:
        """Lets go of the bytes."""
        self._archive.close()


def _chinese(name: str) -> str:
    """A name written in GBK without saying so, as older makers do; zipfile takes it for code page 437."""
    try:
        return name.encode("cp437").decode("gb18030")
    except UnicodeError:
        return name


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _joined(folder: str, place: str) -> str:
    steps: list[str] = []
    for step in (folder + _plain(place) if not _plain(place).startswith("/") else _plain(place)).split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


def text_of(node: Node | None) -> str:
    """The text straight inside a node, without white space around it."""
    return ((node.text if node is not None else None) or "").strip()


def child_text(node: Node | None, name: str) -> str:
    """Text of the first child of that name; empty without one."""
    return text_of(node.find(name)) if node is not None else ""


def flag(node: Node, name: str, otherwise: bool) -> bool:
    """A boolean attribute (xs:boolean, and `True` as some makers write)."""
    value = (node.get(name) or "").strip().lower()
    return value in ("true", "1") if value in ("true", "1", "false", "0") else otherwise


def number(text: str | None, otherwise: float) -> float:
    """A finite number no farther than ten kilometres, else `otherwise`."""
    try:
        value = float((text or "").strip())
    except ValueError:
        return otherwise
    return value if math.isfinite(value) and abs(value) <= _FARTHEST else otherwise


def numbers(text: str | None, *, most: int = _MAX_NUMBERS) -> list[float] | None:
    """The numbers of an ST_Array; None where one is none.

    Raises:
        FormatFault: `too_large` for more than `most`.
    """
    words = (text or "").replace(",", " ").split()
    if len(words) > most:
        raise FormatFault("too_large", "OFD array")
    values = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            return None
        if not math.isfinite(value) or abs(value) > _FARTHEST:
            return None
        values.append(value)
    return values


def deltas(text: str | None, count: int) -> list[float]:
    """DeltaX or DeltaY (11.3) written out for at most `count` steps: `g 3 1.5` is 1.5 three times."""
    out: list[float] = []
    words = iter((text or "").replace(",", " ").split())
    for word in words:
        if len(out) >= count:
            break
        if word.lower() == "g":
            times, step = number(next(words, None), 0.0), number(next(words, None), 0.0)
            out += [step] * max(0, min(int(times), count - len(out)))
        else:
            out.append(number(word, 0.0))
    return out[:count]
