"""Other programs' invisible marks on the same pages and pictures: what is open and known. Bench only, optional.

Both need the picture at its first size and place, so each leaked picture is brought back to the page's size before it
is asked, as anybody would do who knows that. invisible-watermark's package asks for torch when it is imported, which
only its neural method uses: of its wavelet method the module is loaded alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import random
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from ...formats.opened import Picture

BITS: Final = 64
NAMES: Final = {"blind-watermark": "0.4.4", "invisible-watermark": "0.2.0"}
"""Distributions, as `pyproject.toml` pins them in the extra `rivals`."""


def installed() -> tuple[str, ...]:
    """Which of them are there."""
    found = []
    for name in NAMES:
        try:
            metadata.distribution(name)
            importlib.import_module("pywt")
        except ImportError:
            continue
        found.append(name)
    return tuple(found)


@dataclass
class RivalPage:
    """A page that bears both rivals' marks, each on a picture of its own."""

    page: Picture
    seed: int
    _marked: dict[str, Picture] = field(default_factory=dict)

    @property
    def payload(self) -> list[int]:
        """64 bits."""
        rng = random.Random(f"rival:{self.seed}")  # noqa: S311 (no secret)
        return [rng.randrange(2) for _ in range(BITS)]

    def marked(self, name: str) -> Picture:
        """The page with this program's mark, the program's own defaults."""
        if name not in self._marked:
            turned = np.ascontiguousarray(self.page[:, :, ::-1])
            done = (
                _blind_embed(turned, self.payload)
                if name == "blind-watermark"
                else _embed(turned, self.payload)
            )
            self._marked[name] = np.ascontiguousarray(
                np.asarray(done).clip(0, 255).astype(np.uint8)[:, :, ::-1]
            )
        return self._marked[name]

    def recovered(self, name: str, leaked: Picture) -> bool:
        """Whether the whole payload comes back from the picture, brought to the page's size."""
        height, width = self.page.shape[:2]
        same = cv2.resize(leaked, (width, height), interpolation=cv2.INTER_AREA)
        turned = np.ascontiguousarray(same[:, :, ::-1], np.uint8)
        read = _blind_read(turned) if name == "blind-watermark" else _read(turned)
        return read == self.payload


@cache
def _blind() -> Any:
    """blind-watermark's class. Its import fixes how processes start, which is not its business here."""
    fixed = multiprocessing.set_start_method
    vars(multiprocessing)["set_start_method"] = lambda *_: None
    try:
        module = importlib.import_module("blind_watermark")
    finally:
        vars(multiprocessing)["set_start_method"] = fixed
    module.bw_notes.close()
    return module.WaterMark


def _blind_embed(picture: Picture, payload: list[int]) -> Picture:
    mark = _blind()(password_img=1, password_wm=1)
    mark.read_img(img=picture)
    mark.read_wm([bool(bit) for bit in payload], mode="bit")
    return np.asarray(mark.embed())


def _blind_read(picture: Picture) -> list[int]:
    mark = _blind()(password_img=1, password_wm=1)
    bits = mark.extract(embed_img=picture, wm_shape=BITS, mode="bit")
    return [int(bit > 0.5) for bit in bits]


@cache
def _wavelet() -> Any:
    """The class of invisible-watermark's method dwtDctSvd."""
    package = importlib.util.find_spec("imwatermark")
    if package is None or not package.submodule_search_locations:
        raise ImportError("imwatermark")
    path = Path(package.submodule_search_locations[0]) / "dwtDctSvd.py"
    spec = importlib.util.spec_from_file_location("imwatermark_dwt_dct_svd", path)
    if spec is None or spec.loader is None:
        raise ImportError("imwatermark")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.EmbedDwtDctSvd


def _embed(picture: Picture, payload: list[int]) -> Picture:
    return np.asarray(_wavelet()(list(payload), wmLen=BITS).encode(picture))


def _read(picture: Picture) -> list[int]:
    return [int(bit) for bit in _wavelet()([], wmLen=BITS).decode(picture)]
