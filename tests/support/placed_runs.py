"""Runs over the sample videos with true boxes, with cameras calibrated or not."""

from __future__ import annotations

import yaml

import pipeline
from support.assets import SAMPLE_VIDEOS
from support.plugin_package.reid_own_parts import MeanColour

__all__ = ["finished"]


def camera_list(folder, *, calibrated):
    cameras = yaml.safe_load((SAMPLE_VIDEOS / "cameras.yaml").read_text())["cameras"][1:]
    for camera in cameras:
        camera["source"] = str(SAMPLE_VIDEOS / camera["source"])
        if camera["name"] not in calibrated:
            del camera["floor_points"]
    path = folder / "cams.yaml"
    path.write_text(yaml.safe_dump({"cameras": cameras}))
    return path


def finished(folder, *, calibrated=(), **match):
    folder.mkdir()
    return pipeline.run(
        camera_list(folder, calibrated=calibrated),
        out=folder / "run",
        embedder=MeanColour(),
        video=False,
        settings={
            "detect": {"detections": str(SAMPLE_VIDEOS / "ground_truth.csv")},
            "source": {"max_seconds": 3},
            "match": {"threshold": 0.9, "min_duration_s": 0, **match},
        },
    )
