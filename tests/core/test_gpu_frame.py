"""Frames on a GPU, with a tensor in memory in its place: the same for everybody."""

import cv2
import numpy as np
import pytest
import torch

from pipeline.core import Pipeline
from pipeline.crops import cut, with_blurred_heads
from pipeline.datatypes import Frame
from pipeline.detect.built_in import FOLDER, NAME
from pipeline.detect.torch_yolo import TorchYolo
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.gpu_frame import GpuFrame, crop_of, thumbnail_of
from pipeline.match.online import OnlineMatcher
from pipeline.settings import EmbedSettings, MatchSettings, TrackSettings
from pipeline.sources import VideoFile
from pipeline.track.tracker import SingleCameraTracker
from support.assets import SAMPLE_VIDEOS
from support.builders import result

BOX = np.array([10.4, 20.0, 70.0, 90.5], np.float32)


def there(frame):
    return GpuFrame(frame.camera, frame.index, frame.time_s, torch.from_numpy(frame.image.copy()))


def picture(width=320, height=180, seed=0):
    rng = np.random.default_rng(seed)
    grain = rng.integers(0, 256, (height // 4, width // 4, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(grain, (width, height)), np.uint8)


def test_it_is_a_frame_whose_image_is_fetched_once():
    frame = Frame("a", 3, 0.3, picture())
    moved = there(frame)
    assert (moved.camera, moved.index, moved.time_s) == ("a", 3, 0.3)
    assert moved.shape == frame.shape == (180, 320, 3)
    np.testing.assert_array_equal(moved.image, frame.image)
    assert moved.image is moved.image


def test_crops_are_the_pixels_of_the_box_fetched_or_not():
    frame = Frame("a", 0, 0.0, picture())
    expected = cut(frame.image, BOX)
    for fetch in (True, False):
        np.testing.assert_array_equal(crop_of(frame, BOX, fetch=fetch), expected)
    np.testing.assert_array_equal(crop_of(there(frame), BOX, fetch=True), expected)
    left_there = crop_of(there(frame), BOX, fetch=False)
    assert isinstance(left_there, torch.Tensor)
    np.testing.assert_array_equal(left_there.numpy(), expected)


@pytest.mark.parametrize(
    ("size", "most"), [((320, 180), 1.0), ((960, 540), 1.0), ((700, 400), 5.0)]
)
def test_a_thumbnail_is_the_same(size, most):
    """But for areas of no whole pixels, which OpenCV weighs; the pictures are nothing but noise."""
    frame = Frame("a", 0, 0.0, picture(*size))
    expected = thumbnail_of(frame, 160, 90).astype(int)
    assert np.abs(thumbnail_of(there(frame), 160, 90) - expected).mean() < most


def test_heads_are_blurred_in_a_copy():
    plain = result((40, 20, 80, 120), size=(320, 180))
    found = plain.__class__(
        there(Frame("cam", 0, 0.0, picture())), plain.tracks, plain.global_id, plain.quality
    )
    blurred = with_blurred_heads(found)
    assert type(blurred.frame) is Frame
    assert (blurred.frame.image != found.frame.image).any()


@pytest.fixture(scope="module")
def videos():
    """Three seconds of two cameras, merged."""
    frames = [
        frame
        for camera in ("lobby", "corridor")
        for frame in VideoFile(camera, SAMPLE_VIDEOS / f"{camera}.mp4", max_seconds=3.0)
    ]
    return sorted(frames, key=lambda frame: (frame.time_s, frame.camera))


def found_in(frames, embedder):
    """Boxes with their identities, and the vectors of all crops."""
    pipeline = Pipeline(
        detector=TorchYolo(
            FOLDER / f"{NAME}.safetensors",
            confidence=0.15,
            nms_iou=0.6,
            image_size=640,
            device="cpu",
        ),
        trackers={name: SingleCameraTracker(TrackSettings()) for name in ("lobby", "corridor")},
        policy=TrackCropPolicy(EmbedSettings()),
        embedder=embedder,
        matcher=OnlineMatcher(MatchSettings(), threshold=lambda _: 0.35, dim=embedder.dim),
    )
    results = pipeline.step(frames)
    final, _ = pipeline.finish()
    identities = [
        (each.frame.camera, each.frame.index, track, final.global_id(each.frame.camera, track))
        for each in results
        for track in each.tracks.track_id.tolist()
    ]
    vectors = [each.evidence.vectors for each in results if len(each.evidence.vectors)]
    return identities, np.concatenate(vectors)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_people_get_the_same_identities(videos, backend):
    """Torch takes crops from where they are, other runtimes get them fetched."""
    embedder = ReidEmbedder(EmbedSettings(backend=backend), device="cpu")
    assert embedder.takes_gpu_crops == (backend == "torch")
    expected, vectors = found_in(videos, embedder)
    identities, also = found_in([there(frame) for frame in videos], embedder)
    assert len({identity for *_, identity in expected}) > 1
    assert identities == expected
    assert (vectors * also).sum(axis=1).min() > 0.999


def test_masks_are_made_on_the_cpu():
    embedder = ReidEmbedder(EmbedSettings(backend="torch", mask=True), device="cpu")
    assert not embedder.takes_gpu_crops
