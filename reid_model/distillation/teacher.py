"""Teachers: networks in OpenVINO's format, run by torch, so that they go where the student goes."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 # only what `parse_xml` has let pass
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from reid_model.errors import WeightsError
from reid_model.files import read_regular
from reid_model.xml_files import XmlError, parse_xml

__all__ = ["Teachers", "TorchFromOpenVino"]

ELEMENT_TYPES = {
    "f16": np.float16,
    "f32": np.float32,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
}
SHAPE_ARITHMETIC = {"ShapeOf", "Concat"}
"""Operations that only compute shapes, which the file states anyway."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation: where its result is kept, and where its inputs come from."""

    key: str
    kind: str
    inputs: tuple[str, ...]
    options: dict[str, Any]


class TorchFromOpenVino(nn.Module):
    """A convolutional network of OpenVINO's format (``.xml`` beside ``.bin``) as a torch module.

    It knows the operations of re-identification networks, takes any batch size, and gives what
    OpenVINO gives (a test compares them).

    Args:
        xml: The model; its weights lie beside it.

    Raises:
        WeightsError: A file is missing or damaged, or the network has an operation not known here.
    """

    def __init__(self, xml: Path) -> None:
        super().__init__()
        self._steps: list[_Step] = []
        self.input_size = (0, 0)
        try:
            self._take_in(_document(read_regular(xml)), read_regular(xml.with_suffix(".bin")), xml)
        except (OSError, XmlError) as error:
            raise WeightsError(f"teacher {xml} cannot be read: {error}") from None
        except (LookupError, ValueError, TypeError) as error:
            raise WeightsError(f"teacher {xml} is damaged ({error!r}): export it again") from None
        if not all(self.input_size):
            raise WeightsError(f"teacher {xml} has no input for pictures: export it again")

    def _take_in(self, root: ET.Element, blob: bytes, xml: Path) -> None:
        """Keep what a document says is to be done, and the weights."""
        sources = {
            (edge.attrib["to-layer"], edge.attrib["to-port"]): edge.attrib["from-layer"]
            for edge in root.iterfind("edges/edge")
        }
        constants: dict[str, NDArray[Any]] = {}
        for layer in root.iterfind("layers/layer"):
            key, kind = layer.attrib["id"], layer.attrib["type"]
            attributes = {} if (data := layer.find("data")) is None else data.attrib
            inputs = tuple(sources[key, port.attrib["id"]] for port in layer.iterfind("input/port"))
            if kind == "Const":
                constants[key] = _constant(attributes, blob)
            elif kind == "Convert" and inputs[0] in constants:
                constants[key] = constants[inputs[0]].astype(np.float32)
            elif kind not in SHAPE_ARITHMETIC:
                shape = _shape(layer)
                if kind == "Parameter":
                    self.input_size = (shape[2], shape[3])
                elif kind not in {"Gather", "Result"} and kind not in OPERATIONS:
                    raise WeightsError(f"teacher {xml} has an unknown operation: {kind}")
                options = _options(kind, attributes, shape, [constants.get(k) for k in inputs])
                self._steps.append(_Step(key, kind, inputs, options))
        self._keep(constants)

    def _keep(self, constants: dict[str, NDArray[Any]]) -> None:
        """Register the weights that a step reads, grouped kernels with four axes."""
        for step in self._steps:
            for key in step.inputs:
                array = constants.get(key)
                if array is None or array.dtype.kind != "f" or hasattr(self, f"w{key}"):
                    continue
                if step.kind == "GroupConvolution":
                    array = array.reshape(-1, *array.shape[2:])
                weight = torch.from_numpy(array.astype(np.float32))
                self.register_buffer(f"w{key}", weight, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(N, D)`` embeddings, not of unit length.

        Args:
            images: ``(N, 3, H, W)`` in the network's own colour order and range.
        """
        weights = {name[1:]: value for name, value in self.named_buffers()}
        values: dict[str, Tensor] = {}
        result = images
        for step in self._steps:
            given = [values.get(key, weights.get(key)) for key in step.inputs]
            if step.kind == "Parameter":
                values[step.key] = images
            elif step.kind == "Result":
                result = values[step.inputs[0]]
            elif given[0] is not None:
                operation = OPERATIONS["Gather" if step.kind == "Gather" else step.kind]
                values[step.key] = operation(given, step.options)
        return result.reshape(len(images), -1)


def _document(content: bytes) -> ET.Element:
    """Return the root of a document that defines no entities."""
    builder = ET.TreeBuilder()
    parse_xml(BytesIO(content), builder)
    return builder.close()


def _constant(attributes: dict[str, str], blob: bytes) -> NDArray[Any]:
    kind = np.dtype(ELEMENT_TYPES[attributes["element_type"]])
    count, start = int(attributes["size"]) // kind.itemsize, int(attributes["offset"])
    flat = np.frombuffer(blob, kind, count=count, offset=start)
    return flat.reshape(_numbers(attributes["shape"]))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(",")) if text else ()


def _shape(layer: ET.Element) -> tuple[int, ...]:
    port = layer.find("output/port")
    return () if port is None else tuple(int(each.text or 0) for each in port.iterfind("dim"))


def _options(
    kind: str,
    attributes: dict[str, str],
    shape: tuple[int, ...],
    constants: Sequence[NDArray[Any] | None],
) -> dict[str, Any]:
    """Return what an operation needs beside its inputs, in torch's terms."""
    options: dict[str, Any] = {"shape": shape}
    for name, key in (("strides", "stride"), ("pads_begin", "padding"), ("kernel", "kernel")):
        if name in attributes:
            options[key] = _numbers(attributes[name])
    if kind in {"Gather", "MVN", "ReduceMean"} and constants[1] is not None:
        options["places"] = [int(each) for each in np.atleast_1d(constants[1])]
    options["keep"] = attributes.get("keep_dims") == "true"
    options["epsilon"] = float(attributes.get("eps", 0))
    options["transposed"] = attributes.get("transpose_b") == "true"
    return options


Operation = Callable[[Sequence[Any], dict[str, Any]], Tensor]


def _convolution(given: Sequence[Any], options: dict[str, Any]) -> Tensor:
    images, kernels = given
    groups = images.shape[1] // kernels.shape[1]
    return functional.conv2d(
        images, kernels, stride=options["stride"], padding=options["padding"], groups=groups
    )


def _mean_variance(given: Sequence[Any], options: dict[str, Any]) -> Tensor:
    values = given[0].float()  # half precision loses the variance
    centred = values - values.mean(options["places"], keepdim=True)
    variance = centred.square().mean(options["places"], keepdim=True)
    result: Tensor = (centred * torch.rsqrt(variance + options["epsilon"])).to(given[0].dtype)
    return result


def _mean(given: Sequence[Any], options: dict[str, Any]) -> Tensor:
    averaged = given[0].float().mean(options["places"], keepdim=options["keep"])
    result: Tensor = averaged.to(given[0].dtype)
    return result


def _reshape(given: Sequence[Any], options: dict[str, Any]) -> Tensor:
    """Reshape all but the batch; the file states shapes for a batch of one."""
    values, shape = given[0], options["shape"]
    batched: Tensor = values.reshape((values.shape[0], *shape[1:]))
    return batched


def _matrix_product(given: Sequence[Any], options: dict[str, Any]) -> Tensor:
    other = given[1].transpose(-1, -2) if options["transposed"] else given[1]
    product: Tensor = given[0] @ other
    return product


OPERATIONS: dict[str, Operation] = {
    "Add": lambda given, _: given[0] + given[1],
    "AvgPool": lambda given, o: functional.avg_pool2d(given[0], o["kernel"], o["stride"]),
    "Convolution": _convolution,
    "Gather": lambda given, o: given[0][:, o["places"]],
    "GroupConvolution": _convolution,
    "MVN": _mean_variance,
    "MatMul": _matrix_product,
    "MaxPool": lambda given, o: functional.max_pool2d(
        given[0], o["kernel"], o["stride"], o["padding"]
    ),
    "Multiply": lambda given, _: given[0] * given[1],
    "PReLU": lambda given, _: functional.prelu(given[0], given[1].reshape(-1)),
    "ReLU": lambda given, _: given[0].relu(),
    "ReduceMean": _mean,
    "Reshape": _reshape,
    "Sigmoid": lambda given, _: given[0].sigmoid(),
    "Subtract": lambda given, _: given[0] - given[1],
}


class Teachers(nn.Module):
    """Several teachers as one: their unit embeddings side by side, of unit length together.

    They are taken to want BGR from 0 to 255, as those of OpenVINO's model zoo do.

    Raises:
        WeightsError: A teacher cannot be used, or they want different sizes.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__()
        networks = [TorchFromOpenVino(file) for file in files]
        sizes = {network.input_size for network in networks}
        if len(sizes) != 1:
            raise WeightsError(f"teachers want crops of different sizes: {sorted(sizes)}")
        self.input_size = sizes.pop()
        self._networks = nn.ModuleList(networks)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return ``(N, D)`` unit rows for ``(N, 3, H, W)`` RGB images in [0, 1]."""
        precision = next(self.buffers()).dtype
        pixels = (images.flip(1) * 255).to(precision)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        parts = [functional.normalize(network(pixels).float()) for network in self._networks]
        return functional.normalize(torch.cat(parts, dim=1))
