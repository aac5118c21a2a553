"""Vectors of SM2 signatures: good ones, and what must be refused, each with what `openssl pkeyutl` says of it.
Made by `python tests/tools/vectors.py`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from jiyao.ledger.certificate_sm2 import DISTID, KEY_HEAD, B, N, P, digest
from jiyao.vault import sm2

DATA = b'{"batch":"XH-2026-001","type":"jiyao.destruction"}'
EXAMPLE = {
    "name": "GB/T 32918.5-2017, annex A.2",
    "key": KEY_HEAD.hex()
    + "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    + "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    "data": b"message digest".hex(),
    "signature": encode_dss_signature(
        0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
        0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
    ).hex(),
}


def signatures(file: Path) -> None:
    """Writes the vectors."""
    private, other = sm2.make_key(), sm2.make_key()
    key, signed = sm2.public_of(private), sm2.sign(DATA, private)
    r, s = decode_dss_signature(signed)
    flipped, bent = bytearray(signed), bytearray(key)
    flipped[-1] ^= 1
    bent[-1] ^= 1
    wide = bytes([signed[0], 0x81, *signed[1:]])
    bad = {
        "another key": {"key": sm2.public_of(other).hex()},
        "another curve named": {"key": key.hex().replace("2a811ccf5501822d", "2a8648ce3d030107")},
        "key not on the curve": {"key": bytes(bent).hex()},
        "key compressed": {"key": _compressed(key).hex()},
        "key with a coordinate past the field": {"key": _past().hex()},
        "a flipped bit in the data": {"data": bytes([DATA[0] ^ 1, *DATA[1:]]).hex()},
        "a flipped bit in the signature": {"signature": bytes(flipped).hex()},
        "another distid": {"signature": _under(b"ALICE123@YAHOO.COM", private).hex()},
        "cut": {"signature": signed[:-1].hex()},
        "empty": {"signature": ""},
        "a byte more": {"signature": (signed + b"\0").hex()},
        "a length that is not the shortest": {"signature": wide.hex()},
        "r and s raw": {"signature": (r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex()},
        "r is zero": {"signature": encode_dss_signature(0, s).hex()},
        "s is zero": {"signature": encode_dss_signature(r, 0).hex()},
        "r too high": {"signature": encode_dss_signature(r + N, s).hex()},
        "s too high": {"signature": encode_dss_signature(r, s + N).hex()},
        "s the other way round": {"signature": encode_dss_signature(r, N - s).hex()},
        "r and s add up to n": {"signature": encode_dss_signature(N - s, s).hex()},
        "r negative": {"signature": _negative(r, s).hex()},
        "ECDSA in place of SM2": {"signature": _ecdsa(private, key).hex()},
    }
    plain = {"key": key.hex(), "data": DATA.hex(), "signature": signed.hex()}
    cases: list[dict[str, Any]] = [{**EXAMPLE, "holds": True}, {"name": "made here", **plain, "holds": True}]
    cases += [{"name": name, **plain, **changed, "holds": False} for name, changed in bad.items()]
    file.write_text(
        json.dumps({"distid": DISTID.decode(), "cases": cases}, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )


def openssl_says(case: dict[str, Any], folder: Path, distid: str = DISTID.decode()) -> bool | None:
    """Whether `openssl pkeyutl` takes the signature; None where there is none, or none that knows SM2."""
    if shutil.which("openssl") is None:
        return None
    for name in ("key", "data", "signature"):
        (folder / name).write_bytes(bytes.fromhex(case[name]))
    return pkeyutl(folder, "-pubin", "-keyform", "DER", "-inkey", "key", distid=distid)


def pkeyutl(folder: Path, *key: str, distid: str = DISTID.decode()) -> bool:
    """The command of docs/spec/certificate.md over the files `data` and `signature`."""
    command = [
        "openssl", "pkeyutl", "-verify", *key, "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{distid}",
        "-in", "data", "-sigfile", "signature",
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _negative(r: int, s: int) -> bytes:
    rest = encode_dss_signature(1, s)[5:]
    inner = b"\x02\x20" + (r | 1 << 255).to_bytes(32, "big") + rest
    return bytes([0x30, len(inner)]) + inner


def _compressed(key: bytes) -> bytes:
    head = bytearray(KEY_HEAD)
    head[1], head[-3], head[-1] = 0x39, 0x22, 0x02 | key[-1] & 1
    return bytes(head) + key[-64:-32]


def _past() -> bytes:
    """The point with x = 0, its x written as the field's prime, which is the same number there."""
    y = pow(B, (P + 1) // 4, P)
    assert (y * y - B) % P == 0
    return KEY_HEAD + P.to_bytes(32, "big") + y.to_bytes(32, "big")


def _under(distid: bytes, private: bytearray) -> bytes:
    with_other = sm2._core(sm2.secrets.randbits).sign(DATA, int.from_bytes(private, "big"), distid)
    return encode_dss_signature(*with_other)


def _ecdsa(private: bytearray, key: bytes) -> bytes:
    """A signature by the same key on the same curve, by the other formula over the same digest."""
    d, k = int.from_bytes(private, "big"), 1 + sm2.secrets.randbelow(N - 2)
    x, y = int.from_bytes(key[-64:-32], "big"), int.from_bytes(key[-32:], "big")
    point: tuple[int, int] = sm2._core(sm2.secrets.randbits).generate_pk(k)
    r = point[0] % N
    return encode_dss_signature(r, pow(k, -1, N) * (digest((x, y), DATA) + r * d) % N)
