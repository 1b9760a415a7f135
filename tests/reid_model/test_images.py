"""Lists of images: what is read, and which row is at fault where something is wrong."""

import json

import numpy as np
import pytest

from reid_model.data.augment import Augmentation, augmented
from reid_model.data.batches import BatchSource, IdentityDraw
from reid_model.data.images import read_images
from reid_model.data.pixels import read_pixels
from reid_model.data.split import read_identities, split_by_identity
from reid_model.data.tuples import read_triplets
from reid_model.errors import DatasetError
from support.people import write_people


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), identities=4, cameras=2, shots=2)


def name(identity, camera, shot=0):
    return f"{identity:04d}_c{camera}s1_{shot:06d}_01.png"


def write_csv(path, header, *rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_folder_says_identity_and_camera_by_its_names(people):
    images = read_images(people)
    assert len(images) == 16
    assert {(each.identity, each.camera) for each in images} == {
        (f"{identity:04d}", str(camera)) for identity in range(1, 5) for camera in (1, 2)
    }


def test_a_data_set_may_hold_its_images_in_a_folder_of_that_name(people, tmp_path):
    (tmp_path / "images").symlink_to(people)
    assert len(read_images(tmp_path)) == 16


def test_junk_boxes_and_distractors_are_left_out(tmp_path):
    folder = write_people(tmp_path, identities=1, cameras=1, shots=2)
    (folder / name(1, 1)).rename(folder / "-1_c1s1_000000_00.png")
    (folder / name(1, 1, 1)).rename(folder / "0000_c1s1_000000_00.png")
    with pytest.raises(DatasetError, match="holds no images"):
        read_images(folder)


def test_a_csv_names_image_identity_and_camera(people, tmp_path):
    rows = [f"{people / name(i, c)},person {i},door {c}" for i in (1, 2) for c in (1, 2)]
    images = read_images(write_csv(tmp_path / "list.csv", "image,identity,camera", *rows))
    assert [(each.identity, each.camera) for each in images] == [
        ("person 1", "door 1"),
        ("person 1", "door 2"),
        ("person 2", "door 1"),
        ("person 2", "door 2"),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([f"{name(1, 1)},a,1", "gone.png,a,1"], r"row 3.*gone\.png"),
        ([f"{name(1, 1)},a,1", f"{name(1, 2)},,2"], "row 3: column identity is empty"),
        ([f"{name(1, 1)},a,1", f"{name(1, 1)},a,1"], "row 3"),
        (
            [f"{name(1, 1)},a,1", f"{name(1, 2)},a,1", f"{name(2, 1)},b,1"],
            "row 4: identity b has one image only",
        ),
        ([], "no rows"),
    ],
)
def test_a_csv_names_the_row_at_fault(people, tmp_path, rows, said):
    source = write_csv(tmp_path / "list.csv", "image,identity,camera", *rows)
    with pytest.raises(DatasetError, match=said):
        read_images(source, folder=people)


def test_a_missing_column_is_named(people, tmp_path):
    source = write_csv(tmp_path / "list.csv", "image,person,camera", f"{name(1, 1)},a,1")
    with pytest.raises(DatasetError, match="missing: identity"):
        read_images(source, folder=people)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{name(1, 1)},{name(2, 1)},gone.png", r"row 3: image \S*gone\.png does not exist"),
        (
            f"{name(1, 1)},{name(2, 1)},{name(3, 1)}",
            "row 3: anchor .* is of identity 0001, positive",
        ),
        (f"{name(1, 1)},{name(1, 2)},{name(1, 2, 1)}", "row 3: .* both of identity 0001"),
        (
            f"{name(1, 1)},{name(2, 1)},{name(1, 1)}",
            "row 3: anchor and positive are the same image",
        ),
    ],
)
def test_triplets_name_the_row_at_fault(people, tmp_path, row, said):
    good = f"{name(1, 1)},{name(2, 1)},{name(1, 2)}"
    source = write_csv(tmp_path / "triplets.csv", "Anchor,Negative,Positive", good, row)
    with pytest.raises(DatasetError, match=said):
        read_triplets(source, people)


def test_triplets_are_read_whatever_the_order_of_columns(people, tmp_path):
    source = write_csv(
        tmp_path / "t.csv", "Positive,Anchor,Negative", f"{name(1, 2)},{name(1, 1)},{name(3, 1)}"
    )
    (triplet,) = read_triplets(source, people)
    parts = (triplet.anchor, triplet.positive, triplet.negative)
    assert [each.path.name for each in parts] == [name(1, 1), name(1, 2), name(3, 1)]


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_an_image_that_cannot_be_decoded_is_named(tmp_path, content):
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(DatasetError, match=r"broken\.png cannot be decoded"):
        read_pixels([tmp_path / "broken.png"], (8, 4))


