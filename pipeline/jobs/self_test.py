"""The built-in networks and the video codec on a rendered picture that the package brings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.crops import cut
from pipeline.datatypes import Frame, Image
from pipeline.detect.loading import load_detector
from pipeline.embed.loading import load_embedder
from pipeline.errors import RunError
from pipeline.settings import DetectSettings, EmbedSettings
from pipeline.sinks.h264 import H264File

__all__ = ["try_networks", "try_video"]

PICTURE = Path(__file__).with_name("self_test.jpg")
PEOPLE = 4
"""Who is in the picture, in full view."""
FRAMES = 10


def try_networks() -> str:
    """Find and recognise the people of the picture, and return what was found.

    Raises:
        RunError: Others were found, or somebody's mirror image is more like somebody else.
    """
    image = _picture()
    detector = load_detector(DetectSettings(confidence=0.5), cameras=["test"], device="cpu")
    boxes = detector.detect([Frame("test", 0, 0.0, image)])[0].xyxy
    if len(boxes) != PEOPLE:
        raise RunError(f"the detector found {len(boxes)} of {PEOPLE} people in a rendered picture")
    crops = [cut(image, box) for box in boxes]
    embedder = load_embedder(EmbedSettings(), device="cpu")
    vectors = embedder.embed(crops)
    mirrored = embedder.embed([np.ascontiguousarray(each[:, ::-1]) for each in crops])
    if list((vectors @ mirrored.T).argmax(axis=1)) != list(range(PEOPLE)):
        raise RunError("the embedder does not recognise people in their mirror images")
    return f"{PEOPLE} of {PEOPLE} people found and told apart"


def try_video() -> str:
    """Write a clip and read it again.

    Raises:
        RunError: Other frames came back.
    """
    image = _picture()
    height, width = image.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        clip = H264File(str(path), (width, height), muxer={}, encoder={}, threads=1)
        for index in range(FRAMES):
            clip.write(image, index / FRAMES)
        clip.finish()
        with av.open(str(path)) as stored:
            frames = [each.to_ndarray(format="bgr24") for each in stored.decode(video=0)]
    if [each.shape for each in frames] != [image.shape] * FRAMES:
        raise RunError(f"{len(frames)} of {FRAMES} frames came back")
    return f"written by libx264 and read again: {FRAMES} frames"


def _picture() -> Image:
    image = cv2.imread(str(PICTURE))
    if image is None:
        raise RunError(f"{PICTURE} cannot be read")
    return np.asarray(image, np.uint8)
