"""Small networks in OpenVINO's format, as others make them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import openvino
import yaml
from openvino import opset13 as ops

__all__ = ["small_network", "write_distillation"]


def small_network(
    folder: Path, *, name: str = "small", last: str = "sigmoid", height: int = 16
) -> Path:
    """Write a network with most of the operations that re-identification networks have."""
    rng = np.random.default_rng(3)
    images = ops.parameter([1, 3, height, 8], np.float32, name="data")
    swapped = ops.gather(images, [2, 1, 0], 1)
    normal = ops.mvn(swapped, [2, 3], True, 1e-5, "inside_sqrt")
    kernels = rng.normal(size=(6, 3, 3, 3)).astype(np.float32)
    maps = ops.relu(ops.convolution(normal, kernels, [2, 2], [1, 1], [1, 1], [1, 1]))
    grouped = rng.normal(size=(6, 1, 1, 3, 3)).astype(np.float32)
    deep = ops.group_convolution(maps, grouped, [1, 1], [1, 1], [1, 1], [1, 1])
    gate = ops.sigmoid(ops.reduce_mean(deep, [2, 3], keep_dims=True))
    pooled = ops.reduce_mean(ops.multiply(maps, gate), [2, 3], keep_dims=False)
    flat = ops.reshape(pooled, np.array([1, 6]), special_zero=False)
    matrix = rng.normal(size=(4, 6)).astype(np.float32)
    vector = ops.matmul(flat, matrix, transpose_a=False, transpose_b=True)
    out = ops.sigmoid(vector) if last == "sigmoid" else ops.erf(vector)
    path = folder / f"{name}.xml"
    openvino.save_model(openvino.Model([out], [images], name), path, compress_to_fp16=False)
    return path


def write_distillation(folder: Path, **changes: object) -> Path:
    """Write crops of six people, unlabelled crops, a teacher and a recipe of them."""
    rng = np.random.default_rng(1)
    market, free = folder / "market", folder / "free"
    market.mkdir()
    free.mkdir()
    for person in range(1, 7):
        colour = rng.uniform(40, 215, 3)
        for camera in (1, 2):
            for shot in range(2):
                image = np.clip(colour + rng.normal(0, 12, (64, 32, 3)), 0, 255).astype(np.uint8)
                name = f"{person:04d}_c{camera}s1_{shot:06d}_01.jpg"
                cv2.imwrite(str(market / name), image)
    for number in range(5):
        image = rng.integers(0, 255, (40, 20, 3), dtype=np.uint8)
        cv2.imwrite(str(free / f"{number}.jpg"), image)
    (folder / "held.json").write_text(json.dumps(["0005", "0006"]))
    content = {
        "teachers": [str(small_network(folder, height=64))],
        "labelled": str(market),
        "unlabelled": [{"folder": str(free), "share": 0.5}],
        "backgrounds": str(free),
        "validation": {"identities": str(folder / "held.json"), "every_steps": 2},
        "architecture": {
            "backbone": "tf_efficientnet_lite0",
            "embedding_dim": 8,
            "instance_norm": True,
            "input_height": 64,
            "input_width": 32,
        },
        "batch_size": 12,
        "identities": 3,
        "images": 2,
        "schedule": {"steps": 4},
        "remembered": 24,
        "save_every_steps": 2,
        **changes,
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path
