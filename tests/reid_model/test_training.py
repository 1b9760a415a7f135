"""Training: the same weights every time, after a kill too, and what a run leaves behind."""

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from reid_model.checkpoint import load_checkpoint
from reid_model.cli import main
from reid_model.errors import RecipeError, WeightsError
from reid_model.recipe import Schedule, load_recipe
from reid_model.training.loop import Trainer
from reid_model.training.preparation import prepare
from reid_model.training.run import rate_factor
from support.people import write_people, write_recipe


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def recipe_file(source, tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("recipe") / "small.yaml", source, steps=6)


@pytest.fixture(scope="module")
def undisturbed(recipe_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    train(recipe_file, folder)
    return folder


class KilledError(Exception):
    pass


def train(recipe_file, folder, *, resume=False, die_at=None, **changes):
    recipe = load_recipe(recipe_file, changes=changes)
    trainer = Trainer(recipe, prepare(recipe), folder, cpu=True)
    if resume:
        trainer.resume()
    steps = []

    def report(progress):
        steps.append(progress.step)
        if progress.step == die_at:
            raise KilledError

    with suppress(KilledError):
        trainer.run(report)
    return steps


def assert_same_weights(one, other):
    first, second = load_file(one), load_file(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_the_same_seed_gives_the_same_weights(recipe_file, undisturbed, tmp_path):
    train(recipe_file, tmp_path)
    assert_same_weights(tmp_path / "last.safetensors", undisturbed / "last.safetensors")


def test_another_seed_gives_other_weights(recipe_file, undisturbed, tmp_path):
    train(recipe_file, tmp_path, seed=2)
    first = load_file(tmp_path / "last.safetensors")["embed.weight"]
    assert not torch.equal(first, load_file(undisturbed / "last.safetensors")["embed.weight"])


def test_a_run_that_died_between_two_saves_goes_on_exactly(recipe_file, undisturbed, tmp_path):
    assert train(recipe_file, tmp_path, die_at=5) == [1, 2, 3, 4, 5]
    assert train(recipe_file, tmp_path, resume=True) == [5, 6]  # saved every 2 steps
    for name in ("last.safetensors", "best.safetensors"):
        assert_same_weights(tmp_path / name, undisturbed / name)
    ours, theirs = (pd.read_csv(folder / "curves.csv") for folder in (tmp_path, undisturbed))
    keep = ours["curve"] != "minutes"
    pd.testing.assert_frame_equal(ours[keep], theirs[theirs["curve"] != "minutes"])


def test_a_killed_process_goes_on_exactly(recipe_file, undisturbed, tmp_path):
    arguments = ["train", "--config", str(recipe_file), "--out", str(tmp_path), "--cpu"]
    program = f"from reid_model.cli import main; main({arguments!r})"
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "state.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert main([*arguments, "--resume"]) == 0
    assert_same_weights(tmp_path / "last.safetensors", undisturbed / "last.safetensors")


def test_a_run_leaves_weights_curves_and_a_state(undisturbed):
    names = {path.name for path in undisturbed.iterdir()}
    assert {"best.safetensors", "last.safetensors", "curves.csv", "curves.png", "state.pt"} <= names
    assert any((undisturbed / "tensorboard").iterdir())
    curves = pd.read_csv(undisturbed / "curves.csv")
    assert {"loss", "loss/IdentityLoss", "loss/TripletMarginLoss", "rate", "mAP"} <= set(
        curves["curve"]
    )
    assert curves.loc[curves["curve"] == "mAP", "step"].tolist() == [3, 6]


def test_a_checkpoint_says_how_it_was_made(undisturbed):
    notes = load_checkpoint(undisturbed / "last.safetensors").notes
    assert notes["trained_on"]["identities"] == 4
    assert notes["trained_on"]["held_out_identities"] == 2
    assert notes["step"] == 6
    assert notes["recipe"]["schedule"]["steps"] == 6
    assert 0 <= notes["scores"]["mean_average_precision"] <= 1


def test_the_losses_fall_on_people_that_are_easy_to_tell_apart(source, tmp_path):
    recipe = write_recipe(tmp_path / "longer.yaml", source, steps=80)
    changes = {"optimiser.rate": 3e-3, "batch.identities": 4, "batch.images": 3}
    train(recipe, tmp_path / "run", **changes, **{"validation.every_steps": 80})
    curves = pd.read_csv(tmp_path / "run" / "curves.csv").set_index(["step", "curve"])["value"]
    # Single batches of so short a run go up and down: the best of those on record counts.
    assert curves.xs("loss/IdentityLoss", level=1).min() < np.log(4) - 0.1  # what guessing costs
    assert curves.xs("loss/TripletMarginLoss", level=1).min() < 0.15  # half of the margin


def test_another_recipe_cannot_go_on_from_a_state(recipe_file, undisturbed):
    with pytest.raises(RecipeError, match="another recipe"):
        train(recipe_file, undisturbed, resume=True, seed=5)


def test_nothing_to_resume_is_named(recipe_file, tmp_path):
    with pytest.raises(WeightsError, match=r"state\.pt"):
        train(recipe_file, tmp_path, resume=True)


def test_training_goes_on_from_other_weights(recipe_file, undisturbed, tmp_path):
    start = undisturbed / "last.safetensors"
    train(recipe_file, tmp_path, init=str(start), **{"schedule.steps": 1})
    notes = load_checkpoint(tmp_path / "last.safetensors").notes
    assert notes["started_from"]["name"] == "last.safetensors"
    before, after = (load_file(path) for path in (start, tmp_path / "last.safetensors"))
    torch.testing.assert_close(before["embed.weight"], after["embed.weight"], rtol=0, atol=1e-2)


def test_the_start_must_fit_the_recipe(recipe_file, undisturbed, tmp_path):
    with pytest.raises(RecipeError, match="does not fit"):
        train(
            recipe_file,
            tmp_path,
            init=str(undisturbed / "last.safetensors"),
            **{"architecture.embedding_dim": 32},
        )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sedd: 1", "sedd"),
        ("precision: fp8", "precision"),
        ("batch: {identities: 1}", "batch.identities"),
        ("batch: {kind: triplets}", "csv"),
    ],
)
def test_a_wrong_setting_is_named(source, tmp_path, capsys, line, said):
    recipe = write_recipe(tmp_path / "wrong.yaml", source)
    kept = [
        each for each in recipe.read_text().splitlines() if not line.startswith(each[:5] or "#")
    ]
    recipe.write_text("\n".join([*kept, line]))
    assert main(["train", "--config", str(recipe), "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert len(message.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "TripletLoss"}, "TripletLoss"),
        ({"name": "TripletMarginLoss", "options": {"margins": 1}}, "margins"),
        ({"name": "TripletMarginLoss", "miner": {"name": "Digger"}}, "Digger"),
    ],
)
def test_an_unknown_loss_miner_or_option_is_named(recipe_file, tmp_path, change, said):
    recipe = load_recipe(recipe_file, changes={"losses": [change]})
    with pytest.raises(RecipeError, match=said):
        Trainer(recipe, prepare(recipe), tmp_path, cpu=True)


