"""What an exported detector says of itself: its classes, its task, the layout of its output.

OpenVINO and ONNX models are read alike, and both ways of running them ask here, so that one
model gives the same persons everywhere or is refused everywhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray
from pipeline.errors import ModelError
from pipeline.foreign import read_yaml

__all__ = ["TASKS", "ExportedModel", "Layout", "check_task", "find_model", "person_classes"]

PERSON = frozenset({"person", "people", "pedestrian", "human"})
"""Names of the class of persons, lower case."""

TASKS = ("detect", "segment", "pose")
"""Tasks whose boxes are upright; masks and key points are left out."""

MAX_END_TO_END = 1000
"""Rows of a model with suppression inside; others have thousands of candidates."""

SAMPLE_SIZE = 640
SCORE_SLACK = 1e-3
SHOWN_CLASSES = 8


class Layout(Enum):
    """What the numbers of an output stand for; N boxes, C classes."""

    CLASSES_FIRST = "(1, 4 + C + ..., N): centre, size, class scores"
    END_TO_END = "(1, N, 6 + ...): corners, score, class, suppressed already"
    OBJECTNESS = "(1, N, 5 + C): centre, size, objectness, class scores, as of YOLOv5"


def person_classes(names: Mapping[int, str], model: str) -> list[int]:
    """Return the classes that are persons.

    Args:
        names: Name of each class.
        model: What to call the model in messages.

    Raises:
        ModelError: There is none.
    """
    persons = [index for index, name in names.items() if name.strip().lower() in PERSON]
    if not persons:
        shown = ", ".join([*map(str, names.values())][:SHOWN_CLASSES])
        more = ", ..." if len(names) > SHOWN_CLASSES else ""
        raise ModelError(
            f"detector {model} has no class 'person', its classes are {shown}{more}: give another "
            "model, or call the class of persons so in its metadata"
        )
    return persons


def check_task(task: str, model: str) -> None:
    """Raise ``ModelError`` for a model whose boxes are none, or lie on their sides."""
    if task not in TASKS:
        raise ModelError(
            f"detector {model} is a model for {task!r}, expected {' or '.join(map(repr, TASKS))}"
        )


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A detector in OpenVINO or ONNX form, its claims checked.

    Attributes:
        path: The ``.xml`` or ``.onnx`` file.
        names: Name of each class.
        persons: The classes that are persons.
        task: What ultralytics calls it.
        stride: Sides of inputs are multiples of it, pixels.
        size: ``(height, width)`` of the only input that it takes, ``None`` where that is open.
        layout: Of its output.
    """

    path: Path
    names: Mapping[int, str]
    persons: Sequence[int]
    task: str
    stride: int
    size: tuple[int, int] | None
    layout: Layout

    @classmethod
    def read(cls, path: Path, model: Any) -> ExportedModel:
        """Return what a model is.

        Args:
            path: The ``.xml`` or ``.onnx`` file.
            model: The same as OpenVINO read it; gets a batch of one.

        Raises:
            ModelError: It is no detector of persons that can be read; says why.
        """
        metadata = _metadata(path, model)
        names = _names(metadata, path)
        persons = person_classes(names, str(path))
        task = str(metadata.get("task", "detect"))
        check_task(task, str(path))
        stride = metadata.get("stride", 32)
        if not isinstance(stride, int) or not 1 <= stride <= 1024:
            raise ModelError(f"detector {path}: its metadata states a stride of {stride!r}")
        size = _input_size(path, model)
        shape = _output_shape(path, model, size)
        layout = _layout(path, shape, len(names), task, metadata.get("end2end"))
        return cls(path, names, persons, task, stride, size, layout)

    def boxes(self, output: NDArray[Any], min_score: float) -> tuple[FloatArray, FloatArray]:
        """Return ``(N, 4)`` boxes and ``(N,)`` scores of the persons in an output.

        Boxes are corners (``xyxy``) of end-to-end models, centre and size (``xywh``) of others,
        input pixels. A candidate is a person if no other class has a higher score.

        Args:
            output: As the model gives it.
            min_score: Candidates of lower scores are left out.

        Raises:
            ModelError: The numbers are none of a detector.
        """
        table = np.asarray(output[0], np.float32)
        if self.layout is Layout.END_TO_END:
            self._check(table[:, 4], table[:, :4])
            keep = np.isin(table[:, 5].round(), self.persons) & (table[:, 4] >= min_score)
            return table[keep, :4], table[keep, 4]
        if self.layout is Layout.OBJECTNESS:
            boxes, classes = table[:, :4], (table[:, 4:5] * table[:, 5:]).T
        else:
            boxes, classes = table[:4].T, table[4 : 4 + len(self.names)]
        best = classes.max(axis=0)
        self._check(best, boxes)
        # Of thousands of candidates few are likely, so everything else is done for those.
        likely = np.flatnonzero(best >= min_score)
        likely = likely[np.isin(classes[:, likely].argmax(axis=0), self.persons)]
        return boxes[likely], best[likely]

    def _check(self, scores: NDArray[Any], boxes: NDArray[Any]) -> None:
        ends = [(x.min(), x.max()) if x.size else (0.0, 0.0) for x in (scores, boxes)]
        finite = np.isfinite(ends).all()
        low, high = ends[0]
        if not finite or low < -SCORE_SLACK or high > 1 + SCORE_SLACK:
            seen = f"from {low:.3g} to {high:.3g}" if finite else "that are not finite"
            raise ModelError(
                f"detector {self.path} gives numbers {seen} where scores of 0 to 1 are expected: "
                "it is damaged, or not exported by ultralytics; export it again"
            )


