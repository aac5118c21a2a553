"""Commands of the contract that are not yet built: they say so and exit 2."""

from __future__ import annotations

from .frame import later

serve = later("serve", "serve")
