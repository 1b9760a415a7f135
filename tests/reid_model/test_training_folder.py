"""Trainings that are there stay there, and what cannot be scored is seen before the first step."""

import pytest

from reid_model.cli import main
from reid_model.errors import DatasetError
from reid_model.recipe import load_recipe
from reid_model.training.preparation import prepare
from support.people import write_people, write_recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    source = write_people(folder / "people")
    recipe = write_recipe(folder / "small.yaml", source, steps=3)
    assert train(recipe, folder / "out") == 0
    return folder


def train(recipe, out, *flags):
    return main(["train", "--config", str(recipe), "--out", str(out), "--cpu", *flags])


def results(out):
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_a_second_training_is_refused_unless_it_is_to_replace_the_first(trained, capsys):
    recipe, out = trained / "small.yaml", trained / "out"
    before = results(out)
    assert {"best.safetensors", "last.safetensors", "state.pt"} <= set(before)
    for flags, said in (
        (["--steps", "2"], "holds a training"),
        (["--overwrite", "--resume"], "not both"),
        (["--overwrite", "--init", str(out / "best.safetensors")], "is read as"),
    ):
        assert train(recipe, out, *flags) == 2
        assert said in capsys.readouterr().err
        assert results(out) == before


def test_what_cannot_start_removes_nothing(trained, tmp_path, capsys):
    out = trained / "out"
    before = results(out)
    broken = write_recipe(tmp_path / "broken.yaml", tmp_path / "nowhere")
    assert train(broken, out, "--overwrite") == 2
    assert "nowhere" in capsys.readouterr().err
    assert results(out) == before


def test_people_of_one_camera_alone_are_refused_before_the_first_step(tmp_path):
    source = write_people(tmp_path / "people", cameras=1)
    recipe = load_recipe(write_recipe(tmp_path / "small.yaml", source))
    with pytest.raises(DatasetError, match="from another camera"):
        prepare(recipe)