def find_model(weights: Path) -> Path | None:
    """Return the file of an exported model: an ``.xml``, an ``.onnx``, a folder with an ``.xml``.

    ``None`` for everything else, folders of other formats among it.

    Raises:
        ModelError: The folder holds several, or nothing.
    """
    if weights.suffix in {".xml", ".onnx"} and not weights.is_dir():
        return weights
    if not weights.is_dir():
        return None
    models = sorted(weights.glob("*.xml"))
    if not models:
        if not any(weights.iterdir()) or weights.name.endswith("_openvino_model"):
            raise ModelError(f"detector folder {weights} holds no .xml model: export it again")
        return None
    if len(models) > 1:
        raise ModelError(
            f"detector folder {weights} holds {len(models)} .xml models, expected exactly 1; "
            "give the .xml file itself"
        )
    return models[0]


def _metadata(path: Path, model: Any) -> dict[str, Any]:
    """Return what ultralytics wrote beside the model, or into it; nothing where it wrote nothing."""
    beside = path.with_name("metadata.yaml")
    if beside.is_file():
        content = read_yaml(beside, what="detector metadata", raises=ModelError)
        return content if isinstance(content, dict) else {}
    return _onnx_metadata(model)


def _onnx_metadata(model: Any) -> dict[str, Any]:
    if not model.has_rt_info("framework"):
        return {}
    found: dict[str, Any] = {}
    for name in ("names", "task", "stride", "end2end"):
        if model.has_rt_info(["framework", name]):
            text = str(model.get_rt_info(["framework", name]).value)
            try:
                found[name] = ast.literal_eval(text)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                found[name] = text
    return found


def _names(metadata: Mapping[str, Any], path: Path) -> dict[int, str]:
    names = metadata.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not names:
        raise ModelError(
            f"detector {path} has no class names, so nobody knows which class is a person: export "
            "it with ultralytics, or write them beside it: metadata.yaml, `names: {0: person}`"
        )
    whole = isinstance(names, dict) and all(re.fullmatch(r"\d+", str(key)) for key in names)
    if not whole or sorted(map(int, names)) != list(range(len(names))):
        raise ModelError(f"detector {path}: its class names are not numbered from 0: {names!r:.80}")
    return {int(index): str(name) for index, name in names.items()}


def _input_size(path: Path, model: Any) -> tuple[int, int] | None:
    if len(model.inputs) != 1 or len(model.input().partial_shape) != 4:
        raise ModelError(f"detector {path} is no image model: expected one 4-D input")
    batch, channels, height, width = model.input().partial_shape
    if channels.is_static and channels.get_length() != 3:
        raise ModelError(
            f"detector {path} takes images of {channels.get_length()} channels, expected 3"
        )
    if batch.is_static and batch.get_length() != 1:
        raise ModelError(
            f"detector {path} was exported for batches of {batch.get_length()}: export it again "
            "with batch=1, or with dynamic=True"
        )
    if height.is_dynamic or width.is_dynamic:
        return None
    return height.get_length(), width.get_length()


def _output_shape(path: Path, model: Any, size: tuple[int, int] | None) -> list[int]:
    height, width = size or (SAMPLE_SIZE, SAMPLE_SIZE)
    try:
        model.reshape([1, 3, height, width])
    except RuntimeError as error:
        problem = str(error).strip().splitlines()[-1].strip()
        raise ModelError(f"detector {path} takes no image of {width}x{height}: {problem}") from None
    shape = model.output(0).partial_shape
    if len(shape) != 3:
        raise ModelError(f"detector {path}: unknown output of shape {shape}")
    return [each.get_length() if each.is_static else -1 for each in shape]


def _layout(path: Path, shape: list[int], classes: int, task: str, end_to_end: object) -> Layout:
    _, rows, columns = shape
    extra = task != "detect"  # columns of masks or key points
    is_short = end_to_end is True or (end_to_end is None and rows <= MAX_END_TO_END)
    if end_to_end is not True and (rows == 4 + classes or (extra and 4 + classes < rows < columns)):
        return Layout.CLASSES_FIRST
    if is_short and (columns == 6 or (extra and columns > 6)):
        return Layout.END_TO_END
    if columns == 5 + classes and not extra:
        return Layout.OBJECTNESS
    raise ModelError(
        f"detector {path} has an output of shape {tuple(shape)}, which fits no known layout for "
        f"{classes} classes: export it with ultralytics"
    )
