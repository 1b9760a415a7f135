"""A student learns from teachers; what it sees is changed on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from reid_model.checkpoint import load_checkpoint
from reid_model.cli import main
from reid_model.distillation import augment, training
from reid_model.distillation.crops import IdentityDraw
from reid_model.distillation.losses import Memory, distillation_loss
from reid_model.distillation.recipe import LossWeights, load_distillation
from reid_model.distillation.training import Distillation
from reid_model.errors import RecipeError
from support.small_teachers import small_network, write_distillation

CHANGES = {
    "change_light": lambda images, share: augment.change_light(images, 1.0, share),
    "make_coarse": augment.make_coarse,
    "blur": augment.blur,
    "add_noise": augment.add_noise,
    "cover": augment.cover,
    "erase": augment.erase,
    "mix_people": lambda images, share: augment.mix_people(images, blended=share, joined=share),
    "change_clothes": lambda images, share: augment.change_clothes(
        images, torch.ones(len(images), 1, 64, 32), augment.draw_patterns(images), share
    ),
}


def crops(count: int = 12) -> torch.Tensor:
    torch.manual_seed(4)
    return torch.rand(count, 3, 64, 32) * 0.8 + 0.1


@pytest.mark.parametrize("name", CHANGES)
def test_changes_keep_shape_and_range_and_change_who_is_chosen(name: str) -> None:
    images = crops()
    changed = CHANGES[name](images, 1.0)
    assert changed.shape == images.shape
    assert -1e-5 <= float(changed.min()) <= float(changed.max()) <= 1 + 1e-5
    assert float((changed - images).abs().amax((1, 2, 3)).max()) > 0.01


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"change_light"}))
def test_changes_leave_alone_who_is_not_chosen(name: str) -> None:
    images = crops()
    torch.testing.assert_close(CHANGES[name](images, 0.0), images)


def test_clothes_change_only_where_the_person_is() -> None:
    images, masks = crops(), torch.zeros(12, 1, 64, 32)
    masks[:, :, :, :16] = 1
    changed = augment.change_clothes(images, masks, augment.draw_patterns(images), 1.0)
    torch.testing.assert_close(changed[..., 16:], images[..., 16:])
    assert float((changed[..., :16] - images[..., :16]).abs().mean()) > 0.01


def test_patterns_are_of_two_colours_and_lie_on_the_clothes() -> None:
    images = crops()
    patterns = augment.draw_patterns(images)
    assert patterns.shape == images.shape
    assert 0 <= float(patterns.min()) <= float(patterns.max()) <= 1
    colours = patterns.flatten(2) - patterns.flatten(2).mean(2, keepdim=True)
    shares = torch.linalg.svdvals(colours)
    assert bool((shares[:, 1:].sum(1) < 1e-3 * shares[:, 0]).all()), "more than two colours"
    masks, red = torch.ones(12, 1, 64, 32), torch.zeros(12, 3, 64, 32)
    red[:, 0] = 1
    grey = torch.full((12, 3, 64, 32), 0.5)
    worn = torch.cat([augment.change_clothes(grey, masks, red, 1.0) for _ in range(8)])
    legs = worn[:, :, 50].mean(2)
    assert float((legs[:, 0] > legs[:, 1:].amax(1) + 0.2).float().mean()) > 0.03


def test_nobody_without_a_mask_gets_another_background() -> None:
    images, places = crops(), torch.zeros(12, 3, 64, 32)
    masks = torch.zeros(12, 1, 64, 32)
    masks[:6, :, 20:40, 8:24] = 1
    changed = augment.change_background(images, masks, places, 1.0)
    torch.testing.assert_close(changed[6:], images[6:])
    assert float(changed[:6, :, :10].abs().max()) == 0
    torch.testing.assert_close(changed[:6, :, 25:35, 12:20], images[:6, :, 25:35, 12:20])


def test_draw_gives_so_many_crops_of_so_many_identities() -> None:
    labels = torch.tensor([0, 0, 0, 1, 2, 2, 3])
    rows = IdentityDraw(labels, 3, 2)()
    drawn = labels[rows].view(3, 2)
    assert bool((drawn[:, 0] == drawn[:, 1]).all())
    assert len(set(drawn[:, 0].tolist())) == 3


def test_loss_is_what_a_slow_loop_computes() -> None:
    torch.manual_seed(0)
    after, labels = torch.randn(6, 5), torch.tensor([0, 0, 1, 1])
    target = torch.nn.functional.normalize(torch.randn(6, 5))
    classifier = torch.nn.Linear(5, 2, bias=False)
    memory = Memory(4, 5)
    known = torch.nn.functional.normalize(torch.randn(6, 5))
    memory.add(known[:3])
    assert float(memory(target, target)) == 0, "not full yet"
    memory.add(known[3:])
    got = distillation_loss(
        after, target, labels, classifier=classifier, memory=memory, weights=LossWeights()
    )
    unit = [row / row.norm() for row in after]
    cosines = [1 - float(u @ t) for u, t in zip(unit, target, strict=True)]
    assert float(got["teacher"]) == pytest.approx(np.mean(cosines), abs=1e-6)
    differences = [
        (float(unit[i] @ unit[j]) - float(target[i] @ target[j])) ** 2
        for i in range(6)
        for j in range(6)
    ]
    assert float(got["similarity"]) == pytest.approx(np.mean(differences), abs=1e-6)
    kept = known[2:]  # the last four
    divergences = []
    for one, true in zip(unit, target, strict=True):
        wanted, found = (torch.softmax(kept @ each / 0.05, 0) for each in (true, one))
        divergences.append(float((wanted * (wanted / found).log()).sum()))
    assert float(got["neighbours"]) == pytest.approx(np.mean(divergences), rel=1e-4)
    triplets = []
    for i in range(4):
        near = [float((unit[i] - unit[j]).norm()) for j in range(4)]
        same = [near[j] for j in range(4) if labels[j] == labels[i]]
        other = [near[j] for j in range(4) if labels[j] != labels[i]]
        triplets.append(max(0.0, max(same) - min(other) + 0.3))
    assert float(got["triplet"]) == pytest.approx(np.mean(triplets), abs=1e-3)
    weights = LossWeights().model_dump()
    total = sum(weights[name] * float(got[name].detach()) for name in weights)
    assert float(got["loss"].detach()) == pytest.approx(total, rel=1e-6)


@pytest.fixture
def teacher_of_eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a recipe whose two teachers give eight numbers together."""
    path = write_distillation(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["teachers"].append(str(small_network(tmp_path, name="other", height=64)))
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(training, "WHITENING_CROPS", 64)
    return path


def test_command_trains_and_writes_weights_that_embed(teacher_of_eight: Path) -> None:
    out = teacher_of_eight.parent / "out"
    assert main(["distill", "--config", str(teacher_of_eight), "--out", str(out), "--cpu"]) == 0
    checkpoint = load_checkpoint(out / "last.safetensors")
    notes = checkpoint.notes
    assert notes["step"] == 4
    assert notes["trained_on"] == {"market": 16, "free": 5}
    assert notes["teachers"] == ["small", "other"]
    network = checkpoint.network
    vectors = network(torch.rand(2, 3, 64, 32))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    assert (out / "curves.png").is_file()
    ready = load_checkpoint(out / "whitened.safetensors")
    assert ready.notes["step"] == 4
    assert not torch.equal(ready.network.embed.weight, network.embed.weight)


def test_a_run_that_goes_on_ends_where_one_without_a_break_ends(teacher_of_eight: Path) -> None:
    settings = load_distillation(teacher_of_eight)
    whole, broken = (teacher_of_eight.parent / name for name in ("whole", "broken"))
    run = Distillation(settings, whole, cpu=True)
    run.run(lambda _now: None)

    class KilledError(Exception):
        pass

    def kill(now: object) -> None:
        if getattr(now, "step", 0) == 3:
            raise KilledError

    with pytest.raises(KilledError):
        Distillation(settings, broken, cpu=True).run(kill)
    again = Distillation(settings, broken, cpu=True)
    assert again.resume() == 2
    again.run(lambda _now: None)
    assert (whole / "last.safetensors").read_bytes()[-4000:] == (
        broken / "last.safetensors"
    ).read_bytes()[-4000:]


def test_an_embedding_of_another_length_than_the_teachers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the teachers together give 4: set it to 4"):
        Distillation(load_distillation(write_distillation(tmp_path)), tmp_path / "out", cpu=True)


def test_bad_recipes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_distillation(tmp_path, batch=3)
    assert main(["distill", "--config", str(path), "--out", str(tmp_path / "o")]) == 2
    assert "batch" in capsys.readouterr().err
