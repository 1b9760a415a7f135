"""Runs over the sample videos with true boxes, with cameras calibrated or not."""

from __future__ import annotations

import yaml

import pipeline
from support.assets import SAMPLE_VIDEOS
from support.plugin_package.reid_own_parts import MeanColour

__all__ = ["finished"]


def camera_list(folder, *, calibrated, unit=1.0):
    cameras = yaml.safe_load((SAMPLE_VIDEOS / "cameras.yaml").read_text())["cameras"][1:]
    for camera in cameras:
        camera["source"] = str(SAMPLE_VIDEOS / camera["source"])
        if camera["name"] not in calibrated:
            del camera["floor_points"]
            continue
        camera["floor_points"] = [
            [u, v, x * unit, y * unit] for u, v, x, y in camera["floor_points"]
        ]
    path = folder / "cams.yaml"
    path.write_text(yaml.safe_dump({"cameras": cameras}))
    return path


def finished(folder, *, calibrated=(), unit=1.0, seconds=3, **match):
    folder.mkdir()
    return pipeline.run(
        camera_list(folder, calibrated=calibrated, unit=unit),
        out=folder / "run",
        embedder=MeanColour(),
        video=False,
        settings={
            "detect": {"detections": str(SAMPLE_VIDEOS / "ground_truth.csv")},
            "source": {"max_seconds": seconds},
            "match": {"threshold": 0.9, "min_duration_s": 0} | match,
        },
    )
