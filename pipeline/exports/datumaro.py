"""Datumaro's own JSON: ``annotations/NAME.json`` per sequence, a subset each.

Datumaro converts it to what else there is. Pictures are not written; after extraction they would be
``images/NAME/000001.jpg``, counted from 1.

Source: https://openvinotoolkit.github.io/datumaro/latest/docs/data-formats/formats/datumaro.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.datatypes import UNASSIGNED
from pipeline.exports.files import (
    SCORE_DECIMALS,
    Read,
    private_file,
    rounded_boxes,
    size_at,
    write_list,
)
from pipeline.results import BoxSequence

__all__ = ["write_datumaro"]

IMAGES = 2
"""Datumaro's number of this kind of medium."""
CATEGORIES = {
    "label": {
        "labels": [{"name": "person", "parent": "", "attributes": []}],
        "label_groups": [],
        "attributes": ["track_id", "identity", "score"],
    }
}


def write_datumaro(read: Read, folder: Path) -> tuple[int, int]:
    """Write all sequences; return how many there were, and how many boxes."""
    (folder / "annotations").mkdir(mode=0o700)
    sequences = boxes = 0
    for name, sequence in read():
        with private_file(folder / "annotations" / f"{name}.json") as file:
            about = {"dm_format_version": "1.0", "media_type": IMAGES, "infos": {}}
            file.write(json.dumps(about | {"categories": CATEGORIES})[:-1] + ",\n")
            write_list(file, "items", _items(sequence))
            file.write("}\n")
        sequences, boxes = sequences + 1, boxes + len(sequence.boxes)
    return sequences, boxes


def _items(sequence: BoxSequence) -> Iterator[dict[str, Any]]:
    """Yield the frames that show somebody."""
    for _, rows in sequence.boxes.groupby("frame"):
        number = int(rows["frame"].iloc[0])
        size = size_at(number, sequence)
        picture = {"path": f"{number + 1:06d}.jpg"}
        yield {
            "id": f"{number + 1:06d}",
            "annotations": [
                {
                    "id": place,
                    "type": "bbox",
                    "attributes": {"track_id": track, "score": round(score, SCORE_DECIMALS)}
                    | ({} if owner == UNASSIGNED else {"identity": owner}),
                    "group": 0,
                    "label_id": 0,
                    "z_order": 0,
                    "bbox": box,
                }
                for place, (track, owner, score, box) in enumerate(
                    zip(
                        rows["track_id"].tolist(),
                        rows["global_id"].tolist(),
                        rows["score"].tolist(),
                        rounded_boxes(rows).to_numpy().tolist(),
                        strict=True,
                    )
                )
            ],
            "attr": {"frame": number},
            "image": picture if size is None else picture | {"size": [size[1], size[0]]},
        }
