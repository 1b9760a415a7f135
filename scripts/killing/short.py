"""Commands of seconds: what they write is there whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from PIL import Image

from killing.commands import SAMPLE, WEIGHTS, Command, in_place, inputs_of, make_archive, make_scene
from pipeline.results import open_results
from reid_model.stored_weights import read_notes
from support.facing_views import camera_list, points_in, walked_run, walkers
from support.people import write_people
from support.random_weights import write_random_weights

__all__ = ["SHORT"]

PICTURES = {".jpg", ".png"}
POINTS = [[20, 60, 0, 0], [300, 60, 4, 0], [20, 200, 0, 3], [300, 200, 4, 3], [160, 130, 2, 1.5]]


def _truth() -> None:
    make_scene()
    rows = Path("scene/boxes.csv").read_text().splitlines()[1:]
    split = [row.split(",") for row in rows]
    lines = [f"{camera},{frame},7,{','.join(box)}" for camera, frame, *box in split]
    Path("truth.csv").write_text("\n".join(["camera,frame,identity,x,y,w,h", *lines[::2]]) + "\n")


def _floor() -> None:
    make_scene()
    cameras = [{"name": "cam1", "source": "scene/cam1.mp4", "floor_points": POINTS}]
    Path("cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}))


def _walked() -> None:
    moved = [[u, v, x + 0.8, y - 0.5] for u, v, x, y in points_in("back")]
    camera_list(Path(), front=points_in("front"), back=moved)
    for name in ("front.mp4", "back.mp4"):  # whole, as every video must be afterwards
        shutil.copy(SAMPLE, name)
    walked_run(Path("run"), walkers(12))


def _people() -> None:
    write_random_weights(WEIGHTS)
    write_people(Path("people"))


def _left(*folders: str) -> Callable[[Path], Mapping[str, object]]:
    """What there is in the end, without the folders, all of whose pictures must be whole."""

    def outcome(place: Path) -> dict[str, object]:
        for path in place.rglob("*"):
            if path.suffix in PICTURES and path.stat().st_size:
                with Image.open(path) as picture:
                    picture.load()
        names = [path.relative_to(place) for path in place.rglob("*") if path.is_file()]
        own = [name.as_posix() for name in names if name.parts[0] not in folders]
        texts = {name: json.loads((place / name).read_text()) for name in own if name in WRITTEN}
        return {"names": sorted(own), "texts": texts, **inputs_of(place)}

    return outcome


def _calibrated(place: Path) -> dict[str, object]:
    return {"calibrated": "calibration" in read_notes(place / WEIGHTS), **_left()(place)}


def _refined(place: Path) -> dict[str, object]:
    [made, *others] = [yaml.safe_load(each.read_text()) for each in place.rglob("refined.yaml")]
    return {
        "same": all(each == made for each in others),
        "list": made,
        **_left("new", "other")(place),
    }


def _pruned(place: Path) -> dict[str, object]:
    return {"left": len(open_results(place / "out").sightings()), **inputs_of(place)}


WRITTEN = {"found.json", "scores.json"}
REPORT = ["pipeline", "report", "out", "--out", "page.html"]
EVALUATE = ["pipeline", "evaluate", "out", "--ground-truth", "truth.csv", "--json", "scores.json"]
CALIBRATE = ["pipeline", "calibrate", "people", "--weights", str(WEIGHTS), "--store"]
CALIBRATE += ["--json", "found.json", "--false-match-rate", "0.3", "--device", "cpu"]
CROPS = ["pipeline", "crops", "scene", "--places", "places", "--every", "0.2", "--out"]
REFINED = "new/refined.yaml"
REFINE = ["pipeline", "floor", "refine", "run", "--cams", "cams.yaml", "--camera", "back"]
REFINE += ["--out", REFINED, "--json", "found.json"]
PRUNE = ["pipeline", "prune", "out", "--keep-days", "1", "--yes"]
SCORE = ["reid_model", "evaluate", "--data", "people", "--weights", str(WEIGHTS)]
SCORE += ["--json", "scores.json", "--histogram", "distances.png"]
EXPORT = ["reid_model", "export", "--format", "openvino", "--weights", str(WEIGHTS)]
EXPORT += ["--out", "model", "--overwrite"]

SHORT: Mapping[str, Command] = {
    "report": Command(in_place(make_scene), REPORT, _left(), ("out",)),
    "evaluate": Command(in_place(_truth), [*EVALUATE, "--out", "pictures"], _left(), ("out",)),
    "calibrate": Command(in_place(_people), CALIBRATE, _calibrated),
    "crops": Command(
        in_place(make_scene),
        [*CROPS, "crops"],
        _left("crops", "places", "other", "elsewhere"),
        goes_on=[[*CROPS, "crops"], [*CROPS[:3], "--places", "elsewhere", "--out", "other"]],
    ),
    "floor fit": Command(in_place(_floor), ["pipeline", "floor", "fit", "cameras.yaml"], _left()),
    "floor refine": Command(
        in_place(_walked),
        REFINE,
        _refined,
        ("run",),
        # A list that exists is never written over.
        goes_on=[REFINE, ["other/refined.yaml" if each == REFINED else each for each in REFINE]],
    ),
    "prune": Command(in_place(make_archive), PRUNE, _pruned, ("out",)),
    "reid-model evaluate": Command(in_place(_people), SCORE, _left()),
    "reid-model export": Command(in_place(_people), EXPORT, _left()),
}
