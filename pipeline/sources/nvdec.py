"""Decoding by an NVIDIA GPU: pictures that stay in its memory.

FFmpeg drives the decoder (NVDEC), so files are opened, checked and read past their damage as on a CPU.
"""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel

from pipeline.datatypes import Frame, Image
from pipeline.gpu_frame import GpuFrame
from pipeline.sources.orientation import display_matrix

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["TakenPicture", "bgr_pixels", "gpu_acceleration"]

log = logging.getLogger(__name__)

BLOCKING_SYNC = 4
"""CUDA's flag of contexts in which threads sleep while they wait."""
FULL_RANGE = 2
"""FFmpeg's number of the colour range 0 to 255; all others are 16 to 235."""
USUAL_WEIGHTS = (0.299, 0.114)
LUMA_WEIGHTS = {1: (0.2126, 0.0722), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
"""Weights of red and blue in brightness by FFmpeg's number of the colour space: BT.709, SMPTE 240M,
BT.2020 twice; all others are BT.601."""


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A decoded picture whose pixels are in memory of our own.

    Attributes:
        pts: When it is shown, ticks of the stream.
        dts: When it was to be decoded.
        duration: How long it is shown.
        time_base: Seconds a tick.
        is_corrupt: Whether the decoder calls it so.
        pixels: ``(H, W, 3)`` uint8 BGR, a tensor on the GPU or an array.
    """

    pts: int | None
    dts: int | None
    duration: int
    time_base: Fraction
    is_corrupt: bool
    pixels: Tensor | Image

    def frame(self, camera: str, index: int, time_s: float) -> Frame:
        """Return the frame of a camera that shows this picture."""
        if isinstance(self.pixels, np.ndarray):
            return Frame(camera, index, time_s, self.pixels)
        return GpuFrame(camera, index, time_s, self.pixels)


def gpu_acceleration(device: str) -> Any | None:
    """Return what PyAV opens files with so that a GPU decodes and keeps their pictures.

    Args:
        device: As torch names it: ``cuda:0``.

    Returns:
        ``None`` where that cannot be had; a warning has said why.
    """
    index = int(device.partition(":")[2] or 0)
    try:
        _share_context(device, index)
        wanted = HWAccel("cuda", index, allow_software_fallback=True, is_hw_owned=True)
        wanted.create(av.codec.Codec("h264", "r"))  # says now what is missing
    # Drivers, CUDA, torch and FFmpeg fail in ways of their own.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        log.warning("no decoding on %s (%s): the CPU decodes", device, reason)
        return None
    return wanted


def _share_context(device: str, index: int) -> None:
    """Let FFmpeg work where torch does: it joins a context only if that has exactly this flag."""
    import torch  # noqa: PLC0415 - loaded by the networks anyway

    if not device.startswith("cuda"):
        raise RuntimeError("the networks run elsewhere")
    torch.zeros(1, device=device)
    driver, number = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
    for code in (
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(number), index),
        driver.cuDevicePrimaryCtxSetFlags_v2(number, BLOCKING_SYNC),
    ):
        if code:
            raise RuntimeError(f"the driver answers with error {code}")


def bgr_pixels(picture: Any) -> Tensor | None:
    """Return the ``(H, W, 3)`` uint8 BGR pixels of a picture where its planes are.

    As FFmpeg converts on a CPU, to a few grey values: colour is not smoothed between pixels.

    Args:
        picture: One that PyAV decoded, on a GPU or in memory.

    Returns:
        ``None`` for what is no NV12 of even sides, is shown turned, or is too much for the memory.
    """
    if picture.width % 2 or picture.height % 2 or display_matrix(picture) is not None:
        return None
    import torch  # noqa: PLC0415 - loaded by the networks already
    from torch.utils.dlpack import from_dlpack  # noqa: PLC0415

    try:
        # Capsules: PyAV refuses the stream that torch would name; both work in the same one.
        y, colour = (from_dlpack(plane.__dlpack__()) for plane in picture.planes[:2])
        if y.dtype != torch.uint8 or colour.ndim != 3:
            return None
        matrix, offset = _to_bgr(int(picture.colorspace), int(picture.color_range), y.device)
        spread = colour.repeat_interleave(2, 0).repeat_interleave(2, 1)
        values = torch.cat([y[..., None], spread], 2).float()
        return (values @ matrix + offset).round().clamp(0, 255).byte()
    except (RuntimeError, ValueError, BufferError):  # other formats, too little memory
        return None


@cache
def _to_bgr(space: int, value_range: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the ``(3, 3)`` matrix and the offset from Y, Cb, Cr to blue, green, red.

    Source: ITU-R BT.601-7, sections 2.5.1 to 2.5.3; other weights for other colour spaces.
    """
    red, blue = LUMA_WEIGHTS.get(space, USUAL_WEIGHTS)
    green = 1 - red - blue
    black, luma, chroma = (0, 1.0, 1.0) if value_range == FULL_RANGE else (16, 255 / 219, 255 / 224)
    to_blue, to_red = 2 * (1 - blue) * chroma, 2 * (1 - red) * chroma
    matrix = np.array(
        [
            [luma, luma, luma],
            [to_blue, -to_blue * blue / green, 0],
            [0, -to_red * red / green, to_red],
        ]
    )
    offset = -np.array([black, 128, 128]) @ matrix
    import torch  # noqa: PLC0415 - loaded by the networks already

    return (
        torch.tensor(matrix, device=device, dtype=torch.float32),
        torch.tensor(offset, device=device, dtype=torch.float32),
    )
