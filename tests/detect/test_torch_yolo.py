"""The detector in torch: it finds what the form for CPUs finds, whatever frames come together."""

import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.datatypes import Frame
from pipeline.detect import torch_yolo
from pipeline.detect.built_in import BUILT_IN, FOLDER, LARGER, NAME
from pipeline.detect.loading import load_detector
from pipeline.detect.torch_yolo import TorchYolo
from pipeline.detect.yolov8 import Yolov8
from pipeline.errors import ModelError
from pipeline.gpu_frame import GpuFrame
from pipeline.settings import DetectSettings
from pipeline.sources import VideoFile
from support.assets import SAMPLE_VIDEOS
from support.builders import frame

WEIGHTS = FOLDER / f"{NAME}.safetensors"


def detector(weights=WEIGHTS):
    return TorchYolo(weights, confidence=0.15, nms_iou=0.6, image_size=640, device="cpu")


@pytest.fixture(scope="module")
def frames():
    return list(VideoFile("lobby", SAMPLE_VIDEOS / "lobby.mp4", max_seconds=4.0))[::10]


@pytest.fixture(scope="module")
def found(frames):
    return detector().detect(frames)


def cropped(one, width, height):
    return Frame(one.camera, one.index, one.time_s, one.image[:height, :width].copy())


@pytest.mark.parametrize(("called", "apart_px"), [("built-in", 1.5), (LARGER, 4)])
def test_it_finds_what_the_form_for_cpus_finds(called, apart_px, frames):
    settings = DetectSettings(weights=called)
    expected = load_detector(settings, cameras=["lobby"], device="cpu").detect(frames)
    assert sum(map(len, expected)) > 5
    found = detector(FOLDER / f"{BUILT_IN[called]}.safetensors").detect(frames)
    for ours, theirs in zip(found, expected, strict=True):
        sure = theirs.score > 0.2  # nearer to the bound, one may drop what the other keeps
        assert sure.sum() <= len(ours) <= len(theirs) + 1
        # A CPU that can computes in bfloat16, which has three digits.
        np.testing.assert_allclose(ours.xyxy[: sure.sum()], theirs.xyxy[sure], atol=apart_px)
        np.testing.assert_allclose(ours.score[: sure.sum()], theirs.score[sure], atol=0.02)


def test_it_is_what_weights_of_this_training_run_on():
    settings = DetectSettings(weights=str(WEIGHTS))
    assert "torch, cpu, fp32" in load_detector(settings, cameras=["c"], device="cpu").name


def test_frames_on_the_device_give_the_same(frames, found):
    there = [
        GpuFrame(each.camera, each.index, each.time_s, torch.from_numpy(each.image))
        for each in frames
    ]
    for ours, expected in zip(detector().detect(there), found, strict=True):
        np.testing.assert_array_equal(ours.xyxy, expected.xyxy)
        np.testing.assert_array_equal(ours.score, expected.score)


def test_sizes_may_be_mixed_and_there_may_be_no_frame(frames):
    ours = detector()
    assert ours.detect([]) == []
    mixed = [frames[3], cropped(frames[3], 400, 540), frame(size=(57, 33)), frames[2]]
    together = ours.detect(mixed)
    for one, expected in zip(mixed, together, strict=True):
        (alone,) = ours.detect([one])
        assert len(alone) == len(expected)
        np.testing.assert_allclose(alone.xyxy, expected.xyxy, atol=0.1)
    assert len(together[2]) == 0


def test_read_only_pictures_are_taken(frames, found):
    image = frames[-1].image.copy()
    image.flags.writeable = False
    (ours,) = detector().detect([Frame("c", 0, 0.0, image)])
    np.testing.assert_allclose(ours.xyxy, found[-1].xyxy, atol=0.1)


class _Cramped:
    """The network on a card whose memory does for two frames."""

    def __init__(self, *args, **options):
        self._network = Yolov8(*args, **options)
        self.batches = []

    def __call__(self, images):
        self.batches.append(len(images))
        if len(images) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self._network(images)


def test_where_memory_is_short_fewer_frames_are_taken_at_once(frames, found, monkeypatch, caplog):
    monkeypatch.setattr(torch_yolo, "Yolov8", _Cramped)
    ours = detector()
    with caplog.at_level(logging.WARNING):
        again = [ours.detect(frames), ours.detect(frames)]
    for results in again:
        assert [len(each) for each in results] == [len(each) for each in found]
    assert len(caplog.records) == 1
    assert ours._network.batches[-2:] == [2, 2]


def test_one_frame_that_is_too_much_is_an_error(monkeypatch):
    class Full(_Cramped):
        def __call__(self, images):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch_yolo, "Yolov8", Full)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        detector().detect([frame()])


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(WEIGHTS.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"damaged\.safetensors cannot be loaded"):
        detector(path)


def changed(tmp_path, change):
    state = load_file(WEIGHTS)
    change(state)
    save_file(state, tmp_path / "other.safetensors")
    return tmp_path / "other.safetensors"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.clear() or state.update(weight=torch.zeros(3)), "is no YOLOv8"),
        (lambda state: state.pop("model.9.cv1.conv.weight"), "no YOLOv8 .*9.cv1"),
        (
            lambda state: state.update({"model.0.conv.weight": torch.zeros(16, 4, 3, 3)}),
            "is no YOLOv8",
        ),
        (
            lambda state: state.update(
                {"model.5.conv.weight": torch.full((128, 64, 3, 3), torch.nan)}
            ),
            "damaged",
        ),
    ],
    ids=["another network", "a layer is missing", "another shape", "no numbers"],
)
def test_other_weights_are_refused_in_one_line(tmp_path, change, reason):
    with pytest.raises(ModelError, match=reason) as caught:
        detector(changed(tmp_path, change))
    assert "\n" not in str(caught.value)
