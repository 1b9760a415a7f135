"""Models of others: exported detectors, checkpoints, teachers, descriptions of networks."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import cv2
import torch
from openvino import Core

from fuzzing.target import Target
from pipeline.detect.exported import ExportedModel
from pipeline.detect.pickled import refuse_code
from reid_model.data.pixels import read_crop
from reid_model.distillation.teacher import TorchFromOpenVino
from support.detector_material import TEACHER
from support.people import draw_person
from support.small_teachers import small_network

__all__ = ["MODELS"]

DETECTOR = next(TEACHER.glob("*.xml"))


def _metadata(content: bytes, folder: Path) -> object:
    """Read what is said beside a detector."""
    (folder / "metadata.yaml").write_bytes(content)
    return ExportedModel.read(folder / "model.xml", Core().read_model(DETECTOR))


def _pickles(_folder: Path) -> list[bytes]:
    found = []
    for content in ({"model": torch.nn.Linear(2, 2), "epoch": 3}, SimpleNamespace(a=[1, 2])):
        buffer = io.BytesIO()
        torch.save(content, buffer)
        found.append(buffer.getvalue())
    return found


def _pickled(content: bytes, folder: Path) -> None:
    (folder / "m.pt").write_bytes(content)
    refuse_code(folder / "m.pt")


def _teacher(content: bytes, folder: Path) -> object:
    small_network(folder)
    (folder / "small.xml").write_bytes(content)
    return TorchFromOpenVino(folder / "small.xml")


def _pictures(_folder: Path) -> list[bytes]:
    image = draw_person(1, 1, 1)
    return [
        cv2.imencode(suffix, image)[1].tobytes() for suffix in (".jpg", ".png", ".webp", ".bmp")
    ]


def _picture(content: bytes, folder: Path) -> object:
    (folder / "p.jpg").write_bytes(content)
    return read_crop(folder / "p.jpg")


MODELS: Mapping[str, Target] = {
    "detector-metadata": Target(
        lambda _folder: [(DETECTOR.with_name("metadata.yaml")).read_bytes()], _metadata
    ),
    "pickled": Target(_pickles, _pickled),
    "teacher": Target(lambda folder: [small_network(folder).read_bytes()], _teacher),
    "picture": Target(_pictures, _picture),
}
