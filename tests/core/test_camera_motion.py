"""How far a camera has turned, from its pictures alone."""

import cv2
import numpy as np
import pytest

from pipeline.camera_motion import CameraMotion
from pipeline.datatypes import Frame

SIZE = (640, 360)


def scenery(seed=0):
    """A large picture with shapes of all sizes."""
    rng = np.random.default_rng(seed)
    grain = rng.uniform(0, 255, (45, 80, 3)).astype(np.float32)
    return np.clip(cv2.resize(grain, (1280, 720), interpolation=cv2.INTER_CUBIC), 0, 255)


def shown(picture, x, y, *, seed=0):
    """What a camera with a noisy sensor sees whose corner is at a point."""
    part = cv2.getRectSubPix(picture, SIZE, (x + SIZE[0] / 2 - 0.5, y + SIZE[1] / 2 - 0.5))
    noise = np.random.default_rng(seed).normal(0, 2, part.shape)
    return np.clip(part + noise, 0, 255).astype(np.uint8)


def shifts(images):
    motion = CameraMotion()
    return np.array([motion.update(Frame("c", 0, 0.0, image)) for image in images])


@pytest.mark.parametrize("speed", [0.5, 5.0, 20.0])  # px a frame
def test_a_pan_is_measured_however_slow_and_far_it_is(speed):
    corners = speed * np.arange(40 if speed < 10 else 25)
    found = shifts([shown(scenery(), x, 100 + x / 4, seed=int(x)) for x in corners])
    assert np.abs(found - np.stack([-corners, -corners / 4], axis=1)).max() < 0.05 * corners[-1]


def test_a_fixed_camera_does_not_move_in_noise_flicker_and_darkness():
    rng = np.random.default_rng(1)
    images = [
        np.clip(shown(scenery(), 50, 50, seed=i) * rng.normal(1, 0.03), 0, 255) for i in range(20)
    ]
    assert not shifts([image.astype(np.uint8) for image in images]).any()
    assert not shifts([(image * 0.01).astype(np.uint8) for image in images]).any()


def test_a_person_who_walks_is_no_motion_of_the_camera():
    wall = np.full((*SIZE[::-1], 3), 200, np.float32)  # there is nothing else to be seen
    person = scenery(2)[:250, :80]
    images = []
    for index in range(20):
        image = wall.copy()
        image[80:330, 10 * index : 10 * index + 80] = person
        images.append(image.astype(np.uint8))
    assert not shifts(images).any()


def test_another_picture_or_size_is_no_motion():
    other = cv2.resize(shown(scenery(3), 0, 0), (320, 240))
    assert not shifts([shown(scenery(), 0, 0), shown(scenery(5), 0, 0), other]).any()
