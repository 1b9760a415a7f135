"""The detector of this package in torch: the GPU's way, from frame to boxes on the device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms

from pipeline.datatypes import Detections, Frame
from pipeline.detect.letterbox import PADDING_GREY, Letterbox
from pipeline.detect.yolov8 import STRIDE, Yolov8
from pipeline.gpu_frame import GpuFrame
from reid_model.gpu_batches import GpuBatches

__all__ = ["TorchYolo"]

FRAMES_AT_ONCE = 32
"""Frames in one forward pass; more gain nothing and take memory."""
LIKELY_PERSONS = 300
"""Boxes kept of each frame before suppression, best first."""


class TorchYolo:
    """Persons by weights of ``scripts/train_detector.py``, in half precision on CUDA.

    Frames that are on the device already stay there. Where its memory does not do for so many
    frames at once, fewer are taken from then on.

    Args:
        weights: The safetensors file.
        confidence: Minimum score of a box.
        nms_iou: IoU threshold of non-maximum suppression.
        image_size: Longer side of the input, pixels.
        device: As torch names it.

    Raises:
        ModelError: The weights cannot be used.
    """

    def __init__(
        self, weights: Path, *, confidence: float, nms_iou: float, image_size: int, device: str
    ) -> None:
        half = device.startswith("cuda")
        self._device = torch.device(device)
        dtype = torch.float16 if half else torch.float32
        self._network = Yolov8(weights, device=self._device, dtype=dtype)
        self._confidence = confidence
        self._nms_iou = nms_iou
        self._image_size = image_size
        self.name = f"{weights.name} (torch, {device}, {'fp16' if half else 'fp32'})"
        self._batches = GpuBatches(FRAMES_AT_ONCE, what="frames", name=self.name)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame."""
        found: list[Detections] = [Detections.empty()] * len(frames)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for row, frame in enumerate(frames):
            by_shape.setdefault(frame.shape, []).append(row)
        for shape, rows in by_shape.items():
            persons = self._batches.results(
                partial(self._persons, shape=shape), [frames[row] for row in rows]
            )
            for row, each in zip(rows, persons, strict=True):
                found[row] = each
        return found

    @torch.inference_mode()
    def _persons(self, frames: Sequence[Frame], shape: tuple[int, ...]) -> list[Detections]:
        """Return the persons of frames of one size."""
        target = Letterbox.tight_target(shape, self._image_size, STRIDE)
        box = Letterbox.fit(shape, target)
        boxes, scores = self._network(self._input(frames, box))
        scores, likely = scores.topk(min(LIKELY_PERSONS, scores.shape[1]), dim=1)
        boxes = boxes.gather(1, likely[..., None].expand(-1, -1, 4))
        image, place = (scores >= self._confidence).nonzero(as_tuple=True)
        boxes, scores = boxes[image, place], scores[image, place]
        kept = batched_nms(boxes, scores, image, self._nms_iou)  # best first
        table = torch.cat([boxes[kept], scores[kept, None], image[kept, None]], 1).cpu().numpy()
        numbers = np.arange(len(frames))
        return [
            Detections(box.to_image(rows[:, :4], shape), rows[:, 4].copy())
            for rows in (table[table[:, 5] == number] for number in numbers)
        ]

    def _input(self, frames: Sequence[Frame], box: Letterbox) -> Tensor:
        """Return ``(N, 3, H, W)`` RGB in [0, 1]: the frames scaled and padded."""
        pixels = torch.stack([self._pixels(frame) for frame in frames])
        # Whole numbers as they come from OpenCV, which scales on a CPU.
        images = pixels.permute(0, 3, 1, 2).flip(1).float()
        width, height = box.resized
        if images.shape[-2:] != (height, width):
            images = functional.interpolate(images, size=(height, width), mode="bilinear").round()
        right = box.target[1] - box.left - width
        bottom = box.target[0] - box.top - height
        padding = (box.left, right, box.top, bottom)
        return functional.pad(images, padding, value=float(PADDING_GREY)) / 255

    def _pixels(self, frame: Frame) -> Tensor:
        """Return ``(H, W, 3)`` uint8 BGR on the device."""
        if isinstance(frame, GpuFrame):
            return frame.pixels.to(self._device)
        image = frame.image if frame.image.flags.writeable else frame.image.copy()
        return torch.from_numpy(np.ascontiguousarray(image)).to(self._device)
