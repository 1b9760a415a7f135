"""CVAT for video 1.1: ``NAME.xml`` per sequence, which `evaluate` and CVAT itself read.

Every box is a keyframe, so nothing is interpolated. Where a track is not seen for a while, and at
its end, a box that is ``outside`` says so: CVAT would otherwise go on with the last one. None is
written beyond the last frame that shows somebody, which may be the last of the video, as CVAT
refuses frames that the video does not have.

Source: https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.exports.files import Read, private_file, rounded_boxes, size_at
from pipeline.results import BoxSequence

__all__ = ["write_cvat"]

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
<version>1.1</version>
<meta><task><name>{name}</name><mode>interpolation</mode><labels><label><name>person</name>
<attributes><attribute><name>identity</name><mutable>False</mutable><input_type>text</input_type>
<default_value></default_value><values></values></attribute></attributes></label></labels>{size}
<source>{source}</source></task></meta>
"""
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_cvat(read: Read, folder: Path) -> tuple[int, int]:
    """Write all sequences; return how many there were, and how many boxes."""
    sequences = boxes = 0
    for name, sequence in read():
        with private_file(folder / f"{name}.xml") as file:
            file.write(_head(name, sequence))
            for number, (_, track) in enumerate(sequence.boxes.groupby("track_id")):
                file.write(f'<track id="{number}" label="person" source="auto">\n')
                file.writelines(_track(track, int(sequence.boxes["frame"].max())))
                file.write("</track>\n")
            file.write("</annotations>\n")
        sequences, boxes = sequences + 1, boxes + len(sequence.boxes)
    return sequences, boxes


def _head(name: str, sequence: BoxSequence) -> str:
    size = size_at(0, sequence)
    width_and_height = "" if size is None else "<width>{}</width><height>{}</height>".format(*size)
    return HEAD.format(
        name=escape(name),
        size=f"<original_size>{width_and_height}</original_size>" if size else "",
        source=escape(NOT_IN_XML.sub("?", sequence.file)),
    )


def _track(track: pd.DataFrame, last: int) -> Iterator[str]:
    """Yield the boxes of a track, a line each.

    Args:
        track: Its rows, in order of frames.
        last: The last frame of the sequence that shows somebody.
    """
    frames = track["frame"].tolist()
    boxes = rounded_boxes(track).to_numpy().tolist()
    owners = ["" if each == UNASSIGNED else str(each) for each in track["global_id"].tolist()]
    following = [*frames[1:], last + 1]
    for frame, box, owner, after in zip(frames, boxes, owners, following, strict=True):
        yield _box(frame, box, owner, outside=False)
        if after > frame + 1:
            yield _box(frame + 1, box, owner, outside=True)


def _box(frame: int, box: list[float], owner: str, *, outside: bool) -> str:
    left, top, width, height = box
    return (
        f'<box frame="{frame}" keyframe="1" outside="{int(outside)}" occluded="0" '
        f'xtl="{left:.3f}" ytl="{top:.3f}" xbr="{left + width:.3f}" ybr="{top + height:.3f}" '
        f'z_order="0"><attribute name="identity">{owner}</attribute></box>\n'
    )
