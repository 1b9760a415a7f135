"""Fitting images into a detector's input and mapping boxes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.letterbox import Letterbox

SIZES = st.tuples(st.integers(16, 2000), st.integers(16, 2000))


@given(SIZES, st.sampled_from([(640, 640), (384, 640), (416, 416)]))
def test_boxes_survive_the_way_into_the_input_and_back(size, target):
    box = Letterbox.fit((*size, 3), target)
    height, width = size
    boxes = np.array([[0, 0, width, height], [width / 4, height / 3, width / 2, height / 2]])
    into = boxes * box.scale + [box.left, box.top, box.left, box.top]
    np.testing.assert_allclose(box.to_image(into.astype(np.float32), (*size, 3)), boxes, atol=0.05)


@given(SIZES)
def test_the_image_lies_inside_the_input(size):
    box = Letterbox.fit((*size, 3), (384, 640))
    width, height = box.resized
    assert 0 <= box.left <= box.left + width <= 640
    assert 0 <= box.top <= box.top + height <= 384
    assert width == 640 or height == 384


def test_padding_is_grey_and_the_picture_is_in_the_middle():
    image = np.full((100, 200, 3), 255, np.uint8)
    fitted = Letterbox.fit(image.shape, (200, 200)).apply(image)
    assert fitted.shape == (200, 200, 3)
    assert (fitted[:50] == 114).all()
    assert (fitted[50:150] == 255).all()
    assert (fitted[150:] == 114).all()


def test_boxes_outside_the_picture_are_clipped_to_it():
    box = Letterbox.fit((100, 200, 3), (200, 200))
    clipped = box.to_image(np.array([[-50, -50, 500, 500]], np.float32), (100, 200, 3))
    assert clipped.tolist() == [[0, 0, 200, 100]]


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((1080, 1920), (384, 640)),
        ((540, 960), (384, 640)),
        ((641, 359), (640, 384)),
        ((1, 4000), (32, 640)),
    ],
)
def test_the_tight_target_is_the_least_number_of_whole_strides(size, target):
    assert Letterbox.tight_target((*size, 3), 640, 32) == target
