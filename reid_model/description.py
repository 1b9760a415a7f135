"""What must be known of a network that others made: its preprocessing, its output.

Much stands in the file itself; the rest in a sidecar, ``NAME.reid.yaml`` beside ``NAME.onnx`` or
``NAME.xml``, which `reid-model describe` writes and which keeps the calibration too. Nothing is
guessed: a network with the wrong colours or the wrong scale still gives vectors, only bad ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from reid_model.architecture import Architecture
from reid_model.errors import WeightsError
from reid_model.preprocess import Channels, Preprocessing
from reid_model.stored_weights import model_xml
from reid_model.writing import write_atomically
from reid_model.yaml_files import read_yaml

__all__ = [
    "MAKERS",
    "Description",
    "ModelFacts",
    "describe_model",
    "output_of",
    "read_sidecar",
    "said_by_file",
    "sidecar_of",
    "write_sidecar",
]

Shape = tuple[int | None, ...]
NOTHING: Channels = (0.0, 0.0, 0.0)
ONES: Channels = (1.0, 1.0, 1.0)
IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)
_AS_IS: dict[str, Any] = {"scale": 1.0, "mean": NOTHING, "std": ONES}
_IMAGENET: dict[str, Any] = {
    "colour": "rgb",
    "scale": 255.0,
    "mean": IMAGENET_MEAN,
    "std": IMAGENET_STD,
}
MAKERS: Mapping[str, Mapping[str, Any]] = {
    "torchreid": _IMAGENET,
    "boxmot": _IMAGENET,
    "fast-reid": {"colour": "rgb", **_AS_IS},
    "openvino-zoo": {"colour": "bgr", **_AS_IS},
}
"""What the exports of well-known projects want; fast-reid normalises inside the network."""
ZOO_NAME = re.compile(r"person-reidentification-retail-\d{4}")


class Description(Preprocessing):
    """The content of a sidecar."""

    output: str | None = None
    """Name of the output that is the embedding, where there are several."""
    calibration: dict[str, Any] | None = None
    """What `reid-pipeline calibrate --store` measured."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a file says of its network.

    Attributes:
        inputs: Shapes by name; ``None`` where a length is open.
        outputs: The same of the outputs.
        architecture: JSON of the `Architecture`, in models that we exported.
        converted: What the Model Optimizer noted about the preprocessing that it built in.
        wanted: What Model API's ``model_info`` says of the preprocessing that is still to be done.
    """

    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    architecture: str | None = None
    converted: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)


def sidecar_of(model: Path) -> Path:
    """Return where the sidecar of a model is looked for.

    Args:
        model: An ``.onnx`` or ``.xml`` file, or the folder of the latter.
    """
    return (model_xml(model) or model).with_suffix(".reid.yaml")


def read_sidecar(model: Path) -> Description | None:
    """Return what stands beside a model, ``None`` if nothing does.

    Raises:
        WeightsError: The sidecar cannot be used; the message names what is wrong in it.
    """
    path = sidecar_of(model)
    if not path.exists():
        return None
    content = read_yaml(path, what="description", raises=WeightsError)
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        problem = min(error.errors(include_url=False), key=lambda each: each["type"] == "missing")
        where = ".".join(str(part) for part in problem["loc"]) or "content"
        raise WeightsError(
            f"{path}: {where}: {problem['msg']}; write it anew with `reid-model describe`"
        ) from None


def write_sidecar(model: Path, description: Description) -> Path:
    """Write a description beside its model and return the file.

    Raises:
        OutputError: It cannot be written.
    """
    path = sidecar_of(model)
    content = description.model_dump(mode="json", exclude_none=True)
    write_atomically(
        path, yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100).encode()
    )
    return path


def describe_model(model: Path, facts: ModelFacts, given: Description | None = None) -> Description:
    """Return what is given, or what the sidecar of a model says, or else the file itself.

    Raises:
        WeightsError: None of them says enough, or the file takes something else.
    """
    found = given or read_sidecar(model)
    if found is None:
        said = said_by_file(model, facts)
        try:
            found = Description.model_validate(said)
        except ValidationError:
            raise WeightsError(
                f"weights {model} do not say how crops become their input (size, colours, mean, "
                f"deviation): run `reid-model describe {model}` once, which notes it beside them"
            ) from None
    _check_input(model, facts, found)
    return found


def said_by_file(model: Path, facts: ModelFacts) -> dict[str, Any]:
    """Return the fields of a `Description` that the file itself tells, by metadata or by name.

    Raises:
        WeightsError: Metadata of an export of ours are damaged.
    """
    if facts.architecture is not None:
        try:
            own = Architecture.model_validate(json.loads(facts.architecture))
        except (ValueError, RecursionError):  # a validation error is a value error
            raise WeightsError(
                f"weights {model} do not say what network they are: export them with "
                "`reid-model export`"
            ) from None
        return own.preprocessing.model_dump()
    said: dict[str, Any] = {}
    shape = next(iter(facts.inputs.values()), ())
    if len(shape) == 4 and shape[2] is not None and shape[3] is not None:
        said |= {"input_height": shape[2], "input_width": shape[3]}
    if facts.converted.get("reverse_input_channels", "").lower() == "true" and _numbers(
        facts.converted.get("mean_values", "")
    ):
        # Channels are turned round and normalised inside: it takes what a video reader gives.
        said |= MAKERS["openvino-zoo"]
    elif facts.wanted:
        said |= _by_model_api(facts.wanted)
    elif ZOO_NAME.fullmatch(model.stem):
        said |= MAKERS["openvino-zoo"]
    return said


def output_of(model: Path, facts: ModelFacts, description: Description) -> str:
    """Return the name of the output that is the embedding.

    Raises:
        WeightsError: It is not there, not known which it is, or no vector.
    """
    names = ", ".join(facts.outputs)
    name = description.output
    if name is None:
        if len(facts.outputs) != 1:
            raise WeightsError(
                f"weights {model} have {len(facts.outputs)} outputs ({names}): say which is the "
                f"embedding with `reid-model describe {model} --output NAME`"
            )
        name = next(iter(facts.outputs))
    if name not in facts.outputs:
        raise WeightsError(f"weights {model} have no output {name}: they have {names}")
    wide = [length for length in facts.outputs[name][1:] if length != 1]
    if len(wide) != 1:
        shape = ", ".join("?" if length is None else str(length) for length in facts.outputs[name])
        raise WeightsError(
            f"weights {model}: output {name} has the shape ({shape}), expected one vector a crop"
        )
    return name


def _check_input(model: Path, facts: ModelFacts, description: Description) -> None:
    if len(facts.inputs) != 1:
        raise WeightsError(f"weights {model} have {len(facts.inputs)} inputs, expected one")
    shape = next(iter(facts.inputs.values()))
    expected = (1, 3, *description.input_size)
    fits = len(shape) == 4 and all(
        length in {None, wanted} for length, wanted in zip(shape, expected, strict=True)
    )
    if not fits:
        shown = ", ".join("?" if length is None else str(length) for length in shape)
        raise WeightsError(
            f"weights {model} take ({shown}), expected {expected}: crop, channels, height and "
            "width; export them so, or mend the size in the sidecar"
        )


def _by_model_api(wanted: Mapping[str, str]) -> dict[str, Any]:
    if wanted.get("embedded_processing", "").lower() == "true":
        return dict(MAKERS["openvino-zoo"])
    said: dict[str, Any] = {"scale": 1.0}
    if "reverse_input_channels" in wanted:
        turned = wanted["reverse_input_channels"].lower() == "true"
        said["colour"] = "rgb" if turned else "bgr"
    for key, name in (("mean_values", "mean"), ("scale_values", "std")):
        values = _numbers(wanted.get(key, ""))
        if values:
            said[name] = values * 3 if len(values) == 1 else values
    return said


def _numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of ``data[123.675,116.28,103.53]`` or ``123.675 116.28 103.53``."""
    inner = text.partition("[")[2].partition("]")[0] if "[" in text else text
    try:
        return tuple(float(each) for each in re.split(r"[\s,]+", inner.strip()) if each)
    except ValueError:
        return ()
