"""The committed clips and their ground truth belong together."""

import av
import numpy as np
import pandas as pd
import pytest

from pipeline.datatypes import Frame
from pipeline.sources import resolve_cameras
from support.assets import SAMPLE_VIDEOS, SHARED, needs_shared

YOLOV8N = SHARED / "models" / "yolov8n_int8_openvino_model"
CAMERAS = ("corridor", "entrance", "lobby")
STRIDE = 10
"""The detector looks at one frame a second, a different one in each camera."""


@pytest.fixture(scope="module")
def truth():
    return pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv")


def clip(camera):
    return SAMPLE_VIDEOS / f"{camera}.mp4"


def test_there_is_one_clip_for_each_camera_of_the_table(truth):
    assert sorted(truth.camera.unique()) == sorted(CAMERAS)
    assert sorted(path.stem for path in SAMPLE_VIDEOS.glob("*.mp4")) == sorted(CAMERAS)


def test_the_camera_list_names_every_clip():
    cameras = resolve_cameras([str(SAMPLE_VIDEOS / "cameras.yaml")])
    assert {one.name: one.source for one in cameras} == {name: str(clip(name)) for name in CAMERAS}


def test_the_clips_are_small_enough_to_commit():
    assert sum(clip(camera).stat().st_size for camera in CAMERAS) < 12e6


@pytest.mark.parametrize("camera", CAMERAS)
def test_frames_and_times_of_the_table_are_those_of_the_clip(truth, camera):
    with av.open(str(clip(camera))) as container:
        (stream,) = container.streams.video
        times = [packet.pts * packet.time_base for packet in container.demux(stream) if packet.size]
    times = np.array(sorted(float(time) for time in times))
    times -= times[0]
    rows = truth[truth.camera == camera]
    assert rows.frame.min() >= 0
    assert rows.frame.max() < len(times)
    assert len(times) >= 200
    np.testing.assert_allclose(rows.time_s, times[rows.frame], atol=1e-3)


@pytest.mark.parametrize("camera", CAMERAS)
def test_boxes_lie_in_the_picture(truth, camera):
    with av.open(str(clip(camera))) as container:
        size = container.streams.video[0].codec_context
        width, height = size.width, size.height
    rows = truth[truth.camera == camera]
    assert (width, height) == (960, 540)
    assert (rows[["x", "y"]] >= 0).all().all()
    assert (rows[["w", "h"]] > 0).all().all()
    assert (rows.x + rows.w <= width + 0.05).all()
    assert (rows.y + rows.h <= height + 0.05).all()
    assert rows.visible.between(0.02, 1).all()


def test_nobody_is_twice_in_one_frame(truth):
    assert not truth.duplicated(["camera", "frame", "identity"]).any()


def test_everyone_is_seen_well_in_at_least_two_cameras(truth):
    seen = truth[(truth.visible >= 0.5) & (truth.h >= 80)]
    cameras = seen.groupby("identity").camera.nunique()
    assert len(cameras) >= 6
    assert (cameras >= 2).all(), cameras.to_dict()


def test_people_overlap_in_time_and_hide_one_another(truth):
    together = truth.groupby(["camera", "frame"]).size()
    assert together.max() >= 3
    assert ((truth.visible < 0.5) & (truth.h >= 80)).sum() > 50


def overlaps(one, other):
    """Intersection over union of (N, 4) and (M, 4) corner boxes, the obvious way."""
    table = np.zeros((len(one), len(other)))
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            wide = min(a[2], b[2]) - max(a[0], b[0])
            tall = min(a[3], b[3]) - max(a[1], b[1])
            if wide > 0 and tall > 0:
                both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
                table[i, j] = wide * tall / (both - wide * tall)
    return table


def frames_of(camera, offset):
    with av.open(str(clip(camera))) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index % STRIDE == offset:
                yield Frame(camera, index, index / 10, picture.to_ndarray(format="bgr24"))


@needs_shared
def test_a_detector_trained_on_photographs_finds_the_people(truth):
    from pipeline.detect.openvino_yolo import OpenVinoYolo

    detector = OpenVinoYolo(YOLOV8N, confidence=0.25, nms_iou=0.6, image_size=640)
    found = wanted = wrong = total = 0
    for number, camera in enumerate(CAMERAS):
        for frame in frames_of(camera, offset=3 * number):
            (detections,) = detector.detect([frame])
            rows = truth[(truth.camera == camera) & (truth.frame == frame.index)]
            boxes = np.c_[rows.x, rows.y, rows.x + rows.w, rows.y + rows.h]
            table = overlaps(boxes, detections.xyxy)
            clear = ((rows.visible >= 0.5) & (rows.h >= 80)).to_numpy()
            wanted += int(clear.sum())
            total += len(detections)
            if len(detections):
                found += int((table.max(1, initial=0)[clear] >= 0.5).sum())
                wrong += int((table.max(0, initial=0) < 0.3).sum())
    assert wanted > 100
    assert found >= 0.8 * wanted, f"{found} of {wanted} people found"
    assert wrong <= 0.1 * total, f"{wrong} of {total} detections are of nobody"
