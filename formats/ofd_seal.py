"""The electronic seal inside an OFD signature (GM/T 0031-2014, GB/T 38540-2020): its name, picture and dates.

Threat model: DER from outside, nested and lengths lying: parsed by asn1crypto, bounded in depth and items. The
two editions differ around the seal but not in it, so the seal is looked for by its header "ES".
"""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import parser

_MAX_DEPTH = 12
_MAX_ITEMS = 4_000
_SEQUENCE, _INTEGER, _BITS, _OCTETS, _UTF8, _IA5 = 16, 2, 3, 4, 12, 22


@dataclass(frozen=True, slots=True)
class Seal:
    """What a seal says of itself; nothing of it is verified."""

    name: str
    picture_kind: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class _Item:
    tag: int
    content: bytes
    universal: bool


def seal_in(data: bytes) -> Seal | None:
    """The first seal in a signature value (SES_Signature) or seal file (SESeal); None without one."""
    return _look(data, 0, [_MAX_ITEMS])


def signed_hash(data: bytes) -> bytes | None:
    """The digest of Signature.xml that a seal signature (TBS_Sign.dataHash) states; None without one.

    TBS_Sign holds version, seal, time and then the digest, in both editions.
    """
    for item in _children(data, 1):
        signed = _children(item.content, 64)
        if item.tag != _SEQUENCE or not signed or signed[0].tag != _SEQUENCE:
            return None
        parts = _children(signed[0].content, 64)
        if (
            len(parts) >= 4
            and parts[0].tag == _INTEGER
            and parts[1].tag == _SEQUENCE
            and parts[3].tag == _BITS
        ):
            return parts[3].content[1:] or None
    return None


def _look(data: bytes, depth: int, left: list[int]) -> Seal | None:
    if depth > _MAX_DEPTH:
        return None
    for item in _children(data, 256):
        left[0] -= 1
        if left[0] < 0:
            return None
        if not (item.tag == _SEQUENCE or not item.universal or (item.tag == _OCTETS and depth < 4)):
            continue
        found = _seal(item.content) or _look(item.content, depth + 1, left)
        if found is not None:
            return found
    return None


def _seal(content: bytes) -> Seal | None:
    """SES_SealInfo: header {"ES", version, vendor}, id, property {type, name, …}, picture {kind, data, …}."""
    parts = _children(content, 16)
    if len(parts) < 4 or any(parts[i].tag != _SEQUENCE for i in (0, 2, 3)):
        return None
    head = _children(parts[0].content, 8)
    if len(head) < 2 or head[0].tag != _IA5 or head[0].content != b"ES":
        return None
    names = [item for item in _children(parts[2].content, 16) if item.tag == _UTF8]
    picture = _children(parts[3].content, 8)
    if len(picture) < 2 or picture[1].tag != _OCTETS:
        return None
    return Seal(
        name=names[0].content.decode("utf-8", "replace")[:200] if names else "",
        picture_kind=picture[0].content.decode("ascii", "replace")[:8].strip().lower(),
        picture=picture[1].content,
    )


def _children(data: bytes, most: int) -> list[_Item]:
    """The items that stand one after another in `data`; empty when it is not DER."""
    found: list[_Item] = []
    at = 0
    while at < len(data) and len(found) < most:
        try:
            kind, _, tag, header, content, trailer = parser.parse(data[at:], strict=False)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return found
        found.append(_Item(tag=int(tag), content=bytes(content), universal=kind == 0))
        at += len(header) + len(content) + len(trailer)
    return found
