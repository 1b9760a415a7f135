"""Embedding with OpenVINO: the fast way on a CPU."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from reid_model.backends import ARCHITECTURE_KEY, Precision
from reid_model.description import Description, ModelFacts, describe_model, output_of
from reid_model.errors import BackendError, WeightsError
from reid_model.preprocess import Preprocessing
from reid_model.stored_weights import (
    CHECKPOINT_SUFFIX,
    model_xml,
    openvino_form,
    weights_sha256,
)

__all__ = ["WEIGHTS_KEY", "OpenVinoRuntime", "convert", "openvino_facts", "save_form"]

log = logging.getLogger(__name__)

PRECISIONS = {
    "fp32": openvino.Type.f32,
    "bf16": openvino.Type.bf16,
    "fp16": openvino.Type.f16,
    "int8": openvino.Type.f32,  # of the few layers that are not in whole numbers
}
WEIGHTS_KEY = "reid_weights_sha256"
"""Metadata entry of a checkpoint's OpenVINO form: the hash of the weights that it was made of."""


class OpenVinoRuntime:
    """A checkpoint or an OpenVINO model, on the CPU.

    A checkpoint's own OpenVINO form is taken where it lies beside it and fits; else it is converted
    in memory, which loads torch and takes seconds.

    Every crop is a request of its own and every core has a stream: as fast as batches, and
    what is embedded together cannot matter.

    Args:
        weights: A checkpoint, an ``.xml`` file or the folder it lies in.
        precision: ``auto`` is fp32; int8 needs a checkpoint with such a form.
        description: How to feed a model; ``None`` = as its sidecar or the file says.

    Raises:
        WeightsError: The weights cannot be used, or do not say how to feed them.
        BackendError: The precision is not to be had on this machine.
    """

    def __init__(
        self,
        weights: Path,
        *,
        precision: Precision,
        description: Description | None = None,
    ) -> None:
        core = openvino.Core()
        supported = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision not in {"auto", "fp32"} and precision.upper() not in supported:
            raise BackendError(f"precision {precision} is not available on this CPU: use fp32")
        xml = model_xml(weights)
        if xml is None:
            model, chosen = _of_checkpoint(core, weights, precision)
        elif precision == "int8":
            raise BackendError(f"weights {weights} are no checkpoint with an int8 form: use fp32")
        else:
            model, chosen = _read(core, xml), "fp32" if precision == "auto" else precision
        facts = _facts(model)
        self.description: Description = describe_model(xml or weights, facts, description)
        self._output = output_of(weights, facts, self.description)
        compiled = core.compile_model(
            _with_preprocessing(model, self.description),
            "CPU",
            {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": PRECISIONS[chosen]},
        )
        streams = max(1, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self.name = f"{weights.name} (OpenVINO, CPU, {chosen})"

    def infer(self, images: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return a vector for each ``(H, W, 3)`` uint8 BGR image of the input's size.

        The next image is prepared while others are inferred.
        """
        vectors: list[NDArray[np.float32]] = []
        running: list[Any] = []
        for count, image in enumerate(images):
            if len(running) == len(self._requests):
                vectors.append(self._result(running.pop(0)))
            request = self._requests[count % len(self._requests)]
            request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(image[None])))
            request.start_async()
            running.append(request)
        return vectors + [self._result(request) for request in running]

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        blank = np.zeros((*self.description.input_size, 3), np.uint8)
        self.infer(blank for _ in range(count))

    def _result(self, request: Any) -> NDArray[np.float32]:
        request.wait()
        return np.array(request.get_tensor(self._output).data, np.float32).reshape(-1)


def openvino_facts(model: Path) -> ModelFacts:
    """Return what an OpenVINO model says of its network.

    Raises:
        WeightsError: The file cannot be read.
    """
    return _facts(_read(openvino.Core(), model_xml(model) or model))


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
    model.output(0).set_names({"embeddings"})
    model.set_rt_info(checkpoint.architecture.model_dump_json(), ARCHITECTURE_KEY)
    return model


def save_form(checkpoint: Path, xml: Path) -> None:
    """Write the OpenVINO form of a checkpoint, half precision; what was there is replaced.

    Args:
        checkpoint: A ``.safetensors`` file.
        xml: Where to; its ``.bin`` goes beside it.

    Raises:
        WeightsError: The checkpoint cannot be used.
    """
    model = convert(checkpoint)
    model.set_rt_info(weights_sha256(checkpoint), WEIGHTS_KEY)
    openvino.save_model(model, str(xml), compress_to_fp16=True)


def _of_checkpoint(core: Any, weights: Path, precision: Precision) -> tuple[Any, Precision]:
    """Return a checkpoint as a model, and the number format to compute in.

    Raises:
        BackendError: int8 is asked for, and the checkpoint has no such form.
        WeightsError: The checkpoint cannot be used.
    """
    if precision == "int8":
        model = _form(core, weights, openvino_form(weights, int8=True))
        if model is None:
            raise BackendError(
                f"weights {weights} have no int8 form: use fp32, or make one with `reid-model "
                "publish --calibrate-on`"
            )
        return model, "int8"
    model = _form(core, weights, openvino_form(weights))
    return model or convert(weights), "fp32" if precision == "auto" else precision


def _form(core: Any, weights: Path, xml: Path) -> Any:
    """Return the form of a checkpoint that lies there, ``None`` where there is none that fits."""
    if weights.suffix != CHECKPOINT_SUFFIX or not xml.is_file():
        return None
    model = _read(core, xml)
    if _note(model, WEIGHTS_KEY) == weights_sha256(weights):
        return model
    log.warning("%s was made of other weights than %s and is not used", xml, weights)
    return None


def _with_preprocessing(model: Any, description: Preprocessing) -> Any:
    """Make colour order, scaling and normalisation part of the model: uint8 BGR in."""
    model.reshape([1, 3, *description.input_size])
    steps = openvino.preprocess.PrePostProcessor(model)
    source = steps.input()
    source.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    source.tensor().set_color_format(openvino.preprocess.ColorFormat.BGR)
    source.model().set_layout(openvino.Layout("NCHW"))
    source.preprocess().convert_element_type(openvino.Type.f32)
    if description.colour == "rgb":
        source.preprocess().convert_color(openvino.preprocess.ColorFormat.RGB)
    source.preprocess().mean([description.scale * value for value in description.mean])
    source.preprocess().scale([description.scale * value for value in description.std])
    return steps.build()


def _read(core: Any, xml: Path) -> Any:
    try:
        return core.read_model(str(xml))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise WeightsError(f"weights {xml} cannot be read: {reason}") from None


def _facts(model: Any) -> ModelFacts:
    return ModelFacts(
        inputs={_name(port): _shape(port) for port in model.inputs},
        outputs={_name(port): _shape(port) for port in model.outputs},
        architecture=_note(model, ARCHITECTURE_KEY),
        converted=_notes(model, "conversion_parameters"),
        wanted=_notes(model, "model_info"),
    )


def _name(port: Any) -> str:
    names = sorted(port.get_names())
    return names[0] if names else str(port.node.get_friendly_name())


def _shape(port: Any) -> tuple[int | None, ...]:
    shape = port.partial_shape
    if shape.rank.is_dynamic:
        return ()
    return tuple(None if each.is_dynamic else each.get_length() for each in shape)


PREPROCESSING_NOTES = (
    "mean_values",
    "scale_values",
    "reverse_input_channels",
    "embedded_processing",
)


def _notes(model: Any, section: str) -> dict[str, str]:
    return {
        key: value
        for key in PREPROCESSING_NOTES
        if (value := _note(model, [section, key])) is not None
    }


def _note(model: Any, key: str | list[str]) -> str | None:
    if not model.has_rt_info(key):
        return None
    return str(model.get_rt_info(key).astype(str))
