"""Masks of people: photographs, training, and what masks do to crops."""

import json

import cv2
import numpy as np
import pytest
import torch

from reid_model.cli import main
from reid_model.data.images import read_images
from reid_model.errors import DatasetError, WeightsError
from reid_model.segmentation.changes import BackgroundChange
from reid_model.segmentation.masker import PersonMasker, on_background, without_background
from reid_model.segmentation.network import (
    build_network,
    default_segmenter,
    load_segmenter,
    start_encoder,
)
from reid_model.training.photographs import (
    person_boxes,
    random_crop,
    read_photographs,
    steady_crop,
)
from reid_model.training.segmenter import SegmentRecipe, train_segmenter
from support.people import write_people
from support.random_weights import write_random_weights


def write_photographs(folder, *, count=8):
    """Red figures in front of noise, one of them half as large in its mask's file."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = ["images,masks"]
    for number in range(count):
        rng = np.random.default_rng(number)
        image = rng.integers(0, 140, (120, 90, 3)).astype(np.uint8)
        mask = np.zeros((120, 90), np.uint8)
        left = int(rng.integers(5, 50))
        mask[15:110, left : left + 30] = 255
        image[mask > 0] = (40, 40, 220)
        if number == 0:
            mask = cv2.resize(mask, (45, 60), interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
        rows.append(f"images/{number}.png,masks/{number}.png")
    (folder / "train.csv").write_text("\n".join(rows))
    return folder / "train.csv"


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    return write_photographs(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def trained(csv, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "mask.safetensors"
    recipe = SegmentRecipe(steps=30, batch=4, rate=3e-3, every_steps=30)
    return path, train_segmenter(csv, path, recipe, encoder=None)


def test_a_mask_of_half_the_size_fits_its_photograph(csv):
    photographs = read_photographs(csv)
    assert all(each.mask.shape == each.image.shape[:2] for each in photographs)
    red = photographs[0].image[..., 2] > 180
    assert (red == photographs[0].mask).mean() > 0.97


def test_every_person_has_a_box(csv):
    boxes = person_boxes(read_photographs(csv))
    assert [box.photograph for box in boxes] == list(range(8))
    assert all(box.bottom - box.top == 95 for box in boxes[1:])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("images/9.png,masks/0.png", r"row 2: \S*9\.png does not exist"),
        ("images/1.png,", "row 2: column masks is empty"),
        ("images/1.png,wide.png", "row 2: mask wide.png is 90x30, the image 90x120"),
    ],
)
def test_a_csv_of_photographs_names_the_row_at_fault(csv, row, said):
    cv2.imwrite(str(csv.parent / "wide.png"), np.zeros((30, 90), np.uint8))
    source = csv.parent / "wrong.csv"
    source.write_text(f"images,masks\n{row}\n")
    with pytest.raises(DatasetError, match=said):
        read_photographs(source)


def test_crops_keep_image_and_mask_together(csv):
    photographs = read_photographs(csv)
    rng = np.random.default_rng(0)
    for box in person_boxes(photographs):
        for image, mask in (
            steady_crop(photographs[box.photograph], box, (64, 32)),
            random_crop(photographs[box.photograph], box, (64, 32), rng),
        ):
            assert image.shape == (64, 32, 3)
            assert mask.shape == (64, 32)
            inside, outside = image[mask].mean(axis=0), image[~mask].mean(axis=0)
            assert inside[2] - inside[0] > outside[2] - outside[0] + 30  # red figures


def test_training_finds_figures_that_are_easy_to_see(trained, csv):
    path, best = trained
    assert best.iou > 0.6
    assert best.dice > best.iou
    assert load_segmenter(path).notes["scores"]["iou"] == pytest.approx(best.iou)
    photograph = read_photographs(csv)[3]
    (mask,) = PersonMasker(path).masks([photograph.image])
    both, either = (mask & photograph.mask).sum(), (mask | photograph.mask).sum()
    assert both / either > 0.4


def test_the_mask_of_a_crop_does_not_depend_on_the_others(trained):
    crops = [np.random.default_rng(n).integers(0, 255, (40 + n, 20, 3), np.uint8) for n in range(3)]
    masker = PersonMasker(trained[0])
    for crop, mask in zip(crops, masker.masks(crops), strict=True):
        np.testing.assert_array_equal(masker.masks([crop])[0], mask)
    assert masker.masks([]) == []


def test_the_encoder_starts_from_a_reid_backbone(tmp_path):
    weights = write_random_weights(tmp_path / "random.safetensors")
    assert start_encoder(build_network(), weights) > 300


def test_the_encoder_starts_from_the_packages_masks():
    network = build_network()
    assert start_encoder(network, default_segmenter()) > 300
    shipped = load_segmenter(default_segmenter()).network.state_dict()
    name = "encoder.model.conv_stem.weight"
    torch.testing.assert_close(network.state_dict()[name], shipped[name])


def test_weights_of_another_kind_are_named(tmp_path):
    weights = write_random_weights(tmp_path / "random.safetensors")
    with pytest.raises(WeightsError, match="are not for masks"):
        load_segmenter(weights)
    with pytest.raises(WeightsError, match="do not exist"):
        load_segmenter(tmp_path / "gone.safetensors")


def test_a_background_is_taken_out_unless_there_is_next_to_no_person():
    crop = np.full((10, 10, 3), 200, np.uint8)
    mask = np.zeros((10, 10), bool)
    np.testing.assert_array_equal(without_background(crop, mask), crop)
    mask[2:8, 2:8] = True
    masked = without_background(crop, mask)
    assert (masked[mask] == 200).all()
    assert (masked[~mask] != 200).all()


def test_a_person_is_put_in_front_of_the_other_background():
    crop, other = np.full((20, 10, 3), 200, np.uint8), np.full((40, 20, 3), 30, np.uint8)
    mask, other_mask = np.zeros((20, 10), bool), np.zeros((40, 20), bool)
    mask[5:15, 3:7] = True
    other_mask[10:30, 5:15] = True
    other[other_mask] = 255
    new = on_background(crop, mask, other, other_mask)
    assert (new[mask] == 200).all()
    assert (new[~mask] < 60).all()  # the other person is gone, too


def test_a_new_background_follows_from_the_images_name(trained, tmp_path):
    images = read_images(write_people(tmp_path / "people", size=(64, 32)))
    crops = [cv2.imread(str(image.path)) for image in images]
    change = BackgroundChange(images, mask=False, replace=True, weights=trained[0])
    together = change(images, crops)
    alone = change(images[5:6], crops[5:6])
    np.testing.assert_array_equal(together[5], alone[0])
    assert change.name == "replaced"


def test_the_commands_train_predict_and_evaluate(csv, tmp_path, capsys):
    weights = tmp_path / "mask.safetensors"
    arguments = ["segment", "train", "--csv", str(csv), "--out", str(weights), "--scratch"]
    assert main([*arguments, "--steps", "1", "--batch", "2"]) == 0
    assert "IoU" in capsys.readouterr().err
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    people = write_people(tmp_path / "people")
    out = tmp_path / "masks"
    arguments = ["segment", "predict", "--data", str(people), "--weights", str(weights)]
    assert main([*arguments, "--out", str(out)]) == 0
    masks = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(out.iterdir())]
    assert len(masks) == 36
    assert masks[0].shape == (32, 16)
    assert set(np.unique(masks)) <= {0, 255}
    assert main([*arguments, "--out", str(people)]) == 2
    capsys.readouterr()
    reid = write_random_weights(tmp_path / "random.safetensors")
    report = tmp_path / "scores.json"
    arguments = ["evaluate", "--data", str(people), "--weights", str(reid), "--json", str(report)]
    assert main([*arguments, "--mask", "--new-backgrounds", "--mask-weights", str(weights)]) == 0
    assert json.loads(report.read_text())["background"] == "replaced, masked"
