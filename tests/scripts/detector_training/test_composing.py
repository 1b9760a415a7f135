"""Scenes for the detector: boxes lie on people, seeds repeat."""

import numpy as np
import torch

from support.detector_material import SKIN, TEACHER


def test_the_same_seed_composes_the_same_scene(material):
    from detector_training.composition import compose

    one, other = (compose(material, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.boxes, other.boxes)


def test_boxes_lie_within_the_picture_and_are_not_empty(material):
    from detector_training.composition import compose

    seen = 0
    for seed in range(40):
        scene = compose(material, np.random.default_rng(seed))
        height, width = scene.image.shape[:2]
        assert (scene.boxes >= 0).all()
        assert (scene.boxes <= [width, height, width, height]).all()
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        seen += len(scene.boxes)
    assert seen > 40


def test_a_pool_comes_back_as_it_was_written(pools):
    from detector_training.labelled import is_finished, read_pool, write_pool

    assert all(is_finished(folder) for folder in pools.iterdir())
    stored = read_pool(pools / "composed")
    assert len(stored) == 4
    assert all(path.is_file() for path, _ in stored)
    assert write_pool(pools / "nothing", []) == 0
    assert read_pool(pools / "nothing") == []


def test_boxes_follow_the_piece_that_is_cut():
    from detector_training.batches import cut
    from detector_training.labelled import Labelled

    image = np.full((400, 700, 3), 60, np.uint8)
    image[100:300, 200:280] = SKIN
    picture = Labelled(image, np.array([[200, 100, 280, 300]], np.float32))
    seen = 0
    for seed in range(60):
        piece = cut(picture, (320, 320), (0.5, 1.2), np.random.default_rng(seed))
        assert piece.image.shape == (320, 320, 3)
        for left, top, right, bottom in piece.boxes:
            painted = np.abs(piece.image.astype(int) - SKIN).max(axis=2) < 40
            rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
            edges = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            np.testing.assert_allclose(edges, (left, top, right, bottom), atol=3)
            seen += 1
    assert seen > 30


def test_a_step_has_the_same_batch_every_time(pools):
    from detector_training.batches import Pieces

    sizes = [(64, 64, 3)] * 4
    whole = list(Pieces(pools, sizes=sizes, first=0, seed=1, teacher=TEACHER))
    later = list(Pieces(pools, sizes=sizes, first=2, seed=1, teacher=TEACHER))
    assert len(whole) == 4
    for one, other in zip(whole[2:], later, strict=True):
        torch.testing.assert_close(one["img"], other["img"])
        torch.testing.assert_close(one["bboxes"], other["bboxes"])
        torch.testing.assert_close(one["taught"], other["taught"])
        torch.testing.assert_close(one["map2"], other["map2"])


def test_people_who_are_half_hidden_have_the_box_of_what_is_seen(material):
    from detector_training import composition

    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:9] = mask[15:30, 20:33] = True
    np.testing.assert_array_equal(composition._extent(mask), [5, 10, 33, 30])
