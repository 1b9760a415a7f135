"""Cutting crops out of pictures, hiding heads in them, making them small."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.crops import blur, cover, cut, cut_blurred, encode_jpeg, head_of, inside, shrunk


def noise(height=100, width=100, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def pixels_of(box, *, size=100):
    """Mask of the pixels that a rectangle touches, one by one."""
    left, top, right, bottom = box
    return np.array(
        [
            [left < x + 1 and x < right and top < y + 1 and y < bottom for x in range(size)]
            for y in range(size)
        ]
    )


@pytest.mark.parametrize("box", [(10, 20, 30, 70), (10.2, 20.9, 30.1, 69.5), (-5, 60, 12, 130)])
def test_a_crop_holds_every_pixel_that_its_box_touches_and_no_other(box):
    image = noise()
    crop = cut(image, np.array(box, np.float32))
    np.testing.assert_array_equal(crop.reshape(-1, 3), image[pixels_of(box)])
    assert crop.base is not None


@pytest.mark.parametrize("box", [(40, 40, 40, 40), (-30, -30, -10, -10), (150, 20, 160, 80)])
def test_a_box_without_pixels_still_gives_a_crop_but_nothing_inside(box):
    image, corners = noise(), np.array(box, np.float32)
    assert cut(image, corners).size
    assert not inside(image, corners).size


@pytest.mark.parametrize(
    "box", [[-50, -50, 20, 20], [90, 90, 200, 200], [30, 30, 30.5, 30.5], [200, 0, 300, 50]]
)
@pytest.mark.parametrize("paint", [blur, cover])
def test_painting_stays_inside_the_box_and_leaves_one_colour(paint, box):
    image = noise()
    before = image.copy()
    paint(image, np.array(box, np.float32))
    touched = pixels_of(box)
    np.testing.assert_array_equal(image[~touched], before[~touched])
    assert len(np.unique(image[touched], axis=0)) == min(1, touched.sum())


def test_all_heads_in_a_crop_are_blurred_and_the_frame_stays_as_it_was():
    image = noise(200, 100)
    before = image.copy()
    boxes = np.array([(20, 20, 60, 120), (45, 60, 85, 160)], np.float32)
    crop = cut_blurred(image, boxes, 0)
    np.testing.assert_array_equal(image, before)
    for box in boxes:
        blur(before, head_of(box))
    # Where a head crosses the edge of the crop, its mean is that of the part inside.
    own = before[20:40, 24:56]
    np.testing.assert_array_equal(crop[:20, 4:36].std(axis=(0, 1)).round(), own.std(axis=(0, 1)))
    np.testing.assert_array_equal(crop[70:], before[90:120, 20:60])


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((80, 40), {"max_height": 100}, (80, 40)),
        ((80, 40), {"max_height": 40}, (40, 20)),
        ((80, 400), {"max_height": 40, "max_width": 100}, (20, 100)),
        ((400, 1), {"max_height": 40}, (40, 1)),
    ],
)
def test_pictures_are_scaled_down_to_fit_and_never_up(size, limits, expected):
    assert shrunk(noise(*size), **limits).shape[:2] == expected


def test_a_jpeg_shows_what_was_encoded():
    plain = np.full((40, 20, 3), (200, 30, 90), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(plain), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded.astype(int) - plain).max() <= 3
