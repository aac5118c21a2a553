"""What `--engine` accepts; known without any engine's library."""

from __future__ import annotations

from typing import Final

AUTO: Final = "auto"
RAPID: Final = "rapidocr"
FAST: Final = "rapidocr-fast"
TESSERACT: Final = "tesseract"
ENGINES: Final[tuple[str, ...]] = (AUTO, RAPID, FAST, TESSERACT)
"""The more exact first."""