def test_the_rate_warms_up_and_falls_like_a_cosine():
    schedule = Schedule(steps=110, warmup_steps=10)
    factors = [rate_factor(schedule, step) for step in range(111)]
    assert factors[0] == pytest.approx(1e-3)
    assert factors[10] == 1
    assert factors[60] == pytest.approx(0.5)
    assert factors[110] == pytest.approx(0, abs=1e-9)
    assert all(one < next_one for one, next_one in pairwise(factors[:11]))
    assert rate_factor(Schedule(steps=9, shape="constant"), 8) == 1


def test_fixed_triplets_are_trained_on_as_the_csv_lists_them(source, tmp_path):
    csv = tmp_path / "triplets.csv"
    rows = ["Anchor,Negative,Positive"]
    for identity in range(1, 7):
        other = identity % 6 + 1
        rows.append(
            f"{identity:04d}_c1s1_000000_01.png,{other:04d}_c2s1_000001_01.png,"
            f"{identity:04d}_c2s1_000000_01.png"
        )
    csv.write_text("\n".join(rows))
    held_out = tmp_path / "held_out.json"
    held_out.write_text(json.dumps([3, 4]))
    recipe = write_recipe(tmp_path / "paper.yaml", source, steps=2)
    changes = {
        "batch": {"kind": "triplets", "csv": str(csv), "size": 2},
        "validation.identities": str(held_out),
        "losses": [{"name": "TripletMarginLoss", "options": {"margin": 1.0}, "on": "after"}],
    }
    images = prepare(load_recipe(recipe, changes=changes))
    listed = set()
    for step in range(images.draw.steps_per_epoch):
        rows, places = images.draw.rows(step)
        for anchor, positive, negative in rows[places]:
            names = [images.images[row].path.name for row in (anchor, negative, positive)]
            listed.add(",".join(names))
    # Those with a held-out person are left out: rows of 2 (negative 3), 3, 4 (negative 5).
    kept = [
        row for number, row in enumerate(csv.read_text().splitlines()[1:], 1) if number in {1, 5, 6}
    ]
    assert listed <= set(kept)
    assert len(listed) == 2  # two to a batch, the odd one waits for another epoch
    train(recipe, tmp_path / "run", **changes)
    assert (tmp_path / "run" / "best.safetensors").is_file()
