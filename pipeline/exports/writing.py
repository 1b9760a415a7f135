"""The same boxes as MOT Challenge text, COCO-style JSON, CSV, and for CVAT and Datumaro.

- MOT: ``NAME.txt`` per sequence, ``frame,id,x,y,w,h,conf,-1,-1,-1``, frames from 1. ``id`` is
  the identity over all cameras; every track that has none gets a number of its own beyond them.
- COCO: ``coco.json`` with ``images`` (frames that show somebody), ``annotations`` with
  ``track_id`` and ``identity_id`` (null where it is unassigned), ``categories`` and ``videos``.
- CSV: ``boxes.csv`` with one line per box.
- CVAT and Datumaro: see ``cvat`` and ``datumaro``.

Source: https://motchallenge.net/instructions/ and https://cocodataset.org/#format-data
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.errors import OutputError, SinkError
from pipeline.exports.cvat import write_cvat
from pipeline.exports.datumaro import write_datumaro
from pipeline.exports.files import (
    SCORE_DECIMALS,
    Named,
    Read,
    private_file,
    rounded_boxes,
    size_at,
    write_list,
)
from pipeline.exports.sequences import named_sequences
from pipeline.results import Results
from pipeline.results.pieces import SEQUENCE_COLUMNS

__all__ = ["ExportFormat", "export_boxes"]

PERSON = {"id": 1, "name": "person", "supercategory": "person"}
AREA_DECIMALS = 3


class ExportFormat(StrEnum):
    """What can be written."""

    mot = "mot"
    coco = "coco"
    csv = "csv"
    cvat = "cvat"
    datumaro = "datumaro"


def export_boxes(results: Results, out: Path, *, kind: ExportFormat) -> tuple[int, int]:
    """Write all boxes into a new folder, which appears whole or not at all.

    Args:
        results: What to export.
        out: Folder to make; it may exist if it is empty.
        kind: Format to write.

    Returns:
        How many sequences and boxes were written.

    Raises:
        ResultsError: What is to be exported is not finished, or damaged.
        OutputError: ``out`` is there already, or cannot be made.
        SinkError: It cannot be written, for example because the disk is full.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"output {out} exists and is not empty: choose another --out")
    try:
        folder = out.absolute().with_name(f".{out.name}.partial")
        shutil.rmtree(folder, ignore_errors=True)  # of an export that was killed
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise OutputError(f"output {out} cannot be made: {error.strerror}") from None
    writers: dict[ExportFormat, Callable[[Read, Path], tuple[int, int]]] = {
        ExportFormat.mot: _write_mot,
        ExportFormat.coco: _write_coco,
        ExportFormat.csv: _write_csv,
        ExportFormat.cvat: write_cvat,
        ExportFormat.datumaro: write_datumaro,
    }
    try:
        counts = writers[kind](lambda: named_sequences(results), folder)
        if out.exists():
            out.rmdir()
        folder.replace(out)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SinkError(f"output {out} could not be written: {reason}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return counts


def _write_mot(read: Read, folder: Path) -> tuple[int, int]:
    spare = 1 + max(
        (int(each.boxes["global_id"].max()) for _, each in read() if len(each.boxes)), default=0
    )
    spare = max(spare, 1)
    sequences = boxes = 0
    for name, sequence in read():
        table = sequence.boxes
        nobody = table["global_id"] == UNASSIGNED
        tracks = sorted(table.loc[nobody, "track_id"].unique())
        own = dict(zip(tracks, range(spare, spare + len(tracks)), strict=True))
        spare += len(tracks)
        ids = table["global_id"].mask(nobody, table["track_id"].map(own))
        rows = pd.DataFrame({"frame": table["frame"] + 1, "id": ids.astype("int64")})
        rows = rows.join(rounded_boxes(table))
        rows["conf"] = table["score"].astype(float).round(SCORE_DECIMALS)
        rows = rows.assign(world_x=-1, world_y=-1, world_z=-1)
        with private_file(folder / f"{name}.txt") as file:
            rows.to_csv(file, header=False, index=False, lineterminator="\n")
        sequences, boxes = sequences + 1, boxes + len(rows)
    return sequences, boxes


def _write_csv(read: Read, folder: Path) -> tuple[int, int]:
    sequences = boxes = 0
    with private_file(folder / "boxes.csv") as file:
        csv.writer(file, lineterminator="\n").writerow(["sequence", "camera", *SEQUENCE_COLUMNS])
        for name, sequence in read():
            table = sequence.boxes.reindex(columns=SEQUENCE_COLUMNS)
            table.insert(0, "sequence", name)
            table.insert(1, "camera", sequence.camera)
            table.to_csv(file, header=False, index=False, lineterminator="\n")
            sequences, boxes = sequences + 1, boxes + len(table)
    return sequences, boxes


def _write_coco(read: Read, folder: Path) -> tuple[int, int]:
    # Three passes, so that no more than one sequence is in memory.
    with private_file(folder / "coco.json") as file:
        file.write('{"info": {"description": "Found by reid-pipeline"},\n')
        file.write(f'"categories": {json.dumps([PERSON])},\n')
        write_list(file, "videos", _videos(read()))
        file.write(",\n")
        write_list(file, "images", _images(read()))
        file.write(",\n")
        boxes = write_list(file, "annotations", _annotations(read()))
        file.write("}\n")
    return sum(1 for _ in read()), boxes


def _videos(sequences: Named) -> Iterator[dict[str, Any]]:
    for number, (name, each) in enumerate(sequences, start=1):
        yield {"id": number, "name": name, "camera": each.camera, "source": each.file}


def _images(sequences: Named) -> Iterator[dict[str, Any]]:
    image_id = 0
    for video_id, (name, sequence) in enumerate(sequences, start=1):
        seen = sequence.boxes.drop_duplicates("frame")
        for frame, time in zip(seen["frame"].tolist(), seen["time"], strict=True):
            image_id += 1
            size = size_at(frame, sequence)
            yield {
                "id": image_id,
                "video_id": video_id,
                "frame_index": frame,
                "time": time.isoformat() if isinstance(time, pd.Timestamp) else float(time),
                "file_name": f"{name}/{frame + 1:06d}.jpg",
                **({} if size is None else {"width": size[0], "height": size[1]}),
            }


def _annotations(sequences: Named) -> Iterator[dict[str, Any]]:
    image_id = annotation_id = 0
    for _, sequence in sequences:
        table = sequence.boxes
        frames, tracks = table["frame"].tolist(), table["track_id"].tolist()
        owners, scores = table["global_id"].tolist(), table["score"].tolist()
        boxes = rounded_boxes(table).to_numpy().tolist()
        last_frame = None
        for frame, track_id, owner, box, score in zip(
            frames, tracks, owners, boxes, scores, strict=True
        ):
            image_id += frame != last_frame
            last_frame = frame
            annotation_id += 1
            yield {
                "id": annotation_id,
                "image_id": image_id,
                "category_id": PERSON["id"],
                "bbox": box,
                "area": round(box[2] * box[3], AREA_DECIMALS),
                "iscrowd": 0,
                "score": round(score, SCORE_DECIMALS),
                "track_id": track_id,
                "identity_id": None if owner == UNASSIGNED else owner,
            }
