"""The forms in which a trained detector ships: safetensors, OpenVINO and ONNX."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import torch
import yaml
from safetensors.torch import save_file

from detector_training.beginning import STATE, State, beginning
from detector_training.training import WHOLE
from pipeline.detect.built_in import BUILT_IN, LARGER
from pipeline.detect.ultralytics_adapter import contained

STRIDE = 32
OPSET = 17
MODELS = {"yolov8n.yaml": "built-in", "yolov8s.yaml": LARGER}
"""What the detectors of each architecture are called."""
SMALL = 256
"""Constants with fewer values stay in single precision: they cost nothing."""


def write_forms(run: Path, out: Path, *, half_of: Sequence[Path] = ()) -> None:
    """Write the moving average of a run as it ships; weights are stored in half precision.

    Args:
        run: Folder of the training.
        out: Gets ``person_detector.safetensors`` (for a GPU),
            ``person_detector_openvino_model/`` (for a CPU; not of the larger one, which would
            lie there three times) and ``person_detector.onnx`` (for everything else). The last two
            compute in single precision where they are not asked for less, and take images of any
            size in whole strides.
        half_of: What the run began with. The mean of those weights and of the run's ships, which
            keeps what it saw before and knows what it learned.
    """
    state = torch.load(run / STATE, map_location="cpu", weights_only=True)
    average = state["average"]
    if half_of:
        average = _mean(average, beginning(half_of, average))
    called = MODELS[state["recipe"]["model"]]
    name = BUILT_IN[called]
    out.mkdir(parents=True, exist_ok=True)
    weights = out / f"{name}.safetensors"
    half = {
        layer: (each.half() if each.is_floating_point() else each).contiguous()
        for layer, each in average.items()
    }
    notes = {"recipe": state["recipe"], "step": state["step"], "minutes": round(state["minutes"])}
    notes |= {"half_of": [each.name for each in half_of]} if half_of else {}
    save_file(
        half,
        weights,
        metadata={"architecture": state["recipe"]["model"], "notes": json.dumps(notes)},
    )
    with contained():
        network = _network_of(half, state["recipe"]["model"]).fuse(verbose=False)
    head = network.model[-1]
    head.export, head.dynamic, head.format = True, True, "onnx"
    example = torch.zeros(1, 3, *WHOLE)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every size it takes as fixed
        if called != LARGER:
            _write_openvino(network, example, out / f"{name}_openvino_model")
        _write_onnx(network, example, out / f"{name}.onnx")
    for path in sorted(each for each in out.rglob(f"{name}*") if each.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.relative_to(out)}: {path.stat().st_size / 1e6:.1f} MB, sha256 {digest}")


def _mean(one: State, other: State) -> State:
    return {
        name: (each.float() + other[name].float()) / 2 if each.is_floating_point() else each
        for name, each in one.items()
    }


def _network_of(state: dict[str, torch.Tensor], architecture: str) -> Any:
    """Return ultralytics' network with weights as they ship. To be called within `contained`."""
    from ultralytics.nn.tasks import DetectionModel  # noqa: PLC0415 - slow, and has side effects

    network = DetectionModel(architecture, nc=1, verbose=False)
    network.load_state_dict(
        {name: each.float() if each.is_floating_point() else each for name, each in state.items()}
    )
    return network.eval()


def _metadata() -> dict[str, Any]:
    """What ultralytics and the pipeline read beside a network."""
    return {
        "description": "person detector of reid-pipeline",
        "license": "AGPL-3.0",
        "task": "detect",
        "stride": STRIDE,
        "batch": 1,
        "imgsz": list(WHOLE),
        "names": {0: "person"},
        "args": {"dynamic": True},
        "channels": 3,
    }


def _write_openvino(network: torch.nn.Module, example: torch.Tensor, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    model = openvino.convert_model(
        torch.jit.trace(network, example, strict=False), example_input=example
    )
    model.reshape([-1, 3, -1, -1])
    name = folder.name.removesuffix("_openvino_model")
    openvino.save_model(model, str(folder / f"{name}.xml"), compress_to_fp16=True)
    (folder / "metadata.yaml").write_text(yaml.safe_dump(_metadata(), sort_keys=False))


def _write_onnx(network: torch.nn.Module, example: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        network,
        (example,),
        str(path),
        input_names=["images"],
        output_names=["output0"],
        dynamic_axes={
            "images": {0: "batch", 2: "height", 3: "width"},
            "output0": {0: "batch", 2: "anchors"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(str(path))
    _store_in_half(model.graph)
    onnx.helper.set_model_props(model, {name: str(each) for name, each in _metadata().items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _store_in_half(graph: Any) -> None:
    """Store large constants in half precision; the runtime widens them when it loads."""
    casts = []
    for constant in graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT)
        )
    for cast in reversed(casts):
        graph.node.insert(0, cast)
