"""One neural network on ONNX Runtime, single-threaded."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...common.errors import MissingTool
from .model_files import ModelFile, load

Tensor = NDArray[np.float32]
_FATAL_ONLY = 4


def runtime_installed() -> bool:
    """Whether ONNX Runtime is there; it is not imported."""
    return importlib.util.find_spec("onnxruntime") is not None


class Network:
    """A model with one input and one output. Pages run side by side in processes, so each has one thread."""

    __slots__ = ("_input", "_output", "_session")

    def __init__(self, file: ModelFile) -> None:
        """Loads the model.

        Raises:
            Broken: `ocr_model_altered`. MissingTool: `ocr_engine_missing`, without ONNX Runtime.
        """
        content = load(file)
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError as fault:
            raise MissingTool("ocr_engine_missing", detail="onnxruntime") from fault
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        options.enable_cpu_mem_arena = True
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = runtime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, tensor: Tensor) -> Tensor:
        """The output for one input (shapes as the model has them)."""
        (answer,) = self._session.run([self._output], {self._input: tensor})
        return np.asarray(answer, dtype=np.float32)

    def metadata(self, key: str) -> str:
        """What the model file says of itself under `key`, empty when nothing."""
        return str(self._session.get_modelmeta().custom_metadata_map.get(key, ""))
