"""MultiviewX as a scene of this repository: a clip a camera, a calibrated camera list, true boxes and places.

Source: Hou, Zheng, Gould, "Multiview Detection with Feature Perspective Transformation" (2020): two frames
a second, a grid of 1000 x 640 cells of 2.5 cm, positions numbered along x first.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import yaml
from recorded_scenes import Scene

from pipeline.boxes import ious
from pipeline.datatypes import FloatArray
from pipeline.embed.reid import ReidEmbedder
from pipeline.foreign import read_picture

__all__ = ["as_scene", "dress"]

RATE = Fraction(2)
CAMERAS = 6
CELLS, CELL_M = 1000, 0.025
MAX_CROPS = 6
"""Crops of a person in a camera that its boxes show by turns."""
QUALITY = "12"


def as_scene(source: Path, folder: Path) -> Path:
    """Convert the data set into a folder of clips and return it; what is there already stays.

    Args:
        source: ``Image_subsets``, ``annotations_positions`` and ``calibrations``.
        folder: Gets ``C1.mp4`` and so on, ``cameras.yaml``, ``ground_truth.csv``, ``places.csv``.
    """
    if (folder / "places.csv").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    moments = sorted((source / "annotations_positions").glob("*.json"))
    cameras, boxes, places = [], [], []
    for number in range(1, CAMERAS + 1):
        name = f"C{number}"
        _encode(sorted((source / "Image_subsets" / name).glob("*.jpg")), folder / f"{name}.mp4")
        files = [
            str((source / "calibrations" / kind / f"{kind[:4]}_Camera{number}.xml").resolve())
            for kind in ("intrinsic", "extrinsic")
        ]
        cameras.append({"name": name, "source": f"{name}.mp4", "calibration": {"files": files}})
    for frame, moment in enumerate(moments):
        time_s = float(frame / RATE)
        for person in json.loads(moment.read_text()):
            identity, position = person["personID"] + 1, person["positionID"]
            places.append((time_s, identity, position % CELLS * CELL_M, position // CELLS * CELL_M))
            for view in person["views"]:
                if view["xmin"] < 0:
                    continue
                x, y = view["xmin"], view["ymin"]
                size = view["xmax"] - x, view["ymax"] - y
                camera = f"C{view['viewNum'] + 1}"
                boxes.append((camera, frame, time_s, identity, x, y, *size, 1.0))
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}, sort_keys=False))
    columns = ["camera", "frame", "time_s", "identity", "x", "y", "w", "h", "visible"]
    pd.DataFrame(boxes, columns=columns).to_csv(folder / "ground_truth.csv", index=False)
    table = pd.DataFrame(places, columns=["time_s", "identity", "x_m", "y_m"])
    table.to_csv(folder / "places.csv", index=False)
    return folder


def _encode(pictures: list[Path], path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": QUALITY})
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = cv2.imread(str(pictures[0])).shape[:2]
        for picture in pictures:
            image = cv2.imread(str(picture))
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def dress(scene: Scene, market: Path, embedder: ReidEmbedder, *, seed: int = 0) -> Scene:
    """Return a scene of true boxes in which each person looks like one of Market-1501's.

    The pictures at hand are not those of the annotations, so they say nothing of who is in a true box.
    Every person gets the crops of one validation identity, in each view those of one real camera.

    Args:
        scene: Recorded with the boxes of the ground truth.
        market: Folder of Market-1501 with ``images`` and ``validation_ids.json``.
        embedder: Embeds the crops.
        seed: Of who is whom, and of the crop that a box shows.
    """
    random = np.random.default_rng(seed)
    identities = json.loads((market / "validation_ids.json").read_text())
    chosen = random.permutation(identities)[: int(scene.truth["identity"].max())]
    crops: dict[tuple[int, int], list[Path]] = {}
    for path in sorted((market / "images").glob("*.jpg")):
        number, camera = path.name.split("_")[:2]
        crops.setdefault((int(number), int(camera[1])), []).append(path)
    frames = dict(list(scene.truth.groupby(["camera", "frame"])))
    vectors: dict[tuple[int, int], FloatArray] = {}
    seen = []
    for each in scene.seen:
        rows = []
        truth = frames[each.camera, each.frame]
        true = truth[["x", "y", "w", "h"]].to_numpy(np.float32)
        true[:, 2:] += true[:, :2]
        # Boxes are cut at the border of the picture, so they are not the same to the pixel.
        owner = truth["identity"].to_numpy()[ious(each.detections.xyxy, true).argmax(axis=1)]
        for identity in owner.tolist():
            person = int(chosen[identity - 1])
            views = [(person, (int(each.camera[1]) - 1 + k) % CAMERAS + 1) for k in range(CAMERAS)]
            view = next(view for view in views if view in crops)
            if view not in vectors:
                pictures = [read_picture(path) for path in crops[view][:MAX_CROPS]]
                vectors[view] = embedder.embed(pictures)
            rows.append(vectors[view][random.integers(len(vectors[view]))])
        whole = np.stack(rows) if rows else np.zeros((0, embedder.dim), np.float32)
        seen.append(replace(each, vectors=whole))
    return replace(scene, seen=seen)
