"""Decoding on the card: frames that never come to the CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gpu_checks.timing import PartSkippedError

__all__ = ["frames_decoded_a_second"]


def frames_decoded_a_second(device: torch.device, video: Path) -> dict[str, Any]:
    """Return the frames a second of each way to decode on the card that is installed.

    Raises:
        PartSkippedError: None is.
    """
    found: dict[str, Any] = {}
    for name, read in {"torchcodec": _torchcodec, "PyNvVideoCodec": _nvidia}.items():
        try:
            read(device, video)  # warms up
            started = time.perf_counter()
            frames = read(device, video)
            found[name] = round(frames / (time.perf_counter() - started), 1)
        except Exception as error:  # libraries of CUDA, FFmpeg and drivers fail in all ways
            found[name] = f"not here: {' '.join(str(error).split())[:160] or type(error).__name__}"
    if not any(isinstance(value, float) for value in found.values()):
        raise PartSkippedError("; ".join(f"{name} {why}" for name, why in found.items()))
    return found


def _torchcodec(device: torch.device, video: Path) -> int:
    from torchcodec.decoders import VideoDecoder  # type: ignore[import-not-found]  # noqa: PLC0415

    return sum(1 for _ in VideoDecoder(str(video), device=str(device)))


def _nvidia(device: torch.device, video: Path) -> int:
    if device.type != "cuda":
        raise RuntimeError("it needs a CUDA device")
    import PyNvVideoCodec  # type: ignore[import-not-found]  # noqa: PLC0415

    decoder: Callable[..., Any] = PyNvVideoCodec.SimpleDecoder
    return sum(1 for _ in decoder(str(video), gpu_id=device.index or 0, use_device_memory=True))
