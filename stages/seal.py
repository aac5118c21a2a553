"""Seals what was received and read: each artefact an encrypted file under the document's own key.

Runs in the coordinator. Nothing is written in clear; the names of the sealed files are random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Reference(Protocol):
    """What the vault says of a sealed file."""

    @property
    def path(self) -> str:
        """Relative to the blob area."""
        ...

    @property
    def size(self) -> int:
        """Bytes of ciphertext."""
        ...

    @property
    def cipher_sha256(self) -> str:
        """Of the ciphertext, hex."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed artefact."""

    kind: str
    path: str
    size: int
    cipher_sha256: str


def seal(artefacts: Mapping[str, bytes], put: Callable[[str, bytes], Reference]) -> tuple[Sealed, ...]:
    """Seals every artefact (kind -> bytes) and says where each lies.

    Raises:
        OSError: the disk is full or fails; what was written then has no key and is swept.
    """
    sealed = []
    for kind, data in artefacts.items():
        reference = put(kind, data)
        sealed.append(
            Sealed(kind=kind, path=reference.path, size=reference.size, cipher_sha256=reference.cipher_sha256)
        )
    return tuple(sealed)
