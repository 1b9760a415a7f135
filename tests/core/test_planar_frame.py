"""Frames as decoders leave them: what is made of their planes is what is made of the whole picture."""

import av
import cv2
import numpy as np
import pytest

from pipeline.camera_motion import small_grey
from pipeline.datatypes import Frame
from pipeline.planar_frame import PlanarFrame, planes_of, scaled_of


def decoded(image, **options):
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", **options)


def picture(width=320, height=180):
    """Smooth, as colour has half the resolution in what is decoded."""
    grain = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3))
    return cv2.resize(grain.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def frames():
    """The same picture in planes and in BGR."""
    image = picture()
    return PlanarFrame("a", 3, 0.3, planes_of(decoded(image))), Frame("a", 3, 0.3, image)


def test_its_image_is_made_once_and_says_what_the_picture_does(frames):
    planar, whole = frames
    assert (planar.camera, planar.index, planar.time_s) == ("a", 3, 0.3)
    assert planar.shape == whole.shape == planar.image.shape
    assert planar.image is planar.image
    assert planar.image.flags.writeable
    assert np.abs(planar.image.astype(int) - whole.image).mean() < 3


@pytest.mark.parametrize("size", [(320, 180), (160, 90), (640, 360), (213, 121)])
def test_scaled_it_is_the_scaled_picture(frames, size):
    planar, whole = (scaled_of(frame, size).astype(int) for frame in frames)
    assert planar.shape == whole.shape == (size[1], size[0], 3)
    assert np.abs(planar - whole).mean() < 4  # colour at half the size


def test_grey_values_are_those_of_the_picture_and_made_once(frames):
    planar, whole = (small_grey(frame) for frame in frames)
    assert planar.shape == whole.shape == (90, 160)
    assert np.abs(planar - whole).mean() < 3
    assert small_grey(frames[0]) is planar


@pytest.mark.parametrize("width", [64, 90, 962])  # decoders pad rows
def test_rows_are_as_long_as_the_picture_is_wide(width):
    image = picture(width, 60)
    frame = PlanarFrame("a", 0, 0.0, planes_of(decoded(image)))
    assert np.abs(frame.image.astype(int) - image).mean() < 4


def test_other_forms_and_colours_have_no_planes_here():
    image = picture(64, 48)
    plain = av.VideoFrame.from_ndarray(image, format="bgr24")
    full, modern = decoded(image), decoded(image)
    full.color_range, modern.colorspace = 2, 1
    odd = decoded(image[:47, :63].copy())
    others = [plain, plain.reformat(format="yuv444p"), full, modern, odd]
    assert [planes_of(each) for each in others] == [None] * 5
