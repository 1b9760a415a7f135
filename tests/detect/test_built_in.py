"""The detector in the package: its forms agree, and it finds people."""

import numpy as np
import pandas as pd
import pytest

from pipeline.datatypes import Frame
from pipeline.detect.built_in import BUILT_IN, FOLDER, LARGER, NAME, built_in_detector
from pipeline.detect.loading import load_detector
from pipeline.detect.ultralytics_adapter import UltralyticsDetector
from pipeline.settings import CameraSettings, DetectSettings, SourceSettings
from pipeline.sources import open_source
from support.assets import SAMPLE_VIDEOS
from support.builders import frame

MAX_BYTES = {"built-in": 8_000_000, LARGER: 25_000_000}


@pytest.fixture(scope="module")
def pictures():
    """Frames of the lobby with the people who are clearly on them."""
    table = pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv")
    table = table[(table.camera == "lobby") & (table.visible >= 0.5) & (table.h >= 80)]
    camera = CameraSettings(name="lobby", source=str(SAMPLE_VIDEOS / "lobby.mp4"))
    chosen = []
    for one in open_source(camera, SourceSettings()):
        people = table[table.frame == one.index]
        if one.index % 12 == 0 and len(people):
            edges = np.stack([people.x, people.y, people.x + people.w, people.y + people.h], axis=1)
            chosen.append((one, edges))
    return chosen


def built_in(device="cpu", called=None):
    return load_detector(DetectSettings(weights=called), cameras=["lobby"], device=device)


def through_ultralytics(path):
    return UltralyticsDetector(
        str(path), confidence=0.15, nms_iou=0.6, image_size=640, device="cpu"
    )


def overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def test_a_run_without_a_detector_gets_the_package_s_own():
    assert NAME in built_in().name


@pytest.mark.parametrize("called", [None, "built-in", LARGER])
def test_it_finds_the_people_of_the_sample_videos(called, pictures):
    detector = built_in(called=called)
    hits, wanted = 0, 0
    for one, people in pictures:
        found = detector.detect([one])[0].xyxy
        hits += sum(any(overlap(person, box) > 0.5 for box in found) for person in people)
        wanted += len(people)
    assert wanted > 20
    assert hits > 0.85 * wanted


def test_it_finds_nobody_where_nobody_is():
    assert len(built_in().detect([frame(size=(640, 360), shade=90)])[0].xyxy) == 0


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (320, 320), (57, 33)])
def test_pictures_of_any_shape_go_in(size):
    (found,) = built_in().detect([frame(size=size)])
    assert found.xyxy.shape == (len(found.score), 4)
    assert (found.xyxy <= np.array(size * 2)).all()


@pytest.mark.parametrize("called", BUILT_IN)
def test_ultralytics_finds_the_same(called, pictures):
    expected = built_in(called=called)
    other = through_ultralytics(FOLDER / f"{BUILT_IN[called]}.onnx")
    for one, _ in pictures[:4]:
        sure = expected.detect([one])[0]
        also = other.detect([one])[0]
        for box, score in zip(sure.xyxy, sure.score, strict=True):
            if score > 0.3:  # nearer to the bound, one form may drop what the other keeps
                nearest = max(range(len(also.xyxy)), key=lambda row: overlap(box, also.xyxy[row]))
                assert overlap(box, also.xyxy[nearest]) > 0.9
                assert also.score[nearest] == pytest.approx(score, abs=0.1)


def test_devices_other_than_a_cpu_get_the_checkpoint():
    assert built_in_detector("cuda:0").name == f"{NAME}.safetensors"
    assert built_in_detector("cuda:0", LARGER).name == f"{NAME}_s.safetensors"
    assert built_in_detector("cpu").is_dir()


def test_every_form_is_small():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".safetensors", ".onnx", ".xml", ".bin"}
    larger = [path for path in files if path.stem == BUILT_IN[LARGER]]
    assert {path.suffix for path in larger} == {".safetensors", ".onnx"}
    assert max(path.stat().st_size for path in larger) < MAX_BYTES[LARGER]
    assert max(path.stat().st_size for path in {*files} - {*larger}) < MAX_BYTES["built-in"]


def test_a_frame_s_result_does_not_depend_on_its_company(pictures):
    detector = built_in()
    frames = [one for one, _ in pictures[:3]]
    together = detector.detect(frames)
    for one, found in zip(frames, together, strict=True):
        alone = detector.detect([Frame(one.camera, one.index, one.time_s, one.image)])[0]
        np.testing.assert_array_equal(alone.xyxy, found.xyxy)
