"""The best crops of every identity."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.datatypes import Identities, Identity
from pipeline.sinks.gallery import CROPS_PER_TRACK, Gallery
from support.builders import result

BOX = (10.0, 5.0, 30.0, 45.0)


def seen(camera, index, track, quality):
    return replace(
        result(BOX, camera=camera, index=index, ids=[track]),
        quality=np.array([quality], np.float32),
    )


def finish(gallery, **people):
    """Give each track of ``camera_track`` its identity."""
    by_track = {}
    for key, person in people.items():
        camera, track = key.rsplit("_", 1)
        by_track[camera, int(track)] = Identity(person, 1.0, 0.0, 1.0, 5)
    gallery.finish(Identities(by_track), [])


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))


def test_crops_lie_in_a_folder_for_each_identity(tmp_path):
    gallery = Gallery(tmp_path, crops=6)
    gallery.write(seen("a", 10, 1, 0.5))
    gallery.write(seen("b", 20, 1, 0.5))
    finish(gallery, a_1=1, b_1=12)
    assert names(tmp_path) == ["gallery/0001/a_t1_1000ms.jpg", "gallery/0012/b_t1_2000ms.jpg"]
    crop = cv2.imread(str(tmp_path / "gallery/0001/a_t1_1000ms.jpg"))
    assert crop.shape == (40, 20, 3)


def test_the_best_crops_of_a_track_win_and_neighbours_in_time_count_once(tmp_path):
    gallery = Gallery(tmp_path, crops=2)
    for index, quality in [(0, 0.2), (1, 0.9), (2, 0.3), (20, 0.8), (40, 0.1)]:
        gallery.write(seen("a", index, 1, quality))
    finish(gallery, a_1=1)
    assert names(tmp_path) == ["gallery/0001/a_t1_100ms.jpg", "gallery/0001/a_t1_2000ms.jpg"]


def test_every_camera_is_shown_before_a_better_crop_of_one_of_them(tmp_path):
    gallery = Gallery(tmp_path, crops=2)
    gallery.write(seen("a", 0, 1, 0.9))
    gallery.write(seen("a", 20, 1, 0.8))
    gallery.write(seen("b", 40, 1, 0.3))
    finish(gallery, a_1=1, b_1=1)
    assert names(tmp_path) == ["gallery/0001/a_t1_0ms.jpg", "gallery/0001/b_t1_4000ms.jpg"]


def test_tracks_without_identity_have_no_place(tmp_path):
    gallery = Gallery(tmp_path, crops=2)
    gallery.write(seen("a", 0, 1, 0.9))
    finish(gallery, a_1=-1)
    assert names(tmp_path) == []


def test_memory_does_not_grow_with_the_length_of_a_track(tmp_path):
    gallery = Gallery(tmp_path, crops=6)
    for index in range(500):
        gallery.write(seen("a", index, 1, (index * 37 % 100) / 100))
    assert len(gallery._candidates["a", 1]) == CROPS_PER_TRACK


@pytest.mark.parametrize("boxes", [0, 1])
def test_zero_crops_write_nothing(tmp_path, boxes):
    gallery = Gallery(tmp_path, crops=0)
    gallery.write(result(*[BOX] * boxes))
    finish(gallery, cam_1=1)
    assert list(tmp_path.iterdir()) == []
