"""The shipped policy as plain values to change in a test, and back to text: quickly, for it is long."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import yaml

from jiyao.models.policy.loader import default_policy_text

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@cache
def _shipped() -> Any:
    return yaml.load(default_policy_text(), _LOADER)


def plain_policy() -> dict[str, Any]:
    """The shipped policy, to be changed at will."""
    plain: dict[str, Any] = deepcopy(_shipped())
    return plain


def policy_text(plain: dict[str, Any]) -> str:
    """A policy as YAML."""
    return str(yaml.dump(plain, Dumper=_DUMPER, allow_unicode=True, sort_keys=False))
