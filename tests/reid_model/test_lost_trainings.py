"""Trainings that diverge, and machines with little shared memory."""

from __future__ import annotations

from collections import namedtuple

import cv2
import numpy as np
import pytest

from reid_model.cli.app import main
from reid_model.errors import RecipeError
from reid_model.training import workers
from reid_model.training.start import check_embeddings, check_loss

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def recipe(tmp_path):
    """Eight coloured people, and a recipe of four steps that changes can be made to."""
    rng = np.random.default_rng(0)
    (tmp_path / "crops").mkdir()
    for who in range(1, 9):
        look = rng.integers(0, 255, (4, 2, 3), np.uint8)
        for camera in (1, 2):
            for number in (1, 2):
                image = cv2.resize(look, (64, 128)).astype(int) + rng.integers(
                    -20, 20, (128, 64, 3)
                )
                name = f"{who:04d}_c{camera}s1_00000{number}_00.jpg"
                cv2.imwrite(str(tmp_path / "crops" / name), image.clip(0, 255).astype(np.uint8))

    def write(*, rate=1e-5, precision="no", steps=4):
        path = tmp_path / "recipe.yaml"
        path.write_text(
            f"images: {{source: {tmp_path / 'crops'}}}\n"
            "validation: {share: 0.35, every_steps: 2}\n"
            "architecture: {last_stride: 2}\n"
            "batch: {kind: identities, identities: 4, images: 2}\n"
            "losses:\n- {name: IdentityLoss, options: {label_smoothing: 0.1}}\n"
            f"optimiser: {{name: AdamW, rate: {rate:.1e}}}\n"
            f"schedule: {{steps: {steps}, shape: constant}}\n"
            f"save_every_steps: 2\nworkers: 0\nprecision: '{precision}'\n"
        )
        return path

    return write


def train(recipe, out, *flags):
    return main(["train", "--config", str(recipe), "--cpu", "--out", str(out), *flags])


def test_a_loss_that_is_not_finite_ends_the_training_before_anything_is_saved(
    recipe, tmp_path, capsys
):
    out = tmp_path / "out"
    assert train(recipe(rate=1e12), out) == 2
    assert "is not finite at step" in capsys.readouterr().err.replace("\n", " ")
    assert not list(out.glob("*.safetensors"))
    assert not (out / "state.pt").exists()


def test_half_precision_on_a_cpu_is_refused(recipe, tmp_path, capsys):
    assert train(recipe(precision="fp16"), tmp_path / "out") == 2
    assert "needs a GPU" in capsys.readouterr().err


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_no_such_loss_is_gone_on_with(loss):
    with pytest.raises(RecipeError, match="step 7"):
        check_loss(loss, 7)
    check_loss(1e30, 7)


@pytest.mark.parametrize(
    "vectors", [np.full((4, 3), np.nan), np.zeros((4, 3)), np.ones((4, 3)), [[np.inf, 0], [1, 0]]]
)
def test_embeddings_that_tell_nobody_apart_are_not_saved(vectors):
    with pytest.raises(RecipeError, match="useless"):
        check_embeddings(np.asarray(vectors, np.float32), 7)


def test_other_embeddings_are():
    check_embeddings(np.eye(3, dtype=np.float32), 7)
    check_embeddings(np.ones((1, 3), np.float32), 7)


class Batches:
    def __getitem__(self, step):
        return (np.zeros(1_000_000, np.uint8), np.zeros(0))


@pytest.mark.parametrize(
    ("free", "used"), [(64_000_000, 4), (20_000_000, 4), (19_999_999, 0), (0, 0)]
)
def test_workers_are_used_where_their_batches_fit(monkeypatch, free, used, caplog):
    monkeypatch.setattr(workers.shutil, "disk_usage", lambda _path: Usage(0, 0, free))
    assert workers.workers_that_fit(4, Batches()) == used
    assert ("--shm-size" in caplog.text) == (used == 0)
