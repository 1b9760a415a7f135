"""YOLO models in OpenVINO or ONNX form, run on OpenVINO directly: the fast path on a CPU.

Ultralytics runs such a model one image at a time and spends as long again around it. Here
every core gets an inference stream of its own, images are prepared while others are being
inferred, and colour order and scaling are part of the compiled model. Each image is its
own request, so a result never depends on what else is in the batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Detections, FloatArray, Frame, Image
from pipeline.detect.exported import ExportedModel, Layout, find_model
from pipeline.detect.letterbox import Letterbox
from pipeline.errors import ModelError

__all__ = ["OpenVinoYolo"]

T = TypeVar("T")

LIKELY_PERSONS = 300
"""Boxes kept before suppression, best first; a crowd in one frame has fewer persons."""
MAX_COMPILED = 8
"""Input sizes for which the model is kept ready, 30 MB each; an archive may have forty."""


class OpenVinoYolo:
    """Persons by a YOLO model (``*_openvino_model`` folder, ``.xml`` or ``.onnx`` file).

    Args:
        weights: Folder as ultralytics exports it, or the file itself.
        confidence: Minimum score of a box.
        nms_iou: IoU threshold of non-maximum suppression.
        image_size: Longer side of the input where the model leaves it open, pixels.

    Raises:
        ModelError: It is no model whose output can be read, or it knows no persons.
    """

    def __init__(
        self, weights: Path, *, confidence: float, nms_iou: float, image_size: int
    ) -> None:
        import openvino  # noqa: PLC0415 - costs start-up time, only paid when used

        self._openvino = openvino
        self._confidence = confidence
        self._nms_iou = nms_iou
        self._image_size = image_size
        path = find_model(weights)
        if path is None:
            raise ModelError(f"detector {weights} holds no .xml and is no .onnx model")
        self._path = path
        self._core = openvino.Core()
        self._compiled = OrderedDict[tuple[int, int], _RequestPool]()
        self._network = self._read()
        self._model = ExportedModel.read(path, self._network)

    @property
    def input_size(self) -> tuple[int, int] | None:
        """``(height, width)`` of the only input that the model takes, ``None`` where it is open."""
        return self._model.size

    @property
    def name(self) -> str:
        """Which model runs on what, for reports."""
        return f"{self._path.parent.name}/{self._path.name} (OpenVINO, CPU)"

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame."""
        found: list[Detections] = [Detections.empty()] * len(frames)
        by_target: dict[tuple[int, int], list[int]] = {}
        for row, frame in enumerate(frames):
            by_target.setdefault(self._target(frame), []).append(row)
        for target, rows in by_target.items():
            boxes = [Letterbox.fit(frames[row].shape, target) for row in rows]
            inputs = (box.apply(frames[row].image) for row, box in zip(rows, boxes, strict=True))
            outputs = self._pool(target).run(inputs, self._persons)
            for row, box, (xyxy, score) in zip(rows, boxes, outputs, strict=True):
                found[row] = Detections(box.to_image(xyxy, frames[row].shape), score)
        return found

    def forward(self, frames: Sequence[Frame]) -> None:
        """Infer without looking at the result: what the model alone costs, for benchmarks."""
        target = self._target(frames[0])
        blank = np.zeros((*target, 3), np.uint8)
        self._pool(target).run((blank for _ in frames), lambda _output: None)

    def _read(self) -> Any:
        try:
            return self._core.read_model(str(self._path))
        except RuntimeError as error:
            problem = str(error).strip().splitlines()[-1].strip()
            raise ModelError(f"detector {self._path} cannot be read: {problem}") from None

    def _target(self, frame: Frame) -> tuple[int, int]:
        if self._model.size is not None:
            return self._model.size
        return Letterbox.tight_target(frame.shape, self._image_size, self._model.stride)

    def _pool(self, target: tuple[int, int]) -> _RequestPool:
        pool = self._compiled.get(target) or _RequestPool(self._compile(target))
        self._compiled[target] = pool
        self._compiled.move_to_end(target)
        while len(self._compiled) > MAX_COMPILED:
            self._compiled.popitem(last=False)
        return pool

    def _compile(self, target: tuple[int, int]) -> Any:
        """Compile for one input size, with colour order and scaling inside the model."""
        ov = self._openvino
        model = self._network.clone()
        model.reshape([1, 3, *target])
        steps = ov.preprocess.PrePostProcessor(model)
        source = steps.input()
        source.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        source.tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
        source.model().set_layout(ov.Layout("NCHW"))
        source.preprocess().convert_element_type(ov.Type.f32)
        source.preprocess().convert_color(ov.preprocess.ColorFormat.RGB).scale(255.0)
        # Streams share the model but not the work: one image each, all cores busy.
        return self._core.compile_model(steps.build(), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})

    def _persons(self, output: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Return boxes (``xyxy``, input pixels) and scores of the persons in one raw output."""
        boxes, scores = self._model.boxes(output, self._confidence)
        if self._model.layout is Layout.END_TO_END:
            return boxes, scores
        best = np.argsort(-scores, kind="stable")[:LIKELY_PERSONS]
        boxes, scores = boxes[best], scores[best]
        xywh = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
        kept = np.asarray(
            cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), self._confidence, self._nms_iou),
            np.int64,
        ).reshape(-1)
        xyxy = np.concatenate([xywh[kept, :2], xywh[kept, :2] + xywh[kept, 2:]], axis=1)
        return xyxy.reshape(-1, 4).astype(np.float32), scores[kept]


class _RequestPool:
    """As many inference requests as the compiled model has streams, used in turn."""

    def __init__(self, compiled: Any) -> None:
        wanted = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [compiled.create_infer_request() for _ in range(max(1, wanted))]

    def run(self, inputs: Iterable[Image], read: Callable[[NDArray[Any]], T]) -> list[T]:
        """Infer every ``(H, W, 3)`` uint8 image; return ``read(output)`` of each, in order.

        The next image is prepared while earlier ones are being inferred.
        """
        results: list[T] = []
        waiting: list[Any] = []
        for count, image in enumerate(inputs):
            request = self._requests[count % len(self._requests)]
            if len(waiting) == len(self._requests):
                results.append(self._collect(waiting.pop(0), read))
            request.set_input_tensor(_tensor(image))
            request.start_async()
            waiting.append(request)
        results.extend(self._collect(request, read) for request in waiting)
        return results

    @staticmethod
    def _collect(request: Any, read: Callable[[NDArray[Any]], T]) -> T:
        request.wait()
        return read(request.get_output_tensor(0).data)


def _tensor(image: NDArray[np.uint8]) -> Any:
    import openvino  # noqa: PLC0415 - loaded already by the detector

    return openvino.Tensor(np.ascontiguousarray(image[None]))
