"""Whether any OCR engine is installed: a batch does not begin without one, so its tests have nothing to prove."""

from __future__ import annotations

import importlib.util
import shutil

NO_ENGINE = shutil.which("tesseract") is None and importlib.util.find_spec("onnxruntime") is None
WHY = "neither RapidOCR nor Tesseract is installed: no batch begins"
