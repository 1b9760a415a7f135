"""The network of YOLOv8 in torch, put together from its weights alone.

Nothing of ultralytics is needed, whose layers change from version to version: the weights do not
say whether the pooling's first convolution has an activation, these have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional

from pipeline.errors import ModelError

__all__ = ["STRIDE", "Yolov8"]

STRIDE = 32
"""Sides of inputs are multiples of it, pixels."""
EPSILON = 1e-3
"""Added to variances before they divide."""
BINS = 16
"""A distance to an edge of a box is a distribution over 0 to 15 strides."""


class Yolov8:
    """A detector of one class, of any size from YOLOv8n to YOLOv8x.

    Args:
        weights: A safetensors file with ultralytics' names of the layers.
        device: Where it runs.
        dtype: What it computes in; boxes and scores are always float32.

    Raises:
        ModelError: The file cannot be read, or holds another network.

    Source:
        Architecture: G. Jocher, A. Chaurasia, J. Qiu, "Ultralytics YOLOv8", 2023. Boxes by
        distributions: Li et al., "Generalized Focal Loss", NeurIPS 2020.
    """

    def __init__(self, weights: Path, *, device: torch.device, dtype: torch.dtype) -> None:
        self._dtype = torch.float32
        state = _stored(weights)
        try:
            self._layers = _folded(state)
            boxes, scores = self(torch.zeros(1, 3, STRIDE, STRIDE))
        except (KeyError, RuntimeError) as error:
            raise ModelError(
                f"detector {weights} is no YOLOv8 ({str(error).splitlines()[0]}): give an ONNX or "
                "OpenVINO export of it"
            ) from None
        if scores.shape != boxes.shape[:2] or not scores.isfinite().all():
            raise ModelError(f"detector {weights} is damaged, or has several classes: export it")
        self._dtype = dtype
        self._layers = {
            name: (
                weight.to(device, dtype, memory_format=torch.channels_last),
                bias.to(device, dtype),
            )
            for name, (weight, bias) in self._layers.items()
        }

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the candidates of all images.

        Args:
            images: ``(N, 3, H, W)`` RGB in [0, 1], sides in multiples of ``STRIDE``.

        Returns:
            ``(N, A, 4)`` float32 corners in pixels of the input and ``(N, A)`` float32 scores.
        """
        x = images.to(self._dtype, memory_format=torch.channels_last)
        x = self._block(2, self._conv("1", self._conv("0", x, stride=2), stride=2), shortcut=True)
        fine = self._block(4, self._conv("3", x, stride=2), shortcut=True)
        middle = self._block(6, self._conv("5", fine, stride=2), shortcut=True)
        coarse = self._block(8, self._conv("7", middle, stride=2), shortcut=True)
        coarse = self._pooled(coarse)
        middle = self._block(12, torch.cat([_doubled(coarse), middle], 1))
        fine = self._block(15, torch.cat([_doubled(middle), fine], 1))
        middle = self._block(18, torch.cat([self._conv("16", fine, stride=2), middle], 1))
        coarse = self._block(21, torch.cat([self._conv("19", middle, stride=2), coarse], 1))
        found = [self._head(level, maps) for level, maps in enumerate([fine, middle, coarse])]
        boxes, scores = zip(*found, strict=True)
        return torch.cat(boxes, 1), torch.cat(scores, 1)

    def _conv(self, name: str, x: Tensor, *, stride: int = 1, active: bool = True) -> Tensor:
        weight, bias = self._layers[name]
        y = functional.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2)
        return functional.silu(y, inplace=True) if active else y

    def _block(self, number: int, x: Tensor, *, shortcut: bool = False) -> Tensor:
        """Pass half of the channels on and through bottlenecks, whose results are all kept."""
        parts = list(self._conv(f"{number}.cv1", x).chunk(2, 1))
        while f"{number}.m.{len(parts) - 2}.cv1" in self._layers:
            inner = f"{number}.m.{len(parts) - 2}"
            y = self._conv(f"{inner}.cv2", self._conv(f"{inner}.cv1", parts[-1]))
            parts.append(parts[-1] + y if shortcut else y)
        return self._conv(f"{number}.cv2", torch.cat(parts, 1))

    def _pooled(self, x: Tensor) -> Tensor:
        maps = [self._conv("9.cv1", x, active=False)]
        for _ in range(3):
            maps.append(functional.max_pool2d(maps[-1], 5, stride=1, padding=2))
        return self._conv("9.cv2", torch.cat(maps, 1))

    def _head(self, level: int, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(N, A, 4)`` corners and ``(N, A)`` scores of one resolution."""
        edges, score = (
            self._conv(
                f"22.{name}.{level}.2",
                self._conv(f"22.{name}.{level}.1", self._conv(f"22.{name}.{level}.0", maps)),
                active=False,
            ).float()
            for name in ("cv2", "cv3")
        )
        height, width = maps.shape[-2:]
        shares = edges.reshape(len(maps), 4, BINS, height * width).softmax(2)
        strides = torch.arange(BINS, device=maps.device, dtype=torch.float32)
        left, top, right, bottom = torch.einsum("nebp,b->enp", shares, strides)
        rows, columns = (torch.arange(n, device=maps.device) + 0.5 for n in (height, width))
        y, x = (each.flatten() for each in torch.meshgrid(rows, columns, indexing="ij"))
        corners = torch.stack([x - left, y - top, x + right, y + bottom], -1)
        return corners * (STRIDE >> (2 - level)), score.sigmoid().flatten(1)


def _stored(weights: Path) -> dict[str, Tensor]:
    try:
        with safe_open(str(weights), framework="pt") as stored:
            return {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        problem = str(error).strip().splitlines()[0]
        raise ModelError(f"detector {weights} cannot be loaded: {problem}") from None


def _folded(state: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return weight and bias of every convolution, with the batch norm behind it folded in."""
    layers = {}
    for key, weight in state.items():
        if not key.endswith(".weight") or weight.ndim != 4 or ".dfl." in key:
            continue
        name = key.removesuffix(".weight").removesuffix(".conv").removeprefix("model.")
        norm = f"model.{name}.bn"
        if f"{norm}.weight" not in state:
            layers[name] = weight, state[key.removesuffix("weight") + "bias"]
            continue
        factor = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor
        layers[name] = weight * factor.view(-1, 1, 1, 1), bias
    return layers


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
