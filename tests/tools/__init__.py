"""Checks of the project on itself. Each file also runs alone: `python tests/tools/<name>.py`."""
