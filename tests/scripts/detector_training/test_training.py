"""Training of the detector: held-out pictures, the rate, going on after a stop."""

import numpy as np
import pytest
import torch

from support.detector_material import TEACHER


def test_pictures_are_held_out_of_the_pools_that_are_for_judging(pools):
    from detector_training.batches import Pieces

    pieces = Pieces(pools, sizes=[], first=0, seed=0, teacher=TEACHER)
    assert [path.stem for path, *_ in pieces._pools["stock"]] == ["00001", "00002", "00003"]
    assert len(pieces._pools["videos"]) == 4


def test_weights_that_ship_can_be_begun_with(pools, tmp_path, monkeypatch):
    from safetensors.torch import load_file

    from detector_training import training

    monkeypatch.setattr(training, "PIECE", 64)
    monkeypatch.setattr(training, "WHOLE", (64, 64))
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 0.0)
    recipe = training.Recipe("yolov8n.yaml", steps=1, batch=2, rate=1e-3, seed=0)
    shipped = TEACHER.with_name("person_detector.safetensors")
    training.train(
        pools, tmp_path, recipe, teacher=TEACHER, device="cpu", begin_with=[shipped], workers=0
    )
    state = torch.load(tmp_path / training.STATE, weights_only=True)["network"]
    for name, tensor in load_file(shipped).items():
        if name.endswith((".weight", ".bias")):
            torch.testing.assert_close(state[name], tensor.float())


def test_the_rate_rises_then_falls():
    from detector_training.training import WARM_UP, Recipe

    recipe = Recipe("yolov8n.yaml", steps=1000, batch=16, rate=0.002, seed=0)
    rates = [recipe.rate_at(step) for step in range(1000)]
    assert np.argmax(rates) in {WARM_UP - 1, WARM_UP}
    assert max(rates) == pytest.approx(0.002)
    assert rates[-1] < 0.05 * 0.002
    helped = [recipe.helped_at(step) for step in range(1000)]
    assert helped[0] == 1
    assert helped[:450] == [1] * 450
    assert helped[575] == pytest.approx(0.5)
    assert helped[700:] == [0] * 300
    height, width, count = recipe.sizes()[-1]
    assert (height, width) == (384, 640)
    assert count < 16


def test_training_goes_on_where_it_stopped(pools, tmp_path, monkeypatch):
    from detector_training import training

    monkeypatch.setattr(training, "PIECE", 64)
    monkeypatch.setattr(training, "WHOLE", (64, 64))
    monkeypatch.setattr(training, "LOG_EVERY", 1)
    # Constant rates: the number of steps must not matter for the first of them.
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 1e-3)
    monkeypatch.setattr(training.Recipe, "helped_at", lambda self, step: 0.5)
    recipe = training.Recipe("yolov8n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    training.train(pools, tmp_path / "whole", recipe, teacher=TEACHER, device="cpu", workers=0)
    part = training.Recipe("yolov8n.yaml", steps=2, batch=2, rate=1e-3, seed=0)
    training.train(pools, tmp_path / "parts", part, teacher=TEACHER, device="cpu", workers=0)
    training.train(pools, tmp_path / "parts", recipe, teacher=TEACHER, device="cpu", workers=0)
    states = [
        torch.load(tmp_path / name / training.STATE, weights_only=True)
        for name in ("whole", "parts")
    ]
    assert [state["step"] for state in states] == [4, 4]
    for name, tensor in states[0]["network"].items():
        torch.testing.assert_close(tensor, states[1]["network"][name], rtol=1e-3, atol=1e-4)
    lines = (tmp_path / "parts" / training.CURVES).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "3", "4"]
    other = training.Recipe("yolo11n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    with pytest.raises(SystemExit, match="another recipe"):
        training.train(pools, tmp_path / "parts", other, teacher=TEACHER, device="cpu", workers=0)
