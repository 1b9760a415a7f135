"""MultiviewX as a scene of this repository: a clip a camera, a calibrated camera list, true boxes and places.

Source: Hou, Zheng, Gould, "Multiview Detection with Feature Perspective Transformation" (2020): two frames
a second, a grid of 1000 x 640 cells of 2.5 cm, positions numbered along x first.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pandas as pd
import yaml

__all__ = ["AREA_M", "as_scene"]

RATE = Fraction(2)
CAMERAS = 6
CELLS, CELL_M = 1000, 0.025
AREA_M = (25.0, 16.0)
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
