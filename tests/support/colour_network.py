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
WAVE = 226  # grey levels by which vectors of raw pixels turn by about a radian


def write_colour_network(path: Path, *, is_described: bool = True, outputs: int = 1) -> Path:
    """Write an OpenVINO model (``.xml``) that tells shirts apart, and how it is fed.

    Without a description it takes pixel values as they are, in any order of the channels, and makes
    little of them at another scale.
    """
    fields = 3 * (HEIGHT // FIELD) * (WIDTH // FIELD)
    mixing = np.random.default_rng(0).normal(size=(fields, DIM)).astype(np.float32)
    crops = ops.parameter([1, 3, HEIGHT, WIDTH], np.float32, name="crops")
    sizes = ([FIELD, FIELD], [0, 0], [0, 0], [FIELD, FIELD])  # strides, padding, window
    pooled = ops.avg_pool(crops, *sizes, True)
    vector = ops.matmul(ops.reshape(pooled, [1, fields], False), mixing, False, False)
    if not is_described:
        vector = ops.sin(ops.multiply(vector, np.float32(1 / WAVE)))
    found = [vector, ops.multiply(vector, np.float32(2))][:outputs]
    network = openvino.Model(found, [crops])
    for number, port in enumerate(network.outputs):
        port.set_names({f"embedding{number}"})
    openvino.save_model(network, path, compress_to_fp16=False)
    if is_described:
        half = (0.5, 0.5, 0.5)
        steps = {"colour": "bgr", "scale": 255.0, "mean": half, "std": half}
        write_sidecar(path, Description(input_height=HEIGHT, input_width=WIDTH, **steps))
    return path
