"""Embedding with PyTorch: the GPU's way, and the reference for every other one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from reid_model.backends import Precision
from reid_model.checkpoint import load_checkpoint
from reid_model.description import Description
from reid_model.errors import BackendError
from reid_model.gpu_batches import GpuBatches

__all__ = ["TorchRuntime"]

GPU_BATCH = 256
"""Crops per forward pass on a GPU; more gains nothing and takes memory."""
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class TorchRuntime:
    """A checkpoint on a torch device.

    Where its memory does not do for so many crops at once, fewer are taken from then on.

    Args:
        weights: The checkpoint.
        device: As torch names it.
        precision: ``auto`` is fp16 on CUDA, else fp32.

    Raises:
        WeightsError: The checkpoint cannot be used.
        BackendError: The precision is not to be had on the device.
    """

    takes_tensors = True

    def __init__(self, weights: Path, *, device: str, precision: Precision) -> None:
        checkpoint = load_checkpoint(weights)
        on_cpu = device == "cpu"
        chosen = (
            ("fp16" if device.startswith("cuda") else "fp32") if precision == "auto" else precision
        )
        if chosen == "int8" or (on_cpu and chosen == "fp16"):
            where = "on a CPU" if on_cpu else f"on {device}"
            raise BackendError(f"precision {chosen} is not available with torch {where}: use fp32")
        self._dtype = DTYPES[chosen]
        self._device = torch.device(device)
        self.description = Description(**checkpoint.architecture.preprocessing.model_dump())
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float32, device=self._device).view(1, 3, 1, 1)
            for values in (self.description.mean, self.description.std)
        )
        # Channels last is 2.4 times as fast on a CPU, and what tensor cores want on a GPU.
        network = checkpoint.network.to(self._device, self._dtype)
        self._network = network.to(memory_format=torch.channels_last)
        self.name = f"{weights.name} (torch, {device}, {chosen})"
        self._batches = GpuBatches(1 if on_cpu else GPU_BATCH, what="crops", name=self.name)

    def infer(
        self, images: Iterable[NDArray[np.uint8] | torch.Tensor]
    ) -> list[NDArray[np.float32]]:
        """Return a vector for each ``(H, W, 3)`` uint8 BGR image.

        Arrays have the input's size; tensors may have any, and are scaled where they are.
        """
        return self._batches.results(self._forward, list(images))

    @torch.inference_mode()
    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        for start in range(0, count, self._batches.size):
            size = min(self._batches.size, count - start), 3, *self.description.input_size
            blank = torch.zeros(size, dtype=self._dtype, device=self._device)
            self._network(blank.contiguous(memory_format=torch.channels_last))
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    @torch.inference_mode()
    def _forward(self, images: Sequence[NDArray[np.uint8] | torch.Tensor]) -> NDArray[np.float32]:
        # As bytes they are a quarter of what goes to a GPU, which normalises them faster, too.
        arrays = [image for image in images if isinstance(image, np.ndarray)]
        sent = iter(torch.from_numpy(np.stack(arrays)).to(self._device) if arrays else ())
        stacked = torch.stack(
            [
                next(sent) if isinstance(image, np.ndarray) else self._scaled(image)
                for image in images
            ]
        )
        pixels = stacked.permute(0, 3, 1, 2)
        ordered = pixels.flip(1) if self.description.colour == "rgb" else pixels
        scaled = (ordered.float() / self.description.scale - self._mean) / self._std
        batch = scaled.to(self._dtype, memory_format=torch.channels_last)
        vectors: NDArray[np.float32] = self._network(batch).float().cpu().numpy()
        return vectors

    def _scaled(self, image: torch.Tensor) -> torch.Tensor:
        """Return an image at the input's size, as `reid_model.preprocess.resized` makes it."""
        size = self.description.input_size
        pixels = image.to(self._device).permute(2, 0, 1)[None].float()
        shrinks = image.shape[0] > size[0] and image.shape[1] > size[1]
        scaled = functional.interpolate(pixels, size=size, mode="area" if shrinks else "bilinear")
        return scaled[0].permute(1, 2, 0).round().byte()
