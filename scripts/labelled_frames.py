"""Frames of clips and of folders of pictures, for scripts that work with ground truth."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.datatypes import Frame
from pipeline.errors import InputError

__all__ = ["clip_of", "frames_of"]


def clip_of(camera: str, folders: Sequence[Path]) -> Path:
    """Return the clip of a camera, or its folder of pictures.

    Raises:
        InputError: None of the folders has exactly one.
    """
    found = [path for folder in folders for path in folder.glob("*") if path.stem == camera]
    if len(found) != 1:
        where = ", ".join(map(str, folders)) or "no folder"
        raise InputError(
            f"camera {camera} has {len(found)} clips in {where}, expected one: name the folder "
            "that holds it with --videos"
        )
    return found[0]


def frames_of(
    clip: Path, *, every: int = 1, wanted: Collection[int] | None = None
) -> Iterator[Frame]:
    """Yield frames of a video, or of a folder of JPEG pictures in the order of their names.

    Args:
        clip: The video or the folder.
        every: Yield the first of so many.
        wanted: Yield these numbers instead, from 0.
    """

    def is_asked(index: int) -> bool:
        return index in wanted if wanted is not None else index % every == 0

    if clip.is_dir():
        images = (
            np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(clip.glob("*.jpg"))
        )
        for index, image in enumerate(images):
            if is_asked(index):
                yield Frame(camera=clip.name, index=index, time_s=float(index), image=image)
        return
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if is_asked(index):
                pixels = frame.to_ndarray(format="bgr24")
                yield Frame(camera=clip.stem, index=index, time_s=float(index), image=pixels)
