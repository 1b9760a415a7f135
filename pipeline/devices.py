"""Which device the networks run on."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import SettingsError

__all__ = ["resolve_device"]

GPU_DRIVER_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""Device files of NVIDIA's, WSL's and AMD's drivers; without any there is no GPU on Linux."""


def resolve_device(wanted: str) -> str:
    """Return the device to use as torch names it: ``cpu``, ``cuda:0``, ``mps``.

    ``auto`` takes the first GPU there is. On a Linux machine without a GPU driver the answer
    is known without loading torch, which takes seconds. Without torch it is the CPU.

    Raises:
        SettingsError: The device is unknown or not on this machine.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted == "auto" and (
        (sys.platform == "linux" and not _has_gpu_driver()) or find_spec("torch") is None
    ):
        return "cpu"
    import torch  # noqa: PLC0415 - slow to load, often not needed

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise SettingsError(
            f"runner.device: unknown device {wanted!r}; use auto, cpu, cuda, cuda:N or mps"
        ) from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingsError(
            f"runner.device: {wanted} is not on this machine, which has "
            f"{torch.cuda.device_count()} CUDA devices; use --device cpu"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("runner.device: mps is not on this machine; use --device cpu")
    if device.type not in {"cuda", "mps", "cpu"}:
        raise SettingsError(f"runner.device: {wanted!r} is not supported; use cpu, cuda or mps")
    return f"cuda:{device.index or 0}" if device.type == "cuda" else device.type


def _has_gpu_driver() -> bool:
    return any(Path(path).exists() for path in GPU_DRIVER_FILES)
