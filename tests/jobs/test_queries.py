"""Whom a picture shows: the whole of a crop, one box of a photograph."""

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.detect.loading import load_detector
from pipeline.jobs.queries import person_on
from pipeline.settings import DetectSettings
from support.assets import SAMPLE_VIDEOS
from support.fakes import FakeDetector

FRAME = 100


@pytest.fixture(scope="module")
def finder():
    return load_detector(DetectSettings(), cameras=["query"], device="cpu")


@pytest.fixture(scope="module")
def people():
    """A frame of every sample video, with the boxes of people who stand free in it."""
    table = pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv")
    table = table[(table["frame"] == FRAME) & (table["visible"] > 0.95) & (table["h"] > 100)]
    found = []
    for camera, rows in table.groupby("camera"):
        video = cv2.VideoCapture(str(SAMPLE_VIDEOS / f"{camera}.mp4"))
        video.set(cv2.CAP_PROP_POS_FRAMES, FRAME)
        image = video.read()[1]
        for x, y, w, h in rows[["x", "y", "w", "h"]].to_numpy().round().astype(int).tolist():
            found.append((image, (x, y, x + w, y + h)))
    assert len(found) >= 3
    return found


@pytest.mark.parametrize("scale", [0.5, 1, 3])
def test_a_crop_is_taken_whole(people, finder, scale):
    for image, (left, top, right, bottom) in people:
        crop = cv2.resize(image[top:bottom, left:right], None, fx=scale, fy=scale)
        assert person_on(crop, "crop", finder) is crop


def test_of_a_tall_photograph_the_person_is_taken(people, finder):
    tried = 0
    for image, (left, top, right, bottom) in people:
        height, width = bottom - top, right - left
        photograph = image[
            max(top - height // 3, 0) : bottom + height // 3,
            max(left - width // 2, 0) : right + width // 2,
        ]
        if len(photograph) < 1.2 * photograph.shape[1]:
            continue
        crop = person_on(photograph, "photograph", finder)
        assert crop.shape[:2] == pytest.approx((height, width), rel=0.25)
        tried += 1
    assert tried


def test_the_detector_sees_pictures_of_one_shape_alone(people):
    """Every other shape would cost it a second and 30 MB."""
    seen = set()

    class Finder(FakeDetector):
        def detect(self, frames):
            seen.update(each.image.shape[1] / each.image.shape[0] for each in frames)
            return super().detect(frames)

    finder = Finder()
    for width in range(60, 300, 40):
        person_on(np.full((200, width, 3), 90, np.uint8), "crop", finder)
    assert seen == {1.0}
