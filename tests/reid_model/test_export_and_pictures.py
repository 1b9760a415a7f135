"""Exported models compute what the network does; pictures show what they say they do."""

import functools
import json

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reid_model.checkpoint import load_checkpoint
from reid_model.cli import main
from reid_model.errors import BackendError, OutputError
from reid_model.export import export
from reid_model.inference import load_embedder
from reid_model.patterns import pattern_crops
from support.people import write_people
from support.random_weights import write_random_weights

TORCH = ["--backend", "torch", "--weights"]
"""Without converting a checkpoint first, which takes longer than all else."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_random_weights(tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def exported(weights, tmp_path_factory):
    """The export of a kind and a precision, each in a folder of its own, made once."""

    @functools.cache
    def of(kind, precision):
        return export(weights, tmp_path_factory.mktemp("made"), kind=kind, precision=precision)

    return of


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.9999), ("fp16", 0.99)])
def test_an_exported_model_computes_what_the_network_does(
    weights, exported, kind, precision, least
):
    made = exported(kind, precision)
    assert made.min_cosine > least
    crops = pattern_crops(5, seed=9)
    expected = load_embedder(weights, backend="torch").embed(crops)
    got = load_embedder(made.path).embed(crops)
    assert (expected * got).sum(axis=1).min() > least
    assert made.size_bytes == sum(file.stat().st_size for file in made.path.parent.iterdir())


def test_half_precision_takes_about_half_the_room(exported):
    full, half = (exported("openvino", precision).size_bytes for precision in ("fp32", "fp16"))
    assert half < 0.6 * full


def test_a_model_that_is_there_is_not_replaced_unless_asked(weights, tmp_path):
    first = tmp_path / "random.xml"
    first.write_text("mine")
    with pytest.raises(OutputError, match=r"random\.xml exists already"):
        export(weights, tmp_path, kind="openvino")
    assert first.read_text() == "mine"
    export(weights, tmp_path, kind="openvino", overwrite=True)
    assert "<net" in first.read_text()


def test_a_model_that_computes_something_else_is_not_kept(weights, tmp_path):
    crops = pattern_crops(3)
    with torch.no_grad():
        network = load_checkpoint(weights).network
        network.embed.weight.mul_(1e8)  # beyond what half precision can hold
    notes = json.dumps({"architecture": network.architecture.model_dump()})
    tensors = {k: v.contiguous() for k, v in network.state_dict().items() if v.is_floating_point()}
    save_file(tensors, tmp_path / "huge.safetensors", metadata={"reid_model": notes})
    with pytest.raises(BackendError, match="does not compute what"):
        export(
            tmp_path / "huge.safetensors",
            tmp_path / "out",
            kind="onnx",
            precision="fp16",
            crops=crops,
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_the_export_command_says_what_it_made(weights, people, tmp_path, capsys):
    arguments = ["export", "--weights", str(weights), "--out", str(tmp_path / "models")]
    assert main([*arguments, "--format", "openvino", "--data", str(people)]) == 0
    said = capsys.readouterr().err
    assert "random.xml" in said
    assert "36 crops" in said
    assert main([*arguments, "--format", "openvino"]) == 2
    assert "--overwrite" in capsys.readouterr().err


def picture_size(path):
    return cv2.imread(str(path)).shape[:2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "neighbours", "--out", "o.png", "--query", "q.jpg", "--seed", "3"], "at random"),
        (["show", "neighbours", "--out", "o.png", "--query", "q.jpg", "--count", "3"], "at random"),
        (["evaluate", "--mask-weights", "m.safetensors"], "belongs to --mask"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(arguments, told, people, capsys):
    assert main([*arguments, "--data", str(people)]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_neighbours_are_drawn_in_rows(weights, people, tmp_path):
    sizes = []
    for count in (1, 3):
        out = tmp_path / f"{count}.png"
        arguments = ["show", "neighbours", "--data", str(people), *TORCH, str(weights)]
        assert main([*arguments, "--count", str(count), "--closest", "4", "--out", str(out)]) == 0
        sizes.append(picture_size(out))
    assert sizes[1][0] == pytest.approx(3 * sizes[0][0], rel=0.02)
    assert sizes[1][1] == sizes[0][1]


def test_one_query_can_be_named_and_must_be_among_the_images(weights, people, tmp_path, capsys):
    query = sorted(people.iterdir())[0]
    arguments = ["show", "neighbours", "--data", str(people), *TORCH, str(weights)]
    arguments += ["--out", str(tmp_path / "one.png"), "--query"]
    assert main([*arguments, str(query)]) == 0
    assert main([*arguments, str(tmp_path / "else.png")]) == 2
    assert "else.png is not among the 36 images" in capsys.readouterr().err


def test_triplets_are_drawn_with_right_ones_in_green(weights, people, tmp_path):
    csv = tmp_path / "triplets.csv"
    name = "{:04d}_c{}s1_000000_01.png"
    csv.write_text(
        f"Anchor,Negative,Positive\n{name.format(1, 1)},{name.format(2, 1)},{name.format(1, 2)}\n"
    )
    out = tmp_path / "triplets.png"
    arguments = ["show", "triplets", "--csv", str(csv), "--images", str(people), "--out", str(out)]
    assert main([*arguments, *TORCH, str(weights)]) == 0
    embedder = load_embedder(weights, backend="torch")
    crops = [cv2.imread(str(people / name.format(*who))) for who in ((1, 1), (1, 2), (2, 1))]
    anchor, positive, negative = embedder.embed(crops)
    right = np.linalg.norm(anchor - positive) < np.linalg.norm(anchor - negative)
    green, red = np.array([0x37, 0x7F, 0x1A]), np.array([0x28, 0x28, 0xC6])  # BGR
    picture = cv2.imread(str(out))
    assert (picture == (green if right else red)).all(axis=2).sum() > 100
    assert (picture == (red if right else green)).all(axis=2).sum() == 0


def test_curves_need_a_training_run(tmp_path, capsys):
    assert main(["show", "curves", "--run", str(tmp_path), "--out", str(tmp_path / "c.png")]) == 2
    assert "holds no curves.csv" in capsys.readouterr().err
    (tmp_path / "curves.csv").write_text("step,curve,value\n20,loss,2.5\n40,loss,1.5\n40,mAP,0.3\n")
    assert main(["show", "curves", "--run", str(tmp_path), "--out", str(tmp_path / "c.png")]) == 0
    assert picture_size(tmp_path / "c.png")[0] > 300
    assert main(["show", "curves", "--run", str(tmp_path), "--out", str(tmp_path / "c.jpg")]) == 2
    assert "c.jpg is no .png" in capsys.readouterr().err
