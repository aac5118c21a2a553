"""Line limits: hard 500, soft 300 (style rule 2)."""

from __future__ import annotations

import sys
from pathlib import Path

from tree import ROOT, files

SOFT = 300
HARD = 500


def lengths(root: Path = ROOT) -> list[tuple[int, Path]]:
    """(lines, file) of every Python file above the soft limit, longest first."""
    counted = [
        (len(path.read_text("utf-8").splitlines()), path.relative_to(root))
        for path in files(root)
        if path.suffix == ".py"
    ]
    return sorted((item for item in counted if item[0] > SOFT), reverse=True)


def main() -> int:
    """Prints notes and faults; 1 when a file passes the hard limit."""
    found = lengths()
    for count, path in found:
        print(f"{'over the limit' if count > HARD else 'note: long'}: {path} has {count} lines")
    return 1 if any(count > HARD for count, _ in found) else 0


if __name__ == "__main__":
    sys.exit(main())
