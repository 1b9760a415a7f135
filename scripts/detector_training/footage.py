"""Frames of videos, composed scenes and rendered people, with boxes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd

from detector_training.labelled import Image, Labelled
from pipeline.datatypes import Frame
from pipeline.detect.openvino_yolo import OpenVinoYolo
from sample_scene.camera import Camera
from sample_scene.filming import Cast, Film
from sample_scene.world import CAMERAS

LABEL_CONFIDENCE = 0.30
"""Boxes of the teacher from here on are labels."""
MIN_VISIBLE = 0.3
SCENE_SECONDS = 40
SECONDS_BETWEEN = 1.0
"""Between two frames that are taken from a composed scene."""


class Teacher:
    """The stronger detector that labels what nobody labelled.

    Args:
        weights: Folder of a YOLO model in OpenVINO form.
    """

    def __init__(self, weights: Path) -> None:
        self._detector = OpenVinoYolo(
            weights, confidence=LABEL_CONFIDENCE, nms_iou=0.6, image_size=640
        )

    def label(self, images: Iterable[Image]) -> Iterator[Labelled]:
        """Yield every picture with the boxes that the teacher sees."""
        for number, image in enumerate(images):
            frame = Frame(camera="teacher", index=number, time_s=float(number), image=image)
            found = self._detector.detect([frame])[0]
            yield Labelled(image, np.asarray(found.xyxy, np.float32))


def frames_of(video: Path, *, every_s: float, longest: int) -> Iterator[Image]:
    """Yield frames of a video as (H, W, 3) BGR, scaled down to a longer side of at most this."""
    due = 0.0
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is None or frame.time < due:
                continue
            due = frame.time + every_s
            image = frame.to_ndarray(format="bgr24")
            scale = longest / max(image.shape[:2])
            if scale < 1:
                image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            yield np.asarray(image, np.uint8)


def composed(
    tool: Path, crops: Path, folder: Path, *, identities: Sequence[str], seeds: Sequence[int]
) -> Iterator[Labelled]:
    """Yield frames of scenes that the composing tool makes of some identities, with their truth."""
    folder.mkdir(parents=True, exist_ok=True)
    names = folder / "identities.json"
    names.write_text(json.dumps(sorted(identities)))
    for seed in seeds:
        out = folder / f"scene_{seed}"
        command = [tool, "--crops", crops, "--out", out, "--ids", names, "--seed", seed]
        command += ["--seconds", SCENE_SECONDS, "--cams", 3, "--people", 14 + seed % 10]
        subprocess.run([sys.executable, *map(str, command)], check=True)
        truth = pd.read_csv(out / "ground_truth.csv")
        truth = truth[truth["visible"] >= MIN_VISIBLE]
        for camera in sorted(truth["camera"].unique()):
            rows = truth[truth["camera"] == camera]
            yield from with_truth(out / f"{camera}.mp4", rows, every_s=SECONDS_BETWEEN)


def with_truth(video: Path, rows: pd.DataFrame, *, every_s: float) -> Iterator[Labelled]:
    """Yield frames of a video with the boxes of a table ``frame, x, y, w, h``."""
    boxes: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    columns = [rows[name].to_numpy() for name in ("frame", "x", "y", "w", "h")]
    for frame, x, y, w, h in zip(*columns, strict=True):
        boxes[int(frame)].append((x, y, x + w, y + h))
    due = 0.0
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if frame.time is None or frame.time < due:
                continue
            due = frame.time + every_s
            known = np.array(boxes[number], np.float32).reshape(-1, 4)
            yield Labelled(frame.to_ndarray(format="bgr24"), known)


def rendered(count: int, *, seed: int) -> Iterator[Labelled]:
    """Yield pictures of the rendered people from places where no sample camera stands."""
    rng = np.random.default_rng(seed)
    cast = Cast()
    views = max(1, count // 12)
    for view in range(views):
        camera = _another_camera(CAMERAS[view % len(CAMERAS)], rng)
        film = Film(camera, cast, seed=int(rng.integers(1 << 30)))
        for number, time_s in enumerate(rng.uniform(0, 28, 12)):
            picture, sightings = film.frame(number, float(time_s))
            corners = [(*one.box[:2], one.box[0] + one.box[2], one.box[1] + one.box[3])
                       for one in sightings if one.visible >= MIN_VISIBLE]  # fmt: skip
            rows = np.array(corners, np.float32).reshape(-1, 4)
            yield Labelled(np.ascontiguousarray(picture[..., ::-1]), rows)


def _another_camera(camera: Camera, rng: np.random.Generator) -> Camera:
    """Return a camera that looks at the same part of the building from elsewhere."""
    place = np.array(camera.place) + rng.uniform((-2.0, -0.6, -0.9), (2.0, 0.6, 0.6))
    target = np.array(camera.target) + rng.uniform((-1.5, -1.0, -0.3), (1.5, 1.0, 0.5))
    return dataclasses.replace(
        camera,
        place=tuple(float(each) for each in place),
        target=tuple(float(each) for each in target),
        view=float(camera.view * rng.uniform(0.75, 1.25)),
        size=(832, 468),
        balance=tuple(float(each) for each in rng.uniform(0.85, 1.12, 3)),
        grain=float(rng.uniform(1, 6)),
    )
