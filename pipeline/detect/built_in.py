"""The person detectors that come with the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUILT_IN", "FOLDER", "LARGER", "NAME", "built_in_detector"]

FOLDER = Path(__file__).with_name("weights")
NAME = "person_detector"
LARGER = "built-in-s"
"""What users call the larger one."""
BUILT_IN = {"built-in": NAME, LARGER: f"{NAME}_s"}
"""What users call them, and the names of their files."""


def built_in_detector(device: str, called: str = "built-in") -> Path:
    """Return the package's own weights in the form that is fastest on a device.

    Args:
        device: As torch names it. OpenVINO on a CPU, torch everywhere else.
        called: Which of `BUILT_IN`.
    """
    name = BUILT_IN[called]
    if device != "cpu":
        return FOLDER / f"{name}.safetensors"
    # OpenVINO reads ONNX, too, in a fifth of a second more: the larger one has no third form.
    folder = FOLDER / f"{name}_openvino_model"
    return folder if folder.is_dir() else FOLDER / f"{name}.onnx"