def test_a_split_shares_no_identity_and_depends_on_the_seed_alone():
    names = [f"{number:04d}" for number in range(40)]
    parts = split_by_identity(names, shares=[0.5, 0.25], seed=3)
    assert [len(part) for part in parts] == [20, 10, 10]
    assert frozenset.union(*parts) == set(names)
    assert parts == split_by_identity(reversed(names), shares=[0.5, 0.25], seed=3)
    assert parts != split_by_identity(names, shares=[0.5, 0.25], seed=4)


def test_a_split_that_leaves_a_part_empty_is_refused():
    with pytest.raises(DatasetError, match="would be empty"):
        split_by_identity(["a", "b"], shares=[0.1], seed=0)


def test_listed_identities_match_names_by_value(tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps([2, "0003"]))
    assert read_identities(tmp_path / "ids.json", known=["0002", "0003", "0004"]) == {
        "0002",
        "0003",
    }
    (tmp_path / "ids.json").write_text(json.dumps([9]))
    with pytest.raises(DatasetError, match="9 has no images"):
        read_identities(tmp_path / "ids.json", known=["0002"])


def test_a_batch_holds_p_identities_with_k_images_from_several_cameras(people):
    images = read_images(people)
    draw = IdentityDraw(images, identities=3, per_identity=2, seed=0)
    for step in range(4):
        rows, triplets = draw.rows(step)
        chosen = [images[row] for row in rows]
        assert len({each.identity for each in chosen}) == 3
        for place in range(0, 6, 2):
            pair = chosen[place : place + 2]
            assert pair[0].identity == pair[1].identity
            assert {each.camera for each in pair} == {"1", "2"}
        assert len(triplets) == 0


def test_more_images_than_an_identity_has_are_drawn_again_after_all_were(people):
    images = read_images(people)
    rows, _ = IdentityDraw(images, identities=2, per_identity=6, seed=0).rows(0)
    for own in (rows[:6], rows[6:]):
        assert len(set(own[:4])) == 4
        assert len(set(own)) == 4


def test_an_identity_with_one_image_cannot_be_trained_on(people):
    images = [each for each in read_images(people) if each.identity != "0004"]
    images.append(next(each for each in read_images(people) if each.identity == "0004"))
    with pytest.raises(DatasetError, match="identity 0004 has one image only"):
        IdentityDraw(images, identities=2, per_identity=2, seed=0)


def test_a_step_is_the_same_however_many_came_before(people):
    images = read_images(people)
    pixels = read_pixels((each.path for each in images), (32, 16))
    labels = np.array([int(each.identity) - 1 for each in images])
    draw = IdentityDraw(images, identities=2, per_identity=2, seed=7)
    settings = Augmentation(rotation=0.5, erase=0.5, occlude=0.5, grey=0.2)
    source = BatchSource(pixels, labels, draw, settings, 7, 20)
    late = source[13]
    for step in range(13):
        source[step]
    again = source[13]
    np.testing.assert_array_equal(late.images.numpy(), again.images.numpy())
    np.testing.assert_array_equal(late.labels.numpy(), again.labels.numpy())


CHANGES = {
    "flip": {"flip": 1.0},
    "crop": {"crop": 1.0},
    "rotation": {"rotation": 1.0},
    "colour": {"colour": 1.0},
    "grey": {"grey": 1.0},
    "erase": {"erase": 1.0},
    "occlude": {"occlude": 1.0},
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_alone_changes_a_copy_and_keeps_the_size(change):
    rng = np.random.default_rng(0)
    image, other = rng.integers(0, 256, (2, 64, 32, 3), np.uint8)
    before = image.copy()
    nothing = {"flip": 0.0, "crop": 0.0, "colour": 0.0}
    settings = Augmentation(**(nothing | CHANGES[change]))
    changed = augmented(image, settings, np.random.default_rng(1), other=other)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert (changed != image).any()
    np.testing.assert_array_equal(image, before)
    same = augmented(image, Augmentation(**nothing), np.random.default_rng(1), other=other)
    np.testing.assert_array_equal(same, image)


def test_a_flip_mirrors_and_a_paste_comes_from_the_other_image():
    rng = np.random.default_rng(0)
    image, other = rng.integers(0, 256, (2, 64, 32, 3), np.uint8)
    nothing = {"flip": 0.0, "crop": 0.0, "colour": 0.0}
    flipped = augmented(image, Augmentation(**(nothing | {"flip": 1})), rng, other=other)
    np.testing.assert_array_equal(flipped, image[:, ::-1])
    pasted = augmented(image, Augmentation(**(nothing | {"occlude": 1})), rng, other=other)
    own, foreign = (pasted == image).all(axis=2), (pasted == other).all(axis=2)
    assert (own | foreign).all()
    assert 0.02 < 1 - own.mean() < 0.3
