"""Embedding with OpenVINO: the fast way on a CPU."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from pydantic import ValidationError

from reid_model.architecture import Architecture
from reid_model.backends import ARCHITECTURE_KEY, Precision
from reid_model.errors import BackendError, WeightsError
from reid_model.preprocess import resized

__all__ = ["OpenVinoEmbedder", "convert"]

PRECISIONS = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16, "fp16": openvino.Type.f16}


class OpenVinoEmbedder:
    """A checkpoint, converted in memory, or an exported model, on the CPU.

    Every crop is a request of its own and every core has a stream: as fast as batches, and
    what is embedded together cannot matter.

    Args:
        weights: A checkpoint, an exported ``.xml`` file or the folder it lies in.
        precision: ``auto`` is fp32.

    Raises:
        WeightsError: The weights cannot be used.
        BackendError: The precision is not to be had on this machine.
    """

    def __init__(self, weights: Path, *, precision: Precision) -> None:
        chosen = "fp32" if precision == "auto" else precision
        core = openvino.Core()
        supported = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if chosen != "fp32" and chosen.upper() not in supported:
            raise BackendError(f"precision {chosen} is not available on this CPU: use fp32")
        if weights.is_dir() or weights.suffix == ".xml":
            model = _read(core, _xml_of(weights))
        else:
            model = convert(weights)
        self._architecture = _architecture_of(model, weights)
        compiled = core.compile_model(
            _with_preprocessing(model, self._architecture),
            "CPU",
            {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": PRECISIONS[chosen]},
        )
        streams = max(1, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self._name = f"{weights.name} (OpenVINO, CPU, {chosen})"

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._architecture.embedding_dim

    @property
    def input_size(self) -> tuple[int, int]:
        """``(height, width)`` that crops are scaled to, pixels."""
        return self._architecture.input_size

    @property
    def name(self) -> str:
        """Weights, backend and precision, for reports."""
        return self._name

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""
        images = (np.ascontiguousarray(resized(crop, self.input_size)[None]) for crop in crops)
        vectors = list(self._infer(images))
        return np.stack(vectors) if vectors else np.zeros((0, self.dim), np.float32)

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        blank = np.zeros((1, *self.input_size, 3), np.uint8)
        for _ in self._infer(blank for _ in range(count)):
            pass

    def _infer(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors in order; the next image is prepared while others are inferred."""
        running: list[Any] = []
        for count, image in enumerate(images):
            if len(running) == len(self._requests):
                yield _result(running.pop(0))
            request = self._requests[count % len(self._requests)]
            request.set_input_tensor(openvino.Tensor(image))
            request.start_async()
            running.append(request)
        for request in running:
            yield _result(request)


def convert(weights: Path) -> Any:
    """Return a checkpoint as an OpenVINO model with normalised RGB input, batch 1.

    Raises:
        WeightsError: The checkpoint cannot be used.
    """
    import torch  # noqa: PLC0415 - not needed for exported models

    from reid_model.checkpoint import load_checkpoint  # noqa: PLC0415

    checkpoint = load_checkpoint(weights)
    example = torch.zeros(1, 3, *checkpoint.architecture.input_size)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # OpenVINO traces in a way torch retires
        model = openvino.convert_model(checkpoint.network, example_input=example)
    model.reshape([1, 3, *checkpoint.architecture.input_size])
    model.set_rt_info(checkpoint.architecture.model_dump_json(), ARCHITECTURE_KEY)
    return model


def _result(request: Any) -> NDArray[np.float32]:
    request.wait()
    vector: NDArray[np.float32] = np.array(request.get_output_tensor(0).data[0], np.float32)
    return vector


def _with_preprocessing(model: Any, architecture: Architecture) -> Any:
    """Make colour order, scaling and normalisation part of the model: uint8 BGR in."""
    steps = openvino.preprocess.PrePostProcessor(model)
    source = steps.input()
    source.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    source.tensor().set_color_format(openvino.preprocess.ColorFormat.BGR)
    source.model().set_layout(openvino.Layout("NCHW"))
    source.preprocess().convert_element_type(openvino.Type.f32)
    source.preprocess().convert_color(openvino.preprocess.ColorFormat.RGB)
    source.preprocess().mean([255.0 * value for value in architecture.mean])
    source.preprocess().scale([255.0 * value for value in architecture.std])
    return steps.build()


def _xml_of(weights: Path) -> Path:
    if weights.suffix == ".xml":
        return weights
    models = sorted(weights.glob("*.xml"))
    if len(models) != 1:
        raise WeightsError(f"weights folder {weights} holds {len(models)} .xml models, expected 1")
    return models[0]


def _read(core: Any, xml: Path) -> Any:
    try:
        return core.read_model(str(xml))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise WeightsError(f"weights {xml} cannot be read: {reason}") from None


def _architecture_of(model: Any, weights: Path) -> Architecture:
    try:
        text = model.get_rt_info(ARCHITECTURE_KEY).astype(str)
        return Architecture.model_validate(json.loads(text))
    except (RuntimeError, ValueError, ValidationError):
        raise WeightsError(
            f"weights {weights} do not say what network they are: export them with "
            "`reid-model export`"
        ) from None
