"""Commands of the contract that are not yet built: they say so and exit 2."""

from __future__ import annotations

from .frame import Room, later

drill = Room("drill")
drill.later("make", "read")

serve = later("serve", "serve")
