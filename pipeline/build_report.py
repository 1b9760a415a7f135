"""The composition root of reports: what there is to tell of a run or of an archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.datatypes import UNDECIDED
from pipeline.errors import InputError
from pipeline.layout.archive import ArchiveFolder, read_part
from pipeline.report.reading import (
    CameraCounts,
    InputVideo,
    Reported,
    RunRecord,
    Sighting,
    read_run,
    taking_turns,
)

__all__ = ["read_reported"]

COLUMNS = ["tracklet_id", "first_time", "last_time", "quality"]


def read_reported(folder: Path) -> Reported:
    """Read what a report tells of a run's folder, or of an archive's.

    Raises:
        InputError: It is neither, it is not finished, or one of its files is damaged.
    """
    archive = ArchiveFolder(folder)
    return _read_archive(archive) if archive.record_path.is_file() else read_run(folder)


def _read_archive(folder: ArchiveFolder) -> Reported:
    """Read an archive without its embeddings, which are most of it."""
    rows = _rows(folder)
    sightings = [
        Sighting(*row)
        for row in zip(
            rows["global_id"].tolist(),
            rows["camera"].tolist(),
            rows["first_s"].tolist(),
            rows["last_s"].tolist(),
            strict=True,
        )
    ]

    def pictures(people: Sequence[int], most: int) -> Mapping[int, list[bytes]]:
        return _pictures(folder, rows, people, most)

    return Reported(
        kind="archive",
        name=folder.path.resolve().name,
        record=_record(folder, rows),
        record_file="archive.json",
        sightings=sightings,
        tables="identities.parquet",
        pictures=pictures,
    )


def _rows(folder: ArchiveFolder) -> pd.DataFrame:
    """Return a row for each tracklet: its part, camera, times (s), quality and identity."""
    identities = folder.identities().select(["tracklet_id", "global_id"]).to_pandas()
    frames = []
    for camera, day, path in folder.parts("sightings"):
        table = read_part(path, COLUMNS)
        times = {
            name: table[f"{name}_time"].cast(pa.int64()).to_numpy() / 1e6
            for name in ("first", "last")
        }
        frame = pd.DataFrame(
            {
                "tracklet_id": table["tracklet_id"].to_pandas(),
                "first_s": times["first"],
                "last_s": times["last"],
                "quality": table["quality"].to_pandas(),
            }
        )
        frames.append(frame.assign(camera=camera, day=day, key=path.stem))
    if not frames:
        nobody = identities[:0].drop(columns="global_id")
        nobody[["first_s", "last_s", "quality"]] = 0.0
        frames = [nobody.assign(camera="", day="", key="")]
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.merge(identities, on="tracklet_id", how="left")
    rows["global_id"] = rows["global_id"].fillna(UNDECIDED).astype("int64")
    return rows.sort_values(["first_s", "camera", "tracklet_id"], kind="stable")


def _pictures(
    folder: ArchiveFolder, rows: pd.DataFrame, people: Sequence[int], most: int
) -> dict[int, list[bytes]]:
    """Return the thumbnails of the best tracklets, the cameras taking turns."""
    own = rows[rows["global_id"].isin(people)].sort_values("quality", ascending=False)
    chosen: dict[int, list[tuple[str, Path]]] = {number: [] for number in people}
    for number, of_person in own.groupby("global_id"):
        by_camera: dict[str, list[tuple[str, Path]]] = {}
        for name, camera, day, key in of_person[["tracklet_id", "camera", "day", "key"]].values:
            path = folder.part_path("thumbnails", camera=camera, day=day, key=key)
            by_camera.setdefault(camera, []).append((name, path))
        chosen[int(str(number))] = taking_turns(by_camera, most)
    wanted: dict[Path, list[str]] = {}
    for name, path in (each for some in chosen.values() for each in some):
        wanted.setdefault(path, []).append(name)
    jpegs: dict[str, bytes] = {}
    for path, names in wanted.items():
        if not path.is_file():
            continue
        table = read_part(path, ["tracklet_id", "jpeg"])
        found = table.filter(pc.is_in(table["tracklet_id"], value_set=pa.array(names)))
        ids, content = found["tracklet_id"].to_pylist(), found["jpeg"].to_pylist()
        jpegs.update(zip(ids, content, strict=True))
    return {
        number: [jpegs[name] for name, _ in some if name in jpegs]
        for number, some in chosen.items()
    }


def _record(folder: ArchiveFolder, rows: pd.DataFrame) -> RunRecord:
    """Return what ``archive.json`` tells, in the terms of a run's record."""
    content = folder.record()
    try:
        files: list[Mapping[str, Any]] = list(content.get("files", []))
        tracks = Counter(rows["camera"].tolist())
        boxes: Counter[str] = Counter()
        for camera, _, path in folder.parts("boxes"):
            boxes[camera] += pq.read_metadata(path).num_rows
        inputs, cameras = [], []
        for camera in content.get("cameras", []):
            own = [each for each in files if each["camera"] == camera]
            told = "1 file" if len(own) == 1 else f"{len(own):,} files"
            inputs.append(InputVideo(camera=camera, source=told))
            frames = sum(int(each.get("frames", 0)) for each in own)
            cameras.append(
                CameraCounts(
                    camera=camera, frames=frames, boxes=boxes[camera], tracks=tracks[camera]
                )
            )
        warnings = []
        for each in files:
            if each.get("status") == "skipped":
                warnings.append(f"{each['file']} was skipped: {each.get('reason', '')}")
            warnings += [f"{each['file']}: {text}" for text in each.get("warnings", [])]
        threshold = content.get("threshold")
        return RunRecord(
            status=str(content.get("status", "")),
            versions={"reid-pipeline": str(content.get("version", ""))},
            resolved={
                "files": f"{len(files):,}",
                "times from": str(content.get("names", "")),
                **({} if threshold is None else {"threshold": float(threshold)}),
            },
            inputs=inputs,
            cameras=cameras,
            warnings=warnings,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder.record_path} is damaged ({type(error).__name__}: {error}): run "
            "`reid-pipeline batch` again to write it anew"
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{folder.path}/boxes is damaged ({error}): restore it") from None
