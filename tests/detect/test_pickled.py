"""Checkpoints of others are read as data: what would run code is refused unread."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from pipeline.detect.loading import load_detector
from pipeline.detect.pickled import refuse_code
from pipeline.detect.ultralytics_adapter import contained
from pipeline.errors import ModelError
from pipeline.settings import DetectSettings


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def load(path):
    load_detector(DetectSettings(weights=str(path)), cameras=["a"], device="cpu")


@pytest.mark.parametrize("function", [os.mkdir, eval, getattr, __import__])
def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, function):
    sprung = tmp_path / "sprung"
    arguments = {os.mkdir: (str(sprung),), getattr: (Path, "cwd"), __import__: ("os",)}
    trap = Trap(function, *arguments.get(function, (f"__import__('os').mkdir({str(sprung)!r})",)))
    torch.save({"model": trap}, tmp_path / "trap.pt")
    with pytest.raises(ModelError, match="could run code"):
        load(tmp_path / "trap.pt")
    assert not sprung.exists()


def test_an_old_pickle_is_refused(tmp_path):
    sprung = tmp_path / "sprung"
    (tmp_path / "trap.pt").write_bytes(pickle.dumps({"model": Trap(os.mkdir, str(sprung))}))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(tmp_path / "trap.pt")
    assert not sprung.exists()


@pytest.mark.parametrize("name", ["yolov8n", "yolo11n"])
def test_networks_of_ultralytics_are_read(tmp_path, name):
    with contained():
        from ultralytics import YOLO

        YOLO(f"{name}.yaml").save(tmp_path / "network.pt")
    refuse_code(tmp_path / "network.pt")
    with pytest.raises(ModelError, match="has no class 'person'"):  # it was never trained
        load(tmp_path / "network.pt")
