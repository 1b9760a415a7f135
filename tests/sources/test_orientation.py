from __future__ import annotations

import itertools

import numpy as np
import pytest

from pipeline.sources.orientation import shown_size, upright

ORIENTATIONS = [(a, 0, 0, d) for a, d in itertools.product((1, -1), repeat=2)] + [
    (0, b, c, 0) for b, c in itertools.product((1, -1), repeat=2)
]


def move_every_pixel(image, matrix):
    """What the matrix says, pixel by pixel: (x, y) is shown at (a x + c y, b x + d y)."""
    a, b, c, d = matrix
    height, width = image.shape[:2]
    shown = {
        (a * x + c * y, b * x + d * y): image[y, x] for y in range(height) for x in range(width)
    }
    left, top = min(x for x, _ in shown), min(y for _, y in shown)
    right, bottom = max(x for x, _ in shown), max(y for _, y in shown)
    return np.array(
        [[shown[x, y] for x in range(left, right + 1)] for y in range(top, bottom + 1)], np.uint8
    )


@pytest.mark.parametrize("matrix", ORIENTATIONS, ids=str)
@pytest.mark.parametrize("size", [(4, 3), (1, 1), (5, 1)], ids=str)
def test_pictures_are_turned_like_pixel_by_pixel(matrix, size):
    width, height = size
    image = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    scaled = tuple(65536 * part for part in matrix)

    shown = upright(image, scaled)

    assert np.array_equal(shown, move_every_pixel(image, matrix))
    assert (shown.shape[1], shown.shape[0]) == shown_size(width, height, scaled)
    assert shown.flags.c_contiguous


def test_a_turn_of_93_degrees_counts_as_a_quarter():
    angle = np.radians(93)
    slanted = tuple(
        round(65536 * part)
        for part in (np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle))
    )
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    assert np.array_equal(upright(image, slanted), upright(image, (0, 1, -1, 0)))


def test_without_a_matrix_the_picture_is_left_alone():
    image = np.zeros((3, 4, 3), np.uint8)
    assert upright(image, None) is image
