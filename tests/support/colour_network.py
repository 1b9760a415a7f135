"""A network that needs no torch: embeddings of the colours of a crop, in fields.

Loading torch costs a process more than everything else that a test has it do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops

from reid_model.description import Description, write_sidecar

__all__ = ["write_colour_network"]

HEIGHT, WIDTH, FIELD, DIM = 32, 16, 4, 64


def write_colour_network(path: Path) -> Path:
    """Write an OpenVINO model (``.xml``) that tells shirts apart, and how it is fed."""
    fields = 3 * (HEIGHT // FIELD) * (WIDTH // FIELD)
    mixing = np.random.default_rng(0).normal(size=(fields, DIM)).astype(np.float32)
    crops = ops.parameter([1, 3, HEIGHT, WIDTH], np.float32)
    sizes = ([FIELD, FIELD], [0, 0], [0, 0], [FIELD, FIELD])  # strides, padding, window
    colours = ops.reshape(ops.avg_pool(crops, *sizes, True), [1, fields], False)
    network = openvino.Model([ops.matmul(colours, mixing, False, False)], [crops])
    network.inputs[0].set_names({"crops"})
    network.outputs[0].set_names({"embedding"})
    openvino.save_model(network, path, compress_to_fp16=False)
    grey = (0.5, 0.5, 0.5)
    steps = {"colour": "bgr", "scale": 255.0, "mean": grey, "std": grey}
    write_sidecar(path, Description(input_height=HEIGHT, input_width=WIDTH, **steps))
    return path
