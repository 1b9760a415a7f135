"""Ground truth from CVAT: "CVAT for video 1.1", one file per camera.

A track is one person; its attribute ``identity`` says who, so that a person is the same one in
several cameras. A track without it is a person of its own. Boxes between two that are listed lie
on the straight line between them, as CVAT has it; where one is ``outside``, there is nobody until
the next. A track ends with the last box that is listed.

Source: https://docs.cvat.ai/docs/manual/advanced/xml_format/; ``occluded`` becomes visibility 0 as
in Datumaro's conversion to MOT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.foreign import read_xml
from pipeline.metrics.tables import TRUTH_COLUMNS

__all__ = ["PERSON_LABEL", "cvat_files", "read_cvat"]

PERSON_LABEL = "person"
IDENTITY = "identity"
"""The attribute that names a person."""
SHAPES = frozenset({"skeleton", "polygon", "polyline", "points", "mask", "ellipse", "cuboid"})
MAX_BOXES = 20_000_000
"""More come of a wrong frame number, between which and the one before would be interpolated."""
DECIMALS = 6
"""Of sides, which are differences of what the file holds."""


def cvat_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by camera: ``CAMERA/annotations.xml`` or ``CAMERA.xml``."""
    files = {path.parent.name: path for path in folder.glob("*/annotations.xml")}
    files |= {
        path.stem: path
        for path in folder.glob("*.xml")
        if path.stem not in files and not path.name.startswith(".")
    }
    return files


def read_cvat(path: Path, camera: str, *, label: str) -> pd.DataFrame:
    """Return the true boxes of one camera: ``TRUTH_COLUMNS`` and ``visible``.

    Args:
        path: A file of "CVAT for video 1.1".
        camera: Name of the camera.
        label: Tracks of this label count.

    Raises:
        InputError: It is missing or malformed, or a track of the label is not made of boxes.
    """
    target = _Tracks(f"ground truth {path}", camera, label)
    read_xml(path, target, what="ground truth")
    others = sorted(target.labels - {label})
    if others and label not in target.labels:
        raise InputError(
            f"ground truth {path} has no tracks of {label!r}, only of {', '.join(others)}: "
            "choose one with --class"
        )
    return pd.DataFrame(target.rows, columns=[*TRUTH_COLUMNS, "visible"])


@dataclass(slots=True)
class _Box:
    frame: int
    corners: tuple[float, ...]
    is_outside: bool
    is_occluded: bool


class _Tracks:
    """Takes in the elements of a file, and makes rows of each track as it ends."""

    def __init__(self, origin: str, camera: str, label: str) -> None:
        self.labels: set[str] = set()
        self.rows: list[tuple[object, ...]] = []
        self._origin, self._camera, self._label = origin, camera, label
        self._is_rooted = self._is_ours = self._names_identity = False
        self._track = self._identity = ""
        self._boxes: list[_Box] = []
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if not self._is_rooted and tag != "annotations":
            raise InputError(
                f"{self._origin} is no CVAT file: it begins with <{tag}>, expected <annotations>"
            )
        self._is_rooted = True
        if tag == "image":
            raise InputError(
                f"{self._origin} is of CVAT for images: export it as 'CVAT for video 1.1'"
            )
        if tag == "track":
            self._begin(attrs)
        elif self._is_ours and tag in SHAPES:
            raise InputError(
                f"{self._origin}: track {self._track} is a {tag}: only boxes count; choose another "
                "label with --class, or annotate boxes"
            )
        elif self._is_ours and tag == "box":
            self._boxes.append(self._box(attrs))
        elif self._is_ours and tag == "attribute" and attrs.get("name") == IDENTITY:
            self._names_identity, self._identity = True, ""

    def data(self, data: str) -> None:
        if self._names_identity:
            self._identity += data

    def end(self, tag: str) -> None:
        if tag == "attribute":
            self._names_identity = False
        elif tag == "track" and self._is_ours:
            self._is_ours = False
            own = f"{self._camera}, track {self._track}"
            identity = self._identity.strip() or own
            for box in self._between():
                left, top, right, bottom = box.corners
                sides = (round(right - left, DECIMALS), round(bottom - top, DECIMALS))
                visible = 0.0 if box.is_occluded else 1.0
                row = (self._camera, box.frame, identity, left, top, *sides, visible)
                self.rows.append(row)

    def _begin(self, attrs: dict[str, str]) -> None:
        label = attrs.get("label", "")
        self.labels.add(label)
        self._is_ours = label == self._label
        self._track, self._identity, self._boxes = attrs.get("id", "?"), "", []

    def _box(self, attrs: dict[str, str]) -> _Box:
        try:
            frame = int(attrs["frame"])
            corners = tuple(float(attrs[side]) for side in ("xtl", "ytl", "xbr", "ybr"))
            is_turned = float(attrs.get("rotation", 0)) != 0
        except (KeyError, ValueError) as error:
            missing = isinstance(error, KeyError)
            what = f"a box without {error}" if missing else f"a box that is none: {error}"
            raise InputError(f"{self._origin}: track {self._track} has {what}") from None
        if is_turned:
            raise InputError(
                f"{self._origin}: track {self._track}, frame {frame}: the box is rotated; only "
                "upright boxes count"
            )
        if frame < 0:
            raise InputError(f"{self._origin}: track {self._track} has a box in frame {frame}")
        is_outside, is_occluded = attrs.get("outside") == "1", attrs.get("occluded") == "1"
        return _Box(frame, corners, is_outside, is_occluded)

    def _between(self) -> Iterator[_Box]:
        """Yield the boxes of the track, frame by frame, those between listed ones included."""
        listed = sorted(self._boxes, key=lambda box: box.frame)
        for box, after in zip_longest(listed, listed[1:]):
            if box.is_outside:
                continue
            yield box
            gap = 1 if after is None else after.frame - box.frame
            self._count += gap
            if self._count > MAX_BOXES:
                raise InputError(
                    f"{self._origin} has more than {MAX_BOXES} boxes by track {self._track}, frame "
                    f"{box.frame}: its next frame is {box.frame + gap}, mend that number"
                )
            for step in range(1, gap):
                share = step / gap
                corners = tuple(
                    a + share * (b - a) for a, b in zip(box.corners, after.corners, strict=True)
                )
                yield _Box(box.frame + step, corners, False, box.is_occluded)
