"""What ships is what was measured, and a run on a CPU needs no torch for it."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from reid_model.card import filled_card
from reid_model.cli import main
from reid_model.errors import BackendError
from reid_model.inference import load_embedder
from reid_model.patterns import pattern_crops
from reid_model.publishing import check_loss
from reid_model.quantization import save_int8_form
from reid_model.stored_weights import (
    default_weights,
    openvino_form,
    read_notes,
    weights_sha256,
    write_notes,
)
from support.assets import REPOSITORY
from support.people import draw_person, write_people
from support.random_weights import write_random_weights
from support.small_runs import write_scene

CURVE = {
    "fmr": [[0.1, 0.2], [0.2, 0.08], [0.3, 0.04], [0.5, 0.0005]],
    "fnmr": [[0.1, 0.0, 0, 0.1], [0.2, 0.01, 0, 0.1], [0.3, 0.05, 0, 0.1], [0.5, 0.25, 0.2, 0.3]],
}
CARD = """# Card
<!-- small: facts -->
old
<!-- end -->
by hand
<!-- small: scores -->
<!-- end -->
<!-- small: calibration -->
<!-- end -->
"""


def calibrated(path, **changes):
    write_random_weights(path)
    own = {"weights_sha256": weights_sha256(path), "runtime": "x", "identities": 3, "tracks": 9}
    write_notes(path, {"calibration": {**own, **CURVE, **changes}, "teachers": ["t"]})
    return path


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def published(tmp_path_factory, people):
    folder = tmp_path_factory.mktemp("published")
    (folder / "README.md").write_text(CARD)
    best = calibrated(folder / "best.safetensors")
    arguments = ["publish", str(best), "--out", str(folder / "small.safetensors")]
    assert main([*arguments, "--data", str(people)]) == 0
    return folder / "small.safetensors"


def test_the_file_is_half_as_large_and_gives_the_same(published):
    best = published.with_name("best.safetensors")
    assert all(value.dtype == torch.float16 for value in load_file(published).values())
    crops = pattern_crops(4, seed=2)
    expected = load_embedder(best, backend="torch").embed(crops)
    assert (load_embedder(published).embed(crops) * expected).sum(axis=1).min() > 0.99
    names = {each.name for each in published.parent.iterdir()}
    assert names == {"README.md", best.name, published.name, "small_openvino"}
    assert {each.name for each in openvino_form(published).parent.iterdir()} == {
        "small.xml",
        "small.bin",
    }


def test_the_calibration_is_kept_for_the_new_file(published):
    network = load_embedder(published)
    assert network.calibration["weights_sha256"] == network.sha256
    assert network.calibration["fmr"] == CURVE["fmr"]
    assert read_notes(published)["teachers"] == ["t"]


def test_scores_are_those_of_the_file_that_was_written(published, people, tmp_path):
    out = tmp_path / "scores.json"
    arguments = ["evaluate", "--data", str(people), "--weights", str(published), "--flip"]
    assert main([*arguments, "--json", str(out)]) == 0
    scores, noted = json.loads(out.read_text()), read_notes(published)["scores"]
    assert list(noted) == [people.name]
    for key in ("rank1", "mAP", "queries"):
        assert noted[people.name][key] == scores[key]


def test_the_card_follows_from_the_file(published):
    card = published.with_name("README.md").read_text()
    assert filled_card(card, published) == card
    assert "\nold\n" not in card
    assert "by hand" in card
    assert "| 0.05 | 0.30 | 0.050 (0.000 to 0.100) |" in card
    assert re.search(r"\| 0\.001 \| 0\.50 \| 0\.250", card)
    assert "`efficientnet_b0`, last stride 2" in card
    changed = card.replace("| 0.05 |", "| 0.04 |")
    assert filled_card(changed, published) == card


def test_publishing_the_published_again_changes_nothing(published, people):
    before = published.read_bytes(), published.with_name("README.md").read_text()
    assert main(["publish", str(published), "--out", str(published), "--data", str(people)]) == 0
    assert (published.read_bytes(), published.with_name("README.md").read_text()) == before


@pytest.mark.parametrize("fault", ["none", "other"])
def test_weights_without_their_own_calibration_are_not_published(tmp_path, people, capsys, fault):
    best = calibrated(tmp_path / "best.safetensors")
    if fault == "none":
        write_notes(best, {"calibration": None})
    else:
        best = calibrated(best, weights_sha256="0" * 64)
    out = tmp_path / "out" / "small.safetensors"
    assert main(["publish", str(best), "--out", str(out), "--data", str(people)]) == 2
    assert "reid-pipeline calibrate --store" in " ".join(capsys.readouterr().err.split())
    assert list(out.parent.iterdir()) == []


def test_a_card_without_its_places_stops_before_anything_is_replaced(tmp_path, people, capsys):
    best = calibrated(tmp_path / "best.safetensors")
    out = tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("# Nothing here\n")
    arguments = ["publish", str(best), "--out", str(out / "small.safetensors")]
    assert main([*arguments, "--data", str(people)]) == 2
    assert "`<!-- small: facts -->`" in capsys.readouterr().err
    assert [each.name for each in out.iterdir()] == ["README.md"]


def test_a_form_of_other_weights_is_not_taken(published, tmp_path, caplog):
    other = calibrated(tmp_path / "small.safetensors")
    form = openvino_form(other)
    form.parent.mkdir()
    for file in openvino_form(published).parent.iterdir():
        (form.parent / file.name).write_bytes(file.read_bytes())
    crops = pattern_crops(3)
    np.testing.assert_allclose(
        load_embedder(other).embed(crops),
        load_embedder(other, backend="torch").embed(crops),
        atol=1e-3,
    )
    assert "was made of other weights" in caplog.text


def test_the_int8_form_of_the_package_gives_nearly_the_same():
    crops = pattern_crops(6, seed=3)
    int8, fp32 = load_embedder(precision="int8"), load_embedder()
    assert "int8" in int8.name
    assert "fp32" in fp32.name
    assert int8.sha256 == fp32.sha256
    assert (int8.embed(crops) * fp32.embed(crops)).sum(axis=1).min() > 0.9


def test_an_int8_form_is_made_from_pictures_alone(tmp_path):
    weights = shutil.copy(default_weights(), tmp_path / "small.safetensors")
    form = openvino_form(weights, int8=True)
    form.parent.mkdir()
    people = [draw_person(identity, 1, 0, size=(120, 50)) for identity in range(8)]
    save_int8_form(weights, form, people)
    crops = people[:3]
    int8, fp32 = load_embedder(weights, precision="int8"), load_embedder(weights)
    assert "int8" in int8.name
    cosine = (int8.embed(crops) * fp32.embed(crops)).sum(axis=1)
    assert 0.9 < cosine.min() <= cosine.max() < 0.99999


def test_the_int8_form_of_other_weights_is_not_taken(tmp_path, caplog):
    other = calibrated(tmp_path / "small.safetensors")
    shutil.copytree(openvino_form(default_weights(), int8=True).parent, tmp_path / "package")
    form = openvino_form(other, int8=True)
    form.parent.mkdir()
    for file in (tmp_path / "package").iterdir():
        shutil.copy(file, form.with_suffix(file.suffix))
    with pytest.raises(BackendError, match="have no int8 form"):
        load_embedder(other, precision="int8")
    assert "was made of other weights" in caplog.text


def test_pictures_that_are_scored_on_tell_no_ranges(people, tmp_path, capsys):
    best = calibrated(tmp_path / "best.safetensors")
    arguments = ["publish", str(best), "--out", str(tmp_path / "out" / "small.safetensors")]
    assert main([*arguments, "--data", str(people), "--calibrate-on", str(people)]) == 2
    assert "in none of the sets of --data" in " ".join(capsys.readouterr().err.split())
    assert list((tmp_path / "out").iterdir()) == []


def test_publishing_without_int8_removes_the_form_that_was_there(people, tmp_path):
    best = calibrated(tmp_path / "best.safetensors")
    out = tmp_path / "small.safetensors"
    openvino_form(out, int8=True).parent.mkdir()
    openvino_form(out, int8=True).write_text("of earlier weights")
    assert main(["publish", str(best), "--out", str(out), "--data", str(people)]) == 0
    assert not openvino_form(out, int8=True).parent.exists()


@pytest.mark.parametrize(("after", "is_kept"), [(0.80, True), (0.791, True), (0.789, False)])
def test_int8_that_costs_more_than_a_hundredth_of_a_score_is_refused(after, is_kept):
    def scored(score):
        ranking = SimpleNamespace(rank1=0.9, mean_average_precision=score)
        return {"set": SimpleNamespace(ranking=ranking)}

    with nullcontext() if is_kept else pytest.raises(BackendError, match=r"from 0\.800 to 0\.789"):
        check_loss(scored(0.80), scored(after))


def test_a_run_on_a_cpu_imports_no_torch(published, tmp_path):
    """In a process of its own: other tests have loaded it long ago."""
    scene = write_scene(tmp_path / "scene", cameras=2, frames=5)
    arguments = ["run", "--cams", str(scene), "--weights", str(published), "--device", "cpu"]
    arguments += ["--out", str(tmp_path / "run")]
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        f"print('exit', main({arguments!r}))\n"
        "print('slow', sorted({'torch', 'torchvision', 'timm', 'ultralytics'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert "exit 0" in done.stdout, done.stderr
    assert "slow []" in done.stdout
