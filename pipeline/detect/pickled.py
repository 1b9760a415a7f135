"""Checkpoints of ultralytics are pickles, which can run any code; these may hold networks alone."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import ModelError

__all__ = ["refuse_code"]

NETWORK = re.compile(
    r"(torch\.nn\.modules|ultralytics\.nn\.(modules|tasks)|ultralytics\.utils\.(loss|tal))"
    r"\.(\w+\.)*[A-Z]\w*"
    r"|torch\.[A-Z]\w*|collections\.OrderedDict|datetime\.datetime|pathlib\.(Posix|Windows)Path"
    r"|ultralytics\.utils\.IterableSimpleNamespace|types\.SimpleNamespace"
    r"|numpy\.(_?core\.multiarray\.scalar|dtype|ndarray|float64|float32|int64)"
)
"""Layers, losses and settings; whatever else a checkpoint calls for is code of somebody's own."""


def refuse_code(path: Path) -> None:
    """Raise unless reading a checkpoint can make nothing but a network.

    What it calls for is listed without being run. Files of other formats are not looked at.

    Raises:
        ModelError: It calls for something else, or is no checkpoint.
    """
    import torch  # noqa: PLC0415 - slow, and only for such files

    try:
        called = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # unpickling raises whatever a damaged file leads to
        raise ModelError(
            f"detector {path} cannot be loaded: it is no checkpoint of PyTorch 1.6 or newer"
        ) from None
    strange = [name for name in called if NETWORK.fullmatch(name) is None]
    if strange:
        raise ModelError(
            f"detector {path} calls for {strange[0]}, so reading it could run code: give an ONNX "
            "or OpenVINO export, made where the file is trusted"
        )
